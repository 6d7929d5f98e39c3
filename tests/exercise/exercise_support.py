"""Sheets of built-in specs, each made once."""

from __future__ import annotations

from functools import cache

from derive.api import load
from derive.exercise.sheet import Blanks, Series, Sheet, series_of, sheet_of

SPECS = ("article", "biases", "neuron", "tiny_rnn", "conv2d_by_hand", "softmax_by_hand")
SEED = 7


@cache
def series(spec: str, blanks: Blanks = Blanks.MIXED) -> Series:
    """A series of a built-in spec."""
    return series_of(load(spec), SEED, blanks)


@cache
def sheet(spec: str, number: int = 1, blanks: Blanks = Blanks.MIXED) -> Sheet:
    """One sheet of it."""
    return sheet_of(series(spec, blanks), number)
