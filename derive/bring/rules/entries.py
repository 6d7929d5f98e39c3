"""Operations on each entry by itself: a row of the library, or a formula.

In a formula `a`, `b`, `c` stand for the entries of the operands, in their order in ATen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from derive.bring.operation import Argument, Ref, Unsayable
from derive.bring.writer import Rule, Use, number

OPERANDS = ("self", "other", "exponent", "min", "max", "value")
LIBRARY = {
    "relu": "relu",
    "sigmoid": "logistic",
    "tanh": "tanh",
    "silu": "silu",
    "mish": "mish",
    "selu": "selu",
    "hardsigmoid": "hard_sigmoid",
    "softsign": "softsign",
}
FORMULAS = {
    "exp": "exp(a)",
    "log": "log(a)",
    "log1p": "log1p(a)",
    "expm1": "expm1(a)",
    "sin": "sin(a)",
    "cos": "cos(a)",
    "sinh": "sinh(a)",
    "cosh": "cosh(a)",
    "atan": "atan(a)",
    "asin": "asin(a)",
    "acos": "acos(a)",
    "erf": "erf(a)",
    "sqrt": "sqrt(a)",
    "rsqrt": "1/sqrt(a)",
    "reciprocal": "1/a",
    "abs": "abs(a)",
    "neg": "-a",
    "sign": "sign(a)",
    "floor": "floor(a)",
    "ceil": "ceil(a)",
    "square": "a**2",
    "log_sigmoid": "-softplus(-a)",
    "logsigmoid": "-softplus(-a)",
    "tanhshrink": "a - tanh(a)",
    "relu6": "min(max(a, 0), 6)",
    "hardswish": "a*min(max(a + 3, 0), 6)/6",
    "mul": "a*b",
    "div": "a/b",
    "maximum": "max(a, b)",
    "minimum": "min(a, b)",
    "atan2": "atan2(a, b)",
    "eq": "where(a >= b, where(a <= b, 1, 0), 0)",
    "ne": "where(a >= b, where(a <= b, 0, 1), 1)",
    "lt": "where(a < b, 1, 0)",
    "le": "where(a <= b, 1, 0)",
    "gt": "where(a > b, 1, 0)",
    "ge": "where(a >= b, 1, 0)",
    "logical_not": "where(a > 0, 0, 1)",
    "bitwise_not": "1 - a",
    "logical_and": "a*b",
    "bitwise_and": "a*b",
    "logical_or": "max(a, b)",
    "bitwise_or": "max(a, b)",
}
UNCHANGED = (
    *("to", "_to_copy", "float", "double", "type_as"),
    *("clone", "contiguous", "alias", "lift_fresh_copy", "identity"),
)
SIMPLE = re.compile(r"[A-Za-z]\w*(\[[^\]]*\])?|\d+(\.\d+)?")
NEGATIVE = re.compile(r"(?<=, )\((-[\d.]+)\)(?=[,)])")  # needs no brackets among arguments
LEAST = "-1e30"  # stands for minus infinity, where the exponential is 0


def formula(use: Use, text: str, operands: Mapping[str, Argument]) -> None:
    """Let the result be a formula in the entries of operands."""
    letters = use.writer.letters(use.out().shape)
    entries = {name: _bracketed(use.entry(each, letters)) for name, each in operands.items()}
    written = re.sub(r"\b[a-e]\b(?!\()", lambda m: entries.get(m[0], m[0]), text)
    written = NEGATIVE.sub(r"\1", written)
    w, result = use.writer, use.operation.outputs[0]
    refs = [each.name for each in operands.values() if isinstance(each, Ref)]
    if refs and use.out().whole and all(w.values[name].whole for name in refs):
        w.readings[result] = lambda at: f"({_with(written, letters, at)})"
    else:
        use.equation(letters, written)


def _with(text: str, letters: list[str], at: object) -> str:
    other = dict(zip(letters, list(at), strict=True))  # type: ignore[call-overload]
    return re.sub(r"\b[A-Za-z]\w*\b(?!\[|\()", lambda m: other.get(m[0], m[0]), text)


def _bracketed(text: str) -> str:
    return text if SIMPLE.fullmatch(text) else f"({text})"


def _operands(use: Use) -> dict[str, Argument]:
    found = [use.get("self", use.get("input")), *(use.get(name) for name in OPERANDS[1:])]
    return dict(zip("abcde", [each for each in found if each is not None], strict=False))


def _of_formula(text: str) -> Rule:
    return lambda use: formula(use, text, _operands(use))


def _of_row(row: str) -> Rule:
    def rule(use: Use) -> None:
        use.layer(row, [use.quantity()])

    return rule


def _sum_of(sign: str) -> Rule:
    """`a + alpha*b`."""

    def rule(use: Use) -> None:
        alpha = use.number("alpha", 1)
        factor = "" if alpha == 1 else f"{number(alpha)}*"
        formula(use, f"a {sign} {factor}b", _operands(use))

    return rule


def _reversed_difference(use: Use) -> None:
    formula(use, "b - a", _operands(use))


def _power(use: Use) -> None:
    exponent = use.get("exponent")
    if not isinstance(exponent, int | float):
        raise Unsayable("its exponent is no fixed number")
    text = f"({number(exponent)})" if exponent < 0 else number(exponent)
    special = {0.5: "sqrt(a)", -0.5: "1/sqrt(a)", 1: "a"}
    formula(use, special.get(exponent, f"a**{text}"), {"a": Ref(use.ref())})


def _clamp(use: Use) -> None:
    text = "a"
    operands = {"a": use.get("self")}
    for name, letter, function in (("min", "b", "max"), ("max", "c", "min")):
        if use.given(name):
            text = f"{function}({text}, {letter})"
            operands[letter] = use.get(name)
    formula(use, text, operands)


def _gelu(use: Use) -> None:
    use.layer("gelu_tanh" if use.get("approximate") == "tanh" else "gelu", [use.quantity()])


def _elu(use: Use) -> None:
    if use.number("scale", 1) != 1 or use.number("input_scale", 1) != 1:
        raise Unsayable("it scales what it reads, or its result")
    use.layer("elu", [use.quantity()], settings=_if_not(use.number("alpha", 1), 1, "a"))


def _leaky(use: Use) -> None:
    slope = use.number("negative_slope", 0.01)
    use.layer("leaky_relu", [use.quantity()], settings=_if_not(slope, 0.01, "slope"))


def _if_not(value: float, usual: float, name: str) -> dict[str, float]:
    return {} if value == usual else {name: value}


def _prelu(use: Use) -> None:
    letters = use.writer.letters(use.out().shape)
    a, weights = _bracketed(use.entry(Ref(use.ref()), letters)), use.shape("weight")
    many = weights and weights[0] > 1
    slope = use.read("weight", [letters[1] if many else "0"] if weights else [])
    use.equation(letters, f"where({a} > 0, {a}, {slope}*{a})")


def _softplus(use: Use) -> None:
    """With beta; beyond its threshold PyTorch goes straight on, which is the same to 1e-9."""
    beta = use.number("beta", 1)
    if beta == 1:
        use.layer("softplus", [use.quantity()])
    else:
        formula(use, f"softplus({number(beta)}*a)/{number(beta)}", {"a": Ref(use.ref())})


def _hardtanh(use: Use) -> None:
    low, high = use.number("min_val", -1), use.number("max_val", 1)
    formula(use, f"min(max(a, {number(low)}), {number(high)})", {"a": Ref(use.ref())})


def _where(use: Use) -> None:
    operands = {"a": use.get("condition"), "b": use.get("self"), "c": use.get("other")}
    formula(use, "where(a > 0, b, c)", operands)


def _masked_fill(use: Use) -> None:
    value = use.get("value")
    if isinstance(value, float) and value == float("-inf"):
        text, operands = f"where(b > 0, {LEAST}, a)", {"a": use.get("self"), "b": use.get("mask")}
    else:
        text = "where(b > 0, c, a)"
        operands = {"a": use.get("self"), "b": use.get("mask"), "c": value}
    formula(use, text, operands)


def _glu(use: Use) -> None:
    axis, letters = use.axis(), use.writer.letters(use.out().shape)
    first, second = list(letters), list(letters)
    first[axis] += " + 0"
    second[axis] += f" + {use.out().shape[axis]}"
    use.equation(letters, f"{use.read('self', first)}*logistic({use.read('self', second)})")


def _dropout(use: Use) -> None:
    """Nothing where nothing is dropped; in training a mask that is given."""
    rate = use.number("p", 0.5)
    if not use.get("train", use.get("training", False)) or rate == 0:
        use.same(use.ref())
        return
    output = use.name()
    mask = drawn(use, f"{output}_mask")
    use.writer.masks.add(mask)
    use.layer("dropout", [use.quantity()], {"mask": mask}, {"keep": 1 - rate}, output)


def drawn(use: Use, called: str) -> str:
    """A value that the model draws at random, as one that is given; its name."""
    name = use.writer.names.new(called)
    use.writer.drawn[name] = use.out()
    return name


def _detached(use: Use) -> None:
    if use.out().whole:
        use.same(use.ref())
    else:
        formula(use, "stop_gradient(a)", {"a": use.get("self")})


def _random(use: Use) -> None:
    result = use.operation.outputs[0]
    use.writer.quantities[result] = drawn(use, use.operation.module or result)


def _same(use: Use) -> None:
    use.same(use.ref())


def _filled(value: float | None, name: str = "fill_value") -> Rule:
    def rule(use: Use) -> None:
        found = use.number(name, 0) if value is None else value
        use.writer.fixed[use.operation.outputs[0]] = float(found)

    return rule


def _counted(use: Use) -> None:
    start, step = use.number("start", 0), use.number("step", 1)
    if start != int(start) or step != int(step):
        raise Unsayable("its steps are no whole numbers")
    factor = "" if step == 1 else f"{int(step)}*"
    summand = "" if start == 0 else f" + {int(start)}"
    result = use.operation.outputs[0]
    use.writer.readings[result] = lambda at: f"{factor}{_bracketed(at[0])}{summand}"


RULES: dict[str, Rule] = {
    **{name: _of_row(row) for name, row in LIBRARY.items()},
    **{name: _of_formula(text) for name, text in FORMULAS.items()},
    "add": _sum_of("+"),
    "sub": _sum_of("-"),
    "rsub": _reversed_difference,
    "pow": _power,
    "clamp": _clamp,
    "clamp_min": _clamp,
    "clip": _clamp,
    "gelu": _gelu,
    "elu": _elu,
    "leaky_relu": _leaky,
    "prelu": _prelu,
    "softplus": _softplus,
    "hardtanh": _hardtanh,
    "where": _where,
    "masked_fill": _masked_fill,
    "glu": _glu,
    "dropout": _dropout,
    "feature_dropout": _dropout,
    **dict.fromkeys(("randn", "randn_like", "rand", "rand_like", "normal"), _random),
    **dict.fromkeys(UNCHANGED, _same),
    **dict.fromkeys(("zeros", "zeros_like", "new_zeros"), _filled(0)),
    **dict.fromkeys(("ones", "ones_like", "new_ones"), _filled(1)),
    **dict.fromkeys(("full", "full_like", "new_full"), _filled(None)),
    "scalar_tensor": _filled(None, "s"),
    "detach": _detached,
    "arange": _counted,
}
