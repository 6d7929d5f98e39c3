"""Edges of functions: branches not taken, zeros, kinks, steps and letters as numbers.

The right values are worked out by hand, or by the functions of `math` at the place where they are
stated. Modules run with the errors of floating point as errors.
"""

from __future__ import annotations

import math
import warnings

import pytest

import derive
from derive import InputError
from derive.backprop import differentiate
from derive.emit import emit, execute
from derive.graph import adjoint_name
from derive.numbers import real
from derive.pipeline import make
from derive.render.carried import carried
from derive.render.model_form import ModelForm
from derive.render.worked import bench_of
from derive.spec import parse_spec
from derive.verify.report import Status

VALUES: dict[str, tuple[str, dict[str, float]]] = {
    "the branch not taken divides by zero": (
        "inputs: {x: [0, 2]}\nloss: E = sum(i, where(x[i] > 0, 1/x[i], 0))",
        {"E": 0.5, "dx[0]": 0, "dx[1]": -0.25},
    ),
    "the branch not taken has no logarithm": (
        "inputs: {x: [0, 2, -1]}\nparameters: {w: 3}\n"
        "loss: E = sum(i, where(x[i] > 0, w*log(x[i]), 0))",
        {"E": 3 * math.log(2), "dx[0]": 0, "dx[1]": 1.5, "dx[2]": 0, "dw": math.log(2)},
    ),
    "the branch not taken has no root": (
        "inputs: {x: [-1, 4, 0]}\nparameters: {w: 0.5}\n"
        "loss: E = sum(i, where(x[i] > 0, w*sqrt(x[i]), w))",
        {"E": 2, "dx[0]": 0, "dx[1]": 0.125, "dx[2]": 0, "dw": 4},
    ),
    "both branches move": (
        "inputs: {x: [-1, 2]}\nloss: E = sum(i, where(x[i] > 0, x[i]**2, exp(x[i])))",
        {"E": 4 + math.exp(-1), "dx[0]": math.exp(-1), "dx[1]": 4},
    ),
    "a choice of a sum": (
        "inputs: {x: [[1, 0], [2, 4]]}\nparameters: {w: [0.5, 0.25]}\n"
        "loss: E = sum(n, where(x[n,1] > 0, sum(i, w[i]*x[n,i])/x[n,1], sum(i, w[i]*x[n,i])))",
        {"E": 1, "dw[0]": 1.5, "dw[1]": 1, "dx[1,1]": -0.0625, "dx[0,1]": 0.25},
    ),
    "choices within choices and maxima": (
        "inputs: {x: [0.5, -1, 3]}\nparameters: {w: 2}\nmodel:\n"
        '  - "y[i] = max(where(x[i] > 0, where(x[i] > 1, w, w*x[i]), x[i]), -0.5)"\n'
        "loss: E = sum(i, y[i])",
        {"y[0]": 1, "y[1]": -0.5, "y[2]": 2, "dw": 1.5, "dx[0]": 2, "dx[1]": 0, "dx[2]": 0},
    ),
    "a maximum within a choice": (
        "inputs: {c: 0.5, b: [0.1, 0.2]}\nsizes: {t: 3}\nmodel:\n"
        '  - "y = mean(m, where(m == 1, max(t, 3), c - b[m]))"\nloss: E = y**2',
        {"y": 1.7, "E": 2.89, "dc": 1.7, "db[0]": -1.7, "db[1]": 0},
    ),
    "two comparisons in one condition": (
        "inputs: {x: [0.5, -1, 3]}\nparameters: {w: 2}\n"
        "loss: E = sum(i, where(0 < x[i] <= 1, w*x[i], -x[i]))",
        {"E": -1, "dw": 0.5, "dx[0]": 2, "dx[1]": -1, "dx[2]": -1},
    ),
    "a root of which nothing arrives": (
        "inputs: {x: 0, y: 0}\nmodel:\n  - rho = sqrt(x*x + y*y)\n  - E = max(rho, 1.0e-10)",
        {"E": 1e-10, "dx": 0, "dy": 0, "drho": 0},
    ),
    "pair distances with the diagonal masked": (
        "parameters: {x: [[1, 2], [4, 6]]}\n"
        'model: ["d[i,j] = sqrt(sum(k, (x[i,k] - x[j,k])**2))"]\n'
        "loss: E = sum(i, j, where(i == j, 0, d[i,j]))",
        {"E": 10, "dx[0,0]": -1.2, "dx[0,1]": -1.6, "dx[1,0]": 1.2, "dx[1,1]": 1.6},
    ),
    "a norm at zero": (
        'parameters: {x: [0, 0], w: 1}\nmodel: ["n = sqrt(sum(i, x[i]**2))"]\nloss: E = n + w**2',
        {"E": 1, "dx[0]": 0, "dx[1]": 0, "dw": 2},
    ),
    "a norm elsewhere": (
        'parameters: {x: [3, 4]}\nmodel: ["n = sqrt(sum(i, x[i]**2))"]\nloss: E = 10*n',
        {"E": 50, "dx[0]": 6, "dx[1]": 8},
    ),
    "a cube root at zero": ("parameters: {x: 0}\nloss: E = x**(1/3)", {"E": 0, "dx": 0}),
    "a power at zero": ("parameters: {x: 0}\nloss: E = x**2.5", {"E": 0, "dx": 0}),
    "a power just above one at zero": ("parameters: {x: 0}\nloss: E = x**1.5", {"E": 0, "dx": 0}),
    "a power of a third at zero": ("parameters: {x: 0}\nloss: E = x**(7/3)", {"E": 0, "dx": 0}),
    "a square at zero": ("parameters: {x: 0}\nloss: E = x**2 + 3*x", {"E": 0, "dx": 3}),
    "a trained power of zero": (
        "inputs: {x: [0, 2]}\nparameters: {q: 3}\nloss: E = sum(i, x[i]**q)",
        {"E": 8, "dq": 8 * math.log(2), "dx[0]": 0, "dx[1]": 12},
    ),
    "powers by letters at zero": (
        "inputs: {x: 0, y: 0}\nparameters: {a: [[1, 2], [3, 4], [5, 6]]}\n"
        "model: ['f = sum(k, j, a[k,j]*x**k*y**(2*j))']\nloss: E = f**2",
        {"E": 1, "dx": 6, "dy": 0, "da[0,0]": 2, "da[1,0]": 0},
    ),
    "second derivatives of powers by letters at zero": (
        "inputs: {x: [0]}\nparameters: {a: [1, 2, 3, 4]}\nmodel:\n"
        "  - f[n] = sum(k, a[k]*x[n]**k)\n  - g[n] = grad(f[n], x[n])\n"
        "  - h[n] = grad(g[n], x[n])\nloss: E = sum(n, g[n]**2 + h[n]**2)",
        {"E": 40, "dx[0]": 312, "da[0]": 0, "da[1]": 4, "da[2]": 24, "da[3]": 0},
    ),
    "a power by what is left of a letter at zero": (
        "inputs: {x: 0, r: [1, 2, 3]}\nloss: E = sum(t, r[t]*(2*x)**(2 - t))",
        {"E": 3, "dx": 4, "dr[0]": 0, "dr[2]": 1},
    ),
    "a size at zero": ("parameters: {x: [0, -2]}\nloss: E = sum(i, abs(x[i]))", {"dx[0]": 0}),
    "the divergence from a target with zeros": (
        "inputs: {y: [0.7, 0.3]}\ntargets: {t: [1, 0]}\n"
        "loss: {loss: kl_divergence, inputs: [y, t]}",
        {"E": -math.log(0.7), "dy[0]": -1 / 0.7, "dy[1]": 0},
    ),
    "cross-entropy of an output that is the target": (
        "inputs: {y: [1, 0]}\ntargets: {t: [1, 0]}\n"
        "loss: {loss: categorical_cross_entropy, inputs: [y, t]}",
        {"E": 0, "dy[0]": -1, "dy[1]": 0},
    ),
    "binary cross-entropy of certain outputs": (
        "inputs: {y: [0.5, 0, 1]}\ntargets: {t: [1, 0, 1]}\n"
        "loss: {loss: binary_cross_entropy, inputs: [y, t]}",
        {"dy[0]": -2 / 3, "dy[1]": 1 / 3, "dy[2]": -1 / 3},
    ),
    "an entropy with a zero": (
        "inputs: {p: [0.5, 0.5, 0]}\nparameters: {w: 2}\n"
        "loss: E = -w*sum(i, p[i]*log(p[i]))\ngradients: [w]",
        {"E": 2 * math.log(2), "dw": math.log(2)},
    ),
    "the logarithm of a tiny number": (
        "inputs: {z: -800}\nmodel:\n  - p = exp(z)\nloss: E = log(p)",
        {"E": -800, "dz": 1},
    ),
    "a root of pi beside what a logarithm is taken of": (
        "parameters: {b: 1.9}\nloss: E = erf(log(b))",
        {"db": 2 / math.sqrt(math.pi) * math.exp(-(math.log(1.9) ** 2)) / 1.9},
    ),
    "a root of pi beside a logarithm": (
        "inputs: {t: 0.5}\nparameters: {b: 1.9}\nloss: E = t*log(b)/sqrt(pi)",
        {"E": 0.5 * math.log(1.9) / math.sqrt(math.pi), "db": 0.5 / 1.9 / math.sqrt(math.pi)},
    ),
    "divided by a largest value": (
        "parameters: {W: [0.25, -0.2, 0.5], b: [1, 2]}\nmodel: ['y[k] = b[k]/max(i, W[i])']\n"
        "loss: E = sum(k, y[k]**2)",
        {"E": 20, "db[0]": 8, "db[1]": 16, "dW[2]": -80, "dW[0]": 0},
    ),
    "a sign": (
        'inputs: {x: [1, -0.5, 0]}\nmodel: ["y[h] = sign(x[h])*x[h]"]\nloss: E = sum(h, y[h]**2)',
        {"E": 1.25, "dx[0]": 2, "dx[1]": -1, "dx[2]": 0},
    ),
    "a step at its jump": (
        "inputs: {x: 1}\nparameters: {w: 0}\nloss: E = 5*at_least(w*x, 0) + w",
        {"E": 5, "dw": 1, "dx": 0},
    ),
    "a letter as a factor": (
        "inputs: {x: [1, 2, 3]}\nparameters: {w: 2}\nmodel:\n  - h[t] = w*x[t]*t\n"
        "loss: E = sum(t, h[t])",
        {"E": 16, "dw": 8, "dx[0]": 0, "dx[2]": 4},
    ),
    "a letter alone": (
        'inputs: {x: [1, 2]}\nmodel: ["p[t] = t"]\nsizes: {t: 2}\nloss: E = sum(t, p[t]*x[t])',
        {"p[0]": 0, "p[1]": 1, "dx[1]": 1},
    ),
    "a condition on a letter of the left side": (
        "inputs: {x: 1}\ntargets: {y: [1, 0]}\nparameters: {w: 0.3, v: 0.4}\nsizes: {k: 2}\n"
        "model:\n  - z[k] = where(k == 0, w*x, v*x)\nloss: L = sum(k, (y[k] - z[k])**2)",
        {"L": 0.65, "dw": -1.4, "dv": 0.8},
    ),
    "a step of a recurrence by its letter": (
        'inputs: {x: [1, 2, 3]}\nparameters: {w: 0.5}\nmodel: ["h[t] = where(t == 0, x[t], '
        'w*h[t-1] + t*x[t])"]\nloss: E = h[2]',
        {"h[0]": 1, "h[1]": 2.5, "E": 7.25, "dw": 3, "dx[0]": 0.25, "dx[1]": 0.5, "dx[2]": 2},
    ),
    "sinusoidal positions": (
        "parameters: {w: [0.1, 0.2]}\nsizes: {t: 2, i: 2}\n"
        "model:\n  - y[t] = sum(i, w[i]*sin(t/10000**(2*i/size(i))))\nloss: E = y[1]",
        {"y[0]": 0, "dw[0]": math.sin(1), "dw[1]": math.sin(1 / 10000)},
    ),
    "a Fourier transform": (
        "parameters: {x: [1, 2, 3, 4]}\nsizes: {k: 4}\n"
        "model:\n  - re[k] = sum(n, x[n]*cos(2*pi*k*n/size(n)))\nloss: E = re[1] + re[2]",
        {"E": -4, "re[0]": 10, "dx[0]": 2, "dx[1]": -1, "dx[2]": 0, "dx[3]": -1},
    ),
    "a bias by distance": (
        "inputs: {v: [1, 2, 4]}\nparameters: {m: 0.5}\nsizes: {i: 3}\n"
        'model: ["y[i] = sum(j, where(j <= i, -m*(i - j)*v[j], 0))"]\nloss: E = y[2]',
        {"y[1]": -0.5, "E": -2, "dm": -4, "dv[0]": -1, "dv[2]": 0},
    ),
    "a softmax over a part of an axis and one beyond it": (
        "parameters: {b: [1, 2]}\nsizes: {i: 3}\n"
        'model: ["p[i] = softmax(i, b[i + 0])", "q[k] = softmax(k, b[k])"]\n'
        "loss: E = p[2] + q[0]",
        {
            "p[2]": 1 / (math.exp(1) + math.exp(2) + 1),
            "q[0]": 1 / (1 + math.e),
            "db[1]": -math.exp(2) / (math.exp(1) + math.exp(2) + 1) ** 2
            - math.e / (1 + math.e) ** 2,
        },
    ),
    "letters in powers": (
        'parameters: {g: 0.5}\ninputs: {r: [1, 2, 3]}\nmodel: ["R = sum(t, g**t*r[t]*2**(-t))"]\n'
        "loss: E = R",
        {"E": 1 + 0.5 + 3 / 16, "dg": 1 + 3 / 4, "dr[2]": 1 / 16},
    ),
}


