"""The schema of a spec file: every section and field, with what it means.

The texts below the fields are what the reference, the JSON schema and editors show.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from derive.definitions import DefinitionsSpec, Strict
from derive.errors import shown
from derive.fieldtypes import (
    Count,
    Language,
    Name,
    Names,
    Num,
    PublishedName,
    Rate,
    RunName,
    Values,
    at_most,
)
from derive.library.loss import Reduction
from derive.limits import (
    LONGEST_EQUATION,
    MOST_CLAIMS,
    MOST_EQUATIONS,
    MOST_LAYERS,
    MOST_PRINTS,
    MOST_RUNS,
    MOST_SAMPLES,
    MOST_UPDATES,
)
from derive.numbers import Rounding, Zeros
from derive.sequence import Order


class LayerSpec(Strict):
    """One dense layer of a network."""

    dense: Count | Names
    """The units: how many, or their names."""
    bias: Literal["each", "shared", "none"] = "each"
    """One bias for each unit, one shared by the layer, or none."""
    activation: str = "identity"
    """An activation of the library or of `define`, or a formula such as `f(x) = x*tanh(x)`."""


class LossSpec(Strict):
    """The loss of a network, and how the samples of a batch are put together."""

    name: Name
    """A loss of the library or of `define`."""
    batch: Reduction = Reduction.MEAN
    """Whether the losses of the samples are averaged or added up."""


class NetworkSpec(Strict):
    """A chain of dense layers, told weight by weight, or layer by layer where there are many.

    With another optimizer than gradient descent, another `order`, `samples`, no loss, one beside
    the first four of the library, or one that does not depend on every weight, it is told as the
    `model` that it stands for, in index form.
    """

    inputs: Count | Names
    """The inputs: how many, or their names."""
    layers: Annotated[
        list[LayerSpec], Field(min_length=1), at_most(MOST_LAYERS, "layers", "a network")
    ]
    """The layers in order; the last one is the output layer."""
    loss: Name | LossSpec | None = None
    """The loss by its name, or with the reduction of the batch; without one the network is a
    forward pass alone."""


class DataSpec(Strict):
    """The data of a network."""

    inputs: list[Any] | None = None
    """One sample (a list of numbers) or a batch (a list of lists)."""
    targets: list[Any] | None = None
    """The targets, in the same form."""
    batch: Count | None = None
    """The size of the batch, if no values are given."""


class ClipSpec(Strict):
    """How large a gradient may be before the optimizer sees it."""

    norm: Num | None = None
    """The largest norm; a gradient that is longer is shortened to it."""
    over: Literal["all", "each"] = "all"
    """Whether the norm is that of the gradients by all parameters together, or that of each."""
    eps: Num = Fraction(0)
    """What is added to the norm before it is compared and divided by, as PyTorch does."""
    value: Num | None = None
    """The largest absolute value of an entry; what is beyond is cut."""

    @model_validator(mode="after")
    def _one_bound(self) -> ClipSpec:
        if (self.norm is None) == (self.value is None):
            raise PydanticCustomError("clip", "clip takes a norm or a value, as in {norm: 1}")
        most: Any = self.norm if self.value is None else self.value
        if most <= 0:
            raise PydanticCustomError("clip", "what a gradient is clipped to must be above 0")
        if self.eps < 0:
            raise PydanticCustomError("clip", "eps must not be below 0")
        if self.value is not None and {"over", "eps"} & self.model_fields_set:
            reason = "over and eps belong to a norm; a value has neither, as in {value: 0.5}"
            raise PydanticCustomError("clip", reason)
        return self


class DecaySpec(Strict):
    """How parameters are drawn towards zero."""

    l2: Num | None = None
    """The factor of the parameter that is added to its gradient, as a penalty in the loss would."""
    decoupled: Num | None = None
    """The factor of learning rate and parameter that is taken off apart from the gradient."""

    @model_validator(mode="after")
    def _one_kind(self) -> DecaySpec:
        if (self.l2 is None) == (self.decoupled is None):
            reason = "weight_decay takes l2 or decoupled, as in {l2: 0.01}"
            raise PydanticCustomError("decay", reason)
        share: Any = self.decoupled if self.l2 is None else self.l2
        if share < 0:
            reason = "a weight decay below 0 would make parameters grow; it must not be below 0"
            raise PydanticCustomError("decay", reason)
        return self


class TrainingSpec(Strict):
    """How the parameters are updated."""

    learning_rate: Rate = Fraction(1, 2)
    """The learning rate, called alpha in the equations of the optimizers: a number, or a formula in
    the number k of the update, from 1, as `0.1*0.5**(k//10)`."""
    schedule: str | dict[Name, dict[Name, Num]] | None = None
    """How the learning rate changes with the number k of the update: the name of a schedule,
    `cosine`, or with settings, `{cosine: {least: 0.001}}`, or a formula, `alpha/(1 + 0.01*k)`."""
    clip: ClipSpec | None = None
    """How large a gradient may be: `{norm: 1}`, `{norm: 1, over: each}` or `{value: 0.5}`."""
    weight_decay: DecaySpec | None = None
    """How parameters are drawn towards zero: `{l2: 0.01}` or `{decoupled: 0.01}`."""
    steps: Annotated[int, Field(ge=0, le=MOST_UPDATES, strict=True)] = 1000
    """How many updates the training makes."""
    epochs: Count | None = None
    """How often all `samples` are gone through, instead of `steps`."""
    optimizer: Name = "gradient_descent"
    """An optimizer of the library or of `define`."""
    order: Order = Order.SIMULTANEOUS
    """When parameters change: `simultaneous`, after all derivatives are known, or
    `layer_by_layer`: on the way back, from the last equation to the first, each parameter as soon
    as the derivative by it is known. What is differentiated after that reads the new value; each
    quantity with a name keeps its value of the forward pass. `dE/dW` is the derivative itself, in
    either order."""
    settings: dict[Name, Num] = {}
    """Settings of the optimizer, such as `{beta1: 0.9}`."""
    states: dict[Name, dict[Name, Values]] = {}
    """First values of the optimizer's states, by state and parameter; otherwise 0."""
    frozen: list[Name] = []
    """Parameters that are not updated."""

    @model_validator(mode="after")
    def _one_length(self) -> TrainingSpec:
        if {"steps", "epochs"} <= self.model_fields_set:
            raise PydanticCustomError("length", "give either steps or epochs, not both")
        return self


