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
PARAMETERS = ("W", "U", "V", "b", "w", "v")
# Wq is the W of q, WQ that of Q, bmu the b of mu; va is the v of a
OF = re.compile(rf"^(?:([A-Zb])([a-z]|{'|'.join(GREEK)})|([WUV])([A-Z])|([vw])([a-z]))(?=_|$)")


def symbol(name: str, axes: int) -> str:
    r"""A quantity's symbol: `W_xh` is W^{(xh)} with indices to come, `w1` is w_{1} without.

    A number and a word after it are two marks: `gamma1_out` is \gamma^{(1,out)}. On e a mark would
    read as a power of Euler's number, so `e1` stays a word.
    """
    name = name.rstrip("_")
    if name.partition("_")[0] not in GREEK:
        name = OF.sub(lambda found: "_".join(filter(None, found.groups())), name)
    match = re.fullmatch(r"([A-Za-z]+?)(\d*)(?:_(.+))?", name)
    head, number, mark = match.groups(default="") if match else (name, "", "")
    if mark in ACCENTS and (len(head) == 1 or head in GREEK):
        head, mark = head + mark, ""
    if mark in GREEK and head not in GREEK and head not in PARAMETERS:
        head, number, mark = mark, "", head + number  # the gamma of the layer y
    shown = ",".join(_mark(part) for part in (number, *mark.split("_")) if part)
    if not shown:
        return _letter(head)
    if axes and head == "e":
        return word(name)
    return f"{_letter(head)}^{{({shown})}}" if axes else f"{_letter(head)}_{{{shown}}}"


def _mark(word: str) -> str:
    """A mark at a symbol: a number, a letter, or an upright word."""
    return word if word.isdigit() else _letter(word)


def _letter(word: str) -> str:
    r"""`x` is x, `mu` \mu, `xhat` \hat{x}, `eps` \varepsilon; any other word is upright."""
    for accent in ACCENTS:
        base = word.removesuffix(accent)
        if base != word and (len(base) == 1 or base in GREEK):
            return rf"\{accent}{{{_letter(base)}}}"
    if word in GREEK:
        return rf"\{word}"
    if word == "eps":
        return r"\varepsilon"
    return word if len(word) == 1 else rf"\mathrm{{{word}}}"


def word(name: str) -> str:
    """A whole name, upright."""
    return rf"\mathrm{{{name.replace('_', ',')}}}"


def distinct(
    axes: Mapping[str, int], nodes: Iterable[str], taken: Iterable[str] = ()
) -> dict[str, str]:
    r"""Symbols of the quantities of a model, by name, no two of them the same.

    What belongs to a node is written without the node's name where nothing else looks like it:
    `a_W` is W, and W^{(a)} beside a `b_W`. A quantity whose whole name is that symbol keeps it:
    beside a `W` the other two are W^{(a)} and W^{(b)}. `axes` says how many axes each quantity has;
    nothing gets a symbol that is `taken`.
    """
    whole = {name: symbol(name, count) for name, count in axes.items()}
    choices = {name: list(_choices(name, count, nodes)) for name, count in axes.items()}
    found = {name: choice.pop(0) for name, choice in choices.items()}
    while True:
        seen = Counter([*found.values(), *taken])
        again = [name for name in found if seen[found[name]] > 1 and choices[name]]
        if not again:
            return found
        for name in [name for name in again if found[name] != whole[name]] or again:
            found[name] = choices[name].pop(0)


def _choices(name: str, axes: int, nodes: Iterable[str]) -> Iterator[str]:
    """The symbols that would do, the shortest first."""
    for node in nodes:
        own = name.removeprefix(f"{node}_")
        if own != name:
            yield symbol(own, axes)
            yield symbol(f"{own}_{node}", axes)
    yield symbol(name, axes)
    yield symbol(f"{name}_0", axes)
    yield word(name)
