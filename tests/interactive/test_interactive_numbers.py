"""The arithmetic of the page gives the digits that the program prints, also after edits."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from mpmath import mp

import derive
from derive.backprop import differentiate
from derive.expression import Element
from derive.functions import BY_NAME
from derive.interactive.network import number_format, told
from derive.numbers import NumberFormat, Rounding, Zeros
from tests.interactive_support import (
    SHOWN,
    computed,
    data_of,
    edited,
    executed,
    html,
    texts,
    written,
)

FORMATS = (
    None,
    NumberFormat(6, zeros=Zeros.PAD),
    NumberFormat(3, rounding=Rounding.HALF_EVEN),
    NumberFormat(None, 5),
    NumberFormat(5, chained=False),
)
SEEDS = 4
DATA = ("t",)  # a distribution or a class: another one may have no error


def drawn(rng: random.Random) -> Fraction:
    """A number that a reader may type."""
    return rng.choice(
        (
            Fraction(rng.randint(-3000, 3000), 1000),
            Fraction(rng.randint(-40, 40)),
            Fraction(rng.randint(-9, 9), rng.randint(1, 9)),
            Fraction(rng.randint(0, 1)),
        )
    )


def test_the_start_is_what_the_file_says() -> None:
    for name in SHOWN:
        data = data_of(html(name))
        start = [key["t"] for key in data["keys"]]
        assert computed(data, [start]) == [{"text": start, "chained": data["format"]["chained"]}]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS, ids=str)
@pytest.mark.parametrize("name", SHOWN)
def test_after_edits_every_digit_is_that_of_the_program(
    name: str, form: NumberFormat | None
) -> None:
    problem = derive.load(name)
    problem = replace(problem, numbers=form or problem.numbers)
    network = told(problem, differentiate(problem.graph))
    data = data_of(html(name))
    data["format"] = number_format(problem.numbers)
    given = [key for key, k in network.keys.items() if "f" not in data["keys"][k]]
    rng = random.Random(f"{name} {form}")
    cases, expected = [], []
    for _ in range(SEEDS):
        case = [key["t"] for key in data["keys"]]
        changes = {}
        for key in rng.sample(given, min(len(given), rng.randint(1, 5))):
            value = drawn(rng)
            if not isinstance(key, Element):
                changes["rate", ()] = value = abs(value)
            elif key.name in DATA and problem.loss != "half_squared_error":
                continue
            else:
                changes[key.name, tuple(map(int, key.indices))] = value
            case[network.keys[key]] = written(value)
        cases.append(case)
        try:
            text, chained = texts(edited(problem, changes))
            expected.append({"text": text, "chained": chained})
        except (ArithmeticError, ValueError):
            expected.append({})
    for found, wanted in zip(computed(data, cases), expected, strict=True):
        assert found == wanted or (not wanted and "key" in found)


ARGUMENTS = ("1/3", "-5/4", "7", "-13/2", "1/1000000", "-1/900", "31/10", "45/2", "0", "1", "2/3")
PAIRS = ("atan2", "max", "min", "greater", "at_least")
APPLIED = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const format = { digits: 30, decimals: null, half_up: true, strip: true };
console.log(JSON.stringify(cases.map(([name, ...values]) => withDigits(DIGITS[0], () => {
  try { return printed(applied(name, values.map(read)), format).text; } catch (error) {
    if (error instanceof NoValue) return null;
    throw error;
  }
}))));
"""


@pytest.mark.parametrize("name", sorted({*BY_NAME} - {"where"}))
def test_each_function_of_the_language_has_its_digits(name: str) -> None:
    values = (
        [(a, b) for a in ARGUMENTS for b in ARGUMENTS]
        if name in PAIRS
        else [(a,) for a in ARGUMENTS]
    )
    found = executed(APPLIED, [[name, *each] for each in values])
    form = NumberFormat(30)
    for arguments, text in zip(values, found, strict=True):
        with mp.workdps(60):
            exact = [mp.mpf(Fraction(a).numerator) / Fraction(a).denominator for a in arguments]
            try:
                value = BY_NAME[name].exact(*exact)
                wanted = form.text(value) if isinstance(value, mp.mpf) else None
            except (ArithmeticError, ValueError):
                wanted = None
        assert text == wanted, (arguments, text, wanted)


PRINTED = """
const { cases, formats } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const texts = (format) => cases.map((text) => printed(read(text), format).text);
console.log(JSON.stringify(formats.map(texts)));
"""
WRITTEN = (
    *("0", "1", "-1", "9.99951", "-9.9995", "0.00099995", "99995", "123456", "0.5", "1/3", "-2/3"),
    *("2.5", "0.25", "0.125", "1/8", "1234.5", "1235.5", "1e12", "1e-12", "5e-5", "20000", "2/7"),
)


def test_numbers_are_printed_as_the_program_prints_them() -> None:
    own = [
        NumberFormat(digits, places, rounding, zeros)
        for digits, places in ((1, None), (3, None), (4, None), (None, 0), (None, 3))
        for rounding in Rounding
        for zeros in Zeros
    ]
    given = {"cases": WRITTEN, "formats": [number_format(each) for each in own]}
    exact = [Fraction(each) for each in WRITTEN]
    assert executed(PRINTED, given) == [[form.text(x) for x in exact] for form in own]


TYPED = {
    "0.35": "7/20", " 1/3 ": "1/3", "-2": "-2", "\u22120.5": "-1/2", "1e-3": "1/1000", "2.": "2",
    ".5": "1/2", "0,25": "1/4", "": None, "1/0": None, "abc": None, "1..2": None, "-": None,
    "1e9999": None, "0x10": None, "1 2": None, "<b>": None,
}  # fmt: skip


def test_what_a_reader_may_type() -> None:
    tail = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const shown = (a) => a && `${a.p}/${a.q}`.replace(/\\/1$/, "");
console.log(JSON.stringify(cases.map((text) => shown(read(text)))));
"""
    assert executed(tail, list(TYPED)) == list(TYPED.values())
