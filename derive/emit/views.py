"""Arrays read at places linear in several letters: slices, reshapes and windows; and laid back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sympy

from derive.emit.arithmetic import Code, Level
from derive.emit.dialect import Dialect
from derive.emit.prose import length
from derive.emit.tree import Laid, Read
from derive.emit.windows import PAIR, is_mixed_radix, is_radix
from derive.expression import Axis, Element, Index
from derive.places import Division, Linear, linear, linear_range, on_axis, stays_on_axis

Order = tuple[Index, ...]
Fixed = Mapping[Index, str]
NONE_FIXED: Fixed = MappingProxyType({})


def is_fixed(position: sympy.Expr, fixed: Fixed) -> bool:
    """Whether a position is a number once some letters are variables of the code."""
    found = linear(position)
    return found is not None and found[1].keys() <= fixed.keys()


def fixed_text(position: sympy.Expr, fixed: Fixed) -> str:
    """A position of fixed letters in code."""
    return str(position.xreplace({letter: sympy.Symbol(code) for letter, code in fixed.items()}))


def divided_letter(position: sympy.Expr) -> Index | None:
    """The one letter of a position with a division, as of `i // 2`."""
    letters = position.free_symbols
    if len(letters) != 1 or not position.has(Division) or position.has(Element):
        return None
    (letter,) = letters
    return letter if isinstance(letter, Index) and letter.axis.size.is_Integer else None


def _reached(position: sympy.Expr, axis: Axis) -> Linear | None:
    """A position that is linear in letters, or that divides one and stays on its axis."""
    letter = divided_letter(position)
    if letter is not None and stays_on_axis(position, axis.size):
        return 0, {letter: 1}
    return linear(position)


def is_view(node: Read, fixed: Fixed = NONE_FIXED) -> bool:
    """Whether every axis is read at a place linear in letters, each of which stands once.

    A letter that is divided stands once, too, and those that are fixed in places of their own.
    """
    pairs = zip(node.indices, node.axes, strict=True)
    found = [_reached(p, axis) for p, axis in pairs if not is_fixed(p, fixed)]
    if any(letter in fixed for each in found if each is not None for letter in each[1]):
        return False
    letters = [index for each in found if each is not None for index in each[1]]
    return None not in found and len(set(letters)) == len(letters)


@dataclass(frozen=True)
class _Reach:
    """How one axis is read: from where, with which letters, and whether it needs no windows."""

    start: int
    steps: Mapping[Index, int]
    is_split: bool
    size: Axis
    taken: sympy.Expr | None = None  # the place, where it is neither any nor in a slice

    @property
    def letters(self) -> Order:
        def rank(letter: Index) -> tuple[int, int]:
            return _rank((letter.axis.length, self.steps[letter]))

        return tuple(sorted(self.steps, key=rank))

    @property
    def sizes(self) -> list[str]:
        several = self.is_split and len(self.steps) > 1
        return [length(i.axis) for i in self.letters] if several else [length(self.size)]


def viewed(
    node: Read, name: str, dialect: Dialect, fixed: Fixed = NONE_FIXED
) -> tuple[Code, Order]:
    """A reading as slices, then a reshape, then windows; which letter each axis stands for.

    Where fixed letters are traced, they are no numbers yet: both sides of a choice are computed.
    """
    slots = tuple(zip(node.indices, node.axes, strict=True))
    pairs = [_slot(position, axis, fixed) for position, axis in slots]
    axes = [reach for _, reach in pairs if reach is not None]
    code = Code(name, Level.NAME)
    if any(slot != ":" for slot, _ in pairs):
        code = Code(f"{name}[{', '.join(slot for slot, _ in pairs)}]")
    for place, reach in enumerate(axes):
        if reach.taken is not None:
            places = {reach.letters[0]: dialect.places(length(reach.size))}
            code = Code(dialect.taken(code.at(Level.CALL), fixed_text(reach.taken, places), place))
    guards = [found for slot in slots if (found := _guard(*slot, fixed))]
    if guards and dialect.traced:
        inside = [part for guard in guards for part in guard.comparisons()]
        code = dialect.kept(together(inside), code.text)
    elif guards:
        kept = [length(reach.size) for reach in axes]
        zero = dialect.zeros(kept) if kept else "0.0"
        code = Code(f"{code.text} if {' and '.join(map(str, guards))} else {zero}", Level.CHOICE)
    if any(len(reach.sizes) > 1 for reach in axes):
        sizes = ", ".join(size for reach in axes for size in reach.sizes)
        code = Code(f"{code.at(Level.CALL)}.reshape({sizes})")
    place = sum(len(reach.sizes) for reach in axes)
    for reach in reversed(axes):
        place -= len(reach.sizes)
        if not reach.is_split:
            steps = ", ".join(f"({length(i.axis)}, {reach.steps[i]})" for i in reach.letters)
            code = Code(f"windows({code.text}, {place}, {reach.start}, {steps})")
    return code, tuple(letter for reach in axes for letter in reach.letters)


def _rank(term: tuple[int, int]) -> tuple[int, int]:
    """The largest step first; of those with one step, the one that runs furthest."""
    count, step = term
    return -step, -count


@dataclass(frozen=True)
class Guard:
    """That a place, in code, is on an axis: not below it if `low`, not beyond its size if any."""

    place: str
    low: bool
    size: str = ""

    def __str__(self) -> str:
        if self.low and self.size:
            return f"0 <= {self.place} < {self.size}"
        return next(self.comparisons())

    def comparisons(self) -> Iterator[str]:
        """The same in comparisons of two, which arrays have."""
        if self.low:
            yield f"{self.place} >= 0"
        if self.size:
            yield f"{self.place} < {self.size}"


def together(comparisons: Iterable[str]) -> str:
    """Whether all comparisons hold, for arrays and what is traced."""
    parts = list(comparisons)
    return parts[0] if len(parts) == 1 else " & ".join(f"({part})" for part in parts)


def _guard(position: sympy.Expr, axis: Axis, fixed: Fixed) -> Guard | None:
    """The condition under which a place of fixed letters is on its axis, if it may leave it."""
    if position.is_Integer or not is_fixed(position, fixed):
        return None
    low, high = linear_range(position) or (-1, axis.length)
    if low >= 0 and high < axis.length:
        return None
    size = length(axis) if high >= axis.length else ""
    return Guard(fixed_text(position, fixed), low < 0, size)


def _slot(position: sympy.Expr, axis: Axis, fixed: Fixed) -> tuple[str, _Reach | None]:
    """A subscript, and how the axis is read after it; nothing if the subscript is a number."""
    if is_fixed(position, fixed):
        return fixed_text(position, fixed), None
    letter = divided_letter(position)
    if letter is not None:
        return ":", _Reach(0, {letter: 1}, True, letter.axis, position)
    found = linear(position)
    assert found is not None
    start, steps = found
    if on_axis(position, axis.size):
        return ":", _Reach(start, steps, True, axis)
    if len(steps) > 1:
        terms = sorted(((i.axis.length, step) for i, step in steps.items()), key=_rank)
        return ":", _Reach(start, steps, is_mixed_radix(start, terms, axis.length), axis)
    ((letter, step),) = steps.items()
    last = start + step * (letter.axis.length - 1)
    if step < 1 or start < 0 or last >= axis.length:
        return ":", _Reach(start, steps, False, axis)
    stop = str(last + 1) if last + 1 < axis.length else ""
    slot = f"{start or ''}:{stop}" + (f":{step}" if step > 1 else "")
    return slot, _Reach(0, {letter: 1}, True, letter.axis)


def laid_out(code: Code, order: Order, places: Mapping[Index, Laid], dialect: Dialect) -> Code:
    """An array whose axes stand for `order`, letters of folds expanded, as one with that order."""
    counts = [len(places[index].terms) if index in places else 1 for index in order]
    for k, index in reversed(list(enumerate(order))):
        if index in places and not is_radix(places[index]):
            code = _folded(code, sum(counts[:k]), places[index], dialect)
    if any(index in places and is_radix(places[index]) for index in order):
        sizes = ", ".join(length(index.axis) for index in order)
        code = Code(f"{code.at(Level.CALL)}.reshape({sizes})")
    return code


def _folded(code: Code, axis: int, laid: Laid, dialect: Dialect) -> Code:
    """Axes of one or two letters laid on one axis; a letter that is missing has one value."""
    steps = [step for _, step in laid.terms]
    if len(steps) < PAIR:
        code = Code(dialect.widened(code.text, str(axis + 1)))
        steps.append(1)
    numbers = f"{axis}, {length(laid.index.axis)}, {laid.start}, {', '.join(map(str, steps))}"
    return Code(f"folded({code.text}, {numbers})")
