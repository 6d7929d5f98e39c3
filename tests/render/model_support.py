"""Small models for the tests of their pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import derive
from derive.backprop import differentiate
from derive.graph import Derivation
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.carried import carried
from derive.render.document import latex
from derive.render.model_story import tell_model
from derive.spec import parse_spec
from derive.verify import Report, Status, verify

MODELS = {
    "scalar": """
parameters: {a: 3, c: 2, d: -4}
model: ["e = c*d", "L = e**2 + a"]
training: {learning_rate: 0.01}
""",
    "dense": """
inputs: {x: [[1, 0.5, -0.25], [0.2, -0.3, 0.7]]}
targets: {t: [[1, 0], [0, 1]]}
parameters: {W: [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]], b: [0.1, -0.1]}
model: ["z[n,o] = sum(i, W[o,i]*x[n,i]) + b[o]", "p[n,o] = softmax(o, z[n,o])"]
loss: E = -mean(n, sum(o, t[n,o]*log(p[n,o])))
training: {learning_rate: 0.1}
""",
    "chained": """
inputs: {x: [0.5, -0.3]}
parameters: {W: [[0.1, -0.2], [0.4, 0.5]]}
model: ["y[o] = tanh(sum(i, W[o,i]*x[i]))"]
loss: E = sum(o, y[o]**2)/2
numbers: {chained: true, significant_digits: 3}
training: {optimizer: adam, learning_rate: 0.01}
""",
    "convolution": """
inputs: {x: {shape: [1, 1, 4, 4], values: 0.3}}
parameters: {c_K: [[[[0.1, -0.2, 0.3], [0.4, 0.5, -0.6], [0.7, -0.8, 0.9]]]], c_b: [0.1]}
model: [{layer: conv2d, name: c, inputs: x, settings: {stride: 2, padding: 1}, output: y}]
loss: E = sum(n,o,u,v, y[n,o,u,v]**2)/2
""",
    "pooling": """
inputs: {x: [[0.1, 0.5, 0.5, 0.2], [0.9, -0.4, 0.3, 0.8]]}
model: ["y[u,v] = max(r,s, x[2*u+r,2*v+s])"]
sizes: {u: 1, v: 2, r: 2, s: 2}
upstream: {y: [[1, 2]]}
""",
    "embedding": """
inputs: {token: [2, 0, 2]}
integers: [token]
parameters: {W: [[0.1, 0.2], [0.3, 0.4], [0.5, -0.6]]}
model: ["y[t,d] = W[token[t],d]"]
loss: E = mean(t, sum(d, y[t,d]**2))
""",
    "recurrence": """
inputs: {x: [[0.5], [-0.3], [0.8]]}
constants: {h0: [0.1, -0.1]}
parameters: {W: [[0.5], [-0.4]], U: [[0.3, -0.2], [0.1, 0.4]], b: [0.05, -0.05]}
model:
  - h[t,k] = tanh(sum(i, W[k,i]*x[t,i]) + sum(j, U[k,j]*h[t-1,j]) + b[k])
  - h[-1,k] = h0[k]
loss: E = sum(t,k, h[t,k]**2)/2
""",
    "lstm": """
inputs: {x: {shape: [2, 1], values: 0.5}}
model: [{layer: lstm, name: h, inputs: x, sizes: {k: 2}}]
loss: E = sum(k, h[1,k]**2)
""",
    "normalisation": """
inputs: {x: [[0.5, 1.0, -0.3], [0.2, 0.4, 0.9]]}
parameters: {y_gamma: [1, 1.5, 0.5], y_beta: [0, 0.1, -0.1]}
model: [{layer: layer_norm, name: y, inputs: x}]
upstream: {y: [[1, -1, 0.5], [0.3, 0.2, 0.1]]}
""",
    "attention": """
parameters:
  Q: [[0.5, 1.0], [-0.3, 0.2], [0.4, 0.9]]
  K: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]
  V: [[1, 0], [0, 1], [1, 1]]
model: [{layer: causal_attention, name: y, inputs: [Q, K, V]}]
loss: E = sum(t,e, y[t,e]**2)/2
""",
    "symbols": """
inputs: {x: {shape: [2, 3]}}
parameters: {W: {shape: [2, 3]}, b: {shape: [2]}}
model: ["z[n,o] = sum(i, W[o,i]*x[n,i]) + b[o]"]
loss: E = sum(n,o, z[n,o])
""",
    "large": """
inputs: {x: {shape: [12, 40], values: 0.1}}
parameters: {W: {shape: [40, 40], values: 0.1}}
model: ["z[n,o] = sum(i, W[o,i]*x[n,i])"]
loss: E = sum(n,o, z[n,o]**2)
""",
}


@dataclass(frozen=True)
class Told:
    """A model with its page."""

    problem: Problem
    derivation: Derivation
    page: Page
    texts: dict[str, str]

    def report(self, **texts: str) -> Report:
        """The report on the pages, or on changed ones."""
        return verify(self.problem, self.derivation, self.page, {**self.texts, **texts}, {})


@cache
def told(name: str, text: str = "") -> Told:
    """A model of this table, or of a text."""
    problem = derive.build(parse_spec(text or MODELS[name], f"{name}.yaml", name))
    derivation = differentiate(problem.graph, problem.wanted)
    problem, page = carried(problem, lambda own: tell_model(own, derivation))
    return Told(problem, derivation, page, {x: latex(page, x) for x in ("en", "ko")})


def wrong(report: Report) -> dict[str, str]:
    """The routes of the page that disagree, with what they say."""
    return {
        route.name: route.detail
        for route in report.routes
        if route.status is Status.DISAGREES and route.name.startswith("page")
    }
