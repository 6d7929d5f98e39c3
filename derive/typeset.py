"""LaTeX source → PDF, with whatever engine the machine has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ENGINES = ("xelatex", "lualatex")
RUNS = 3
NOTHING: Mapping[str, bytes] = MappingProxyType({})
SECONDS = 180
DEBIAN_PACKAGES = (
    "texlive-xetex texlive-latex-extra texlive-fonts-recommended texlive-pictures "
    "texlive-lang-korean texlive-lang-german texlive-lang-french texlive-lang-spanish "
    "fonts-nanum fonts-noto-cjk lmodern"
)
ADVICE = (
    "no TeX was found, so no PDF was made; everything else was. To get PDFs install XeLaTeX or "
    f"LuaLaTeX, on Debian or Ubuntu with\n    apt-get install {DEBIAN_PACKAGES}"
)


class TypesetError(Exception):
    """The engine refused a document, or its log shows a fault."""


@dataclass(frozen=True)
class Typeset:
    """A PDF and the faults that its log mentions (overfull boxes, undefined references)."""

    pdf: bytes
    faults: tuple[str, ...]


def engine() -> str | None:
    """The first engine that is installed."""
    return next((name for name in ENGINES if shutil.which(name)), None)


def typeset(source: str, program: str, beside: Mapping[str, bytes] = NOTHING) -> Typeset:
    """Run the engine until references are settled. Raises TypesetError with the log's words.

    `beside` are files that the document reads.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "page.tex").write_text(source, encoding="utf-8")
        for name, data in beside.items():
            (place / name).write_bytes(data)
        log = ""
        for _ in range(RUNS):
            log = _run(program, place)
            if "Rerun to get" not in log and "Label(s) may have changed" not in log:
                break
        return Typeset((place / "page.pdf").read_bytes(), faults(log))


def _run(program: str, place: Path) -> str:
    command = [
        program,
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "page.tex",
    ]
    stable = {
        **os.environ,
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
        "max_print_line": "1000",
        "openin_any": "p",  # nothing is read or written but what belongs to TeX and the page
        "openout_any": "p",
    }
    try:
        done = subprocess.run(command, cwd=place, env=stable, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise TypesetError(f"{program} did not finish within {SECONDS} seconds") from None
    except OSError as error:
        raise TypesetError(f"{program} could not be run: {error.strerror}") from None
    log_file = place / "page.log"
    log = log_file.read_text(encoding="utf-8", errors="replace") if log_file.exists() else ""
    if done.returncode != 0 or not (place / "page.pdf").exists():
        first = next((k for k, line in enumerate(log.splitlines()) if line.startswith("!")), 0)
        words = (
            "\n".join(log.splitlines()[first : first + 6])
            or done.stdout.decode(errors="replace")[-500:]
        )
        raise TypesetError(f"{program} stopped:\n{words}")
    return log


def faults(log: str) -> tuple[str, ...]:
    """Lines of a log that tell of something a reader would see."""
    found = re.findall(
        r"^(?:Overfull \\hbox.*|LaTeX Warning: .*undefined.*|Missing character: .*)$", log, re.M
    )
    return tuple(dict.fromkeys(found))
