"""The index calculus on its own, and on random graphs: right, or refused, never wrong."""

from __future__ import annotations

import random

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from derive.backprop import differentiate
from derive.calculus import CalculusError, Term, build, contract, partial, same
from derive.expression import Delta, Element, Fresh, Index, Inside, LogTotalExp, Slope, Total
from derive.functions import where
from derive.graph import GraphError
from derive.language import LanguageError
from tests.core_support import (
    DIGITS,
    TOLERANCE,
    Case,
    Oracle,
    axis,
    draw,
    relaxed,
    worst_gradient,
    worst_step,
)

AXIS = axis("a", 4)
N, J, K, A = (Index(letter, AXIS) for letter in "ijka")
R = Index("r", axis("r", 2))
SIZES = {("x", 0): AXIS, ("y", 0): AXIS, ("w", 0): R.axis}


def y(place: sympy.Expr) -> Element:
    return Element("y", place)


def contracted(*factors: sympy.Expr, bound: tuple[Index, ...] = (J,)) -> sympy.Expr | None:
    term = contract(Term(bound, factors), SIZES, Fresh())
    return None if term is None else build([term])


CONTRACTIONS: list[tuple[tuple[sympy.Expr, ...], sympy.Expr]] = [
    ((Delta(J, A), y(J)), y(A)),
    ((Delta(J + 1, A), y(J)), y(A - 1)),
    ((Delta(A, 3 - J), y(J)), y(3 - A)),
    ((Delta(J + 1, A), sympy.exp(y(J))), sympy.exp(y(A - 1)) * Inside(A - 1, AXIS.size)),
    ((Delta(J, A), sympy.exp(y(J))), sympy.exp(y(A))),
    ((Delta(2 * J, A), y(J)), Total(Delta(2 * J, A) * y(J), J)),
    ((Delta(J, A), Delta(J, N), y(J)), Delta(A, N) * y(A)),
    ((Delta(J + 1, A), 1 / y(J)), Total(Delta(J + 1, A) / y(J), J)),
    ((Delta(J, A), 1 / y(J)), 1 / y(A)),
    ((Delta(J + 1, A), 1 / y(J + 1)), Inside(A - 1, AXIS.size) / y(A)),
    ((Delta(J, A + 1), where(Delta(J, 0), y(0), y(J))), y(A + 1) * Inside(A + 1, AXIS.size)),
    ((where(Delta(J, 0), 1 / y(J), 0),), 1 / y(0)),
    ((where(Delta(J, 1), 0, y(J)),), Total(where(Delta(J, 1), 0, y(J)), J)),
    ((where(Delta(J, A + 1), y(J), 0),), Total(where(Delta(J, A + 1), y(J), 0), J)),
    ((Delta(J + 1, A), sympy.log(y(J)), y(J)), Total(Delta(J + 1, A) * sympy.log(y(J)) * y(J), J)),
]


@pytest.mark.parametrize(("factors", "expected"), CONTRACTIONS, ids=str)
def test_a_delta_takes_its_sum_away(factors: tuple[sympy.Expr, ...], expected: sympy.Expr) -> None:
    found = contracted(*factors)
    assert found is not None
    assert same(found, expected)


def test_a_sum_over_another_index_is_solved_before_a_division_breaks() -> None:
    found = contracted(Delta(J + R, A), Element("w", R), 1 / y(J), bound=(J, R))
    assert found is not None
    assert same(found, Total(Element("w", A - J) / y(J), J))


def test_a_delta_that_can_never_hold_is_nothing() -> None:
    assert contracted(Delta(J + 1, 0), y(J)) is None
    assert contracted(Delta(J, A), Delta(J + 5, N), y(J)) is None
    assert contracted(sympy.Integer(0), y(J)) is None


def test_the_slope_of_a_log_sum_exp_is_a_softmax() -> None:
    whole = LogTotalExp(y(J), J)
    (term,) = partial(whole, "y", (A,), Fresh())
    found = contract(term, SIZES, Fresh())
    assert found is not None
    assert same(build([found]), sympy.exp(y(A) - whole))


def test_a_sum_over_a_part_of_an_axis_leaves_the_rest_alone() -> None:
    """E = V[0]**2 + V[1]**2, so the slope by V[2] is 0."""
    case = Case("E = sum(i, V[i + 0]**2)", "V[m] parameter", "i=2 m=3")
    given_values = {("V", (k,)): mpf(v) for k, v in enumerate((3, 5, 7))}
    values = Oracle(differentiate(case.graph()).backward).run(given_values)
    assert [values["adj_V", (k,)] for k in range(3)] == [6, 10, 0]


def test_nothing_is_differentiated_by_what_it_does_not_read() -> None:
    assert partial(y(N) * Total(y(J), J), "x", (A,), Fresh()) == []


