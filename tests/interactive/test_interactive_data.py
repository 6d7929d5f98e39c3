"""What an interactive page holds: the numbers and formulas of the page, words, nothing to load."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import yaml

import derive
from derive.backprop import differentiate
from derive.build import build
from derive.cli import main
from derive.errors import InputError
from derive.interactive import page
from derive.interactive.document import SCRIPTS
from derive.interactive.mathml import mathml
from derive.numbers import shown
from derive.render.runs import plain, runs
from derive.spec import parse_spec
from derive.templating import source
from tests.interactive_support import SHOWN, data_of, html
from tests.render_support import made
from tests.test_hostile import HOSTILE, NETWORK, PLACES

LARGEST = 500_000
WORDS = {language: yaml.safe_load(source(f"html/{language}.yaml")) for language in ("ko", "en")}


@pytest.mark.parametrize("name", SHOWN)
def test_the_numbers_in_the_file_are_those_of_the_page(name: str) -> None:
    keys = data_of(html(name))["keys"]
    numbers = made(name).page.numbers
    assert {key["n"]: key["t"] for key in keys} == {n: e.text for n, e in numbers.items()}
    assert len(keys) == len(numbers)


@pytest.mark.parametrize("name", SHOWN)
def test_each_expression_reads_what_stands_before_it(name: str) -> None:
    def leaves(tree: Any) -> list[int]:
        below = [n for part in tree[1:] for n in leaves(part)] if isinstance(tree, list) else []
        return [tree] if isinstance(tree, int) else below

    for k, key in enumerate(data_of(html(name))["keys"]):
        assert all(n < k for n in leaves(key.get("f", "0")))


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_shows_the_formulas_of_the_page(name: str) -> None:
    """Every row in names of the LaTeX page, put together from template and names."""
    data = data_of(html(name))
    shown = set()
    for key in data["keys"]:
        for group in key.get("d", ()):
            rows = []
            for number, holes in group:
                tex = data["templates"][number]["x"]
                for place, each in enumerate(holes):
                    tex = tex.replace(chr(0xE000 + place), data["keys"][each]["x"])
                rows.append(tex)
            shown.add((key["x"], re.sub(r"\\left|\\right|\s", "", " ".join(rows))))
    displays = [d for d in made(name).page.displays() if d.result is not None]
    assert displays
    for display in displays:
        row = re.sub(r"\\left|\\right|\s|\\\\\n\s*&\\quad ", "", display.rows[0])
        row = row.replace("\\\\&\\quad", "")
        in_index_form = r"\sum_" in row or "_{n" in row
        assert (display.lhs, row) in shown or row == display.result or in_index_form


def filled(data: dict[str, Any], row: list[Any]) -> str:
    """A row with the numbers of the start, as the page puts them in."""
    template = data["templates"][row[0]]
    tex = str(template["x"])
    for place, key in enumerate(row[1]):
        number = shown(data["keys"][key]["t"])
        guard = int(template["g"][place])
        loose = number.startswith("-") or (guard > 1 and "cdot" in number)
        tex = tex.replace(chr(0xE000 + place), f"({number})" if guard and loose else number)
    return tex


@pytest.mark.parametrize("name", SHOWN)
def test_numbers_stand_in_the_rows_as_on_the_page(name: str) -> None:
    """Brackets included: what is negative has some where the page has them, and nowhere else."""
    data = data_of(html(name))
    rows = {
        (key["x"], re.sub(r"\s", "", "".join(filled(data, row) for row in key["v"])))
        for key in data["keys"]
        if key.get("v")
    }
    found = 0
    for display in made(name).page.displays():
        if display.result is None or len(display.rows) < 2 or r"\sum_" in display.rows[0]:
            continue
        numbers = [row for row in display.rows[1:] if row != display.result]
        if numbers and not re.search(r"[a-zA-Z]{3}_|w_", numbers[-1]):
            last = numbers[-1].removesuffix(f" = {display.result}").replace(" \\\\\n  &\\quad ", "")
            assert (display.lhs, re.sub(r"\s", "", last)) in rows
            found += 1
    assert found > 5


@pytest.mark.parametrize("language", WORDS)
def test_without_its_program_a_page_has_its_words(language: str) -> None:
    """Each word stands in the file where the program would put it, and the file is always one."""
    text = html("article", language)
    body = text.split("<body>")[1].split("<script")[0]
    for path, inside in re.findall(r'data-word="([a-z_.]+)"[^<>]*>([^<]*)<', body):
        wanted: Any = WORDS[language]
        for part in path.split("."):
            wanted = wanted[part]
        assert unescape(inside) == wanted
    problem = derive.load("article")
    assert page(problem, differentiate(problem.graph), language) == text
    assert " object at 0x" not in text


def test_pages_are_small_and_load_nothing() -> None:
    for name in SHOWN:
        text = html(name)
        assert len(text.encode()) < LARGEST
        assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|@import|url\(|https?://""", text)


