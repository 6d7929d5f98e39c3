"""Specs as people write them, each of which once came out wrong: all of them verify."""

from __future__ import annotations

import pytest

import derive
from derive import Problem, build
from derive.render.carried import carried
from derive.render.document import latex
from derive.render.model_story import tell_model
from derive.spec import parse_spec
from derive.text import text
from derive.verify.report import Status

SPECS = {
    "a hidden layer called h before a dense layer": """
inputs: {x: [[1, 0.5], [-1, 2]], label: [0, 2]}
integers: [label]
parameters: {W: [[0.1, -0.2], [0.3, 0.4]], V: [[0.2, 0.1], [-0.1, 0.3], [0.4, -0.4]]}
model:
  - {layer: dense_without_bias, inputs: x, output: a, operands: {W: W}}
  - h[n,k] = tanh(a[n,k])
  - {layer: dense_without_bias, inputs: h, output: z, operands: {W: V}}
loss: {loss: label_cross_entropy_logits, inputs: [z, label]}
""",
    "a softmax over r beside a constant s": """
inputs: {x: [[0.1, 0.2], [0.3, -0.1], [0.2, 0.2]]}
constants: {s: [10, 20]}
parameters: {u: [0.5, -0.5]}
model:
  - a[t,r] = softmax(r, x[t,r] + u[r]*h[t-1])
  - h[t] = sum(r, a[t,r]*u[r]*s[r])
loss: E = sum(t, h[t])
""",
    "one neuron with a vector of weights": """
inputs: {X: [1, 2]}
parameters: {b: [0.3, -0.2]}
model:
  - prediction = logistic(sum(i, b[i]*X[i]))
loss: E = prediction**2
""",
    "the gradient by some parameters": """
inputs: {x: [1, 2]}
parameters: {w: [0.5, 1], b: 0.1}
model:
  - y = sum(i, w[i]*x[i]) + b
loss: E = y**2/2
gradients: [w]
""",
    "AdamW": """
inputs: {x: 2}
parameters: {w: 1}
model: ["E = (w*x - 1)**2"]
training: {optimizer: adamw, learning_rate: 0.1, steps: 3}
published: [{name: mhat_w@1, printed: "4"}, {name: w@1, printed: "0.899"}]
""",
    "an optimizer of one's own": """
inputs: {x: 2}
parameters: {w: 1}
model: ["E = (w*x - 1)**2"]
define:
  optimizers:
    decaying:
      equations: |
        v = beta*v + (1 - beta)*g
        rate = alpha/(1 + decay*k)
        w = w - rate*v
      states: [v]
      settings: {beta: 0.9, decay: 0.1}
training: {optimizer: decaying, learning_rate: 0.1, settings: {beta: 0.5}, steps: 3}
published: [{name: v_w@1, printed: "2"}, {name: rate_w@2, printed: "0.08333"}]
""",
    "a result on a tie": """
inputs: {x: 3}
parameters: {w: 0.12135}
model: ["y = w*x", "E = y**2"]
""",
    "symbols of the page's own": """
inputs: {x: 2}
constants: {alpha_: 3}
parameters: {theta: 0.5, e: [1, 2]}
targets: {t: [1, 1]}
model: ["f = alpha_*(theta*x - 1)**2", "y[i] = f*e[i]"]
loss: {loss: half_squared_error, inputs: [y, t]}
training: {learning_rate: 0.1}
""",
    "Huber's loss at its corner": """
inputs: {x: 2}
targets: {t: 2}
parameters: {w: 0.5}
model: ["y = w*x"]
loss: {loss: huber, inputs: [y, t]}
""",
    "a mask that is added": """
inputs: {x: [[1, 0], [0.5, -1]]}
constants: {mask: [[0, -1e9], [0, 0]]}
model:
  - s[t,r] = sum(d, x[t,d]*x[r,d])/sqrt(2) + mask[t,r]
  - a[t,r] = softmax(r, s[t,r])
  - y[t,d] = sum(r, a[t,r]*x[r,d])
loss: E = sum(t, d, y[t,d]**2)/2
""",
    "a mask that is added, large but not huge": """
inputs: {x: [[1, 0], [0.5, -1]]}
constants: {mask: [[0, -100000], [0, 0]]}
model:
  - s[t,r] = sum(d, x[t,d]*x[r,d]) + mask[t,r]
  - a[t,r] = softmax(r, s[t,r])
loss: E = sum(t, r, a[t,r]**2)
""",
    "two equal layers without a bias": """
inputs: {x: [[1, 0.5], [-1, 2]]}
parameters: {W: [[0.1, -0.2], [0.3, 0.4]], V: [[0.2, 0.1], [-0.1, 0.3]]}
model:
  - {layer: dense, name: f, inputs: x, output: h, operands: {W: W, b: 0}}
  - {layer: dense, name: g, inputs: h, output: y, operands: {W: V, b: 0}}
loss: E = sum(n, k, y[n,k]**2)
""",
    "the last state goes on": """
inputs: {x: [1, 0.5, 2]}
parameters: {w: 0.5, u: 0.2, v: [1, 2]}
model:
  - h[t] = tanh(w*x[t] + u*h[t-1])
  - z[o] = v[o]*h[size(t)-1]
  - |
    d[s] = tanh(u*d[s-1])
    d[-1] = h[size(t)-1]
sizes: {s: 2}
loss: E = sum(o, z[o]**2) + sum(s, d[s])
""",
    "one first state for all samples": """
inputs: {x: [[[1, 0.5], [0.2, 1]], [[0, 1], [1, 1]]]}
constants: {h0: [0.1, 0.2]}
model:
  - {layer: rnn, name: r, inputs: x, output: h, operands: {h0: h0, b: 0}}
parameters: {r_W: [[0.1, 0.2], [0.3, 0.1]], r_U: [[0.2, 0], [0.1, 0.1]]}
loss: E = sum(n, t, k, h[n,t,k]**2)
""",
    "a size that only another equation shows": """
inputs: {emb: [[1, 2], [3, 4]]}
parameters: {w: 0.5}
model:
  - PE[pos,d] = sin(pos + d)
  - y[pos,d] = w*emb[pos,d] + PE[pos,d]
loss: E = sum(pos, d, y[pos,d]**2)
""",
    "a parameter that the loss does not see": """
inputs: {x: [1, 0.5]}
parameters: {w: [2, 3], u: [[1, 2], [3, 4]]}
model:
  - y = sum(k, x[k]*w[k])
  - s[i] = sum(j, u[i,j]*x[j])*y
loss: L = y**2
training: {optimizer: adamw, learning_rate: 0.1, steps: 3}
published: [{name: s, printed: ["7", "17.5"]}, {name: "dL/du[0,1]", printed: "0"}]
""",
    "numbers with pi in them": """
inputs: {x: [0.5, -1]}
parameters: {w: 0.7}
model:
  - {layer: gelu, inputs: x, output: y}
loss: E = sum(i, w*y[i]**2)
""",
}
FORMS = {  # what the page must say
    "a hidden layer called h before a dense layer": r"\delta_{",
    "one neuron with a vector of weights": r"(1 - \mathrm{prediction})",
    "AdamW": r"\hat{m}_{\theta} = ",
    "a parameter that the loss does not see": "$L$ does not depend on $u_{a,b}$",
    "symbols of the page's own": r"\vartheta^{+}",
    "a mask that is added": r"-1 \cdot 10^{9}",
    "two equal layers without a bias": "with $h$ for $x$ and $V$ for $W$",
    "the last state goes on": "beginning with $d_{-1} = h_{2}$",
    "one first state for all samples": r"beginning with $h_{n,-1,k} = h^{(0)}_{k}$",
}