class NumbersSpec(Strict):
    """How numbers are written on the page."""

    significant_digits: Annotated[int, Field(ge=1, le=40, strict=True)] | None = None
    """How many significant digits a number has; 4 if `decimals` is not given either."""
    decimals: Annotated[int, Field(ge=0, le=40, strict=True)] | None = None
    """How many decimals a number has, instead of significant digits."""
    rounding: Rounding = Rounding.HALF_UP
    """What happens to a 5 that is dropped."""
    zeros: Zeros = Zeros.STRIP
    """Whether zeros at the end are dropped or kept."""
    chained: bool = True
    """Whether a number is computed from the rounded numbers before it, as by hand."""

    @model_validator(mode="after")
    def _one_precision(self) -> NumbersSpec:
        if self.significant_digits is not None and self.decimals is not None:
            raise PydanticCustomError(
                "precision", "give either significant_digits or decimals, not both"
            )
        return self


class PublishedSpec(Strict):
    """A number that was printed elsewhere, to be compared with what comes out here."""

    name: PublishedName
    """What it is: `y`, `W[0,1]`, `dE/dW[0,1]`, `dh[1]/da[1]`; `W[0,2:5]` is a part of a table, from
    2 and before 5; `@3` after it means after 3 updates, `+` after one. Indices count from 0.
    `dy/dx` is the local derivative where the equation of y reads x, and goes through all equations
    between them where it does not. In a network: `w5`, `out_h1`, `dE/dw5`, `w5+`, or the entries of
    `W1`, `b1`, `net1`, `out1` as of a model."""
    printed: str | list[Any]
    """The number as printed, so that its digits count, or nested lists, a table, with `null` for
    what was not printed. Of `dp/dz` the places of p come first, then those of z."""
    where: str = ""
    """Where it was printed."""
    misprint: str | None = None
    """Why the print is known to be wrong. Of a table only the wrong entries are excused."""
    slack: Annotated[int, Field(ge=0, le=9, strict=True)] = 0
    """By how many units of its last digit a print may be off; 1 if it was cut."""


