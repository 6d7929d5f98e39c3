"""Each thing that is made of a problem is made when it is asked for, and needs no other."""

from __future__ import annotations

import pytest

import derive
from derive import pipeline
from derive.emit import EmitError
from derive.graph import Derivation
from derive.problem import Problem
from derive.verify.report import Status

EMIT = pipeline.emit


def without(*targets: str) -> object:
    """An `emit` to which some targets have no form for what they are given."""

    def emit(problem: Problem, derivation: Derivation, target: str) -> str:
        if target in targets:
            raise EmitError("this has no form there")
        return EMIT(problem, derivation, target)

    return emit


@pytest.mark.parametrize("spec", ["neuron", "softmax_by_hand"])
def test_a_page_needs_no_target(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "emit", without("python", "numpy"))
    made = derive.make(derive.load(spec), ["en"])
    assert r"\end{document}" in made.texts["en"]
    assert made.modules == {}
    assert made.unwritten == dict.fromkeys(("python", "numpy"), "this has no form there")


def test_a_module_that_cannot_be_written_is_told_as_a_route_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "emit", without("numpy"))
    report = derive.verify(derive.load("neuron"))
    routes = {route.name: route for route in report.routes}
    assert report.agree
    assert routes["module python"].status is Status.AGREES
    assert routes["module numpy"].status is Status.SKIPPED
    assert routes["module numpy"].detail == "this has no form there"


def test_a_module_needs_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_page(*_: object) -> None:
        raise AssertionError("no page was asked for")

    monkeypatch.setattr(pipeline, "_page", no_page)
    assert "def forward" in derive.make(derive.load("article")).modules["python"]
