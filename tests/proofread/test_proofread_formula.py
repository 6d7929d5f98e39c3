"""The formula parser: names, grammar, refusals, and a round trip of random expressions."""

import contextlib
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.proofread import FormulaError, parse_formula, symbol_name


@pytest.mark.parametrize(
    ("tex", "name"),
    [
        ("net_{h1}", "net_h1"),
        (r"\mathrm{net}_{h1}", "net_h1"),
        (r"\text{net}_{\mathrm{h1}}", "net_h1"),
        ("w5", "w5"),
        ("w_5", "w_5"),
        ("w5^+", "w5+"),
        ("w_5^{+}", "w_5+"),
        ("w^{+}_5", "w_5+"),
        ("W^{(2)}_{h, i}", "W^(2)_h,i"),
        ("a_{2}^{(l)}", "a^(l)_2"),
        (r"w^{\mathrm{new}}", "w^new"),
        ("h_{t-1}", "h_t-1"),
        ("f'", "f'"),
        (r"\theta^*", "theta*"),
        (r"\hat{y}_1", "hat(y)_1"),
        (r"\mathcal{L}", "cal(L)"),
        (r"\Delta w_1", "Δw_1"),
        (r"\delta_{o1}", "delta_o1"),
        (r"\mathrm{net}_{a\_b}", "net_a_b"),
        (r"\mathrm{net}_{h1}^{(2)+}", "net^(2)_h1+"),
        ("W_{0,1}^{(1)[2]}", "W^(1)[2]_0,1"),
        (r"\beta^{(out)[12]}", "beta^(out)[12]"),
        (r"\frac{\partial E_{total}}{\partial w_5}", "∂E_total/∂w_5"),
        (r"\dfrac{\partial \mathrm{net}_{o1}}{\partial w5^+}", "∂net_o1/∂w5+"),
        (r"\partial E/\partial w", "∂E/∂w"),
        (r"\frac{dy}{dx}", "dy/dx"),
        (r"\frac{\mathrm{d}y}{\mathrm{d}x}", "dy/dx"),
        (r"\frac{d out_{h1}}{d net_{h1}}", "dout_h1/dnet_h1"),
    ],
)
def test_symbol_name(tex: str, name: str) -> None:
    assert symbol_name(tex) == name


@pytest.mark.parametrize(
    ("tex", "value"),
    [
        ("0.5943(1 - 0.5943)", Fraction(24110751, 10**8)),
        (r"0.05\cdot 0.15 + 0.1\cdot 0.2", Fraction(11, 400)),
        (r"-0.3714\times 0.2359", Fraction(-3714 * 2359, 10**8)),
        (r"0.45 - 0.5\cdot(-0.04441)", Fraction(94441, 200000)),
        (r"\left [ 0.5 + (-0.25)\times 2 \right ]\times 3", Fraction(0)),
        (r"\bigl( 1 - 2 \bigr) 3^{2}".replace(" 3", r"\cdot 3"), Fraction(-9)),
        (r"\tfrac12 (3 - 1)^2", Fraction(2)),
        (r"1.2\times 10^{-5}", Fraction(12, 10**6)),
        (r"10\,000.5", Fraction(20001, 2)),
        ("0{,}5", Fraction(1, 2)),
        (r"\max(0, -2) + |{-3}|", Fraction(3)),
        (r"\sqrt{0.25}", Fraction(1, 2)),
        ("-2^2", Fraction(-4)),
        (r"\boxed{\mathbf{0.5}}", Fraction(1, 2)),
        ("6/2/3", Fraction(1)),
        ("1e-3", Fraction(1, 1000)),
    ],
)
def test_exact_number(tex: str, value: Fraction) -> None:
    parsed = sympy.simplify(parse_formula(tex))
    assert parsed == sympy.Rational(value.numerator, value.denominator)


