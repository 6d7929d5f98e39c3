"""Random models as people write them: layers of time, windows, choices, norms, own layers.

A spec is a chain of parts; each part reads a sequence `z[t,i]` and makes the next one. Quantities
have names that are hard for somebody: the page, a module, Python, C or TeX.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml

from derive.library.activations import ACTIVATIONS
from tests.random_library import rounding, training

HARD = """
    T S N D I O Q J E1 W1 x1 w12 h_t W_xh xhat mu sigma lambda_ self update step state double int_
    float main prod theta Delta delta d dx dE f g out net a b_mu Wq True_ class_ new old e2 e1 lr
    beta1 eps rate y_true gamma_1 exp_ log_x sin_ max_ sum1 target parameters forward gradients np
    math loss sample n_1 order Theta phi_2 ell nu aleph hbar X0 Y_ m s_t u_v_w train register
    auto inline this char list dict len range
"""
NAMES = tuple(HARD.split())
ALONE = tuple(name for name, row in ACTIVATIONS.items() if "softmax" not in name)
SIZES = (-6, -3, -1, 0, 0, 0, 1, 3, 6)
"""Powers of ten of the values of a spec; most are everyday numbers."""
LETTERS = {"t": (1, 4), "i": (1, 3)}


@dataclass
class Draft:
    """A spec while it grows."""

    source: random.Random
    names: list[str]
    steps: int
    width: int
    z: str = ""
    own: dict[str, object] = field(default_factory=dict)
    parameters: dict[str, object] = field(default_factory=dict)
    lines: list[object] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    def name(self) -> str:
        """A name that nothing has yet."""
        return self.names.pop()

    def value(self) -> float:
        """A short value; of a spec that is far from 1, of any size."""
        source = self.source
        if source.random() < 0.15:
            return 0.0
        power = source.choice(SIZES)
        return float(f"{source.uniform(-9.9, 9.9):.1f}e{power - 1}")

    def table(self, *shape: int) -> object:
        """Values in rows."""
        if not shape:
            return self.value()
        return [self.table(*shape[1:]) for _ in range(shape[0])]

    def parameter(self, *shape: int) -> str:
        """The name of a new parameter, or of an old one of this shape: a shared one."""
        known = [n for n, table in self.parameters.items() if _shape(table) == shape]
        if known and self.source.random() < 0.3:
            return self.source.choice(known)
        name = self.name()
        self.parameters[name] = self.table(*shape)
        return name

    def line(self, text: str) -> str:
        """One more equation `{y}[t,i] = ...` of the chain."""
        y = self.name()
        self.lines.append(text.replace("$Y", y).replace("$Z", self.z))
        self.z = y
        return y


def _shape(table: object) -> tuple[int, ...]:
    return (len(table), *_shape(table[0])) if isinstance(table, list) else ()


def _dense(draft: Draft) -> None:
    n = draft.source.randint(1, 3)
    w, b = draft.parameter(n, draft.width), draft.parameter(n)
    call = draft.source.choice(["tanh", "logistic", "relu", "softplus", "sin", "erf", ""])
    draft.line(f"$Y[t,k] = {call}(sum(i, {w}[k,i]*$Z[t,i]) + {b}[k])")
    draft.width = n


def _recurrence(draft: Draft) -> None:
    n = draft.source.randint(1, 3)
    w, u = draft.parameter(n, draft.width), draft.parameter(n, n)
    back = draft.source.random() < 0.3
    at, edge = ("t+1", "size(t)") if back else ("t-1", "-1")
    first = draft.source.choice(["", "0.25", "a parameter"])
    if first == "a parameter":
        first = f"{draft.parameter(n)}[k]"
    draft.line(
        f"$Y[t,k] = tanh(sum(i, {w}[k,i]*$Z[t,i]) + sum(j, {u}[k,j]*$Y[{at},j]))"
        + (f"\n$Y[{edge},k] = {first}" if first else "")
    )
    draft.width = n


def _gates(draft: Draft) -> None:
    """Two quantities that read one another a step before."""
    a, c = draft.parameter(draft.width), draft.parameter()
    first, second = draft.name(), draft.name()
    draft.lines.append(
        f"{first}[t,i] = logistic({a}[i]*{draft.z}[t,i] + {second}[t-1,i])\n"
        f"{second}[t,i] = {first}[t,i]*{second}[t-1,i] + (1 - {first}[t,i])*tanh({c}*"
        f"{draft.z}[t,i])"
    )
    draft.z = second


def _own_layer(draft: Draft) -> None:
    n, name = draft.source.randint(1, 2), f"own_{len(draft.own)}"
    equations = draft.source.choice(
        [
            "a[...,h] = sum(i, W[h,i]*x[...,i])\ny[...,h] = a[...,h]*logistic(s*a[...,h])",
            "y[...,h] = max(i, W[h,i]*x[...,i]) + s",
            "y[...,h] = sqrt(s**2 + sum(i, (x[...,i] - W[h,i])**2))",
            "y[...,h] = where(sum(i, W[h,i]*x[...,i]) > s, s, sum(j, W[h,j]*x[...,j]))",
        ]
    )
    draft.own[name] = {
        "inputs": ["x[...,i]"],
        "parameters": ["W[h,i]"],
        "settings": {"s": draft.source.choice([1, 0.5, 2])},
        "equations": equations,
    }
    w, y = draft.parameter(n, draft.width), draft.name()
    use = {"layer": name, "inputs": draft.z, "output": y, "operands": {"W": w}}
    draft.lines.append(use | ({"settings": {"s": 3}} if draft.source.random() < 0.4 else {}))
    draft.z, draft.width = y, n


def _activation(draft: Draft) -> None:
    y = draft.name()
    row = draft.source.choice(ALONE)
    draft.lines.append({"layer": row, "inputs": draft.z, "output": y, "name": y})
    draft.z = y


SIMPLE = (
    "$Y[t,i] = ($Z[t-1,i] + $Z[t,i] + $Z[t+1,i])/3",
    "$Y[t,i] = $Z[t,i] - $Z[t-1,i]",
    "$Y[t,i] = $C*$Y[t-1,i] + $Z[t,i]",
    "$Y[t,i] = $Y[t-1,i] + $Y[t-2,i]/2 + $C*$Z[t,i]",
    "$Y[t,i] = max($Y[t-1,i], $Z[t,i])",
    "$Y[t,i] = $C*$Y[t+1,i] + (1 - $C)*$Z[t,i]\n$Y[size(t),i] = 1",
    "$Y[t,i] = where(t == 0, $Z[t,i], $Z[t,i]*$Y[t-1,i]/2)",
    "$Y[t,i] = where($Z[t,i] > 0, $Z[t,i], $C*$Z[t,i])",
    "$Y[t,i] = where(abs($Z[t,i]) < 1, $Z[t,i]**2/2, abs($Z[t,i]) - 1/2)",
    "$Y[t,i] = where(-1 < $Z[t,i] < 1, $Z[t,i], sign($Z[t,i]))",
    "$Y[t,i] = where($Z[t,i] > 0, log(1 + $Z[t,i]), $C*$Z[t,i])",
    "$Y[t,i] = where(t != 1, 1, 0)*$Z[t,i]",
    "$Y[t,i] = min(max($Z[t,i], -1), 1)",
    "$Y[t,i] = $Z[t,i]*(t + 1) + i",
    "$Y[t,i] = $Z[t,i]*cos(2*pi*t/size(t)) + sin(t/100**(i/2))",
    "$Y[t,i] = $C*$Z[t,i] + $Z[size(t) - 1 - t,i]",
    "$Y[t,i] = $Z[t,i]/(1 + abs($Z[t,i]))",
    "$Y[t,i] = $Z[t,i]*exp(-$Z[t,i]**2)",
    "$Y[t,i] = $Z[t,i]*$Z[0,i] + $C",
    "$Y[t,i] = softmax(i, $Z[t,i])",
    "$Y[t,i] = softmax(t, $C*$Z[t,i])",
    "$Y[t,i] = $Z[t,i] - mean(j, $Z[t,j])",
    "$Y[t,i] = $Z[t,i] - max(j, $Z[t,j])",
    "$Y[t,i] = $Z[t,i]/sqrt(0.01 + mean(j, $Z[t,j]**2))",
    "$Y[t,i] = $Z[t,i]/(1e-5 + sum(u, abs($Z[u,i])))",
    "$Y[t,i] = sqrt(sum(u, $Z[u,i]**2))*$Z[t,i]",
    "$Y[t,i] = log(sum(j, exp($Z[t,j]))) + $Z[t,i]",
    "$Y[t,i] = max(u, $Z[u,i])*$Z[t,i]",
    "$Y[t,i] = sum(u, where(u <= t, $Z[u,i], 0))/(t + 1)",
    "$Y[t,i] = sum(u, where(u <= t, exp($Z[t,0]*$Z[u,0]), 0)*$Z[u,i])"
    "/sum(v, where(v <= t, exp($Z[t,0]*$Z[v,0]), 0))",
    "$Y[t,i] = sum(u, softmax(u, sum(j, $Z[t,j]*$Z[u,j])/sqrt(size(j)))*$Z[u,i])",
    "$Y[t,i] = log(logistic($Z[t,i])) - log(1 - logistic($C*$Z[t,i]))",
    "$Y[t,i] = abs($Z[t,i])**1.5 + $C**2",
    "$Y[t,i] = 2**tanh($Z[t,i])",
    "$Y[t,i] = sqrt(softplus($Z[t,i]))",
    "$Y[t,i] = $Z[t,i]**3 - 3*$Z[t,i]",
)
LOSSES = (
    "sum(t, i, ($Y[t,i] - $G[t])**2)/2",
    "mean(t, i, abs($Y[t,i] - $G[t]))",
    "sum(t, sum(i, $Y[t,i])*$G[t])",
    "max(t, i, $Y[t,i])**2 + $G[0]*$Y[0,0]",
    "sqrt(sum(t, i, ($Y[t,i] - $G[t])**2))",
    "-sum(t, i, log(softmax(i, $Y[t,i]))*$G[t]**2)",
    "sum(t, log(sum(i, exp($Y[t,i])))) - sum(t, $Y[t,0]*$G[t])",
    "sum(t, i, softplus(-$G[t]*$Y[t,i]))",
    "sum(t, i, max(0, 1 - $G[t]*$Y[t,i]))",
    "sum(i, $Y[size(t) - 1,i]**2) + sum(t, $G[t]*$Y[t,0])",
    "sum(t, i, where($Y[t,i] > $G[t], $Y[t,i]**2, $G[t]**2 - $Y[t,i]))",
)


def _simple(draft: Draft) -> None:
    text = draft.source.choice(SIMPLE)
    draft.line(text.replace("$C", draft.parameter()) if "$C" in text else text)


PARTS: tuple[Callable[[Draft], None], ...] = (
    _dense,
    _recurrence,
    _gates,
    _own_layer,
    _activation,
    _simple,
    _simple,
    _simple,
    _simple,
)


def _samples(draft: Draft, inputs: tuple[str, str]) -> Iterator[dict[str, object]]:
    x, target = inputs
    for _ in range(draft.source.randint(2, 3)):
        yield {x: draft.table(draft.steps, draft.width), target: draft.table(draft.steps)}


def spec(source: random.Random) -> dict[str, object]:
    """A chain of one to three parts and a loss."""
    names = source.sample(NAMES, len(NAMES))
    draft = Draft(source, names, source.randint(2, 4), source.randint(1, 3))
    x, target = draft.name(), draft.name()
    shapes = {x: (draft.steps, draft.width), target: (draft.steps,)}
    several = source.random() < 0.35
    samples = list(_samples(draft, (x, target))) if several else []
    given = {name: {"shape": list(s)} if several else draft.table(*s) for name, s in shapes.items()}
    draft.z = x
    for part in source.choices(PARTS, k=source.randint(1, 3)):
        part(draft)
    if not draft.parameters:
        _dense(draft)
    loss = source.choice(LOSSES).replace("$Y", draft.z).replace("$G", target)
    found: dict[str, object] = {
        "inputs": {x: given[x]},
        "targets": {target: given[target]},
        "parameters": draft.parameters,
        "sizes": {"t": draft.steps},
        "model": draft.lines,
        "loss": f"E = {loss}",
        "training": training(source),
        "numbers": rounding(source),
    }
    if samples:
        found["samples"] = samples
    if draft.own:
        found["define"] = {"layers": draft.own}
    return found


def random_language(seed: int) -> str:
    """The text of a spec in the language."""
    made = {**spec(random.Random(f"language/{seed}")), "languages": ["en"]}
    return yaml.safe_dump(made, sort_keys=False)
