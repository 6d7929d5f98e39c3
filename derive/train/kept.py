"""A standing ⇄ the bytes of a file, and what is told of a training: a table and a picture."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import InputError
from derive.templating import environment
from derive.train.course import Line, Standing

WIDE, HIGH = 640, 360
LEFT, RIGHT, CEILING, FLOOR = 70, 620, 40, 320
DECADES = 30  # times that the largest loss is the smallest
MARKS = 5


def packed(standing: Standing, of: Mapping[str, Any]) -> bytes:
    """Where a training stands and what it is of, as the bytes of a file `.npz`."""
    arrays = {f"parameter {k}": value for k, value in enumerate(standing.parameters)}
    arrays |= {f"state {k}": value for k, value in enumerate(standing.state or ())}
    told = {
        "of": of,
        "epoch": standing.epoch,
        "place": standing.place,
        "number": standing.number,
        "total": standing.total,
        "history": [asdict(line) for line in standing.history],
    }
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    return _npz(arrays)


def unpacked(data: bytes, beginning: Standing) -> tuple[Standing, dict[str, Any]]:
    """The standing of a file, in the records of a beginning, and what it is of.

    Raises InputError.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            told = json.loads(held["told"].tobytes())
            parameters = _record(beginning.parameters, "parameter", held)
            state = None if beginning.state is None else _record(beginning.state, "state", held)
        history = tuple(Line(**line) for line in told["history"])
        numbers = {name: told[name] for name in ("epoch", "place", "number", "total")}
        return Standing(parameters, state, history=history, **numbers), told["of"]
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile):
        raise InputError("the checkpoint is not one of this program") from None


def _record(like: Any, what: str, held: Mapping[str, NDArray[Any]]) -> Any:
    values = [held[f"{what} {k}"] for k in range(len(like))]
    if any(np.shape(value) != np.shape(old) for value, old in zip(values, like, strict=True)):
        raise InputError("the checkpoint is of parameters of another shape")
    return type(like)(*[value if value.ndim else value.item() for value in values])


def weights(parameters: Any) -> bytes:
    """The parameters by name, as the bytes of a file `.npz`."""
    return _npz(parameters._asdict())


def _npz(arrays: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **dict(arrays))
    return file.getvalue()


def table(history: Sequence[Line]) -> str:
    """The losses of a training as CSV, an epoch a row."""
    tested = any(line.test is not None for line in history)
    rows = ["epoch,updates,loss" + (",test_loss" if tested else "")]
    for line in history:
        cells = [str(line.epoch), str(line.updates), repr(line.loss)]
        rows.append(",".join([*cells, repr(line.test)] if tested else cells))
    return "\n".join(rows) + "\n"


def picture(history: Sequence[Line], title: str) -> str:
    """The losses of a training as SVG, on a logarithmic scale where they span decades."""
    curves = {
        "loss": [(line.epoch, line.loss) for line in history],
        "test loss": [(line.epoch, line.test) for line in history if line.test is not None],
    }
    shown = [value for curve in curves.values() for _, value in curve if math.isfinite(value)]
    low, high, last = min(shown), max(shown), max(history[-1].epoch, 2)
    decades = low > 0 and high / low > DECADES
    form: Callable[[float], float] = math.log10 if decades else float
    room = (form(high) - form(low)) / 20 or abs(form(high)) / 20 or 1.0
    bottom, top = form(low) - room, form(high) + room

    def across(epoch: float) -> float:
        return round(LEFT + (epoch - 1) / (last - 1) * (RIGHT - LEFT), 1)

    def up(value: float) -> float:
        return round(FLOOR - (form(value) - bottom) / (top - bottom) * (FLOOR - CEILING), 1)

    marks = _decades(bottom, top) if decades else _even(bottom, top)
    return (
        environment("html")
        .get_template("train/loss.svg.j2")
        .render(
            title=title,
            wide=WIDE,
            high=HIGH,
            left=LEFT,
            right=RIGHT,
            floor=FLOOR,
            ceiling=CEILING,
            curves={
                name: [(across(epoch), up(value)) for epoch, value in curve if math.isfinite(value)]
                for name, curve in curves.items()
                if curve
            },
            heights=[(up(value), f"{value:g}") for value in marks],
            epochs=[(across(epoch), f"{epoch:g}") for epoch in _even(1, last) if epoch % 1 == 0],
        )
    )


def _even(low: float, high: float) -> list[float]:
    """Round numbers at equal distances within a range, five or so."""
    rough = (high - low) / MARKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.999)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    """The numbers 1, 2 and 5 of each decade within a range of exponents; of many only the 1."""
    powers = range(math.floor(low), math.floor(high) + 1)
    digits = (1, 2, 5) if len(powers) <= MARKS - 2 else (1,)
    found = (float(f"{m}e{power}") for power in powers for m in digits)
    return [value for value in found if low <= math.log10(value) <= high]
