"""Why a print is wrong: the true cause is named, or nothing is said."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from derive.problem import Published
from derive.verify.report import NumberRow, Verdict
from derive.verify.why.question import simplest_between
from tests.sampled import sampled
from tests.verify.wrong_prints import (
    Base,
    Mistake,
    base,
    based,
    cases,
    chosen,
    judged,
    noisy,
    numbers,
    prints,
)
from tests.verify_support import problem

NETWORK = """
inputs: {x: [0.51, -0.83]}
targets: {t: [0.27, 0.64]}
parameters:
  W: [[0.31, -0.42], [0.57, -0.18]]
  V: [[0.73, -0.26], [0.44, 0.95]]
model:
  - a[h] = sum(i, W[h,i]*x[i])
  - y[h] = max(a[h], 0)
  - z[k] = sum(h, V[k,h]*y[h])
  - p[k] = logistic(z[k])
loss: E = sum(k, (p[k] - t[k])**2)/2
training: {learning_rate: 0.3}
"""
MEAN = """
inputs: {x: [[0.51, -0.83], [0.77, 0.12], [-0.34, 0.95]]}
targets: {t: [0.27, 0.64, -0.41]}
parameters: {w: [0.31, -0.42]}
model: ["y[n] = sum(i, w[i]*x[n,i])"]
loss: E = sum(n, (y[n] - t[n])**2)/3
training: {learning_rate: 0.3}
"""
VARIANCE = """
inputs: {x: [0.513, -0.831, 0.772, 0.129]}
model:
  - mu = sum(n, x[n])/4
  - v = sum(n, (x[n] - mu)**2)/4
loss: E = v**2
"""
SOFTMAX = """
inputs: {z: [1.13, 0.42, -0.77]}
targets: {t: [1, 0, 0]}
model:
  - e[k] = exp(z[k])
  - s = sum(k, e[k])
  - p[k] = e[k]/s