class ClaimSpec(Strict):
    """A formula that was printed elsewhere, to be held against the derivation."""

    formula: Annotated[str, Field(max_length=LONGEST_EQUATION)]
    """Two sides or more, in the language of equations: `dE/dW[k,i] = (y[k] - t[k])*x[i]`, with the
    names of `published`. It must hold for all values of its index letters, whatever the values of
    the spec are."""
    where: str = ""
    """Where it was printed."""
    misprint: str | None = None
    """Why the formula is known to be wrong."""


class NodeSpec(Strict):
    """One use of a layer in a model."""

    layer: Name
    """A layer of the library or of `define`."""
    name: Name | None = None
    """What the names of its own quantities begin with; its output, if `output` is not given."""
    inputs: Name | list[Name | Num] | dict[Name, Name | Num]
    """What it reads: one name, names in the order of the layer's inputs, or by their names. A
    number stands for all entries, as in `[y, 0]`."""
    output: Name | None = None
    """The name of what it makes."""
    operands: dict[Name, Name | Num] = {}
    """Its parameters and constants, by their names in the layer: the name of a quantity, or a
    number that stands for all of its entries (`{b: 0}` leaves a bias out)."""
    settings: dict[Name, Num] = {}
    """Settings that differ from their usual values."""
    sizes: dict[Name, Count] = {}
    """Sizes of letters that nothing else tells, such as `{h: 3}` for three units."""


class LossTermSpec(Strict):
    """One loss of the library, as a term of the whole loss of a model."""

    loss: Name
    """A loss of the library."""
    inputs: Name | list[Name | Num] | dict[Name, Name | Num]
    """What it reads, mostly the output and the target: `[y, t]`, or `[y, 0]` for a target of 0."""
    name: Name | None = None
    """What its own quantities are called."""
    operands: dict[Name, Name | Num] = {}
    """Further quantities, by their names in the loss."""
    settings: dict[Name, Num] = {}
    """Settings that differ from their usual values."""
    reduction: Reduction | None = None
    """Whether its entries are added up or averaged; every loss has a usual way."""
    weight: Num = Fraction(1)
    """The factor with which it enters the whole loss."""


Samples = Annotated[list[dict[Name, Values]], at_most(MOST_SAMPLES, "samples", "a spec")]
Prints = Annotated[list[PublishedSpec], at_most(MOST_PRINTS, "printed numbers", "a spec")]


class RunSpec(Strict):
    """One run of several: what it says takes the place of what the spec says itself.

    Values go quantity by quantity, `data`, `training` and `numbers` field by field, `samples` and
    `published` as a whole. What a run leaves out is as the spec says, so a quantity is given by the
    spec or by every run.
    """

    name: RunName
    """What it is called, such as `Example 2`; `--run` asks for it by this name."""
    title: str | dict[Language, str] = ""
    """The title of its page; that of the spec with the name of the run, if it is left out."""
    inputs: dict[Name, Values] = {}
    """Its inputs."""
    parameters: dict[Name, Values] = {}
    """Its parameters before the first update."""
    targets: dict[Name, Values] = {}
    """Its targets."""
    constants: dict[Name, Values] = {}
    """Its constants."""
    sizes: dict[Name, Count] = {}
    """Its sizes of index letters."""
    upstream: dict[Name, Values] = {}
    """Its gradients from above."""
    samples: Samples = []
    """Its values for each update in turn."""
    data: DataSpec = DataSpec()
    """Its data, of a network."""
    training: TrainingSpec = TrainingSpec()
    """How its parameters are updated."""
    numbers: NumbersSpec = NumbersSpec()
    """How its numbers are written."""
    published: Prints = []
    """The numbers that somebody printed of it."""


