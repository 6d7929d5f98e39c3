"""Pictures that a graph draws itself: nothing lies on anything, and what is drawn is what is so."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
import yaml

import derive
from derive.pipeline import Made
from derive.render.blocks import Block
from derive.render.drawing import WIDTH
from derive.render.model_form import ModelForm
from derive.render.pictures.as_svg import spoken, svg
from derive.render.pictures.drawn import Picture, Rect, Stroke
from derive.render.pictures.of_model import step_blocks, window_back_blocks, window_blocks
from derive.render.pictures.shades import MOST, Cell, Shaded, gallery
from derive.render.placement import Box, overlap
from derive.render.worked import bench_of
from derive.scaffold import scaffold
from derive.spec import parse_spec
from tests.sampled import sampled

FRAMES = frozenset({"state", "open", "sum", "before"})
TALLEST = 21.5  # of a picture that has a page for itself
KINDS = {
    "rnn": ["model_steps", "model_parameters"],
    "bidirectional_rnn": ["model_steps", "model_steps", "model_parameters"],
    "conv2d": ["model_window", "model_window"],
    "conv_transpose1d": ["model_window", "model_window"],
    "same_max_pool1d": ["model_window", "model_window"],
    "avg_pool2d": ["model_window", "model_window"],
    "multi_head_attention": ["model_attention", "model_parameters"],
    "dense": ["model_parameters"],
    "causal_attention": ["model_attention"],
    "layer_norm": [],
}


def made(text: str, *languages: str) -> Made:
    return derive.make(derive.build(parse_spec(text, "spec.yaml", "spec")), languages or ["en"])


def form_of(text: str) -> ModelForm:
    problem = derive.build(parse_spec(text, "spec.yaml", "spec"))
    return ModelForm(problem, derive.differentiate(problem.graph, problem.wanted))


def steps_of(form: ModelForm) -> list[Block]:
    return [each for b in form.problem.graph.blocks if b.step for each in step_blocks(form, b)]


def drawn(page: Made) -> list[Picture]:
    return [block["drawn"] for block in page.page.blocks if block.fields.get("drawn")]


def rects(picture: Picture, *looks: str) -> list[Rect]:
    return [s for s in picture.shapes if isinstance(s, Rect) and s.look in looks]


def inside(box: Box, frame: Box) -> bool:
    (x, y), (u, v) = box.centre, frame.centre
    wide, high = (frame.width - box.width) / 2, (frame.height - box.height) / 2
    return abs(x - u) <= wide + 1e-6 and abs(y - v) <= high + 0.12


def readable(picture: Picture) -> None:
    """No words on others, none beyond the cell they stand in, all on the page."""
    wide, tall = picture.size
    assert wide <= WIDTH + 1e-6
    assert tall <= TALLEST
    words = picture.words
    assert not [pair for pair in combinations([w.box for w in words], 2) if overlap(*pair)]
    frames = [s.box for s in picture.shapes if isinstance(s, Rect) and s.look in FRAMES]
    assert not [pair for pair in combinations(frames, 2) if overlap(*pair)]
    cells = [s.box for s in picture.shapes if isinstance(s, Rect)]
    for each in words:
        around = [box for box in cells if overlap(each.box, box)]
        assert all(inside(each.box, box) for box in around), each.tex


# --- recurrences ------------------------------------------------------------------------------


def recurrence(rng: random.Random) -> tuple[str, int, bool]:
    """A spec with a recurrence of random size, its number of steps, and whether it goes upwards."""
    steps, states, up = rng.choice([2, 3, 5, 9, 14, 40]), rng.randint(1, 3), rng.random() < 0.6
    sign = "-" if up else "+"
    names = ["h", "c", "long_state"][:states]
    lines = []
    for k, name in enumerate(names):
        late = rng.choice([1, 1, 2, 3])
        others = "".join(f" + {other}[t]" for other in names[:k])
        lines.append(f"{name}[t] = tanh(w*x[t] + u*{name}[t{sign}{late}]{others})")
    result = rng.choice(["each", "last", "all"])
    spec = {
        "inputs": {"x": [0.1] * steps},
        "parameters": {"w": 0.5, "u": 0.25},
        "model": ["\n".join(lines)],
        "loss": f"E = sum(t, {names[-1]}[t]**2)",
    }
    if result == "each":
        spec["model"].append(f"y[t] = 2*{names[-1]}[t]")
        spec["loss"] = "E = sum(t, y[t]**2)"
    elif result == "last":
        spec["loss"] = f"E = {names[-1]}[{steps - 1 if up else 0}]**2"
    return yaml.safe_dump(spec, sort_keys=False), steps, up


@pytest.mark.parametrize("seed", sampled(range(24), 4))
def test_unrolled_recurrences_are_readable(seed: int) -> None:
    text, steps, up = recurrence(random.Random(seed))
    form = form_of(text)
    picture = steps_of(form)[0]["drawn"]
    readable(picture)
    said = [words.tex for words in picture.words]
    assert {"x_{0}", f"x_{{{steps - 1}}}"} <= {*said}
    assert ("\\cdots" in said) == (f"x_{{{steps // 2}}}" not in said)
    level = [s.points for s in picture.shapes if isinstance(s, Stroke) and s.look == "flow"]
    level = [p for p in level if len(p) == 2 and abs(p[0][1] - p[1][1]) < 1e-6]
    assert all((end[0] > start[0]) is up for start, end in level)
    ahead = [s for s in picture.shapes if isinstance(s, Stroke) and s.look in ("flow back", "meet")]
    assert len(ahead) >= len(level) - 1


def test_two_derivatives_meet_at_a_state() -> None:
    (block,) = steps_of(form_of(scaffold("lstm", network=False)))
    assert block["states"] == ["c", "y"]
    assert block["meeting"] == {"at": "y_{1}", "above": "E", "later": "2"}
    met = [s for s in block["drawn"].shapes if isinstance(s, Stroke) and s.look == "meet"]
    (first, last) = met
    state = next(w for w in block["drawn"].words if w.tex == "y_{1}").box
    for stroke in (first, last):
        assert abs(stroke.points[-1][0] - state.centre[0]) < 1
        assert abs(stroke.points[-1][1] - state.centre[1]) < 0.8


# --- windows ----------------------------------------------------------------------------------


def convolution(rng: random.Random, sides: int) -> str:
    """A convolution of one channel with a random stride, dilation and padding."""
    step, spread, pad = rng.randint(1, 3), rng.randint(1, 2), rng.randint(0, 2)
    length, size = rng.randint(2, 3), rng.randint(5, 6)
    count = (size + 2 * pad - spread * (length - 1) - 1) // step + 1
    letters = list(zip("uv", "rs", strict=True))[:sides]
    at = ",".join(f"{step}*{u} + {spread}*{r} - {pad}" for u, r in letters)
    own, kernel = ",".join(u for u, _ in letters), ",".join(r for _, r in letters)

    def table(n: int, depth: int) -> object:
        if depth == 0:
            return rng.randint(-4, 4) / 2
        return [table(n, depth - 1) for _ in range(n)]

    spec = {
        "inputs": {"x": table(size, sides)},
        "parameters": {"K": table(length, sides)},
        "sizes": dict.fromkeys([u for u, _ in letters], count),
        "model": [f"y[{own}] = sum({kernel}, K[{kernel}]*x[{at}])"],
        "loss": f"E = sum({own}, y[{own}]**2)/4",
        "gradients": ["x"],
        "numbers": {"significant_digits": 12},
    }
    return yaml.safe_dump(spec)


def values(picture: Picture, look: str) -> list[list[Fraction]]:
    """The numbers of cells with a look, grid by grid from left to right, each row by row."""
    numbers = {w.centre: Fraction(w.tex) for w in picture.words if w.look == "number"}
    titles = sorted(w.centre[0] for w in picture.words if w.look == "title")
    middles = [-1e9, *((a + b) / 2 for a, b in pairwise(titles)), 1e9]
    cells = [
        s.box.centre for s in picture.shapes if isinstance(s, Rect) and s.look.startswith(look)
    ]
    return [
        [numbers[c] for c in sorted(cells, key=lambda c: (-c[1], c[0])) if low < c[0] < high]
        for low, high in pairwise(middles)
    ]


@pytest.mark.parametrize("seed", sampled(range(20), 4))
@pytest.mark.parametrize("sides", [1, 2])
def test_the_shaded_entries_give_the_shaded_result(seed: int, sides: int) -> None:
    form = form_of(convolution(random.Random(seed), sides))
    bench, equation = bench_of(form), form.problem.graph.equation("y")
    there, back = window_blocks(form, bench, equation), window_back_blocks(form, bench, "x")
    for (block,), look in ((there, "chosen"), (back, "reached")):
        picture = block["drawn"]
        readable(picture)
        if any(w.look == "number" for w in picture.words):
            left, kernel, (result,) = values(picture, look)
            assert left
            assert sum((a * b for a, b in zip(left, kernel, strict=True)), Fraction(0)) == result


def test_rings_mark_the_largest_of_each_window_and_where_its_derivative_goes() -> None:
    there, back = drawn(derive.make(derive.load("max_pooling"), ["en"]))
    numbers = {w.centre: w.tex for w in there.words if w.look == "number"}
    ringed = [numbers[rect.box.centre] for rect in rects(there, "ring")]
    assert Counter(ringed) == Counter(["4", "5", "3", "6"])
    slopes = {w.centre: w.tex for w in back.words if w.look == "number"}
    assert Counter(slopes[rect.box.centre] for rect in rects(back, "ring")) == Counter(
        ["0.5", "1.2", "0.8", "-0.3"]
    )


# --- shades -----------------------------------------------------------------------------------


def shaded(rng: random.Random, rows: int, columns: int, masked: bool) -> Shaded:
    def cell(i: int, j: int) -> Cell | None:
        value = rng.choice([0, rng.randint(-999, 999), rng.randint(-99999, 99999)]) / 1000
        return None if masked and j > i else Cell(value, f"{value:g}")

    title = rng.choice(["W", r"\partial E/\partial W^{(long)}_{0,:,:}"])
    return Shaded(title, tuple(tuple(cell(i, j) for j in range(columns)) for i in range(rows)))


@pytest.mark.parametrize("seed", sampled(range(40), 8))
def test_shaded_tables_are_readable(seed: int) -> None:
    rng = random.Random(seed)
    groups = []
    for _ in range(rng.choice([1, 2, 5])):
        shape = (rng.choice([2, 4, 6, 12, MOST]), rng.choice([2, 4, 6, 12, MOST]))
        groups.append([shaded(rng, *shape, rng.random() < 0.5) for _ in range(rng.randint(1, 3))])
    found = gallery(groups)
    if found is None:
        return
    readable(found.picture)
    cells = [cell for group in groups for table in group for cell in table.cells]
    below = sum(cell.value < 0 for cell in cells)
    struck = sum(isinstance(s, Stroke) and s.look == "strike" for s in found.picture.shapes)
    scales = sum(4 for group in groups for table in group if table.below)
    assert struck == (0 if found.numbers else below + scales)
    written = [w.tex for w in found.picture.words if w.look == "number"]
    assert not found.numbers or not Counter(cell.text for cell in cells) - Counter(written)


def test_too_large_a_table_is_not_drawn() -> None:
    assert gallery([[shaded(random.Random(1), MOST + 1, 2, False)]]) is None
    assert gallery([]) is None
    assert gallery([[Shaded("W", ((Cell(1e300 * 1e300, "1"), Cell(1.0, "1")),) * 2)]]) is None


# --- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sampled(KINDS, 4))
def test_each_kind_is_drawn_from_the_graph(name: str) -> None:
    page = made(scaffold(name, network=False))
    found = [block for block in page.page.blocks if block.fields.get("drawn")]
    assert [block.kind for block in found] == KINDS[name]
    for block in found:
        readable(block["drawn"])
        assert block["tikz"] in page.texts["en"]


def test_a_picture_is_the_same_in_both_forms_and_says_what_it_shows() -> None:
    page = made(scaffold("causal_attention", network=False), "de")
    (picture,) = drawn(page)
    text = svg(picture, r"Gewichte $p_{t}$, \emph{je} 0.5~$\partial E$. Mehr.", "de", "k")
    tree = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    title, told = tree.find(f"{space}title"), tree.find(f"{space}desc")
    assert title is not None
    assert told is not None
    assert tree.get("aria-labelledby") == f"{title.get('id')} {told.get('id')}"
    assert spoken(r"a~$\frac{\partial E}{\partial x_{0}}$").startswith("a ∂E")
    words = tree.findall(f"{space}text")
    assert len(words) == len(picture.words)
    for node, each in zip(words, picture.words, strict=True):
        if each.look == "number":
            assert "".join(node.itertext()) == each.tex.replace(".", ",").replace("-", "−")
