"""The shapes of the steps that are written by hand: of the parameters, the inputs and the targets."""

from __future__ import annotations

Shape = tuple[int, ...]
SHAPES: dict[str, tuple[list[Shape], Shape, Shape]] = {
    **{
        f"784-128-10, {n}": ([(128, 784), (128,), (10, 128), (10,)], (n, 784), (n, 10))
        for n in (32, 128)
    },
    "convolution": ([(8, 1, 3, 3), (8,), (10, 1352), (10,)], (32, 1, 28, 28), (32, 10)),
    "lstm": ([(32, 256), (64, 256), (256,)], (8, 16, 32), (8, 64)),
    "attention": ([(64, 192), (192,), (64, 64), (64,)], (8, 64, 64), (8, 64, 64)),
}
