"""The figures: what is drawn, that nothing covers anything, and that TeX accepts all of it."""

from __future__ import annotations

import itertools
import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path as File

import pytest

from derive.render import figures as fig
from derive.render import placement as room
from derive.render.figures import Edge, Network, Node, Path, network_figure, path_figure
from derive.render.placement import FOOTNOTE_EM, SCRIPT_EM, Box, overlap, place, segment

PREAMBLE = File(__file__).parents[2] / "templates" / "figures" / "preamble.tex.j2"
SHAPES = [(2, 2, 2), (3, 4, 2), (2, 3, 3, 3, 2), (2, 1)]
NETWORKS = [(shape, bias) for shape in SHAPES for bias in (False, True)]
LABELS = ["name", "value", "both"]
TOTAL = Node("E", r"E_{\mathrm{total}}")
NUMBER = r"(-?[\d.]+(?:e-?\d+)?)"
PLACE = rf"\({NUMBER},{NUMBER}\)"


def letter(column: int, shape: Sequence[int]) -> str:
    return "i" if column == 0 else "o" if column == len(shape) - 1 else f"h{column}"


def label(kind: str, letter: str, count: int) -> str:
    name, value = f"{letter}_{{{count}}}", f"{0.1 + count / 20:.2f}"
    return {"name": name, "value": value, "both": f"{name} = {value}"}[kind]


def network(shape: Sequence[int], bias: bool, kind: str = "name") -> Network:
    columns = [
        [Node(f"{letter(c, shape)}.{k}", f"{letter(c, shape)}_{{{k}}}") for k in range(1, size + 1)]
        for c, size in enumerate(shape)
    ]
    edges: list[Edge] = []
    for left, right in itertools.pairwise([tuple(column) for column in columns]):
        for target, source in itertools.product(right, left):
            edges.append(Edge(source.key, target.key, label(kind, "w", len(edges) + 1)))
    for index, right in enumerate([tuple(column) for column in columns[1:]]) if bias else ():
        columns[index].append(Node(f"bias{index}", "1"))
        edges += [Edge(f"bias{index}", target.key, label(kind, "b", index)) for target in right]
    outputs = [Node(f"out{k}", rf"\mathrm{{out}}_{{o{k}}}") for k in range(shape[-1])]
    targets = [Node(f"t{k}", f"t_{{{k}}} = 0.99") for k in range(shape[-1])]
    return Network(tuple(map(tuple, columns)), tuple(edges), tuple(targets), tuple(outputs))


def fraction(above: str, below: str) -> str:
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


def paths(net: Network, column: int) -> list[Path]:
    """All ways from the total error to the first weight between a column and the next."""
    columns = [[node for node in c if not node.is_bias] for c in net.columns]
    found = []
    later = [columns[column + 1][:1], *columns[column + 2 :]]
    for chain in itertools.product(*later):
        output = columns[-1].index(chain[-1])
        stations, factors = [TOTAL.key, f"E{output}"], [fraction(TOTAL.label, f"E_{{o{output}}}")]
        before = f"E_{{o{output}}}"
        for unit in reversed(chain):
            out, into = rf"\mathrm{{out}}_{{{unit.label}}}", rf"\mathrm{{net}}_{{{unit.label}}}"
            stations += [f"{unit.key}.out", f"{unit.key}.net"]
            factors += [fraction(before, out), fraction(out, into)]
            before = into
        stations.append(columns[column][0].key)
        found.append(Path(tuple(stations), (*factors, fraction(before, "w_{1}"))))
    return found


def back(shape: Sequence[int], bias: bool, column: int) -> str:
    net = network(shape, bias)
    errors = [Node(f"E{k}", f"E_{{o{k}}}") for k in range(shape[-1])]
    return path_figure(net, paths(net, column), errors, TOTAL)


def path_figures() -> list[tuple[tuple[int, ...], bool, int]]:
    return [(s, bias, c) for s, bias in NETWORKS for c in range(len(s) - 1)]


def descent(current: float, updated: float) -> str:
    def loss(w: float) -> float:
        return 0.5 * math.tanh(w - 0.5) ** 2

    points = [(k / 20, loss(k / 20)) for k in range(-30, 50)]
    slope = math.tanh(current - 0.5) / math.cosh(current - 0.5) ** 2
    texts = fig.DescentLabels("$w_5 = 0.40$", "$w_5^{+} = 0.3589$", "minimum")
    ends = (current, loss(current)), (updated, loss(updated))
    return fig.descent_figure(points, *ends, (0.5, 0.0), "$w_5$", "$E$", texts, slope=slope)


