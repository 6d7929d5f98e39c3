"""What the report says of wrong prints: their reason, and which of them only follow from others."""

from __future__ import annotations

from dataclasses import replace

import pytest

import derive
from derive.spec import parse_spec
from derive.verify import Status
from derive.verify.published import canonical

CHAIN = """
inputs: {x: 2}
parameters: {w: 1}
model: [a = w*x, b = 3*a, c = b + 1]
loss: E = c**2
training: {learning_rate: 0.1}
"""
LINE = """
inputs: {x: 2}
targets: {t: 1}
parameters: {w: 1.5, b: 0.3}
model: [y = w*x + b]
loss: E = (y - t)**2/2
training: {learning_rate: 0.1}
"""
SAMPLES = """
inputs: {x: {shape: []}}
parameters: {w: 1.25}
model: ["E = (w*x - 1)**2"]
samples: [{x: 2}, {x: 3}]
training: {learning_rate: 0.01}
"""
CURVE = """
inputs: {x: 2}
parameters: {w: 1}
model: [a = w*x, b = a**2]
loss: E = b**2/2
training: {learning_rate: 0.1}
"""
ROUNDED = """
inputs: {x: 1}
parameters: {w: 0.4567}
model: [a = w*x, b = 30*a]
loss: E = b**2
"""
MOMENTUM = CHAIN.replace("0.1}", "0.01, optimizer: momentum}")
Prints = dict[str, str]
UPHILL = "there is a step in the opposite direction"


def explained(spec: str, prints: Prints) -> Prints:
    """What the report says of each wrong print."""
    listed = ", ".join(f'{{name: "{name}", printed: "{text}"}}' for name, text in prints.items())
    text = f"{spec}published: [{listed}]\n"
    report = derive.verify(derive.build(parse_spec(text, "prints.yaml", "prints")))
    return {row.name: row.explanation for row in report.numbers if row.explanation}


@pytest.mark.parametrize(
    ("spec", "prints", "origin"),
    [
        (CHAIN, {"a": "2.5", "b": "7.5", "c": "8.5", "E": "72.25"}, {"b": "a", "c": "a", "E": "a"}),
        (CHAIN, {"a": "2", "b": "6.5", "c": "7.5", "E": "49"}, {"c": "b"}),
        (CHAIN, {"a": "2.5", "E": "72.25"}, {"E": "a"}),
        (CHAIN, {"dE/da": "43", "dE/dw": "86"}, {"dE/dw": "dE/da"}),
        (CHAIN, {"c": "7.5", "dE/dc": "15"}, {"dE/dc": "c"}),
        (CHAIN, {"dE/dw": "48", "w+": "-3.8"}, {"w+": "dE/dw"}),
        (CHAIN, {"w+": "-8", "a+": "-16"}, {"a+": "w+"}),
        (MOMENTUM, {"dE/dw": "48", "v_w+": "48", "w+": "0.52"}, {"v_w+": "dE/dw", "w+": "dE/dw"}),
        (CHAIN, {"a": "2.5", "b": "7.6"}, {}),
        (CHAIN, {"a": "2.53", "b": "7.604"}, {"b": "a"}),  # as of 2.5347, which is printed 2.53
        (CHAIN, {"a": "2.53", "b": "7.614"}, {}),
        (CHAIN, {"dE/dc": "14", "dc/db": "1.5", "dE/db": "21"}, {"dE/db": "dc/db"}),
        (CHAIN, {"dE/dc": "14", "dc/db": "1.5", "dE/da": "63"}, {"dE/da": "dc/db"}),
        (
            CHAIN,
            {"db/da": "4", "dE/da": "56", "dE/dw": "112"},
            {"dE/da": "db/da", "dE/dw": "db/da"},
        ),
        (CHAIN, {"db/da": "4", "dE/da": "50"}, {}),
        (CURVE, {"a": "1.5", "dE/da": "6.75"}, {"dE/da": "a"}),
        (CURVE, {"a": "1.5", "db/da": "3", "dE/da": "6.75"}, {"db/da": "a", "dE/da": "a"}),
    ],
)
def test_what_follows_from_a_wrong_print_is_told_apart(
    spec: str, prints: Prints, origin: Prints
) -> None:
    found = explained(spec, prints)
    told = {
        name: words.partition("right for what is printed for ")[2]
        for name, words in found.items()
        if "right for what is printed" in words
    }
    assert told == origin


def test_a_print_may_follow_from_rounded_ones() -> None:
    found = explained(ROUNDED, {"a": "0.46", "b": "13.8", "E": "190.44"})
    assert set(found) == {"b", "E"}
    assert all("rounded as they are" in words for words in found.values())


BOTH = ROUNDED.replace("b = 30*a", "b = 30*a, c = 20*a")


