"""Operations become the lines of a model: what an operation is asked for, and what it writes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from derive.bring.names import Names, letter
from derive.bring.operation import Argument, Operation, Ref, Traced, Unsayable, Value
from derive.library.layers import LAYERS

Positions: TypeAlias = "Callable[[Sequence[str]], str]"  # the text of an entry, by its positions
DEFINED = re.compile(r"^\s*([A-Za-z]\w*)(?=\[|\s*=)", re.MULTILINE)
ALONE = re.compile(r"[\[,]([A-Za-z]\w*)(?=[\],])")


@dataclass
class Writer:
    """The model while it is written.

    A value is a quantity of the spec, a number that all its entries have, or a way to read entries:
    whole numbers are moved about by reading them elsewhere, as only what is given may be a place.
    """

    traced: Traced
    nodes: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    quantities: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, float] = field(default_factory=dict)
    readings: dict[str, Positions] = field(default_factory=dict)
    drawn: dict[str, Value] = field(default_factory=dict)
    masks: set[str] = field(default_factory=set)
    needed: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    sizes_of: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = dict(self.traced.values)
        self._letters: dict[tuple[int, int], str] = {}
        self._sizes: dict[str, int] = {}

    def letters(self, shape: Sequence[int], taken: Sequence[str] = ()) -> list[str]:
        """A letter for each axis; the same for axes of the same size wherever they are."""
        met, found = Counter[int](), []
        for size in shape:
            while True:
                key = (size, met[size])
                met[size] += 1
                own = self._letters.setdefault(key, letter(len(self._letters)))
                self._sizes[own] = size
                if own not in taken:
                    break
            found.append(own)
        return found

    def size_of(self, which: str) -> int:
        """The size of a letter."""
        return self._sizes[which]

    def read(self, name: str, positions: Sequence[str]) -> str:
        """The text of an entry of a value."""
        if name in self.fixed:
            return number(self.fixed[name])
        if name in self.readings:
            return self.readings[name](positions)
        own, shape = self.quantities[name], self.values[name].shape
        at = [self._part(x, n) for x, n in zip(positions, shape, strict=True)]
        return f"{own}[{','.join(at)}]" if at else own

    def _part(self, position: str, size: int) -> str:
        """A position on an axis; a letter that runs over a part of it only is no letter alone."""
        known = position in self._sizes and self._sizes[position] != size
        return f"{position} + 0" if known else position

    def quantity(self, name: str) -> str:
        """The name of the quantity that a value is; it gets an equation if it has none yet."""
        if name not in self.quantities:
            letters = self.letters(self.values[name].shape)
            text = self.read(name, letters)
            self.readings.pop(name, None)
            self.fixed.pop(name, None)
            self.equation(self.define(name, name), letters, text)
        return self.quantities[name]

    def define(self, name: str, called: str) -> str:
        """Let a value be a quantity of its own."""
        self.quantities[name] = self.names.new(called)
        return self.quantities[name]

    def equation(self, own: str, letters: Sequence[str], text: str) -> None:
        """Write an equation, and say the sizes of letters that it does not show."""
        left = f"{own}[{','.join(letters)}]" if letters else own
        bound = re.findall(r"\b(?:sum|mean|max|min|softmax|logsumexp)\(((?:\w+, )+)", text)
        used = [*letters, *(x for each in bound for x in each.rstrip(", ").split(", "))]
        shown = set(ALONE.findall(text))
        self.sizes |= {x: self._sizes[x] for x in used if x in self._sizes and x not in shown}
        self.nodes.append(quoted(f"{left} = {text}"))


@dataclass
class Use:
    """An operation that is being written."""

    writer: Writer
    operation: Operation

    def get(self, name: str, default: Argument = None) -> Argument:
        """An argument; the default if it is not given."""
        return self.operation.arguments.get(name, default)

    def number(self, name: str, default: float) -> float:
        """An argument that is a number. Raises Unsayable if it is computed."""
        found = self.operation.arguments.get(name)
        if found is None:
            return default
        if isinstance(found, Ref) and found.name in self.writer.fixed:
            return self.writer.fixed[found.name]
        if not isinstance(found, int | float):
            raise Unsayable(f"its '{name}' is no fixed number")
        return found

    def whole(self, name: str, default: int) -> int:
        """An argument that is a whole number."""
        return int(self.number(name, default))

    def wholes(self, name: str, count: int, default: int) -> list[int]:
        """An argument that is a list of whole numbers; one stands for all."""
        found = self.get(name)
        if isinstance(found, int) and not isinstance(found, bool):
            found = (found,)
        if found is None or found == ():
            return [default] * count
        if not isinstance(found, tuple) or not all(isinstance(each, int) for each in found):
            raise Unsayable(f"its '{name}' is no list of fixed whole numbers")
        numbers = [int(each) for each in found if isinstance(each, int)]
        return numbers * count if len(numbers) == 1 else numbers

    def given(self, name: str) -> bool:
        """Whether an argument is there."""
        return self.get(name) is not None

    def ref(self, name: str = "self") -> str:
        """An argument that is a value. Raises Unsayable if it is something else."""
        found = self.get(name)
        if name == "self" and found is None:
            found = self.get("input")
        if not isinstance(found, Ref):
            raise Unsayable(f"its '{name}' is no table of numbers")
        return found.name

    def refs(self, name: str) -> list[str]:
        """An argument that is a list of values."""
        found = self.get(name)
        if not isinstance(found, tuple):
            raise Unsayable(f"its '{name}' is no list")
        return [each.name for each in found if isinstance(each, Ref)]

    def shape(self, name: str = "self") -> tuple[int, ...]:
        """The shape of an argument."""
        return self.writer.values[self.ref(name)].shape

    def axis(self, name: str = "dim", of: str = "self", default: int = -1) -> int:
        """An argument that is an axis, counted from the first."""
        count = len(self.shape(of))
        return self.whole(name, default) % max(count, 1)

    def axes(self, name: str = "dim", of: str = "self") -> list[int]:
        """An argument that is some axes; all if it is left out."""
        count = len(self.shape(of))
        found = self.get(name)
        if found is None or found == ():
            return list(range(count))
        return sorted({axis % max(count, 1) for axis in self.wholes(name, 1, 0)})

    def out(self, k: int = 0) -> Value:
        """What is known of the result."""
        return self.writer.values[self.operation.outputs[k]]

    def read(self, name: str, positions: Sequence[str]) -> str:
        """The text of an entry of an argument."""
        return self.writer.read(self.ref(name), positions)

    def entry(self, argument: Argument, letters: Sequence[str]) -> str:
        """The entry of an argument that belongs to an entry of the result, axes of 1 repeated."""
        if isinstance(argument, bool | int | float):
            return number(argument)
        if not isinstance(argument, Ref):
            raise Unsayable("it reads something that is no number")
        shape, w = self.writer.values[argument.name].shape, self.writer
        own = letters[len(letters) - len(shape) :]
        pairs = zip(own, shape, strict=True)
        positions = ["0" if n == 1 and w.size_of(x) != 1 else x for x, n in pairs]
        return w.read(argument.name, positions)

    def name(self, k: int = 0) -> str:
        """The name of a result, which is then a quantity."""
        module = self.operation.module if k == 0 else ""
        value = self.operation.outputs[k]
        called = self.operation.kind if value.startswith("getitem") else value
        return self.writer.define(value, module or called)

    def equation(self, letters: Sequence[str], text: str, k: int = 0) -> None:
        """Let a result be an equation."""
        self.writer.equation(self.name(k), letters, text)

    def extra(self, called: str, letters: Sequence[str], text: str) -> str:
        """An equation of a quantity within the operation; its name."""
        own = self.writer.names.new(called)
        self.writer.equation(own, letters, text)
        return own

    def layer(
        self,
        row: str,
        inputs: Sequence[str],
        operands: Mapping[str, str | float] | None = None,
        settings: Mapping[str, float] | None = None,
        output: str = "",
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """Use a row of the library, with an output defined before; gives the name of its use."""
        own = output or self.name()
        made = DEFINED.findall(LAYERS[row].equations)
        node = self.writer.names.room(own, dict.fromkeys(made))
        wired = inputs[0] if len(inputs) == 1 else f"[{', '.join(inputs)}]"
        parts = [f"layer: {row}", f"name: {node}", f"inputs: {wired}", f"output: {own}"]
        for what, chosen in (("operands", operands), ("settings", settings), ("sizes", sizes)):
            if chosen:
                texts = {k: v if isinstance(v, str) else number(v) for k, v in chosen.items()}
                pairs = (f"{key}: {text}" for key, text in texts.items())
                parts.append(f"{what}: {{{', '.join(pairs)}}}")
        self.writer.nodes.append(f"{{{', '.join(parts)}}}")
        return node

    def quantity(self, name: str = "self") -> str:
        """The name of the quantity that an argument is."""
        return self.writer.quantity(self.ref(name))

    def same(self, name: str, k: int = 0) -> None:
        """Let a result be the same as a value."""
        w, result = self.writer, self.operation.outputs[k]
        tables = (w.quantities, w.fixed, w.readings)
        for held in tables:
            if name in held:
                held[result] = held[name]  # type: ignore[assignment]

    def moved(self, letters: Sequence[str], positions: Sequence[str], of: str = "self") -> None:
        """Let the result be entries of an argument from elsewhere."""
        w, source, result = self.writer, self.ref(of), self.operation.outputs[0]
        if source in w.fixed:
            w.fixed[result] = w.fixed[source]
        elif w.values[source].whole:
            w.readings[result] = lambda at: w.read(source, _placed(positions, letters, at))
        else:
            self.equation(letters, w.read(source, positions))


Rule: TypeAlias = "Callable[[Use], None]"


def _placed(positions: Sequence[str], letters: Sequence[str], at: Sequence[str]) -> list[str]:
    """Positions with other texts in the place of letters."""
    other = {
        x: y if re.fullmatch(r"\w+", y) else f"({y})" for x, y in zip(letters, at, strict=True)
    }
    return [re.sub(r"[A-Za-z]\w*", lambda m: other.get(m[0], m[0]), text) for text in positions]


def number(value: float) -> str:
    """A number in a spec."""
    if value != value or abs(value) > 1e30:
        raise Unsayable(f"{value} is no number of a spec")
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def quoted(text: str) -> str:
    """A text as a plain scalar of YAML where it is one, else in quotes."""
    return f"'{text}'" if ": " in text or " #" in text or "{" in text else text
