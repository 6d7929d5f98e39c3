"""The interactive page in a real browser: pointing, keys, edits, training, access, print."""

from __future__ import annotations

import importlib.util
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

import derive
from derive.backprop import differentiate
from derive.build import build, build_as_model
from derive.cli import main
from derive.emit import load
from derive.expression import Element
from derive.interactive import page as write_page
from derive.notation import notation
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.model_form import ModelForm
from derive.render.model_rounds import rounds
from derive.render.model_update import update
from derive.render.worked import bench_of
from derive.spec import parse_spec
from tests.interactive.test_interactive_data import hostile_page
from tests.interactive.test_interactive_model import RUN, large_network
from tests.interactive_support import SHOWN, data_of, edited, executed, html, texts

pytestmark = pytest.mark.slow
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
MINUS = "\u2212"
SOON = 1000  # milliseconds until a page answers


def missing() -> str:
    """Why there is no browser, if there is none."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if shutil.which("chromium") else "chromium is not installed"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if missing():
        pytest.skip(missing())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        )
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens pages as a reader does, from the disk; they may ask the network for nothing."""
    contexts = []

    def open_page(text: str, width: int = 1300, height: int = 900, **options: Any) -> Any:
        file = tmp_path / "page.html"
        file.write_text(text, "utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: faults.append(asked.url)
                if not asked.url.startswith("file:") else None)  # fmt: skip
        page.on("dialog", lambda shown: faults.append("a dialog"))
        page.faults = faults
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            assert not page.faults
        context.close()


def number(text: str) -> str:
    return text.replace(MINUS, "-")


def shown(page: Any) -> dict[str, str]:
    """The results that stand in the derivation, by the number of their key."""
    found = page.eval_on_selector_all(
        "#lines > li",
        """lines => lines.map(line => [line.dataset.key,
          line.querySelector(".row.r > math > semantics > mrow > mrow:last-child").textContent])""",
    )
    return {key: number(text) for key, text in found}


def in_tables(page: Any) -> list[tuple[str, str, str]]:
    """Value, gradient and new value of every parameter."""
    rows = page.locator("#tables table").nth(1).locator("tbody tr")
    return [
        (
            row.locator("input").input_value(),
            number(row.locator("td").nth(1).inner_text()),
            number(row.locator("td").nth(2).inner_text()),
        )
        for row in rows.all()
    ]


@pytest.mark.parametrize("name", SHOWN)
def test_every_weight_by_mouse_and_by_keyboard(name: str, opened: Any) -> None:
    page = opened(html(name))
    data = data_of(html(name))
    buttons = page.locator(".net.lying [data-weight]")
    weights = {str(row[0]): row for row in data["weights"]}
    assert {b.get_attribute("data-weight") for b in buttons.all()} == {*weights}
    buttons.first.focus()
    for visited in range(buttons.count()):  # from one to the next by the Tab key
        button = buttons.nth(visited)
        key, gradient, _ = weights[str(button.get_attribute("data-weight"))]
        assert page.evaluate("document.activeElement.dataset.weight") == str(key)
        look(page, data, key, gradient)
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator(".net.lying .lit").count() == 0
    for visited in range(buttons.count()):
        button = buttons.nth(visited)
        key, gradient, _ = weights[str(button.get_attribute("data-weight"))]
        page.mouse.move(1, 1)
        label = page.locator(f'.net.lying .label[data-points="{key}"]').first
        if "quiet" in str(label.get_attribute("class")):
            button.dispatch_event("pointerenter", {"pointerType": "mouse"})
        else:
            label.hover()
        page.wait_for_selector(f'.net.lying .weight.chosen[data-weight="{key}"]', state="attached")
        look(page, data, key, gradient)


def look(page: Any, data: dict[str, Any], key: int, gradient: int) -> None:
    """The way of a weight is lit, its factors stand on it, its derivation beside it."""
    texts = [each["t"] for each in data["keys"]]
    lit = page.locator(".net.lying .lit")
    places = set(lit.evaluate_all("all => all.map(each => each.dataset.place)"))
    assert {f"w{key}", "E"} <= places
    found = shown(page)
    assert found[str(gradient)] == texts[gradient]
    assert all(text == texts[int(k)] for k, text in found.items())
    for factor in page.locator(".net.lying .factor.lit").all():
        number_of = int(str(factor.get_attribute("data-factor")))
        assert number(factor.locator(".value").inner_html()) == texts[number_of]
        assert str(number_of) in found


