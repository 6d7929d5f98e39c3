"""Boxes in layers: apart, in order, and no arrow through a box."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from derive.render.layered import Size, layered

GAP = (1.0, 0.3)
PASS_BY = 0.25
LENGTHS = st.floats(0.2, 2).map(lambda x: round(x, 2))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, Size], list[tuple[str, str]]]:
    names = [f"v{k}" for k in range(draw(st.integers(1, 9)))]
    sizes = {name: Size(draw(LENGTHS), draw(LENGTHS), draw(LENGTHS)) for name in names}
    pairs = list(combinations(names, 2))
    arrows = draw(st.lists(st.sampled_from(pairs), max_size=14)) if pairs else []
    return sizes, arrows


@given(graphs())
def test_nothing_stands_on_anything_else(graph: tuple[dict[str, Size], list[tuple[str, str]]]):
    sizes, arrows = graph
    found = layered(sizes, arrows, GAP, PASS_BY)
    spots = [
        (
            found.layers[name],
            found.centres[name][1] - size.before,
            found.centres[name][1] + size.after,
        )
        for name, size in sizes.items()
    ]
    spots += [
        (layer, across - PASS_BY / 2, across + PASS_BY / 2)
        for passes in found.passes.values()
        for layer, across in passes
    ]
    for one, other in combinations(spots, 2):
        if one[0] == other[0]:
            assert one[2] + GAP[1] <= other[1] + 1e-9 or other[2] + GAP[1] <= one[1] + 1e-9
    assert min(low for _, low, _ in spots) >= -1e-9
    assert max(high for _, _, high in spots) <= found.across + 1e-9
    assert all(end <= found.along + 1e-9 for (_, end), _, _ in spots)


@given(graphs())
def test_every_arrow_leads_on(graph: tuple[dict[str, Size], list[tuple[str, str]]]):
    sizes, arrows = graph
    found = layered(sizes, arrows, GAP, PASS_BY)
    for start, end in arrows:
        way = [found.layers[start], *(layer for layer, _ in found.passes[start, end])]
        way.append(found.layers[end])
        assert all(b[0] - a[1] >= GAP[0] - 1e-9 for a, b in pairwise(way))


def test_a_chain_is_straight_and_what_nothing_leads_to_stands_before_its_reader():
    sizes = {name: Size(1, 0.5, 0.5) for name in "abct"}
    found = layered(sizes, [("a", "b"), ("b", "c"), ("t", "c")], GAP, PASS_BY)
    assert found.centres["a"][1] == found.centres["b"][1]
    assert found.layers["t"] == found.layers["b"]


def test_two_arrows_do_not_cross_where_they_need_not():
    sizes = {name: Size(1, 0.5, 0.5) for name in "abxy"}
    found = layered(sizes, [("a", "y"), ("b", "x")], GAP, PASS_BY)
    up = found.centres["a"][1] < found.centres["b"][1]
    assert up == (found.centres["y"][1] < found.centres["x"][1])
