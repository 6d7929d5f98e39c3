"""Names in a module: those that it needs itself, and those of the quantities."""

from __future__ import annotations

import builtins
import keyword

FUNCTIONS = (
    *("forward", "loss", "value_and_gradients", "gradients", "update", "step", "train"),
    *("main", "show"),
)
FUNCTIONS_OF_DATA = ("example_parameters", "example_sample")
RECORDS = ("Parameters", "Sample", "Forward", "Gradients")
DATA = ("PARAMETERS", "SAMPLE", "SAMPLES", "STATE", "State", "LEARNING_RATE", "STEPS")
LOCALS = (
    *("parameters", "sample", "samples", "values", "batch", "learning_rate", "steps", "losses"),
    *("state", "number"),
)
LINT = ("l", "I", "O", "count", "index")  # too like 1 and 0; methods of a tuple
RESERVED = frozenset(
    {*FUNCTIONS, *FUNCTIONS_OF_DATA, *RECORDS, *DATA, *LOCALS, *LINT, *dir(builtins)}
)
# What modules define and import beside those; not what only stands where no quantity is a variable,
# in the classes of PyTorch and in helpers themselves.
HELPERS = (
    *("logistic", "softplus", "sign", "log_sum_exp", "is_first_largest", "dot", "erf"),
    *("atan2", "lgamma", "polygamma", "ratio", "times_log", "times_log1p", "add_exp"),
    *("exponential", "tangent", "factorial", "whole_power", "square", "drawn", "add_product"),
    *("log_add_exp", "erfc", "log_erfc", "inverse_mills", "tail_series"),
    *("at", "over", "total", "largest", "first_place", "windows", "folded", "sliding_window_view"),
    *("contracted", "as_matrix", "few_total", "few_largest", "places", "FEW"),
    *("np", "math", "random", "generator", "jax", "lax", "special", "default_rng", "arrays"),
    *("torch", "DTYPE", "larger", "smaller", "angle", "spread", "filled", "grid", "widened"),
    *("NamedTuple", "Any"),
    *("Sequence", "NDArray", "Array", "Whole", "Vector", "Matrix"),
)
C_WORDS = (
    *("auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else"),
    *("enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register"),
    *("restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef"),
    *("union", "unsigned", "void", "volatile", "while", "main", "NULL", "EOF", "NAN", "INFINITY"),
    *("HUGE_VAL", "BUFSIZ", "stdin", "stdout", "stderr", "nothing"),
)
C_MATHEMATICS = (  # what files call of math.h; in single precision each ends in f
    *("exp", "log", "tanh", "sin", "cos", "sinh", "cosh", "atan", "asin", "acos", "floor", "pow"),
    *("expm1", "log1p", "erf", "erfc", "sqrt", "fabs", "copysign", "atan2", "lgamma"),
)
C_FUNCTIONS = (  # that a variable would hide
    *C_MATHEMATICS,
    *(f"{name}f" for name in C_MATHEMATICS),
    *("memcpy", "printf", "cblas_dgemm", "cblas_sgemm", "add_rows", "power_of_two"),
)
TAKEN = frozenset({*RESERVED, *HELPERS, *C_WORDS, *keyword.kwlist})


def code_name(name: str) -> str:
    """The name of a quantity in code: `adj_W1` is `dE_dW1`; a name that is taken gets a mark."""
    if name.startswith("adj_"):
        return f"dE_d{name.removeprefix('adj_')}"
    return f"{name}_" if name in TAKEN else name