@pytest.mark.parametrize(
    ("prints", "agree"),
    [
        ({"a": "0.46", "b": "13.8"}, True),
        ({"a": "0.46", "b": "13.8", "c": "9.20"}, True),
        ({"a": "0.46", "b": "13.8", "c": "9.13"}, False),  # c is not computed from 0.46
        ({"a": "0.46", "b": "13.8", "c": "9.15"}, False),
    ],
)
def test_who_goes_on_with_rounded_numbers_does_so_throughout(prints: Prints, agree: bool) -> None:
    listed = ", ".join(f'{{name: "{name}", printed: "{text}"}}' for name, text in prints.items())
    text = f"{BOTH}published: [{listed}]\n"
    report = derive.verify(derive.build(parse_spec(text, "prints.yaml", "prints")))
    assert report.agree is agree


@pytest.mark.parametrize(
    ("spec", "prints", "words"),
    [
        (LINE, {"w+": "1.96"}, UPHILL),
        (MOMENTUM, {"w+": "1.84"}, UPHILL),
        (LINE, {"dE/dw": "-4.6"}, "opposite sign"),
        (SAMPLES, {"E+": "1.9044"}, "the previous sample is taken"),
    ],
)
def test_a_reason_is_given(spec: str, prints: Prints, words: str) -> None:
    (found,) = explained(spec, prints).values()
    assert words in found


@pytest.mark.parametrize("printed", ["3.2", "3.4", "3.33", "-1.5"])
def test_no_reason_is_better_than_a_false_one(printed: str) -> None:
    (found,) = explained(LINE, {"y": printed}).values()
    for reason in ("round", "cut", "sign", "times", "divided", "right for", "direction"):
        assert reason not in found


TABLE = """
inputs: {x: [1.234, 0.1, 0.5678]}
parameters: {w: [0.4, 0.3, 0.2]}
model: ["y[i] = w[i]*x[i]"]
loss: "E = sum(i, y[i])"
"""


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("0.1", ""),  # a number of one digit is that of many an entry
        ("0.10", ""),
        ("1.23", ""),  # with three digits, a dozen of values tried may meet one of them
        ("0.5678", "it is the value of dE/dw[2]"),
        ("0.777", ""),
    ],
)
def test_another_entry_is_no_reason_if_that_may_be_chance(printed: str, said: str) -> None:
    name = "dE/dw[1]" if printed != "0.1" and printed != "0.10" else "dE/dw[0]"
    words = explained(TABLE, {name: printed})[name]
    assert said in words
    assert said or "it is" not in words


@pytest.mark.parametrize(
    ("name", "printed", "words", "follow"),
    [
        ("w5+", "0.3857", "a step in the opposite direction", ()),
        ("dE/dw7", "0.04441", "it has the opposite sign", ()),
        ("dE/dout_o2", "-0.3174", "two digits exchanged", ()),
        ("out_o1", "0.5493", "the page has", ("dE/dout_o1",)),
        ("dE/dw1", "0.0001353", "the page has", ()),
    ],
)
def test_the_numbers_of_a_network_are_told_by_the_names_of_its_page(
    name: str, printed: str, words: str, follow: tuple[str, ...]
) -> None:
    problem = derive.load("article")
    slipped = {name: printed, **dict.fromkeys(follow, "0.5393")}
    published = tuple(
        replace(each, printed=slipped.get(each.name, each.printed)) for each in problem.published
    )
    report = derive.verify(replace(problem, published=published))
    found = [row for row in report.numbers if row.status is Status.DISAGREES]
    assert {row.name for row in found} == {canonical(each) for each in slipped}
    for row in found:
        if row.name == canonical(name):
            assert words in row.explanation
            assert not row.follows_from
        else:
            assert row.follows_from == (canonical(name),)


def test_a_factor_of_the_chain_is_an_operand() -> None:
    problem = derive.load("article")
    slipped = {"dout_o1/dnet_o1": "0.4211", "dE/dw5": "0.1247"}  # 0.5843 x 0.4211 x 0.5069
    published = tuple(
        replace(each, printed=slipped.get(each.name, each.printed)) for each in problem.published
    )
    report = derive.verify(replace(problem, published=published))
    found = {
        row.name: row.follows_from for row in report.numbers if row.name in map(canonical, slipped)
    }
    assert found == {"dout_o1/dnet_o1": (), "dE_total/dw5": ("dout_o1/dnet_o1",)}


def test_what_follows_from_known_misprints_is_told_apart() -> None:
    rows = derive.verify(derive.load("article")).numbers
    found = {row.name: row.follows_from for row in rows if row.follows_from}
    assert found == {
        "dE_total/dw2": ("dE_total/dout_h1",),
        "dE_total/dw4": ("dE_total/dout_h2",),
    }


def test_what_follows_through_an_update_is_told_apart() -> None:
    """Also where the updated parameter itself is not printed."""
    found = explained(CHAIN, {"c": "8", "a+": "-17.2"})
    assert "right for what is printed for c" in found["a+"]
    assert "right for" not in found["c"]
    assert "right for" not in explained(CHAIN, {"c": "8", "a+": "-17.3"})["a+"]
