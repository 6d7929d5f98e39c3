"""Convolution and pooling. Outside its range a tensor reads as zero: that is the padding.

`K` is the kernel, o and c count output and input channels, u, v the places of the output, r, s
those of the kernel. As in every framework the kernel is not turned round (cross-correlation).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from derive.library.row import Layer

SETTINGS: Mapping[str, Fraction | int] = MappingProxyType(
    {"stride": 1, "padding": 0, "dilation": 1}
)


def _place(output: str, kernel: str) -> str:
    return f"stride*{output} + dilation*{kernel} - padding"


def _size(input_: str, kernel: str) -> str:
    return f"(size({input_}) + 2*padding - dilation*(size({kernel}) - 1) - 1)//stride + 1"


def _pool_sizes(**places: str) -> dict[str, str]:
    windows = dict.fromkeys(places.values(), "window")
    return windows | {
        {"h": "u", "w": "v", "i": "u"}[axis]: f"(size({axis}) - window)//stride + 1"
        for axis in places
    }


ROWS = (
    Layer(
        "conv1d",
        "convolution",
        "a kernel moved along one axis",
        ("x[...,c,i]",),
        f"y[...,o,u] = sum(c, r, K[o,c,r]*x[...,c,{_place('u', 'r')}]) + b[o]",
        parameters=("K[o,c,r]", "b[o]"),
        settings=SETTINGS,
        sizes={"u": _size("i", "r")},
    ),
    Layer(
        "conv2d",
        "convolution",
        "a kernel moved over rows and columns",
        ("x[...,c,h,w]",),
        "y[...,o,u,v] = sum(c, r, s, K[o,c,r,s]"
        f"*x[...,c,{_place('u', 'r')},{_place('v', 's')}]) + b[o]",
        parameters=("K[o,c,r,s]", "b[o]"),
        settings=SETTINGS,
        sizes={"u": _size("h", "r"), "v": _size("w", "s")},
    ),
    Layer(
        "conv3d",
        "convolution",
        "a kernel moved through a volume",
        ("x[...,c,d,h,w]",),
        "y[...,o,a,u,v] = sum(c, e, r, s, K[o,c,e,r,s]"
        f"*x[...,c,{_place('a', 'e')},{_place('u', 'r')},{_place('v', 's')}]) + b[o]",
        parameters=("K[o,c,e,r,s]", "b[o]"),
        settings=SETTINGS,
        sizes={"a": _size("d", "e"), "u": _size("h", "r"), "v": _size("w", "s")},
    ),
    Layer(
        "grouped_conv2d",
        "convolution",
        "a convolution in which each group of channels is on its own",
        ("x[...,k,h,w]",),
        "y[...,o,u,v] = sum(a, e, (o == size(e)*a + e)*sum(c, r, s, K[o,c,r,s]"
        f"*x[...,size(c)*a + c,{_place('u', 'r')},{_place('v', 's')}])) + b[o]",
        parameters=("K[o,c,r,s]", "b[o]"),
        settings={**SETTINGS, "groups": 2},
        sizes={
            "a": "groups",
            "e": "size(o)/groups",
            "c": "size(k)/groups",
            "u": _size("h", "r"),
            "v": _size("w", "s"),
        },
    ),
    Layer(
        "depthwise_conv2d",
        "convolution",
        "a kernel of its own for each channel",
        ("x[...,c,h,w]",),
        f"y[...,c,u,v] = sum(r, s, K[c,r,s]*x[...,c,{_place('u', 'r')},{_place('v', 's')}]) + b[c]",
        parameters=("K[c,r,s]", "b[c]"),
        settings=SETTINGS,
        sizes={"u": _size("h", "r"), "v": _size("w", "s")},
    ),
    Layer(
        "causal_depthwise_conv1d",
        "convolution",
        "a kernel of its own for each channel, which sees no later place",
        ("x[...,t,c]",),
        "y[...,t,c] = sum(r, K[c,r]*x[...,t + r + 1 - size(r),c]) + b[c]",
        parameters=("K[c,r]", "b[c]"),
        notes="The last entry of the kernel is that of the place itself, as in Mamba.",
    ),
    Layer(
        "conv_transpose1d",
        "convolution",
        "the transposed convolution along one axis",
        ("x[...,c,i]",),
        "y[...,o,u] = sum(c, i, K[c,o,u + padding - stride*i]*x[...,c,i]) + b[o]",
        parameters=("K[c,o,r]", "b[o]"),
        settings={"stride": 1, "padding": 0},
        sizes={"u": "(size(i) - 1)*stride - 2*padding + size(r)"},
    ),
    Layer(
        "conv_transpose2d",
        "convolution",
        "the transposed convolution over rows and columns",
        ("x[...,c,h,w]",),
        "y[...,o,u,v] = sum(c, h, w, K[c,o,u + padding - stride*h,v + padding - stride*w]"
        "*x[...,c,h,w]) + b[o]",
        parameters=("K[c,o,r,s]", "b[o]"),
        settings={"stride": 1, "padding": 0},
        sizes={
            "u": "(size(h) - 1)*stride - 2*padding + size(r)",
            "v": "(size(w) - 1)*stride - 2*padding + size(s)",
        },
    ),
    Layer(
        "max_pool1d",
        "pooling",
        "the largest value of each window; a tie goes to the first",
        ("x[...,i]",),
        "y[...,u] = max(r, x[...,stride*u + r])",
        settings={"window": 2, "stride": 2},
        sizes=_pool_sizes(i="r"),
    ),
    Layer(
        "max_pool2d",
        "pooling",
        "the largest value of each window; a tie goes to the first",
        ("x[...,h,w]",),
        "y[...,u,v] = max(r, s, x[...,stride*u + r,stride*v + s])",
        settings={"window": 2, "stride": 2},
        sizes=_pool_sizes(h="r", w="s"),
    ),
    Layer(
        "avg_pool1d",
        "pooling",
        "the mean of each window",
        ("x[...,i]",),
        "y[...,u] = mean(r, x[...,stride*u + r])",
        settings={"window": 2, "stride": 2},
        sizes=_pool_sizes(i="r"),
    ),
    Layer(
        "avg_pool2d",
        "pooling",
        "the mean of each window",
        ("x[...,h,w]",),
        "y[...,u,v] = mean(r, s, x[...,stride*u + r,stride*v + s])",
        settings={"window": 2, "stride": 2},
        sizes=_pool_sizes(h="r", w="s"),
    ),
    Layer(
        "global_avg_pool2d",
        "pooling",
        "the mean of a whole channel",
        ("x[...,h,w]",),
        "y[...] = mean(h, w, x[...,h,w])",
    ),
    Layer(
        "global_max_pool2d",
        "pooling",
        "the largest value of a whole channel; a tie goes to the first",
        ("x[...,h,w]",),
        "y[...] = max(h, w, x[...,h,w])",
    ),
)
