"""Libraries of arrays: what they call by different names.

NumPy, and JAX with the same names; PyTorch, whose functions take no plain numbers and make numbers
of half the length unless they are told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from derive.emit.arithmetic import Code, Heads, Level

PLAIN = frozenset({"batch", "learning_rate", "number"})


@dataclass(frozen=True)
class Dialect:
    """How a library with the names of NumPy is written.

    What is `traced` is compiled for all its values at once, so that no choice can be left to
    Python.
    """

    heads: Heads
    constants: Mapping[str, str]
    traced: bool = False

    @property
    def along(self) -> str:
        """The keyword for the axes of a reduction."""
        return "axis"

    @property
    def methods(self) -> Mapping[str, str]:
        """The methods that reduce axes."""
        return {"sum": "sum", "max": "max"}

    def indicator(self, condition: str) -> Code:
        """1 where a condition on arrays holds, else 0."""
        return Code(f"np.where({condition}, 1.0, 0.0)")

    def kept(self, condition: str, value: str) -> Code:
        """A value where a condition on arrays holds, else 0."""
        return Code(f"np.where({condition}, {value}, 0.0)")

    def zeros(self, sizes: Sequence[str]) -> str:
        """An array of zeros."""
        return f"np.zeros({shape(sizes)})"

    def zero_row(self, size: str) -> str:
        """Zeros along one axis."""
        return f"np.zeros({size})"

    def numbers(self, size: str) -> str:
        """0, 1, 2, ... as numbers to count with."""
        return self.places(size)

    def places(self, size: str) -> str:
        """0, 1, 2, ... as places on an axis."""
        return f"np.arange({size})"

    def grid(self, sizes: Sequence[str]) -> str:
        """Places on several axes, each along an axis of its own."""
        return f"np.ogrid[{', '.join(f':{size}' for size in sizes)}]"

    def counted(self, places: Code) -> Code:
        """Places as numbers to count with."""
        return places

    def identity(self, size: int) -> str:
        """The identity matrix."""
        return f"np.eye({size})"

    def spread(self, value: str, sizes: Sequence[str]) -> str:
        """A value at every place of an array."""
        return f"np.broadcast_to({value}, {shape(sizes)})"

    def permuted(self, array: str, places: str) -> str:
        """An array with its axes in another order."""
        return f"{array}.transpose({places})"

    def taken(self, array: str, places: str, axis: int) -> str:
        """The entries at some places of an axis."""
        return f"{array}.take({places}, axis={axis})"

    def einsum(self, letters: str, operands: str) -> str:
        """A sum of a product, in letters."""
        return f'np.einsum("{letters}", {operands}, optimize=True)'

    def widened(self, array: str, axes: str) -> str:
        """An array with more axes, of length 1."""
        return f"np.expand_dims({array}, {axes})"

    def whole(self, array: str) -> str:
        """An array of whole numbers."""
        return f"{array}.astype(int)"

    def alone(self, array: str) -> str:
        """The one number of an array."""
        return f"np.squeeze({array})" if self.traced else f"float(np.squeeze({array}))"

    def single(self, value: str) -> str:
        """A right side that is a single number."""
        return value

    def in_steps(self) -> Dialect:
        """The same within a step of a recurrence, whose place is a number of Python."""
        return self

    def filling(self, array: str, place: str, value: str) -> tuple[str, str]:
        """The left and the right side by which a step of a recurrence fills its places."""
        return f"{array}[{place}] = ", value


@dataclass(frozen=True)
class Torch(Dialect):
    """How PyTorch is written; `stepped` has the heads within a step, where `steps` is true."""

    stepped: Heads = field(default_factory=dict)
    steps: bool = False

    @property
    def along(self) -> str:
        return "dim"

    @property
    def methods(self) -> Mapping[str, str]:
        return {"sum": "sum", "max": "amax"}

    def indicator(self, condition: str) -> Code:
        given = f"torch.as_tensor({condition})" if self.steps else f"({condition})"
        return Code(f"{given}.to(DTYPE)")

    def kept(self, condition: str, value: str) -> Code:
        return Code(f"torch.where({condition}, {value}, 0.0)")

    def zeros(self, sizes: Sequence[str]) -> str:
        return f"torch.zeros({', '.join(sizes)}, dtype=DTYPE)"

    def zero_row(self, size: str) -> str:
        return self.zeros([size])

    def numbers(self, size: str) -> str:
        return f"torch.arange({size}, dtype=DTYPE)"

    def places(self, size: str) -> str:
        return f"torch.arange({size})"

    def grid(self, sizes: Sequence[str]) -> str:
        return f"grid({', '.join(sizes)})"

    def counted(self, places: Code) -> Code:
        return Code(f"{places.at(Level.CALL)}.to(DTYPE)")

    def identity(self, size: int) -> str:
        return f"torch.eye({size}, dtype=DTYPE)"

    def spread(self, value: str, sizes: Sequence[str]) -> str:
        return f"spread({value}, {', '.join(sizes)})"

    def permuted(self, array: str, places: str) -> str:
        return f"{array}.permute({places})"

    def taken(self, array: str, places: str, axis: int) -> str:
        return f"{array}.index_select({axis}, {places})"

    def einsum(self, letters: str, operands: str) -> str:
        return f'torch.einsum("{letters}", {operands})'

    def widened(self, array: str, axes: str) -> str:
        return f"widened({array}, {axes if axes.startswith('(') else f'({axes},)'})"

    def whole(self, array: str) -> str:
        return f"{array}.long()"

    def alone(self, array: str) -> str:
        return f"torch.squeeze({array})"

    def single(self, value: str) -> str:
        return as_tensor(value)

    def in_steps(self) -> Dialect:
        return replace(self, heads=self.stepped, steps=True)

    def filling(self, array: str, place: str, value: str) -> tuple[str, str]:
        places = place.split(", ")
        while places[-1] == ":":
            places.pop()
        texts = ("slice(None)" if each == ":" else each for each in places)
        return f"{array} = ", f"filled({', '.join([array, value, *texts])})"


def shape(sizes: Sequence[str]) -> str:
    """Sizes as a tuple."""
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def as_tensor(text: str) -> str:
    """A piece of code of PyTorch; a number of Python becomes a tensor."""
    return f"torch.tensor({text}, dtype=DTYPE)" if is_number(text) else text


def is_number(text: str) -> bool:
    """Whether a piece of code is a number of Python and no array.

    A choice and an indicator of numbers are numbers.
    """
    words = re.sub(r"\bmath\.\w+|\b(?:if|else|float)\b|\b\d[\d.]*(?:e[+-]?\d+)?", "", text)
    return {*re.findall(r"[A-Za-z_]\w*", words)} <= PLAIN
