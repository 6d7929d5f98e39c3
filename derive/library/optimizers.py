"""Optimizers, as lines that are carried out in order for every entry of a parameter.

`w` is the parameter, `g` its gradient, `alpha` the learning rate, `k` the number of the update from
1. States start at 0. A name that has been assigned means its new value from then on. A line may be
about more than an entry: see `derive.library.lines`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import sympy

from derive.errors import LanguageError
from derive.language import Scope, parse_expression
from derive.library.lines import GIVEN, Kind, Line, lines_of
from derive.library.row import Number
from derive.library.update import tried


@dataclass(frozen=True)
class Optimizer:
    """An optimizer: its lines, its states, and settings with their usual values.

    `notes` says which published variant this is; `parts` what a training put before the lines.
    """

    name: str
    summary: str
    equations: str
    states: tuple[str, ...] = ()
    settings: Mapping[str, Number] = field(default_factory=dict)
    notes: str = ""
    parts: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[Line, ...]:
        """The lines in order. Raises LanguageError."""
        return lines_of(self.equations, self.states)

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """What each line gives a new value, and the formula. Raises LanguageError."""
        return tuple((line.target, line.text) for line in self.written)

    @property
    def looks_around(self) -> bool:
        """Whether an entry changes by more than itself and its own gradient and states."""
        return bool(self.parts) or any(
            line.letters or line.target == "g" or line.kind is not Kind.ENTRY
            for line in self.written
        )


def counts(row: Optimizer) -> bool:
    """Whether an update needs its number, from 1 on."""
    return bool(row.states) or any(re.search(r"\bk\b", text) for _, text in row.lines)


def check_lines(row: Optimizer) -> None:
    """Refuse lines that are not in the language. Raises LanguageError."""
    if row.looks_around:
        tried(row.equations, row.states, row.settings)
    else:
        parse_update(row, {})


def parse_update(row: Optimizer, settings: Mapping[str, Number]) -> dict[str, sympy.Expr]:
    """The new value of `w`, of each state and of each name on the way, in w, g, alpha, k, states.

    Raises LanguageError for a line that is no assignment, or if nothing becomes `w`.
    """
    symbols = {name: sympy.Symbol(name, real=True) for name in (*GIVEN, *row.states)}
    chosen = {name: sympy.Rational(v) for name, v in {**row.settings, **settings}.items()}
    values: dict[str, sympy.Expr] = {**symbols, **chosen}
    for name, text in row.lines:
        values[name] = parse_expression(text, Scope({}, {}, values))
    told = [name for name, _ in row.lines]
    if "w" not in told:
        raise LanguageError(row.equations, 0, "no line says what becomes of w")
    return {name: values[name] for name in dict.fromkeys(("w", *row.states, *told))}


def plain_step(
    row: Optimizer, settings: Mapping[str, Number]
) -> Callable[[sympy.Expr, sympy.Expr, sympy.Expr], sympy.Expr]:
    """The new parameter as a function of w, alpha and g, for an optimizer without states."""
    update = parse_update(row, settings)["w"]
    w, alpha, g = (sympy.Symbol(each, real=True) for each in ("w", "alpha", "g"))
    return lambda *values: update.xreplace(dict(zip((w, alpha, g), values, strict=True)))


BETA1, BETA2, EPS = Fraction(9, 10), Fraction(999, 1000), Fraction(1, 10**8)
MOMENTS = """\
m = beta1*m + (1 - beta1)*g
v = beta2*v + (1 - beta2)*g**2
mhat = m/(1 - beta1**k)
vhat = v/(1 - beta2**k)
"""
ADAM_SETTINGS = {"beta1": BETA1, "beta2": BETA2, "eps": EPS}

NEWTON_SCHULZ = 5


def _orthogonal(start: str) -> tuple[str, str]:
    """Newton-Schulz steps towards the nearest orthogonal matrix; what they end with."""
    lines = []
    for n in range(1, NEWTON_SCHULZ + 1):
        lines += [
            f"A{n}[i,j] = sum(..., {start}[i,...]*{start}[j,...])",
            f"B{n}[i,j] = b*A{n}[i,j] + c*sum(l, A{n}[i,l]*A{n}[l,j])",
            f"X{n}[i,...] = a*{start}[i,...] + sum(l, B{n}[i,l]*{start}[l,...])",
        ]
        start = f"X{n}"
    return "\n".join(lines), start


TOWARDS, NEAR = _orthogonal("X")

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
        f"{MOMENTS}w = w - alpha*mhat/(sqrt(vhat) + eps)",
        ("m", "v"),
        ADAM_SETTINGS,
    ),
    Optimizer(
        "adamw",
        "Adam with weight decay apart from the gradient",
        f"{MOMENTS}w = w - alpha*(mhat/(sqrt(vhat) + eps) + decay*w)",
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
    Optimizer(
        "nadam",
        "Adam that looks one step ahead",
        "mu = beta1*(1 - 0.96**(k*fade)/2)\n"
        "ahead = beta1*(1 - 0.96**((k + 1)*fade)/2)\n"
        "q = 1 - (1 - q)*mu\n"
        "m = beta1*m + (1 - beta1)*g\n"
        "v = beta2*v + (1 - beta2)*g**2\n"
        "mhat = ahead*m/(1 - (1 - q)*ahead) + (1 - mu)*g/q\n"
        "vhat = v/(1 - beta2**k)\n"
        "w = w - alpha*mhat/(sqrt(vhat) + eps)",
        ("q", "m", "v"),
        {"beta1": BETA1, "beta2": BETA2, "fade": Fraction(4, 1000), "eps": EPS},
        "As in Dozat (2016) and PyTorch; 1 - q is the product of all mu so far.",
    ),
    Optimizer(
        "radam",
        "Adam whose first steps, of which the variance is not known, are without it",
        "m = beta1*m + (1 - beta1)*g\n"
        "v = beta2*v + (1 - beta2)*g**2\n"
        "mhat = m/(1 - beta1**k)\n"
        "most = 2/(1 - beta2) - 1\n"
        "rho = most - 2*k*beta2**k/(1 - beta2**k)\n"
        "known = max(rho - 4, 0)*(rho - 2)*most/((most - 4)*(most - 2)*rho)\n"
        "w = w - alpha*mhat*where(rho > 5, "
        "sqrt(known*(1 - beta2**k))/(sqrt(v) + eps), 1)",
        ("m", "v"),
        ADAM_SETTINGS,
        "As in Liu and others (2020), with the bound 5 of PyTorch.",
    ),
    Optimizer(
        "adabelief",
        "Adam with the square of what the gradient differs from its running mean",
        "m = beta1*m + (1 - beta1)*g\n"
        "s = beta2*s + (1 - beta2)*(g - m)**2 + eps\n"
        "mhat = m/(1 - beta1**k)\n"
        "shat = s/(1 - beta2**k)\n"
        "w = w - alpha*mhat/(sqrt(shat) + eps)",
        ("m", "s"),
        {**ADAM_SETTINGS, "eps": Fraction(1, 10**16)},
        "As in Zhuang and others (2020).",
    ),
    Optimizer(
        "lion",
        "steps of one size, by the sign of a running mean",
        "c = beta1*m + (1 - beta1)*g\n"
        "m = beta2*m + (1 - beta2)*g\n"
        "w = w - alpha*(sign(c) + decay*w)",
        ("m",),
        {"beta1": BETA1, "beta2": Fraction(99, 100), "decay": 0},
        "As in Chen and others (2023).",
    ),
    Optimizer(
        "lars",
        "momentum whose steps are as large as each parameter allows, by the ratio of two norms",
        "p = norm(entries, w)\n"
        "q = norm(entries, g)\n"
        "trust = where(p > 0, where(q > 0, eta*p/(q + decay*p + eps), 1), 1)\n"
        "v = mu*v + alpha*trust*(g + decay*w)\n"
        "w = w - v",
        ("v",),
        {"mu": BETA1, "eta": Fraction(1, 1000), "decay": 0, "eps": EPS},
        "As in You, Gitman and Ginsburg (2017); the ratio is 1 where a norm is 0.",
    ),
    Optimizer(
        "lamb",
        "Adam with steps that are as large as the parameter itself, by the ratio of two norms",
        f"{MOMENTS}r = mhat/(sqrt(vhat) + eps) + decay*w\n"
        "p = norm(entries, w)\n"
        "q = norm(entries, r)\n"
        "trust = where(p > 0, where(q > 0, p/q, 1), 1)\n"
        "w = w - alpha*trust*r",
        ("m", "v"),
        {**ADAM_SETTINGS, "eps": Fraction(1, 10**6), "decay": 0},
        "As in You and others (2020); the ratio is 1 where a norm is 0.",
    ),
    Optimizer(
        "muon",
        "momentum whose matrix is brought near an orthogonal one by Newton-Schulz steps",
        "v = mu*v + (1 - mu)*g\n"
        "u = (1 - mu)*g + mu*v\n"
        "size = norm(entries, u)\n"
        "X = u/max(size, eps)\n"
        f"{TOWARDS}\n"
        "broad = sqrt(max(1, size(entries)/size(...)**2))\n"
        f"w = w - alpha*(broad*{NEAR} + decay*w)",
        ("v",),
        {
            "mu": Fraction(95, 100),
            "a": Fraction(34445, 10000),
            "b": Fraction(-4775, 1000),
            "c": Fraction(20315, 10000),
            "decay": 0,
            "eps": Fraction(1, 10**7),
        },
        "As in Jordan and others (2024), with Nesterov's momentum: a parameter is a matrix with "
        "its first axis as rows and all others as columns; one with a single axis is a column.",
    ),
)
OPTIMIZERS = {row.name: row for row in ROWS}