def made(text: str) -> Problem:
    return build(parse_spec(text, "real.yaml", "real"))


@pytest.mark.parametrize("name", SPECS)
def test_what_people_write_is_verified(name: str) -> None:
    report = derive.verify(made(SPECS[name]))
    wrong = [route for route in report.routes if route.status is Status.DISAGREES]
    assert not wrong


@pytest.mark.parametrize("name", FORMS)
def test_the_page_says_it_as_its_author_would(name: str) -> None:
    problem = made(SPECS[name])
    derivation = derive.differentiate(problem.graph, problem.wanted)
    _, page = carried(problem, lambda told: tell_model(told, derivation))
    assert FORMS[name] in latex(page, "en")


SOFTMAX = """
inputs: {x: [[1, 0.5], [-1, 2]], label: [0, 2]}
integers: [label]
targets: {t: TARGETS}
parameters: {W: [[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]]}
model: ["z[n,h] = sum(i, W[h,i]*x[n,i])", "p[n,h] = softmax(h, z[n,h])"]
loss: LOSS
"""
ONE_HOT, OTHER = "[[1, 0, 0], [0, 0.5, 0.5]]", "[[1, 0, 1], [0, 0.5, 0.5]]"
LIBRARY = "[{loss: categorical_cross_entropy, inputs: [p, t], reduction: sum}]"
OWN = "E = -sum(n, h, t[n,h]*log(p[n,h]))"
COLLAPSED = {
    "a loss of the library": (ONE_HOT, LIBRARY, "p[n,h] - t[n,h]"),
    "an equation": (ONE_HOT, OWN, "p[n,h] - t[n,h]"),
    "targets that do not sum to one": (OTHER, OWN, "p[n,h]*sum(j, t[n,j]) - t[n,h]"),
}


@pytest.mark.parametrize("name", COLLAPSED)
def test_softmax_and_cross_entropy_collapse(name: str) -> None:
    targets, loss, expected = COLLAPSED[name]
    spec = SOFTMAX.replace("TARGETS", targets).replace("LOSS", loss)
    spec = spec.replace(", label: [0, 2]", "").replace("integers: [label]\n", "")
    problem = made(spec)
    assert text(derive.differentiate(problem.graph).adjoint("z").rhs) == expected


def test_softmax_and_a_label_collapse() -> None:
    spec = SOFTMAX.replace("targets: {t: TARGETS}\n", "").replace(
        "LOSS", "{loss: label_cross_entropy, inputs: [p, label], reduction: sum}"
    )
    problem = made(spec)
    found = text(derive.differentiate(problem.graph).adjoint("z").rhs)
    assert found == "-(label[n] == h) + p[n,h]"
