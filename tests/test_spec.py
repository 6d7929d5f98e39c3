"""Spec files: every mistake is an InputError that names file, line and field."""

from __future__ import annotations

from fractions import Fraction
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.build import build
from derive.errors import InputError
from derive.problem import Problem
from derive.spec import builtin_names, load_spec, parse_spec
from tests.core_support import relaxed

ARTICLE = (resources.files("derive") / "specs" / "article.yaml").read_text("utf-8")
BASE = """\
network:
  inputs: 2
  layers:
    - {dense: [h1, h2], bias: none}
  loss: half_squared_error
parameters:
  W1: [[0.15, 0.2],
       [0.25, 0.3]]
data:
  inputs: [0.05, 0.1]
  targets: [0.01, 0.99]
"""
LAST = BASE.count("\n") + 1


def edited(old: str, new: str) -> str:
    assert BASE.count(old) == 1
    return BASE.replace(old, new)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        build(parse_spec(text, "a.yaml", "a"))
    return str(caught.value)


BOMB = "a: &a [1, 1]\nb: &b [*a, *a]\nnetwork: *b\n"
BAD: list[tuple[str, str, str]] = [
    (
        "unknown field",
        edited("loss:", "los:"),
        "a.yaml:5: network.los: unknown field 'los'; did you mean 'loss'?",
    ),
    (
        "unknown at the top",
        BASE + "trainning: {}\n",
        f"a.yaml:{LAST}: trainning: unknown field 'trainning'; did you mean 'training'?",
    ),
    (
        "a field of a section at the top",
        BASE + "learning_rate: 0.1\n",
        f"a.yaml:{LAST}: learning_rate: unknown field 'learning_rate'; "
        "it belongs in 'training:', as `training: {learning_rate: ...}`",
    ),
    (
        "a mapping for a list of sections",
        BASE + "published: {w1: 0.2}\n",
        f"a.yaml:{LAST}: published: this must be a list, "
        "with entries such as `- {name: ..., printed: ...}`",
    ),
    (
        "unknown in a layer",
        edited("bias: none", "bia: none"),
        "a.yaml:4: network.layers.0.bia: unknown field 'bia'; did you mean 'bias'?",
    ),
    ("duplicate key", BASE + "network: 1\n", f"a.yaml:{LAST}: network: this field is given twice"),
    ("anchor bomb", BOMB, "a.yaml:1: b.0: YAML aliases are not supported"),
    (
        "python tag",
        BASE + "title: !!python/object/apply:os.system ['true']\n",
        f"a.yaml:{LAST}: title: the YAML tag "
        "'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
    ),
    (
        "python name",
        BASE + "title: !!python/name:os.system x\n",
        f"a.yaml:{LAST}: title: the YAML tag",
    ),
    (
        "own tag",
        BASE + "title: !mine x\n",
        f"a.yaml:{LAST}: title: the YAML tag '!mine' is not allowed",
    ),
    ("binary", BASE + "title: !!binary aGk=\n", f"a.yaml:{LAST}: title: the YAML tag"),
    ("set", BASE + "numbers: !!set {a}\n", f"a.yaml:{LAST}: numbers: the YAML tag"),
    (
        "infinity",
        edited("0.15", ".inf"),
        "a.yaml:7: parameters.W1.0.0: '.inf' is not a finite decimal number",
    ),
    (
        "not a number",
        edited("0.25", ".nan"),
        "a.yaml:8: parameters.W1.1.0: '.nan' is not a finite decimal number",
    ),
    (
        "underscores",
        edited("0.15", "1_000"),
        "a.yaml:7: parameters.W1.0.0: '1_000' is not a finite decimal number",
    ),
    (
        "hexadecimal",
        edited("0.15", "0x10"),
        "a.yaml:7: parameters.W1.0.0: '0x10' is not a finite decimal number",
    ),
    (
        "sexagesimal",
        edited("0.15", "1:30"),
        "a.yaml:7: parameters.W1.0.0: '1:30' is not a finite decimal number",
    ),
    ("seventy digits", edited("0.15", "1" * 70), "is not a finite decimal number"),
    (
        "text for a number",
        edited("0.15", "abc"),
        "a.yaml:7: parameters.W1.0.0: a number is expected (shape 2 x 2), but here is 'abc'",
    ),
    (
        "quoted number",
        edited("0.15", "'0.15'"),
        "a number is expected (shape 2 x 2), but here is '0.15'",
    ),
    ("boolean for a number", edited("0.15", "yes"), "a number is expected"),
    ("nothing for a number", edited("0.15", "~"), "a number is expected"),
    ("too large", edited("0.15", "1e400"), "a.yaml:7: parameters.W1.0.0: this number is too large"),
    (
        "wrong type",
        edited("inputs: 2\n", "inputs: {a: 1}\n"),
        "a.yaml:2: network.inputs: this must be a whole number or a list",
    ),
    (
        "boolean for a count",
        edited("inputs: 2\n", "inputs: yes\n"),
        "a.yaml:2: network.inputs: this must be a whole number or a list",
    ),
    (
        "no units",
        edited("inputs: 2\n", "inputs: 0\n"),
        "a.yaml:2: network.inputs: this must be greater than or equal to 1",
    ),
    (
        "list for a mapping",
        BASE + "numbers: [1]\n",
        f"a.yaml:{LAST}: numbers: this must be a mapping",
    ),
    (
        "missing field",
        edited("  loss: half_squared_error\n", ""),
        "a.yaml:1: network: the field 'loss' is missing",
    ),
    ("missing section", "title: x\n", "a.yaml:1: spec: nothing is computed here; give a 'model'"),
    (
        "missing in a layer",
        edited("dense: [h1, h2], ", ""),
        "a.yaml:4: network.layers.0: the field 'dense' is missing",
    ),
    (
        "no layers",
        edited("    - {dense: [h1, h2], bias: none}\n", "    []\n"),
        "network.layers: this list must not be empty",
    ),
    (
        "choice",
        edited("bias: none", "bias: some"),
        "a.yaml:4: network.layers.0.bias: this must be 'each', 'shared' or 'none'",
    ),
    (
        "yaml 1.1 boolean",
        edited("bias: none", "bias: no"),
        "a.yaml:4: network.layers.0.bias: this must be",
    ),
    ("malformed", BASE + "title: [\n", "this is not YAML"),
    ("tabs", BASE + "\ttitle: x\n", f"a.yaml:{LAST}: this is not YAML: found character"),
    ("two documents", BASE + "---\na: 1\n", f"a.yaml:{LAST}: this is not YAML"),
    (
        "control character",
        BASE + "title: \x07\n",
        "a.yaml: this is not YAML: unacceptable character #x0007",
    ),
    ("empty", "", "a.yaml: a spec is a mapping with 'model:' or 'network:'"),
    ("only a comment", "# nothing\n", "a.yaml: a spec is a mapping"),
    ("list at the top", "- 1\n", "a.yaml: a spec is a mapping"),
    ("text at the top", "hello", "a.yaml: a spec is a mapping"),
    (
        "deep lists",
        "a: " + "[" * 3000 + "]" * 3000,
        "a.yaml:1: lists and mappings are nested more than 40 deep",
    ),
    ("deep mappings", "{a: " * 900, "a.yaml:1: lists and mappings are nested more than 40 deep"),
    (
        "merge key",
        BASE + "training:\n  <<: {steps: 2}\n",
        f"a.yaml:{LAST}: training: a field name must be plain text",
    ),
    ("list as a key", BASE + "[a]: 1\n", "a field name must be plain text"),
    (
        "two precisions",
        BASE + "numbers: {significant_digits: 4, decimals: 2}\n",
        f"a.yaml:{LAST}: numbers: give either significant_digits or decimals, not both",
    ),
    (
        "no digits",
        BASE + "numbers: {significant_digits: 0}\n",
        f"a.yaml:{LAST}: numbers.significant_digits: this must be greater than or equal to 1",
    ),
    (
        "a boolean digit",
        BASE + "numbers: {significant_digits: yes}\n",
        f"a.yaml:{LAST}: numbers.significant_digits: this must be a whole number",
    ),
    (
        "language",
        BASE + "languages: [en, xx]\n",
        f"a.yaml:{LAST}: languages.1: this must be 'ko', 'en', 'de', 'fr', 'es', 'ja' or 'zh'",
    ),
    (
        "learning rate",
        BASE + "training: {learning_rate: fast}\n",
        f"a.yaml:{LAST}: training.learning_rate: 'fast' is unknown",
    ),
    (
        "learning rate yes",
        BASE + "training: {learning_rate: yes}\n",
        f"a.yaml:{LAST}: training.learning_rate: this must be a number or a formula",
    ),
]


