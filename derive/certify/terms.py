"""Scalar expressions as terms of Coq, with the conditions under which they have a derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

from derive.expression import Chosen, Delta, Element, Greatest, Index, Picked, Total
from derive.functions import (
    BY_SYMBOL,
    absolute,
    angle,
    at_least,
    greater,
    held,
    logistic,
    maximum,
    minimum,
    sign,
    softplus,
    where,
)

SUM, PRODUCT, TIGHT, ATOM = range(4)
Name = Callable[[sympy.Expr], str]
WORDS: Mapping[type[sympy.Basic], str] = {
    sympy.exp: "exp",
    sympy.log: "ln",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tanh: "tanh",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.atan: "atan",
    sympy.asin: "asin",
    sympy.acos: "acos",
    sympy.erf: "erf",
    angle: "atan2",
    logistic: "logistic",
    softplus: "softplus",
    maximum: "Rmax",
    minimum: "Rmin",
    absolute: "Rabs",
    sign: "sign",
    greater: "greater",
    at_least: "at_least",
    where: "where_",
}
ABOVE_ZERO = (sympy.exp, logistic, sympy.cosh)
LARGEST_EXPONENT = 64


class Unprovable(Exception):
    """What no theorem can be stated of, with the reason in words."""


def term(expr: sympy.Expr, name: Name) -> str:
    """An expression as a term; `name` writes its elements and symbols."""
    return _written(expr, name)[0]


def number(value: sympy.Rational) -> str:
    """A rational number; what is negative or a fraction is in brackets."""
    if value.q == 1:
        return str(value.p) if value.p >= 0 else f"({value.p})"
    return f"({value.p} / {value.q})"


def _written(expr: sympy.Expr, name: Name) -> tuple[str, int]:
    if isinstance(expr, Element | sympy.Symbol):
        return name(expr), ATOM
    if isinstance(expr, sympy.Rational):
        return number(expr), ATOM
    if expr == sympy.pi:
        return "PI", ATOM
    if expr == sympy.E:
        return "exp 1", TIGHT
    if isinstance(expr, Total):
        size, letter = name(expr.index.axis.size), name(expr.index)
        return f"total {size} (fun {letter} => {_written(expr.body, name)[0]})", TIGHT
    if isinstance(expr, Delta) and isinstance(expr.args[0], Index) and expr.args[1].is_Integer:
        return f"delta {name(expr.args[0])} {expr.args[1]}", TIGHT
    if isinstance(expr, sympy.Add):
        return _sum(expr, name), SUM
    if isinstance(expr, sympy.Mul):
        return _product(expr, name), PRODUCT
    if isinstance(expr, sympy.Pow):
        return _power(expr, name)
    if isinstance(expr, Greatest):
        return f"largest {_listed(expr.args, name)}", TIGHT
    if isinstance(expr, Picked):
        return f"chosen {expr.place} {_listed(expr.values, name)}", TIGHT
    word = WORDS.get(expr.func)
    if word is None:
        raise Unprovable(_why_not(expr))
    return " ".join([word, *(_within(a, name, ATOM) for a in expr.args)]), TIGHT


def _listed(values: Sequence[sympy.Expr], name: Name) -> str:
    return f"[{'; '.join(_written(each, name)[0] for each in values)}]"


def _why_not(expr: sympy.Expr) -> str:
    if isinstance(expr, held):
        return "stop_gradient(f) holds f fixed: what is derived is not the derivative of the loss"
    if isinstance(expr, Chosen):
        return "at which place a maximum over several is taken has no rule in a certificate"
    if expr in (sympy.zoo, sympy.oo, -sympy.oo, sympy.nan):
        return "something in it is divided by zero"
    row = BY_SYMBOL.get(expr.func)
    name = row.name if row is not None else type(expr).__name__
    return f"the function '{name}' has no rule in a certificate"


def _within(expr: sympy.Expr, name: Name, hold: int) -> str:
    text, own = _written(expr, name)
    return text if own >= hold else f"({text})"


def _sum(expr: sympy.Add, name: Name) -> str:
    """A sum; what is subtracted stands last, and before it a constant."""
    terms = sorted(expr.args, key=lambda a: (a.could_extract_minus_sign(), bool(a.is_number)))
    text = ""
    for part in terms:
        minus = bool(text) and part.could_extract_minus_sign()
        shown = _within(-part if minus else part, name, PRODUCT)
        text = f"{text} {'-' if minus else '+'} {shown}" if text else shown
    return text


def _product(expr: sympy.Mul, name: Name) -> str:
    share, rest = expr.as_coeff_Mul()
    above, below = [], []
    for factor in sympy.Mul.make_args(rest):
        base, exponent = factor.as_base_exp()
        if exponent.is_Rational and exponent < 0:
            below.append(_within(sympy.Pow(base, -exponent), name, TIGHT))
        else:
            above.append(_within(factor, name, TIGHT))
    minus = share < 0
    if abs(share.p) != 1 or not above:
        above.insert(0, str(abs(share.p)))
    below += [str(share.q)] if share.q != 1 else []
    text = " * ".join(above) + "".join(f" / {part}" for part in below)
    if not minus:
        return text
    return f"- {text}" if len(above) + len(below) == 1 else f"- ({text})"


def _power(expr: sympy.Pow, name: Name) -> tuple[str, int]:
    base, exponent = expr.args
    if exponent.is_Rational and exponent < 0:
        return f"/ {_within(sympy.Pow(base, -exponent), name, TIGHT)}", TIGHT
    if exponent.is_Integer and exponent <= LARGEST_EXPONENT:
        return f"{_within(base, name, ATOM)} ^ {exponent}", TIGHT
    if exponent.is_Rational and exponent.q == 2 and exponent.p <= LARGEST_EXPONENT:
        root = f"sqrt {_within(base, name, ATOM)}"
        return (root, TIGHT) if exponent.p == 1 else (f"({root}) ^ {exponent.p}", TIGHT)
    return f"exp ({_within(exponent, name, PRODUCT)} * ln {_within(base, name, ATOM)})", TIGHT


# --- conditions -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Condition:
    """What an equation needs to have a derivative: `left > right`, or that they are apart.

    Of the largest of several, which is then `left`: that no other of them is as large.
    """

    above: bool
    left: sympy.Expr
    right: sympy.Expr = sympy.S.Zero

    @property
    def several(self) -> tuple[sympy.Expr, ...]:
        """The values of which one must be above all others; nothing where two are compared."""
        return tuple(self.left.args) if isinstance(self.left, Greatest) else ()

    def text(self, name: Name) -> str:
        """The condition as a proposition."""
        if self.several:
            return f"single {_listed(self.several, name)}"
        left, right = term(self.left, name), term(self.right, name)
        return f"{right} < {left}" if self.above else f"{left} <> {right}"


def conditions(expr: sympy.Expr) -> Iterator[Condition]:
    """What must hold for the rules of the operations to apply, from the inside out."""
    for argument in expr.args if not isinstance(expr, Element) else ():
        yield from conditions(argument)
    if isinstance(expr, sympy.Pow):
        base, exponent = expr.args
        if not base.is_number or not exponent.is_number:
            if not exponent.is_Integer:
                yield Condition(True, base)
            elif exponent < 0:
                yield Condition(False, base)
    elif isinstance(expr, sympy.log):
        yield Condition(True, expr.args[0])
    elif isinstance(expr, sympy.asin | sympy.acos):
        yield from (Condition(True, 1 + expr.args[0]), Condition(True, 1 - expr.args[0]))
    elif isinstance(expr, angle):
        yield Condition(True, expr.args[1])
    elif isinstance(expr, maximum | minimum | greater | at_least):
        yield Condition(False, *expr.args)
    elif isinstance(expr, Greatest) and len(expr.args) > 1:
        yield Condition(False, expr)
    elif isinstance(expr, absolute | sign):
        yield Condition(False, expr.args[0])


def sure(condition: Condition, known: Mapping[sympy.Expr, sympy.Expr]) -> bool:
    """Whether the tactic `surely` proves it from the definitions alone."""
    if condition.right != 0:
        return condition.left.is_number and condition.right.is_number
    return _above(condition.left, known)


def _above(expr: sympy.Expr, known: Mapping[sympy.Expr, sympy.Expr]) -> bool:
    if expr.is_Rational:
        return bool(expr > 0)
    if expr in (sympy.pi, sympy.E):
        return True
    if isinstance(expr, Element):
        return expr in known and _above(known[expr], known)
    if isinstance(expr, Total):
        return _above(expr.body, known)
    if isinstance(expr, sympy.Add):
        return _sum_above(expr, known)
    if isinstance(expr, sympy.Mul):
        return all(_above(a, known) for a in expr.args)
    if isinstance(expr, sympy.Pow):
        return bool(expr.exp.is_Rational) and _above(expr.base, known)
    return isinstance(expr, ABOVE_ZERO)


def _sum_above(expr: sympy.Add, known: Mapping[sympy.Expr, sympy.Expr]) -> bool:
    if all(_not_below(a, known) for a in expr.args):
        return any(_above(a, known) for a in expr.args)
    rest = 1 - expr
    opened = known.get(rest, rest)
    return isinstance(opened, logistic)


def _not_below(expr: sympy.Expr, known: Mapping[sympy.Expr, sympy.Expr]) -> bool:
    if expr.is_Rational:
        return bool(expr >= 0)
    if expr in (sympy.pi, sympy.E):
        return True
    if isinstance(expr, Element):
        return expr in known and _not_below(known[expr], known)
    if isinstance(expr, Total):
        return _not_below(expr.body, known)
    if isinstance(expr, sympy.Add | sympy.Mul):
        return all(_not_below(a, known) for a in expr.args)
    if isinstance(expr, sympy.Pow):
        if expr.exp == 2:
            return True
        return _above(expr, known) if expr.exp != 1 else False
    return isinstance(expr, (*ABOVE_ZERO, absolute))


def elements_in(exprs: Sequence[sympy.Expr]) -> tuple[Element, ...]:
    """The elements of expressions, first reading first."""
    found: dict[Element, None] = {}
    for expr in exprs:
        for node in sympy.preorder_traversal(expr):
            if isinstance(node, Element):
                found[node] = None
    return tuple(found)
