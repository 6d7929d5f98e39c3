"""The derivation by one quantity of a model, told in a terminal: its numbers, and what is asked."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
import sympy
from mpmath import mp

from derive import InputError, Problem, build
from derive.graph import Derivation, adjoint_name
from derive.language import Scope, parse_expression
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.numbers import Number, evaluate
from derive.render.explain_model import explain_model
from derive.scaffold import scaffold
from derive.spec import parse_spec
from derive.verify.algebra import DIGITS, EXACT
from derive.verify.interpreter import run
from tests.core_support import derived
from tests.sampled import sampled

ROWS = (*LAYERS, *loss_names())
BY_HAND = "numbers: {chained: true}\n"
LONG = re.compile(r"sum\(")  # sums are kept where they are too long to be written out
PRECISE = "numbers: {significant_digits: 12}\n"


@cache
def made(text: str) -> tuple[Problem, Derivation]:
    problem = build(parse_spec(text, "my.yaml", "my"))
    return problem, derived(problem.graph, problem.wanted)


def of_row(name: str, more: str) -> tuple[Problem, Derivation]:
    return made(scaffold(name, network=False) + more)


def some(problem: Problem) -> list[str]:
    """The first two quantities that are differentiated by, and the last two."""
    wanted = list(problem.wanted or ())
    return list(dict.fromkeys([*wanted[:2], *wanted[-2:]]))


def told(problem: Problem, derivation: Derivation, asked: str) -> dict[str, list[str]]:
    """By left sides: the right sides that are shown with numbers, each on one line."""
    lines = list(explain_model(problem, derivation, asked))
    found: dict[str, list[str]] = {}
    last = ""
    for line in lines[lines.index("With numbers") + 1 :]:
        if match := re.fullmatch(r"  (\S+) = (.*)", line):
            last = match[1]
            found[last] = [match[2]]
        elif match := re.fullmatch(r" +  = (.*)", line):
            found[last].append(match[1])
        else:
            found[last][-1] += f" {line.strip()}"
    return found


def unknown(expr: sympy.Expr) -> Number:
    raise AssertionError(f"{expr} is no number")


@pytest.mark.parametrize("name", sampled(ROWS, 4))
def test_the_numbers_put_in_give_the_result(name: str) -> None:
    problem, derivation = of_row(name, BY_HAND)
    for wanted in some(problem):
        rows = told(problem, derivation, wanted)
        formula, *put_in, result = rows[next(iter(rows))]
        assert put_in or formula.count("[") <= 1 or LONG.search(formula), formula
        value = evaluate(parse_expression((put_in or [result])[0], Scope({}, {}, {})), unknown)
        assert problem.numbers.text(value) == result, (wanted, put_in)


def table(rows: dict[str, list[str]], name: str, rank: int) -> list[float]:
    """All numbers of a quantity in their order, from the tables that are shown."""
    marked = [key for key in rows if key == name or key.endswith(",:,:]")]
    assert all(key.startswith(name) for key in marked)
    lines = [line for key in marked for line in json.loads(rows[key][0])]
    return lines if rank == 1 else [number for line in lines for number in line]


@pytest.mark.parametrize("name", sampled(ROWS, 4))
def test_the_tables_are_those_of_the_interpreter(name: str) -> None:
    problem, derivation = of_row(name, PRECISE)
    with mp.workdps(DIGITS):
        given = {
            (quantity, place): EXACT.number(number)
            for quantity, entries in problem.values.items()
            for place, number in entries.items()
        }
        found = run(derivation.backward, run(derivation.forward, given))
    for wanted in some(problem):
        quantity = problem.graph.quantities[wanted]
        expected = [float(v) for (own, _), v in found.items() if own == adjoint_name(wanted)]
        rows = told(problem, derivation, wanted)
        if quantity.axes and len(expected) <= 40:
            entries = table(rows, f"dE/d{wanted}", len(quantity.axes))
            assert entries == pytest.approx(expected, rel=1e-9, abs=1e-9)


MODEL = """\
inputs: {x: [1, 0.5]}
targets: {t: [1, 0]}
parameters: {W: [[0.1, -0.2], [0.3, 0.4]], w: 2}
model:
  - z[h] = w*sum(i, W[h,i]*x[i])
