"""One weight as plain text."""

from __future__ import annotations

import pytest

from derive.errors import InputError
from derive.render.explain import explain
from tests.render_support import NETWORKS, made

FORWARD = """\
Forward pass
  net_h1 = i1·w1 + i2·w2
         = 0.05·0.15 + 0.1·0.2 = 0.0275
  net_h2 = i1·w3 + i2·w4
         = 0.05·0.25 + 0.1·0.3 = 0.0425
  out_h1 = 1/(1 + e^(-net_h1))
         = 1/(1 + e^(-0.0275)) = 0.5069
"""
W5 = """\
The gradient of w5, factor by factor
  dE_total/dw5 = dE_total/dout_o1 × dout_o1/dnet_o1 × dnet_o1/dw5
  dE_total/dout_o1 = out_o1 - target_o1
                   = 0.5943 - 0.01 = 0.5843
  dout_o1/dnet_o1 = out_o1·(1 - out_o1)
                  = 0.5943·(1 - 0.5943) = 0.2411
  dnet_o1/dw5 = out_h1
              = 0.5069
  dE_total/dw5 = dE_total/dout_o1 × dout_o1/dnet_o1 × dnet_o1/dw5
               = 0.5843 × 0.2411 × 0.5069 = 0.07141
  w5+ = w5 - alpha·dE_total/dw5
      = 0.35 - 0.5·0.07141 = 0.3143
"""


def lines(name: str, weight: str, forward: bool = False) -> str:
    told = explain(made(name).problem, made(name).derivation, weight, forward)
    return "".join(f"{line}\n" for line in told)


def test_an_output_weight_word_for_word() -> None:
    assert lines("article", "w5") == W5


def test_the_forward_pass_stands_before_it_if_asked_for() -> None:
    text = lines("article", "w5", forward=True)
    assert text.startswith(FORWARD)
    assert text.endswith("\n\n" + W5)


def test_a_hidden_weight_shows_both_paths() -> None:
    text = lines("article", "w1")
    start, *factors = text.splitlines()
    assert start == "The gradient of w1, factor by factor"
    assert factors[0].strip() == ("dE_total/dw1 = dE_total/dout_h1 × dout_h1/dnet_h1 × dnet_h1/dw1")
    shown = [line.split(" = ")[0].strip() for line in factors if line[2] != " "]
    assert shown == [
        "dE_total/dw1",
        "dout_h1/dnet_h1",
        "dE_total/dout_o1",
        "dout_o1/dnet_o1",
        "dE_total/dout_o2",
        "dout_o2/dnet_o2",
        "dnet_o1/dout_h1",
        "dnet_o2/dout_h1",
        "dE_total/dout_h1",
        "dnet_h1/dw1",
        "dE_total/dw1",
        "w1+",
    ]
    assert factors[-1].strip() == "= 0.15 - 0.5·0.0001235 = 0.1499"


def test_a_broken_sum_goes_on_below_its_beginning() -> None:
    broken = lines("article", "w1").partition("dE_total/dout_h1 = ")[2].splitlines()[:5]
    assert broken == [
        "dE_total/dnet_o1 × dnet_o1/dout_h1",
        "                     + dE_total/dnet_o2 × dnet_o2/dout_h1",
        "                   = dE_total/dout_o1 × dout_o1/dnet_o1 × dnet_o1/dout_h1",
        "                     + dE_total/dout_o2 × dout_o2/dnet_o2 × dnet_o2/dout_h1",
        "                   = 0.5843 × 0.2411 × 0.35 + (-0.3714) × 0.2359 × 0.45 = 0.00988",
    ]


@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "digits"])
def test_the_numbers_are_those_of_the_page(name: str) -> None:
    """Plain text and page are told from one story, so they print the same results."""
    whole = made(name)
    page = whole.page
    for line in explain(whole.problem, whole.derivation, "w1"):
        left, _, right = line.partition(" = ")
        entry = page.numbers.get(left.strip())
        if entry is not None and entry.text is not None and " = " in right:
            assert right.rpartition(" = ")[2] == entry.text


@pytest.mark.parametrize("weight", ["w9", "W5", "", "b1", "net_o1"])
def test_an_unknown_weight(weight: str) -> None:
    with pytest.raises(InputError, match=f"there is no weight '{weight}'"):
        lines("article", weight)
