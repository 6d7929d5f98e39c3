"""Places brought elsewhere: paddings, 'same' windows, shuffled and repeated pixels, a few bins.

`//` rounds down, `%` is what remains; of the letters, those of the output are u and v.
"""

from __future__ import annotations

from derive.library.row import Layer

BEYOND = "-1e30"  # what is not there is below everything


def _same(outputs: str, inputs: str, reach: str) -> dict[str, str]:
    """As many outputs as strides fit; p counts what must be added, and one more."""
    sizes: dict[str, str] = {}
    for output, input_, kernel, added in zip(outputs, inputs, reach, "pq", strict=False):
        sizes[output] = f"(size({input_}) + stride - 1)//stride"
        width = f"dilation*(size({kernel}) - 1)" if kernel != "." else "window - 1"
        sizes[added] = f"max((size({output}) - 1)*stride + {width} + 1 - size({input_}), 0) + 1"
    return sizes


def _place(output: str, kernel: str, added: str, dilation: str = "") -> str:
    """Half of what is added stands before, and a half left over behind."""
    return f"stride*{output} + {dilation}{kernel} - (size({added}) - 1)//2"


U, V = _place("u", "r", "p"), _place("v", "s", "q")
SAME = {"stride": 1, "dilation": 1}
WINDOW = {"window": 2, "stride": 2}
SAME_NOTE = (
    "As many outputs as inputs, or one for each stride: what is added is halved, and if it is odd, "
    "there is one more behind, as in TensorFlow, and with stride 1 as in PyTorch. Where strides "
    "leave places out, nothing is added."
)
ROWS = (
    Layer(
        "same_conv1d",
        "convolution",
        "a kernel moved along one axis, with zeros at the ends so that the length stays",
        ("x[...,c,i]",),
        f"y[...,o,u] = sum(c, r, K[o,c,r]*x[...,c,{_place('u', 'r', 'p', 'dilation*')}]) + b[o]",
        parameters=("K[o,c,r]", "b[o]"),
        settings=SAME,
        sizes=_same("u", "i", "r"),
        notes=SAME_NOTE,
    ),
    Layer(
        "same_conv2d",
        "convolution",
        "a kernel moved over rows and columns, with zeros around so that the size stays",
        ("x[...,c,h,w]",),
        "y[...,o,u,v] = sum(c, r, s, K[o,c,r,s]*x[...,c,"
        f"{_place('u', 'r', 'p', 'dilation*')},{_place('v', 's', 'q', 'dilation*')}]) + b[o]",
        parameters=("K[o,c,r,s]", "b[o]"),
        settings=SAME,
        sizes=_same("uv", "hw", "rs"),
        notes=SAME_NOTE,
    ),
    Layer(
        "same_max_pool1d",
        "pooling",
        "the largest value of each window that reaches over the ends; a tie goes to the first",
        ("x[...,i]",),
        f"y[...,u] = max(r, where(0 <= {U} < size(i), x[...,{U}], {BEYOND}))",
        settings=WINDOW,
        sizes={**_same("u", "i", "."), "r": "window"},
        notes=SAME_NOTE,
    ),
    Layer(
        "same_max_pool2d",
        "pooling",
        "the largest value of each window that reaches over the edge; a tie goes to the first",
        ("x[...,h,w]",),
        f"y[...,u,v] = max(r, s, where(0 <= {U} < size(h), where(0 <= {V} < size(w), "
        f"x[...,{U},{V}], {BEYOND}), {BEYOND}))",
        settings=WINDOW,
        sizes={**_same("uv", "hw", ".."), "r": "window", "s": "window"},
        notes=SAME_NOTE,
    ),
    Layer(
        "same_avg_pool1d",
        "pooling",
        "the mean of what is there of each window that reaches over the ends",
        ("x[...,i]",),
        f"y[...,u] = sum(r, x[...,{U}])/sum(r, where(0 <= {U} < size(i), 1, 0))",
        settings=WINDOW,
        sizes={**_same("u", "i", "."), "r": "window"},
        notes=SAME_NOTE,
    ),
    Layer(
        "same_avg_pool2d",
        "pooling",
        "the mean of what is there of each window that reaches over the edge",
        ("x[...,h,w]",),
        f"y[...,u,v] = sum(r, s, x[...,{U},{V}])/sum(r, where(0 <= {U} < size(h), 1, 0))"
        f"/sum(s, where(0 <= {V} < size(w), 1, 0))",
        settings=WINDOW,
        sizes={**_same("uv", "hw", ".."), "r": "window", "s": "window"},
        notes=SAME_NOTE,
    ),
    Layer(
        "adaptive_avg_pool1d",
        "pooling",
        "the mean of each of a few bins of one length",
        ("x[...,i]",),
        "y[...,u] = mean(r, x[...,size(r)*u + r])",
        settings={"bins": 2},
        sizes={"u": "bins", "r": "size(i)/bins"},
    ),
    Layer(
        "adaptive_avg_pool2d",
        "pooling",
        "the mean of each of a few bins of one size",
        ("x[...,h,w]",),
        "y[...,u,v] = mean(r, s, x[...,size(r)*u + r,size(s)*v + s])",
        settings={"bins": 2},
        sizes={"u": "bins", "v": "bins", "r": "size(h)/bins", "s": "size(w)/bins"},
    ),
    Layer(
        "reflect_pad1d",
        "resampling",
        "what is near an end, mirrored at the last place",
        ("x[...,i]",),
        "y[...,u] = where(u < padding, x[...,padding - u], "
        "where(u < size(i) + padding, x[...,u - padding], x[...,2*size(i) - 2 + padding - u]))",
        settings={"padding": 1},
        sizes={"u": "size(i) + 2*padding"},
    ),
    Layer(
        "reflect_pad2d",
        "resampling",
        "what is near an edge, mirrored at the last row and column",
        ("x[...,h,w]",),
        "z[...,u,w] = where(u < padding, x[...,padding - u,w], "
        "where(u < size(h) + padding, x[...,u - padding,w], x[...,2*size(h) - 2 + padding - u,w]))"
        "\ny[...,u,v] = where(v < padding, z[...,u,padding - v], "
        "where(v < size(w) + padding, z[...,u,v - padding], z[...,u,2*size(w) - 2 + padding - v]))",
        settings={"padding": 1},
        sizes={"u": "size(h) + 2*padding", "v": "size(w) + 2*padding"},
    ),
    Layer(
        "circular_pad1d",
        "resampling",
        "what is at one end, before the other one",
        ("x[...,i]",),
        "y[...,u] = x[...,(u - padding) % size(i)]",
        settings={"padding": 1},
        sizes={"u": "size(i) + 2*padding"},
    ),
    Layer(
        "upsample_nearest1d",
        "resampling",
        "each place several times",
        ("x[...,i]",),
        "y[...,u] = x[...,u // factor]",
        settings={"factor": 2},
        sizes={"u": "size(i)*factor"},
    ),
    Layer(
        "upsample_nearest2d",
        "resampling",
        "each pixel as a square of several",
        ("x[...,h,w]",),
        "y[...,u,v] = x[...,u // factor,v // factor]",
        settings={"factor": 2},
        sizes={"u": "size(h)*factor", "v": "size(w)*factor"},
    ),
    Layer(
        "pixel_shuffle",
        "resampling",
        "channels laid out as a larger picture",
        ("x[...,k,h,w]",),
        "y[...,c,u,v] = x[...,factor*factor*c + factor*(u % factor) + v % factor,"
        "u // factor,v // factor]",
        settings={"factor": 2},
        sizes={
            "c": "size(k)/(factor*factor)",
            "u": "size(h)*factor",
            "v": "size(w)*factor",
        },
        notes="Sub-pixel convolution of Shi et al. (2016) is a convolution and this.",
    ),
    Layer(
        "pixel_unshuffle",
        "resampling",
        "a picture as channels of smaller ones",
        ("x[...,c,h,w]",),
        "y[...,k,u,v] = x[...,k // (factor*factor),factor*u + k // factor % factor,"
        "factor*v + k % factor]",
        settings={"factor": 2},
        sizes={
            "k": "size(c)*factor*factor",
            "u": "size(h)/factor",
            "v": "size(w)/factor",
        },
    ),
)
