"""Hostile texts at the border to Coq: nothing but definitions and proofs comes of them."""

from __future__ import annotations

import re
from itertools import cycle
from pathlib import Path

import pytest
import yaml

from derive.cli import main
from tests.coq_text import stray
from tests.test_hostile import HOSTILE, PLACES, SPECS

FEW = 9  # a place out of so many; the other borders are tried at a third of them


def written(spec: object, folder: Path) -> str | None:
    """The certificate of a spec; None if the spec is refused."""
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), "utf-8")
    code = main(["certify", str(folder / "spec.yaml"), "-o", str(folder / "c.v"), "--no-check"])
    assert code in (0, 2)
    return (folder / "c.v").read_text("utf-8") if code == 0 else None


@pytest.mark.slow
def test_a_hostile_text_in_many_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    texts, made = cycle(HOSTILE), 0
    for name, place, slot in PLACES[::FEW]:
        try:
            spec = slot(next(texts))
        except (TypeError, KeyError):  # the place is gone, for its own name was replaced
            continue
        found = written(spec, tmp_path)
        made += found is not None
        assert found is None or not stray(found), (name, place)
    said = "".join(capsys.readouterr())
    assert made and "Traceback" not in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.v", "spec.yaml"]


@pytest.mark.parametrize("text", [*HOSTILE, "*) Quit. (*", "(* (*", '"', "*) Axiom a : False. (*"])
def test_a_hostile_title(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = yaml.safe_load(SPECS["network"])
    spec["title"] = {"en": text, "ko": text}
    found = written(spec, tmp_path)
    assert found is None or not stray(found)


WORDS = ("exp", "forall", "moves", "R", "w1_of", "at_w1", "x'", "_d", "_x", "Qed", "e_1", "loss")


@pytest.mark.parametrize("word", WORDS)
def test_a_name_that_coq_or_a_certificate_uses(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = yaml.safe_load(SPECS["network"])
    spec["network"]["inputs"] = [word, "i2"]
    found = written(spec, tmp_path)
    if found is not None:
        names = re.findall(r"^(?:Definition|Theorem|Lemma|Hypothesis) (\w+)", found, re.M)
        assert not stray(found)
        assert len(set(names)) == len(names)