CHANGES: tuple[dict[tuple[str, tuple[int, ...]], str], ...] = (
    {("W1", (0, 0)): "-0.7"},
    {("x", (0, 1)): "1/3", ("rate", ()): "2"},
    {("W2", (0, 0)): "12.345", ("W1", (0, 1)): "0"},
)


@pytest.mark.parametrize("name", ["article", "biases", "tanh"])
def test_what_is_edited_is_followed_to_the_printed_digit(name: str, opened: Any) -> None:
    page = opened(html(name))
    data = data_of(html(name))
    names = [key["n"] for key in data["keys"]]
    problem = derive.load(name)
    own = notation(problem)
    for changes in CHANGES:
        page.locator("#reset").click()
        for (quantity, place), text in changes.items():
            report = "alpha" if quantity == "rate" else own.name(Element(quantity, *place)).report
            page.locator(f'#tables input[data-edit="{names.index(report)}"]').fill(text)
        exact = {place: Fraction(text) for place, text in changes.items()}
        expected, _ = texts(edited(problem, exact))
        for value, (key, gradient, after) in zip(in_tables(page), data["weights"], strict=True):
            new = "stays" if after is None else expected[after]
            assert value == (expected[key], expected[gradient], new)
        for stage in data["stages"]:
            page.locator(f'[data-stage="{stage}"]').click()
            while page.locator("#more").is_visible():
                page.locator("#more").click()
            found = shown(page)
            assert found
            assert found == {key: expected[int(key)] for key in found}


def test_what_is_no_number_is_said_and_changes_nothing(opened: Any) -> None:
    page = opened(html("article"))
    before = in_tables(page)
    field = page.locator("#tables input[data-edit]").first
    field.fill("nonsense")
    assert field.get_attribute("aria-invalid") == "true"
    assert "no number" in page.locator("#wrong").inner_text()
    assert in_tables(page) == before
    field.fill("0.05")
    assert field.get_attribute("aria-invalid") is None
    assert page.locator("#wrong").inner_text() == ""


