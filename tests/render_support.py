"""Small problems for the tests of the pages, and what must hold for the LaTeX of any page."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

import derive
from derive.pipeline import Made
from derive.problem import Problem
from derive.proofread import Unread, read
from derive.spec import builtin_names, load_spec, parse_spec

LEFT_OVER = re.compile(r"None(?! of)|[Uu]ndefined|True|False|adj_|<[<%]|[%>]>|(?<!\\\\)#")
LANGUAGES = ("en", "ko")
BUILTIN = tuple(sorted(builtin_names()))
NETWORKS = tuple(name for name in BUILTIN if load_spec(name).spec.network is not None)
WITH_VALUES = tuple(name for name in BUILTIN if name != "digits")
BIASES = ("each", "shared", "none")
OUTPUTS = {
    "half_squared_error": ("identity", "logistic", "tanh", "relu", "softmax"),
    "mean_squared_error": ("identity", "logistic", "tanh"),
    "binary_cross_entropy": ("logistic",),
    "categorical_cross_entropy": ("softmax",),
}


@cache
def made(name: str, weights: tuple[str, ...] = ()) -> Made:
    """A built-in problem with its pages in both languages."""
    return derive.make(derive.load(name), LANGUAGES, weights)


@dataclass(frozen=True)
class Small:
    """A small network; `seed` draws its values, and without one it has none."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    biases: tuple[str, ...]
    batch: int = 1
    seed: int | None = 1
    numbers: str = "{significant_digits: 4}"
    reduction: str = "mean"

    @property
    def text(self) -> str:
        """The spec file."""
        rows = zip(self.sizes[1:], self.activations, self.biases, strict=True)
        layers = [
            {"dense": units, "activation": activation, "bias": bias}
            for units, activation, bias in rows
        ]
        spec: dict[str, Any] = {
            "title": "Small",
            "network": {
                "inputs": self.sizes[0],
                "layers": layers,
                "loss": {"name": self.loss, "batch": self.reduction},
            },
            "training": {"learning_rate": 0.5, "steps": 3},
            "numbers": yaml.safe_load(self.numbers),
        }
        spec |= self._values() if self.seed is not None else {"data": {"batch": self.batch}}
        return yaml.safe_dump(spec, sort_keys=False)

    def _values(self) -> dict[str, Any]:
        source = random.Random(self.seed)

        def draw(*shape: int) -> Any:
            if not shape:
                return source.randint(-9, 9) / 10
            return [draw(*shape[1:]) for _ in range(shape[0])]

        parameters = {}
        for k, (before, units, bias) in enumerate(
            zip(self.sizes, self.sizes[1:], self.biases, strict=False), 1
        ):
            parameters[f"W{k}"] = draw(units, before)
            if bias != "none":
                parameters[f"b{k}"] = draw(units) if bias == "each" else draw()
        outputs = self.sizes[-1]
        places = [source.randrange(outputs) for _ in range(self.batch)]
        targets = [[int(k == place) for k in range(outputs)] for place in places]
        return {
            "parameters": parameters,
            "data": {"inputs": draw(self.batch, self.sizes[0]), "targets": targets},
        }

    def problem(self) -> Problem:
        return derive.build(parse_spec(self.text, "small.yaml", "small"))


def labels(tex: str) -> list[str]:
    return re.findall(r"\\label\{([^}]*)\}", tex)


def references(tex: str) -> list[str]:
    return re.findall(r"\\(?:eq)?ref\{([^}]*)\}", tex)


def environments(tex: str) -> Iterator[str]:
    """What is wrong with the nesting of environments."""
    open_: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([^}]*)\}", tex):
        if kind == "begin":
            open_.append(name)
        elif not open_ or open_.pop() != name:
            yield f"\\end{{{name}}} closes nothing"
    yield from (f"{name} is never closed" for name in open_)


def braces(tex: str) -> Iterator[str]:
    """What is wrong with the braces, escaped ones left out."""
    depth = 0
    for number, line in enumerate(tex.splitlines(), 1):
        for sign in re.sub(r"\\\\|\\[{}]", "", line):
            depth += (sign == "{") - (sign == "}")
            if depth < 0:
                yield f"line {number}: a brace too many: {line}"
                return
    if depth:
        yield f"{depth} braces are never closed"


def faults(tex: str) -> list[str]:
    """Everything that no page may have, in words."""
    defined = Counter(labels(tex))
    found = [f"label {label} stands {n} times" for label, n in defined.items() if n > 1]
    found += [f"reference to nothing: {r}" for r in references(tex) if r not in defined]
    found += environments(tex)
    found += braces(tex)
    body = tex[tex.index(r"\begin{document}") :]
    found += [f"left over: {line}" for line in body.splitlines() if LEFT_OVER.search(line)]
    found += [f"empty display in: {d}" for d in re.findall(r"=\s*(?:\\\\|\\end)", body)]
    if "\n\n\n" in tex:
        found.append("two empty lines in a row")
    found += [f"{item.reason}: {item.source}" for item in read(tex) if isinstance(item, Unread)]
    return found


def joined(lines: Sequence[str]) -> str:
    return "\n".join(lines)
