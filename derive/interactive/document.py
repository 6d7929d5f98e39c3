"""A problem as one file of HTML: data, picture, words and program, with nothing left to load."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from markupsafe import Markup

from derive.amount import work
from derive.errors import InputError
from derive.graph import Derivation
from derive.interactive.drawings import drawings
from derive.interactive.graph_picture import graph_picture
from derive.interactive.model import Model, model_data
from derive.interactive.network import network_data, told
from derive.interactive.picture import picture
from derive.languages import LANGUAGES
from derive.problem import Problem
from derive.render.carried import carried
from derive.render.document import title_in
from derive.render.order import in_numbers
from derive.templating import environment, source
from derive.theme import NO_THEME, Theme, styled

ARITHMETIC = ("numbers.js", "functions.js", "program.js", "tensors.js")
SCRIPTS = {
    "network": (*ARITHMETIC, "common.js", "network_page.js"),
    "model": (*ARITHMETIC, "common.js", "model_page.js"),
}
MOST_WORK = 400_000  # multiplications of a pass through a model that a page computes
Pictures = tuple[str, str]


@dataclass(frozen=True)
class Driven:
    """What drives a page, with the picture lying and standing, and what a graph draws beside it."""

    kind: str
    data: dict[str, Any]
    pictures: Pictures
    drawings: str = ""


def page(problem: Problem, derivation: Derivation, language: str, theme: Theme = NO_THEME) -> str:
    """The page of a problem. Raises InputError if it has no numbers to compute with."""
    if _told(problem):
        driven = _network(problem, derivation)
    else:
        driven = _model(problem, derivation, language, theme)
    words = {code: _words(code) for code in LANGUAGES}
    titles = dict(theme.title or problem.title)
    title = title_in(titles, language)
    data = driven.data | {"title": titles, "say": words}
    style = source("html/style.css") + source("figures/pictures.css") + styled(theme)
    program = _program(driven.kind)
    return (
        environment("html")
        .get_template("html/page.html.j2")
        .render(
            language=language,
            languages=words.items(),
            say=words[language],
            title=title or words[language]["untitled"],
            author=theme.author,
            logo=theme.logo.inline if theme.logo else "",
            kind=driven.kind,
            pictures=Markup("".join(driven.pictures)),
            drawings=Markup(driven.drawings),
            style=Markup(style),
            style_hash=_hash(style),
            program=Markup(program),
            program_hash=_hash(program),
            data=Markup(_json(data)),
        )
    )


def _told(problem: Problem) -> bool:
    """Whether a page tells of every number by itself."""
    return not problem.is_model and in_numbers(problem)


def _network(problem: Problem, derivation: Derivation) -> Driven:
    def tell(carrying: Problem) -> Driven:
        network = told(carrying, derivation)
        data = network_data(network)
        data |= {"batch": problem.batch, "gave_up": carrying.numbers.gave_up}
        data["format"]["chained"] = problem.numbers.chained
        return Driven("network", data, (picture(network, False), picture(network, True)))

    return carried(problem, tell)[1]


def _model(problem: Problem, derivation: Derivation, language: str, theme: Theme) -> Driven:
    if not problem.is_model or problem.symbolic:
        words = "an interactive page computes, and here values are missing"
        raise InputError(f"{problem.name}: {words}")
    if work(problem.graph) > MOST_WORK:
        words = f"a page computes at most {MOST_WORK:,} multiplications in one pass"
        raise InputError(f"{problem.name}: {words}; here are about {work(problem.graph):,}")
    model = Model(problem, derivation)
    pictures = graph_picture(model, False), graph_picture(model, True)
    return Driven("model", model_data(model), pictures, drawings(model.form, language, theme))


def _program(kind: str) -> str:
    """The program of the page, its names its own."""
    parts = "\n".join(source(f"html/{name}") for name in SCRIPTS[kind])
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
