"""The inputs of the example that an archive of `torch.export` holds, which are kept as a pickle.

The pickle is not loaded. Its operations are looked at one by one, and those that build tuples,
names and numbers are followed; a name of a class or a function stays a name. Anything else ends it.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

CONSTANTS = {"NEWTRUE": True, "NEWFALSE": False, "NONE": None}
EMPTY = ("EMPTY_TUPLE", "EMPTY_DICT", "EMPTY_LIST")
WITH_VALUE = ("BINUNICODE", "SHORT_BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT")
KEPT = ("BINPUT", "LONG_BINPUT")
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
REBUILT = "torch._utils _rebuild_tensor_v2"
MARK = object()
# The kinds of storage, and how many bytes a number of it has.
STORAGES = {
    "FloatStorage": ("float32", 4),
    "DoubleStorage": ("float64", 8),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
}


@dataclass(frozen=True)
class Held:
    """Where the numbers of one input lie: the member of the archive, and how they lie in it."""

    member: str
    kind: str
    size: int
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class _Called:
    """What a name would have been called with."""

    name: str
    arguments: Sequence[Any]


@dataclass
class _Machine:
    """The stack of a pickle, without the parts that do something."""

    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def take(self, count: int) -> list[Any]:
        """The last so many things."""
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def to_mark(self) -> list[Any]:
        """What lies above the last mark."""
        place = max(k for k, each in enumerate(self.stack) if each is MARK)
        taken = self.take(len(self.stack) - place)
        return taken[1:]

    def step(self, name: str, value: Any) -> bool:
        """Follow one operation; False if it is none that only builds."""
        if name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in EMPTY:
            self.stack.append(())
        elif name in WITH_VALUE or name == "GLOBAL":
            self.stack.append(value)
        elif name == "MARK":
            self.stack.append(MARK)
        elif name in KEPT:
            self.memo[value] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[value])
        elif name in TUPLES:
            self.stack.append(tuple(self.take(TUPLES[name])))
        elif name == "TUPLE":
            self.stack.append(tuple(self.to_mark()))
        elif name in ("SETITEMS", "APPENDS"):
            items = self.to_mark()
            own = items[1::2] if name == "SETITEMS" else items
            self.stack[-1] = (*self.stack[-1], *own)
        elif name in ("SETITEM", "APPEND"):
            *_, item = self.take(2 if name == "SETITEM" else 1)
            self.stack[-1] = (*self.stack[-1], item)
        elif name == "REDUCE":
            called, arguments = self.take(2)
            self.stack.append(_Called(str(called), arguments))
        elif name == "BINPERSID":
            self.stack.append(_Called("storage", self.stack.pop()))
        else:
            return name in ("PROTO", "STOP")
        return True


def held_inputs(pickled: bytes, prefix: str) -> list[Held | None]:
    """The inputs in their order, None for what is no table; nothing if that is not to be known."""
    machine = _Machine()
    try:
        for operation, value, _ in pickletools.genops(pickled):
            if not machine.step(operation.name, value):
                return []
        return [_held(each, prefix) for each in _leaves(machine.stack[-1])]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for each in value:
            yield from _leaves(each)
    elif not (isinstance(value, _Called) and value.name == "collections OrderedDict"):
        yield value


def _held(value: Any, prefix: str) -> Held | None:
    if not isinstance(value, _Called) or value.name != REBUILT:
        return None
    storage, start, shape, strides = value.arguments[:4]
    _, kind, member, *_ = storage.arguments
    name, size = STORAGES[str(kind).removeprefix("torch ")]
    return Held(f"{prefix}data/{member}", name, size, int(start), tuple(shape), tuple(strides))
