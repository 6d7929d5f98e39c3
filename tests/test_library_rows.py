"""Uses of the rows of the library: any sizes and settings, their kinks, and what is refused."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest
from mpmath import mp

from derive.backprop import differentiate
from derive.errors import InputError
from derive.graph import Kind, Quantity, Role, adjoint_name, check
from derive.library.activations import ACTIVATIONS
from derive.library.instantiate import instantiate
from derive.library.layers import LAYERS
from derive.library.layers import ROWS as LAYER_ROWS
from derive.library.loss import Reduction
from derive.library.losses import loss_layer, loss_names
from derive.library.optimizers import OPTIMIZERS, parse_update
from derive.library.row import Layer, signature, written_out
from derive.library.titles import TITLES
from derive.library.update import tried
from derive.verify.algebra import DIGITS, EXACT, slope
from derive.verify.bench import Bench
from derive.verify.interpreter import run
from derive.verify.meaning import Values
from derive.verify.routes import relative
from tests.core_support import axis, calls
from tests.library_support import (
    FLOATS,
    LOSS,
    NAME,
    ROWS,
    Use,
    fixed_use,
    letters_of,
    operands,
    places,
)

EXACTLY = 1e-20
USES = 2
MOST_CALLS = 4_000_000  # the largest block takes a quarter of it


def exact(use: Use) -> Values:
    with mp.workdps(DIGITS):
        return {key: EXACT.number(value) for key, value in use.values.items()}


@pytest.mark.parametrize("number", range(USES))
@pytest.mark.parametrize("name", ROWS)
def test_a_use_of_a_row_is_differentiated_rightly(name: str, number: int) -> None:
    use = fixed_use(ROWS[name], number)
    check(use.derivation.forward)
    check(use.derivation.backward)
    given = exact(use)
    bench = Bench(use.derivation, given)
    found = bench.derived
    source = random.Random(number)
    keys = [(quantity.name, at) for quantity in use.real for at in places(quantity)]
    with mp.workdps(DIGITS):
        way = {key: mp.mpf(source.randint(1, 99)) / 101 for key in keys}
        along = sum(found[adjoint_name(key[0]), key[1]] * way[key] for key in keys)

        def loss(shift: Any) -> Any:
            moved = {key: shift * each for key, each in way.items()}
            return run(use.graph, given, moved=moved)[LOSS, ()]

        assert relative(along, slope(loss)) < EXACTLY
        for quantity in use.real:
            key = source.choice([each for each in keys if each[0] == quantity.name])
            expected = bench.by(key)
            assert relative(found[adjoint_name(key[0]), key[1]], expected) < EXACTLY, key


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_differentiated_with_little_work(name: str) -> None:
    use = fixed_use(ROWS[name], 0)
    names = [quantity.name for quantity in use.real]
    graph = use.graph
    assert calls(lambda: differentiate(graph, names)) < MOST_CALLS


@pytest.mark.parametrize("name", ROWS)
def test_a_row_names_nothing_that_it_has_not(name: str) -> None:
    row = ROWS[name]
    own = [operand.name for operand in operands(row)]
    words = set(re.findall(r"[A-Za-z]\w*", f"{row.equations} {' '.join(row.sizes.values())}"))
    assert set(own) | set(row.settings) <= words
    assert len(set(own)) == len(own)
    assert not set(letters_of(row)) & {*own, *row.settings}
    assert re.fullmatch(r"[a-zA-Z].*[^.\s]", row.summary)
    assert set(row.optional) | set(row.integers) <= set(own)
    assert not row.notes or row.notes.endswith(".")


def test_every_name_is_there_once() -> None:
    assert len(LAYERS) == len(LAYER_ROWS)
    assert not set(LAYERS) & set(loss_names())
    assert set(ACTIVATIONS) <= set(LAYERS)


@pytest.mark.parametrize("name", loss_names())
def test_a_loss_has_an_error_and_a_way_to_put_errors_together(name: str) -> None:
    row, usual = loss_layer(name)
    assert row.output == "e"
    assert usual in Reduction
    assert not row.parameters


@dataclass(frozen=True)
class Same:
    """Two rows that give the same output; `numbers` stand for operands of the first."""

    first: str
    second: str
    numbers: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, int] = field(default_factory=dict)
    negated: tuple[str, ...] = ()


SAME = (
    Same("dense", "dense_without_bias", {"b": 0}),
    Same("grouped_conv2d", "conv2d", settings={"groups": 1}),
    Same("batch_norm_inference", "scale_shift", {"mean0": 0, "var0": 1}, {"eps": 0}),
    Same("dropout", "identity", {"mask": 1}, {"keep": 1}),
    Same("lstm_peephole", "lstm", {"vi": 0, "vf": 0, "vo": 0}),
    Same("gru", "gru_take", negated=("Wz", "Uz", "bz")),
    Same("gru", "gru_reset_after", {"Uc": 0}),
    Same("multi_head_attention", "causal_multi_head_attention", {"Wq": 0, "Wv": 0, "bq": 0}),
    Same("leaky_relu", "relu", settings={"slope": 0}),
    Same("selu", "elu", settings={"scale": 1, "a": 1}),
    Same("huber", "half_squared_error", settings={"delta": 9}),
    Same("label_smoothing_cross_entropy", "categorical_cross_entropy", settings={"epsilon": 0}),
)


@pytest.mark.parametrize("same", SAME, ids=lambda same: f"{same.first}, {same.second}")
def test_two_rows_are_the_same(same: Same) -> None:
    drawn = fixed_use(ROWS[same.first], 0)
    numbers = {name: Fraction(number) for name, number in same.numbers.items()}
    first = replace(drawn, settings={**drawn.settings, **same.settings}, numbers=numbers)
    row = ROWS[same.second]
    shapes = {first.local(q): q.shape for q in first.graph.given}
    sizes: dict[str, int] = {}
    for operand in operands(row):
        shape = shapes.get(operand.name, ())
        sizes |= zip(operand.letters, shape[len(shape) - len(operand.letters) :], strict=False)
    second = replace(
        first,
        row=row,
        sizes=sizes,
        settings={k: v for k, v in first.settings.items() if k in row.settings},
        numbers={k: v for k, v in numbers.items() if k in {o.name for o in operands(row)}},
    )
    given = first.floats()
    changed = {
        key: -number if key[0].removeprefix(f"{NAME}_") in same.negated else number
        for key, number in given.items()
    }
    missing = {q.name for q in second.graph.given} - {key[0] for key in given}
    changed |= {key: 0.0 for key in second.floats() if key[0] in missing}
    one, other = run(first.graph, given, FLOATS), run(second.graph, changed, FLOATS)
    for at in places(first.instance.output):
        assert abs(one[NAME, at] - other[NAME, at]) < 1e-12


@pytest.mark.parametrize("name", ["causal_attention", "causal_multi_head_attention"])
def test_nothing_is_seen_of_what_is_later(name: str) -> None:
    use = replace(fixed_use(ROWS[name], 0), extra=())
    given = use.floats()
    last = max(at[0] for key, at in given if key in ("x", "K", "V"))
    moved = {
        key: value + 1 if key[0] in ("x", "K", "V") and key[1][0] == last else value
        for key, value in given.items()
    }
    one, other = run(use.graph, given, FLOATS), run(use.graph, moved, FLOATS)
    for at in places(use.instance.output):
        assert (one[NAME, at] == other[NAME, at]) or at[0] >= last


KINKS = [
    ("relu", {"x": 0}, "x", 0),
    ("leaky_relu", {"x": 0}, "x", Fraction(1, 100)),
    ("elu", {"x": 0}, "x", 1),
    ("softsign", {"x": 0}, "x", 1),
    ("hard_tanh", {"x": 1}, "x", 0),
    ("hard_tanh", {"x": -1}, "x", 0),
    ("hard_sigmoid", {"x": 3}, "x", 0),
    ("hard_sigmoid", {"x": -3}, "x", 0),
    ("mean_absolute_error", {"y": 1, "t": 1}, "y", 0),
    ("l1_penalty", {"y": 0}, "y", 0),
    ("huber", {"y": 1, "t": 0}, "y", 1),
    ("hinge", {"y": 1, "t": 1}, "y", 0),
]


@pytest.mark.parametrize(("name", "at", "by", "expected"), KINKS)
def test_the_slope_at_a_kink(name: str, at: dict[str, int], by: str, expected: Fraction) -> None:
    row = ROWS[name]
    use = Use(row, {}, (), row.settings, wired=False, seed=0)
    given = {(key, ()): mp.mpf(number) for key, number in {**at, "weights": 1}.items()}
    found = Bench(use.derivation, given).derived[adjoint_name(by), ()]
    with mp.workdps(DIGITS):
        assert relative(found, EXACT.number(Fraction(expected))) < EXACTLY


@pytest.mark.parametrize("name", ["max_pool1d", "max_pool2d"])
def test_a_tie_in_a_window_goes_to_the_first(name: str) -> None:
    row = ROWS[name]
    sizes = dict.fromkeys(letters_of(row), 2)
    use = Use(row, sizes, (), row.settings, wired=False, seed=0)
    given = {key: mp.mpf(1) for key in use.values}
    found = Bench(use.derivation, given).derived
    slopes = [found["adj_x", at] for at in places(use.real[0])]
    assert slopes == [1] + [0] * (len(slopes) - 1)


def quantity(name: str, *shape: int, integer: bool = False) -> Quantity:
    axes = tuple(axis(f"{name}.{k}", size) for k, size in enumerate(shape))
    return Quantity(name, name, axes, Role.INPUT, integer=integer)


PLAIN = Layer("own", "own", "", ("x[...,i]",), "y[...,i] = x[...,i]")
X = quantity("x", 2, 3)
REFUSED: list[tuple[Layer, dict[str, Any], dict[str, Any], dict[str, int], str]] = [
    (LAYERS["dense"], {"x": X, "V": X}, {}, {"h": 2}, "it has no operand 'V'; known: W, b, x"),
    (LAYERS["dense"], {"x": X}, {"rate": 1}, {"h": 2}, "it has no setting 'rate'"),
    (LAYERS["dense"], {"x": X}, {}, {"hh": 2}, "no letter 'hh'; did you mean 'h'?"),
    (LAYERS["dense"], {"x": X}, {}, {"h": 0}, "the letter 'h' would have 0 values"),
    (LAYERS["dense"], {"x": X, "W": 1, "b": 0}, {}, {}, "the letter 'h' of W is unknown"),
    (LAYERS["dense"], {"x": 1}, {}, {"h": 2}, "the letter 'i' of x is unknown"),
    (LAYERS["dense"], {"x": quantity("l1", 3)}, {}, {"h": 2}, "are both called 'l1'"),
    (LAYERS["multi_head_attention"], {"x": X}, {}, {}, "'size(i)/heads' is 3/2, but it must be"),
    (LAYERS["multi_head_attention"], {"x": X}, {"heads": 0}, {}, "divides by zero"),
    (LAYERS["multi_head_attention"], {"x": X}, {"heads": -3}, {}, "would have -3 values"),
    (LAYERS["group_norm"], {"x": quantity("x", 3, 2, 2)}, {}, {}, "'size(c)/groups' is 3/2"),
    (LAYERS["glu"], {"x": X}, {}, {}, "the size 'size(j)/2' is 3/2"),
    (LAYERS["reshape"], {"x": X}, {}, {}, "'size(j)/size(i)' is 3/2"),
    (LAYERS["conv1d"], {"x": X}, {"stride": Fraction(3, 2)}, {"o": 1, "r": 1},
     "the setting 'stride' is 3/2, but it must be a whole number"),
    (LAYERS["add"], {"x": X, "z": quantity("z", 3)}, {}, {}, "'z' has 1 axes where z[...] has 2"),
    (LAYERS["dense"], {"x": quantity("x")}, {}, {"h": 1}, "'x' has 0 axes but x[i] needs 1"),
    (LAYERS["embedding"], {"token": quantity("t", 2)}, {}, {"v": 2, "d": 1}, "whole numbers"),
    (LAYERS["tanh"], {"x": quantity("x", 2, integer=True)}, {}, {}, "holds real numbers"),
    (ROWS["info_nce"], {"y": X, "partner": quantity("p", 4, 3)}, {}, {},
     "the letter 'm' has 4 values in 'p' but 2 in size(n)"),
    (replace(PLAIN, sizes={"k": "size(i)**2"}), {"x": X}, {}, {}, "is not made of size(), max()"),
    (replace(PLAIN, sizes={"k": "size(i"}), {"x": X}, {}, {}, "is no formula"),
    (replace(PLAIN, sizes={"k": "1+" * 9999 + "1"}), {"x": X}, {}, {}, "is no formula"),
    (replace(PLAIN, optional={"h0": 0}), {"x": X}, {}, {}, "it has no operand 'h0'; known: x"),
    (replace(PLAIN, inputs=("x[i]", "x[i]")), {"x": X}, {}, {}, "have the same name"),
    (replace(PLAIN, inputs=("x[...,...]",)), {"x": X}, {}, {}, "'...' stands twice"),
    (replace(PLAIN, inputs=("x[1]",)), {"x": X}, {}, {}, "'1' is no index letter"),
    (replace(PLAIN, inputs=("x(i)",)), {"x": X}, {}, {}, "is no signature"),
    (replace(PLAIN, output="z"), {"x": X}, {}, {}, "no equation defines its output 'z'"),
    (replace(PLAIN, settings={"i": 2}), {"x": X}, {}, {}, "'i' is a setting and something else"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "wires", "settings", "sizes", "words"), REFUSED)
def test_a_use_that_makes_no_sense_is_refused(
    row: Layer, wires: dict[str, Any], settings: dict[str, Any], sizes: dict[str, int], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        instantiate(row, "l1", wires, settings, sizes)
    assert words in str(caught.value)


def test_what_a_use_makes_is_named_after_it() -> None:
    made = instantiate(LAYERS["layer_norm"], "ln", {"x": X}, {}, {}, output="z")
    assert [(q.name, q.tex, q.role) for q in made.given] == [
        ("ln_gamma", r"\gamma", Role.PARAMETER),
        ("ln_beta", r"\beta", Role.PARAMETER),
    ]
    names = [equation.quantity.name for equation in made.equations]
    assert names == ["ln_mu", "ln_var", "ln_xhat", "z"]
    assert made.output is made.equations[-1].quantity
    assert made.output.axes == X.axes


def test_a_letter_keeps_the_axis_that_it_meets() -> None:
    made = instantiate(LAYERS["dense"], "l1", {"x": X}, {}, {"h": 4})
    weights, bias = made.given
    assert weights.axes == (axis("l1.h", 4), X.axes[1])
    assert made.output.axes == (X.axes[0], axis("l1.h", 4))
    assert (weights.kind, bias.kind) == (Kind.WEIGHT, Kind.BIAS)


def test_a_number_may_stand_in_a_position() -> None:
    made = instantiate(LAYERS["embedding"], "e", {"token": Fraction(1)}, {}, {"v": 3, "d": 2})
    assert str(made.equations[0].rhs) == "e_W[1, d]"


def test_a_first_state_is_zero_or_wired() -> None:
    row = LAYERS["rnn"]
    assert "h0" not in str(instantiate(row, "l1", {"x": X}, {}, {"k": 2}).equations)
    wired = {"x": X, "h0": quantity("start", 2)}
    assert "start" in str(instantiate(row, "l1", wired, {}, {}).equations)


WRITTEN = [
    ("y[...,h] = x[...,h]", ("n", "m"), "y[n,m,h] = x[n,m,h]"),
    ("y[...,h] = x[...,h]", (), "y[h] = x[h]"),
    ("y[...] = x[...]", ("n",), "y[n] = x[n]"),
    ("y[...] = x[...]", (), "y = x"),
    ("m[c] = mean(..., x[...,c])", ("p", "q"), "m[c] = mean(p,q, x[p,q,c])"),
    ("m[c] = mean(..., x[...,c])", (), "m[c] = (x[c])"),
    ("m = sum(..., c, x[...,c])", (), "m = sum(c, x[c])"),
    ("y[i,...] = x[i,...]", (), "y[i] = x[i]"),
]


@pytest.mark.parametrize(("text", "extra", "expected"), WRITTEN)
def test_dots_are_written_out(text: str, extra: tuple[str, ...], expected: str) -> None:
    assert written_out(text, extra) == expected


def test_a_signature_is_taken_apart() -> None:
    made = signature(" x[..., t, i] ")
    assert (made.name, made.letters, made.open) == ("x", ("t", "i"), 0)
    assert made.over(("n",)) == ("n", "t", "i")
    assert signature("b").over(("n",)) == ()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_reads_only_what_it_may(name: str) -> None:
    row = OPTIMIZERS[name]
    if row.looks_around:
        tried(row.equations, row.states, row.settings)
        return
    update = parse_update(row, {})
    assert list(update)[: 1 + len(row.states)] == ["w", *row.states]
    used = {symbol.name for value in update.values() for symbol in value.free_symbols}
    assert {"w", "g", *row.states} <= used <= {"w", "g", "alpha", "k", *row.states}
    assert set(row.settings) <= set(re.findall(r"[a-z]\w*", row.equations))


@pytest.mark.parametrize("name", [*LAYERS, *loss_names()])
def test_a_row_has_a_title_in_every_language(name: str) -> None:
    assert all(TITLES[name])
    assert TITLES[name][0][:1].isupper()
