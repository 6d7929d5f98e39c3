"""Windows, reshapes and their adjoints as whole arrays, without grids over all letters."""

from __future__ import annotations

import itertools

import pytest
import sympy

from derive.emit.tree import Fold, How, Loop, Node, Product, Read, Reduce, Within, walk
from derive.emit.windows import is_mixed_radix, linear, without_grids
from derive.expression import Axis, Index
from derive.library.layers import LAYERS
from derive.verify.report import Status
from tests.emit_support import judged, made, source_of, source_of_row

CONVOLUTION = (
    "inputs: {x: {shape: [2, 2, 9], values: 0.3}}\nmodel:\n"
    "  - {layer: conv1d, name: c, inputs: x, output: y, sizes: {o: 2, r: %d},"
    " settings: {stride: %d, padding: %d, dilation: %d}}\nloss: E = sum(n,o,u, y[n,o,u]**2)\n"
)
TRANSPOSED = (
    "inputs: {x: {shape: [2, 2, 4], values: 0.3}}\nmodel:\n"
    "  - {layer: conv_transpose1d, name: c, inputs: x, output: y, sizes: {o: 2, r: %d},"
    " settings: {stride: %d, padding: %d}}\nloss: E = sum(n,o,u, y[n,o,u]**2)\n"
)
POOLING = (
    "inputs: {x: {shape: [2, 7, 8], values: 0.3}}\nmodel:\n"
    "  - {layer: %s, name: q, inputs: x, output: y, settings: {window: %d, stride: %d}}\n"
    "loss: E = sum(n,u,v, y[n,u,v]**2)\n"
)
LARGEST = (
    "parameters: {b: [-0.8, %s]}\nsizes: {i: %d, k: 2}\n"
    "model: ['y[k] = max(i, b[i + 0])*(k + 1)']\n"
    "loss: E = sum(k, (y[k] - 1)**2)\n"
)
READ = """
inputs: {x: {shape: [%d], values: 0.3}, k: {shape: [3], values: 0.1}}
sizes: {u: %d}
model: ['y[u] = %s']
loss: E = sum(u, y[u]**2)
"""
READINGS = {
    "flipped kernel": (5, 3, "sum(r, k[r]*x[u - r + 1])"),
    "every second place backward": (7, 3, "k[u]*x[6 - 2*u]"),
    "beyond both ends": (5, 3, "sum(r, k[r]*x[3*u + 2*r - 4])"),
    "a place read twice": (9, 9, "sum(r, k[r]*x[u + 2*r]**2)*x[u]"),
    "a full convolution": (4, 6, "sum(i, x[i]*k[u - i])"),
    "the place itself is read": (4, 4, "sum(i, x[i]*k[u - i]*x[u])"),
    "what is outside is not zero": (4, 6, "sum(i, exp(x[i])*k[u - i])"),
    "one place beyond": (3, 3, "k[u]*x[u + 1]"),
    "a part of an axis": (9, 3, "k[u]*x[u + 2]*x[2*u]"),
    "divided by what is outside": (4, 6, "sum(i, x[i]*k[u - i]/(x[i]**2 + 2))"),
}
SPECS = {
    **{
        f"conv1d {s}": CONVOLUTION % s for s in itertools.product((2, 3), (1, 2, 3), (0, 2), (1, 2))
    },
    **{f"conv_transpose1d {s}": TRANSPOSED % s for s in itertools.product((2, 3), (1, 3), (0, 1))},
    **{
        f"{row} {s}": POOLING % (row, *s)
        for row in ("max_pool2d", "avg_pool2d")
        for s in ((2, 2), (3, 2), (2, 3), (2, 1))
    },
    "the largest runs beyond the end": LARGEST % ("-0.1", 3),
    "the largest stops before the end": LARGEST % ("-0.1, 0.5", 2),
    **{name: READ % reading for name, reading in READINGS.items()},
}
GRIDS = (
    "what is outside is not zero",
    "every second place backward",
    "the largest runs beyond the end",
    "the largest stops before the end",
)
GATHERED = ("embedding",  # and those that read a diagonal, or the row of a step
            "det", "logdet", "cholesky", "solve", "solve_many", "inv",  # or at two letters' digits
            "pixel_shuffle", "pixel_unshuffle", "circular_pad1d", "same_max_pool2d")  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_windows_are_read_and_laid_back_without_grids(name: str) -> None:
    problem = made(SPECS[name])
    source = source_of(problem, "numpy")
    assert ("ogrid" in source) == (name in GRIDS)
    route = judged(problem, "numpy", source)
    assert route.status is Status.AGREES, route.detail


