"""Small uses of the rows of the library, with numbers that show what a layer does.

Sizes differ where a reader could mix axes up; a softmax and a normalisation have at least three
entries to work on, and heads have the size 2, so that their root stays visible.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from math import prod

import sympy

from derive.expression import Axis
from derive.graph import Quantity, Role
from derive.library.instantiate import Instance, instantiate
from derive.library.row import Layer, Number, signature

USUAL, ALONE = 2, 4
OPEN = "..."  # in a table of sizes: how many entries the further axis has; 0 for no such axis
SIZES: Mapping[str, Mapping[str, int]] = {
    "linear": {"i": 3},
    "matrix": {OPEN: 0},
    "convolution": {OPEN: 0, "i": 4, "h": 3, "w": 3},
    "pooling": {"i": 4, "h": 4, "w": 4},
    "normalisation": {"d": 4},
    "recurrent": {OPEN: 0, "t": 3},
    "attention": {OPEN: 0, "r": 3},
    "resampling": {OPEN: 0, "i": 3},
    "activation": {"h": 3},
    "loss": {"o": 3, "d": 3},
}
SIZES_OF: Mapping[str, Mapping[str, int]] = {
    "bilinear": {"i": 2, "j": 3},
    "embedding": {OPEN: 3, "v": 3},
    "concatenate": {"i": 2, "k": 3},
    "flatten": {"i": 2, "k": 3},
    "reshape": {"j": 6},
    "matmul": {"j": 3},
    "conv3d": {"c": 1, "d": 3, "w": 2, "o": 1},
    "grouped_conv2d": {"k": 4, "w": 2},
    "conv_transpose1d": {"i": 3},
    "conv_transpose2d": {"h": 2, "w": 2, "o": 1},
    "same_max_pool1d": {"i": 3},
    "same_max_pool2d": {OPEN: 0, "h": 3, "w": 2},
    "same_avg_pool1d": {"i": 3},
    "same_avg_pool2d": {OPEN: 0, "h": 3, "w": 2},
    "reflect_pad2d": {"h": 2, "w": 3},
    "pixel_shuffle": {"k": 4, "w": 1},
    "pixel_unshuffle": {"c": 1, "h": 4},
    "max_pool2d": {OPEN: 0},
    "avg_pool2d": {OPEN: 0},
    "global_avg_pool2d": {"h": 2, "w": 2},
    "global_max_pool2d": {"h": 2, "w": 2},
    "batch_norm": {OPEN: 3},
    "batch_norm_inference": {OPEN: 3},
    "group_norm": {OPEN: 0, "c": 4},
    "causal_attention": {"t": 3},
    "sliding_window_attention": {"t": 3},
    "grouped_query_attention": {"a": 4},
    "mixture_of_experts": {OPEN: 0, "k": 3},
    "multi_head_attention": {"t": 3, "i": 4},
    "causal_multi_head_attention": {"t": 3, "i": 4},
    "transformer_encoder_block": {"i": 4, "f": 3},
    "transformer_encoder_block_prenorm": {"i": 4, "f": 3},
    "glu": {"j": 4},
    "swiglu": {"h": 2, "i": 3},
    "maxout": {"h": 2, "i": 3},
}
WIDE: Mapping[str, int] = {"hard_tanh": 2, "hard_sigmoid": 5}  # so that both ends are reached
CHOSEN: Mapping[str, Mapping[str, str]] = {"dropout": {"keep": "0.5"}}
POSITIVE = ("gamma", "var", "share")
MASK = (1, 1, 0, 1, 0)
PICKS = (1, 0)  # by turns, so that with three tokens one of them comes twice


def example(
    row: Layer, name: str = "", samples: bool = True
) -> tuple[Mapping[str, Quantity], Instance]:
    """A small use of a layer under a name: its inputs, and what it makes of them.

    `samples` gives every open layer a further axis, also where one sample tells as much.
    """
    sizes = {**SIZES.get(row.group, {}), **SIZES_OF.get(row.name, {})}
    further = sizes.get(OPEN, _usual(row)) or (USUAL if samples else 0)
    axes: dict[str, Axis] = {}
    inputs = {}
    for operand in map(signature, row.inputs):
        letters = operand.over(("n",) if further else ())
        for letter in letters:
            size = further if letter == "n" and operand.open is not None else sizes.get(letter)
            axes.setdefault(letter, Axis(letter, sympy.Integer(size or USUAL)))
        inputs[operand.name] = Quantity(
            operand.name,
            operand.name,
            tuple(axes[letter] for letter in letters),
            Role.INPUT,
            integer=operand.name in row.integers,
        )
    brought = [letter for text in row.operands for letter in signature(text).letters]
    unknown = {letter for letter in brought if letter not in axes and letter not in row.sizes}
    made = instantiate(
        row, name, inputs, {}, {letter: sizes.get(letter, USUAL) for letter in sorted(unknown)}
    )
    return inputs, made


def _usual(row: Layer) -> int:
    """How many entries an open row is shown with: more, if it has no other axis."""
    return USUAL if any(signature(text).letters for text in row.inputs) else ALONE


@dataclass(frozen=True)
class Numbers:
    """Numbers for the quantities of one row; the same row always gets the same."""

    row: Layer
    source: random.Random

    def of(self, own: str, quantity: Quantity) -> tuple[Number | str, ...]:
        """One number for each entry of a quantity that the row calls `own`."""
        count = prod(quantity.shape)
        if quantity.integer:
            return tuple(islice(cycle(PICKS), count))
        if own == "mask":
            return tuple(islice(cycle(MASK), count))
        wide = WIDE.get(self.row.name, 1) if own == "x" else 1
        found = tuple(islice(self._tenths(10 * wide - 1), count))
        if self.row.group == "matrix" and own == "A":
            found = self._definite(quantity, found)
        return tuple(text.lstrip("-") for text in found) if own.startswith(POSITIVE) else found

    @staticmethod
    def _definite(quantity: Quantity, drawn: tuple[str, ...]) -> tuple[str, ...]:
        """A symmetric matrix with a diagonal that outweighs the rest, so that no pivot is 0."""
        size, last = quantity.shape[-2:]
        if size != last:
            return drawn
        block, found = size * size, []
        for k in range(len(drawn)):
            start, (row, column) = k - k % block, divmod(k % block, size)
            low, high = sorted((row, column))
            own = drawn[start + size * high + low]
            found.append(f"{size + float(own):g}" if row == column else own)
        return tuple(found)

    def _tenths(self, most: int) -> Iterator[str]:
        """Numbers with one decimal, which come again only after all others.

        So no window of a pool has a tie. Whole numbers are left out: kinks lie there.
        """
        pool = [f"{k / 10:g}" for k in range(-most, most + 1) if k % 10]
        self.source.shuffle(pool)
        return cycle(pool)
