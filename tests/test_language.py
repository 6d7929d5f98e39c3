"""The language of equations: what it means, and that everything else is refused with a caret."""

from __future__ import annotations

import contextlib

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from derive.calculus import same
from derive.equations import parse_equations
from derive.errors import LanguageError
from derive.expression import Delta, Element, Index, Largest, Total
from derive.functions import (
    absolute,
    at_least,
    greater,
    logistic,
    maximum,
    minimum,
    sign,
    softplus,
    where,
)
from derive.graph import Quantity, Role
from derive.language import Scope, parse_expression
from derive.limits import MOST_NESTING
from derive.variables import parse_function
from tests.core_support import axis, calls, relaxed

LETTERS = {"n": axis("n", 2), "h": axis("h", 3), "k": axis("h", 3)}
QUANTITIES = {
    "x": Quantity("x", "x", (LETTERS["n"], LETTERS["h"]), Role.INPUT),
    "w": Quantity("w", "w", (LETTERS["h"],), Role.PARAMETER),
    "s": Quantity("s", "s", (), Role.PARAMETER),
    "r": Quantity("r", "r", (), Role.PARAMETER),
}
SCOPE = Scope(QUANTITIES, LETTERS, {})
N, H, K = (Index(letter, LETTERS[letter]) for letter in "nhk")
S, R = Element("s"), Element("r")
W = Element("w", H)

MEANINGS: list[tuple[str, sympy.Expr]] = [
    ("s", S),
    ("  s\t ", S),
    ("(s)", S),
    ("2", sympy.Integer(2)),
    ("0.1", sympy.Rational(1, 10)),
    (".25", sympy.Rational(1, 4)),
    ("5.", sympy.Integer(5)),
    ("1e-3", sympy.Rational(1, 1000)),
    ("1.5E+2", sympy.Integer(150)),
    ("pi", sympy.pi),
    ("-s", -S),
    ("+s", S),
    ("--s", S),
    ("s + r", S + R),
    ("s - r", S - R),
    ("s*r", S * R),
    ("s/r", S / R),
    ("s**2", S**2),
    ("s**r", S**R),
    ("-s**2", -(S**2)),
    ("2**-1", sympy.Rational(1, 2)),
    ("s - r - 1", S - R - 1),
    ("s/r/2", S / R / 2),
    ("2**3**2", sympy.Integer(512)),
    ("w[h]", W),
    ("w[0]", Element("w", 0)),
    ("w[2*h-1]", Element("w", 2 * H - 1)),
    ("w[h+n]", Element("w", H + N)),
    ("x[n, h]", Element("x", N, H)),
    ("x[0, h+1]", Element("x", 0, H + 1)),
    ("h", H),
    ("(h+1)*s", (H + 1) * S),
    ("sum(h, w[h])", Total(W, H)),
    ("sum(n, h, x[n,h])", Total(Total(Element("x", N, H), N), H)),
    ("mean(h, w[h])", Total(W, H) / 3),
    ("max(h, w[h])", Largest(W, H)),
    ("max(n, h, x[n,h])", Largest(Element("x", N, H), N, H)),
    ("softmax(h, w[h])", sympy.exp(W) / Total(sympy.exp(Element("w", K)), K)),
    ("exp(s)", sympy.exp(S)),
    ("log(s)", sympy.log(S)),
    ("tanh(s)", sympy.tanh(S)),
    ("sin(s)", sympy.sin(S)),
    ("cos(s)", sympy.cos(S)),
    ("erf(s)", sympy.erf(S)),
    ("sqrt(s)", sympy.sqrt(S)),
    ("sqrt(s**2)", absolute(S)),
    ("logistic(s)", logistic(S)),
    ("1/(1+exp(-s))", logistic(S)),
    ("exp(s)/(1+exp(s))", logistic(S)),
    ("log(1+exp(s))", softplus(S)),
    ("softplus(s)", softplus(S)),
    ("max(s, 0)", maximum(S, 0)),
    ("min(s, r)", minimum(S, R)),
    ("abs(s)", absolute(S)),
    ("sign(s)", sign(S)),
    ("greater(s, r)", greater(S, R)),
    ("at_least(s, r)", at_least(S, R)),
    ("where(s > r, s, 0)", where(greater(S, R), S, 0)),
    ("where(s < r, s, 0)", where(greater(R, S), S, 0)),
    ("where(s >= r, s, 0)", where(greater(R, S), 0, S)),
    ("where(s <= r, s, 0)", where(greater(S, R), 0, S)),
    ("where(2 > 3, 1/0, s)", S),
    ("where(1 < 2 <= 2, s, 1/0)", S),
    ("where(2 != 2, 1/0, s)", S),
    ("s*(s < r)", S * where(greater(R, S), 1, 0)),
    ("s*(s >= r)", S * where(greater(R, S), 0, 1)),
    ("sum(h, w[h]*(h != k))", Total(W * (1 - Delta(H, K)), H)),
    ("1 < 2 < 3", sympy.S.One),
]


