"""Random models as specs: products, sums, shifts, strides, maxima, choices, recurrences.

A part of the terms is made of edges: letters as numbers, branches without a value where they are
not taken, powers and roots of zero, and a part of the given numbers is zero.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

SIZES = {"t": 2, "i": 3, "k": 2, "j": 3, "m": 2, "r": 2}
FUNCTIONS = ("tanh", "logistic", "sin", "softplus", "exp", "abs", "sqrt", "log", "relu", "erf")
POSITIONS = (
    "{0} + 1",
    "{0} - 1",
    "2*{0}",
    "{0} + {1}",
    "2*{0} + {1} - 1",
    "{0} - {1}",
    "0",
    "size({0}) - 1 - {0}",
    "3*{0} - 2*{1}",
)
CURVED = 0.25
"""How often a position is computed rather than a letter alone."""
EDGES = (
    "where({a} > 0, log({a}), {b})",
    "where({a} > 0, sqrt({a}), {b})",
    "where({a} < 0, {b}, 1/(1 + {a}))",
    "where({a} != {b}, {c}, 2*({d}))",
    "where({letter} == 0, {a}, {b})",
    "where({letter} <= {other}, {a}, 0)",
    "where(0 < {letter} < 2, 1/{letter}, {a})",
    "({a})*{letter}",
    "cos(2*pi*{letter}/3)*({a})",
    "({a})/2**{letter}",
    "max({letter}, {a})",
    "abs({a})**{power}",
    "max({a}, 0)**{power}",
    "sqrt(({a})**2 + ({b})**2)",
    "where({letter} == {other}, 0, sqrt(({a})**2 + ({b})**2))",
    "({a})**2*log(({a})**2 + {letter})",
    "sign({a})*({b})",
    "where({a} > {b}, max({letter}, {a}), min({b}, 1))",
)
EDGY = 0.2
"""How often a term is one of these."""


@dataclass
class Draft:
    """A spec while it grows: what it may read, by name with its letters, and its lines."""

    source: random.Random
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def position(self, own: str, letters: list[str]) -> str:
        """A position on the axis of the letter `own`."""
        source = self.source
        if source.random() < CURVED or not letters:
            if not letters:
                return str(source.randrange(SIZES[own]))
            return source.choice(POSITIONS).format(source.choice(letters), source.choice(letters))
        if own in letters and source.random() < 0.8:
            return own
        letter = source.choice(letters)
        return letter if SIZES[letter] == SIZES[own] else f"{letter} + 0"

    def entry(self, name: str, letters: list[str]) -> str:
        """A reading of a quantity at positions made of some letters."""
        if not self.known[name]:
            return name
        places = [self.position(own, letters) for own in self.known[name]]
        return f"{name}[{', '.join(places)}]"

    def term(self, letters: list[str], depth: int) -> str:
        """A random expression over some letters."""
        source = self.source
        if depth == 0 or source.random() < 0.1:
            if source.random() < 0.1:
                return source.choice(["2", "1/3", "0.5", "3"])
            return self.entry(source.choice(list(self.known)), letters)
        if source.random() < EDGY:
            return self.edge(letters, depth)
        kind = source.randrange(10)
        if kind < 6:
            a, b = self.term(letters, depth - 1), self.term(letters, depth - 1)
            return (
                f"({a})*({b})",
                f"({a}) - ({b})",
                f"{source.choice(FUNCTIONS)}({a})",
                f"({a})**{source.choice(['2', '3', '2', '(-1)', '0.5'])}",
                f"({a})/(2 + ({b})**2)",
                f"where({a} {source.choice(['>', '<='])} {b}, {a}, 2*({b}))",
            )[kind]
        letter = source.choice([each for each in SIZES if each not in letters] or ["q"])
        if letter == "q":
            return self.term(letters, depth - 1)
        body = self.term([*letters, letter], depth - 1)
        if kind == 6:
            return f"max({letter}, {body})"
        if kind == 7 and letters:
            return f"softmax({source.choice(letters)}, {self.term(letters, depth - 1)})"
        return f"{source.choice(['sum', 'sum', 'mean'])}({letter}, {body})"

    def edge(self, letters: list[str], depth: int) -> str:
        """A term at an edge of a function, or with letters as numbers."""
        source = self.source
        form = source.choice([e for e in EDGES if letters or "{letter}" not in e])
        parts = {part: self.term(letters, depth - 1) for part in "abcd"}
        if "!=" in form:  # of positions only
            parts["a"], parts["b"] = letters[0] if letters else "0", str(source.randrange(2))
        letter, other = (source.choice(letters or ["0"]) for _ in range(2))
        power = source.choice(["1.5", "0.5", "(7/3)", "2"])
        return form.format(**parts, letter=letter, other=other, power=power)

    def line(self, name: str) -> None:
        """One more equation, at times a recurrence."""
        source = self.source
        letters = source.sample("tki", source.randint(0, 2))
        term = self.term(letters, source.randint(1, 3))
        if "t" in letters and source.random() < 0.4:
            step = source.choice(["t - 1", "t - 1", "t - 2", "t + 1"])
            place = ", ".join(step if each == "t" else each for each in letters)
            term = f"tanh({term} + {name}[{place}]/2)"
        left = f"{name}[{', '.join(letters)}]" if letters else name
        self.lines.append(f"{left} = {term}")
        self.known[name] = tuple(letters)


def _gradient(draft: Draft, name: str) -> None:
    """The derivative of a computed quantity by any other, of each entry by each, or by its own."""
    source = draft.source
    of = source.choice([each for each in draft.known if each[0] == "y"])
    by = source.choice([each for each in draft.known if each != of])
    own = draft.known[of]
    places = tuple(
        PARTNERS.get(x, x) if x in own and source.random() < 0.5 else x for x in draft.known[by]
    )
    letters = tuple(dict.fromkeys((*own, *places)))
    if len({*places}) == len(places) and len(letters) <= 3:
        entries = [f"{q}[{', '.join(x)}]" if x else q for q, x in ((of, own), (by, places))]
        left = f"{name}[{', '.join(letters)}]" if letters else name
        draft.lines.append(f"{left} = grad({', '.join(entries)})")
        draft.known[name] = letters


def _number(source: random.Random) -> float:
    """A number with one digit, often zero."""
    return 0.0 if source.random() < 0.15 else round(source.uniform(-1, 1), 1)


PARTNERS = {"t": "m", "k": "r", "i": "j"}
"""Letters of the same size."""


def random_model(seed: int, gradients: int = 0) -> str:
    """A spec that may or may not make sense; the loss depends on every quantity.

    It has up to so many derivatives of one quantity by another.
    """
    source = random.Random(seed)
    draft = Draft(source, {"x": ("t", "i"), "W": ("k", "i"), "b": ("k",), "c": ()})
    for n in range(source.randint(1, 3)):
        draft.line(f"y{n}")
    for n in range(gradients):
        _gradient(draft, f"y{9 - n}")
    squares = []
    for name, letters in draft.known.items():
        entry = f"{name}[{', '.join(letters)}]" if letters else name
        factor = "" if name[0] == "y" else "0.1*"
        inner = f"{factor}({entry} - 1)**2"
        squares.append(f"sum({', '.join(letters)}, {inner})" if letters else inner)
    numbers = [[_number(source) for _ in range(3)] for _ in range(5)]
    written = set(re.findall(r"\b[a-z]\b", " ".join(draft.lines)))
    sizes = ", ".join(f"{k}: {size}" for k, size in SIZES.items() if k in written)
    return (
        f"inputs: {{x: {numbers[:2]}}}\n"
        f"parameters: {{W: {numbers[2:4]}, b: {numbers[4][:2]}, c: {numbers[4][2]}}}\n"
        f"sizes: {{{sizes}}}\nmodel:\n"
        + "".join(f"  - {line}\n" for line in draft.lines)
        + f"loss: E = {' + '.join(squares)}\n"
    )
