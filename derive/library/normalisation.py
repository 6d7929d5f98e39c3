"""Normalisation: zero mean and unit variance over some axes, then a factor and a summand."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from derive.library.row import Layer

EPS: Mapping[str, Fraction | int] = MappingProxyType({"eps": Fraction(1, 100_000)})
POPULATION = "The variance divides by the number of values, not by one less."


def _equations(over: str, entry: str, kept: str, channel: str) -> str:
    """Mean, variance, normalised value and output; `kept` are the letters not averaged over."""
    where = f"[{kept}]" if kept else ""
    return f"""
        mu{where} = mean({over}, x[{entry}])
        var{where} = mean({over}, (x[{entry}] - mu{where})**2)
        xhat[{entry}] = (x[{entry}] - mu{where})/sqrt(var{where} + eps)
        y[{entry}] = gamma[{channel}]*xhat[{entry}] + beta[{channel}]
    """


def _row(name: str, summary: str, entry: str, over: str, kept: str, channel: str) -> Layer:
    return Layer(
        name,
        "normalisation",
        summary,
        (f"x[{entry}]",),
        _equations(over, entry, kept, channel),
        parameters=(f"gamma[{channel}]", f"beta[{channel}]"),
        settings=EPS,
        notes=POPULATION,
    )


ROWS = (
    _row(
        "batch_norm",
        "each unit normalised over all samples (training)",
        "...,c",
        "...",
        "c",
        "c",
    ),
    _row(
        "batch_norm2d",
        "each channel normalised over samples, rows and columns (training)",
        "n,c,h,w",
        "n, h, w",
        "c",
        "c",
    ),
    Layer(
        "batch_norm_inference",
        "normalisation",
        "each unit normalised by a given mean and variance",
        ("x[...,c]",),
        "y[...,c] = gamma[c]*(x[...,c] - mean0[c])/sqrt(var0[c] + eps) + beta[c]",
        parameters=("gamma[c]", "beta[c]"),
        constants=("mean0[c]", "var0[c]"),
        settings=EPS,
    ),
    _row("layer_norm", "each sample normalised over its units", "...,d", "d", "...", "d"),
    Layer(
        "rms_norm",
        "normalisation",
        "each sample divided by the root of its mean square",
        ("x[...,d]",),
        """
        ms[...] = mean(d, x[...,d]**2)
        y[...,d] = gamma[d]*x[...,d]/sqrt(ms[...] + eps)
        """,
        parameters=("gamma[d]",),
        settings=EPS,
    ),
    Layer(
        "group_norm",
        "normalisation",
        "each group of channels normalised over its channels, rows and columns",
        ("x[...,c,h,w]",),
        """
        mu[...,a] = mean(e, h, w, x[...,size(e)*a + e,h,w])
        var[...,a] = mean(e, h, w, (x[...,size(e)*a + e,h,w] - mu[...,a])**2)
        xhat[...,a,e,h,w] = (x[...,size(e)*a + e,h,w] - mu[...,a])/sqrt(var[...,a] + eps)
        y[...,c,h,w] = gamma[c]*sum(a, e, (c == size(e)*a + e)*xhat[...,a,e,h,w]) + beta[c]
        """,
        parameters=("gamma[c]", "beta[c]"),
        settings={**EPS, "groups": 2},
        sizes={"a": "groups", "e": "size(c)/groups"},
        notes=POPULATION,
    ),
    _row(
        "instance_norm",
        "each channel of each sample normalised over rows and columns",
        "...,c,h,w",
        "h, w",
        "...,c",
        "c",
    ),
)
