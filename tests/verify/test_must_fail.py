"""The verifier is tested itself: what is right agrees, and any one thing made wrong is caught."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

import pytest
import sympy

from derive.backprop import differentiate
from derive.emit import emit
from derive.expression import Delta, Element, Total
from derive.graph import Derivation, Graph
from derive.problem import Published
from derive.render.blocks import Page
from derive.verify import Report, Status, verify
from tests.verify_support import changed, disagreeing, made, of_derivation, problem, with_adjoint

VERIFIER = importlib.import_module("derive.verify")  # derive.verify is its function
PROBLEMS = ("article", "soft")
SLIGHTLY = sympy.Rational(10005, 10000)
Change = Callable[[Derivation], Derivation]


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_right_agrees(name: str) -> None:
    report = made(name).verify()
    assert report.agree, [route for route in report.routes if route.status is Status.DISAGREES]
    assert {r.name for r in report.routes} >= {
        "graph check", "SymPy", "differences", "local derivatives", "steps",
        "module python", "module numpy", "page numbers", "page en", "page ko",
    }  # fmt: skip


# --- the derivation -------------------------------------------------------------------------


def adjoint(name: str, change: Callable[[sympy.Expr], sympy.Expr]) -> Change:
    return lambda derivation: with_adjoint(derivation, name, change)


def swapped(name: str) -> Callable[[sympy.Expr], sympy.Expr]:
    """Every element of a matrix read at the mirrored place."""

    def change(rhs: sympy.Expr) -> sympy.Expr:
        found = [e for e in rhs.atoms(Element) if e.name == name]
        return rhs.xreplace({e: Element(name, *reversed(e.indices)) for e in found})

    return change


def mirrored(rhs: sympy.Expr) -> sympy.Expr:
    """The two index letters of a matrix exchanged."""
    inner = {total.index for total in rhs.atoms(Total)}
    one, two = sorted({i for e in rhs.atoms(Element) for i in e.indices} - inner, key=str)
    return rhs.xreplace({one: two, two: one})


def lost_path(rhs: sympy.Expr) -> sympy.Expr:
    """The first summand of every sum left out."""
    sums = {
        total: Total(total.body * (1 - Delta(total.index, sympy.Integer(0))), total.index)
        for total in rhs.atoms(Total)
    }
    assert sums
    return rhs.xreplace(sums)


def without(name: str) -> Callable[[sympy.Expr], sympy.Expr]:
    """The terms that read a quantity left out."""

    def change(rhs: sympy.Expr) -> sympy.Expr:
        zero = {e: sympy.Integer(0) for e in rhs.atoms(Element) if e.name == name}
        return sympy.expand(rhs).xreplace(zero)

    return change


def wrong_local(of: str, by: str, factor: sympy.Expr) -> Change:
    def change(derivation: Derivation) -> Derivation:
        hit = derivation.local(of, by)
        new = tuple(
            replace(x, value=x.value * factor) if x is hit else x for x in derivation.locals
        )
        return replace(derivation, locals=new)

    return change


def wrong_step(rule: str, quantity: str, side: str) -> Change:
    def change(derivation: Derivation) -> Derivation:
        steps = list(derivation.steps)
        k = next(k for k, s in enumerate(steps) if (s.rule, s.quantity) == (rule, quantity))
        steps[k] = replace(steps[k], **{side: getattr(steps[k], side) * SLIGHTLY})
        return replace(derivation, steps=tuple(steps))

    return change


def without_steps_of(quantity: str) -> Change:
    def change(derivation: Derivation) -> Derivation:
        steps = tuple(step for step in derivation.steps if step.quantity != quantity)
        return replace(derivation, steps=steps)

    return change


def reordered(derivation: Derivation) -> Derivation:
    """The last adjoint first: it reads what is not yet defined."""
    *others, last = derivation.backward.equations
    graph = object.__new__(Graph)  # Graph itself refuses this
    object.__setattr__(graph, "given", derivation.backward.given)
    object.__setattr__(graph, "equations", (last, *others))
    return replace(derivation, backward=graph)


def without_adjoint(name: str) -> Change:
    def change(derivation: Derivation) -> Derivation:
        kept = tuple(e for e in derivation.backward.equations if e.quantity.name != f"adj_{name}")
        return replace(derivation, backward=Graph(derivation.backward.given, kept))

    return change


EMPTY = lambda derivation: replace(  # noqa: E731
    derivation, backward=Graph(derivation.backward.given, ()), locals=(), steps=()
)
GRADIENT = {"SymPy", "differences", "steps"}
DERIVATIONS: list[tuple[str, str, Change, set[str]]] = [
    ("article", "sign of a weight", adjoint("W1", lambda e: -e), GRADIENT),
    ("article", "sign of a net input", adjoint("net2", lambda e: -e), GRADIENT),
    ("article", "sign inside", adjoint("out2", without("t")), GRADIENT),
    ("article", "factor", adjoint("W2", lambda e: e * SLIGHTLY), GRADIENT),
    ("article", "factor inside", adjoint("out1", lambda e: e * SLIGHTLY), GRADIENT),
    ("article", "swapped index", adjoint("out1", swapped("W2")), GRADIENT),
    ("article", "swapped letters", adjoint("W2", mirrored), GRADIENT),
    ("article", "lost path", adjoint("out1", lost_path), GRADIENT),
    ("article", "zero", adjoint("W1", lambda e: sympy.Integer(0)), GRADIENT),
    ("article", "local factor", wrong_local("out1", "net1", SLIGHTLY), {"local derivatives"}),
    ("article", "local sign", wrong_local("net2", "W2", sympy.Integer(-1)), {"local derivatives"}),
    ("article", "chain rule", wrong_step("chain rule", "out1", "after"), {"steps"}),
    ("article", "before a step", wrong_step("chain rule", "W1", "before"), {"steps"}),
    ("article", "output", wrong_step("written in the output", "net1", "after"), {"steps"}),
    ("article", "no steps of W1", without_steps_of("W1"), {"graph check"}),
    ("article", "no steps", lambda d: replace(d, steps=()), {"graph check", "steps"}),
    ("article", "no locals", lambda d: replace(d, locals=()), {"graph check", "local derivatives"}),
    ("article", "a gradient is missing", without_adjoint("W1"), {"graph check"}),
    ("article", "read before defined", reordered, {"graph check"}),
    ("article", "empty", EMPTY, {"graph check", "local derivatives", *GRADIENT}),
    ("soft", "sign of a bias", adjoint("b1", lambda e: -e), GRADIENT),
    ("soft", "dropped term", adjoint("net2", without("t")), GRADIENT),
    ("soft", "factor", adjoint("b2", lambda e: e * SLIGHTLY), GRADIENT),
    ("soft", "lost path", adjoint("out1", lost_path), GRADIENT),
    ("soft", "read by nothing", adjoint("out2", lambda e: -e), {"differences", "steps"}),
    ("soft", "local", wrong_local("out2", "net2", SLIGHTLY), {"local derivatives"}),
    ("soft", "cancelling", wrong_step("cancelled against the loss", "net2", "after"), {"steps"}),
    ("soft", "targets", wrong_step("targets sum to one", "net2", "after"), {"steps"}),
    ("soft", "empty", EMPTY, {"graph check", "local derivatives", *GRADIENT}),
]


@pytest.mark.parametrize(
    ("name", "change", "caught_by"),
    [(name, change, caught) for name, _, change, caught in DERIVATIONS],
    ids=[f"{name}: {what}" for name, what, *_ in DERIVATIONS],
)
def test_a_wrong_derivation(name: str, change: Change, caught_by: set[str]) -> None:
    whole = made(name)
    report = of_derivation(whole, change(whole.derivation))
    assert not report.agree
    assert disagreeing(report) >= caught_by


# --- the page -------------------------------------------------------------------------------

BY_W5 = r"\\frac\{\\partial \\mathrm\{net\}_\{o1\}\}\{\\partial w_5\}"
BY_OUT = r"\\frac\{\\partial E_\{\\mathrm\{total\}\}\}\{"
DISPLAY = r"\\begin\{equation\}\\label\{eq:LABEL\}.*?\\end\{equation\}"
PAGES: list[tuple[str, str, str, str]] = [
    ("article", "digit of a result", r"= 0\.07141", "= 0.07142"),
    ("article", "digit of an operand", r"0\.5843( *\\times *)0\.2411", r"0.5843\g<1>0.2412"),
    ("article", "digit that rounding hides", r"(0\.5\\cdot *)0\.0001235", r"\g<1>0.0001236"),
    ("article", "sign of a result", r"= -0\.3714", "= 0.3714"),
    ("article", "sign of an operand", r"\(-0\.3714\)", "0.3714"),
    ("article", "sign in a formula", r"(\\mathrm\{out\}_\{o1\}) - (\\mathrm\{target)", r"\1 + \2"),
    ("article", "sign of the derivative", r"(0\.5943\(1) - ", r"\1 + "),
    ("article", "sign in a rule", r"(\\frac\{dy\}\{dx\} = y\(1) - y", r"\1 + y"),
    ("article", "factor", r" *\\times *" + BY_W5, ""),
    ("article", "name", r"(\\cdot *)w_6", r"\1w_7"),
    ("article", "lost path", r" \+ " + BY_OUT + r"[^=]*?(?=\\\\)", " "),
    ("article", "power", r"(\\mathrm\{out\}_\{o1\}\)\^\{)2\}", r"\g<1>3}"),
    ("article", "deleted display", DISPLAY.replace("LABEL", "out_h2"), ""),
    ("article", "deleted chain rule", DISPLAY.replace("LABEL", "chain_w6"), ""),
    ("article", "deleted result", r"(\\frac\{1\}\{1 \+ e\^\{-0\.3817\}\}) = 0\.5943", r"\1"),
    ("article", "unreadable", r"1 \+ e\^\{-0\.0275\}", r"1 \\mystery{-0.0275}"),
    ("article", "given number", r"\$w_3 = 0\.25\$", "$w_3 = 0.26$"),
    ("article", "given name", r"\$w_3 = 0\.25\$", "$w_9 = 0.25$"),
    ("article", "number in the text", r"(goes down from \$0\.35\$ to \$0\.314)3", r"\g<1>4"),
    ("article", "table of updates", r"(\$w_2\$ *& *)\$0\.2\$", r"\1$0.3$"),
    ("article", "table of numbers", r"0\.5068745668", "0.5068745669"),
    ("article", "figure", r"(\\begin\{tikzpicture\}.*?)(\d)\.(\d)", r"\1\2.7\3"),
    ("soft", "digit of a result", r"(= 0\.\d*)(?=\n)", r"\g<1>1"),
    ("soft", "digit of an operand", r"0\.5\\cdot 0\.5", r"0.5\\cdot 0.6"),
    ("soft", "given number", r"(b\^\{\(2\)\}_\{o\}\$ & \$[^$]*\$ & \$)-0\.1", r"\g<1>0.1"),
    ("soft", "sign in index form", r"(\\mathrm\{out\}_\{o\}|\\mathrm\{out\}_\{no\}) - ", r"\1 + "),
    ("soft", "factor in index form", r"W\^\{\(1\)\}_\{hi\}", "1"),
    ("soft", "table", r"(\$\\mathrm\{out\}[^&]*& *\$-?0\.\d*)\$", r"\g<1>3$"),
    ("soft", "deleted index form", DISPLAY.replace("LABEL", "delta-1"), ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [(name, old, new) for name, _, old, new in PAGES],
    ids=[f"{name}: {what}" for name, what, *_ in PAGES],
)
def test_a_wrong_page(name: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VERIFIER, "derivation_routes", lambda *_: [])
    whole = made(name)
    head, begin, body = whole.texts["en"].partition(r"\begin{document}")
    text = head + begin + changed(body, old, new)
    report = verify(whole.problem, whole.derivation, whole.page, {"en": text}, {})
    assert disagreeing(report) == {"page en"}


# --- the modules ----------------------------------------------------------------------------

MODULES: list[tuple[str, str, str, str, str]] = [
    ("article", "python", "sign", r"out_o1 - target_o1", "target_o1 - out_o1"),
    ("article", "python", "factor", r"dE_dnet_h1 \* i1", "1.0005 * dE_dnet_h1 * i1"),
    ("article", "python", "swapped weight", r"dE_dnet_o1 \* w5", "dE_dnet_o1 * w6"),
    ("article", "python", "lost path", r" \+ dE_dnet_o2 \* w7", ""),
    ("article", "python", "update", r"w3 - learning_rate", "w3 + learning_rate"),
    ("article", "python", "slope", r"out_h2 \* \(1 - out_h2\)", "out_h2 * (1 + out_h2)"),
    ("article", "python", "logistic", r"math\.exp\(-x\)", "math.exp(-1.001 * x)"),
    ("article", "python", "NaN", r"E_o1 \+ E_o2", 'E_o1 + E_o2 * float("nan")'),
    ("article", "python", "NaN in a gradient", r"dE_dnet_o2 \* out_h2", 'float("nan")'),
    ("article", "python", "constant", r"w5=0\.35", "w5=0.36"),
    ("article", "python", "constant of the data", r"i2=0\.1\b", "i2=0.2"),
    ("article", "python", "training", r"parameters, (value = step\()", r"_, \1"),
    ("article", "python", "a step alone", r"(def step\(.*?)w3 - learn", r"\1w3 + learn"),
    ("article", "python", "loss with slopes", r"return E_total, G", "return 2 * E_total, G"),
    ("article", "numpy", "loss with slopes", r"return E, G", "return 2 * E, G"),
    ("article", "numpy", "a step alone", r"(slopes, )(learning_rate\), v)", r"\1-\2"),
    ("article", "python", "learning rate", r"LEARNING_RATE = 0\.5", "LEARNING_RATE = 0.6"),
    ("article", "python", "forward", r"i1 \* w1 \+ i2 \* w2", "i1 * w1 - i2 * w2"),
    ("article", "python", "syntax", r"def loss\(", "def loss(("),
    ("article", "python", "raises", r"net_h1 = ", "net_h1 = [][0] + "),
    ("article", "python", "no function", r"def update\(", "def updated("),
    ("article", "numpy", "sign", r"out2 - t\b", "t - out2"),
    ("article", "numpy", "factor", r"dE_dnet1\.T @ x", "1.0005 * dE_dnet1.T @ x"),
    ("article", "numpy", "swapped index", r"dE_dnet2 @ W2\b", "dE_dnet2 @ W2.T"),
    ("article", "numpy", "update", r"W2 - learning_rate", "W2 + learning_rate"),
    ("article", "numpy", "slope", r"out1 \* \(1 - out1\)", "out1 * (1 + out1)"),
    ("article", "numpy", "NaN", r"E = E_each\.sum\(\)", "E = np.nan * E_each.sum()"),
    ("article", "numpy", "constant", r"0\.45, 0\.5\]", "0.45, 0.4]"),
    ("soft", "python", "dropped term", r"out_o2 - target_o2", "out_o2"),
    ("soft", "python", "bias", r" \+ b2\b", " - b2"),
    ("soft", "python", "slope", r"\(1 - out_h1 \*\* 2\)|\(1 - out_h1\*\*2\)", "(1 - out_h1)"),
    ("soft", "numpy", "dropped term", r"out2 - t\b", "out2"),
    (
        "soft",
        "numpy",
        "a row too many",
        r"Forward\(net1,",
        "Forward(net1[np.arange(batch + 1) % batch],",
    ),
    ("soft", "numpy", "bias gradient", r"dE_db1 = ", "dE_db1 = 1.0005 * "),
]


@pytest.mark.parametrize(
    ("name", "target", "old", "new"),
    [(name, target, old, new) for name, target, _, old, new in MODULES],
    ids=[f"{name}: {target}, {what}" for name, target, what, *_ in MODULES],
)
def test_a_wrong_module(
    name: str, target: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numpy")
    monkeypatch.setattr(VERIFIER, "derivation_routes", lambda *_: [])
    whole = made(name)
    head, docstring, body = whole.modules[target].rpartition("NamedTuple\n")
    source = head + docstring + changed(body, old, new)
    report = verify(whole.problem, whole.derivation, whole.page, {}, {target: source})
    assert disagreeing(report) == {f"module {target}"}


# --- published numbers ----------------------------------------------------------------------

PUBLISHED = [
    ("a wrong digit", Published("dE/dw6", "0.07194", "")),
    ("a wrong sign", Published("dE/dw7", "0.04441", "")),
    ("few digits, rounded wrong", Published("w5+", "0.32", "")),
    ("a misprint that agrees", Published("dE/dw6", "0.07193", "", "said to be wrong")),
    ("a name that is not there", Published("dE/dw9", "0.07193", "")),
    ("no number", Published("dE/dw6", "sNaN", "")),
    ("far too small a number", Published("dE/dw6", "1e-999999999", "")),
]


@pytest.mark.parametrize("wrong", [w for _, w in PUBLISHED], ids=[what for what, _ in PUBLISHED])
def test_a_wrong_published_number(wrong: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    report = published_report((*made("article").problem.published, wrong), monkeypatch)
    assert disagreeing(report) == {"published numbers"}
    assert [row for row in report.numbers if row.status is Status.DISAGREES] != []


def test_a_misprint_that_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = made("article").problem.published
    unexplained = tuple(replace(each, misprint=None) for each in printed)
    report = published_report(unexplained, monkeypatch)
    assert disagreeing(report) == {"published numbers"}
    # two of the five are right at their own, fewer digits
    assert sum(row.status is Status.DISAGREES for row in report.numbers) == 3


def published_report(printed: tuple[Published, ...], monkeypatch: pytest.MonkeyPatch) -> Report:
    monkeypatch.setattr(VERIFIER, "derivation_routes", lambda *_: [])
    whole = made("article")
    problem = replace(whole.problem, published=printed)
    return verify(problem, whole.derivation, whole.page, {}, {})


# --- deep and wide networks -----------------------------------------------------------------

DEEP = (  # so deep that no difference of the loss shows the first layer
    f"network: {{inputs: 2, layers: [{'{dense: 2, activation: logistic}, ' * 16}],"
    " loss: half_squared_error}"
)
WIDE = (
    "network: {inputs: 40, layers: [{dense: 40, activation: relu}, {dense: 40, activation: relu},"
    " {dense: 9, activation: softmax}], loss: categorical_cross_entropy}"
)
LARGE: list[tuple[str, str, Change]] = [
    (DEEP, "factor", adjoint("W3", lambda e: e * SLIGHTLY)),
    (DEEP, "factor of a bias", adjoint("b1", lambda e: e * SLIGHTLY)),
    (DEEP, "factor on the way", adjoint("net12", lambda e: e * SLIGHTLY)),
    (DEEP, "swapped index", adjoint("out7", swapped("W8"))),
    (DEEP, "lost path", adjoint("out7", lost_path)),
    (WIDE, "factor", adjoint("W1", lambda e: e * SLIGHTLY)),
    (WIDE, "swapped letters", adjoint("W2", mirrored)),
    (WIDE, "swapped index", adjoint("out1", swapped("W2"))),
    (WIDE, "lost path", adjoint("out2", lost_path)),
]


@pytest.mark.parametrize(
    ("text", "change"),
    [(text, change) for text, _, change in LARGE],
    ids=[f"{'deep' if text is DEEP else 'wide'}: {what}" for text, what, _ in LARGE],
)
def test_a_wrong_derivation_of_a_large_network(text: str, change: Change) -> None:
    whole = problem(text)
    derivation = differentiate(whole.graph)
    page = Page({}, (), {})
    assert verify(whole, derivation, page, {}, {}).agree
    assert "differences" in disagreeing(verify(whole, change(derivation), page, {}, {}))


BROAD = "network: {inputs: 100, layers: [{dense: 100, activation: tanh}], loss: half_squared_error}"
BROAD_MODULES = [
    ("python", "nothing", "", "", set()),
    ("python", "forward", "dot(x[n], W1[o])", "dot(x[n][:99], W1[o][:99])", {"module python"}),
    ("python", "a row of the update", "W1[o][i] - ", "W1[o][i] - (o != 7) * ", {"module python"}),
    (
        "python",
        "an entry of the update",
        "W1[o][i] - ",
        "W1[o][i] - (100 * o + i != 5037) * ",
        {"module python"},
    ),
    ("numpy", "gradient", "dE_dnet1.T @ x", "1.0005 * dE_dnet1.T @ x", {"module numpy"}),
    ("numpy", "transposed update", "rate * dE_dW1\n", "rate * dE_dW1.T\n", {"module numpy"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "old", "new", "caught_by"),
    [(target, old, new, caught_by) for target, _, old, new, caught_by in BROAD_MODULES],
    ids=[f"{target}: {what}" for target, what, *_ in BROAD_MODULES],
)
def test_a_module_of_which_a_choice_is_compared(
    target: str, old: str, new: str, caught_by: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("numpy")
    monkeypatch.setattr(VERIFIER, "derivation_routes", lambda *_: [])
    whole = problem(BROAD)
    derivation = differentiate(whole.graph)
    head, found, body = emit(whole, derivation, target).rpartition("NamedTuple\n")
    assert old in body
    source = head + found + body.replace(old, new, 1)
    report = verify(whole, derivation, Page({}, (), {}), {}, {target: source})
    assert disagreeing(report) == caught_by
    assert caught_by or "of 10,100 parameters" in report.routes[-1].detail
