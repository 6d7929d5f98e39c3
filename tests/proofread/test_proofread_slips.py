"""Seeded slips in worked examples: each is the one own error, and is explained truly or not at all.

The author of an example computes it once, and a slip is in one print only; or goes on with the
number that slipped, so that all that comes after it only follows.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import pytest

from derive.proofread.report import checked

Numbers = dict[str, float]
LINES = (  # in the order of the page; what each name is called, what is printed of it, its formula
    ("n_1", "n_1", "w_1 x_1 + w_2 x_2 + b"),
    ("h_1", "h_1", r"\frac{1}{1 + e^{-n_1}}"),
    ("m", "m", "w_5 h_1 + c"),
    ("y", "y", r"\frac{1}{1 + e^{-m}}"),
    ("E", "E", r"\frac{1}{2}(t - y)^2"),
    ("g", r"\frac{\partial E}{\partial w_5}", r"(y - t)\, y (1 - y)\, h_1"),
    ("k", r"\frac{\partial E}{\partial w_1}", r"(y - t)\, y (1 - y)\, w_5\, h_1 (1 - h_1) x_1"),
    ("u", "w_5^{+}", r"w_5 - 0.5\, \frac{\partial E}{\partial w_5}"),
)
NAMES = {"g": "∂E/∂w_5", "k": "∂E/∂w_1", "u": "w_5+"}
AFTER = {  # what is made of each
    "n_1": {"h_1", "m", "y", "E", "g", "k", "u"},
    "h_1": {"m", "y", "E", "g", "k", "u"},
    "m": {"y", "E", "g", "k", "u"},
    "y": {"E", "g", "k", "u"},
    "E": set(),
    "g": {"u"},
    "k": set(),
    "u": set(),
}
RULES: Mapping[str, Callable[[Numbers], float]] = {
    "n_1": lambda v: v["w_1"] * v["x_1"] + v["w_2"] * v["x_2"] + v["b"],
    "h_1": lambda v: 1 / (1 + math.exp(-v["n_1"])),
    "m": lambda v: v["w_5"] * v["h_1"] + v["c"],
    "y": lambda v: 1 / (1 + math.exp(-v["m"])),
    "E": lambda v: (v["t"] - v["y"]) ** 2 / 2,
    "g": lambda v: (v["y"] - v["t"]) * v["y"] * (1 - v["y"]) * v["h_1"],
    "k": lambda v: (
        (v["y"] - v["t"]) * v["y"] * (1 - v["y"]) * v["w_5"] * v["h_1"] * (1 - v["h_1"]) * v["x_1"]
    ),
    "u": lambda v: v["w_5"] - 0.5 * v["g"],
}
SLIPS: Mapping[str, tuple[str, Callable[[Numbers], float], str]] = {
    "sign": ("g", lambda v: -v["g"], "the sign is the other one"),
    "slope": ("g", lambda v: (v["y"] - v["t"]) * v["h_1"], "the factors y and 1 - y are missing"),
    "half": ("E", lambda v: 2 * v["E"], "it is 2 times the value"),
    "twice": ("E", lambda v: v["E"] / 2, "it is half the value"),
    "term": ("n_1", lambda v: v["n_1"] - v["b"], "the term b is missing"),
    "rate": ("u", lambda v: v["w_5"] - v["g"], "the factor 0.5 is missing"),
    "index": ("k", lambda v: v["k"] / v["x_1"] * v["x_2"], "it is right with x_2 in place of x_1"),
    "noise": ("g", lambda v: 1.37 * v["g"], ""),
}


def given(source: random.Random) -> Numbers:
    names = ("x_1", "x_2", "w_1", "w_2", "w_5", "b", "c", "t")
    return {name: round(source.uniform(0.1, 0.95), 2) for name in names}


def document(numbers: Numbers, digits: int) -> str:
    said = ", ".join(f"${name} = {numbers[name]}$" for name in given(random.Random(0)))
    lines = (
        rf"$$ {tex} = {formula} = {numbers[name]:.{digits}f} $$" for name, tex, formula in LINES
    )
    return "\n".join((f"Let {said}.", *lines))


def own(document_: str) -> tuple[list[str], list[str], set[str]]:
    """The names of the errors, the reasons, and what follows from the first."""
    found = checked("net.md", document_)
    following = {each.name for each in found.consequences(found.own[0])} if found.own else set()
    return [each.name for each in found.own], [each.reason for each in found.own], following


@pytest.mark.parametrize("digits", [5, 7, 9])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_found_where_nothing_slipped(seed: int, digits: int) -> None:
    numbers = given(random.Random(seed))
    for name, rule in RULES.items():
        numbers[name] = rule(numbers)
    assert own(document(numbers, digits))[0] == []


@pytest.mark.parametrize("digits", [5, 7, 9])
@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("seed", range(3))
def test_a_slip_in_one_print_is_the_one_error(seed: int, slip: str, digits: int) -> None:
    name, change, reason = SLIPS[slip]
    numbers = given(random.Random(f"{seed}/{slip}"))
    for each, rule in RULES.items():
        numbers[each] = rule(numbers)
    names, reasons, following = own(document({**numbers, name: change(numbers)}, digits))
    assert names == [NAMES.get(name, name)]
    assert reasons[0] in (reason, "")  # better silent than false
    assert not following


def test_nearly_all_slips_are_explained_where_the_digits_tell() -> None:
    told = []
    for seed in range(3):
        for slip, (name, change, reason) in SLIPS.items():
            numbers = given(random.Random(f"{seed}/{slip}"))
            for each, rule in RULES.items():
                numbers[each] = rule(numbers)
            told.append(own(document({**numbers, name: change(numbers)}, 8))[1] == [reason])
    assert sum(told) >= 0.9 * len(told)


@pytest.mark.parametrize("digits", [5, 7, 9])
@pytest.mark.parametrize("where", AFTER)
def test_what_an_author_goes_on_with_has_consequences(where: str, digits: int) -> None:
    source = random.Random(f"{where}/{digits}")
    numbers = given(source)
    for name, rule in RULES.items():
        numbers[name] = round(rule(numbers), digits)
        if name == where:
            numbers[name] = round(numbers[name] * source.uniform(1.1, 1.6), digits)
    names, reasons, following = own(document(numbers, digits))
    assert names == [NAMES.get(where, where)]
    assert reasons == [""]
    assert following == {NAMES.get(name, name) for name in AFTER[where]}