@pytest.mark.parametrize(("text", "expected"), MEANINGS, ids=[text for text, _ in MEANINGS])
def test_what_a_text_means(text: str, expected: sympy.Expr) -> None:
    assert same(parse_expression(text, SCOPE), expected)


REFUSALS: list[tuple[str, int, str]] = [
    ("s.real", 0, "`s.real` is not in the language"),
    ("s + s.__class__", 4, "not in the language"),
    ("s + (lambda: 1)", 5, "not in the language"),
    ("[s for s in s]", 0, "not in the language"),
    ("sum(h for h in w)", 3, "not in the language"),
    ("__import__('os')", 11, "not in the language"),
    ("exec('1')", 5, "not in the language"),
    ("s + 'abc'", 4, "not in the language"),
    ("f'{s}'", 0, "not in the language"),
    ("(s := 1)", 1, "not in the language"),
    ("max(s, b=1)", 0, "without keywords"),
    ("s + True", 4, "not in the language"),
    ("None", 0, "not in the language"),
    ("...", 0, "not in the language"),
    ("s*(s == 1)", 3, "a condition compares two values"),
    ("s*(1 < s != 2)", 3, "a condition compares two values"),
    ("where(1 < s != 2, 1, 2)", 6, "a condition compares two values"),
    ("where(1 < s and s < 2, 1, 2)", 6, "two conditions are two choices"),
    ("where(s == 1, 1, 2)", 6, "a condition compares two values"),
    ("where(s, 1, 2)", 0, "where is written like"),
    ("where(s > 0, 1)", 0, "where is written like"),
    ("s + q", 4, "'q' is unknown; known: pi, r, s, w, x"),
    ("s + wx[h]", 4, "'wx' is unknown; did you mean 'x'?"),
    ("2*tahn(s)", 2, "'tahn' is not a function of the language; did you mean 'tanh'?"),
    ("s(1)", 0, "'s' is not a function"),
    ("a.b(s)", 0, "a function is called by its name"),
    ("1 + exp(s, s)", 4, "exp takes 1 argument, not 2"),
    ("exp()", 0, "exp takes 1 argument, not 0"),
    ("max(s)", 0, "max takes 2 arguments, not 1"),
    ("sum(s)", 0, "sum is written like sum(i, x[i])"),
    ("s*mean(s)", 2, "mean is written like mean(i, x[i])"),
    ("sum(h, h, w[h])", 0, "sum names the same index twice"),
    ("exp", 0, "'exp' is unknown"),
    ("exp[1]", 0, "'exp' is unknown"),
    ("x", 0, "'x' needs 2 indices"),
    ("1 + w[n, h]", 4, "'w' needs 1 index, not 2"),
    ("s[h]", 0, "'s' needs 0 indices, not 1"),
    ("x[n][h]", 0, "only a quantity can be indexed"),
    ("w[h:2]", 2, "not in the language"),
    ("1/0", 2, "this divides by zero"),
    ("1 + s/(s - s)", 7, "this divides by zero"),
    ("0**-1", 0, "this is not finite"),
    ("s + log(0)", 4, "this is not finite"),
    ("s + log(-2)", 4, "this is not a real number"),
    ("sqrt(-4)", 0, "this is not a real number"),
    ("s + (-8)**(1/3)", 4, "this is not a real number"),
    ("9**9**9", 3, "this power is too large"),
    ("10**1000**1000", 10, "this power is too large"),
    ("2**1000000", 3, "this power is too large"),
    ("s**100000", 3, "this power is too large"),
    ("(1+pi)**1000.5", 8, "this power is too large"),
    ("2**(pi**999)", 4, "this power is too large"),
    ("exp(exp(1000))", 4, "this power is too large"),
    ("exp(-2000)", 4, "this power is too large"),
    ("s % 2", 0, "of a value x it is x - 2*floor(x/2)"),
    ("s // 2", 0, "of a value x it is floor(x/2)"),
    ("3 // 2.5", 5, "a position is divided by a whole number"),
    ("3 % 0", 4, "this divides by zero"),
    ("s @ s", 0, "the operations are"),
    ("s << 2", 0, "the operations are"),
    ("~s", 0, "not in the language"),
    ("s and s", 0, "not in the language"),
    ("s if s else s", 0, "not in the language"),
    ("1if 1else 2", 0, "not in the language"),
    ("(1, 2)", 0, "not in the language"),
    ("{1}", 0, "not in the language"),
    ("*s", 0, ""),
    ("", 0, "this is not a formula"),
    ("   ", 0, "this is not a formula"),
    ("s +", 0, "this is not a formula"),
    ("s s", 2, "this is not a formula"),
    ("exp(s))", 6, "this is not a formula"),
    ("s; s", 1, "this is not a formula"),
    ("1" * 50, 0, "this number has 50 digits; one has at most 40"),
    ("s + 0x10", 4, "is not a number of the language"),
    ("1e9999", 0, ""),
    ("1j", 0, "not in the language"),
    ("s # comment", 2, "the character '#' is not in the language"),
    ("s + \0", 4, r"the character '\x00' is not in the language"),
    ("s + é", 4, "the character 'é' (U+00E9) is not in the language"),
    ("ｓ", 0, "the character 'ｓ' (U+FF53) is not in the language"),
    ("s + \N{MATHEMATICAL BOLD SMALL X}", 4, "is not in the language"),
    ("s\\", 1, "is not in the language"),
    ("-" * 95 + "s", MOST_NESTING + 1, "nested more than 60 deep"),
]


