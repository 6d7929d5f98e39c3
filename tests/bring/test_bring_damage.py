"""What is wrong with a file of another program is said without a name of Python's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from derive.bring.damage import damage
from derive.bring.keras_file import read_keras
from derive.errors import InputError


def deep() -> None:
    deep()


@pytest.mark.parametrize(
    ("fail", "words"),
    [
        (lambda: list[int]()[0], "a list is shorter than it should be"),
        (lambda: dict[str, int]()["config"], "'config' is missing"),
        (
            lambda: len(None),  # type: ignore[arg-type]
            "a part is of another kind than it should be",
        ),
        (deep, "its parts stand too deep within each other"),
        (lambda: 1 / 0, "something is divided by zero"),
        (lambda: int("x" * 999), "invalid literal"),
    ],
)
def test_every_kind_of_damage_has_words(fail: Any, words: str) -> None:
    with pytest.raises(Exception) as found:
        fail()
    said = damage(found.value)
    assert words in said
    assert "Error" not in said
    assert len(said) < 150


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"class_name": "Sequential"}, "'config' is missing"),
        ({}, "'class_name' is missing"),
        ([], "of another kind"),
    ],
)
def test_a_model_of_keras_without_its_parts(model: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_keras(json.dumps(model).encode(), "m.json", "m")
