"""The rows of the library: layers as texts in the users' own equation language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from derive.errors import InputError, shown
from derive.names import IDENTIFIER, NAME, wrong_name

Number = Fraction | int
NOTHING: Mapping[str, Number] = MappingProxyType({})
SIGNATURE = re.compile(rf"\s*({NAME})\s*(?:\[([^\]]*)\])?\s*")
FREE_LETTERS = ("n", "m", "p", "q", "l", "g")


@dataclass(frozen=True)
class Layer:
    """A layer: its equations, what it reads, and what it brings along.

    Signatures are texts such as `x[...,i]`; `...` stands for any further axes, the same everywhere.
    `settings` are numbers that a use may change, `sizes` tells the size of a letter from others
    (`/` must come out whole, `//` rounds down, `max` is the larger), `optional` the number that
    stands for an operand that is not given. `integers` names operands that hold whole numbers.
    `notes` says which convention or published variant this is.
    """

    name: str
    group: str
    summary: str
    inputs: tuple[str, ...]
    equations: str
    output: str = "y"
    parameters: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    settings: Mapping[str, Number] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, Number] = field(default_factory=dict)
    notes: str = ""

    @property
    def operands(self) -> tuple[str, ...]:
        """All signatures: inputs, parameters, constants."""
        return (*self.inputs, *self.parameters, *self.constants)


@dataclass(frozen=True)
class Signature:
    """A name with the letters of its axes; `open` if `...` stands among them, at that place."""

    name: str
    letters: tuple[str, ...]
    open: int | None = None

    def over(self, extra: Sequence[str]) -> tuple[str, ...]:
        """The letters with those that `...` stands for."""
        if self.open is None:
            return self.letters
        return (*self.letters[: self.open], *extra, *self.letters[self.open :])


def signature(text: str) -> Signature:
    """`x[...,i]` taken apart. Raises InputError."""
    match = SIGNATURE.fullmatch(text)
    if match is None:
        raise InputError(f"{shown(text)} is no signature; it is written like W[h,i] or x[...,i]")
    parts = [part.strip() for part in match[2].split(",")] if match[2] else []
    letters = tuple(part for part in parts if part != "...")
    for letter in letters:
        if not IDENTIFIER.match(letter):
            words = f"{shown(letter)} is no index letter"
            raise InputError(f"in the signature {shown(text)}, {words}")
    for name in (match[1], *letters):
        if wrong_name(name):
            raise InputError(wrong_name(name))
    if parts.count("...") > 1:
        raise InputError(f"in the signature {shown(text)}, '...' stands twice")
    return Signature(match[1], letters, parts.index("...") if "..." in parts else None)


def written_out(text: str, extra: Sequence[str], alone: Sequence[str] = ()) -> str:
    """Equations with `...` replaced by letters: `y[...,h]` over n is `y[n,h]`, over none `y[h]`.

    What is `alone` has none of these axes and is read without them.
    """
    letters = ",".join(extra)
    for name in alone:
        text = re.sub(rf"\b{name}\[\.\.\.\]", name, text)
        text = re.sub(rf"\b({name}\[[^\]]*?)\.\.\.,\s*", r"\1", text)
    if extra:
        return text.replace("...", letters)
    text = re.sub(r"\b(?:sum|mean|max)\(\.\.\.,(?!\s*[A-Za-z]\w*\s*,)\s*", "(", text)
    text = re.sub(r"\[\.\.\.\]", "", text)
    return re.sub(r"\.\.\.,\s*|,\s*\.\.\.", "", text)


def free_letters(count: int, taken: frozenset[str]) -> tuple[str, ...]:
    """Letters for the axes that `...` stands for."""
    free = [letter for letter in FREE_LETTERS if letter not in taken]
    return tuple((free + [f"n{k}" for k in range(count)])[:count])
