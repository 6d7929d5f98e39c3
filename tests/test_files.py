"""The edge of the program: what is read and written, streams that fail, signals."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from derive import files
from derive.cli import main
from derive.commands import writing
from derive.errors import InputError
from derive.typeset import Typeset

SPEC = "inputs: {x: 1}\nparameters: {w: 2}\nmodel: [y = w*x]\nloss: E = y**2\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with one spec, as the working directory."""
    (tmp_path / "a.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


# --- what may stand in the place of a file ----------------------------------------------------

COMMANDS = [
    ["code", "a.yaml", "-o", "out"],
    ["latex", "a.yaml", "-o", "out"],
    ["new", "out"],
]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def device(path: Path) -> None:
    """A node like /dev/null, made for this test; only root can make one."""
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


def node(path: Path) -> tuple[int, int, int]:
    """Which node of the file system stands in a place."""
    found = path.lstat()
    return found.st_mode, found.st_ino, found.st_rdev


def circle(path: Path) -> None:
    path.symlink_to("other")
    path.with_name("other").symlink_to(path.name)


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: a[0])
@pytest.mark.parametrize("make", [fifo, link_to_fifo, device, circle])
def test_only_a_file_is_replaced(
    arguments: list[str],
    make: Callable[[Path], None],
    place: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    make(place / "out")
    before = node(place / "out")
    assert main(arguments) == 2
    assert "'out' is" in capsys.readouterr().err
    assert node(place / "out") == before
    assert not hidden(place)


@pytest.mark.parametrize("name", ["a.en.tex", "a_python.py", "a.report.json"])
def test_no_file_of_a_build_replaces_a_pipe(
    name: str, place: Path, capsys: pytest.CaptureFixture
) -> None:
    (place / "output").mkdir()
    os.mkfifo(place / "output" / name)
    assert main(["build", "a.yaml", "--no-pdf"]) == 2
    assert stat.S_ISFIFO((place / "output" / name).lstat().st_mode)
    assert [path.name for path in (place / "output").iterdir()] == [name]


@pytest.mark.parametrize(
    ("arguments", "first", "second"),
    [
        (["build", "a.yaml", "-o", ".", "--no-pdf"], "a.en.tex", "a.report.json"),
        (["build", "a.yaml", "-o", ".", "--no-pdf"], "a_python.py", "a.en.tex"),
        (["latex", "a.yaml", "-o", "a.tex", "--pdf"], "a.tex", "a.pdf"),
    ],
)
@pytest.mark.parametrize("old", [b"old", None])
def test_if_one_of_several_files_cannot_be_written_none_is(
    arguments: list[str],
    first: str,
    second: str,
    old: bytes | None,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "engine", lambda: "xelatex")
    monkeypatch.setattr(writing, "typeset", lambda text, program, beside: Typeset(b"%PDF", ()))
    (place / second).mkdir()
    if old is not None:
        (place / first).write_bytes(old)
    before = sorted(place.rglob("*"))
    assert main(arguments) == 2
    assert sorted(place.rglob("*")) == before
    assert old is None or (place / first).read_bytes() == old


def test_a_link_to_a_file_stays_a_link(place: Path) -> None:
    (place / "real.py").write_text("old")
    (place / "out").symlink_to("real.py")
    assert main(["code", "a.yaml", "-o", "out"]) == 0
    assert (place / "out").is_symlink()
    assert "def forward" in (place / "real.py").read_text()


@pytest.mark.parametrize("path", ["a.yaml/b/c.py", "n" * 300 + ".py", "x/" + "n" * 300, "nul\0.py"])
def test_a_place_that_cannot_be_is_refused(
    path: str, place: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["code", "a.yaml", "-o", path]) == 2
    assert capsys.readouterr().err.startswith("derive: ")
    assert [each.name for each in place.iterdir()] == ["a.yaml"]


# --- what may be read as a spec ---------------------------------------------------------------


def test_a_device_is_not_read(capsys: pytest.CaptureFixture) -> None:
    assert main(["verify", os.devnull]) == 2
    assert "is a device" in capsys.readouterr().err


def test_a_long_file_is_not_read_to_its_end(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 2**10)
    with (place / "long.yaml").open("wb") as stream:
        stream.truncate(2**40)  # it has holes, so it takes no room
    assert main(["verify", "long.yaml"]) == 2
    assert "is longer than" in capsys.readouterr().err


def test_a_pipe_is_read(place: Path) -> None:
    os.mkfifo(place / "pipe")
    writer = subprocess.Popen(["sh", "-c", "cat a.yaml > pipe"])
    assert files.read_text(place / "pipe") == SPEC
    assert writer.wait(10) == 0


@pytest.mark.parametrize("command", ["html", "markdown", "latex", "code"])
def test_a_command_reads_its_spec_once(command: str, place: Path) -> None:
    os.mkfifo(place / "pipe")
    writer = subprocess.Popen(["sh", "-c", "cat a.yaml > pipe"])
    assert main([command, "pipe", "-o", "made"]) == 0
    assert writer.wait(10) == 0
    assert (place / "made").stat().st_size > 0


def test_a_pipe_to_which_nobody_writes_is_left(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.01)
    os.mkfifo(place / "pipe")
    with pytest.raises(InputError, match="nobody writes to the pipe 'pipe'"):
        files.read_text(Path("pipe"))


def test_a_pipe_that_does_not_end_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_WAIT", 0)
    os.mkfifo(place / "pipe")
    drops = subprocess.Popen(["sh", "-c", "while echo a; do sleep 0.02; done > pipe"])
    with pytest.raises(InputError, match="the pipe 'pipe' does not end"):
        files.read_text(Path("pipe"))
    drops.wait(10)  # nobody reads, so it ends


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SPEC.encode("utf-16"), "is not UTF-8 text (line 1)"),
        (SPEC.encode() + b"title: \xff\n", "is not UTF-8 text (line 5)"),
        (b"", "a spec is a mapping"),
        (b"[" * 100_000, "nested more than 40 deep"),
        (b"a: &a [*a]\n", "YAML aliases"),
        (b"a: &a [1, 2]\nb: [*a, *a]\n", "YAML aliases"),
        (b"inputs: {x: 1}\ninputs: {x: 2}\n", "given twice"),
        (b"title: !!python/object:os.system ls\n", "is not allowed"),
        (b"\0", "this is not YAML"),
    ],
)
def test_what_is_no_spec_is_refused(
    data: bytes, words: str, place: Path, capsys: pytest.CaptureFixture
) -> None:
    (place / "b.yaml").write_bytes(data)
    assert main(["verify", "b.yaml"]) == 2
    assert words in capsys.readouterr().err


