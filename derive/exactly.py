"""Exact values of functions that are not everywhere what mpmath makes of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mpmath import mp, mpf

from derive.limits import LARGEST_POWER

SPARE = 60  # bits: left of a wave for what it is rounded to; beyond those that are asked for
FARTHEST = 330  # of the power of two in a sine: 10^99
OUT = "a sine or cosine is asked for beyond 10^99, where no digit of it is sure"
BEYOND = "a number on the way is beyond 10^1204"


def within(
    function: Callable[[Any], Any], most: int = LARGEST_POWER, why: str = BEYOND
) -> Callable[[Any], Any]:
    """A function that refuses a number so large that its result would take all memory.

    Raises ValueError; towers of exponentials grow that large, and nothing else does. `most` is of
    the power of two.
    """

    def checked(x: Any) -> Any:
        if mp.isfinite(x) and mp.mag(x) > most:
            raise ValueError(why)
        return function(x)

    return checked


def wave(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A sine or cosine, which far out tells of digits that no training has kept."""
    return within(lambda x: _crossed(x, function(x)), FARTHEST, OUT)


def _crossed(x: Any, found: Any) -> Any:
    """A wave where it crosses zero: of sin(π) only the noise of the last digits of π is left."""
    noise = mp.isfinite(x) and found and mp.mag(found) < mp.mag(x) - mp.prec + SPARE
    return mp.zero if noise else found


def raised(base: Any, exponent: Any) -> Any:
    """A power. Raises ValueError as above."""
    if isinstance(exponent, mpf) and mp.isfinite(exponent) and mp.mag(exponent) > LARGEST_POWER:
        raise ValueError(BEYOND)
    return base**exponent


@lru_cache(maxsize=20_000)
def of_gamma(order: int, x: Any, precision: int) -> Any:
    """log(gamma(x)), of order -1, or a derivative of it; at many digits each takes long.

    Raises ValueError where it has no value.
    """
    if not x > 0:
        raise ValueError(f"lgamma and digamma have no value at {mp.nstr(x, 6)}, only above 0")
    return mp.psi(order, x) if order >= 0 else mp.loggamma(x)


@lru_cache(maxsize=20_000)
def of_error(x: Any, precision: int) -> Any:
    """erf x, near its ends by what is missing there: a sum by powers of x has thousands of terms.

    The rest 1 - erf x is all but e^(-x²), so that only the digits after those zeros are asked for;
    its own series has as many right digits as it has zeros before them.
    """
    zeros = x * x / mp.ln2 if mp.isfinite(x) else mp.inf  # before the first bit of the rest
    asked = precision - zeros + SPARE
    if zeros > precision or asked > zeros - SPARE:
        return mp.erf(x)
    with mp.workprec(int(asked)):
        rest = mp.erfc(abs(x))
    return mp.sign(x) * (1 - rest)