def known(values: dict[tuple[str, tuple[int, ...]], float]) -> dict[str, float]:
    """Values by the names of the table."""
    return {
        name + (f"[{','.join(map(str, p))}]" if p else ""): v for (name, p), v in values.items()
    }


@pytest.mark.parametrize("name", VALUES)
def test_the_right_values_stand_on_the_page_and_in_every_module(name: str) -> None:
    text, expected = VALUES[name]
    problem = derive.build(parse_spec(text, "edge.yaml", "edge"))
    derivation = differentiate(problem.graph, problem.wanted)
    _, bench = carried(problem, lambda told: bench_of(ModelForm(told, derivation)))
    assert bench is not None
    prefix = adjoint_name("")
    page = known({(n.replace(prefix, "d", 1), p): v for (n, p), v in bench.values.exact.items()})
    for what, value in expected.items():
        assert float(real(page[what])) == pytest.approx(value, rel=1e-12, abs=1e-12), what
    for target in ("python", "numpy"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            done = execute(problem, emit(problem, derivation, target), target)
        found = known({**done.forward, **{(f"d{n}", p): v for (n, p), v in done.gradients.items()}})
        for what, value in expected.items():
            if what in found:
                assert found[what] == pytest.approx(value, rel=1e-12, abs=1e-12), (target, what)


@pytest.mark.parametrize("name", VALUES)
def test_all_routes_agree(name: str) -> None:
    report = make(derive.build(parse_spec(VALUES[name][0], "edge.yaml", "edge"))).verify()
    wrong = {r.name: r.detail for r in report.routes if r.status is Status.DISAGREES}
    assert not wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("parameters: {x: 0}\nloss: E = x**(-1)", "divides by zero"),
        ("parameters: {x: 0}\nloss: E = 2*x**(-0.5)", "divides by zero"),
        ("parameters: {x: [0, 1]}\nloss: E = sum(i, x[i]/x[0])", "divides by zero"),
        ("parameters: {x: 0}\nloss: E = log(x)", r"log\(0\) is no finite real number"),
        ("parameters: {x: 20000}\nmodel: [m = exp(x)]\nloss: E = m", r"m: this is about 10\^8685"),
        (
            "network: {inputs: 1, layers: [{dense: 1, activation: logistic}], "
            "loss: binary_cross_entropy}\nparameters: {W1: [[5000]], b1: [0]}\n"
            "data: {inputs: [1], targets: [0]}",
            r"in the equation of E\w*: log\(0\) is no finite real number",
        ),
        (
            "inputs: {p: [1, 0]}\nloss: E = sum(i, p[i]*log(p[i]))",
            r"dE/dp\[1\]: log\(0\) .* 'gradients:' names",
        ),
        (
            "parameters: {A: [[4, 1], [1, 3]]}\nsizes: {k: 2, i: 2, j: 2}\nmodel:\n  - |\n"
            "    S[k,i,j] = S[k-1,i,j] - S[k-1,i,k]*S[k-1,k,j]/S[k-1,k,k]\n"
            "    S[-1,i,j] = A[i,j]\nloss: E = S[0,1,1]",
            r"the derivatives by 'S' cannot .* its equation reads S\[k-1,",
        ),
        ("inputs: {x: 1}\nloss: E = where(x > 0 and x < 2, x, 0)", "two conditions are two"),
    ],
)
def test_what_has_no_value_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        assert make(derive.build(parse_spec(text, "edge.yaml", "edge"))).texts


