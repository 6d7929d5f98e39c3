"""Files of data → arrays by name: `.npz`, CSV, and IDX, the format of MNIST.

A file of one array needs a name for it, `x=FILE`; a CSV names its columns `x[1]`, `x[2]`, `t`.
Bytes of an IDX file, the shades of a picture, are divided by 255.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.errors import InputError, shown
from derive.files import read_whole

Array = NDArray[Any]
COLUMN = re.compile(r"(?P<name>\w+)(?:\[\s*(?P<place>\d+(?:\s*,\s*\d+)*)\s*\])?")
KINDS = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
SHADES = 255
MOST_IN_MEMORY = 16 * 2**30  # bytes that an array of a file may ask for


def arrays(texts: Iterable[str]) -> dict[str, Array]:
    """The arrays of `FILE.npz`, `FILE.csv` and `NAME=FILE`. Raises InputError."""
    found: dict[str, Array] = {}
    for text in texts:
        for name, array in _arrays(text).items():
            if name in found:
                raise InputError(f"the data give {shown(name)} twice")
            _check_numbers(text, name, array)
            found[name] = array
    return found


def _arrays(text: str) -> Mapping[str, Array]:
    name, sign, rest = text.partition("=")
    if sign and name.isidentifier():
        return {name: _only(Path(rest))}
    return _named(Path(text))


def _named(path: Path) -> Mapping[str, Array]:
    """The arrays of a file that names them."""
    ending = path.suffix.lower()
    if ending == ".npz":
        return _npz(path)
    if ending == ".csv":
        return _columns(path)
    raise InputError(
        f"{shown(str(path))} does not say which quantity it is of; write NAME={path.name}, "
        "or give a file .npz or .csv"
    )


def _only(path: Path) -> Array:
    """The one array of a file."""
    if path.suffix.lower() == ".npy":
        return _loaded(path)
    if path.suffix.lower() in (".npz", ".csv"):
        held = _named(path)
        if len(held) != 1:
            raise InputError(f"{shown(str(path))} names its arrays itself; give it without a name")
        return next(iter(held.values()))
    return _idx(path)


def _bytes(path: Path) -> bytes:
    return read_whole(path, "file of data", MOST_IN_MEMORY)


def _npz(path: Path) -> Mapping[str, Array]:
    try:
        with np.load(io.BytesIO(_bytes(path)), allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise InputError(f"{shown(str(path))} holds no arrays of NumPy: {error}") from None


def _loaded(path: Path) -> Array:
    try:
        held: Array = np.load(io.BytesIO(_bytes(path)), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{shown(str(path))} holds no array of NumPy: {error}") from None
    return held


def _columns(path: Path) -> Mapping[str, Array]:
    """The arrays of a CSV whose first row names its columns, one sample a row."""
    try:
        rows = [row for row in csv.reader(io.StringIO(_bytes(path).decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{shown(str(path))} is no CSV: {error}") from None
    if len(rows) < 2:
        raise InputError(f"{shown(str(path))} has no row of numbers below the names of its columns")
    head = [_column(path, title) for title in rows[0]]
    numbers = np.array([_row(path, line, row, len(head)) for line, row in enumerate(rows[1:], 2)])
    found: dict[str, Array] = {}
    for name in dict.fromkeys(name for name, _ in head):
        own = [(place, k) for k, (other, place) in enumerate(head) if other == name]
        found[name] = _table(path, name, own, numbers)
    return found


def _column(path: Path, title: str) -> tuple[str, tuple[int, ...]]:
    """The quantity of a column, and the place in it, counted from 1."""
    match = COLUMN.fullmatch(title.strip())
    if match is None:
        raise InputError(
            f"{shown(str(path))}: a column is called like a quantity or an entry of one, "
            f"'t' or 'x[1]', not {shown(title)}"
        )
    place = match["place"]
    return match["name"], tuple(int(k) for k in place.split(",")) if place else ()


def _row(path: Path, line: int, row: list[str], width: int) -> list[float]:
    if len(row) != width:
        raise InputError(
            f"{shown(str(path))}, row {line}: {len(row)} entries below {width} names of columns"
        )
    found = []
    for text in row:
        try:
            found.append(float(text))
        except ValueError:
            where = f"{shown(str(path))}, row {line}"
            raise InputError(f"{where}: {shown(text)} is no number") from None
    return found


def _table(
    path: Path, name: str, columns: list[tuple[tuple[int, ...], int]], numbers: Array
) -> Array:
    """The columns of one quantity as an array whose first axis counts the rows."""
    places = [place for place, _ in columns]
    if places == [()]:
        return numbers[:, columns[0][1]]
    widths = {len(place) for place in places}
    if len(widths) != 1 or () in places or len(set(places)) != len(places):
        raise InputError(f"{shown(str(path))}: the columns of {shown(name)} are not one table")
    shape = tuple(max(place[axis] for place in places) for axis in range(widths.pop()))
    if int(np.prod(shape)) != len(places) or any(min(place) < 1 for place in places):
        raise InputError(
            f"{shown(str(path))}: {shown(name)} has {len(places)} columns, but their places, "
            f"counted from 1, are those of a table of {' × '.join(map(str, shape))}"
        )
    order = [k for _, k in sorted(columns)]
    return numbers[:, order].reshape(-1, *shape)


def _idx(path: Path) -> Array:
    """The array of an IDX file, compressed or not: its kind, its sizes, its numbers."""
    data = _bytes(path)
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(MOST_IN_MEMORY)
        except (OSError, EOFError) as error:
            raise InputError(f"{shown(str(path))} cannot be unpacked: {error}") from None
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in KINDS:
        raise InputError(
            f"{shown(str(path))} is no file of data that is known here: .npz, .npy, .csv or IDX"
        )
    kind, axes = np.dtype(KINDS[data[2]]), data[3]
    start = 4 + 4 * axes
    if len(data) < start:
        raise InputError(f"{shown(str(path))} ends within its head")
    shape = struct.unpack(f">{axes}I", data[4:start])
    count = 1
    for size in shape:
        count *= size
    if len(data) - start != count * kind.itemsize:
        raise InputError(
            f"{shown(str(path))} says that it holds {' × '.join(map(str, shape))} numbers, "
            f"and has {(len(data) - start) // kind.itemsize}"
        )
    held = np.frombuffer(data, kind, offset=start).reshape(shape)
    return held / SHADES if data[2] == 8 and axes > 1 else held.astype(kind.newbyteorder("="))


def _check_numbers(text: str, name: str, array: Array) -> None:
    if array.dtype.kind not in "biuf":
        raise InputError(f"{shown(text)}: {shown(name)} holds no real numbers")
    if not np.isfinite(array).all():
        raise InputError(f"{shown(text)}: {shown(name)} holds what is no number")
