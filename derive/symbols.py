"""The symbol of a quantity on the page, from its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

GREEK = (
    *(
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "kappa",
        "lambda",
        "mu",
        "nu",
    ),
    *("xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta"),
    *("Lambda", "Sigma", "Phi", "Psi", "Omega"),
)
ACCENTS = ("hat", "bar", "tilde")


def symbol(name: str, axes: int) -> str:
    r"""A quantity's symbol: `W_xh` is W^{(xh)} with indices to come, `w1` is w_{1} without."""
    if name not in GREEK:
        name = re.sub(r"^([A-Zb])([a-z])(?=_|$)", r"\1_\2", name)  # Wq is the W of q
    match = re.fullmatch(r"([A-Za-z]+?)_?(\d*|(?<=_).+)", name)
    head, mark = (match[1], match[2]) if match else (name, "")
    if mark in ACCENTS and (len(head) == 1 or head in GREEK):
        return _letter(head + mark)
    if mark in GREEK and head not in GREEK:
        head, mark = mark, head  # the gamma of the layer y, not the y of something called gamma
    letter = _letter(head)
    if not mark:
        return letter
    shown = _letter(mark) if mark in GREEK else mark.replace("_", ",")
    if mark not in GREEK and not shown.isdigit() and len(shown) > 1:
        shown = rf"\mathrm{{{shown}}}"
    return f"{letter}^{{({shown})}}" if axes else f"{letter}_{{{shown}}}"


def _letter(word: str) -> str:
    r"""`x` is x, `mu` is \mu, `xhat` is \hat{x}, and any other word is upright."""
    for accent in ACCENTS:
        base = word.removesuffix(accent)
        if base != word and (len(base) == 1 or base in GREEK):
            return rf"\{accent}{{{_letter(base)}}}"
    if word in GREEK:
        return rf"\{word}"
    return word if len(word) == 1 else rf"\mathrm{{{word}}}"


def distinct(axes: Mapping[str, int], nodes: Iterable[str]) -> dict[str, str]:
    r"""Symbols of the quantities of a model, by name, no two of them the same.

    What belongs to a node is written without the node's name where nothing else looks like it:
    `a_W` is W, and W^{(a)} beside a `b_W`. `axes` says how many axes each quantity has.
    """
    choices = {name: list(_choices(name, count, nodes)) for name, count in axes.items()}
    found = {name: choice.pop(0) for name, choice in choices.items()}
    while True:
        seen = Counter(found.values())
        again = [name for name in found if seen[found[name]] > 1 and choices[name]]
        if not again:
            return found
        for name in again:
            found[name] = choices[name].pop(0)


def _choices(name: str, axes: int, nodes: Iterable[str]) -> Iterator[str]:
    """The symbols that would do, the shortest first."""
    for node in nodes:
        own = name.removeprefix(f"{node}_")
        if own != name:
            yield symbol(own, axes)
            yield symbol(f"{own}_{node}", axes)
    yield symbol(name, axes)
    yield rf"\mathrm{{{name.replace('_', ',')}}}"
