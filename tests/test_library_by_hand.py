"""Rows that are told apart by what they are for: probabilities, places, and steps by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise, product
from typing import Any

import pytest
import sympy
from mpmath import mp

from derive import build
from derive.builtin import builtin_text
from derive.library.optimizers import OPTIMIZERS, parse_update
from derive.pipeline import make
from derive.problem import Problem
from derive.spec import parse_spec
from derive.verify.algebra import EXACT, exact_function, working
from derive.verify.interpreter import run


def values(text: str) -> dict[Any, Any]:
    """All values of a forward pass."""
    problem: Problem = build(parse_spec(text, "my.yaml", "my"))
    with working():
        given = {
            (name, place): mp.mpf(number.numerator) / number.denominator
            for name, tensor in problem.values.items()
            for place, number in tensor.items()
        }
        return run(problem.graph, given, EXACT)


def test_the_probabilities_of_counts_add_up_to_1() -> None:
    counts = list(range(120))
    found = values(
        f"inputs: {{y: 0.7, t: {counts}}}\nmodel:\n  - r[n] = 2.5 + 0*t[n]\n"
        "  - z[n] = y + 0*t[n]\n  - s[n] = 0*t[n] + t[n]\n"
        "  - {layer: identity, name: mine, inputs: s}\n"
        "loss: {loss: negative_binomial, name: e, inputs: [z, mine, r]}\n"
    )
    with working():
        shares = [mp.exp(-found["e", (n,)]) for n in counts]
        mean = mp.fsum(n * share for n, share in zip(counts, shares, strict=True))
        square = mp.fsum(n * n * share for n, share in zip(counts, shares, strict=True))
        rate = mp.exp("0.7")
        assert abs(mp.fsum(shares) - 1) < 1e-30
        assert abs(mean - rate) < 1e-28
        assert abs(square - mean**2 - (rate + rate**2 / mp.mpf("2.5"))) < 1e-26


def test_products_of_turned_entries_tell_how_far_apart_they_are() -> None:
    row = "[0.3, -1, 2, 0.5]"
    found = values(
        f"inputs: {{x: [{', '.join([row] * 5)}]}}\n"
        "model: [{layer: rope, name: y, inputs: x, settings: {base: 100}}]\n"
    )
    with working():

        def product(s: int, t: int) -> Any:
            return mp.fsum(found["y", (s, d)] * found["y", (t, d)] for d in range(4))

        assert abs(product(0, 2) - product(2, 4)) < 1e-40
        assert abs(product(1, 1) - product(4, 4)) < 1e-40
        assert abs(product(0, 1) - product(0, 2)) > 0.1
        turned = mp.cos(3) * mp.mpf("0.3") - mp.sin(3) * 2  # entry 0 with entry 2, by 3
        assert abs(found["y", (3, 0)] - turned) < 1e-40


def test_even_entries_have_the_sines_of_their_place() -> None:
    found = values(
        "inputs: {x: [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]}\n"
        "model: [{layer: sinusoidal_positions, name: y, inputs: x}]\n"
    )
    with working():
        expected = [mp.sin(2), mp.cos(2), mp.sin(mp.mpf(2) / 100), mp.cos(mp.mpf(2) / 100)]
        assert all(abs(found["y", (2, d)] - expected[d]) < 1e-40 for d in range(4))


def test_a_causal_convolution_sees_no_later_place() -> None:
    found = values(
        "inputs: {x: [[1], [2], [4]]}\nparameters: {y_K: [[10, 100]], y_b: [0.5]}\n"
        "model: [{layer: causal_depthwise_conv1d, name: y, inputs: x}]\n"
    )
    assert [float(found["y", (t, 0)]) for t in range(3)] == [100.5, 210.5, 420.5]


def test_scores_fall_with_the_distance() -> None:
    found = values(
        "inputs: {q: [[[0], [0], [0]], [[0], [0], [0]]]}\n"
        "model: [{layer: alibi_attention, name: y, inputs: [q, q, q]}]\n"
    )
    with working():
        for head, fall in ((0, mp.mpf(2) ** -4), (1, mp.mpf(2) ** -8)):
            shares = [found["y_p", (head, 2, r)] for r in range(3)]
            assert abs(shares[2] / shares[1] - mp.exp(fall)) < 1e-40
            assert abs(shares[1] / shares[0] - mp.exp(fall)) < 1e-40
        assert found["y_p", (0, 1, 2)] == 0


Steps = Callable[[Sequence[float]], list[float]]
RATE, START = 0.05, 0.7


def lion(slopes: Sequence[float]) -> list[float]:
    w, m, found = START, 0.0, []
    for g in slopes:
        w -= RATE * math.copysign(1, 0.9 * m + 0.1 * g)
        m = 0.99 * m + 0.01 * g
        found.append(w)
    return found


def adabelief(slopes: Sequence[float]) -> list[float]:
    w, m, s, found = START, 0.0, 0.0, []
    for k, g in enumerate(slopes, 1):
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * (g - m) ** 2 + 1e-16
        w -= RATE * m / (1 - 0.9**k) / (math.sqrt(s / (1 - 0.999**k)) + 1e-16)
        found.append(w)
    return found


def radam(slopes: Sequence[float]) -> list[float]:
    w, m, v, found = START, 0.0, 0.0, []
    most = 2 / (1 - 0.999) - 1
    for k, g in enumerate(slopes, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        length = most - 2 * k * 0.999**k / (1 - 0.999**k)
        step = m / (1 - 0.9**k)
        if length > 5:
            above, below = (length - 4) * (length - 2) * most, (most - 4) * (most - 2) * length
            step *= math.sqrt(above / below * (1 - 0.999**k)) / (math.sqrt(v) + 1e-8)
        w -= RATE * step
        found.append(w)
    return found


def nadam(slopes: Sequence[float]) -> list[float]:
    w, m, v, found = START, 0.0, 0.0, []
    weights = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * k)) for k in range(1, len(slopes) + 2)]
    for k, g in enumerate(slopes, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        so_far, further = math.prod(weights[:k]), math.prod(weights[: k + 1])
        ahead = weights[k] * m / (1 - further) + (1 - weights[k - 1]) * g / (1 - so_far)
        w -= RATE * ahead / (math.sqrt(v / (1 - 0.999**k)) + 1e-8)
        found.append(w)
    return found


BY_HAND: dict[str, Steps] = {
    "lion": lion, "adabelief": adabelief, "radam": radam, "nadam": nadam
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_an_optimizer_makes_the_steps_by_hand(name: str) -> None:
    slopes = [Fraction(k * k % 13 - 6, 7) for k in range(1, 13)]
    row = OPTIMIZERS[name]
    update = parse_update(row, {})
    symbols = [sympy.Symbol(each, real=True) for each in ("w", "g", "alpha", "k", *row.states)]
    step = exact_function(symbols, [update[each] for each in ("w", *row.states)])
    w, states = mp.mpf(START), [mp.zero for _ in row.states]
    found = []
    with working():
        for k, slope in enumerate(slopes, 1):
            g = mp.mpf(slope.numerator) / slope.denominator
            w, *states = step(w, g, mp.mpf(RATE), mp.mpf(k), *states)
            found.append(float(w))
    expected = BY_HAND[name]([float(slope) for slope in slopes])
    assert found == pytest.approx(expected, rel=1e-11)


NODE = "model:\n  - y[i] = tanh(w[i]*x[i])\nloss: {loss: mean_squared_error, inputs: [y, t]}\n"


@pytest.mark.parametrize("name", BY_HAND)
def test_every_route_follows_its_steps(name: str) -> None:
    spec = (
        "inputs: {x: [0.5, -1, 2]}\nparameters: {w: [0.3, 0, 5]}\ntargets: {t: [1, 0, 0]}\n"
        f"{NODE}training: {{optimizer: {name}, learning_rate: 0.01, steps: 8}}\n"
    )
    made = make(build(parse_spec(spec, "my.yaml", "my")))
    assert made.verify().agree
    assert "경사하강법" not in made.texts["ko"]


def every_path(frames: int, classes: int) -> list[tuple[int, ...]]:
    return list(product(range(classes), repeat=frames))


def without_blanks(path: Sequence[int]) -> list[int]:
    """The labels of a path: each run of one class once, and the blanks left out."""
    return [k for k, _ in groupby(path) if k != 0]


LABELS = ([1, 2], [1, 1], [2], [1, 2, 1])


@pytest.mark.parametrize("labels", LABELS, ids=str)
def test_ctc_is_the_sum_over_all_paths(labels: list[int]) -> None:
    text = builtin_text("ctc_loss").replace("label: [1, 2]", f"label: {labels}")
    found = values(text.replace("{v: 3}", f"{{v: {len(labels) + 1}}}"))
    with working():
        chance = mp.fsum(
            mp.exp(mp.fsum(found["p", (t, k)] for t, k in enumerate(path)))
            for path in every_path(4, 3)
            if without_blanks(path) == labels
        )
        assert abs(found["E", ()] + mp.log(chance)) < 1e-90


def test_a_chain_of_labels_is_the_sum_over_all_labellings() -> None:
    found = values(builtin_text("crf_chain"))
    with working():

        def score(path: Sequence[int]) -> Any:
            own = mp.fsum(found["y", (t, k)] for t, k in enumerate(path))
            return own + mp.fsum(found["A", pair] for pair in pairwise(path))

        whole = mp.log(mp.fsum(mp.exp(score(path)) for path in every_path(3, 2)))
        assert abs(found["E", ()] - (whole - score((0, 1, 1)))) < 1e-40


def test_soft_dtw_is_the_sum_over_all_ways() -> None:
    found = values(builtin_text("soft_dtw_series"))

    def ways(i: int, j: int) -> Iterator[list[tuple[int, int]]]:
        if (i, j) == (0, 0):
            yield [(0, 0)]
        for a, b in ((i - 1, j), (i, j - 1), (i - 1, j - 1)):
            if a >= 0 and b >= 0:
                yield from ([*way, (i, j)] for way in ways(a, b))

    with working():
        costs = [mp.fsum(found["c", at] for at in way) for way in ways(2, 2)]
        assert len(costs) == 13
        assert abs(found["E", ()] + mp.log(mp.fsum(mp.exp(-c) for c in costs))) < 1e-40


AS_ROWS = {
    "ctc_loss": "[{loss: ctc, inputs: [z, label]}]",
    "crf_chain": "[{loss: crf, inputs: [y, label, A]}]",
}


@pytest.mark.parametrize("spec", AS_ROWS)
def test_a_row_is_what_its_spec_says(spec: str) -> None:
    text = builtin_text(spec)
    sections = r"(?m)^(?:inputs|parameters|targets|integers):.*(?:\n  .*)*"
    given = "\n".join(re.findall(sections, text))
    made = values(f"{given}\nloss: {AS_ROWS[spec]}\n")
    with working():
        assert abs(made["E", ()] - values(text)["E", ()]) < 1e-40


SAME_LOSS = {
    "same_conv1d": "sum(o, u, y[o,u]**2)",
    **dict.fromkeys(("same_max_pool1d", "same_avg_pool1d"), "sum(u, y[u]**2)"),
}


@pytest.mark.parametrize("row", SAME_LOSS)
def test_a_same_window_may_stride_beyond_itself(row: str) -> None:
    """As TensorFlow says: what is added is max((outputs - 1)*stride + window - inputs, 0)."""
    for size, window, stride in ((5, 1, 3), (5, 2, 4), (7, 3, 4), (6, 2, 5), (5, 2, 3), (5, 3, 2)):
        x = [(k * k + 3) % 7 - 3 for k in range(size)]
        u = -(-size // stride)
        before = max((u - 1) * stride + window - size, 0) // 2
        seen = [range(s * stride - before, s * stride - before + window) for s in range(u)]
        kept = [[x[k] for k in places if 0 <= k < size] for places in seen]
        expected = {
            "same_conv1d": [sum(each) for each in kept],
            "same_max_pool1d": [max(each) for each in kept],
            "same_avg_pool1d": [sum(each) / len(each) for each in kept],
        }[row]
        own = f"window: {window}, stride: {stride}"
        text = f"inputs: {{x: {x}}}\nmodel:\n  - {{layer: {row}, name: y, inputs: x, "
        if row == "same_conv1d":
            own = f"stride: {stride}"
            text = f"inputs: {{x: [{x}]}}\nparameters: {{K: [[{[1] * window}]]}}\nmodel:\n"
            text += f"  - {{layer: {row}, name: y, inputs: x, operands: {{K: K, b: 0}}, "
        found = values(f"{text}settings: {{{own}}}}}\nloss: E = {SAME_LOSS[row]}\n")
        for s, number in enumerate(expected):
            place = (0, s) if row == "same_conv1d" else (s,)
            assert abs(found["y", place] - number) < 1e-12, (size, window, stride)