loss: E = -sum(k, t[k]*log(p[k]))
"""


def of(spec: str) -> Base:
    """The numbers of a spec."""
    found = based(problem(spec))
    assert found is not None
    return found


def value(spec: str, name: str, digits: int = 6) -> str:
    """A number of a spec, as it would be printed."""
    return prints({name: of(spec).trajectory().value(name)}, [name], digits)[0].printed


def causes(spec: str, wrong: dict[str, str]) -> list[tuple[str, ...]]:
    """What is found to be the cause of wrong prints."""
    published = tuple(Published(name, text, "") for name, text in wrong.items())
    rows = judged(of(spec), published)
    assert all(row.verdict is Verdict.WRONG for row in rows)
    return [row.causes for row in rows]


KNOWN = [
    (NETWORK, "V[0,0]+", NETWORK.replace("0.3}", "-0.3}"), "", "step uphill"),
    (NETWORK, "V[0,0]+", NETWORK.replace("0.3}", "1}"), "", "learning rate"),
    (NETWORK, "V[0,0]+", NETWORK.replace("0.3}", "0.09}"), "", "learning rate"),
    (NETWORK, "dE/dV[0,0]", NETWORK.replace("/2", ""), "", "a factor"),
    (NETWORK, "dE/dz[1]", NETWORK.replace("logistic(z[k])", "z[k]"), "", ""),
    (NETWORK, "W[0,1]+", NETWORK.replace("0.3}", "0.3, order: layer_by_layer}"), "",
     "weights already updated"),
    (NETWORK, "dE/dy[0]", NETWORK, "dE/dy[1]", "another number"),
    (NETWORK, "z[0]", NETWORK.replace("[[0.73, -0.26], [0.44, 0.95]]",
                                      "[[0.73, 0.44], [-0.26, 0.95]]"), "", "transposed"),
    (NETWORK, "a[1]", NETWORK.replace("sum(i, W[h,i]*x[i])", "sum(i, W[h,i]*x[1-i])"), "",
     "another index"),
    (NETWORK, "E+", NETWORK, "E", "another step"),
    (NETWORK, "E+", NETWORK, "E@2", "another step"),
    (MEAN, "dE/dw[0]", MEAN.replace("/3", ""), "", "sum for the mean"),
    (MEAN, "dE/dw[0]", MEAN.replace("/3", "/2"), "", "n for n - 1"),
    (VARIANCE, "v", VARIANCE.replace("2)/4", "2)/3"), "", "n for n - 1"),
    (VARIANCE, "dE/dx[0]", VARIANCE.replace("2)/4", "2)/3"), "", "n for n - 1"),
    (SOFTMAX, "e[1]", SOFTMAX.replace("exp(z[k])", "exp(z[k] - 1.13)"), "", "largest score"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "name", "other", "there", "cause"), KNOWN)
def test_a_mistake_is_recognised(spec: str, name: str, other: str, there: str, cause: str) -> None:
    (found,) = causes(spec, {name: value(other, there or name)})
    assert (cause in found) if cause else not found


@pytest.mark.parametrize(
    ("name", "printed", "cause"),
    [
        ("p[0]", "0.536521", "slip of the pen"),  # 0.563521
        ("p[0]", "0.56352", ""),
        ("z[0]", "2.55465", "decimal point"),
        ("a[0]", "0.5670", "slip of the pen"),  # 0.5067
        ("a[0]", "-0.5067", "a sign"),
        ("p[0]", "0.563541", ""),  # one digit is another one
        ("p[0]", "0.513521", ""),
        ("p[0]", "0.8", ""),
    ],
)
def test_a_slip_of_the_pen(name: str, printed: str, cause: str) -> None:
    published = (Published(name, printed, ""),)
    (row,) = judged(of(NETWORK), published)
    assert row.causes == ((cause,) if cause else ())


@pytest.mark.parametrize(
    ("low", "high", "simplest"),
    [("0.3325", "0.3335", "1/3"), ("0.5", "1.5", "1"), ("1.9", "1.96", "19/10"), ("3", "3", "3")],
)
def test_the_simplest_fraction_of_an_interval(low: str, high: str, simplest: str) -> None:
    assert simplest_between(Fraction(low), Fraction(high)) == Fraction(simplest)


def test_others_that_a_convention_explains_are_told() -> None:
    wrong = {name: value(MEAN.replace("/3", ""), name) for name in ("dE/dw[0]", "dE/dw[1]")}
    published = tuple(Published(name, text, "") for name, text in wrong.items())
    for row in judged(of(MEAN), published):
        assert "sum for the mean" in row.causes
        assert "values tried; it explains 1 other, too)" in row.explanation


TWICE = MEAN.replace("/3", "").replace("0.3}", "-0.3}")


@pytest.mark.parametrize(("names", "told"), [(("w[1]+",), False), (("w[0]+", "w[1]+"), True)])
def test_two_mistakes_at_once_are_told_of_two_numbers(names: tuple[str, ...], told: bool) -> None:
    for found in causes(MEAN, {name: value(TWICE, name) for name in names}):
        assert ("sum for the mean and step uphill" in found) == told


MASKED = """
inputs: {A: [[1, 3, 2, 1], [4, 2, 0, 5]]}
sizes: {v: 2, r: 2, s: 2}
model: ["Z[v] = max(r, s, A[r,2*v+s])"]
upstream: {Z: [0.5, 1.2]}
"""


@pytest.mark.parametrize(("here", "there", "told"), [("1.2", "0", True), ("1.3", "0", False)])
def test_entries_are_exchanged(here: str, there: str, told: bool) -> None:
    for found in causes(MASKED, {"dE/dA[0,3]": here, "dE/dA[1,3]": there}):
        assert found == (("entries exchanged",) if told else ())


TWO_LAYERS = NETWORK.replace("max(a[h], 0)", "logistic(a[h])")
STEP = [
    ("y[0]", TWO_LAYERS.replace("= logistic(a[h])", "= tanh(a[h])"), "another activation"),
    ("z[1]", TWO_LAYERS.replace("V[k,h]*y[h])", "V[k,h]*y[1-h])"), "another index"),
    ("W[0,0]+", TWO_LAYERS.replace("0.3}", "0.03}"), "learning rate"),
    ("z[0]+", TWO_LAYERS.replace("0.3}", "0.3, frozen: [V]}"), "not updated"),
]


@pytest.mark.parametrize(("name", "other", "cause"), STEP)
def test_a_mistake_of_two_layers_is_recognised(name: str, other: str, cause: str) -> None:
    (found,) = causes(TWO_LAYERS, {name: value(other, name, 8)})
    assert cause in found


def test_what_is_printed_right_was_not_calculated_otherwise() -> None:
    other = VARIANCE.replace("x[n])/4", "x[n])/3")
    (found,) = causes(VARIANCE, {"v": value(other, "v")})
    assert "n for n - 1" in found
    published = tuple(
        Published(name, value(spec, name), "") for name, spec in (("mu", VARIANCE), ("v", other))
    )
    assert [row.causes for row in judged(of(VARIANCE), published)] == [(), ()]


# --- seeded mistakes --------------------------------------------------------------------------

SPECS = (
    "linear_units", "many_rounds", "tiny_rnn", "batch_norm_table", "softmax_by_hand",
    "linear_by_hand", "rnn", "batch_norm", "dense", "softmax", "half_squared_error",
    "mean_squared_error", "conv2d_by_hand", "layer_norm", "relu", "lstm", "attention",
    "binary_cross_entropy", "huber", "avg_pool1d", "conv1d", "scale_shift", "swiglu",
)  # fmt: skip


def is_true(row: NumberRow, mistake: Mistake) -> bool:
    """Whether an explanation gives the number that was printed, not one that rounds to the same.

    Of a number computed from rounded ones the cause must be that of the mistake.
    """
    assert row.explained is not None
    truth = float(mistake.table[row.name])
    same = abs(float(row.explained) - truth) <= 1e-13 * abs(truth)
    return same or any(cause in row.causes for cause in mistake.causes)


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(SPECS, 4))
def test_seeded_mistakes_are_found_and_none_is_called_by_another_name(name: str) -> None:
    whole = base(name)
    assert whole is not None
    own = told = 0
    for mistake, published in cases(whole, random.Random(f"{name}/1")):
        rows = [row for row in judged(whole, published) if row.verdict is Verdict.WRONG]
        explained = [row for row in rows if row.causes]
        assert not [row for row in explained if not is_true(row, mistake)], mistake.kind
        own, told = own + len(rows), told + len(explained)
    assert told > own / 6


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(SPECS, 6))
def test_nothing_is_said_of_digits_that_are_noise(name: str) -> None:
    whole = base(name)
    assert whole is not None
    table = numbers(whole)
    for seed in range(4):
        source = random.Random(f"{name}/{seed}")
        right = prints(table, chosen(table, source), source.choice([3, 4, 5, 6]))
        off = set(source.sample(range(len(right)), min(2, len(right))))
        published = [
            replace(each, printed=noisy(each.printed, source)) if k in off else each
            for k, each in enumerate(right)
        ]
        assert not [row.name for row in judged(whole, tuple(published)) if row.causes]
