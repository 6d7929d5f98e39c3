"""The page of a model: what it says, that it is right, and that it does not grow with a tensor."""

from __future__ import annotations

import re

import pytest

from derive.expression import Element
from derive.notation import names_of
from derive.render.sheet import Display
from tests.render.model_support import MODELS, told, wrong
from tests.render_support import LANGUAGES, faults
from tests.verify_support import changed

FIGURE = re.compile(r"\\begin\{figure\}.*?\\end\{figure\}", re.DOTALL)  # up to a size
NUMERIC = tuple(name for name in MODELS if name not in ("symbols", "large", "lstm"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MODELS)
def test_a_page_has_no_faults(name: str, language: str) -> None:
    text = told(name).texts[language]
    found = [f for f in faults(text) if not f.startswith("empty display")]
    assert not found


@pytest.mark.parametrize("name", MODELS)
def test_a_page_is_right(name: str) -> None:
    assert not wrong(told(name).report())


@pytest.mark.parametrize("name", NUMERIC)
def test_every_number_is_on_the_list(name: str) -> None:
    whole = told(name)
    names = names_of(whole.problem)
    graphs = (whole.derivation.forward, whole.derivation.backward)
    for graph in graphs:
        for quantity in graph.quantities.values():
            place = [size - 1 for size in quantity.shape]
            assert names.name(Element(quantity.name, *place)).report in whole.page.numbers


def display(name: str, label: str) -> Display:
    (found,) = (d for d in told(name).page.displays() if d.label == label)
    return found


ROWS = [
    ("scalar", "eq:d-c", r"\frac{\partial L}{\partial e}\,d"),
    ("scalar", "eq:L", r"(e)^{2} + a"),
    ("dense", "eq:z", r"\sum_{i} W_{o,i}\,x_{n,i} + b_{o}"),
    ("dense", "eq:d-W", r"\sum_{n} \frac{\partial E}{\partial z_{n,o}}\,x_{n,i}"),
    ("dense", "eq:d-z-W", r"x_{n,i}\,\delta_{o',o}"),
    ("embedding", "eq:y", r"W_{\mathrm{token}_{t},d}"),
    ("pooling", "eq:y", r"\max_{r,s} x_{2u+r,2v+s}"),
    ("pooling", "eq:at-y_0_0", r"\max(0.1, 0.5, 0.9, -0.4) = 0.9"),
    ("attention", "eq:y_s", r"\frac{1}{\sqrt{2}}\,\sum_{d} Q_{t,d}\,K_{r,d}"),
]


@pytest.mark.parametrize(("name", "label", "row"), ROWS)
def test_rows(name: str, label: str, row: str) -> None:
    assert row in display(name, label).rows


MATRICES = [
    ("dense", r"z = x\,W^{\top} + \mathbf{1}\,b^{\top}"),
    (
        "dense",
        r"\frac{\partial E}{\partial W} = \left(\frac{\partial E}{\partial z}\right)^{\top}\,x",
    ),
    ("attention", r"\frac{\partial E}{\partial V} = p^{\top}\,\frac{\partial E}{\partial y}"),
    (
        "recurrence",
        r"\frac{\partial E}{\partial x} = "
        r"\left(\frac{\partial E}{\partial h} \odot (1 - h \odot h)\right)\,W",
    ),
]


@pytest.mark.parametrize(("name", "tex"), MATRICES)
def test_matrix_forms(name: str, tex: str) -> None:
    assert tex in told(name).texts["en"]


def test_a_recurrence_is_told_as_one() -> None:
    text = told("recurrence").texts["en"]
    assert r"\frac{\partial E}{\partial h_{t+1,l}}" in text
    assert "Backpropagation through time" in text


def test_a_given_gradient_is_said_to_be_given() -> None:
    kinds = [block.kind for block in told("normalisation").page.blocks]
    assert "model_upstream" in kinds
    assert "model_closing" not in kinds


@pytest.mark.parametrize("depth", [2, 6])
def test_what_differs_in_names_only_is_told_once(depth: int) -> None:
    deep = "inputs: {x0: {shape: [3], values: 0.5}}\nmodel:\n" + "".join(
        f"  - {{layer: dense, name: a{k}, inputs: x{k}, sizes: {{h: 3}}, output: z{k}}}\n"
        f"  - x{k + 1}[h] = tanh(z{k}[h])\n"
        for k in range(depth)
    )
    deep += f"loss: E = sum(h, x{depth}[h]**2)\n"
    page = told(f"deep {depth}", deep).page
    full = [b for b in page.blocks if b.kind == "model_adjoint" and b["locals"]]
    assert len(full) == 5  # of x, z, W, b and the x before


def test_a_page_does_not_grow_with_the_entries() -> None:
    small = MODELS["large"].replace("40", "20")
    large, smaller = (
        FIGURE.sub("", page.texts["en"].partition(r"\begin{document}")[2])
        for page in (told("large"), told("smaller", small))
    )
    assert abs(len(large) - len(smaller)) < 3000
    assert not told("large").page.numbers


def test_what_nobody_was_told_is_not_explained() -> None:
    assert "Kronecker" not in told("scalar").texts["en"]
    assert "outside the range" not in told("dense").texts["en"]
    assert "outside the range" in told("convolution").texts["en"]
    assert "maximum" in told("pooling").texts["en"]


FAULTS = [
    ("a digit in a matrix", "dense", r"(z = \\begin\{bmatrix\}) 0\.025", r"\1 0.026"),
    ("a sign in a matrix", "dense", r"(partial W\} = \\begin\{bmatrix\}) -", r"\1 "),
    ("a digit in a worked line", "dense", r"\(-0\.2\)\\cdot 0\.5", r"(-0.3)\\cdot 0.5"),
    ("the result of a worked line", "dense", r"0\.1 = 0\.025", "0.1 = 0.25"),
    ("an index in a formula", "dense", r"W_\{o,i\}\\,x_\{n,i\}", r"W_{i,o}\\,x_{n,i}"),
    ("a delta", "dense", r"\\delta_\{o',o\}", r"\\delta_{o,o}"),
    ("a transposition", "dense", r"x\\,W\^\{\\top\}", r"x\\,W"),
    ("a given value", "dense", r"0\.4 & 0\.5", "0.4 & 0.6"),
    ("a condition", "attention", r"\[r \\le t\]", r"[t \\le r]"),
    ("a maximum", "pooling", r"x_\{2u\+r,2v\+s\}", "x_{2u+s,2v+r}"),
    ("a step of a recurrence", "recurrence", r"h_\{t\+1,l\}\}\\,U", r"h_{t-1,l}}\\,U"),
    ("an updated parameter", "dense", r"(W\^\{\+\} = \\begin\{bmatrix\}) 0", r"\1 1"),
    ("the new loss", "dense", r"(E\^\{\+\} = )\d", r"\g<1>7"),
    ("the order of a slice", "convolution", r"K_\{0,0,:,:\}", "K_{0,1,:,:}"),
]


@pytest.mark.parametrize(
    ("name", "old", "new"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_seeded_fault_is_found(name: str, old: str, new: str) -> None:
    head, begin, body = told(name).texts["en"].partition(r"\begin{document}")
    assert "page en" in wrong(told(name).report(en=head + begin + changed(body, old, new)))


def test_no_letter_is_left_over_from_the_calculus() -> None:
    for name in MODELS:
        body = told(name).texts["en"].partition(r"\begin{document}")[2]
        assert not re.search(r"(?<!\\)#|adj_", body)


# --- sentences that are true of this page -----------------------------------------------------

NUMBERS = "1, 0, 2, 0, 1, 1, 1, 0"
WIDE = f"""
inputs: {{x: [{NUMBERS}]}}
parameters: {{W: [[{NUMBERS}], [{NUMBERS}]]}}
model: ["y[h] = sum(i, W[h,i]*x[i]) + 1"]
loss: E = sum(h, y[h]**2)
"""
ASIDE = """
inputs: {x: 2}
parameters: {w: 1}
model: ["y = w*x", "side = y*(1 - y)", "z = y*w", "E = z**2"]
loss: E
"""
LETTERS = """
inputs: {x: 1}
parameters: {w: 0.3}
model: ["delta1 = w*x", "sigma_2 = delta1*2"]
loss: E = sigma_2**2
"""
SAID = {
    "a table of eight columns is printed": (WIDE, r"1 & 0 & 2 & 0 & 1 & 1 & 1 & 0 \\", True),
    "and is not called too large": (WIDE, "too large", False),
    "zeros that are left out are mentioned": (WIDE, "have been left out", True),
    "or not, where none are": (WIDE.replace("0,", "3,").replace(", 0", ", 3"), "left out", False),
    "what does not lead to the loss reads it, too": (ASIDE, "On the way to $E$, $y$ stands", True),
    "or nothing does": (ASIDE, "On the way to $E$, $z$ stands", False),
    "a quantity called delta is no Kronecker's delta": (LETTERS, "Kronecker", False),
    "nor is one called sigma the logistic function": (LETTERS, "logistic", False),
}


@pytest.mark.parametrize("what", SAID)
def test_a_sentence_is_true_of_its_page(what: str) -> None:
    spec, sentence, there = SAID[what]
    assert (sentence in told(what, spec).texts["en"]) is there


def test_a_table_is_printed_as_far_as_the_line_goes() -> None:
    long = ", ".join(["-0.123456789"] * 8)
    wide = WIDE.replace(NUMBERS, long) + "numbers: {significant_digits: 9}"
    assert "tables too large for this page" in told("wide", wide).texts["en"]
