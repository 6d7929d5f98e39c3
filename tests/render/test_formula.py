"""Formulas: exact TeX and plain text, and that both mean what the expression means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mpmath import mp
from sympy import Rational, cos, erf, exp, log, pi, sin, sqrt, tanh

from derive.expression import Axis, Element, Index, LogTotalExp, Total
from derive.functions import (
    absolute,
    angle,
    at_least,
    digamma,
    floored,
    greater,
    log_gamma,
    logistic,
    maximum,
    minimum,
    polygamma,
    sign,
    softplus,
    where,
)
from derive.notation import Name
from derive.numbers import MOST_DIGITS, evaluate, literal, real
from derive.proofread import parse_formula, symbol_name
from derive.render.formula import Writer
from derive.render.pieces import (
    PLAIN,
    TEX,
    Piece,
    Script,
    Tightness,
    bracket,
    join_product,
    join_sum,
    number_piece,
    width,
)

A, B, C, D, F = LETTERS = sympy.symbols("a b c d f", real=True)
NAMES = {
    A: Name("a", "a", "a"),
    B: Name("w5", "w_5^{+}", "w5"),
    C: Name("out_h1", r"\mathrm{out}_{h1}", "out_h1"),
    D: Name("dE_dx", r"\frac{\partial E}{\partial x}", "dE/dx", r"\partial E/\partial x"),
    F: Name("net2_h1_1", r"\mathrm{net}_{1,h1}^{(2)}", "net2_h1_1"),
}
VALUES = {A: "-0.5", B: "0.3", C: "2", D: "-0.04", F: "-1/3"}
DIGITS = 60


def writer(script: Script = TEX, numbers: dict[sympy.Symbol, str] | None = None) -> Writer:
    """A writer of names, or of numbers."""

    def leaf(key: sympy.Expr) -> Piece:
        if numbers is not None:
            return number_piece(numbers[key], script)
        name = NAMES[key]
        return Piece(script.name(name), Tightness.PRODUCT if name.flat else Tightness.ATOM)

    return Writer(leaf, lambda key: (0, LETTERS.index(key)), script)


TABLE = [
    # sums: positive before negative, then in the order of the names
    (A + B, "a + w_5^{+}", "-0.5 + 0.3", "a + w5"),
    (A - B, "a - w_5^{+}", "-0.5 - 0.3", "a - w5"),
    (B - A, "w_5^{+} - a", "0.3 - (-0.5)", "w5 - a"),
    (-A - B, "-a - w_5^{+}", "-(-0.5) - 0.3", "-a - w5"),
    (B + D, r"w_5^{+} + \frac{\partial E}{\partial x}", "0.3 + (-0.04)", "w5 + dE/dx"),
    (A + 1, "1 + a", "1 + (-0.5)", "1 + a"),
    (1 - A**2, "1 - a^{2}", "1 - (-0.5)^{2}", "1 - a^2"),
    (C + F, r"\mathrm{out}_{h1} + \mathrm{net}_{1,h1}^{(2)}",
     r"2 + \left(-\frac{1}{3}\right)", "out_h1 + net2_h1_1"),
    # a common fraction is taken out of plain summands, and only out of those
    ((A - B) / 2, r"\frac{1}{2}(a - w_5^{+})", r"\frac{1}{2}(-0.5 - 0.3)", "1/2·(a - w5)"),
    (A + Rational(1, 3), r"\frac{1}{3} + a", r"\frac{1}{3} + (-0.5)", "1/3 + a"),
    (A - B / 2, r"a - \frac{1}{2}\cdot w_5^{+}", r"-0.5 - \frac{1}{2}\cdot 0.3", "a - 1/2·w5"),
    # products
    (A * B, r"a\cdot w_5^{+}", r"(-0.5)\cdot 0.3", "a·w5"),
    (-A * B, r"-a\cdot w_5^{+}", r"-(-0.5)\cdot 0.3", "-a·w5"),
    (B * D, r"w_5^{+}\,\frac{\partial E}{\partial x}", r"0.3\cdot (-0.04)", "w5·dE/dx"),
    (B - C * D, r"w_5^{+} - \mathrm{out}_{h1}\,\frac{\partial E}{\partial x}",
     r"0.3 - 2\cdot (-0.04)", "w5 - out_h1·dE/dx"),
    (2 * A, r"2\cdot a", r"2\cdot (-0.5)", "2·a"),
    (-2 * A, r"-2\cdot a", r"-2\cdot (-0.5)", "-2·a"),
    (A / 2, r"\frac{1}{2}\cdot a", r"\frac{1}{2}\cdot (-0.5)", "1/2·a"),
    (B * F, r"w_5^{+}\cdot \mathrm{net}_{1,h1}^{(2)}",
     r"0.3\cdot \left(-\frac{1}{3}\right)", "w5·net2_h1_1"),
    (pi * A, r"\pi\cdot a", r"\pi\cdot (-0.5)", "pi·a"),
    (C * (1 - C), r"\mathrm{out}_{h1}(1 - \mathrm{out}_{h1})", "2(1 - 2)", "out_h1·(1 - out_h1)"),
    (B * (A - 1), "w_5^{+}(a - 1)", r"0.3\cdot (-0.5 - 1)", "w5·(a - 1)"),
    ((1 - A) * (1 - B), "(1 - a)(1 - w_5^{+})", "(1 - (-0.5))(1 - 0.3)", "(1 - a)·(1 - w5)"),
    ((1 - A) * log(B), r"(1 - a)\,\ln(w_5^{+})", r"(1 - (-0.5))\,\ln(0.3)", "(1 - a)·ln(w5)"),
    (-A * (B - D), r"-a\left(w_5^{+} - \frac{\partial E}{\partial x}\right)",
     "-(-0.5)(0.3 - (-0.04))", "-a·(w5 - dE/dx)"),
    # fractions
    (A / B, r"\frac{a}{w_5^{+}}", r"\frac{-0.5}{0.3}", "a/w5"),
    (A / (B * C), r"\frac{a}{w_5^{+}\cdot \mathrm{out}_{h1}}", r"\frac{-0.5}{0.3\cdot 2}",
     "a/(w5·out_h1)"),
    (1 / D, r"\frac{1}{\frac{\partial E}{\partial x}}", r"\frac{1}{-0.04}", "1/(dE/dx)"),
    (-2 / A, r"-\frac{2}{a}", r"-\frac{2}{-0.5}", "-2/a"),
    (A / (2 * B), r"\frac{a}{2\cdot w_5^{+}}", r"\frac{-0.5}{2\cdot 0.3}", "a/(2·w5)"),
    ((A + B) / (1 - C), r"\frac{a + w_5^{+}}{1 - \mathrm{out}_{h1}}", r"\frac{-0.5 + 0.3}{1 - 2}",
     "(a + w5)/(1 - out_h1)"),
    # powers
    (A**2, "a^{2}", "(-0.5)^{2}", "a^2"),
    (B**2, "(w_5^{+})^{2}", "0.3^{2}", "w5^2"),
    (C**2, r"\mathrm{out}_{h1}^{2}", "2^{2}", "out_h1^2"),
    (F**2, r"(\mathrm{net}_{1,h1}^{(2)})^{2}", r"\left(-\frac{1}{3}\right)^{2}", "net2_h1_1^2"),
    (D**2, r"\left(\frac{\partial E}{\partial x}\right)^{2}", "(-0.04)^{2}", "(dE/dx)^2"),
    (A**-2, r"\frac{1}{a^{2}}", r"\frac{1}{(-0.5)^{2}}", "1/a^2"),
    (B**2 * C**2, r"(w_5^{+})^{2}\,\mathrm{out}_{h1}^{2}", r"0.3^{2}\cdot 2^{2}", "w5^2·out_h1^2"),
    (B**2 / 2, r"\frac{1}{2}(w_5^{+})^{2}", r"\frac{1}{2}\cdot 0.3^{2}", "1/2·w5^2"),
    ((A * B) ** C, r"(a\cdot w_5^{+})^{\mathrm{out}_{h1}}", r"((-0.5)\cdot 0.3)^{2}",
     "(a·w5)^out_h1"),
    (C ** (A * B), r"\mathrm{out}_{h1}^{a\cdot w_5^{+}}", r"2^{(-0.5)\cdot 0.3}", "out_h1^(a·w5)"),
    (sqrt(A), r"\sqrt{a}", r"\sqrt{-0.5}", "sqrt(a)"),
    (1 / sqrt(C), r"\frac{1}{\sqrt{\mathrm{out}_{h1}}}", r"\frac{1}{\sqrt{2}}", "1/sqrt(out_h1)"),
    (C ** Rational(3, 2), r"\mathrm{out}_{h1}^{\frac{3}{2}}", r"2^{\frac{3}{2}}", "out_h1^(3/2)"),
    # functions
    (exp(A), "e^{a}", "e^{-0.5}", "e^a"),
    (exp(-A), "e^{-a}", "e^{-(-0.5)}", "e^(-a)"),
    (exp(1) * A, r"e^{1}\cdot a", r"e^{1}\cdot (-0.5)", "e^1·a"),
    (exp(A) * exp(-B), r"e^{a}\,e^{-w_5^{+}}", r"e^{-0.5}\,e^{-0.3}", "e^a·e^(-w5)"),
    (exp(A) * (1 - B), r"(1 - w_5^{+})\,e^{a}", r"(1 - 0.3)\,e^{-0.5}", "(1 - w5)·e^a"),
    (logistic(A), r"\frac{1}{1 + e^{-a}}", r"\frac{1}{1 + e^{-(-0.5)}}", "1/(1 + e^(-a))"),
    (logistic(-A), r"\frac{1}{1 + e^{-(-a)}}", r"\frac{1}{1 + e^{-(-(-0.5))}}",
     "1/(1 + e^(-(-a)))"),
    (logistic(A + B), r"\frac{1}{1 + e^{-(a + w_5^{+})}}", r"\frac{1}{1 + e^{-(-0.5 + 0.3)}}",
     "1/(1 + e^(-(a + w5)))"),
    (logistic(C) ** 2, r"\left(\frac{1}{1 + e^{-\mathrm{out}_{h1}}}\right)^{2}",
     r"\left(\frac{1}{1 + e^{-2}}\right)^{2}", "(1/(1 + e^(-out_h1)))^2"),
    (softplus(A), r"\ln(1 + e^{a})", r"\ln(1 + e^{-0.5})", "ln(1 + e^a)"),
    (A * tanh(B), r"a\,\tanh(w_5^{+})", r"(-0.5)\cdot \tanh(0.3)", "a·tanh(w5)"),
    (1 - tanh(A) ** 2, r"1 - (\tanh(a))^{2}", r"1 - (\tanh(-0.5))^{2}", "1 - (tanh(a))^2"),
    (log(A / B), r"\ln\left(\frac{a}{w_5^{+}}\right)", r"\ln\left(\frac{-0.5}{0.3}\right)",
     "ln(a/w5)"),
    (log(B) * log(C), r"\ln(w_5^{+})\,\ln(\mathrm{out}_{h1})", r"\ln(0.3)\,\ln(2)",
     "ln(w5)·ln(out_h1)"),
    (sin(A) + cos(B), r"\sin(a) + \cos(w_5^{+})", r"\sin(-0.5) + \cos(0.3)", "sin(a) + cos(w5)"),
    (erf(A), r"\operatorname{erf}(a)", r"\operatorname{erf}(-0.5)", "erf(a)"),
    (maximum(A, 0), r"\max(a, 0)", r"\max(-0.5, 0)", "max(a, 0)"),
    (minimum(B, A), r"\min(w_5^{+}, a)", r"\min(0.3, -0.5)", "min(w5, a)"),
    (absolute(A), r"\left\lvert a\right\rvert", r"\left\lvert -0.5\right\rvert", "|a|"),
    (floored(A), r"\left\lfloor a\right\rfloor", r"\left\lfloor -0.5\right\rfloor", "floor(a)"),
    (angle(A, B), r"\operatorname{atan2}(a, w_5^{+})", r"\operatorname{atan2}(-0.5, 0.3)",
     "atan2(a, w5)"),
    (log_gamma(B), r"\operatorname{lgamma}(w_5^{+})", r"\operatorname{lgamma}(0.3)", "lgamma(w5)"),
    (digamma(B), r"\operatorname{digamma}(w_5^{+})", r"\operatorname{digamma}(0.3)",
     "digamma(w5)"),
    (polygamma(1, B), r"\operatorname{polygamma}(1, w_5^{+})",
     r"\operatorname{polygamma}(1, 0.3)", "polygamma(1, w5)"),
    (sign(A), r"\operatorname{sgn}(a)", r"\operatorname{sgn}(-0.5)", "sgn(a)"),
    (greater(A, 0), r"\operatorname{H}(a)", r"\operatorname{H}(-0.5)", "H(a)"),
    (greater(0, A), r"\operatorname{H}(-a)", r"\operatorname{H}(-(-0.5))", "H(-a)"),
    (greater(B, A), r"\operatorname{H}(w_5^{+} - a)", r"\operatorname{H}(0.3 - (-0.5))",
     "H(w5 - a)"),
    (at_least(A, B), r"1 - \operatorname{H}(w_5^{+} - a)", r"1 - \operatorname{H}(0.3 - (-0.5))",
     "1 - H(w5 - a)"),
    (where(greater(A, 0), A, 0), r"a\,\operatorname{H}(a)",
     r"(-0.5)\cdot \operatorname{H}(-0.5)", "a·H(a)"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "tex", "numbers", "plain"), TABLE, ids=lambda case: str(case))
def test_exact_text(expr: sympy.Expr, tex: str, numbers: str, plain: str) -> None:
    assert writer().tex(expr) == tex
    assert writer(TEX, VALUES).tex(expr) == numbers
    assert writer(PLAIN).tex(expr) == plain


# --- sums over an index, with letters for indices -------------------------------------------------

I, K = Index("i", Axis("in", sympy.Integer(3))), Index("k", Axis("out", sympy.Integer(2)))
X, W, T, BIAS = Element("x", I), Element("W", K, I), Element("t", K), Element("b", K)
SERIES = [
    (Total(W * X, I) + BIAS, r"\sum_{i} x\cdot W + b", "sum over i of x·W + b"),
    (BIAS - Total(X, I), r"b - \sum_{i} x", "b - sum over i of x"),
    (-Total(X, I), r"-\sum_{i} x", "-sum over i of x"),
    (Total(X, I) / 2, r"\frac{1}{2}\sum_{i} x", "1/2·sum over i of x"),
    (T * (1 - T) * Total(W * X, I), r"t(1 - t)\sum_{i} x\cdot W", "t·(1 - t)·sum over i of x·W"),
    (Total(X + T, I), r"\sum_{i} (t + x)", "sum over i of (t + x)"),
    (Total(Total(W, I), K), r"\sum_{k} \sum_{i} W", "sum over k of sum over i of W"),
    (Total(-Total(W, I), K), r"\sum_{k} \left(-\sum_{i} W\right)",
     "sum over k of (-sum over i of W)"),
    (Total(X, I) ** 2, r"\left(\sum_{i} x\right)^{2}", "(sum over i of x)^2"),
    (Total(X, I) * Total(T, K), r"\left(\sum_{k} t\right)\sum_{i} x",
     "(sum over k of t)·sum over i of x"),
    (exp(T) / Total(exp(X), I), r"\frac{e^{t}}{\sum_{i} e^{x}}", "e^t/(sum over i of e^x)"),
    (LogTotalExp(X, I), r"\ln\left(\sum_{i} e^{x}\right)", "ln(sum over i of e^x)"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "tex", "plain"), SERIES, ids=lambda case: str(case))
def test_sums_over_an_index(expr: sympy.Expr, tex: str, plain: str) -> None:
    places = {"t": 0, "x": 1, "W": 2, "b": 3}

    def letters(script: Script) -> Writer:
        return Writer(lambda e: Piece(e.name, Tightness.ATOM), lambda e: (places[e.name],), script)

    assert letters(TEX).tex(expr) == tex
    assert letters(PLAIN).tex(expr).replace(r"\left", "").replace(r"\right", "") == plain


# --- meaning --------------------------------------------------------------------------------------

DECIMALS = st.integers(-250, 250).map(lambda n: Fraction(n, 100))
ROUND = st.sampled_from([Fraction(n, d) for n in (-3, -1, 1, 2) for d in (1, 3)])
CONSTANTS = st.sampled_from([sympy.Integer(n) for n in (-2, -1, 1, 2, 3)] + [Rational(1, 2), pi])


def above(children: st.SearchStrategy[sympy.Expr]) -> st.SearchStrategy[sympy.Expr]:
    pairs, triples = st.tuples(children, children), st.tuples(children, children, children)
    return st.one_of(
        triples.map(lambda t: sympy.Add(*t)),
        triples.map(lambda t: sympy.Mul(*t)),
        pairs.map(lambda t: t[0] - t[1]),
        pairs.map(lambda t: t[0] / t[1] if t[1] != 0 else t[0]),
        st.tuples(children, st.sampled_from([2, 3, -1, -2, Rational(1, 2), Rational(-3, 2)])).map(
            lambda t: t[0] ** t[1] if t[0] != 0 else t[0]
        ),
        st.sampled_from(LETTERS).map(lambda x: sympy.Integer(2) ** x),
        st.tuples(
            st.sampled_from([exp, tanh, sin, logistic, softplus, absolute, sign, erf]), children
        ).map(lambda t: t[0](t[1])),
        children.map(lambda x: log(1 + x**2)),
        st.tuples(st.sampled_from([maximum, minimum, greater, at_least]), children, children).map(
            lambda t: t[0](t[1], t[2])
        ),
        triples.map(lambda t: where(greater(t[0], t[1]), t[1], t[2])),
    )


LEAVES = st.one_of(st.sampled_from(LETTERS), CONSTANTS)
EXPRESSIONS = above(st.recursive(LEAVES, above, max_leaves=8))
NUMBERS = st.fixed_dictionaries({letter: st.one_of(DECIMALS, ROUND) for letter in LETTERS})
SETTINGS = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def truth(expr: sympy.Expr, values: dict[sympy.Symbol, Fraction]) -> Any:
    """The value of an expression, where it and all its parts are real and of moderate size."""
    assume(not expr.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I, sympy.Abs, sympy.Piecewise))
    value = None
    with mp.workdps(MOST_DIGITS):
        for part in sympy.postorder_traversal(expr):
            try:
                value = real(evaluate(part, lambda key: values[key]))
            except (ZeroDivisionError, OverflowError, ValueError, TypeError):
                assume(False)
            assume(mp.im(value) == 0 and mp.isfinite(value) and abs(value) < 200)
    return value


def agree(found: Any, expected: Any) -> bool:
    return abs(found - expected) <= 1e-25 * max(1, abs(expected))


SYMBOLS: dict[type[sympy.Basic], Callable[..., Any]] = {
    sympy.Add: lambda *terms: mp.fsum(terms),
    sympy.Mul: lambda *factors: mp.fprod(factors),
    sympy.Pow: lambda base, exponent: base**exponent,
    sympy.Max: max,
    sympy.Min: min,
    sympy.Abs: abs,
    sympy.Heaviside: lambda x, at_zero: mp.mpf(x > 0) if x != 0 else at_zero,
    sympy.atan2: mp.atan2,
    sympy.loggamma: mp.loggamma,
    sympy.polygamma: lambda n, x: mp.polygamma(int(n), x),
    **{f: getattr(mp, f.__name__) for f in (exp, log, tanh, sin, erf, sympy.sign)},
}


def read(tex: str, values: Mapping[str, Any]) -> Any:
    """The value of a formula as the proof-reader understands it; numbers stay symbols for it."""
    parsed = parse_formula(tex, lambda text: sympy.Symbol(text, real=True))

    def value(expr: sympy.Expr) -> Any:
        if isinstance(expr, sympy.Symbol):
            name = str(expr)
            return values[name] if name in values else mp.mpf(name)
        if isinstance(expr, sympy.Rational):
            return mp.mpf(int(expr.p)) / int(expr.q)
        return SYMBOLS[expr.func](*map(value, expr.args))

    with mp.workdps(DIGITS):
        return value(parsed)


@pytest.mark.slow
@SETTINGS
@given(EXPRESSIONS, NUMBERS)
def test_formula_substitution_and_plain_text_mean_the_same(
    expr: sympy.Expr, values: dict[sympy.Symbol, Fraction]
) -> None:
    expected = truth(expr, values)
    written = {key: literal(value) for key, value in values.items()}
    formula, numbers = writer().tex(expr), writer(TEX, written).tex(expr)
    with mp.workdps(DIGITS):
        constants = {"pi": +mp.pi}
        known = {symbol_name(NAMES[key].tex): real(value) for key, value in values.items()}
    assert agree(read(formula, known | constants), expected), formula
    assert agree(read(numbers, constants), expected), numbers
    if any(inner.args[0].has(absolute) for inner in expr.atoms(absolute)):
        return  # bars within bars are read in no plain text
    named = writer(PLAIN).tex(expr)
    substituted = writer(PLAIN, written).tex(expr)
    assert agree(plain_value(named, values), expected), named
    assert agree(plain_value(substituted, {}), expected), substituted


def plain_value(text: str, values: dict[sympy.Symbol, Fraction]) -> Any:
    """What a mathematician reads in plain text: the precedence of Python, `^` for powers."""
    source = re.sub(r"\|([^|]*)\|", r"abs(\1)", text).replace("·", "*").replace("^", "**")
    source = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)", r"mpf('\1')", source)
    with mp.workdps(DIGITS):
        known = {NAMES[key].report: real(value) for key, value in values.items()}
        slope = known.pop("dE/dx", None)
        if slope is not None:
            known |= {"dE": slope * 7, "dx": mp.mpf(7)}
        functions = {
            "mpf": mp.mpf, "e": +mp.e, "pi": +mp.pi, "ln": mp.log, "sqrt": mp.sqrt,
            "tanh": mp.tanh, "sin": mp.sin, "erf": mp.erf, "sgn": mp.sign, "max": max, "min": min,
            "atan2": mp.atan2, "lgamma": mp.loggamma, "digamma": mp.digamma,
            "polygamma": lambda n, x: mp.polygamma(int(n), x),
            "floor": mp.floor, "abs": abs, "H": lambda x: mp.mpf(x > 0), "__builtins__": {},
        }  # fmt: skip
        return eval(source, functions | known)  # our own text


@SETTINGS
@given(EXPRESSIONS)
def test_braces_and_brackets_balance(expr: sympy.Expr) -> None:
    assume(not expr.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I, sympy.Abs))
    tex = writer().tex(expr)
    for opening, closing in ("{}", "()", (r"\left", r"\right")):
        assert tex.count(opening) == tex.count(closing), tex


# --- the pieces -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tex", "plain", "hold"),
    [
        ("0.5", "0.5", "0.5", Tightness.ATOM),
        ("-0.5", "-0.5", "-0.5", Tightness.SUM),
        ("0", "0", "0", Tightness.ATOM),
        ("1/3", r"\frac{1}{3}", "1/3", Tightness.PRODUCT),
        ("-2/7", r"-\frac{2}{7}", "-2/7", Tightness.SUM),
    ],
)
def test_numbers(text: str, tex: str, plain: str, hold: Tightness) -> None:
    assert number_piece(text) == Piece(tex, hold, number=True)
    assert number_piece(text, PLAIN).tex == plain


@pytest.mark.parametrize(
    ("texts", "chain"),
    [
        (["0.5", "0.2"], r"0.5 \times 0.2"),
        (["-0.5", "-0.2", "3"], r"(-0.5) \times (-0.2) \times 3"),
        (["0.5", "-1/3"], r"0.5 \times \left(-\frac{1}{3}\right)"),
        (["1/3", "1/3"], r"\frac{1}{3} \times \frac{1}{3}"),
        (["-0.5"], "(-0.5)"),
    ],
)
def test_chains_of_numbers_always_have_a_sign(texts: list[str], chain: str) -> None:
    assert join_product([number_piece(text) for text in texts], TEX.times) == chain


def test_signed_summands() -> None:
    assert join_sum([(True, "a"), (False, "b"), (True, "c")]) == "-a + b - c"
    assert join_sum([(False, "a")]) == "a"


@pytest.mark.parametrize(
    ("inside", "bracketed"),
    [
        ("a + b", "(a + b)"),
        (r"\frac{a}{b}", r"\left(\frac{a}{b}\right)"),
        (r"\sum_{i} x", r"\left(\sum_{i} x\right)"),
    ],
)
def test_brackets_grow_with_what_is_tall(inside: str, bracketed: str) -> None:
    assert bracket(inside) == bracketed


# --- width ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("", 0),
        ("0.5", 3),
        ("a + b", 3),
        (r"a\cdot b", 3),
        (r"\tanh(x)", 7),
        ("w_{12}^{+}", 4),
        (r"\frac{1}{2}", 2),
        (r"\frac{a + b}{2}", 4),
        (r"\frac{2}{a + b}", 4),
        (r"\frac{\frac{a}{bb}}{c}x", 5),
        (r"\ln(x)\,y", 7),
    ],
)
def test_width_of(tex: str, expected: int) -> None:
    assert width(tex) == expected


PIECES = st.sampled_from(
    ["0.5", "a", r"\frac{a + 0.123}{1 - b}", r"\mathrm{out}_{h1}", r"\ln(x)", r"e^{-0.5}", r"\,"]
)


@given(st.lists(PIECES, min_size=1, max_size=6), PIECES)
def test_more_to_write_is_never_narrower(parts: list[str], more: str) -> None:
    tex = " + ".join(parts)
    assert width(tex) == sum(map(width, parts)) + len(parts) - 1
    assert width(f"{tex} + {more}") > width(tex)


@given(PIECES, PIECES)
def test_a_fraction_is_as_wide_as_its_wider_part(above: str, below: str) -> None:
    wider = max(width(above), width(below))
    assert wider <= width(rf"\frac{{{above}}}{{{below}}}") < width(above) + width(below) + 2