@pytest.mark.parametrize("changes", [{}, {"w1": "-0.7", "i2": "1/3"}, {"w5": "12", "alpha": "3"}])
def test_a_pencil_gets_what_the_page_says(
    changes: dict[str, str], opened: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The proof-reader finds each line of the page right from the numbers that stand in it."""
    page = opened(html("article"))
    data = data_of(html("article"))
    names = [key["n"] for key in data["keys"]]
    for name, text in changes.items():
        page.locator(f'#tables input[data-edit="{names.index(name)}"]').fill(text)
    found = []
    for stage in data["stages"]:
        page.locator(f'[data-stage="{stage}"]').click()
        found += page.eval_on_selector_all(
            "#lines > li",
            """lines => lines.map(line => [line.dataset.key, ...[...line.querySelectorAll(
              ".row.f annotation, .row.v annotation, .row.r.first annotation, .row.own annotation"
            )].map(each => each.textContent)])""",
        )
    given = [f"${data['keys'][k]['x']} = {t}$" for k, t in starts(page, data)]
    lines = [
        f"\\[ {data['keys'][int(k)]['x']}{''.join(map(joined, rows))} \\]" for k, *rows in found
    ]
    document = tmp_path / "page.md"
    document.write_text("\n\n".join([*given, *lines]), "utf-8")
    code = main(["check", "--digits", "4", str(document)])
    said = capsys.readouterr().out
    assert code == 0 and "0 could not be read" in said, said
    assert int(re.findall(r"(\d+) right", said)[0]) >= 50


def joined(row: str) -> str:
    """A row behind what stands before it; one that begins with a sign goes on with a sum."""
    return f" {row}" if row.startswith(("+ ", "- ")) else f" = {row}"


def starts(page: Any, data: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """What is given now, by key."""
    for k, key in enumerate(data["keys"]):
        if "f" not in key:
            yield k, page.locator(f'#tables input[data-edit="{k}"]').input_value()


def test_the_steps_of_the_walk(opened: Any) -> None:
    page = opened(html("article"))
    data = data_of(html("article"))
    steps = sum("f" in key and key["k"] != "part" for key in data["keys"])
    for step in range(1, steps + 1):
        page.locator("#next").click()
        assert page.locator("#status").inner_text().startswith(f"Step {step} of {steps}")
        assert page.locator('#lines [aria-current="step"]').count() == 1
        assert page.locator(".net.lying .lit").count() > 0
    page.locator("#back").click()
    assert page.locator("#status").inner_text().startswith(f"Step {steps - 1} of {steps}")


STEPPED = """async () => {
  const found = [];
  for (let step = 0; step < 10; step += 1) {
    document.getElementById("next").click();
    const at = scrollY;
    await new Promise((done) => setTimeout(done, 300));
    found.push([at, scrollY]);
  }
  return found;
}"""


@pytest.mark.parametrize("name", ["article", "attention_by_hand"])
def test_a_step_scrolls_at_once(name: str, opened: Any) -> None:
    """So that the button is still there when it is released."""
    places = opened(html(name)).evaluate(STEPPED)
    assert all(at == later for at, later in places)
    assert max(at for at, _ in places) > 0


def test_the_training_goes_as_the_module_goes(opened: Any) -> None:
    """After k updates the page starts from the parameters of the emitted module, as printed."""
    made = derive.make(derive.load("article"))
    space = load(made.problem, made.modules["python"], "python").namespace
    data, own = data_of(html("article")), notation(made.problem)
    page = opened(html("article"))
    for steps in (1, 7, 250, 1000):
        page.locator("#update").fill(str(steps))
        trained, _ = space["train"](
            space["PARAMETERS"], space["SAMPLE"], space["LEARNING_RATE"], steps
        )
        form = made.problem.numbers
        values = {
            key["n"]: form.text(Fraction(getattr(trained, key["n"])))
            for key in data["keys"]
            if key.get("r") == "weight"
        }
        start = [data["keys"][row[0]]["n"] for row in data["weights"]]
        assert [row[0] for row in in_tables(page)] == [values[name] for name in start]
        changes = {
            (quantity, place): Fraction(values[own.name(Element(quantity, *place)).report])
            for quantity in ("W1", "W2")
            for place in made.problem.values[quantity]
        }
        expected, _ = texts(edited(made.problem, changes))
        rows = in_tables(page)
        assert rows == [tuple(expected[k] for k in row) for row in data["weights"]]


def test_the_views_the_languages_and_the_colours(opened: Any) -> None:
    page = opened(html("article"), color_scheme="light")
    row = page.locator("#lines > li").first.locator(".row")
    seen = {}
    for view in ("all", "formula", "numbers", "result"):
        page.locator(f'#view input[value="{view}"]').check()
        seen[view] = [r.get_attribute("class") for r in row.all() if r.is_visible()]
    assert seen == {
        "all": ["row f", "row v first"],
        "formula": ["row f"],
        "numbers": ["row v first"],
        "result": ["row r"],
    }
    page.locator("#language").select_option("ko")
    assert page.evaluate("document.documentElement.lang") == "ko"
    assert page.title() == "오차 역전파, 한 걸음씩"
    assert page.locator("#h-derivation").inner_text() == "유도"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").select_option("dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


@pytest.mark.parametrize("name", ["attention_by_hand", "gru_by_hand", "adam_step"])
def test_every_quantity_by_mouse_and_by_keyboard(name: str, opened: Any) -> None:
    page = opened(html(name))
    data = data_of(html(name))
    values = computed_of(data)
    buttons = page.locator(".net.lying [data-quantity]")
    count = buttons.count()
    assert count == sum("r" in quantity for quantity in data["quantities"])
    buttons.first.focus()
    for visited in range(count):
        q = int(str(buttons.nth(visited).get_attribute("data-quantity")))
        assert page.evaluate("document.activeElement.dataset.quantity") == str(q)
        look_at(page, data, values, q)
        buttons.nth(visited).focus()
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator(".net.lying .lit").count() == 0
    for visited in range(count):
        q = int(str(buttons.nth(visited).get_attribute("data-quantity")))
        buttons.nth(visited).hover()
        page.wait_for_selector(f'.net.lying [data-quantity="{q}"].lit', state="attached")


def computed_of(data: dict[str, Any]) -> list[list[str]]:
    """All texts of a model, computed without a browser."""
    given = [quantity.get("v") for quantity in data["quantities"]]
    return list(executed(RUN, {"data": data, "cases": [given]})[0]["text"])


def look_at(page: Any, data: dict[str, Any], values: list[list[str]], q: int) -> None:
    """A chosen quantity is lit, and all its entries can be chosen and are right."""
    own = data["quantities"][q]
    places = "all => all.map(each => each.dataset.place)"
    assert f"q{q}" in page.eval_on_selector_all(".net.lying .lit", places)
    for each in filter(None, (q, own["d"], own["a"])):
        if own["s"]:
            cells = page.locator("#entries td button").all_inner_texts()
            assert {number(text) for text in cells} >= {*map(shown_as, values[each])}
    results = page.eval_on_selector_all(
        "#lines .row.r > math > semantics > mrow", "all => all.map(each => each.textContent)"
    )
    for each in filter(None, (own["d"], own["a"])):
        assert any(number(text).endswith(f"={shown_as(values[each][0])}") for text in results)


def shown_as(text: str) -> str:
    """A number as the page shows it in a table: far from 1 as a power of ten."""
    return text


def test_an_edited_entry_of_a_model_is_followed(opened: Any) -> None:
    page = opened(html("gru_by_hand"))
    data = data_of(html("gru_by_hand"))
    q = next(k for k, quantity in enumerate(data["quantities"]) if quantity["n"] == "Uh")
    page.locator(f'#tables input[data-edit="{q}"][data-at="1,0"]').fill("-0.75")
    data["quantities"][q]["v"][2] = "-0.75"
    values = computed_of(data)
    page.locator(f'.net.lying [data-quantity="{q}"]').click()
    cells = [number(text) for text in page.locator("#entries td button").all_inner_texts()]
    own = data["quantities"][q]
    assert cells == [*values[q], *values[own["d"]], *values[own["a"]]]
    page.locator("#entries td button").nth(3).click()
    assert "1" in page.locator(".choose input").first.input_value()


def test_a_model_goes_back_to_its_given_values(opened: Any) -> None:
    page = opened(html("tiny_rnn"))
    given = page.locator("#tables input[data-edit]")
    before = [field.input_value() for field in given.all()]
    for _ in range(2):
        given.first.fill("-0.7")
        assert given.first.input_value() == "-0.7"
        page.locator("#reset").click()
        assert [field.input_value() for field in given.all()] == before


def test_the_training_of_a_model_goes_as_its_module_goes(opened: Any) -> None:
    name = "gru_by_hand"
    made = derive.make(derive.load(name))
    space = load(made.problem, made.modules["python"], "python").namespace
    data = data_of(html(name))
    page = opened(html(name))
    for steps in (1, 5, 40):
        page.locator("#update").fill(str(steps))
        trained, _ = space["train"](
            space["PARAMETERS"], space["SAMPLE"], space["LEARNING_RATE"], steps
        )
        for q, quantity in enumerate(data["quantities"]):
            if quantity.get("r") == "parameter":
                fields = page.locator(f'#tables input[data-edit="{q}"]').all()
                flat = list(numbers_in(getattr(trained, quantity["n"])))
                wanted = [made.problem.numbers.text(Fraction(x)) for x in flat]
                assert [field.input_value() for field in fields] == wanted


WHOLE = """\
inputs: {x: [1, -0.5]}
parameters: {W: [[0.5, 0.2], [-0.3, 0.1]], b: [0.1, 0.2]}
model: ["h[k] = tanh(sum(i, W[k,i]*x[i]) + b[k])"]
loss: E = sum(k, h[k]**2)/2
training: {learning_rate: 0.05, steps: 3, optimizer: muon, schedule: cosine, clip: {norm: 0.2}}
"""


@pytest.mark.parametrize("name", ["adam_step", "many_rounds", "nesterov_step", "whole"])
def test_updates_of_optimizers_with_states_and_samples(name: str, opened: Any) -> None:
    """After k updates the parameters are those of the rounds of the page, carried unrounded."""
    problem = build(parse_spec(WHOLE, "w.yaml", "w")) if name == "whole" else derive.load(name)
    problem = replace(problem, numbers=replace(problem.numbers, chained=False))
    derivation = differentiate(problem.graph, problem.wanted)
    text = write_page(problem, derivation, "en")
    page, data = opened(text), data_of(text)

    def tell(carrying: Problem) -> list[dict[Any, str]]:
        form = ModelForm(carrying, derivation)
        bench = bench_of(form)
        assert bench is not None
        update(form, bench.values)
        return [dict(each.texts) for each in islice(rounds(form, bench.values), last + 1)]

    last = min(3, data["steps"])
    told = carried(problem, tell)[1]
    assert last > 0
    for steps in range(last + 1):
        page.locator("#update").fill(str(steps))
        for q, quantity in enumerate(data["quantities"]):
            if quantity.get("r") in ("parameter", "input"):
                fields = page.locator(f'#tables input[data-edit="{q}"]').all()
                places = product(*map(range, quantity["s"]))
                wanted = [told[steps][quantity["n"], place] for place in places]
                assert [field.input_value() for field in fields] == wanted


def test_a_forward_pass_alone_has_a_page(opened: Any) -> None:
    spec = 'inputs: {x: [1, 0.5]}\nmodel: ["y[i] = exp(x[i])"]\n'
    problem = build(parse_spec(spec, "forward", "forward"))
    page = opened(write_page(problem, differentiate(problem.graph, problem.wanted), "en"))
    page.locator(".net.lying [data-quantity]").last.click()
    page.locator("#next").click()
    assert page.locator("#stages button").count() == 1
    assert not page.locator("#training").is_visible()
    assert "2.718" in page.locator("#lines").inner_html()


def numbers_in(table: Any) -> Iterator[float]:
    if isinstance(table, list | tuple):
        for each in table:
            yield from numbers_in(each)
    else:
        yield float(table)


def test_a_large_network_can_be_used(opened: Any) -> None:
    spec = parse_spec(large_network(64), "large", "large")
    assert spec.spec.network is not None
    problem = build_as_model(spec, spec.spec.network)
    page = opened(write_page(problem, differentiate(problem.graph, problem.wanted), "en"))
    took = page.evaluate(
        """() => {
          const start = performance.now();
          document.querySelector(".net.lying [data-quantity]").focus();
          return performance.now() - start;
        }"""
    )
    assert took < SOON
    page.locator("#tables [data-choose]").nth(1).click()
    page.locator(".choose input").first.fill("63")
    page.locator(".choose input").first.press("Tab")
    row = page.locator("#lines .row.v math").last.inner_html()
    assert "63" in row
    start = time.monotonic()
    page.locator("#entries label > input:not([type=number])").fill("1.5")
    assert page.locator("#wrong").inner_text() == ""
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("gru_by_hand", 1300, "light"),
        ("gru_by_hand", 360, "dark"),
        ("attention_by_hand", 1300, "dark"),
        ("article", 1300, "light"),
        ("article", 1300, "dark"),
        ("article", 360, "light"),
        ("article", 360, "dark"),
        ("deep", 1300, "dark"),
        ("tanh", 360, "light"),
    ],
)
def test_the_page_is_open_to_everybody(name: str, width: int, scheme: str, opened: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(html(name), width=width, color_scheme=scheme, bypass_csp=True)
    kind = "standing" if width < 600 else "lying"
    page.locator(f".net.{kind} [data-weight], .net.{kind} [data-quantity]").nth(2).focus()
    found = axe.Axe().run(page).response
    assert not [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found["violations"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_answers_within_a_second(opened: Any) -> None:
    page = opened(html("article"))
    timing = "performance.getEntriesByType('navigation')[0].domInteractive"
    assert page.evaluate(timing) < SOON
    took = page.evaluate(
        """() => {
          const input = document.querySelector("#tables input"), start = performance.now();
          input.value = "0.07";
          input.dispatchEvent(new Event("input"));
          return performance.now() - start;
        }"""
    )
    assert took < SOON


def test_it_can_be_printed(opened: Any) -> None:
    page = opened(html("article"))
    page.emulate_media(media="print")
    assert not page.locator("#next").is_visible() and page.locator(".net.lying").is_visible()
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    told = [key for key in data_of(html("article"))["keys"] if key.get("k", "part") != "part"]
    assert page.locator("#lines > li").count() == len(told)  # of all stages
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#lines > li").count() == 8


HOSTILE = [
    "</title></script><img src=x onerror=alert(1)>",
    '" onfocus=alert(1) autofocus="<!--<script>',
    "${alert(1)} {{ 1 }} `${alert(1)}`",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
]


@pytest.mark.parametrize(
    "text", [*HOSTILE[:3], *(pytest.param(text, marks=pytest.mark.long) for text in HOSTILE[3:])]
)
def test_a_hostile_text_is_only_a_text(text: str, opened: Any) -> None:
    page = opened(hostile_page(text))
    page.locator("#language").select_option("ko")
    page.locator("#next").click()
    assert page.locator("h1").inner_text() == text
    assert page.locator("h1 *").count() == 0
