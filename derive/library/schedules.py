"""Schedules: the learning rate of an update as a formula in its number.

`alpha` is the learning rate of the spec, `k` the number of the update from 1. The setting `steps`
is usually the number of updates of the training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from derive.library.row import Number


@dataclass(frozen=True)
class Schedule:
    """A schedule: its formula and the usual values of its settings.

    `shares` are settings strictly between 0 and 1.
    """

    name: str
    summary: str
    formula: str
    settings: Mapping[str, Number] = field(default_factory=dict)
    notes: str = ""
    shares: tuple[str, ...] = ()


STEPS = {"steps": 100}  # replaced by the number of updates of the training
LEAST = {"least": Fraction(0)}
FALL = "(1 + cos(pi*{}))/2"

ROWS = (
    Schedule(
        "step",
        "multiplied by a factor every so many updates",
        "alpha*factor**((k - 1)//every)",
        {"factor": Fraction(1, 10), "every": 30},
    ),
    Schedule(
        "exponential",
        "multiplied by a factor at each update",
        "alpha*factor**(k - 1)",
        {"factor": Fraction(99, 100)},
    ),
    Schedule(
        "inverse",
        "divided by a number that grows with each update, as 1/t",
        "alpha/(1 + fall*(k - 1))",
        {"fall": Fraction(1, 100)},
    ),
    Schedule(
        "linear",
        "on a straight line down to the least",
        "alpha + (least - alpha)*min((k - 1)/steps, 1)",
        {**STEPS, **LEAST},
    ),
    Schedule(
        "polynomial",
        "by a power of the share of updates that are left",
        "alpha*(1 - min((k - 1)/steps, 1))**power",
        {**STEPS, "power": 2},
    ),
    Schedule(
        "cosine",
        "on half a wave of the cosine down to the least",
        f"least + (alpha - least)*{FALL.format('min((k - 1)/steps, 1)')}",
        {**STEPS, **LEAST},
        "As in Loshchilov and Hutter (2017), without restarts.",
    ),
    Schedule(
        "warmup",
        "on a straight line up, then constant",
        "alpha*min(k/warm, 1)",
        {"warm": 10},
    ),
    Schedule(
        "warmup_cosine",
        "on a straight line up, then on half a wave of the cosine down to the least",
        "where(k <= warm, alpha*k/warm, least + (alpha - least)"
        f"*{FALL.format('min((k - 1 - warm)/max(steps - warm, 1), 1)')})",
        {"warm": 10, **STEPS, **LEAST},
    ),
    Schedule(
        "inverse_sqrt",
        "on a straight line up, then by the root of the number of the update down",
        "alpha*min(k/warm, sqrt(warm/k))",
        {"warm": 10},
        "As of transformers, Vaswani and others (2017); alpha is the largest rate, that of the "
        "update number warm.",
    ),
    Schedule(
        "one_cycle",
        "from a part up to the whole and down to nearly nothing, on two halves of a cosine",
        "where(k <= rise*steps, "
        f"alpha + (alpha/start - alpha)*{FALL.format('(k - 1)/max(rise*steps - 1, 1)')}, "
        "alpha/start/end + (alpha - alpha/start/end)"
        f"*{FALL.format('min((k - rise*steps)/(steps - rise*steps), 1)')})",
        {**STEPS, "rise": Fraction(3, 10), "start": 25, "end": 10_000},
        "As of PyTorch: alpha is the largest rate.",
        ("rise",),
    ),
)
SCHEDULES = {row.name: row for row in ROWS}
