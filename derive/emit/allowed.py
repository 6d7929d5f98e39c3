"""Closed lists of what a module may hold before it is executed, apart from what writes modules."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

NODES = (
    *(ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return),
    *(ast.If, ast.For, ast.With),
    *(ast.ClassDef, ast.FunctionDef, ast.arguments, ast.arg, ast.Import, ast.ImportFrom, ast.alias),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.Call, ast.keyword, ast.Starred, ast.Attribute),
    *(ast.Subscript, ast.Slice, ast.Name, ast.Constant, ast.Tuple, ast.List, ast.ListComp),
    *(ast.GeneratorExp, ast.comprehension, ast.JoinedStr, ast.FormattedValue, ast.withitem),
)
MADE = (ast.FunctionDef, ast.ClassDef)
TYPED = (ast.AnnAssign, ast.arg)
SIGNS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)  # with nothing in them
TOP = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.ClassDef, ast.FunctionDef)
IMPORTS = frozenset(
    {
        "import math",
        "import random",
        "import numpy as np",
        "from numpy.lib.stride_tricks import sliding_window_view",
        "from numpy.typing import NDArray",
        "from collections.abc import Sequence",
        "from typing import NamedTuple",
        "from typing import Any, NamedTuple",
        "import jax",
        "import jax.numpy as np",
        "from jax import Array",
        "from jax import Array, lax",
        "from jax.scipy import special",
        "from numpy.random import default_rng",
        "import torch",
        "from torch import Tensor",
    }
)
SETTINGS = frozenset(  # what a module may set
    {
        "jax.config.update('jax_enable_x64', True)",
        "differentiable.defvjp(value_and_gradients, pulled_back)",
    }
)
DECORATORS = frozenset({"jax.jit", "jax.custom_vjp", "torch.no_grad()"})
# the classes of a module of PyTorch, by the SHA-256 of their text: a list that no text can widen
CLASSES = frozenset(
    {
        "93eb3b0acb69219b0f19f99cc04adaa6f39364f7e60f2fcd18045f7fea25ca73",
        "8936fe622217cb924afb29460527a8b4456a033668f8881317159855764edc65",
    }
)
CALLED = frozenset(
    {
        *("print", "min", "max", "abs", "zip", "len", "range", "sum", "reversed"),
        *("float", "int", "tuple", "list", "sliding_window_view", "default_rng", "slice"),
    }
)
TYPES = frozenset(
    {
        *("float", "int", "str", "bool", "list", "tuple", "dict", "slice"),
        *("NDArray", "Sequence", "Any", "NamedTuple"),
    }
)
# types of JAX and PyTorch; with NumPy a module gives the first name a meaning itself
IMPORTED = frozenset({"Array", "Tensor"})
HANDED = frozenset({"float", "int", "bool", "NamedTuple"})  # they may stand where values stand
MODULES: Mapping[str, Collection[str]] = {
    "math": {
        *("exp", "log", "log1p", "expm1", "sqrt", "pow", "tanh", "sinh", "cosh", "sin", "cos"),
        *("tan", "atan", "asin", "acos", "erf", "erfc", "fsum", "isfinite", "floor", "copysign"),
        *("atan2", "lgamma", "factorial", "prod", "pi", "e", "inf", "nan"),
    },
    "random": {"Random"},
    "lax": {"scan"},
    "special": {"erf", "erfc", "gammaln", "expit"},
    "jax": (),
    "np.random": {"default_rng"},
    "torch.special": {"erfcx"},
    "torch": {
        *("tensor", "as_tensor", "zeros", "ones", "eye", "arange", "rand", "Generator"),
        *("float64", "int64", "bool", "where", "einsum", "tensordot", "squeeze"),
        *("exp", "expm1", "log", "log1p", "sqrt", "pow", "tanh", "sinh", "cosh", "sin", "cos"),
        *("tan", "atan", "asin", "acos", "atan2", "erf", "erfc", "floor", "sign", "abs", "sigmoid"),
        *(
            "lgamma",
            "digamma",
            "polygamma",
            "logaddexp",
            "maximum",
            "minimum",
            "movedim",
            "cat",
            "stack",
        ),
        *("is_grad_enabled", "no_grad", "finfo"),
    },
    "np": {
        *("array", "asarray", "zeros", "ones", "eye", "arange", "zeros_like", "ones_like", "full"),
        *("empty", "ogrid", "einsum", "where", "broadcast_to", "clip", "expand_dims", "moveaxis"),
        *("put_along_axis", "take_along_axis", "errstate", "stack", "squeeze", "full_like"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "float_power"),
        *("multiply", "subtract", "prod", "mean", "tensordot", "heaviside", "nan_to_num"),
        *("concatenate", "transpose", "matmul", "outer", "cumsum", "flip", "add", "divide"),
        *("exp", "expm1", "log", "log1p", "sqrt", "power", "tanh", "sinh", "cosh", "sin", "cos"),
        *(
            "tan",
            "arctan",
            "arctan2",
            "arcsin",
            "arccos",
            "sign",
            "abs",
            "floor",
            "square",
            "maximum",
            "minimum",
        ),
        *("logaddexp", "isfinite", "unravel_index", "take", "meshgrid"),
        *("sum", "max", "min", "argmax", "any", "all", "float64", "int64", "pi", "e", "inf", "nan"),
    },
}
FOLDERS = (("np", "random"), ("torch", "special"))  # modules in modules
METHODS = frozenset(
    {
        *("_asdict", "_make", "items", "append", "index", "uniform"),
        *("sum", "max", "min", "argmax", "copy", "reshape", "squeeze", "transpose"),
        *("astype", "ravel", "any", "all", "mean", "prod", "cumsum", "take", "set", "add"),
        *("to", "permute", "amax", "clamp", "index_select", "long", "expand", "clone", "unsqueeze"),
        *(
            "scatter",
            "flatten",
            "narrow",
            "manual_seed",
            "unfold",
            "flip",
        ),
    }
)
PROPERTIES = frozenset({"shape", "T", "ndim", "size", "strides", "at", "min", "tiny"})
KEYWORDS = frozenset(
    {
        *("axis", "keepdims", "dtype", "strict", "size", "seed"),
        *("over", "divide", "invalid", "under", "otypes", "optimize", "where", "out", "initial"),
        *("reverse", "mode", "indexing", "dim", "keepdim", "generator", "min", "max"),
    }
)
