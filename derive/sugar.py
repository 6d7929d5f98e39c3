"""Functions that are other words for what the language has: each is one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sympy

from derive.expression import Fresh, Index, Largest, Total, substitute
from derive.functions import floored, greater, maximum, minimum

HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Sugar:
    """What a function stands for, and as it is told in the reference."""

    made: Callable[..., sympy.Expr]
    meaning: str
    arity: int = 1


SUGAR: Mapping[str, Sugar] = MappingProxyType(
    {
        "sqrt": Sugar(lambda x: sympy.sqrt(x), "the root"),
        "relu": Sugar(lambda x: maximum(x, sympy.S.Zero), "`max(f, 0)`"),
        "step": Sugar(lambda x: greater(x, sympy.S.Zero), "1 above 0, else 0"),
        "ceil": Sugar(lambda x: -floored(-x), "the smallest whole number not below it"),
        "round": Sugar(lambda x: floored(x + HALF), "`floor(f + 1/2)`, so that a tie goes up"),
        "log1p": Sugar(lambda x: sympy.log(1 + x), "`log(1 + f)`, which code computes so near 0"),
        "expm1": Sugar(lambda x: sympy.exp(x) - 1, "`exp(f) - 1`, which code computes so near 0"),
        "clip": Sugar(
            lambda x, low, high: minimum(maximum(x, low), high), "`min(max(f, a), b)`", arity=3
        ),
    }
)


def reduced(name: str, body: sympy.Expr, indices: Sequence[Index], fresh: Fresh) -> sympy.Expr:
    """What a reduction over letters stands for: largest values and sums."""
    if name == "max":
        return Largest(body, *indices)
    if name == "min":
        return -Largest(-body, *indices)
    if name == "norm":
        body = body**2
    if name == "logsumexp":
        body = sympy.exp(body)
    if name == "softmax":
        other = {index: fresh(index) for index in indices}
        below: sympy.Expr = substitute(sympy.exp(body), other, fresh)
        for index in other.values():
            below = Total(below, index)
        return sympy.exp(body) / below
    count = sympy.Integer(1)
    for index in indices:
        body = Total(body, index)
        count *= index.axis.size
    ends = {"mean": body / count, "norm": sympy.sqrt(body), "logsumexp": sympy.log(body)}
    return ends.get(name, body)