CURVES = {
    "decades": [(k, math.exp(-k / 9)) for k in range(200)],
    "linear": [(k, 0.1 + math.exp(-k)) for k in range(9)],
    "constant": [(k, 0.25) for k in range(40)],
    "zero and negative": [(0, 0.0), (1, 1.0), (2, -1.0)],
    "zero": [(0, 0.0), (1, 0.0)],
    "single": [(7, 1e-5)],
    "almost": [(k, 0.25 + 1e-12 * k) for k in range(40)],
    "tiny": [(10000 * k, 3e-9 * k + 1e-9) for k in range(8)],
}


def boxes(source: str, style: str, em: float) -> list[Box]:
    """The room of every text of a style, read back from the picture."""
    pattern = rf"\\node\[{style}(?:, rotate={NUMBER})?\] at {PLACE} {{\$(.*)\$}};"
    return [
        Box((float(x), float(y)), room.text_width(t, em), room.text_height(t, em), float(turn or 0))
        for turn, x, y, t in re.findall(pattern, source)
    ]


def circles(source: str) -> list[Box]:
    rows = re.findall(rf"minimum size={NUMBER}cm\] \([nb]\d+-\d+\) at {PLACE}", source)
    return [Box((float(x), float(y)), float(s) / 1.5, float(s) / 1.5) for s, x, y in rows]


def strokes(source: str, style: str) -> list[Box]:
    rows = re.findall(rf"\\draw\[{style}\] {PLACE} -- {PLACE};", source)
    return [segment((float(a), float(b)), (float(c), float(d))) for a, b, c, d in rows]


def clashes(texts: Sequence[Box], others: Sequence[Box]) -> list[tuple[Box, Box]]:
    pairs = [*itertools.combinations(texts, 2), *itertools.product(texts, others)]
    return [pair for pair in pairs if overlap(*pair)]


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize(("shape", "bias"), NETWORKS)
def test_labels_of_weights_cover_nothing(shape: tuple[int, ...], bias: bool, kind: str) -> None:
    source = network_figure(network(shape, bias, kind))
    assert clashes(boxes(source, "derive label", FOOTNOTE_EM), circles(source)) == []


@pytest.mark.parametrize(("shape", "bias", "column"), path_figures())
def test_factors_cover_no_node_and_no_path(shape: tuple[int, ...], bias: bool, column: int) -> None:
    source = back(shape, bias, column)
    factors = boxes(source.replace(r"\displaystyle ", ""), "derive factor", SCRIPT_EM)
    assert factors
    assert clashes(factors, [*circles(source), *strokes(source, "derive path")]) == []


@pytest.mark.parametrize("kind", ["name", "value"])
@pytest.mark.parametrize(("shape", "bias"), NETWORKS)
def test_every_weight_is_labelled(shape: tuple[int, ...], bias: bool, kind: str) -> None:
    net = network(shape, bias, kind)
    source = network_figure(net)
    assert source.count(r"\node[derive label") == len(net.edges)
    assert source.count("minimum size") == sum(map(len, net.columns))
    assert source.count(r"\node[derive target]") == shape[-1]
    assert source == network_figure(net)


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 4, 2), (2, 1)])
def test_names_with_values_find_room(shape: tuple[int, ...]) -> None:
    net = network(shape, True, "both")
    assert network_figure(net).count(r"\node[derive label") == len(net.edges)


@pytest.mark.parametrize(
    ("shape", "column", "arrows", "turns", "factors"),
    [((2, 2, 2), 1, 3, 1, 4), ((2, 2, 2), 0, 7, 3, 10), ((2, 1), 0, 3, 1, 4)],
)
def test_path_is_drawn_once_with_all_factors(
    shape: tuple[int, ...], column: int, arrows: int, turns: int, factors: int
) -> None:
    source = back(shape, False, column)
    assert source.count(r"\draw[derive path]") == arrows
    assert source.count(r"\draw[derive turn]") == turns
    assert source.count(r"\node[derive factor]") == factors
    assert source.count(r"\node[derive weight]") == 1


def test_long_columns_are_shortened_and_unlabelled() -> None:
    source = network_figure(network((9, 12, 2), True))
    assert source.count("derive dots") == 2
    assert "derive label" not in source
    assert source.count("minimum size") == 4 + 4 + 2 + 2


def test_without_single_errors_outputs_lead_to_the_total() -> None:
    net = network((2, 2), False)
    source = path_figure(net, [Path(("E", "o.1", "i.1"), ("", ""))], [], TOTAL)
    assert source.count("derive error") == 1
    assert "derive half" not in source


@pytest.mark.parametrize(
    ("stations", "factors", "message"),
    [
        (("E", "E0", "nowhere"), ("", ""), "not there"),
        (("E", "E0"), ("", ""), "n-1"),
        (("E",), (), "n-1"),
    ],
)
def test_unusable_paths_are_refused(
    stations: tuple[str, ...], factors: tuple[str, ...], message: str
) -> None:
    errors = [Node("E0", "E_0"), Node("E1", "E_1")]
    with pytest.raises(ValueError, match=message):
        path_figure(network((2, 2), False), [Path(stations, factors)], errors, TOTAL)


