"""Interactive pages for the tests: their data, and their program run without a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

import derive
from derive.backprop import differentiate
from derive.interactive import page
from derive.interactive.document import ARITHMETIC
from derive.interactive.network import told
from derive.numbers import literal
from derive.problem import Problem
from derive.render.carried import carried
from derive.templating import source
from tests.render_support import NETWORKS, WITH_VALUES

SHOWN = tuple(name for name in NETWORKS if name in WITH_VALUES)
MODELS = tuple(n for n in WITH_VALUES if n not in NETWORKS)
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)
CASES = """
const { data, cases } = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map((texts) => {
  const given = data.keys.map((key, k) => (computes(key) ? null : read(texts[k])));
  try {
    const { text, chained } = computed(data.keys, given, data.format);
    return { text, chained };
  } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    return { key: data.keys[error.key].n };
  }
})));
"""


@cache
def html(name: str, language: str = "en") -> str:
    """The page of a built-in spec."""
    problem = derive.load(name)
    return page(problem, differentiate(problem.graph, problem.wanted), language)


def data_of(text: str) -> dict[str, Any]:
    """What drives a page, read back from it."""
    found = DATA.search(text)
    assert found is not None
    return dict(json.loads(found[1]))


def executed(tail: str, given: Any) -> Any:
    """What node prints of the arithmetic of the page with something behind it."""
    node = shutil.which("node") or pytest.skip("node is not installed")
    program = "\n".join(["'use strict';", *(source(f"html/{name}") for name in ARITHMETIC), tail])
    done = subprocess.run(
        [node, "-e", program], input=json.dumps(given), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def computed(data: dict[str, Any], cases: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """The numbers of a page for other given numbers."""
    return list(executed(CASES, {"data": data, "cases": cases}))


def texts(problem: Problem) -> tuple[list[str], bool]:
    """The numbers of a page in the order of its keys, and whether they are carried rounded."""
    derivation = differentiate(problem.graph, problem.wanted)

    def tell(carrying: Problem) -> tuple[list[str], bool]:
        entries = told(carrying, derivation).sheet.entries.values()
        return [str(entry.text) for entry in entries], carrying.numbers.chained

    return carried(problem, tell)[1]


def edited(problem: Problem, changes: dict[tuple[str, tuple[int, ...]], Fraction]) -> Problem:
    """A problem with other given numbers; "rate" is the learning rate."""
    values = {name: dict(tensor) for name, tensor in problem.values.items()}
    training = problem.training
    for (name, place), value in changes.items():
        if name == "rate":
            training = replace(training, learning_rate=value)
        else:
            values[name][place] = value
    return replace(problem, values=values, training=training)


def written(value: Fraction) -> str:
    """A number as a reader types it."""
    return literal(value)