class Spec(Strict):
    """A whole spec file: a `network`, which is a chain of dense layers, or a `model` of any graph.

    `network`, `data` belong to a network; `inputs`, `targets`, `constants`, `integers`, `sizes`,
    `loss` and `upstream` to a model; the rest to both. A quantity of a model is given by its value,
    a number or nested lists, or by `{shape: [2, 3]}` without one;
    `{shape: [2, 3], values: 0}` fills the shape, and values may be one list of all 6 numbers.
    """

    title: str | dict[Language, str] = ""
    """The title of the page, or one for each language: `{en: ..., ko: ...}`."""
    network: NetworkSpec | None = None
    """A chain of dense layers."""
    model: (
        Annotated[
            list[str | NodeSpec],
            Field(min_length=1),
            at_most(MOST_EQUATIONS, "equations and layers", "a model"),
        ]
        | None
    ) = None
    """Equations and uses of layers in any order that can be computed. It may be left out if the
    loss is an equation or a loss of the library that reads what is given."""
    inputs: dict[Name, Values] = {}
    """What goes in."""
    parameters: dict[Name, Values] = {}
    """What is trained. In a network `W1`, `b1`, `W2`, ... with a row for each unit."""
    targets: dict[Name, Values] = {}
    """What should come out."""
    constants: dict[Name, Values] = {}
    """What is given and not trained: noise, masks, first states."""
    integers: list[Name] = []
    """Given quantities that hold whole numbers and may stand in a position: tokens, labels."""
    sizes: dict[Name, Count] = {}
    """Sizes of index letters that no quantity shows."""
    loss: str | LossTermSpec | Annotated[list[LossTermSpec], Field(min_length=1)] | None = None
    """The name of a number that the model computes, an equation `E = ...`, or losses of the
    library; if it is left out, the last equation is the loss, and a model that ends in a table is a
    forward pass alone: its values are told and checked, and nothing is differentiated."""
    upstream: dict[Name, Values] = {}
    """Instead of a loss: the given gradient by something that the model computes, as numbers, or as
    `{shape: [2, 3]}` where only formulas are wanted. Where the model
    goes on to use that quantity, it is the part from outside: what comes back through the equations
    that read it is added."""
    gradients: list[Name] | None = None
    """What to differentiate by; all parameters and inputs, if it is left out. By what the loss does
    not depend on the derivative is 0, and the page says so."""
    samples: Samples = []
    """Values of inputs, targets or constants for each update in turn; in a network `inputs` and
    `targets`, as under `data`."""
    data: DataSpec = DataSpec()
    """The data of a network."""
    training: TrainingSpec = TrainingSpec()
    """How the parameters are updated."""
    numbers: NumbersSpec = NumbersSpec()
    """How numbers are written."""
    languages: Annotated[list[Language], Field(min_length=1)] = ["ko", "en"]
    """The languages of the page."""
    published: Prints = []
    """Numbers that somebody printed, to be checked."""
    claims: Annotated[list[ClaimSpec], at_most(MOST_CLAIMS, "claims", "a spec")] = []
    """Formulas that somebody printed, to be checked."""
    define: DefinitionsSpec = DefinitionsSpec()
    """Activations, losses and layers of your own."""
    runs: Annotated[list[RunSpec], at_most(MOST_RUNS, "runs", "a spec")] = []
    """Several sets of values with the numbers that somebody printed of each, as a source with
    three worked examples has them. `derive verify` judges each; every other command takes the
    first, or the one of `--run NAME`."""

    @model_validator(mode="after")
    def _one_kind(self) -> Spec:
        if self.network is not None and self.model is not None:
            raise PydanticCustomError("kind", "a spec has either 'network' or 'model', not both")
        if self.network is None and self.model is None and not self._has_own_loss():
            raise PydanticCustomError(
                "kind",
                "nothing is computed here; give a 'model' (equations and layers), a 'network' "
                "(a chain of dense layers), or a 'loss' of what is given, such as 'E = y**2' or "
                "{loss: huber, inputs: [y, t]}",
            )
        return self

    @model_validator(mode="after")
    def _runs_by_name(self) -> Spec:
        names = [run.name for run in self.runs]
        twice = next((name for k, name in enumerate(names) if name in names[:k]), None)
        if twice is not None:
            words = f"two runs are called {shown(twice)}"
            raise PydanticCustomError("runs", "runs: {words}", {"words": words})
        return self

    def _has_own_loss(self) -> bool:
        """Whether the loss is an equation or of the library, so that no model needs to make it."""
        return "=" in self.loss if isinstance(self.loss, str) else self.loss is not None
