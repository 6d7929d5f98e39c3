"""A certificate → what the kernel of Coq says of it, where Coq is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = "coqc"
SECONDS = 600
DEBIAN_PACKAGES = "coq libcoq-coquelicot libcoq-interval"
ADVICE = (
    "no Coq was found, so the certificate was not checked. To have it checked install Coq with "
    "Coquelicot and Interval, on Debian or Ubuntu with\n"
    f"    apt-get install --no-install-recommends {DEBIAN_PACKAGES}"
)
REALS = frozenset(  # what the library of the real numbers takes for granted
    {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    }
)
# Integers of the processor: `interval` computes with them where there are numbers.
MACHINE = re.compile(r"(?:PrimInt63|Uint63|CarryType)\.\w+")
QUESTION = re.compile(r"^Print Assumptions \w+\.$", re.M)


class CheckError(Exception):
    """A certificate was refused, at a `theorem` if that is known."""

    def __init__(self, words: str, theorem: str = "") -> None:
        super().__init__(words)
        self.theorem = theorem


class Unfinished(Exception):
    """Coq could not be asked, or took too long: nothing is known of the certificate."""


def checker() -> str | None:
    """The program that checks certificates, if it is installed."""
    return PROGRAM if shutil.which(PROGRAM) else None


def check(text: str, program: str, seconds: int = SECONDS) -> None:
    """Have a certificate checked. Raises CheckError if it is refused; Unfinished."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "certificate.v").write_text(text, encoding="utf-8")
        command = [program, "-q", "-w", "none", "certificate.v"]
        try:
            done = subprocess.run(command, cwd=place, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Unfinished(f"{program} did not finish within {seconds} seconds") from None
        except OSError as error:
            raise Unfinished(f"{program} could not be run: {error.strerror}") from None
    said = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise _refusal(text, said)
    foreign = _foreign(done.stdout.decode(errors="replace"), len(QUESTION.findall(text)))
    if foreign is not None:
        raise CheckError(foreign)


def _refusal(text: str, said: str) -> CheckError:
    """What Coq stopped at."""
    found = re.search(r'File "[^"]*", line (\d+)', said)
    if found is None:
        return CheckError(f"Coq stopped: {' '.join(said.split())[:500]}")
    before = "\n".join(text.splitlines()[: int(found[1])])
    names = re.findall(r"^(?:Theorem|Lemma|Definition|Hypothesis) (\w+)", before, re.M)
    error = " ".join((said.partition("Error:")[2] or said).split())[:300]
    return CheckError(error, names[-1] if names else "")


def _foreign(said: str, expected: int) -> str | None:
    """What is taken for granted and should not be, of all that was asked for."""
    parts = re.split(r"^(?:Axioms:|Closed under the global context)$", said, flags=re.M)[1:]
    if len(parts) != expected:
        return "Coq did not read the certificate to its end"
    for number, part in enumerate(parts):
        for name in re.findall(r"^(\S+)", part, re.M):
            if name not in REALS and not (number > 0 and MACHINE.fullmatch(name)):
                return f"this is taken for granted beside the real numbers: {name}"
    return None
