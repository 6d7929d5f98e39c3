"""What people write by hand with logits far apart: right in every target, without a warning."""

from __future__ import annotations

import pytest
from test_emit_stable_rows import faults_at, made

from derive.emit import USUAL, emit, load

SHARES = "  - p[i] = exp(z[i])/sum(k, exp(z[k]))\n"
LOGS = "  - l[i] = z[i] - log(sum(k, exp(z[k])))\n"
CHAIN = "x: [[1, 2, 3], [0.5, -1000, 3], [-3, 800, 1]]"
FORMS: dict[str, tuple[str, str]] = {
    "log-sum-exp": ("", "log(sum(i, exp(z[i])))"),
    "with temperature": ("", "log(sum(i, exp(z[i]/0.01)))"),
    "mean instead of sum": ("", "log(mean(i, exp(z[i])))"),
    "smooth minimum": ("", "-log(sum(i, exp(-z[i])))"),
    "over two letters": ("", "log(sum(i, sum(k, exp(z[i] - z[k]))))"),
    "with a weight": ("", "log(sum(i, v[i]**2*exp(z[i])))"),
    "and one more": ("", "log(1 + sum(i, exp(z[i])))"),
    "circle": ("", "log(1 + sum(i, exp(z[i]))*sum(i, exp(-z[i])))"),
    "two terms": ("", "log(exp(z[0]) + exp(z[1]))"),
    "three shares": ("", "exp(z[0])/(exp(z[0]) + exp(z[1]) + exp(z[2]))"),
    "cross-entropy": (SHARES, "-sum(i, v[i]*log(p[i]))"),
    "entropy": (SHARES, "-sum(i, p[i]*log(p[i]))"),
    "focal": (SHARES, "-(1 - p[1])**2*log(p[1])"),
    "binary on shares": (SHARES, "-sum(i, v[i]*log(p[i]) + (1 - v[i])*log(1 - p[i]))"),
    "ratio of shares": (SHARES, "log(p[0]/p[1])"),
    "product of shares": (SHARES, "-log(p[0]*p[1])"),
    "of log-softmax": (LOGS, "-sum(i, v[i]*l[i])"),
    "entropy of log-softmax": (LOGS, "-sum(i, exp(l[i])*l[i])"),
    "attention": ("", "sum(i, exp(z[i])*v[i])/sum(k, exp(z[k]))"),
    "the largest taken off": (
        "  - M = max(i, z[i])\n  - p[i] = exp(z[i] - M)/sum(k, exp(z[k] - M))\n",
        "-sum(i, v[i]*log(p[i]))",
    ),
    "masked by a condition": (
        "  - p[i] = where(v[i] > 1, 0, exp(z[i]))/sum(k, where(v[k] > 1, 0, exp(z[k])))\n",
        "sum(i, p[i]*v[i])",
    ),
    "masked by a factor": (
        "  - p[i] = m[i]*exp(z[i])/sum(k, m[k]*exp(z[k]))\n",
        "sum(i, p[i]*v[i])",
    ),
    "masked by -10^9": (
        "  - s[i] = z[i] - (1 - m[i])*10**9\n  - p[i] = exp(s[i])/sum(k, exp(s[k]))\n",
        "sum(i, p[i]**2)",
    ),
    "masked by -10^30": (
        "  - s[i] = z[i] - (1 - m[i])*10**30\n  - p[i] = exp(s[i])/sum(k, exp(s[k]))\n",
        "sum(i, p[i]**2)",
    ),
    "CRF": (
        "  - a[-1,j] = z[j]\n  - a[t,j] = log(sum(i, exp(a[t-1,i] + A[i,j]))) + x[t,j]\n",
        "log(sum(j, exp(a[2,j])))",
    ),
    "CTC": (
        "  - a[-1,j] = z[j]\n  - a[t,j] = log(exp(a[t-1,j]) + exp(a[t-1,j-1])) + x[t,j]\n",
        "-a[2,2]",
    ),
}
GIVEN = {
    "v[": "v: [0.3, -0.4, 2]",
    "m[": "m: [1, 0, 1]",
    "x[": CHAIN,
    "A[": "A: [[0.1, 0.2, 0.3], [-1000, 0, 1000], [3, 2, 1]]",
}
SCORES = ("[1000, 0, -1000]", "[1000, 1000, 1000]", "[-1000, -1000, -1000]", "[700, -700, 710]")


def spec(form: str, scores: str) -> str:
    model, loss = FORMS[form]
    given = ", ".join(text for mark, text in GIVEN.items() if mark in model + loss)
    inputs = f"inputs: {{{given}}}\n" if given else ""
    lines = f"model:\n{model}" if model else ""
    return f"parameters: {{z: {scores}}}\n{inputs}{lines}loss: E = {loss}\n"


@pytest.mark.parametrize("form", FORMS)
def test_a_form_written_by_hand(form: str) -> None:
    """One module, at all scores."""
    first, *others = (made(spec(form, scores)) for scores in SCORES)
    for target in USUAL:
        module = load(first[0], emit(*first, target), target)
        for problem, _ in (first, *others):
            assert not faults_at(problem, module, flat=1e-9), problem.values["z"]


SCALARS = {
    "softplus": "log(1 + exp(x))",
    "mish": "x*tanh(log(1 + exp(x)))",
    "silu": "x/(1 + exp(-x))",
    "gelu": "x*(1 + erf(x/sqrt(2)))/2",
    "tanh": "(exp(x) - exp(-x))/(exp(x) + exp(-x))",
    "tanh again": "(1 - exp(-x))/(1 + exp(-x))",
    "hyperbolic cosine": "log((exp(x) + exp(-x))/2)",
    "hat": "1/(exp(x) + 1 + exp(-x))",
    "squashed action": "log(1 - tanh(x)**2)",
    "entropy": "-logistic(x)*log(logistic(x)) - (1 - logistic(x))*log(1 - logistic(x))",
    "binary cross-entropy": "-(0.3*log(logistic(x)) + 0.7*log(1 - logistic(x)))",
    "with logits": "max(x, 0) - x*0.3 + log(1 + exp(-abs(x)))",
    "pseudo-Huber": "4*(sqrt(1 + (x/2)**2) - 1)",
    "smooth root": "sqrt(x**2 + 1.0e-6)",
}
PLACES = ("1000", "-1000", "40", "-40", "1.0e-8", "0", "1.0e-308")


@pytest.mark.parametrize("form", SCALARS)
def test_a_function_written_by_hand(form: str) -> None:
    first, *others = (made(f"parameters: {{x: {x}}}\nloss: E = {SCALARS[form]}\n") for x in PLACES)
    for target in USUAL:
        module = load(first[0], emit(*first, target), target)
        for problem, _ in (first, *others):
            assert not faults_at(problem, module, flat=1e-15), problem.values["x"]
