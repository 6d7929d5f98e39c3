"""Names in a module: those that it needs itself, and those of the quantities."""

from __future__ import annotations

import builtins
import keyword

FUNCTIONS = ("forward", "loss", "gradients", "update", "train", "main", "show")
FUNCTIONS_OF_DATA = ("example_parameters", "example_sample")
RECORDS = ("Parameters", "Sample", "Forward", "Gradients")
DATA = ("PARAMETERS", "SAMPLE", "SAMPLES", "STATE", "State", "LEARNING_RATE", "STEPS")
LOCALS = (
    *("parameters", "sample", "samples", "values", "batch", "learning_rate", "steps", "losses"),
    *("step", "state"),
)
LINT = ("l", "I", "O", "count", "index")  # too like 1 and 0; methods of a tuple
RESERVED = frozenset(
    {*FUNCTIONS, *FUNCTIONS_OF_DATA, *RECORDS, *DATA, *LOCALS, *LINT, *dir(builtins)}
)
HELPERS = (
    *("logistic", "softplus", "sign", "log_sum_exp", "is_first_largest", "dot", "erf"),
    *("atan2", "lgamma", "polygamma"),
    *("log_add_exp", "erfc", "log_erfc", "inverse_mills", "tail_series"),
    *("at", "over", "total", "largest", "first_place", "windows", "folded"),
    *("np", "math", "random", "generator"),
    *("NamedTuple", "Any"),
    *("Sequence", "NDArray", "Array", "Whole", "Vector", "Matrix"),
)
TAKEN = frozenset({*RESERVED, *HELPERS, *keyword.kwlist})


def code_name(name: str) -> str:
    """The name of a quantity in code: `adj_W1` is `dE_dW1`; a name that is taken gets a mark."""
    if name.startswith("adj_"):
        return f"dE_d{name.removeprefix('adj_')}"
    return f"{name}_" if name in TAKEN else name
