"""What modules compute by themselves: derivatives of the gamma function, and angles."""

from __future__ import annotations

import math
from typing import Any

import pytest
from mpmath import mp

from derive import build
from derive.emit.checked import checked
from derive.pipeline import make
from derive.spec import parse_spec

SPEC = "inputs: {x: [2, 3]}\nmodel: ['E = sum(i, digamma(x[i]) + lgamma(x[i]) + atan2(x[i], 1))']\n"
TARGETS = ("python", "numpy")
ARGUMENTS = ("1e-80", "1e-9", "0.02", "0.5", "1", "1.3", "1.6", "2", "7.25", "150", "1e7", "1e90")


def helpers(target: str) -> dict[str, Any]:
    """The names of a module that needs them all."""
    names: dict[str, Any] = {"__name__": "module"}
    exec(checked(make(build(parse_spec(SPEC, "my.yaml", "my"))).modules[target]), names)
    return names


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("order", range(6))
def test_a_derivative_of_the_gamma_function_keeps_its_digits(target: str, order: int) -> None:
    found = helpers(target)["polygamma"]
    for text in ARGUMENTS:
        x = float(text)
        if abs((order + 1) * math.log10(x)) > 300:
            continue  # beyond what a float holds
        with mp.workdps(60):
            expected = mp.psi(order, mp.mpf(x))
            size = abs(expected) + (0.1 if order == 0 else 0)  # its zero is near 1.46
            assert abs(mp.mpf(float(found(order, x))) - expected) < 1e-14 * size, text


@pytest.mark.parametrize("target", TARGETS)
def test_a_zero_in_an_angle_has_no_sign(target: str) -> None:
    found = helpers(target)["atan2"]
    angles = [found(y, x) for y in (0.0, -0.0) for x in (-1.0, 0.0, -0.0, 1.0)]
    assert [float(a) for a in angles] == [math.pi, 0.0, 0.0, 0.0] * 2


def test_numpy_has_them_for_whole_arrays() -> None:
    names, np = helpers("numpy"), pytest.importorskip("numpy")
    x = np.array([[0.5, 2.0], [3.0, 40.0]])
    for name, exact in (("lgamma", mp.loggamma), ("digamma", mp.digamma)):
        found = names["lgamma"](x) if name == "lgamma" else names["polygamma"](0, x)
        expected = [[float(exact(entry)) for entry in row] for row in x.tolist()]
        assert np.allclose(found, expected, rtol=1e-14, atol=1e-15)
