"""Optimizers, as lines that are carried out in order for every entry of a parameter.

`w` is the parameter, `g` its gradient, `alpha` the learning rate, `k` the number of the update from
1. States start at 0. A name that has been assigned means its new value from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from derive.language import Scope, parse_expression
from derive.library.row import Number

GIVEN = ("w", "g", "alpha", "k")


@dataclass(frozen=True)
class Optimizer:
    """An optimizer: its lines, its states, and settings with their usual values.

    `notes` says which published variant this is.
    """

    name: str
    summary: str
    equations: str
    states: tuple[str, ...] = ()
    settings: Mapping[str, Number] = field(default_factory=dict)
    notes: str = ""


def parse_update(row: Optimizer, settings: Mapping[str, Number]) -> dict[str, sympy.Expr]:
    """The new value of `w` and of each state, in the symbols w, g, alpha, k and the states."""
    symbols = {name: sympy.Symbol(name, real=True) for name in (*GIVEN, *row.states)}
    chosen = {name: sympy.Rational(v) for name, v in {**row.settings, **settings}.items()}
    values: dict[str, sympy.Expr] = {**symbols, **chosen}
    for line in row.equations.splitlines():
        name, _, text = line.partition("=")
        values[name.strip()] = parse_expression(text, Scope({}, {}, values))
    return {name: values[name] for name in ("w", *row.states)}


def plain_step(
    name: str, settings: Mapping[str, Number]
) -> Callable[[sympy.Expr, sympy.Expr, sympy.Expr], sympy.Expr]:
    """The new parameter as a function of w, alpha and g, for an optimizer without states."""
    update = parse_update(OPTIMIZERS[name], settings)["w"]
    w, alpha, g = (sympy.Symbol(each, real=True) for each in ("w", "alpha", "g"))
    return lambda *values: update.xreplace(dict(zip((w, alpha, g), values, strict=True)))


BETA1, BETA2, EPS = Fraction(9, 10), Fraction(999, 1000), Fraction(1, 10**8)
ADAM = """\
m = beta1*m + (1 - beta1)*g
v = beta2*v + (1 - beta2)*g**2
w = w - alpha*(m/(1 - beta1**k))/(sqrt(v/(1 - beta2**k)) + eps)"""
ADAM_SETTINGS = {"beta1": BETA1, "beta2": BETA2, "eps": EPS}

ROWS = (
    Optimizer("gradient_descent", "a step against the gradient", "w = w - alpha*g"),
    Optimizer(
        "weight_decay",
        "a step against the gradient and towards zero",
        "w = w - alpha*(g + decay*w)",
        settings={"decay": Fraction(1, 100)},
    ),
    Optimizer(
        "momentum",
        "steps that keep some of the velocity of the one before",
        "v = mu*v + g\nw = w - alpha*v",
        ("v",),
        {"mu": BETA1},
    ),
    Optimizer(
        "momentum_with_rate",
        "momentum whose velocity already holds the learning rate",
        "v = mu*v + alpha*g\nw = w - v",
        ("v",),
        {"mu": BETA1},
    ),
    Optimizer(
        "nesterov",
        "momentum that looks one step ahead, with the gradient taken at w",
        "v = mu*v + g\nw = w - alpha*(g + mu*v)",
        ("v",),
        {"mu": BETA1},
        "Nesterov's own form takes the gradient ahead of its parameter p, at p - alpha*mu*v; "
        "written for w = p - alpha*mu*v, the point at which it is taken, it is this one.",
    ),
    Optimizer(
        "adagrad",
        "steps divided by the root of all squared gradients so far",
        "s = s + g**2\nw = w - alpha*g/(sqrt(s) + eps)",
        ("s",),
        {"eps": EPS},
    ),
    Optimizer(
        "rmsprop",
        "steps divided by the root of a running mean of squared gradients",
        "s = rho*s + (1 - rho)*g**2\nw = w - alpha*g/(sqrt(s) + eps)",
        ("s",),
        {"rho": Fraction(99, 100), "eps": EPS},
    ),
    Optimizer(
        "adadelta",
        "steps with the size of the steps before, without a learning rate",
        "s = rho*s + (1 - rho)*g**2\n"
        "step = sqrt(d + eps)/sqrt(s + eps)*g\n"
        "d = rho*d + (1 - rho)*step**2\n"
        "w = w - step",
        ("s", "d"),
        {"rho": Fraction(95, 100), "eps": Fraction(1, 10**6)},
        "As in Zeiler (2012); alpha is not used.",
    ),
    Optimizer(
        "adam",
        "running means of gradient and square, both corrected for their start",
        ADAM,
        ("m", "v"),
        ADAM_SETTINGS,
    ),
    Optimizer(
        "adamw",
        "Adam with weight decay apart from the gradient",
        f"w = w - alpha*decay*w\n{ADAM}",
        ("m", "v"),
        {**ADAM_SETTINGS, "decay": Fraction(1, 100)},
    ),
    Optimizer(
        "adamax",
        "Adam with the largest gradient so far in place of the root",
        "m = beta1*m + (1 - beta1)*g\n"
        "u = max(beta2*u, abs(g))\n"
        "w = w - alpha/(1 - beta1**k)*m/(u + eps)",
        ("m", "u"),
        ADAM_SETTINGS,
        "As in Kingma and Ba (2015), with eps against a division by zero.",
    ),
)
OPTIMIZERS = {row.name: row for row in ROWS}
