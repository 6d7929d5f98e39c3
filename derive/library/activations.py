"""Activations: `x` is the net input, `y` the activation. All are layers, too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from derive.library.row import Layer, Number, written_out


@dataclass(frozen=True)
class Activation:
    """An activation and its formula; `couples` tells that a unit depends on all net inputs.

    `named` gives settings with many digits a letter, under which a layer writes them.
    """

    name: str
    summary: str
    formula: str
    couples: bool = False
    settings: Mapping[str, Number] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def layer(self) -> Layer:
        """The activation as a layer of any shape."""
        entry, formula = "...,h" if self.couples else "...", self.formula
        for setting, letter in self.named.items():
            formula = re.sub(rf"\b{setting}\b", letter, formula)
        constants = "".join(f"{letter} = {setting}\n" for setting, letter in self.named.items())
        return Layer(
            self.name,
            "activation",
            self.summary,
            (f"x[{entry}]",),
            f"{constants}y[{entry}] = {formula}",
            settings=self.settings,
        )

    @property
    def equation(self) -> str:
        """The equation for the units h of a layer and the samples n."""
        return f"y[n,h] = {written_out(self.formula, ('n',) if self.couples else ('n', 'h'))}"


SCALE, SELU = Fraction("1.0507009873554804934"), Fraction("1.6732632423543772848")

ROWS = (
    Activation("identity", "the net input itself", "x[...]"),
    Activation("logistic", "between 0 and 1", "logistic(x[...])"),
    Activation("tanh", "between -1 and 1", "tanh(x[...])"),
    Activation("relu", "the positive part; slope 0 at 0", "max(x[...], 0)"),
    Activation(
        "softmax",
        "a distribution over the units",
        "exp(x[...,h]) / sum(k, exp(x[...,k]))",
        couples=True,
    ),
    Activation(
        "leaky_relu",
        "the positive part and a little of the negative one",
        "where(x[...] > 0, x[...], slope*x[...])",
        settings={"slope": Fraction(1, 100)},
    ),
    Activation(
        "elu",
        "linear above 0, a saturating exponential below",
        "where(x[...] > 0, x[...], a*(exp(x[...]) - 1))",
        settings={"a": 1},
    ),
    Activation(
        "selu",
        "a scaled ELU that keeps mean and variance",
        "scale*where(x[...] > 0, x[...], a*(exp(x[...]) - 1))",
        settings={"scale": SCALE, "a": SELU},
        named={"scale": "s", "a": "c"},
    ),
    Activation("softplus", "a smooth positive part", "softplus(x[...])"),
    Activation("softsign", "between -1 and 1, slowly", "x[...]/(1 + abs(x[...]))"),
    Activation(
        "hard_sigmoid",
        "a straight line from 0 to 1 between -3 and 3",
        "min(max(x[...]/6 + 1/2, 0), 1)",
    ),
    Activation("hard_tanh", "the net input, cut at -1 and 1", "min(max(x[...], -1), 1)"),
    Activation("silu", "the net input times its logistic (swish)", "x[...]*logistic(x[...])"),
    Activation("mish", "the net input times tanh of its softplus", "x[...]*tanh(softplus(x[...]))"),
    Activation(
        "gelu",
        "the net input times the normal distribution function",
        "x[...]*(1 + erf(x[...]/sqrt(2)))/2",
    ),
    Activation(
        "gelu_tanh",
        "GELU, approximated by tanh",
        "x[...]*(1 + tanh(sqrt(2/pi)*(x[...] + 0.044715*x[...]**3)))/2",
    ),
    Activation(
        "log_softmax",
        "the logarithm of a distribution over the units",
        "x[...,h] - log(sum(k, exp(x[...,k])))",
        couples=True,
    ),
)
ACTIVATIONS = {row.name: row for row in ROWS}

GATED = (
    Layer(
        "glu",
        "activation",
        "the first half of the units, gated by the second",
        ("x[...,j]",),
        "y[...,h] = sum(j, x[...,j]*(j == h))*logistic(x[...,h + size(h)])",
        sizes={"h": "size(j)/2"},
    ),
    Layer(
        "swiglu",
        "activation",
        "a dense layer gated by the SiLU of another",
        ("x[...,i]",),
        """
        a[...,h] = sum(i, W[h,i]*x[...,i])
        y[...,h] = a[...,h]*logistic(a[...,h])*sum(i, V[h,i]*x[...,i])
        """,
        parameters=("W[h,i]", "V[h,i]"),
    ),
    Layer(
        "maxout",
        "activation",
        "the largest of several dense layers; a tie goes to the first",
        ("x[...,i]",),
        """
        a[...,h,r] = sum(i, W[h,r,i]*x[...,i]) + b[h,r]
        y[...,h] = max(r, a[...,h,r])
        """,
        parameters=("W[h,r,i]", "b[h,r]"),
    ),
)
