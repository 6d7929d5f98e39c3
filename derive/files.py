"""The user's files: read up to a limit, and written as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from derive.errors import InputError, shown
from derive.limits import MOST_BYTES

CHUNK = 2**16
TEMPORARY = ".derive-"  # how the names begin under which files are written
LEFT = re.compile(re.escape(TEMPORARY) + "[0-9a-f]{32}")
PATIENCE = 10  # seconds without a byte from a pipe
LONGEST_WAIT = 60  # seconds for all of it


def read_text(path: Path, what: str = "spec", most: int = MOST_BYTES) -> str:
    """The text of a file, or of a pipe that somebody writes to. Raises InputError.

    `what` the file is, and how many bytes it may have at `most`, is said in messages.

    FileNotFoundError is left to the caller, who may know what was meant.
    """
    data = read_bytes(path, what, most)
    if len(data) > most:
        size = most // 2**20
        raise InputError(f"{shown(str(path))} is longer than {size} MB; a {what} is a short text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{shown(str(path))} is not UTF-8 text (line {line})") from None


def read_bytes(path: Path, what: str, most: int) -> bytes:
    """The bytes of a file or pipe, a few more than `most` if it has more. Raises InputError.

    FileNotFoundError is left to the caller.
    """
    try:
        return _bytes(path, what, most)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(str(path))} cannot be read: {_why(error)}") from None


def read_whole(path: Path, what: str, most: int) -> bytes:
    """The bytes of a file of at most so many whole GB. Raises InputError if there is none."""
    try:
        data = read_bytes(path, what, most)
    except FileNotFoundError:
        raise InputError(f"there is no file {shown(str(path))}") from None
    if len(data) > most:
        raise InputError(f"{shown(str(path))} is longer than {most // 2**30} GB")
    return data


def _bytes(path: Path, what: str, most: int) -> bytes:
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        raise InputError(f"{shown(str(path))} is a folder; a {what} is a file")
    if not stat.S_ISREG(kind) and not stat.S_ISFIFO(kind):
        raise InputError(f"{shown(str(path))} is a device; a {what} is a file")
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb", buffering=0) as stream:
        piped, data, end = stat.S_ISFIFO(kind), bytearray(), time.monotonic() + LONGEST_WAIT
        while len(data) <= most:  # piece by piece: so much room is not asked for at once
            if piped and not select.select([handle], [], [], PATIENCE)[0]:
                raise InputError(f"nobody writes to the pipe {shown(str(path))}")
            more = stream.read(CHUNK)
            if not more:
                break
            data += more
            if piped and time.monotonic() > end:
                raise InputError(f"the pipe {shown(str(path))} does not end")
        return bytes(data)


def sweep(folder: Path) -> None:
    """Remove what a program that was killed has left half written in a folder of its own."""
    with _refusing(folder):
        for path in folder.glob(f"{TEMPORARY}*"):
            if LEFT.fullmatch(path.name):
                path.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write one file. Raises InputError."""
    with Files(path.parent) as files:
        files.add(path.name, data)
        files.commit()


class Files:
    """Files of one folder that take their places together or not at all.

    Each is complete under a temporary name before the first takes its place. If one cannot, those
    that already did make way again for what was there before. A place is absent or a regular file;
    a link is followed, and what it points to is replaced.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staged: dict[str, Path] = {}
        self.places: dict[str, Path] = {}
        self.spare: list[Path] = []
        self.made: list[Path] = []

    def __enter__(self) -> Files:
        return self

    def __exit__(self, *_: object) -> None:
        for path in (*self.staged.values(), *self.spare):
            path.unlink(missing_ok=True)
        for folder in reversed(self.made):
            with contextlib.suppress(OSError):  # it stays if there is something in it
                folder.rmdir()

    def add(self, name: str, data: bytes) -> None:
        """Write a file under a temporary name."""
        with _refusing(self.folder / name):
            self._make_folder()
            place = _place(self.folder / name)
            self.places[name] = place
            self.staged[name] = self._temporary(place)
            self.staged[name].write_bytes(data)
            self.staged[name].chmod(0o666 & ~_umask())

    def read(self, name: str) -> str:
        """The text of a file as it was written."""
        return self.staged[name].read_text("utf-8")

    def commit(self) -> None:
        """Let all files take their places."""
        before: dict[Path, Path | None] = {}
        with _refusing(self.folder):
            for place in self.places.values():
                before[place] = self._copy(place)
        try:
            for name, path in self.staged.items():
                with _refusing(self.folder / name):
                    os.replace(path, self.places[name])
        except BaseException:  # also one who stops the program finds all as it was
            for path, old in before.items():
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True) if old is None else os.replace(old, path)
            raise

    def _make_folder(self) -> None:
        missing = [p for p in (self.folder, *self.folder.parents) if not p.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self.made.append(folder)

    def _copy(self, place: Path) -> Path | None:
        """A copy of what is in the place of a file."""
        if not place.exists():
            return None
        copy = self._temporary(place)
        shutil.copy2(place, copy)
        return copy

    def _temporary(self, place: Path) -> Path:
        path = place.parent / f"{TEMPORARY}{uuid4().hex}"
        self.spare.append(path)  # before it is there, so that it is removed whatever happens
        path.touch(0o600, exist_ok=False)
        return path


def _place(path: Path) -> Path:
    """Where a file is to lie. Raises InputError if something else than a file is there."""
    try:
        place = path.resolve()
        kind = place.lstat().st_mode
    except FileNotFoundError:
        return place
    except RuntimeError:
        raise InputError(f"{shown(str(path))} is a link that leads back to itself") from None
    if stat.S_ISDIR(kind):
        raise InputError(f"{shown(str(path))} is a folder")
    if not stat.S_ISREG(kind):
        raise InputError(f"{shown(str(path))} is no regular file and stays as it is")
    return place


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise InputError(f"cannot write {shown(str(path))}: {_why(error)}") from None


def _why(error: OSError | ValueError) -> str:
    """The reason of a failure, in words; a path may also hold a NUL."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
