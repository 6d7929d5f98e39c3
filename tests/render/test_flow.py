"""The computation graph of a model: what is drawn is what is read, and no label is on another."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

import derive
from derive.expression import elements
from derive.graph import Role, adjoint_name
from derive.library.layers import LAYERS
from derive.problem import Problem
from derive.render.flow import Flow, flow_of
from derive.render.flowfigure import MOST, flow_figure
from derive.render.model_form import ModelForm
from derive.render.placement import FOOTNOTE_EM, SCRIPT_EM, Box, overlap, text_width
from derive.scaffold import scaffold
from derive.spec import parse_spec

RECURRENT = (
    "inputs: {x: [1, 2, 3]}\nparameters: {w: 0.5, u: 0.1}\ntargets: {y: [0.5, 1, 1.5]}\n"
    "model: ['a[t] = w*x[t] + u*h[t-1]', 'h[t] = tanh(a[t])', 'E = sum(t, (h[t] - y[t])**2)']\n"
)
NODE = re.compile(r"\\node\[derive (\w+)([^\]]*)\] at \(([-\d.]+),([-\d.]+)\) \{\$(.*)\$\};")
FRAME = re.compile(
    r"\\draw\[derive quantity.*\(([-\d.]+),([-\d.]+)\) rectangle \(([-\d.]+),([-\d.]+)\);"
)
ROWS = sorted(LAYERS)
FEW = ("dense", "lstm", "conv2d", "layer_norm", "transformer_encoder_block", "bidirectional_rnn")


def problem(text: str) -> Problem:
    return derive.build(parse_spec(text, "spec.yaml", "spec"))


def form_of(text: str) -> ModelForm:
    found = problem(text)
    return ModelForm(found, derive.differentiate(found.graph, found.wanted))


def flow(text: str) -> Flow:
    return flow_of(form_of(text))


def test_one_step_of_a_recurrence_is_drawn():
    found = flow(RECURRENT)
    assert [v.symbol for v in found.vertices if v.earlier] == ["h_{t-1}"]
    ways = {(arrow.source, arrow.target): arrow.back for arrow in found.arrows}
    assert ways == {
        ("x", "a"): True,
        ("h[t - 1]", "a"): True,
        ("a", "h"): True,
        ("h", "E"): True,
        ("y", "E"): False,
    }
    assert {v.name: v.parameters for v in found.vertices if v.parameters} == {"a": ("w", "u")}
    assert {v.name: v.shape for v in found.vertices if v.shape} == dict.fromkeys("xahy", "3")


@pytest.mark.parametrize("name", ROWS)
def test_what_is_drawn_is_what_is_read(name: str):
    form = form_of(scaffold(name, network=False))
    graph, found = form.problem.graph, flow_of(form)
    given = {q.name for q in graph.of_role(Role.PARAMETER)}
    read = {
        (e.name, equation.quantity.name)
        for equation in graph.equations
        for e in elements(equation.rhs)
        if e.name not in given
    }
    assert {(a.source.partition("[")[0], a.target) for a in found.arrows} == read
    known = form.derivation.backward.quantities
    for arrow in found.arrows:
        target = arrow.target == graph.loss.name or adjoint_name(arrow.target) in known
        assert arrow.back == (target and adjoint_name(arrow.source.partition("[")[0]) in known)


def _labels(tikz: str) -> list[Box]:
    """The room of every piece of text."""
    found = []
    for kind, more, x, y, tex in NODE.findall(tikz):
        wide = text_width(tex, FOOTNOTE_EM if kind == "symbol" else SCRIPT_EM)
        shift = {"anchor=west": wide / 2, "anchor=east": -wide / 2}.get(more.strip(", "), 0.0)
        found.append(Box((float(x) + shift, float(y)), wide, 0.22))
    return found


def _frames(tikz: str) -> list[Box]:
    found = []
    for match in FRAME.findall(tikz):
        x, y, right, top = map(float, match)
        found.append(Box(((x + right) / 2, (y + top) / 2), right - x, top - y))
    return found


@pytest.mark.parametrize("name", [*FEW, pytest.param("all", marks=pytest.mark.slow)])
def test_no_label_is_on_another_or_on_a_box(name: str):
    drawn = 0
    for each in ROWS if name == "all" else [name]:
        tikz = flow_figure(flow(scaffold(each, network=False)))
        labels, frames = _labels(tikz), _frames(tikz)
        assert not [pair for pair in combinations(labels, 2) if overlap(*pair)], each
        assert not [pair for pair in combinations(frames, 2) if overlap(*pair)], each
        outside = [box for box in labels if not any(_within(box, frame) for frame in frames)]
        assert not [(a, b) for a in outside for b in frames if overlap(a, b)], each
        drawn += bool(tikz)
    assert drawn > (len(ROWS) / 2 if name == "all" else 0)


def _within(label: Box, frame: Box) -> bool:
    (x, y), (u, v) = label.centre, frame.centre
    return abs(x - u) <= frame.width / 2 and abs(y - v) <= frame.height / 2


def test_a_graph_that_no_eye_follows_is_not_drawn():
    chain = "".join(f"  - y{k + 1} = tanh(y{k})\n" for k in range(MOST))
    text = f"inputs: {{y0: 1}}\nmodel:\n{chain}loss: E = y{MOST}**2\ngradients: [y0]\n"
    assert flow_figure(flow(text)) == ""


def test_the_page_tells_what_the_picture_shows():
    made = derive.make(problem(RECURRENT))
    text = made.texts["en"]
    assert r"\label{fig:flow}" in text and "in one step" in text
    assert "A dashed box is what another step has made: $h_{t-1}$." in text
    still = derive.make(
        problem("inputs: {x: [1, 2]}\nmodel: ['y[k] = 2*x[k]', 'z[k] = y[k]**2', 'u[k] = z[k]']\n")
    )
    told = still.texts["en"]
    assert "red" not in told[told.index(r"\caption") : told.index(r"\label{fig:flow}")]


def test_a_long_computation_is_broken_where_one_box_is_all_that_is_read_later():
    found = flow(scaffold("transformer_encoder_block", network=False))
    tikz = flow_figure(found)
    assert tikz.count("derive repeated") == 2
    assert len(_frames(tikz)) == len(found.vertices) + 2
    assert tikz.count("derive flow]") == len(found.arrows)
    symbols = [tex for kind, *_, tex in NODE.findall(tikz) if kind == "symbol"]
    assert {tex for tex in symbols if symbols.count(tex) > 1} == {"u^{(1)}", "u^{(2)}"}


def test_joints_are_single_boxes_behind_which_nothing_else_is_read():
    chain = flow(RECURRENT)
    assert [name for _, name in chain.joints()] == ["a"]  # y is read beside h
    first, last = chain.between(-1, 1), chain.between(1, 9, "a")
    assert {v.name for v in first.vertices} | {v.name for v in last.vertices} == {
        v.name for v in chain.vertices
    }
    assert len(first.arrows) + len(last.arrows) == len(chain.arrows)
    assert [(v.name, v.gradient) for v in last.vertices if v.repeated] == [("a", "")]
