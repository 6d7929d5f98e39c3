"""Python's operators: pieces of code that know how tightly they bind, joined to larger ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import sympy

from derive.emit.tree import (
    Apply,
    Constant,
    Divided,
    EmitError,
    Node,
    Number,
    Pick,
    Position,
    Power,
    Product,
    Read,
    Reduce,
    Same,
    Sum,
    Within,
    has_arrays,
)

EXACT = 2**53


class Level(IntEnum):
    """How tightly the outermost operator of a piece of code binds."""

    CHOICE = 0
    COMPARISON = 1
    SUM = 2
    PRODUCT = 3
    POWER = 4
    CALL = 5
    NAME = 6


@dataclass(frozen=True)
class Code:
    """A piece of code, its level, and whether the first thing in it is a power."""

    text: str
    level: Level = Level.CALL
    power_first: bool = False

    def at(self, level: Level) -> str:
        """The text where something at least as tight is needed."""
        return self.text if self.level >= level else f"({self.text})"


def number(node: Number) -> Code:
    """A rational number; an integer that floats cannot hold exactly becomes a float."""
    top, bottom = (
        str(part) if abs(part) < EXACT else repr(_float(part))
        for part in (node.numerator, node.denominator)
    )
    if node.denominator != 1:
        return Code(f"{top} / {bottom}", Level.PRODUCT)
    return Code(top, Level.NAME if node.numerator >= 0 else Level.SUM)


def _float(part: int) -> float:
    try:
        return float(part)
    except OverflowError:
        raise EmitError("a number of the formula is too large for a float") from None


def total(terms: Iterable[tuple[int, Code]]) -> Code:
    """Terms added and subtracted."""
    text = ""
    for sign, term in terms:
        operand = term.at(Level.SUM if sign > 0 else Level.PRODUCT)
        if not text:
            text = operand if sign > 0 else _negative(term)
        else:
            operand = term.at(Level.PRODUCT)
            text += f" + {operand}" if sign > 0 else f" - {operand}"
    return Code(text, Level.SUM)


def _negative(term: Code) -> str:
    """`-a`; a power gets brackets, because readers disagree about `-a**2`."""
    return f"-({term.text})" if term.power_first else f"-{term.at(Level.PRODUCT)}"


def product(above: Iterable[Code], below: Iterable[Code]) -> Code:
    """Factors multiplied, then divided."""
    first, *rest = above
    parts = [first.at(Level.PRODUCT), *(factor.at(Level.POWER) for factor in rest)]
    text = " * ".join(parts)
    under = [factor.at(Level.POWER) for factor in below]
    if not under:
        return Code(text, Level.PRODUCT, first.power_first) if rest else first
    divisor = under[0] if len(under) == 1 else f"({' * '.join(under)})"
    return Code(f"{text} / {divisor}", Level.PRODUCT, first.power_first)


def power(base: Code, exponent: int) -> Code:
    """A whole power; around simple operands the operator stands without spaces."""
    operator = "**" if base.level is Level.NAME else " ** "
    return Code(f"{base.at(Level.CALL)}{operator}{exponent}", Level.POWER, True)


def call(name: str) -> Callable[..., Code]:
    """A function that is written as a call."""

    def written(*arguments: Code) -> Code:
        return Code(f"{name}({', '.join(argument.text for argument in arguments)})")

    return written


def digamma(x: Code) -> Code:
    """The first of the functions that `polygamma` computes."""
    return Code(f"polygamma(0, {x.text})")


def polygamma(order: Code, x: Code) -> Code:
    """A derivative of the digamma function; its order is a whole number in code, too."""
    return Code(f"polygamma({int(float(order.text))}, {x.text})")


def comparison(operator: str) -> Callable[..., Code]:
    """A comparison of two values; a number stands on the right."""

    def written(left: Code, right: Code) -> Code:
        if _is_literal(left) and not _is_literal(right):
            return comparison(FLIPPED[operator])(right, left)
        text = f"{left.at(Level.SUM)} {operator} {right.at(Level.SUM)}"
        return Code(text, Level.COMPARISON)

    return written


def _is_literal(code: Code) -> bool:
    return not re.search(r"[A-Za-z_]", code.text)


FLIPPED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "=="}
COMPARISONS = {"greater": comparison(">"), "at_least": comparison(">=")}
CHOICE = "choice"  # the head of a choice between plain numbers, for a target that has another
Heads = Mapping[str, Callable[..., Code]]
Join = Callable[..., Code]


def operation(
    node: Node, heads: Heads, raised: Callable[[Code, int], Code] = power
) -> tuple[tuple[Node, ...], Join] | None:
    """The operands of an arithmetic operation or a function, and how their codes are joined."""
    match node:
        case Sum():
            signs = [sign for sign, _ in node.terms]
            return tuple(term for _, term in node.terms), lambda *codes: total(
                zip(signs, codes, strict=True)
            )
        case Product():
            cut = len(node.above)
            return (*node.above, *node.below), lambda *codes: product(codes[:cut], codes[cut:])
        case Power():
            return (node.base,), lambda base: raised(base, node.exponent)
        case Apply(head="where"):
            lazily = CHOICE in heads and not has_arrays(node)
            return _choice(node, heads[CHOICE if lazily else "where"])
        case Apply() if node.head in COMPARISONS:
            return node.arguments, heads[node.head]
        case Apply():
            return node.arguments, _applied(node.arguments, heads[node.head])
    return None


def _choice(node: Apply, where: Join) -> tuple[tuple[Node, ...], Join]:
    """A choice; an indicator as its condition is written as the comparison itself."""
    test, *branches = node.arguments
    if isinstance(test, Apply) and test.head in COMPARISONS:
        sides, compare = test.arguments, COMPARISONS[test.head]
    elif isinstance(test, Same):
        sides, compare = (_place(test.left), _place(test.right)), comparison("==")
    else:
        sides, compare = (test, Number(1)), comparison("==")
    choose = _applied((test, *branches), where)

    def joined(left: Code, right: Code, yes: Code, no: Code) -> Code:
        return choose(compare(left, right), yes, no)

    return (*sides, *branches), joined


def choice(condition: Code, yes: Code, no: Code) -> Code:
    """A choice of Python, which computes only the branch that is taken."""
    text = f"{yes.at(Level.SUM)} if {condition.text} else {no.at(Level.SUM)}"
    return Code(text, Level.CHOICE)


def _place(position: sympy.Expr) -> Node:
    return Number(int(position)) if position.is_Integer else Position(position)


def _applied(operands: tuple[Node, ...], join: Join) -> Join:
    """A function whose whole-number arguments are written as floats, so that floats come back."""

    def joined(*codes: Code) -> Code:
        pairs = zip(operands, codes, strict=True)
        return join(*[floating(c) if isinstance(node, Number) else c for node, c in pairs])

    return joined


def floating(code: Code) -> Code:
    """A literal that is a float and not an integer."""
    whole = code.text.lstrip("-").isdigit()
    return Code(f"{code.text}.0", code.level) if whole else code


@dataclass(frozen=True)
class Spelling:
    """How one target writes what is not arithmetic.

    `counted` is a position that is used as a number, if not as in a subscript.
    """

    read: Callable[[Read], Code]
    reduce: Callable[[Reduce], Code]
    pick: Callable[[Pick], Code]
    position: Callable[[sympy.Expr], Code]
    heads: Heads
    constants: Mapping[str, str]
    indicator: Callable[[str], str] = "float({})".format
    both: str = "0 <= {0} < {1}"
    number: Callable[[Number], Code] = number
    power: Callable[[Code, int], Code] = power
    counted: Callable[[sympy.Expr], Code] | None = None
    divided: Callable[[Divided, Code], Code] | None = None


def divided(node: Divided, position: Code) -> Code:
    """A division rounded down, as Python's is; in brackets behind a minus, which binds tighter."""
    sign = "%" if node.remains else "//"
    return Code(f"{position.at(Level.POWER)} {sign} {node.divisor}", Level.SUM)


def write(node: Node, spelling: Spelling) -> Code:
    """A tree as code."""
    found = operation(node, spelling.heads, spelling.power)
    if found is not None:
        operands, join = found
        return join(*[write(operand, spelling) for operand in operands])
    match node:
        case Number():
            return spelling.number(node)
        case Constant():
            return Code(spelling.constants[node.name], Level.NAME)
        case Position():
            return (spelling.counted or spelling.position)(node.index)
        case Divided():
            return (spelling.divided or divided)(node, write(node.position, spelling))
        case Read():
            return spelling.read(node)
        case Reduce():
            return spelling.reduce(node)
        case Pick():
            return spelling.pick(node)
        case Same():
            left, right = spelling.position(node.left), spelling.position(node.right)
            return Code(spelling.indicator(f"{left.at(Level.SUM)} == {right.at(Level.SUM)}"))
        case Within():
            place = spelling.position(node.position).text
            return Code(spelling.indicator(spelling.both.format(place, node.size)))
    raise EmitError(f"{type(node).__name__} cannot be written")