def test_every_language_says_the_same_things() -> None:
    def shape(words: Any) -> Any:
        if isinstance(words, dict):
            return {key: shape(each) for key, each in words.items()}
        return sorted(re.findall(r"\{\d\}", words))

    assert shape(WORDS["ko"]) == shape(WORDS["en"])


def test_every_word_that_the_page_asks_for_is_there() -> None:
    program = "".join(source(f"html/{part}") for parts in SCRIPTS.values() for part in parts)
    asked = re.findall(r"""(?:word|filled)\(["']([a-z_.]+)["']""", program)
    asked += re.findall(r'data-(?:word|label)="([a-z_.-]+)"', source("html/page.html.j2"))
    for path in asked:
        found: Any = WORDS["en"]
        for part in path.split("."):
            assert part in found, path
            found = found[part]
    kinds = {key["k"] for name in SHOWN for key in data_of(html(name))["keys"] if "k" in key}
    assert kinds - {"part"} <= {*WORDS["en"]["kinds"]}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_no_name_of_the_program_is_given_twice(kind: str) -> None:
    """The parts of the program are one scope, and a second function would replace the first."""
    pattern = r"^(?:async )?(?:function|const|class|let) (\w+)"
    names = [
        name for part in SCRIPTS[kind] for name in re.findall(pattern, source(f"html/{part}"), re.M)
    ]
    assert len(names) > 100 and len(names) == len({*names})


def test_the_command_writes_a_page(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "article.html"
    assert main(["html", "article", "--output", str(file)]) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    assert file.read_text("utf-8") == html("article", "ko")
    assert main(["html", "article", "--language", "en"]) == 0
    assert capsys.readouterr().out == html("article", "en")


# --- MathML -----------------------------------------------------------------------------------


def test_a_word_is_one_name_and_brackets_are_no_operators() -> None:
    assert "<mi>total</mi>" in mathml(r"E_{\mathrm{total}}")
    assert "<mi>sgn</mi>" in mathml(r"\operatorname{sgn}(x)")
    made = mathml(r"a(-b + c)")
    still = 'stretchy="false"'
    assert f'<mo form="prefix" {still}>&#x00028;</mo><mo form="prefix">&#x02212;</mo>' in made
    assert f'<mo form="postfix" {still}>&#x00029;</mo>' in made
    assert still not in mathml(r"\left(\frac{a}{b}\right)")
    assert "<script" not in mathml(r"\mathrm{<script>}") and "&#x0003C;" in mathml("a < b")
    assert "<b>" not in mathml(r"\text{<b>}")


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\mathrm{out}_{o1}^{+}", "outo1+"),
        (r"\partial E_{\mathrm{total}}/\partial w_5", "∂Etotal/∂w5"),
        (r"\hat{x}_{\alpha}", "x̂α"),
        (r"\unknown{y}^{(2)}", "y(2)"),
    ],
)
def test_a_name_as_text(tex: str, text: str) -> None:
    assert plain(tex) == text
    assert re.sub(r"<[^<>]*>", "", runs(tex)) == text


def test_a_name_cannot_end_its_text() -> None:
    assert "<script" not in runs(r"\mathrm{<script>}")


# --- hostile texts ----------------------------------------------------------------------------


def hostile_page(text: str) -> str:
    spec = yaml.safe_load(NETWORK)
    spec["title"] = {"en": text, "ko": text}
    problem = build(parse_spec(yaml.safe_dump(spec), "hostile.yaml", "hostile"))
    return page(problem, differentiate(problem.graph), "en")


@pytest.mark.parametrize("text", [t for t in HOSTILE if not re.search("[\0\ud800\x1b]", t)])
def test_a_hostile_title_stays_a_title(text: str) -> None:
    made = hostile_page(text + "</script><img src=x onerror=alert(1)>")
    assert made.count("<script") == 2 and made.count("</script>") == 2
    assert "<img" not in made and "</title><" not in made.replace("</title>\n", "")


CANARIES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg><script>",
    "a'b&lt;",
)
FEW = 8  # the places of a spec are many, and most of them refuse a canary


@pytest.mark.slow
@pytest.mark.parametrize("canary", CANARIES)
def test_a_canary_in_every_text_of_a_spec_runs_nowhere(canary: str) -> None:
    pages = 0
    for number, (_, place, slot) in enumerate(PLACES):
        if number % FEW != len(canary) % FEW and place[:1] != ("title",):
            continue
        try:
            spec = yaml.safe_dump(slot(canary), sort_keys=False)
            problem = build(parse_spec(spec, "hostile", "hostile"))
            made = page(problem, differentiate(problem.graph, problem.wanted), "en")
        except (InputError, TypeError, KeyError):  # refused, or the place is gone
            continue
        assert made.count("<script") == 2 and "<img" not in made and made.count("</svg>") == 3
        pages += 1
    assert pages
