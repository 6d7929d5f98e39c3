"""The spec of the network that a document states, and a document held against a spec."""

from __future__ import annotations

import pytest
import yaml

import derive
from derive.proofread.as_spec import NoNetwork
from derive.proofread.reading import Verdict
from derive.proofread.report import Checked, checked
from derive.spec import parse_spec
from derive.verify.claims import stated_by
from derive.verify.report import Status
from derive.verify.report import Verdict as Print

DOCUMENT = r"""
$x_1 = 0.05$, $x_2 = 0.1$, $w_1 = 0.15$, $w_2 = 0.2$, $w_5 = 0.4$, $t = 0.01$
$$ n = w_1 x_1 + w_2 x_2 = 0.0275 $$
$$ h = \frac{1}{1 + e^{-n}} = 0.506875 $$
$$ y = \tanh(w_5 h) = 0.200017 $$
$$ E = e_1 = \frac12 (t - y)^2 = 0.0180532 $$
$$ \frac{\partial E}{\partial w_5} = (y - t)(1 - y^2) h = 0.092461 $$
$$ w_5^{+} = w_5 - 0.5 \frac{\partial E}{\partial w_5} = 0.353769 $$
"""
SPEC = {
    "parameters": {"w_5": 0.4},
    "inputs": {"t": 0.01, "w_1": 0.15, "w_2": 0.2, "x_1": 0.05, "x_2": 0.1},
    "model": [
        "n = w_1*x_1 + w_2*x_2",
        "h = 1/(1 + exp(-n))",
        "y = tanh(h*w_5)",
        "E_ = (t - y)**2/2",
    ],
    "loss": "E_",
    "training": {"learning_rate": 0.5},
}


def spec_of(document: str) -> str:
    return checked("net.md", document).spec()


def test_the_spec_of_a_document() -> None:
    found = yaml.safe_load(spec_of(DOCUMENT))
    assert {key: found[key] for key in SPEC} == SPEC
    names = [each["name"] for each in found["published"]]
    assert names == ["n", "h", "y", "E_", "dE/dw_5", "w_5+"]
    assert found["published"][4] == {"name": "dE/dw_5", "printed": "0.092461", "where": "line 7"}


def test_the_spec_of_a_document_verifies_its_numbers() -> None:
    problem = derive.build(parse_spec(spec_of(DOCUMENT), "net.yaml", "net"))
    wrong = DOCUMENT.replace("0.092461", "0.092416")
    spoilt = derive.build(parse_spec(spec_of(wrong), "net.yaml", "net"))
    assert derive.verify(problem).agree
    report = derive.verify(spoilt)
    assert [row.name for row in report.numbers if row.status is Status.DISAGREES] == ["dE/dw_5"]


def test_the_page_of_a_network_gives_its_network_back() -> None:
    article = derive.load("article")
    text = derive.make(article).texts["en"]
    problem = derive.build(parse_spec(checked("page.tex", text).spec(), "page.yaml", "page"))
    values = {name: next(iter(table.values())) for name, table in problem.values.items()}
    assert [values[f"w_{k}"] for k in range(1, 9)] == [
        value for name in ("W1", "W2") for value in article.values[name].values()
    ]
    report = derive.verify(problem)
    rows = [row for row in report.numbers if row.published is not None]
    assert len(rows) > 50
    own = [row for row in rows if row.verdict is Print.WRONG]
    assert len(own) <= 1  # of a page that goes on with rounded numbers


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("no mathematics", "no formula says"),
        ("$$ a = b + 1 $$ $$ b = a - 1 $$", "no formula says"),
        (r"$$ y = f(x + 1) $$", "no formula says"),
    ],
)
def test_a_document_without_a_network(document: str, words: str) -> None:
    with pytest.raises(NoNetwork, match=words):
        spec_of(document)


def test_names_of_a_document_become_names_of_a_spec() -> None:
    document = r"$$ z^{(1)}_{2} = \mathrm{lambda}\cdot x_{1,2} + 1 $$"
    (equation,) = yaml.safe_load(spec_of(document))["model"]
    left, right = equation.split(" = ")
    assert left == "z_1_2"
    assert {"lambda_", "x_1_2"} <= {*right.replace("*", " ").split()}
    derive.build(parse_spec(spec_of(document), "net.yaml", "net"))


def held(document: str) -> Checked:
    return checked("paper.md", document, stated=stated_by(derive.load("article")))


AGAINST = [
    (r"$w_5 = 0.35$", Verdict.RIGHT, None),
    (r"$w_5 = 0.45$", Verdict.WRONG, "0.35"),
    (r"$w5 = 0.45$", Verdict.WRONG, "0.35"),  # spelled another way
    (r"$\mathrm{out}_{o1} = 0.5943$", Verdict.RIGHT, None),
    (r"$\mathrm{out}_{o1} = 0.5493$", Verdict.WRONG, "0.5943"),
    (r"$$\frac{\partial E_{total}}{\partial w_5} = 0.0714$$", Verdict.RIGHT, None),
    (r"$$\frac{\partial E_{total}}{\partial w_5} = 0.0174$$", Verdict.WRONG, "0.0714"),
    (r"$\beta = 0.9$", Verdict.GIVEN, None),  # no name of the spec
]  # fmt: skip


@pytest.mark.parametrize(("document", "verdict", "expected"), AGAINST)
def test_a_number_is_held_against_a_spec(
    document: str, verdict: Verdict, expected: str | None
) -> None:
    (remark,) = held(document).remarks
    assert (remark.verdict, remark.expected) == (verdict, expected)


def test_a_formula_is_held_against_a_spec() -> None:
    delta = r"(\mathrm{out}_{o1} - \mathrm{target}_{o1}) \mathrm{out}_{o1}(1-\mathrm{out}_{o1})"
    right = rf"$$ \frac{{\partial E_{{total}}}}{{\partial w_5}} = {delta} \mathrm{{out}}_{{h1}} $$"
    assert not held(right).own
    (fault,) = held(right.replace("w_5", "w_8")).own
    assert fault.reason.startswith("it is right with")
    (fault,) = held(right.replace("1-", "2-")).own
    assert fault.reason == "the two sides are not the same"
    assert not held(right.replace("w_5", "u")).own  # of no name of the spec


def test_a_spec_that_is_too_large_is_refused_in_words() -> None:
    with pytest.raises(derive.InputError, match="at most 600 numbers"):
        stated_by(derive.load("digits"))