def _s(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        ("2xy", 2 * _s("xy")),
        ("2x y", 2 * _s("x") * _s("y")),
        (r"\alpha\frac{\partial E}{\partial w_5}", _s("alpha") * _s("∂E/∂w_5")),
        (r"\frac{1}{1+e^{-net_{h1}}}", 1 / (1 + sympy.exp(-_s("net_h1")))),
        (r"\sigma(x)", 1 / (1 + sympy.exp(-_s("x")))),
        (r"\sigma^2 + 1", _s("sigma") ** 2 + 1),
        ("out_{o1}(1 - out_{o1})", _s("out_o1") * (1 - _s("out_o1"))),
        ("(a^{(1)}_2)^2", _s("a^(1)_2") ** 2),
        ("x_1^2", _s("x_1") ** 2),
        ("x^2_1", _s("x_1") ** 2),
        (r"\tanh^2(x)", sympy.tanh(_s("x")) ** 2),
        (r"-y_1\ln p_1", -_s("y_1") * sympy.log(_s("p_1"))),
        (r"\exp\left(-x\right)", sympy.exp(-_s("x"))),
        (r"2|x - 1|", 2 * sympy.Abs(_s("x") - 1)),
        (r"\operatorname{softplus}(x)", sympy.log(1 + sympy.exp(_s("x")))),
    ],
)
def test_expression(tex: str, expected: sympy.Expr) -> None:
    assert sympy.simplify(parse_formula(tex) - expected) == 0


def test_sum_is_opaque() -> None:
    parsed = parse_formula(r"\sum_{k=1}^{3} w_k x_k + b")
    assert parsed.atoms(sympy.core.function.AppliedUndef)


@pytest.mark.parametrize(
    "tex",
    [
        "", "{", "}", "(1", "1)", "(1]", "a +", r"\frac{1}", r"\foo", "x 2", "0.5 0.3", "1/2x",
        r"\ln 2x", "x^", "x^2^3", "x_1_2", "x_12", "x^{(1)2}", r"\partial", "|x", "#",
        r"\frac{\partial}{\partial x}", r"\frac{\partial E}{x}",
        r"\max a", r"\tanh^{-1}(x)", "9^{9^{9^{9}}}", "1" * 500, "a = b", "{}", "'", r"\left",
    ],
)  # fmt: skip
def test_refused(tex: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(tex)


@pytest.mark.parametrize("opening", ["(", "{", "|", "[", r"\sqrt{", r"\ln ", r"\sum ", r"\Delta"])
def test_deep_nesting_is_refused(opening: str) -> None:
    with pytest.raises(FormulaError):
        parse_formula(opening * 10_000 + "x")


def test_deep_balanced_nesting_is_refused() -> None:
    with pytest.raises(FormulaError, match="nested"):
        parse_formula("(" * 10_000 + "x" + ")" * 10_000)


def test_error_has_position() -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(r"1 + \foo")
    assert caught.value.position == 4


_NUMBERS = st.integers(0, 99999).map(lambda n: ("number", f"{n // 1000}.{n % 1000:03d}"))
_TREES = st.recursive(
    _NUMBERS,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", r"\cdot ", r"\times ", ""]), inner, inner),
        st.tuples(st.just("negate"), inner),
        st.tuples(st.just("square"), inner),
        st.tuples(st.just("half"), inner),
    ),
    max_leaves=12,
)


def _print(tree: tuple) -> str:  # type: ignore[type-arg]
    match tree:
        case ("number", text):
            return str(text)
        case ("negate", inner):
            return f"(-{_print(inner)})"
        case ("square", inner):
            return rf"\left({_print(inner)}\right)^{{2}}"
        case ("half", inner):
            return rf"\frac{{{_print(inner)}}}{{2}}"
        case ("+" | "-" as sign, left, right):
            return f"({_print(left)} {sign} {_print(right)})"
        case (sign, left, right):
            return f"({_print(left)}){sign}[{_print(right)}]"
    raise AssertionError(tree)


def _evaluate(tree: tuple) -> Fraction:  # type: ignore[type-arg]
    match tree:
        case ("number", text):
            return Fraction(text)
        case ("negate", inner):
            return -_evaluate(inner)
        case ("square", inner):
            return _evaluate(inner) ** 2
        case ("half", inner):
            return _evaluate(inner) / 2
        case ("+", left, right):
            return _evaluate(left) + _evaluate(right)
        case ("-", left, right):
            return _evaluate(left) - _evaluate(right)
        case (_, left, right):
            return _evaluate(left) * _evaluate(right)
    raise AssertionError(tree)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(_TREES)
def test_round_trip(tree: tuple) -> None:  # type: ignore[type-arg]
    try:
        parsed = parse_formula(_print(tree))
    except FormulaError as error:
        assert "nested" in str(error) or "too large" in str(error)
        return
    value = _evaluate(tree)
    assert parsed == sympy.Rational(value.numerator, value.denominator)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet=r"\{}()[]^_|+-*/=.,'&$ 1e2xdw", max_size=40))
def test_hostile_text_never_crashes(text: str) -> None:
    with contextlib.suppress(FormulaError):
        parse_formula(text)
