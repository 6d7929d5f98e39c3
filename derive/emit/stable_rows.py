"""The rewrites that keep a value but let floating-point numbers reach it: one row each.

A row has a name, a rewrite of one node, and the sentence that explains it. In exact arithmetic
nothing changes; in floating point `log(sum(exp(1000)))`, `exp(1000)/sum(exp(…))` and `0*log(0)`
overflow or are undefined, and `log(1 + 1e-12)` loses most of its digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from derive.emit import stable_differences as differences
from derive.emit import stable_exponentials as exponentials


@dataclass(frozen=True)
class Rewrite:
    """A rewrite of one node: what does not have its form comes back as it is."""

    name: str
    sentence: str
    rewrite: Callable[[sympy.Expr], sympy.Expr]


ROWS: tuple[Rewrite, ...] = (
    Rewrite("selection", "a choice times a factor is a choice of products", differences.selection),
    Rewrite(
        "one choice",
        "choices by the same condition are added branch by branch",
        differences.one_choice,
    ),
    Rewrite("no choice", "a choice between equals is none", differences.no_choice),
    Rewrite("complement", "1 - logistic(u) = logistic(-u)", differences.complement),
    Rewrite("tail", "1 - erf(u) = erfc(u)", differences.tail),
    Rewrite("one less tanh", "1 - tanh(u) = 2*logistic(-2*u)", differences.one_less_tanh),
    Rewrite(
        "slope of tanh",
        "1 - tanh(u)**2 = 4*logistic(2*u)*logistic(-2*u)",
        differences.slope_of_tanh,
    ),
    Rewrite(
        "log of a total", "log(sum(f)) is taken from the logarithms of f", exponentials.log_of_total
    ),
    Rewrite("log of a sum", "log(a + b) is taken from log(a) and log(b)", exponentials.log_of_sum),
    Rewrite("log of a product", "log(a*b) = log(a) + log(b)", exponentials.log_of_product),
    Rewrite("log of a choice", "the logarithm of a choice is a choice", exponentials.log_of_choice),
    Rewrite(
        "log of the others", "1 - p is the sum of the other shares", exponentials.log_of_the_others
    ),
    Rewrite("log of logistic", "log(logistic(u)) = -softplus(-u)", exponentials.log_logistic),
    Rewrite("log of a tail", "log(erfc(u)) is one function", exponentials.log_of_tail),
    Rewrite("product of exponentials", "exp(u)*exp(v) = exp(u + v)", exponentials.joined),
    Rewrite(
        "quotient of sums",
        "each term of a sum is divided on its own",
        exponentials.quotient_of_sums,
    ),
    Rewrite(
        "weighted divisor",
        "w*exp(u) is taken relative to all exp(u)",
        exponentials.weighted_divisor,
    ),
    Rewrite(
        "log of weighted", "w*exp(u) is taken relative to all exp(u)", exponentials.log_of_weighted
    ),
    Rewrite("quotient", "exp(u)/s = exp(u - log(s))", exponentials.quotient),
    Rewrite(
        "exp times logistic", "exp(u)*logistic(-u) = logistic(u)", exponentials.exp_times_logistic
    ),
    Rewrite(
        "expm1 times logistic",
        "expm1(u)*logistic(-u) = tanh(u/2)",
        exponentials.expm1_times_logistic,
    ),
    Rewrite("quotient by a tail", "exp(-u**2)/erfc(u) is one function", exponentials.tail_quotient),
    Rewrite("centred logistic", "2*logistic(u) - 1 = tanh(u/2)", differences.centred),
    Rewrite(
        "difference of softplus", "softplus(u) - softplus(-u) = u", differences.softplus_difference
    ),
    Rewrite("exp less one", "exp(u) - 1 keeps its digits as expm1(u)", differences.exp_less_one),
    Rewrite("one less cosine", "1 - cos(u) = 2*sin(u/2)**2", differences.one_less_cosine),
    Rewrite(
        "root less number", "sqrt(1 + u) - 1 = u/(sqrt(1 + u) + 1)", differences.root_less_number
    ),
    Rewrite("log near one", "log(1 + u) keeps its digits as log1p(u)", exponentials.log_near_one),
    Rewrite(
        "log of a ratio", "log((1 + u)/(1 + v)) = log1p((u - v)/(1 + v))", exponentials.log_of_ratio
    ),
)
