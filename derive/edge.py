"""Where the program meets its terminal: standard streams that fail, signals, and progress."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

GOOD, FOUND, BAD = 0, 1, 2
SIGNALS = tuple(s for name in ("SIGTERM", "SIGHUP") if (s := getattr(signal, name, None)))
PATIENCE = 2.0  # seconds before work is said to go on
EVERY = 0.5


@dataclass
class Edge:
    """The exit code of a run."""

    code: int = BAD


class Stopped(BaseException):
    """A signal ended the program; on its way out everything is put in order."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextlib.contextmanager
def at_the_edge() -> Iterator[Edge]:
    """Run a program whose output may be closed, full or left, and which may be stopped.

    What cannot be written ends with the code 2, a signal with 128 and its number; a reader that
    leaves is no error.
    """
    edge, lost = Edge(), _open_streams()
    try:
        with _signals():
            yield edge
            sys.stdout.flush()
        if lost is not None and lost.getvalue():
            edge.code = _unwritten("standard output is closed")
    except BrokenPipeError:
        _drop_output()
        edge.code = GOOD
    except OSError as error:
        _drop_output()
        edge.code = _unwritten(error.strerror or str(error))
    except KeyboardInterrupt:
        edge.code = 128 + signal.SIGINT
    except Stopped as stopped:
        edge.code = 128 + stopped.number


def _open_streams() -> io.StringIO | None:
    """Streams that take UTF-8 and exist; a standard output that is closed is kept track of."""
    for handle in range(3):  # a file that is opened later must not take the place of one of them
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # pages and modules are UTF-8 wherever they go; the name of a file may be no text at all
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.stdout is None:
        sys.stdout = lost = io.StringIO()
        return lost
    return None


def _unwritten(why: str) -> int:
    print(f"derive: the output cannot be written: {why}", file=sys.stderr)
    return BAD


def _drop_output() -> None:
    """Let what is still to be written go nowhere, so that nothing fails at the end."""
    with contextlib.suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Signals that end the program let it put things in order; one that is ignored stays so."""

    def stop(number: int, _: FrameType | None) -> None:
        raise Stopped(number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for each in SIGNALS:
            if signal.getsignal(each) == signal.SIG_DFL:
                before[each] = signal.signal(each, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def progress(words: str | Callable[[], str]) -> Iterator[None]:
    """Say on a terminal that work of more than two seconds goes on; the line is erased after it.

    Words that change are asked for each time.
    """
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(words, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(words: str | Callable[[], str], done: threading.Event) -> None:
    seconds, told = PATIENCE, False
    while not done.wait(EVERY if told else PATIENCE):
        told = True
        now = words() if callable(words) else words
        print(f"\r\x1b[Kderive: {now} … {seconds:.0f} s", end="", file=sys.stderr, flush=True)
        seconds += EVERY
    if told:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
