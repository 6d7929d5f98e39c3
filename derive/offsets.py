"""How far away from the step that is being computed a recurrence reads."""

from __future__ import annotations

import sympy

from derive.places import exact_range


def away(offset: sympy.Expr) -> str:
    """Where a reading lies that does not go back along the index."""
    span = exact_range(offset)
    if span is None:
        return "is not a fixed number of steps away"
    if span == (0, 0):
        return "is the step that is being computed"
    if span[0] < 0 < span[1]:
        return "goes both ways"
    return "may be the step that is being computed" if 0 in span else "goes the other way"


def most(offset: sympy.Expr) -> int | None:
    """The largest value of an offset over all values of its indices; None if nobody can tell."""
    ends = exact_range(offset)
    return None if ends is None else ends[1]
