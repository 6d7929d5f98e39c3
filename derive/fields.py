"""Fields of a spec that every kind of problem has: title, number format, tensors of numbers."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from derive.languages import LANGUAGES
from derive.limits import LARGEST, LONGEST_VALUE, MOST_VALUES
from derive.numbers import NumberFormat
from derive.problem import Tensor
from derive.spec import NUMBER, Path_, SpecFile

FRACTION = re.compile(r"-?\d{1,40}/[1-9]\d{0,39}")
TOO_LARGE = (
    "this number is too large or too long; "
    f"a value has at most {LONGEST_VALUE} digits and is at most 10^100"
)
NUMERIC = re.compile(r"[-+]?[\d.]+([eE][-+]?\d+)?")


def title_of(file: SpecFile) -> dict[str, str]:
    """The title by language."""
    title = file.spec.title
    if isinstance(title, str):
        return dict.fromkeys(LANGUAGES, title)
    return {str(language): words for language, words in title.items()}


def number_format(file: SpecFile) -> NumberFormat:
    """How numbers are written; four significant digits if the spec does not say."""
    numbers = file.spec.numbers
    digits = numbers.significant_digits
    if digits is None and numbers.decimals is None:
        digits = 4
    return NumberFormat(digits, numbers.decimals, numbers.rounding, numbers.zeros, numbers.chained)


def check_count(file: SpecFile, path: Path_, shape: tuple[int, ...], before: int) -> int:
    """How many values there are with those of one more quantity. Raises InputError for too many."""
    count = before + prod(shape)
    if count > MOST_VALUES:
        words = f"with these there are {count:,} values; a spec has at most {MOST_VALUES:,} of them"
        raise file.fail(path, f"{words}; give {{shape: {list(shape)}}} without values")
    return count


def read_tensor(file: SpecFile, path: Path_, given: Any, shape: tuple[int, ...]) -> Tensor:
    """Nested lists as a table of exact numbers. Raises InputError if the shape is wrong."""
    words = " x ".join(map(str, shape)) or "a single number"
    check_count(file, path, shape, 0)
    result = {}
    for position in product(*map(range, shape)):
        value: Any = given
        for depth, k in enumerate(position):
            if not isinstance(value, list) or len(value) != shape[depth]:
                found = f"a list of {len(value)}" if isinstance(value, list) else "a number"
                where = (*path, *position[:depth])
                raise file.fail(where, f"the shape must be {words}, but here is {found}")
            value = value[k]
        if isinstance(value, str) and FRACTION.fullmatch(value):
            value = Fraction(value)
        if isinstance(value, str) and NUMERIC.fullmatch(value) and not NUMBER.fullmatch(value):
            raise file.fail((*path, *position), TOO_LARGE)
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            what = "a list" if isinstance(value, list) else f"'{value}'"
            raise file.fail(
                (*path, *position), f"a number is expected (shape {words}), but here is {what}"
            )
        number = Fraction(value)
        if abs(number) > LARGEST:
            raise file.fail((*path, *position), TOO_LARGE)
        result[position] = number
    return result