@pytest.mark.parametrize(
    ("expr", "words"),
    [
        (Slope(y(N), y(J)), "no rule for the derivative of Slope"),
        (sympy.Function("f")(y(N)), "the function f has no row in the table of functions"),
    ],
)
def test_what_is_not_understood_is_refused(expr: sympy.Expr, words: str) -> None:
    with pytest.raises(CalculusError, match=words):
        partial(expr, "y", (A,), Fresh())


LENGTHS = {"i": 2, "j": 3, "k": 2, "l": 3, "n": 2}
SHIFTS = ("{a}+1", "{a}-1", "2*{a}", "2*{a}+{b}-1", "{a}+{b}", "{a}-{b}", "2-{a}", "2*{a}-1",
          "{a}+2*{b}", "3*{a}-{b}", "2*{a}+2*{b}-1", "1-{a}")  # fmt: skip
GIVEN = {"x": "i", "w": "j", "v": "l", "A": "ij", "B": "jj", "s": ""}


class Writer:
    """Writes random equations: products, sums over indices, shifts, functions and their kinks."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.quantities = dict(GIVEN)

    def place(self, letter: str, scope: str) -> str:
        fitting = [a for a in scope if LENGTHS[a] == LENGTHS[letter]]
        chance = self.source.random()
        if fitting and chance < 0.7:
            return self.source.choice(fitting)
        if scope and chance < 0.95:
            a, b = self.source.choice(scope), self.source.choice(scope)
            return self.source.choice(SHIFTS).format(a=a, b=b)
        return str(self.source.randrange(LENGTHS[letter]))

    def element(self, scope: str) -> str:
        name = self.source.choice(list(self.quantities))
        places = [self.place(letter, scope) for letter in self.quantities[name]]
        return f"{name}[{', '.join(places)}]" if places else name

    def formula(self, scope: str, depth: int) -> str:
        choose = self.source.choice
        if depth == 0 or self.source.random() < 0.15:
            return self.element(scope) if self.source.random() < 0.9 else choose(["2", "0.5"])
        letter = choose("ijkln")
        inner = scope if letter in scope else scope + letter

        def part() -> str:
            return self.formula(scope, depth - 1)

        match choose("+**-/ffsssmMSxwpl"):
            case "+" | "-" | "*" as sign:
                return f"({part()} {sign} {part()})"
            case "/":
                return f"{part()}/({choose(['2 + (%s)**2', 'exp(%s)']) % part()})"
            case "f":
                return f"{choose(['exp', 'tanh', 'logistic', 'sin', 'abs', 'softplus'])}({part()})"
            case "s":
                return f"sum({letter}, {self.formula(inner, depth - 1)})"
            case "m":
                return f"mean({letter}, {self.formula(inner, depth - 1)})"
            case "M":
                return f"max({letter}, {self.formula(inner, depth - 1)})"
            case "S" if scope:
                return f"softmax({choose(scope)}, {part()})"
            case "x":
                return f"{choose(['max', 'min'])}({part()}, {choose(['0', part()])})"
            case "w":
                return f"where({part()} {choose(['>', '<='])} {part()}, {part()}, {part()})"
            case "p":
                return f"({part()})**{choose([2, 3])}"
            case "l":
                return f"log(sum({letter}, exp({self.formula(inner, depth - 1)})))"
        return self.element(scope)

    def case(self) -> Case:
        lines = []
        for k in range(self.source.randint(1, 3)):
            letters = "".join(self.source.sample("ijkl", self.source.randint(0, 2)))
            places = f"[{', '.join(letters)}]" if letters else ""
            lines.append(f"q{k}{places} = {self.formula(letters, 3)}")
            self.quantities[f"q{k}"] = letters
        body = f"tanh(q{k}{places})"
        lines.append(f"E = sum({', '.join(letters)}, {body})" if letters else f"E = {body}")
        given = "; ".join(f"{n}[{','.join(a)}] parameter" for n, a in GIVEN.items())
        return Case("\n".join(lines), given, " ".join(f"{a}={n}" for a, n in LENGTHS.items()))


@relaxed(75)
@given(st.integers(0, 2**32))
def test_random_graphs_are_differentiated_rightly_or_refused(seed: int) -> None:
    case = Writer(random.Random(seed)).case()
    try:
        graph = case.graph()
        derivation = differentiate(graph)
    except (CalculusError, GraphError, LanguageError):
        return
    given_values = draw(graph, seed)
    oracle = Oracle(graph)
    with mp.workdps(DIGITS):
        try:
            values = oracle.run(given_values)
        except (ZeroDivisionError, ValueError):
            return  # the loss itself has no value here
        values = Oracle(derivation.backward).run(values)
    assert worst_gradient(derivation, given_values, values) < TOLERANCE, case.text
    assert worst_step(derivation, values) < 1e-15, case.text