def column(error: LanguageError) -> int:
    """Where the caret stands under the text that the message shows."""
    *_, caret = str(error).split("\n")
    assert caret.strip() == "^"
    return len(caret) - 1 - 4


@pytest.mark.parametrize(
    ("text", "at", "words"), REFUSALS, ids=[ascii(t)[:40] for t, *_ in REFUSALS]
)
def test_everything_else_is_refused_with_a_caret(text: str, at: int, words: str) -> None:
    with pytest.raises(LanguageError) as caught:
        parse_expression(text, SCOPE)
    assert words in str(caught.value)
    assert column(caught.value) == at


MOST_CALLS = 1_500_000  # the longest of these texts takes a quarter of it
ENDLESS = [
    "(" * 10_000 + "1" + ")" * 10_000,
    "[" * 190 + "]" * 190,
    "-" * 5_000 + "s",
    "not " * 500 + "s",
    "s if s else " * 300 + "s",
    "lambda: " * 300 + "s",
    "s" + ".real" * 900,
    "s" + "(s)" * 900,
    "+".join(["s"] * 5_000),
    "9**" * 40 + "9",
    "s**" * 50 + "2",
    "exp(" * 50 + "9" + ")" * 50 + "**0.5",
    "1" * 10_000,
    "exp(exp(exp(15)))**0.5",
    "2**(2**(pi**99))",
    "(exp(1000)" + "**1000)" * 1 + "**0.5",
    "1e999" + "**2" * 30,
]


@pytest.mark.parametrize("text", ENDLESS, ids=[text[:12] for text in ENDLESS])
def test_no_text_hangs_or_breaks_the_parser(text: str) -> None:
    def read() -> None:
        with contextlib.suppress(LanguageError):
            parse_expression(text, SCOPE)

    assert calls(read) < MOST_CALLS


TOKENS = [
    *"snhkwxr0123456789.+-*/()[],<>= '_:;#@!~^%&|\\\"{}",
    *("**", "sum(", "max(h,", "w[h]", "x[n,h]", "exp(", "where(", "log(", "1e9", "softmax(h,"),
    *("<=", "lambda ", " if ", " else ", "__", "\0", "\n", "é", "Σ", "sqrt(", "mean(k,", "(-1)"),
]


def check_any(text: str) -> None:
    try:
        result = parse_expression(text, SCOPE)
    except LanguageError as error:
        shown = str(error).split("\n")[-2]
        assert 0 <= column(error) <= max(len(shown) - 4, 1)
    else:
        assert not result.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I)


@relaxed(400)
@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join))
def test_any_tokens_are_read_or_refused(text: str) -> None:
    assert calls(lambda: check_any(text)) < MOST_CALLS


@relaxed(200)
@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert calls(lambda: check_any(text)) < MOST_CALLS


