"""What the kernel of Coq says: right certificates are checked, wrong ones are refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from derive.certify import CheckError, certify, check, kernel_route
from derive.certify.certificate import Certificate
from derive.certify.run import ADVICE, Unfinished
from derive.certify.scalars import scalars_of
from derive.certify.words import words_of
from derive.cli import main
from derive.notation import names_of
from derive.verify.report import Status
from tests.certify_support import (
    ALL,
    PROGRAM,
    SECONDS,
    certificate,
    made,
    needs_coq,
    told,
    wrong_adjoints,
    wrong_digits,
    wrong_locals,
)
from tests.sampled import sampled


@needs_coq
@pytest.mark.slow
def test_a_neuron_is_certified_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["certify", "neuron", "-o", f"{tmp_path}/neuron.v"]) == 0
    assert "the kernel agrees: " in capsys.readouterr().out


def test_without_coq_a_certificate_is_written_and_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["certify", "neuron", "-o", f"{tmp_path}/neuron.v"]) == 0
    out, err = capsys.readouterr()
    assert "not checked" in out
    assert ADVICE in err
    route = kernel_route(*_parts("neuron"))
    assert route.status is Status.SKIPPED


def _parts(name: str) -> tuple[object, object, object]:
    problem, page = told(name)
    return problem, made(name).derivation, page


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(ALL, 5))
def test_right_certificates_are_checked(name: str) -> None:
    """Without anything that the real numbers do not take for granted."""
    check(made(name).certificate.text, PROGRAM, SECONDS)


@needs_coq
@pytest.mark.slow
def test_it_is_a_route_of_verify(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "neuron", "--kernel"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if "kernel" in x)
    assert "agrees" in line and "theorems" in line and "numbers" in line


# --- faults ---------------------------------------------------------------------------------


def refused_at(found: Certificate) -> str:
    """What the theorem is about at which a certificate is refused."""
    with pytest.raises(CheckError) as refusal:
        check(found.text, PROGRAM, SECONDS)
    about = found.about(refusal.value.theorem)
    assert about, (refusal.value.theorem, str(refusal.value))
    return about


def some(
    found: Iterator[tuple[str, str, object]], step: int, most: int
) -> list[tuple[str, str, int]]:
    return [(kind, own, k) for k, (kind, own, _) in islice(enumerate(found), 0, None, step)][:most]


ADJOINTS = [
    (name, *fault)
    for name, step in (("article", 1), ("rnn", 1), ("softmax", 2), ("layer_norm", 3))
    for fault in some(wrong_adjoints(name), step, 8)
]
LOCALS = [
    (name, *fault)
    for name, step in (("article", 1), ("softmax", 1), ("attention", 2), ("kinked", 1))
    for fault in some(wrong_locals(name), step, 4)
]
DIGITS = [
    (name, report)
    for name, step in (("article", 9), ("neuron", 4), ("biases", 12))
    for report, _ in islice(wrong_digits(name), 0, None, step)
]


def test_there_are_forty_faults_of_all_kinds() -> None:
    assert len(ADJOINTS) + len(LOCALS) + len(DIGITS) >= 40
    assert {kind for _, kind, *_ in ADJOINTS} == {"sign", "factor", "index", "left out"}


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "own", "number"), sampled(ADJOINTS, 10))
def test_a_wrong_adjoint_is_refused_where_it_is(
    name: str, kind: str, own: str, number: int
) -> None:
    *_, derivation = next(islice(wrong_adjoints(name), number, None))
    words = words_of(scalars_of(told(name)[0], derivation), names_of(told(name)[0]))
    of = [s for s in words.scalars.moving if s.name == own.removeprefix("adj_")]
    below = {e for s in of for e in words.scalars.operands[s]}
    at = {f"dE/d{words.report(s)} from those of its readers" for s in (*of, *below)}
    names = {s.name for s in (*of, *below)}
    at |= {f"every entry of dE/d{each} from those of its readers" for each in names}
    assert refused_at(certificate(name, derivation)) in at


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "own", "number"), sampled(LOCALS, 10))
def test_a_wrong_local_derivative_is_refused_where_it_is(
    name: str, kind: str, own: str, number: int
) -> None:
    *_, derivation = next(islice(wrong_locals(name), number, None))
    words = words_of(scalars_of(told(name)[0], derivation), names_of(told(name)[0]))
    of = [s for s in words.scalars.moving if s.name == own]
    at = {f"the derivatives of {words.report(s)} by what it reads" for s in of}
    assert refused_at(certificate(name, derivation)) in at


@needs_coq
@pytest.mark.slow
@pytest.mark.parametrize(("name", "report"), sampled(DIGITS, 8))
def test_a_wrong_digit_is_refused_where_it_is(name: str, report: str) -> None:
    problem, derivation, _ = _parts(name)
    page = dict(wrong_digits(name))[report]
    assert refused_at(certify(problem, derivation, page)) == f"the printed {report}"


def test_what_takes_too_long_is_not_called_wrong(
    tmp_path: Path,
) -> None:
    slow = tmp_path / "coqc"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", "utf-8")
    slow.chmod(0o755)
    with pytest.raises(Unfinished, match="within 1 seconds"):
        check("Definition a := 1.", str(slow), 1)
    with pytest.raises(Unfinished, match="could not be run"):
        check("Definition a := 1.", str(tmp_path / "nothing"), 1)


def test_a_certificate_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    silent = tmp_path / "coqc"
    silent.write_text("#!/bin/sh\nexit 0\n", "utf-8")
    silent.chmod(0o755)
    with pytest.raises(CheckError, match="to its end"):
        check(made("neuron").certificate.text, str(silent), 60)


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("Axioms:\nClassical_Prop.classic\n  : forall P : Prop, P\n", True),
        ("Closed under the global context\n", True),
        ("Axioms:\nclaimed : 0 = 1\n", False),
        ("Axioms:\nUint63.add_spec\n  : nat\n", False),
        ("Closed under the global context\nAxioms:\nUint63.add_spec\n  : nat\n", True),
    ],
)
def test_only_the_real_numbers_may_be_taken_for_granted(
    said: str, good: bool, tmp_path: Path
) -> None:
    speaking = tmp_path / "coqc"
    speaking.write_text(f"#!/bin/sh\ncat <<'END'\n{said}END\n", "utf-8")
    speaking.chmod(0o755)
    count = said.count("Axioms:") + said.count("Closed")
    text = "\n".join(["Print Assumptions proven."] * count)
    if good:
        check(text, str(speaking), 60)
    else:
        with pytest.raises(CheckError, match="taken for granted"):
            check(text, str(speaking), 60)
