"""Each language is whole: it says all that English says, and writes numbers as its readers do."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import derive
from derive.builtin import builtin_names
from derive.cli import main
from derive.fieldtypes import Language
from derive.graph import Derivation
from derive.languages import (
    FORMULA,
    LANGUAGES,
    POINT,
    WITH_COMMA,
    WITHOUT_SPACES,
    numbers_in,
    plain_numbers,
    unbroken,
)
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.library.optimizers import OPTIMIZERS
from derive.library.titles import OTHERS as TITLED
from derive.library.titles import title
from derive.pipeline import Made
from derive.render.korean import particle
from derive.render.markdown import markdown
from derive.render.order import path_view
from derive.scaffold import scaffold
from derive.spec import load_spec, parse_spec
from derive.templating import environment, source
from derive.typeset import engine, typeset
from derive.verify import Status
from derive.verify.bench import Bench
from derive.verify.of_model import true_values_of_model
from derive.verify.oracle import true_values
from derive.verify.pages import text_route
from derive.verify.phrasebook import MACRO
from derive.verify.sampling import drawn_values, spec_values
from derive.verify.trajectory import Trajectory
from tests.sampled import sampled

OTHERS = [language for language in LANGUAGES if language != "en"]
NEW = [language for language in LANGUAGES if language not in ("en", "ko")]
BOOKS = ("latex/{}.tex.j2", "latex/model_{}.tex.j2", "exercise/{}.j2")
FIELD = re.compile(r"\bb\.\w+(?:\.\w+)?")
SLOTS = re.compile(r"<<.*?>>|<%.*?%>", re.DOTALL)
WORDS = re.compile(r"[A-Za-z]{4,}")
ROWS = (*LAYERS, *loss_names())
CODES = {"ja": "shift_jis", "zh": "gb2312"}  # sets of signs that leave out those of the other
WIDE, MARKS = r"[ぁ-ヿ一-鿿]", r"[\u3000-\u303f\uff00-\uffef]"
NARROW = re.compile(rf"{WIDE}[,.;:?!(]|\)(?={WIDE})|{WIDE} {WIDE}|[。、，；：] {WIDE}")


def book(name: str, language: str) -> dict[str, str]:
    """The macros of a phrase book with their texts."""
    return dict(MACRO.findall(source(name.format(language))))


def test_the_languages_of_specs_are_those_of_the_program() -> None:
    assert get_args(Language) == LANGUAGES
    assert set(WITH_COMMA) <= set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", BOOKS)
def test_a_phrase_book_has_a_phrase_for_everything(name: str, language: str) -> None:
    english, own = book(name, "en"), book(name, language)
    assert english.keys() - {"plural", "through"} <= own.keys()
    for kind, text in english.items():
        if kind in own:
            asked = {f.removesuffix(".en") for f in FIELD.findall(text)}
            answered = {f.removesuffix(f".{language}") for f in FIELD.findall(own[kind])}
            assert asked - answered <= {"b.title"}, f"{kind} leaves out {asked - answered}"


@pytest.mark.parametrize("language", NEW)
@pytest.mark.parametrize("name", BOOKS)
def test_what_is_said_is_not_english(name: str, language: str) -> None:
    own, english = book(name, language), book(name, "en")
    for kind, text in own.items():
        said = set(WORDS.findall(SLOTS.sub(" ", re.sub(r"\\\w+(\{[\w:]*\})?", " ", text))))
        same = said & set(WORDS.findall(SLOTS.sub(" ", english.get(kind, ""))))
        assert len(same) <= max(2, len(said) // 6), f"{kind}: {sorted(same)}"


def leaves(words: Any, path: str = "") -> dict[str, str]:
    if not isinstance(words, dict):
        return {path: str(words)}
    return {p: t for key, value in words.items() for p, t in leaves(value, f"{path}.{key}").items()}


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", ["html/{}.yaml", "notebook/{}.yaml"])
def test_a_list_of_words_is_complete(name: str, language: str) -> None:
    english, own = (leaves(yaml.safe_load(source(name.format(each)))) for each in ("en", language))
    assert english.keys() == own.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", own[key])), key


PARTS = ("value", "norm_all", "norm_each", "l2", "decoupled")  # of a training, see model/rules.py


def test_the_end_of_a_line_is_no_space() -> None:
    text = "出力は次のとおりです。\nまた、\n$x$ は0です。\n\n次\n$$\nx\n$$\n"
    assert unbroken("ja", text) == "出力は次のとおりです。また、 $x$ は0です。\n\n次\n$$\nx\n$$\n"
    assert unbroken("ko", text) == text


@pytest.mark.parametrize("language", sorted(WITHOUT_SPACES))
def test_signs_are_those_of_the_language(language: str) -> None:
    words = "\n".join(re.sub(r"<#.*?#>", "", source(name.format(language))) for name in BOOKS)
    words += "\n".join(title(row)[language] for row in ROWS)
    words += "\n".join((load_spec(name).spec.title or {})[language] for name in builtin_names())
    assert re.sub(f"{WIDE}|{MARKS}", "", words).isascii(), (
        "a sign that the fonts of TeX may not have"
    )
    for name in ("html/{}.yaml", "notebook/{}.yaml"):
        words += "\n".join(leaves(yaml.safe_load(source(name.format(language)))).values())
    assert not NARROW.findall(SLOTS.sub("\0", words))
    "".join(re.findall(f"{WIDE}|{MARKS}", words)).encode(CODES[language])
    assert ("の" in words) is (language == "ja")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_and_every_built_in_spec_has_a_title(language: str) -> None:
    assert all(title(row)[language] for row in ROWS)
    for name in builtin_names():
        assert language in dict(load_spec(name).spec.title or {}), name
    jinja = environment("latex")
    jinja.filters["particle"] = particle
    optimizers = jinja.get_template(f"latex/model_{language}.tex.j2").module
    assert set(OPTIMIZERS) <= set(optimizers.optimizers)  # type: ignore[attr-defined]
    assert set(PARTS) <= set(optimizers.parts)  # type: ignore[attr-defined]


def test_a_decimal_comma_stands_in_formulas_only() -> None:
    text = r"1.5 and $x = 0.25$, \begin{equation}a = 1.5 \\[1.5ex] b\end{equation} \(3.5\) \$2.5"
    assert numbers_in("en", text) == text
    told = numbers_in("de", text)
    assert told == text.replace("0.25", "0{,}25").replace("a = 1.5", "a = 1{,}5").replace(
        "[1.5ex]", "[1{,}5ex]"
    ).replace("(3.5", "(3{,}5")
    assert plain_numbers("de", told) == text


# --- pages ------------------------------------------------------------------------------------


@cache
def made(name: str) -> tuple[Made, Derivation]:
    if name in ROWS:
        problem = derive.build(parse_spec(scaffold(name, network=False), "my.yaml", "my"))
    else:
        problem = derive.load(name)
    whole = derive.make(problem, NEW)
    return whole, whole.derivation


@cache
def truth(name: str) -> Any:
    """The numbers that are true of a spec, as the check of its pages has them."""
    whole, derivation = made(name)
    problem, own = whole.problem, spec_values(whole.problem)
    if not problem.is_model:
        drawn = own or (drawn_values(problem.graph, 1) if path_view(problem) else None)
        return {} if drawn is None else true_values(problem, drawn)
    if own is None:
        return {}
    trajectory = Trajectory(problem, derivation, own)
    return true_values_of_model(problem, Bench(derivation, own), trajectory)


def judged(name: str, language: str, text: str) -> Any:
    whole, derivation = made(name)
    told = whole._written[0]  # with its numbers as they are carried on the page
    return text_route(language, text, whole.page, told, truth(name), derivation).status


PAGES = [("article", NEW[0]), ("tiny_rnn", NEW[1]), *(("neuron", each) for each in NEW)]


@pytest.mark.parametrize(("name", "language"), PAGES)
def test_a_page_is_verified(name: str, language: str, tmp_path: Path) -> None:
    text = made(name)[0].texts[language]
    assert judged(name, language, text) is Status.AGREES
    if language in WITH_COMMA:
        assert not any(POINT.search(formula) for formula in FORMULA.findall(text))
        assert judged(name, language, plain_numbers(language, text)) is Status.DISAGREES
    digit = re.search(r"= 0(?:\{,\}|\.)\d*[1-8](?=\n)", text)
    assert digit is not None
    wrong = text[: digit.end() - 1] + str(int(text[digit.end() - 1]) + 1) + text[digit.end() :]
    assert judged(name, language, wrong) is Status.DISAGREES
    file = tmp_path / "page.md"
    file.write_text(markdown(made(name)[0].page, language), "utf-8")
    assert main(["check", str(file)]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("language", NEW)
@pytest.mark.parametrize("name", sampled(sorted({*ROWS, *builtin_names()}), 60))
def test_every_page_is_verified(name: str, language: str) -> None:
    if name == "many_rounds":
        return
    assert judged(name, language, made(name)[0].texts[language]) is Status.AGREES


@pytest.mark.tex
@pytest.mark.slow
@pytest.mark.skipif(engine() is None, reason="no TeX engine is installed")
@pytest.mark.parametrize("language", NEW)
def test_a_page_is_set_without_faults(language: str, tmp_path: Path) -> None:
    name = "article" if language in WITHOUT_SPACES else "neuron"
    done = typeset(made(name)[0].texts[language], str(engine()))
    assert done.faults == ()
    if shutil.which("pdftotext"):
        (tmp_path / "page.pdf").write_bytes(done.pdf)
        command = ["pdftotext", "-layout", str(tmp_path / "page.pdf"), "-"]
        said = subprocess.run(command, check=True, capture_output=True).stdout.decode()
        assert len(re.findall(r"\w", said)) > 500
        assert not re.findall(r"(?m)^\s*[、。，；：）」”].*$|^.*[（「“]\s*$", said)


@pytest.mark.tex
@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("lualatex"), reason="lualatex is not installed")
def test_the_other_engine_has_the_signs_too() -> None:
    assert typeset(made("neuron")[0].texts["ja"], "lualatex").faults == ()


@pytest.mark.parametrize("language", NEW)
def test_sheets_and_interactive_pages(language: str, tmp_path: Path) -> None:
    given = ["--seed", "7", "--language", language, "-o", str(tmp_path), "--to", "latex"]
    assert main(["exercise", "neuron", *given, "--to", "html", "--to", "moodle"]) == 0
    texts = {
        p.name: p.read_text("utf-8") for p in tmp_path.rglob("*") if p.suffix in (".tex", ".html")
    }
    assert texts
    for name, text in texts.items():
        if language in WITH_COMMA:
            assert re.search(r"\d\{,\}\d" if name.endswith("tex") else r"<mn>\d+,\d+</mn>", text)
            assert not re.search(r"<mn>\d+\.\d+</mn>", text)


NAMES = {  # rows whose titles are names, the same in every language
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softmax", "softplus"),
    *("softsign", "glu", "swiglu", "maxout", "gru", "gru_take", "gru_reset_after", "lstm"),
    "info_nce",
}


@pytest.mark.parametrize("language", TITLED)
def test_every_row_has_a_title_of_its_own_or_a_name(language: str) -> None:
    assert {*ROWS} - TITLED[language].keys() == NAMES
