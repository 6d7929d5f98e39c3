"""The δ view: equations for a layer, one worked element, tables for the rest."""

from __future__ import annotations

import re

import pytest

import derive
from derive.render.blocks import Block, Page
from derive.render.unit_tables import MOST_COLUMNS, MOST_ROWS
from derive.spec import parse_spec
from tests.render_support import Small, faults, made


def of_kind(page: Page, kind: str) -> list[Block]:
    return [block for block in page.blocks if block.kind == kind]


def page_of(small: Small) -> Page:
    return derive.make(small.problem(), ["en"]).page


DEEP = Small((2, 3, 3, 2), ("tanh", "relu", "softmax"), "categorical_cross_entropy",
             ("each", "shared", "none"), batch=2)  # fmt: skip
WIDE = Small((9, 10, 2), ("tanh", "identity"), "half_squared_error", ("each", "each"), batch=8)


def test_layers_forward_and_backward() -> None:
    page = page_of(DEEP)
    assert [b["number"] for b in of_kind(page, "layer_forward")] == [1, 2, 3]
    assert [b["number"] for b in of_kind(page, "layer_backward")] == [3, 2, 1]
    assert [b["last"] for b in of_kind(page, "layer_backward")] == [True, False, False]
    assert [b["fused"] for b in of_kind(page, "layer_backward")] == [True, False, False]


def test_the_first_element_of_a_layer_is_worked_out() -> None:
    last = of_kind(page_of(DEEP), "layer_backward")[0]
    assert [d.label for d in last["worked"]] == ["eq:dE_dnet_o1_1", "eq:dE_dw16"]
    assert last["update"].label == "eq:w16_new"
    assert all(d.result is not None for d in (*last["worked"], last["update"]))


def test_a_derivative_by_a_net_input_is_called_delta_from_then_on() -> None:
    """The name is given once and then used in every display and table."""
    for block in of_kind(made("deep").page, "layer_backward"):
        net, weight, *_ = block["worked"]
        assert block["chain"].lhs.startswith(r"\delta")
        assert net.lhs.startswith(r"\delta")
        assert r"\delta" in weight.rows[0]
        assert all(row.head.startswith(r"\delta") for row in block["deltas"].rows)
        for display in block["worked"]:
            for row in display.rows:
                assert r"\partial \mathrm{net}" not in row


def test_the_layer_behind_appears_in_the_sum() -> None:
    _, middle, first = of_kind(page_of(DEEP), "layer_backward")
    for block, behind in ((middle, "(3)"), (first, "(2)")):
        summed = block["chain"].rows[-1]
        assert re.search(rf"\\sum_{{\w}} W\^{{{re.escape(behind)}}}", summed), summed


def test_every_gradient_and_update_is_a_number_of_the_page() -> None:
    numbers = page_of(DEEP).numbers
    names = [f"w{k}" for k in range(1, 22)] + ["b1", "b2", "b3", "b4"]
    for name in names:
        assert numbers[f"dE_total/d{name}"].text is not None
        assert numbers[f"{name}+"].text is not None


def test_tables_hold_the_numbers_of_the_page() -> None:
    page = page_of(DEEP)
    block = of_kind(page, "layer_backward")[1]
    assert block["deltas"].columns == tuple(rf"\mathrm{{h{k}}}" for k in (1, 2, 3))
    cells = [row.cells for row in block["deltas"].rows]
    assert cells == [
        tuple(page.numbers[f"dE_total/dnet2_h{k}_{n}"].text for k in (1, 2, 3)) for n in (1, 2)
    ]
    table, shared = block["gradient_tables"]
    assert [row.head for row in table.rows] == ["h=1", "h=2", "h=3"]
    assert table.columns == ("i=1", "i=2", "i=3")
    assert table.rows[0].cells == tuple(page.numbers[f"dE_total/dw{k}"].text for k in (7, 8, 9))
    assert not table.more
    assert [row.cells for row in shared.rows] == [(page.numbers["dE_total/db4"].text,)]
    new, _ = block["updated"]
    assert new.corner == "$W^{(2)+}_{hi}$"
    assert new.rows[0].cells == tuple(page.numbers[f"w{k}+"].text for k in (7, 8, 9))


