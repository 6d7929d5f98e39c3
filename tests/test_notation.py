"""Names of scalars on the page and in code."""

from __future__ import annotations

import keyword

import pytest

from derive.build import build
from derive.errors import InputError
from derive.expression import Element
from derive.graph import adjoint_name
from derive.notation import Name, Notation, derivative, notation, scalar_names, with_mark
from derive.problem import Problem
from derive.spec import load_spec, parse_spec

LAYER = "    - {{dense: {}, bias: {}, activation: logistic}}\n"


def network(*layers: tuple[int, str], batch: int = 1, inputs: str = "2") -> Problem:
    rows = "".join(LAYER.format(*layer) for layer in layers)
    text = f"network:\n  inputs: {inputs}\n  layers:\n{rows}  loss: half_squared_error\n"
    return build(parse_spec(f"{text}data: {{batch: {batch}}}\n", "a.yaml", "a"))


def named(problem: Problem, name: str, *place: int) -> Name:
    return notation(problem).name(Element(name, *place))


ONE = network((2, "none"))
TWO = network((2, "none"), (2, "none"))
BIASED = network((2, "each"), (2, "shared"))
THREE = network((2, "each"), (2, "none"), (2, "each"))
BATCH = network((2, "none"), (2, "none"), batch=2)
WIDE = network((3, "none"), (3, "none"), inputs="[a, b1, long_name]")

NAMES: list[tuple[Problem, tuple, str, str]] = [  # type: ignore[type-arg]
    (TWO, ("x", 0, 0), "i1", "i_1"),
    (TWO, ("W1", 0, 0), "w1", "w_1"),
    (TWO, ("W1", 1, 1), "w4", "w_4"),
    (TWO, ("W2", 0, 0), "w5", "w_5"),
    (TWO, ("W2", 1, 1), "w8", "w_8"),
    (TWO, ("net1", 0, 0), "net_h1", r"\mathrm{net}_{h1}"),
    (TWO, ("out2", 0, 1), "out_o2", r"\mathrm{out}_{o2}"),
    (TWO, ("t", 0, 0), "target_o1", r"\mathrm{target}_{o1}"),
    (TWO, ("E_each", 0, 1), "E_o2", "E_{o2}"),
    (TWO, ("E",), "E_total", r"E_{\mathrm{total}}"),
    (ONE, ("net1", 0, 0), "net_o1", r"\mathrm{net}_{o1}"),
    (BIASED, ("b1", 0), "b1", "b_1"),
    (BIASED, ("b1", 1), "b2", "b_2"),
    (BIASED, ("b2",), "b3", "b_3"),
    (THREE, ("net1", 0, 0), "net1_h1", r"\mathrm{net}_{h1}^{(1)}"),
    (THREE, ("out2", 0, 1), "out2_h2", r"\mathrm{out}_{h2}^{(2)}"),
    (THREE, ("net3", 0, 0), "net_o1", r"\mathrm{net}_{o1}"),
    (THREE, ("W3", 1, 1), "w12", "w_{12}"),
    (THREE, ("b3", 1), "b4", "b_4"),
    (BATCH, ("x", 1, 0), "i1_2", "i_{2,1}"),
    (BATCH, ("net1", 0, 1), "net_h2_1", r"\mathrm{net}_{1,h2}"),
    (BATCH, ("W1", 0, 0), "w1", "w_1"),
    (WIDE, ("x", 0, 0), "a", r"\mathrm{a}"),
    (WIDE, ("x", 0, 1), "b1", "b_1"),
    (WIDE, ("x", 0, 2), "long_name", r"\mathrm{long\_name}"),
    (WIDE, ("W1", 2, 2), "w9", "w_9"),
    (WIDE, ("W2", 0, 0), "w10", "w_{10}"),
]


@pytest.mark.parametrize(("problem", "element", "code", "tex"), NAMES, ids=[n[2] for n in NAMES])
def test_what_a_scalar_is_called(problem: Problem, element: tuple, code: str, tex: str) -> None:  # type: ignore[type-arg]
    name = named(problem, *element)
    assert (name.code, name.tex) == (code, tex)


def test_a_derivative_is_called_by_both_names() -> None:
    name = named(TWO, "adj_W1", 0, 1)
    assert name.code == "dE_dw2"
    assert name.report == "dE_total/dw2"
    assert name.tex == r"\frac{\partial E_{\mathrm{total}}}{\partial w_2}"
    assert name.inline == r"\partial E_{\mathrm{total}}/\partial w_2"
    local = derivative(named(TWO, "out1", 0, 0), named(TWO, "net1", 0, 0))
    assert local.code == "dout_h1_dnet_h1"


def test_an_updated_weight_has_a_plus() -> None:
    name = named(TWO, "W2+", 0, 0)
    assert (name.code, name.tex, name.report) == ("w5_new", "w_5^{+}", "w5+")


MARKS = [("w_5", "w_5^{+}"), ("w_{12}", "w_{12}^{+}"), ("net_{h}^{(1)}", "net_{h}^{(1)+}")]


@pytest.mark.parametrize(("tex", "expected"), MARKS)
def test_a_mark_joins_the_superscript(tex: str, expected: str) -> None:
    assert with_mark(tex, "+") == expected


DEEP = network((2, "each"), (3, "shared"), (2, "each"), batch=3)
PROBLEMS = (ONE, TWO, BIASED, THREE, BATCH, WIDE, DEEP, build(load_spec("article")))


@pytest.mark.parametrize("problem", PROBLEMS, ids=range(len(PROBLEMS)))
def test_code_names_are_identifiers_and_unique(problem: Problem) -> None:
    names = notation(problem)
    table = scalar_names(names, problem.graph)
    adjoints = {names.name(Element(adjoint_name(e.name), *e.indices)).code for e in table.values()}
    assert len(adjoints) == len(table) == len({names.name(e).tex for e in table.values()})
    for code in [*table, *adjoints]:
        assert code.isidentifier()
        assert code.isascii()
        assert not keyword.iskeyword(code)


def test_two_scalars_of_one_name_are_refused() -> None:
    names = notation(TWO)
    clash = Notation(
        names.quantities, {**names.units, 0: names.units[0][:1] * 2}, names.offsets, 1, 2
    )
    with pytest.raises(InputError, match="two things are called 'i1'"):
        scalar_names(clash, TWO.graph)