def test_a_mark_at_the_beginning_is_no_part_of_the_spec(place: Path) -> None:
    (place / "b.yaml").write_bytes(b"\xef\xbb\xbf" + SPEC.encode())
    assert main(["code", "b.yaml", "-o", "b.py"]) == 0


# --- streams and signals ----------------------------------------------------------------------


def shell(script: str, place: Path) -> subprocess.CompletedProcess[bytes]:
    """A line of the shell in which `derive` is the program."""
    program = f'derive() {{ "{sys.executable}" -m derive "$@"; }}; {script}'
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        ["sh", "-c", program], cwd=place, env=path, capture_output=True, timeout=60
    )


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("command", ["code a.yaml", "layers", "explain a.yaml w"])
def test_a_full_output_ends_with_2(command: str, place: Path) -> None:
    done = shell(f"derive {command} > /dev/full", place)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"the output cannot be written: No space left" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", ["code a.yaml", "layers"])
def test_a_closed_output_ends_with_2(command: str, place: Path) -> None:
    done = shell(f"derive {command} >&-", place)
    assert done.returncode == 2
    assert b"standard output is closed" in done.stderr


def test_a_closed_error_stream_does_not_send_errors_elsewhere(place: Path) -> None:
    done = shell("derive verify nothing.yaml 2>&-", place)
    assert (done.returncode, done.stdout) == (2, b"")


def heard() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(number: signal.Signals, place: Path) -> None:
    """The program is stopped while its files are staged."""
    script = (
        "import sys, time; from derive import files, cli\n"
        "files.Files.commit = lambda self: (print('staged', flush=True), time.sleep(60))\n"
        "sys.exit(cli.main(['code', 'a.yaml', '-o', 'new/out.py']))\n"
    )
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    running = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=place,
        env=path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heard,  # in the background of a shell an interrupt is ignored
    )
    assert running.stdout is not None
    assert running.stdout.readline() == b"staged\n"
    assert hidden(place)
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert said == b""
    assert [each.name for each in place.iterdir()] == ["a.yaml"]


def test_long_work_is_told_of_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    from derive import edge

    monkeypatch.setattr(edge, "PATIENCE", 0.01)
    monkeypatch.setattr(edge, "EVERY", 0.01)
    with edge.progress("waiting"):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""  # this is no terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with edge.progress("waiting"):
        time.sleep(0.1)
    told = capsys.readouterr().err
    assert "derive: waiting …" in told
    assert told.endswith("\r\x1b[K")