def test_all_that_is_given_stands_in_tables() -> None:
    page = page_of(DEEP)
    (given,) = of_kind(page, "given_tables")
    inputs, targets = given["samples"]
    assert [len(table.rows) for table in (inputs, targets)] == [2, 2]
    assert [row.head for row in inputs.rows] == ["x_{1i}", "x_{2i}"]
    weights, biases, *_ = given["parameters"]
    assert weights.corner == "$W^{(1)}_{hi}$"
    assert weights.rows[0].cells == tuple(page.numbers[f"w{k}"].text for k in (1, 2))
    assert biases.rows[0].cells == tuple(page.numbers[f"b{k}"].text for k in (1, 2, 3))
    assert [table.rows[0].head for table in given["parameters"][3:4]] == ["b^{(2)}"]


def test_the_step_is_explained_where_it_stands() -> None:
    made = derive.make(DEEP.problem(), ["en"])
    assert [b["step"] for b in of_kind(made.page, "layer_backward")] == [False, True, False]
    assert made.texts["en"].count("is the unit step") == 1


def test_rows_of_a_batch_name_their_sample() -> None:
    forward = of_kind(page_of(DEEP), "layer_forward")[0]
    heads = [row.head for row in forward["table"].rows]
    assert len(heads) == len(set(heads)) == 4
    assert all(str(n) in head for head, n in zip(heads, (1, 2, 1, 2), strict=True))


def test_large_tables_are_cut_and_say_so() -> None:
    page = page_of(WIDE)
    forward = of_kind(page, "layer_forward")[0]["table"]
    assert (len(forward.columns), len(forward.rows), forward.more) == (MOST_COLUMNS, 12, True)
    table = of_kind(page, "layer_backward")[1]["gradient_tables"][0]
    assert (len(table.columns), len(table.rows), table.more) == (MOST_COLUMNS, 10, True)
    assert all(len(row.cells) == MOST_COLUMNS for row in table.rows)
    assert MOST_ROWS == 12


def test_frozen_parameters_are_not_updated() -> None:
    text = DEEP.text.replace("steps: 3", "steps: 3\n  frozen: [W3, b2]")
    problem = derive.build(parse_spec(text, "small.yaml", "small"))
    page = derive.make(problem, ["en"]).page
    last, middle, _ = of_kind(page, "layer_backward")
    assert last["update"] is None
    assert middle["update"].label == "eq:w7_new"
    assert "w16+" not in page.numbers and "b4+" not in page.numbers
    assert page.numbers["w7+"].text is not None


@pytest.mark.parametrize("batch", [1, 2])
def test_without_values_only_equations_stand(batch: int) -> None:
    small = Small((2, 3, 3, 2), ("tanh", "relu", "identity"), "mean_squared_error",
                  ("each",) * 3, batch, None)  # fmt: skip
    result = derive.make(small.problem(), ["en"])
    for block in of_kind(result.page, "layer_backward"):
        assert (block["worked"], block["deltas"], block["update"]) == ([], None, None)
    assert all(b["table"] is None for b in of_kind(result.page, "layer_forward"))
    assert faults(result.texts["en"]) == []


def test_the_page_grows_with_the_layers_and_not_with_the_ways() -> None:
    def length(layers: int) -> int:
        small = Small((2,) * (layers + 1), ("tanh",) * layers, "half_squared_error",
                      ("none",) * layers, seed=None, batch=2)  # fmt: skip
        return len(derive.make(small.problem(), ["en"]).texts["en"])

    three, four, five = map(length, (3, 4, 5))
    assert abs((five - four) - (four - three)) < 0.5 * (four - three)
