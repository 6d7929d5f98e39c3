"""Numbers as another program stored them: their bytes, taken apart without any of its code."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from derive.errors import InputError, shown
from derive.limits import MOST_ENTRIES

Nested: TypeAlias = "str | list[Nested]"
# The letter of `struct`, and the name in a .npy file.
FORMATS = {
    "float64": ("d", "<f8"),
    "float32": ("f", "<f4"),
    "float16": ("e", "<f2"),
    "int64": ("q", "<i8"),
    "int32": ("i", "<i4"),
    "int16": ("h", "<i2"),
    "int8": ("b", "|i1"),
    "uint8": ("B", "|u1"),
    "bool": ("?", "|b1"),
}
SHORTEST, LONGEST = 6, 9  # digits that a number in single precision may need
NPY = b"\x93NUMPY\x01\x00"


@dataclass(frozen=True)
class Table:
    """Numbers of one kind in a shape, row by row, least byte first."""

    kind: str
    shape: tuple[int, ...]
    data: bytes

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    @property
    def numbers(self) -> Iterator[float]:
        """All numbers, the last index fastest."""
        return (number for (number,) in struct.iter_unpack(f"<{FORMATS[self.kind][0]}", self.data))

    def nested(self) -> Nested:
        """The numbers as nested lists of texts, each as short as its precision allows."""
        parts: list[Nested] = [_text(number, self.kind) for number in self.numbers]
        for size in reversed(self.shape):
            parts = [parts[k : k + size] for k in range(0, len(parts), size)]
        return parts[0]

    def npy(self) -> bytes:
        """The bytes of a .npy file, for NumPy."""
        head = f"{{'descr': '{FORMATS[self.kind][1]}', 'fortran_order': False, "
        head += f"'shape': {self.shape}, }}"
        head += " " * (-(len(NPY) + 2 + len(head) + 1) % 64) + "\n"
        return NPY + struct.pack("<H", len(head)) + head.encode("ascii") + self.data


def table(kind: str, shape: tuple[int, ...], data: bytes, called: str) -> Table:
    """Numbers from their bytes. Raises InputError if they are too few, or not finite."""
    if kind == "bfloat16":  # the upper half of a number in single precision
        kind = "float32"
        data = b"".join(b"\0\0" + data[k : k + 2] for k in range(0, len(data) - 1, 2))
    if kind not in FORMATS:
        raise InputError(f"{shown(called)} holds numbers of the kind {shown(kind)}, not real ones")
    found, size = Table(kind, shape, data), struct.calcsize(f"<{FORMATS[kind][0]}")
    if len(data) != found.count * size:
        words = f"{shown(called)} has {len(data):,} bytes; its shape {list(shape)} needs"
        raise InputError(f"{words} {found.count * size:,}")
    if kind.startswith("float") and not all(map(math.isfinite, found.numbers)):
        raise InputError(f"{shown(called)} holds what is no finite number")
    return found


def strided(
    data: bytes, size: int, shape: Sequence[int], strides: Sequence[int], start: int
) -> bytes:
    """The bytes of numbers of a size that lie `strides` apart, row by row; or b""."""
    reach = start + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if min(shape, default=1) < 1 or min(strides, default=0) < 0 or start < 0:
        return b""
    if (reach + 1) * size > len(data) or math.prod(shape) > MOST_ENTRIES:
        return b""
    if list(strides) == [math.prod(shape[k + 1 :]) for k in range(len(shape))]:
        return data[start * size : (start + math.prod(shape)) * size]
    return b"".join(data[k * size : (k + 1) * size] for k in _places(shape, strides, start))


def _places(shape: Sequence[int], strides: Sequence[int], start: int) -> Iterator[int]:
    if not shape:
        yield start
        return
    for k in range(shape[0]):
        yield from _places(shape[1:], strides[1:], start + k * strides[0])


def _text(number: float, kind: str) -> str:
    """A number in as few digits as tell it from its neighbours in its precision."""
    if kind == "bool":
        return str(int(number))
    if kind != "float32":
        return repr(number)
    packed = struct.pack("<f", number)
    for digits in range(SHORTEST, LONGEST + 1):
        text = f"{number:.{digits}g}"
        if struct.pack("<f", float(text)) == packed:
            return text
    return repr(number)
