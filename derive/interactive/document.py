"""A problem as one file of HTML: data, picture, words and program, with nothing left to load."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from markupsafe import Markup

from derive.errors import InputError
from derive.graph import Derivation
from derive.interactive.network import network_data, told
from derive.interactive.picture import picture
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.order import in_numbers
from derive.templating import environment, source

LANGUAGES = ("ko", "en")
SCRIPTS = ("numbers.js", "functions.js", "program.js", "page.js")


def page(problem: Problem, derivation: Derivation, language: str) -> str:
    """The page of a problem. Raises InputError if it has no numbers to compute with."""
    data, (lying, standing) = _data(problem, derivation)
    words = {code: _words(code) for code in LANGUAGES}
    title = problem.title.get(language) or next(filter(None, problem.title.values()), "")
    data |= {"title": dict(problem.title), "say": words}
    style, program = source("html/style.css"), _program()
    return (
        environment("html")
        .get_template("html/page.html.j2")
        .render(
            language=language,
            languages=words.items(),
            say=words[language],
            title=title or words[language]["untitled"],
            lying=Markup(lying),
            standing=Markup(standing),
            style=Markup(style),
            style_hash=_hash(style),
            program=Markup(program),
            program_hash=_hash(program),
            data=Markup(_json(data)),
        )
    )


def _data(problem: Problem, derivation: Derivation) -> tuple[dict[str, Any], tuple[str, str]]:
    if problem.is_model or not in_numbers(problem):
        raise InputError(f"{problem.name}: there is no interactive page of this spec yet")

    def tell(carrying: Problem) -> tuple[dict[str, Any], tuple[str, str]]:
        network = told(carrying, derivation)
        data = network_data(network)
        data |= {"batch": problem.batch, "gave_up": carrying.numbers.gave_up}
        data["format"]["chained"] = problem.numbers.chained
        return data, (picture(network, False), picture(network, True))

    return carried(problem, tell)[1]


def _program() -> str:
    """The program of the page, its names its own."""
    parts = "\n".join(source(f"html/{name}") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();'


@cache
def _words(language: str) -> Mapping[str, Any]:
    """All that a page says in one language."""
    found: Mapping[str, Any] = yaml.safe_load(source(f"html/{language}.yaml"))
    return found


def _json(data: Mapping[str, Any]) -> str:
    """Data within a script: no text of a user can end it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def _hash(text: str) -> str:
    """What the policy of the page knows its own style and program by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
