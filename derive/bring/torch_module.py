"""A module of PyTorch as it stands in a program: exported, and read as a file of it would be."""

from __future__ import annotations

import io
from typing import Any

from derive.bring.torch_file import read_torch
from derive.bring.write import Brought, spec_of
from derive.errors import InputError


def from_torch(module: Any, example_inputs: tuple[Any, ...], loss: str = "") -> Brought:
    """The spec of a module of PyTorch, exported with these inputs: its `text`, its `problem`.

    `loss` is one of the library, or `none` for gradients from above; one that fits is taken if it
    is left out. Raises InputError that names every operation that a spec cannot say.
    """
    try:
        import torch
    except ImportError:
        raise InputError("a module of PyTorch needs PyTorch: pip install torch") from None
    held = io.BytesIO()
    torch.export.save(torch.export.export(module, example_inputs), held)
    return spec_of(read_torch(held.getvalue(), "the module", type(module).__name__), loss)