@pytest.mark.parametrize(("text", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_mistake_is_reported_where_it_is(text: str, words: str) -> None:
    assert words in refusal(text)


def test_several_mistakes_are_reported_together() -> None:
    message = refusal(BASE + "numbers: {decimals: -1}\nlanguages: []\n")
    assert f"a.yaml:{LAST}: numbers.decimals" in message
    assert f"a.yaml:{LAST + 1}: languages" in message


GOOD: list[tuple[str, str, Fraction]] = [
    ("exponent without a dot", "1e-3", Fraction(1, 1000)),
    ("exponent", "1.5e2", Fraction(150)),
    ("sign", "+.5", Fraction(1, 2)),
    ("leading zero is decimal", "0777", Fraction(777)),
    ("many digits are exact", "0.1234567890123456789", Fraction("0.1234567890123456789")),
]


@pytest.mark.parametrize(("text", "value"), [g[1:] for g in GOOD], ids=[g[0] for g in GOOD])
def test_numbers_are_read_exactly(text: str, value: Fraction) -> None:
    problem = build(parse_spec(edited("0.15", text), "a.yaml", "a"))
    assert problem.values["W1"][0, 0] == value


def test_a_printed_number_keeps_its_digits() -> None:
    text = BASE + "published: [{name: w1, printed: 0.150}]\n"
    assert parse_spec(text, "a.yaml", "a").spec.published[0].printed == "0.150"


def test_the_built_in_specs_can_be_loaded_by_name() -> None:
    assert "article" in builtin_names()
    for name in builtin_names():
        assert isinstance(build(load_spec(name)), Problem)


def test_a_file_that_is_not_there(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="did you mean 'article'"):
        load_spec("artcle")
    with pytest.raises(InputError, match="is a folder"):
        load_spec(str(tmp_path))
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        load_spec(str(tmp_path / "bytes.yaml"))
    (tmp_path / "mine.yaml").write_text(BASE, "utf-8")
    assert load_spec(str(tmp_path / "mine.yaml")).name == "mine"


PIECES = [
    *" \n\t:-[]{},&*!|>'\"%@#?0123456789.~\0éx",
    *("- ", ": ", "  ", "null", "yes", "1e9", "!!", "---\n", "&a ", "*a", "<<: ", ".nan", "\\u"),
    *("f(x) = x", "W1", "dense", "inputs", "y[n,h] = x[n,h]", "-1", "99999", "[[1]]"),
]


@relaxed(150)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(ARTICLE)),
            st.integers(0, 25),
            st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_damaged_spec_is_built_or_refused(damage: list[tuple[int, int, str]]) -> None:
    text = ARTICLE
    for start, length, put in damage:
        text = text[:start] + put + text[start + length :]
    try:
        assert isinstance(build(parse_spec(text, "a.yaml", "a")), Problem)
    except InputError as error:
        assert str(error)