loss: E = sum(h, (z[h] - t[h])**2)/2
"""
SHAPES = MODEL.replace("w: 2", "w: {shape: []}")
ASKED = {
    "W": ("dE/dW[0,0]", ["w*dE/dz[0]*x[0]", "2*(-1)*1", "-2"]),
    "dE/dW": ("dE/dW[0,0]", ["w*dE/dz[0]*x[0]", "2*(-1)*1", "-2"]),
    "W[1,0]": ("dE/dW[1,0]", ["w*dE/dz[1]*x[0]", "2*1*1", "2"]),
    "dE/dW[1, 0]": ("dE/dW[1,0]", ["w*dE/dz[1]*x[0]", "2*1*1", "2"]),
    "dE/dz[1]": ("dE/dz[1]", ["-t[1] + z[1]", "-0 + 1", "1"]),
    "z[1]": ("z[1]", ["(x[0]*W[1,0] + x[1]*W[1,1])*w", "(1*0.3 + 0.5*0.4)*2", "1"]),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_for_is_worked_out(asked: str) -> None:
    name, rows = ASKED[asked]
    found = told(*made(MODEL), asked)
    assert found[name] == rows
    assert ("z[1]" in found) == ("z" in asked)  # what is computed shows its own number, too
    assert ("dE/dW" in found) == ("W" in asked)


REFUSED = {
    "V": "there is no derivative by 'V'; known: W, w, x, z",
    "WW": "there is no derivative by 'WW'; did you mean 'W'?",
    "dF/dW": "'dF' is not differentiated; did you mean 'dE/dW'?",
    "W[2,0]": "'W' has no entry [2,0]; it is 2 x 2, from W[0,0] to W[1,1]",
    "W[0]": "'W' has no entry [0]; it is 2 x 2",
    "W[0,-1]": "'W' has no entry [0,-1]",
    "W[0,0": "'W' has no entry [0,0;",
    "z[²]": "'z' has no entry [²]; it is 2, from z[0] to z[1]",
    "w[0]": "'w' is a single number; ask for 'w'",
    "t": "there is no derivative by 't'",
    "": "there is no derivative by ''",
}


@pytest.mark.parametrize("asked", REFUSED)
def test_what_is_not_there_is_answered_with_what_is_near(asked: str) -> None:
    with pytest.raises(InputError) as caught:
        list(explain_model(*made(MODEL), asked))
    assert REFUSED[asked] in str(caught.value)


def test_without_values_an_entry_is_written_in_names() -> None:
    lines = list(explain_model(*made(SHAPES), "W[1,0]"))
    assert lines[-2:] == ["One entry", "  dE/dW[1,0] = w*dE/dz[1]*x[0]"]
    assert not {"One entry", "With numbers"} & set(explain_model(*made(SHAPES), "W"))


def test_a_number_that_is_not_finite_is_said() -> None:
    text = "inputs: {x: -1}\nmodel: ['E = log(x)']\n"
    assert list(explain_model(*made(text), "x"))[-1].startswith("No numbers: at these values")


def test_a_large_table_is_only_counted() -> None:
    text = "inputs: {x: {shape: [7, 6], values: 2}}\nmodel: ['E = sum(i, j, x[i,j]**2)']\n"
    *_, entry, count = explain_model(*made(text), "x")
    assert entry.strip() == "= 4"
    assert count.strip() == "42 entries; ask for any of them, up to dE/dx[6,5]"


def test_a_long_formula_is_broken_at_its_outermost_signs() -> None:
    lines = list(explain_model(*of_row("lstm", ""), "y_Wi"))
    broken = [line.strip() for line in lines[lines.index("With numbers") :] if " = " not in line]
    assert len([line for line in broken if line.startswith("+ ")]) >= 2
    assert max(map(len, lines[lines.index("With numbers") :])) <= 100


def test_a_terminal_goes_on_as_the_page_does() -> None:
    """Four decimals show nothing of z: the page gives them up, for of 9.826 / 0 no number comes."""
    problem, derivation = made(
        "inputs: {x: [1.7e-3, 1e-3]}\nparameters: {w: 0.3}\n"
        "model: ['z[i] = w*x[i]**3', 'y = z[0]/z[1]']\nloss: E = y**2\n"
        "numbers: {decimals: 4, chained: false}\n"
    )
    told = "\n".join(explain_model(problem, derivation, "z"))
    assert "9.826/3e-10\n" in told
    assert "= 3.275e10\n" in told