def test_paths_must_agree_on_a_factor() -> None:
    ways = [Path(("E", "E0", "o.1"), (text, "")) for text in ("1", "2")]
    errors = [Node("E0", "E_0"), Node("E1", "E_1")]
    with pytest.raises(ValueError, match="disagree"):
        path_figure(network((2, 2), False), ways, errors, TOTAL)


def test_networks_with_loose_ends_are_refused() -> None:
    node = Node("a", "a")
    with pytest.raises(ValueError, match="no column"):
        Network(((node,),), (Edge("a", "b", ""),))
    with pytest.raises(ValueError, match="key of its own"):
        Network(((node,), (node,)), ())


@pytest.mark.parametrize("name", CURVES)
def test_axis_is_logarithmic_only_over_decades(name: str) -> None:
    source = fig.training_figure(CURVES[name], "step", "loss")
    assert ("semilogyaxis" in source) == (name == "decades")


@pytest.mark.parametrize("curve", [[], [(0, math.nan)], [(0, 1.0), (1, math.inf)]])
def test_curves_without_finite_points_are_refused(curve: list[tuple[int, float]]) -> None:
    with pytest.raises(ValueError, match="curve"):
        fig.training_figure(curve, "step", "loss")


@pytest.mark.parametrize(("updated", "arrows"), [(1.0, 1), (1.799, 0)])
def test_descent_shows_all_three_points(updated: float, arrows: int) -> None:
    source = descent(1.8, updated)
    for part in ("derive current", "derive new", "derive minimum", "derive tangent"):
        assert source.count(part) == 1
    assert source.count("derive step") == arrows
    assert source.count(r"\node[derive label]") == 3


def test_overlap_needs_more_than_an_edge() -> None:
    box = Box((0.0, 0.0), 2.0, 2.0)
    assert not overlap(box, Box((2.0, 0.0), 2.0, 2.0))
    assert overlap(box, Box((1.9, 0.0), 2.0, 2.0))
    assert not overlap(box, Box((1.9, 1.9), 2.0, 1.0, 45.0))
    assert overlap(box, segment((-3.0, -3.0), (3.0, 3.0)))
    assert not overlap(box, segment((-3.0, 0.0), (0.0, 3.0)))


def test_a_label_without_room_is_left_out() -> None:
    here = [Box((0.0, 0.0), 1.0, 1.0)]
    assert place([here, here], [], []) in ((here[0], None), (None, here[0]))
    assert place([here], here, []) == (None,)
    assert place([[]], [], []) == (None,)


def all_figures() -> list[str]:
    found = [network_figure(network(s, b, kind)) for s, b in NETWORKS for kind in LABELS]
    found += [back(shape, bias, column) for shape, bias, column in path_figures()]
    found += [network_figure(network((9, 12, 2), True)), back((9, 12, 10), True, 0)]
    found += [descent(1.8, 1.0), descent(0.9, 0.89), descent(0.5, 0.4)]
    return found + [fig.training_figure(curve, "step", "$E$") for curve in CURVES.values()]


def widths(source: str) -> list[str]:
    r"""Checks that the estimate of a label's room is no less than what TeX needs."""
    texts = set(re.findall(r"\\node\[derive (label|factor)[^]]*\] at \(\S+\) {(\$.*\$)};", source))
    size = {"label": (r"\footnotesize", FOOTNOTE_EM), "factor": (r"\scriptsize", SCRIPT_EM)}
    rows = []
    for style, tex in sorted(texts):
        font, em = size[style]
        wide, high = room.text_width(tex, em), room.text_height(tex, em)
        rows.append(
            rf"\setbox0\hbox{{{font}{tex}}}\ifdim\wd0>{wide:.3f}cm\errmessage{{too wide}}\fi"
            rf"\ifdim\dimexpr\ht0+\dp0\relax>{high:.3f}cm\errmessage{{too high}}\fi"
        )
    return rows


@pytest.mark.slow
@pytest.mark.tex
@pytest.mark.parametrize("engine", ["xelatex", "lualatex"])
def test_tex_accepts_every_figure(engine: str, tmp_path: File) -> None:
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    figures = all_figures()
    head = r"\documentclass[11pt]{article}\usepackage[textwidth=15.5cm,textheight=24cm]{geometry}"
    body = "\n".join([*widths("".join(figures)), *(rf"\noindent {one}\par" for one in figures)])
    document = f"{head}\n{PREAMBLE.read_text()}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "figures.tex").write_text(document)
    command = [engine, "-halt-on-error", "-interaction=nonstopmode", "figures.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    log = (tmp_path / "figures.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert not re.findall(r"^!.*|^Overfull.*|^Package pgfplots Warning.*", log, re.MULTILINE)