@relaxed(200)
@given(st.lists(st.sampled_from([*TOKENS, "y[n] = ", "e = ", "=", "\n"]), max_size=14).map("".join))
def test_any_equations_are_read_or_refused(text: str) -> None:
    def read() -> None:
        with contextlib.suppress(LanguageError):
            parse_equations(text, QUANTITIES, LETTERS, hidden)

    assert calls(read) < MOST_CALLS


def hidden(name: str, axes: tuple) -> Quantity:
    return Quantity(name, name, axes, Role.HIDDEN)


def test_equations_define_quantities_in_order() -> None:
    text = "a[n] = sum(h, x[n,h]); b = sum(n, a[n])\n c[j] = w[j]*b"
    first, second, third = parse_equations(text, QUANTITIES, {"n": LETTERS["n"]}, hidden)
    assert [e.quantity.name for e in (first, second, third)] == ["a", "b", "c"]
    assert first.quantity.axes == (LETTERS["n"],)
    assert second.indices == ()
    assert third.quantity.axes == (LETTERS["h"],)  # read off w[j]
    assert third.rhs == Element("w", third.indices[0]) * Element("b")


def test_bound_letters_step_aside_for_those_of_the_left_side() -> None:
    (equation,) = parse_equations("a[h] = softmax(h, w[h])", QUANTITIES, LETTERS, hidden)
    (total,) = equation.rhs.atoms(Total)
    assert total.index.name != "h"


BAD_EQUATIONS: list[tuple[str, str]] = [
    ("a", "an equation is written like"),
    ("a = ", "an equation is written like"),
    ("= s", "an equation is written like"),
    ("1 = s", "an equation is written like"),
    ("a == s", "an equation is written like"),
    ("é[n] = s", "an equation is written like"),
    ("a[n,] = s", "is no index letter"),
    ("a[2] = s", "there is no equation of 'a'"),
    ("a[n+1] = s", "'n+1' is no index letter"),
    ("a[j] = s", "the size of the index 'j' is unknown"),
    ("a[n,n] = s", "repeats an index"),
    ("a[n] = w[n]", "runs over 2 values but meets an axis of 'w' with 3"),
    ("a[n] = w[j]*s", "is not bound"),
    ("s = 2", "'s' is defined twice"),
    ("a = w[s]", "is not made of index letters and integers"),
    ("a[n] = w[n/2]", "is not made of index letters and integers"),
    ("a[n] = w[w[n + 0]]", "is not made of index letters and integers"),
    ("a[n] = w[sum(h, h)]", "is not made of index letters and integers"),
    ("a = a + 1", "'a' depends on itself"),
    ("a = s + 'x'", "not in the language"),
    ("b = s; a = lambda: s", "not in the language"),
]


@pytest.mark.parametrize(("text", "words"), BAD_EQUATIONS)
def test_equations_that_are_refused(text: str, words: str) -> None:
    with pytest.raises(LanguageError) as caught:
        parse_equations(text, QUANTITIES, LETTERS, hidden)
    assert words in str(caught.value)


def test_a_function_is_applied_to_expressions() -> None:
    assert parse_function("f(x) = x*tanh(x)", 1)(S) == S * sympy.tanh(S)
    assert parse_function(" loss(y, t) = (y - t)**2 ", 2)(S, R) == (S - R) ** 2
    assert parse_function("f(a, b) = b", 2)(S, R) == R
    assert parse_function("f(x) = x +\n  1", 1)(S) == S + 1


BAD_FUNCTIONS: list[tuple[str, int, str]] = [
    ("x*2", 1, "a function is written like"),
    ("f(x) == x", 1, "a function is written like"),
    ("f(x, y) = x", 1, "this needs 1 different variables"),
    ("f(x, x) = x", 2, "this needs 2 different variables"),
    ("f() = 1", 1, "cannot be a variable"),
    ("f(exp) = 1", 1, "'exp' cannot be a variable"),
    ("f(pi) = 1", 1, "'pi' cannot be a variable"),
    ("f(x) = y", 1, "'y' is unknown; known: pi, x"),
    ("f(x) = x.real", 1, "not in the language"),
    ("f(x) = sinn(x)", 1, "did you mean 'sin'?"),
    ("f(x) =", 1, "a function is written like"),
]


@pytest.mark.parametrize(("text", "arity", "words"), BAD_FUNCTIONS)
def test_functions_that_are_refused(text: str, arity: int, words: str) -> None:
    with pytest.raises(LanguageError) as caught:
        parse_function(text, arity)
    assert words in str(caught.value)