@pytest.mark.parametrize("name", LAYERS)
def test_no_row_but_a_gather_has_grids(name: str) -> None:
    source = source_of_row(name, "numpy")
    assert ("ogrid" in source) == (name in GATHERED)


def test_pooling_and_flattening_are_reshapes() -> None:
    source = source_of(made(POOLING.replace("7, 8", "6, 8") % ("max_pool2d", 2, 2)), "numpy")
    assert "y = x.reshape(2, 3, 2, 4, 2).max(axis=(2, 4))\n" in source
    assert "is_first_largest(x.reshape(2, 3, 2, 4, 2), (2, 4))" in source
    flat = source_of_row("flatten3", "numpy")
    assert "windows" not in flat
    assert "np.eye" not in flat


@pytest.mark.parametrize(
    ("start", "terms", "size", "expected"),
    [
        (0, [(3, 4), (4, 1)], 12, True),
        (0, [(2, 12), (3, 4), (4, 1)], 24, True),
        (1, [(3, 4), (4, 1)], 12, False),
        (0, [(3, 4), (4, 1)], 13, False),
        (0, [(3, 3), (4, 1)], 12, False),
        (0, [(3, 4), (2, 2)], 12, False),
        (0, [(3, 9), (4, 1)], 12, False),
    ],
)
def test_mixed_radix(start: int, terms: list[tuple[int, int]], size: int, expected: bool) -> None:
    places = [
        start + sum(places) for places in itertools.product(*(range(0, n * s, s) for n, s in terms))
    ]
    assert is_mixed_radix(start, terms, size) == expected == (places == list(range(size)))


def letter(name: str, size: int) -> Index:
    return Index(name, Axis(name, sympy.Integer(size)))


D, U, N = letter("d", 9), letter("u", 7), letter("n", 2)


def test_linear_positions() -> None:
    assert linear(2 * U - D + 3) == (3, {U: 2, D: -1})
    assert linear(sympy.Integer(4)) == (4, {})
    assert linear(U / 2) is None
    assert linear(U * D) is None


def read(name: str, *places: tuple[sympy.Expr, int]) -> Read:
    axes = tuple(Axis(name, sympy.Integer(size)) for _, size in places)
    return Read(name, tuple(place for place, _ in places), axes)


def over_u(*factors: Node) -> Reduce:
    return Reduce(How.TOTAL, Product(factors), (Loop(U, U.axis),))


def test_a_place_that_nothing_else_reads_is_laid_out() -> None:
    folded = without_grids(over_u(read("z", (U, 7)), read("K", (D - U, 3))))
    assert isinstance(folded, Fold)
    (laid,) = folded.places
    assert laid.index == D
    assert [(loop.axis.length, step) for loop, step in laid.terms] == [(7, 1), (3, 1)]
    assert not any(isinstance(node, Reduce) for node in walk(folded))


def test_a_guard_of_what_is_laid_out_is_left_out() -> None:
    folded = without_grids(over_u(read("z", (U, 7)), Within(D - 2 * U, 2)))
    assert isinstance(folded, Fold)
    assert not any(isinstance(node, Within) for node in walk(folded))


def test_a_place_that_is_read_elsewhere_stays_a_letter() -> None:
    summed = without_grids(over_u(read("z", (U, 7)), read("K", (D - U, 3)), read("w", (D, 9))))
    assert isinstance(summed, Reduce)
    assert summed.loops[0].axis.length == 3


def test_a_window_is_read_where_it_is() -> None:
    """A window is shorter than what it is read from; its letter stays."""
    windows = over_u(read("K", (U, 7)), read("x", (2 * D + U, 23)))
    assert without_grids(windows) == windows


def test_a_sum_runs_no_further_where_nothing_is_zero() -> None:
    bare = Reduce(
        How.TOTAL, Product((read("K", (U - 2 * D, 3)),), (read("z", (U, 7)),)), (Loop(U, U.axis),)
    )
    assert without_grids(bare) == bare
