"""A sheet of HTML in a real browser: answers are typed in, saved as a table, and marked."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from derive.exercise.answers import filled
from derive.exercise.html import html
from derive.exercise.marking import Verdict, marks
from tests.exercise.exercise_support import SPECS, sheet
from tests.sampled import sampled

pytestmark = pytest.mark.slow
WIDTHS = (360, 1300)
NAME = 'Kim, "the\N{RIGHT SINGLE QUOTATION MARK} first"'


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if importlib.util.find_spec("playwright") is None or shutil.which("chromium") is None:
        pytest.skip("playwright or chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


def opened(browser: Any, folder: Path, text: str, width: int = 1300) -> Any:
    """A page from the disk, with what it asks for and complains of."""
    file = folder / "sheet.html"
    file.write_text(text, "utf-8")
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda asked: page.faults.append(asked.url))
    page.goto(file.as_uri())
    page.faults.remove(file.as_uri())
    return page


@pytest.mark.parametrize("spec", SPECS)
def test_answers_are_saved_as_a_table_that_is_marked(
    spec: str, browser: Any, tmp_path: Path
) -> None:
    found = sheet(spec)
    page = opened(browser, tmp_path, html(found, "en", False))
    page.fill("#name", NAME)
    for question in found.questions[1:]:
        page.fill(f'input[data-question="{question.number}"]', question.line.text)
    with page.expect_download() as saved:
        page.click("#save")
    assert saved.value.suggested_filename == "answers-1.csv"
    (read,) = filled("answers.csv", Path(saved.value.path()).read_text("utf-8"))
    assert (read.sheet, read.name) == (1, NAME)
    verdicts = [mark.verdict for mark in marks(found, read.answers)]
    assert verdicts == [Verdict.MISSING, *[Verdict.RIGHT] * (len(verdicts) - 1)]
    assert not [fault for fault in page.faults if not fault.startswith("blob:")]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", sampled(["en", "ko"], 2))
@pytest.mark.parametrize("spec", SPECS)
def test_a_page_is_no_wider_than_its_window(
    spec: str, language: str, width: int, browser: Any, tmp_path: Path
) -> None:
    for solved in (False, True):
        page = opened(browser, tmp_path, html(sheet(spec), language, solved), width)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
        assert not page.faults