@pytest.mark.parametrize(
    ("text", "said", "unsaid"),
    [
        (
            VALUES["a norm at zero"][0],
            "The slope of a root at 0 is taken to be 0.",
            "slope of a step",
        ),
        ("parameters: {x: 2}\nloss: E = sqrt(x**2 + 1)", "", "slope of a root"),
        (VALUES["a step at its jump"][0], "slope of a step is taken to be 0", "That is why"),
        ("parameters: {w: 0.5}\nloss: E = sign(w)", "That is why every derivative here is 0.", ""),
        (VALUES["an entropy with a zero"][0], "logarithm of 0 is multiplied by 0", "root at 0"),
        ("parameters: {p: [0.5, 0.5]}\nloss: E = sum(i, p[i]*log(p[i]))", "", "logarithm of 0"),
        (VALUES["a choice of a sum"][0], "", "slope of a step"),
    ],
)
def test_the_page_states_the_convention_where_it_matters(text: str, said: str, unsaid: str) -> None:
    page = " ".join(make(derive.build(parse_spec(text, "edge.yaml", "edge"))).texts["en"].split())
    assert said in page
    assert not unsaid or unsaid not in page


def test_the_differences_say_what_they_do_at_a_step() -> None:
    report = make(
        derive.build(parse_spec(VALUES["a step at its jump"][0], "edge.yaml", "edge"))
    ).verify()
    differences = next(r for r in report.routes if r.name == "differences")
    assert "at a kink, a step or an end" in differences.detail


def test_a_root_of_what_is_positive_needs_no_guard() -> None:
    spec = (
        "inputs: {x: [1, 2, 4]}\nmodel:\n"
        "  - mu = mean(i, x[i])\n  - var = mean(i, (x[i] - mu)**2)\n"
        "  - xhat[i] = (x[i] - mu)/sqrt(var + 1.0e-5)\nloss: E = xhat[0]\n"
    )
    problem = derive.build(parse_spec(spec, "edge.yaml", "edge"))
    derivation = differentiate(problem.graph, problem.wanted)
    assert "np.where(" not in emit(problem, derivation, "numpy")
