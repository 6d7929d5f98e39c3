"""What a section of a spec is, and the sections that define rows beside those of the library."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from derive.errors import nearest
from derive.fieldtypes import Name, Num, Operand


class Strict(BaseModel):
    """A section of the spec: an unknown field is an error that names the nearest known one."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    hint = cls._meant(str(key))
                    raise PydanticCustomError(
                        "unknown", "unknown field '{key}'; {hint}", {"key": str(key), "hint": hint}
                    )
        return data

    @classmethod
    def _meant(cls, key: str) -> str:
        """Where a field belongs that stands one section too high, or the nearest known one."""
        for name, field in cls.model_fields.items():
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, Strict) and key in inner.model_fields:
                return f"it belongs in '{name}:', as `{name}: {{{key}: ...}}`"
        return nearest(key, cls.model_fields)


class OwnLayerSpec(Strict):
    """A layer of your own, in the texts in which the library is written."""

    inputs: Annotated[list[Operand], Field(min_length=1)]
    """What it reads: names with index letters, such as `x[...,i]`; `...` are any further axes."""
    equations: str
    """Its equations, one a line."""
    output: Name = "y"
    """Which of the quantities that it defines goes on."""
    parameters: list[Operand] = []
    """What is trained, such as `W[h,i]`."""
    constants: list[Operand] = []
    """What is given but not trained, such as `mask[...,i]`."""
    integers: list[Name] = []
    """Which of these hold whole numbers and may stand in a position."""
    settings: dict[Name, Num] = {}
    """Numbers with a usual value that a use of the layer may change, such as `{stride: 1}`."""
    sizes: dict[Name, str] = {}
    """The size of a letter from others, such as `{u: (size(i) - size(r))//stride + 1}`."""
    optional: dict[Name, Num] = {}
    """Operands that need not be given, with the number that then stands for them."""
    summary: str = ""
    """What the layer does, in one line."""


class OwnOptimizerSpec(Strict):
    """An optimizer of your own, in the texts in which the library is written."""

    equations: str
    """Its lines, carried out in order for every entry `w` of a parameter with its gradient `g`;
    `alpha` is the learning rate, `k` the number of the update from 1. `norm(entries, g)` goes over
    a whole parameter, `norm(parameters, g)` over all of them, and a line with letters makes a
    table, `A[i,j] = sum(..., g[i,...]*g[j,...])`."""
    states: list[Name] = []
    """What it keeps from one update to the next; each starts at 0."""
    settings: dict[Name, Num] = {}
    """Numbers with a usual value that `training: settings:` may change."""
    summary: str = ""
    """What it does, in a few words, as on the page: "gradient descent with a decaying rate"."""


class DefinitionsSpec(Strict):
    """What the spec adds to the library."""

    activations: dict[Name, str] = {}
    """Activations for a network, such as `{wave: f(x) = sin(x)}`."""
    losses: dict[Name, str] = {}
    """Losses for a network, of one output `f(y, t) = ...` or of a sample `e[n] = ...`."""
    layers: dict[Name, OwnLayerSpec] = {}
    """Layers for a model."""
    optimizers: dict[Name, OwnOptimizerSpec] = {}
    """Optimizers."""
