"""The reference of the spec language as Markdown, made from the schema and the registries.

Nothing here is written twice: sections and fields are those of `derive.schema`, functions those of
`derive.functions`, layers, losses and optimizers those of the library.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from enum import Enum
from fractions import Fraction
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from derive.fieldtypes import Num, Values
from derive.functions import ROWS
from derive.library.layers import LAYERS
from derive.library.losses import loss_layer, loss_names
from derive.library.optimizers import OPTIMIZERS
from derive.library.row import Layer
from derive.library.schedules import SCHEDULES
from derive.schema import Spec
from derive.sugar import SUGAR

LANGUAGE = """\
## Equations

An equation defines all entries of a quantity at once: `net[n,h] = sum(i, W[h,i]*x[n,i]) + b[h]`.
Index letters stand in square brackets; a letter that stands on the left side runs over its whole
axis, any other letter is bound by a reduction. The size of a letter is that of the axis on which it
stands alone, so it need not be said; where it never does, `sizes:` says it.

| written | meaning |
|---|---|
| `+ - * / **`, `( )` | arithmetic; `2*x` needs its star |
| `sum(i, j, f)`, `mean(i, f)` | the sum, or the mean, over all values of the letters |
| `max(r, s, f)`, `min(r, f)` | the largest, or least, value over the letters; a tie: the first |
| `max(f, g, h)` | the largest of some values |
| `norm(i, f)`, `logsumexp(i, f)` | `sqrt(sum(i, f**2))`, `log(sum(i, exp(f)))` |
| `prod(i, j, f)` | the product over all values of the letters |
| `cumsum(i, f)`, `cumprod(i, f)` | the sum, or product, of all values up to this i |
| `softmax(k, f)` | `exp(f)/sum(k, exp(f))` |
| `where(a > b, f, g)` | f where it holds, else g; also `<`, `<=`, `>=`, `==`, `!=`, `0 < a < b` |
| `(i == 2*j + r)`, `(x > 0)` | 1 where it holds, else 0; `==` and `!=` are for positions |
| `grad(f[n], w[i])` | the derivative of an entry by an entry, see below |
| `size(i)` | how many values a letter has |
| `pi` | the number |
| `sigmoid(f)`, `ln(f)` | other names of `logistic` and `log` |
{sugar}
{functions}

Positions count from 0 and may be computed: `x[2*u + r - 1]`. Outside its range a tensor reads
as zero, which is what padding means. A quantity of `integers:` may stand in a position:
`E[token[t],d]` picks a row. In a position, and in a letter that is read as a number, `i // 2`
is how often 2 goes into i, rounded down, and `i % 2` is what remains: `k[h // 2,t]`. Only
positions are compared with `==` and `!=`. A letter alone must have as many values as its axis;
`W[k,i + 0]` means a part of it, `W[k,size(i) + j]` the rest. A name is either a quantity or a
letter, not both.

A recurrence reads itself, or another equation that depends on it, at an earlier step of one index:

    h[t,k] = tanh(sum(i, W[k,i]*x[t,i]) + sum(j, U[k,j]*h[t-1,j]) + b[k])
    h[-1,k] = h0[k]

The second line is an edge: what is read before the first step; without it that is zero. A
recurrence may as well run backward, reading `t+1`, with the edge `h[size(t),k] = h0[k]`.
The other positions are free: `M[t-1,t-1,j]` is the row of elimination whose turn it was. By
elimination `det`, `logdet`, `cholesky`, `solve`, `solve_many` and `inv` are written; what is chosen
on the way, as the row of a pivot, has an equation of its own like anything else.

An earlier step may be found by a division, so that a tree is a recurrence: `h[(i - 1)//2]` is the
parent of a node of a heap, and with `h[2*i + 1]` and `h[2*i + 2]` a node reads its children. A
parent that a whole number tells is looked for among the earlier nodes: with `sizes: {{s: 6}}` for
seven nodes, `sum(s, (parent[i] == i-1-s)*h[i-1-s])`.

It may go through two indices, or more, and is then computed entry by entry, for i step by step and
within each step for j:

    D[i,j] = (x[i] - y[j])**2 - log(exp(-D[i-1,j]) + exp(-D[i,j-1]) + exp(-D[i-1,j-1]))
    D[-1,j] = 1000
    D[i,-1] = 1000
    D[-1,-1] = 0

An edge is about the letters in their range; where a reading such as `D[i-1,j-1]` may meet two of
them at once, a line of its own says what the corner is. Everything read may be any entry that was
computed before: `h[t-1,0]`, `h[t-1,k-2]`, `max(j, h[t-1,j] + T[j,k])`.

A product is such a recurrence, too: `y = prod(i, f[i])` stands for `y_prod[i] = y_prod[i-1]*f[i]`
with the edge `y_prod[-1] = 1`, of which y reads the last. So no derivative divides by a factor, and
factors may be 0. `cumprod` and `cumsum` are read at each i, and `y[i] = cumsum(i, x[i])` is the
recurrence itself.

The size of a letter that its own equation does not show is that of the others: `size(t)`, and a
letter on the left side, may be known from elsewhere. A value of one state for all samples,
`h0: [0, 0.1]`, may stand where a layer has `h0[...,k]`.

A mask that is added to scores may be as large as it likes, `-1e9`; a mask may as well be a
condition, `where(k <= q, exp(s[q,k]), 0)`. A learning rate may be a formula in the number of the
update, `learning_rate: 0.1*0.5**(k//10)`, or follow a `schedule`.

`stop_gradient(f)` has the value of f and is held fixed: its derivative is 0. So a step may be
passed straight through, `x + stop_gradient(round(x) - x)`, and a target may be a value of the model
itself, `(q[n] - stop_gradient(y[n]))**2`.

`grad(u[n], x[n])` is a derivative as a quantity of the model: of this entry of u by this entry of
x. u is computed, by an equation or a layer; x may be anything that u is computed from. Each letter
means what it means elsewhere: `grad(u[n], x[m])` is the derivative of each u by each x, and
`grad(u[n], W[k,i])` has a value for each n, k and i. The derivation of it is written as equations
of the model, so a loss may be made of it, and it may be differentiated again:

    u_x[n] = grad(u[n], x[n])
    u_xx[n] = grad(u_x[n], x[n])
    W1[k,i] = W[k,i] - 0.1*grad(E_train, W[k,i])
    Hv[i] = grad(s, w[i])                            # with s = sum(i, grad(E0, w[i])*v[i])

Where u[n] is computed from nothing that belongs to another n, one pass back serves all n; where
samples meet, as in a mean over n, every u[n] has a pass of its own. What is differentiated is an
entry, so a longer expression has an equation of its own; so have the steps of a training, since a
derivative cannot be what its own quantity is computed from. A derivative by something that the
quantity does not depend on is refused, for it is 0 whatever happens. `derive verify` compares each
such derivative with differences; a certificate proves it to be one, or lists it if sums stay sums.

The derivative of `max(x, 0)` and of `abs(x)` at 0 is 0, and so is that of a root, as of
`sqrt(sum(i, x[i]**2))`. The derivative of a step, `sign(x)`, `floor(x)` or a condition as a number,
is 0 everywhere. A choice is differentiated branch by branch, `where(c, f, g)` to
`where(c, f', g')`; the branch not taken is not evaluated, so it may divide by zero. `0*log(0)`
is 0.

A letter is a number, too: `x[t]*t`, `where(t == 0, x[t], h[t-1])`, `cos(2*pi*k*n/size(n))`.

## Names

A name is letters, digits and `_`. Words of the language and of Python, such as `lambda`, are
reserved; with a `_` behind it, `lambda_`, such a word is a name, and the page still shows λ. The
page makes symbols of names: `yhat` is ŷ, `mu` is μ, `w1` is w with the subscript 1, `W_xh` is W
with the mark (xh), `Wq` is the W of q, `b_mu` the b of μ.

What a layer makes is called after the use of the layer: with `name: bn`, `batch_norm` makes
`bn_mu`, `bn_var` and `bn_xhat`, and its parameters are `bn_gamma` and `bn_beta` if nothing else is
wired. `derive layers batch_norm` lists these names.

In `published:` a name is that of a number, `W[0,1]`, of a table, `W`, or of a part of one, `W[0]`,
`W[:8]` or `W[0,2:5]`; what was not printed of a table is `null`.
`dE/dW` is the derivative of the loss, also where `upstream` stands for one, and `dp/dz` of anything
by anything. `W@3` is after three updates and `W+` after one; `m_W@1` is what the optimizer calls m,
for W.
"""


def reference() -> str:
    """The whole reference."""
    functions = "\n".join(_functions())
    parts = [
        "# The spec language",
        "Generated by `derive reference`; the same texts are in the JSON schema, which "
        "`derive schema` prints for editors.",
        LANGUAGE.format(functions=functions, sugar="\n".join(_sugar())),
        "## Fields of a spec",
        *_sections(Spec, "The spec", set()),
        "## Layers",
        *_layers(),
        "## Losses",
        *_losses(),
        "## Optimizers",
        *_optimizers(),
        "## Schedules",
        *_schedules(),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _sugar() -> Iterator[str]:
    """Functions that are other words for what the language has."""
    for name, row in SUGAR.items():
        arguments = ", ".join(("f", "a", "b")[: row.arity])
        yield f"| `{name}({arguments})` | {row.meaning} |"


def _functions() -> Iterator[str]:
    """The functions: those that everybody knows in one row, each of our own with its text."""
    own = [row for row in ROWS if row.symbol.__module__.startswith("derive")]
    usual = ", ".join(f"`{row.name}(x)`" for row in ROWS if row not in own)
    yield f"| {usual} | as usual |"
    for row in own:
        if row.name != "where":
            words = " ".join((row.symbol.__doc__ or "").split()).rstrip(".")
            variables = ", ".join("abc"[: row.arity]) if row.arity > 1 else "x"
            yield f"| `{row.name}({variables})` | {_cell(words[0].lower() + words[1:])} |"


def _sections(model: type[BaseModel], title: str, told: set[str]) -> Iterator[str]:
    """A section, and those that its fields lead to."""
    told.add(model.__name__)
    rows = ["| field | value | meaning |", "|---|---|---|"]
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        rows.append(f"| `{name}` | {_value(field)} | {_cell(field.description or '')} |")
        inner += [(name, each) for each in _models(field.annotation)]
    yield f"### {title}"
    yield " ".join((model.__doc__ or "").split())
    yield "\n".join(rows)
    for name, each in inner:
        if each.__name__ not in told:
            yield from _sections(each, f"`{name}`", told)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)


def _value(field: FieldInfo) -> str:
    """The kind of value of a field, and its default."""
    kind = _kind(field.annotation, field.metadata)
    if field.is_required():
        return f"{kind}; needed"
    default = field.default
    if default is None or default is PydanticUndefined or isinstance(default, BaseModel):
        return kind
    if isinstance(default, Enum):
        default = default.value
    if isinstance(default, Fraction):
        default = float(default) if default.denominator != 1 else default.numerator
    return kind if default in ("", [], {}) else f"{kind}; `{default}`"


def _kind(annotation: Any, metadata: Any = ()) -> str:
    """A type in words."""
    if any(each in (*getattr(Num, "__metadata__", ()),) for each in metadata):
        return "number"
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        if annotation == Num:
            return "number"
        return "value" if annotation == Values else _kind(inner[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(each) for each in inner if each is not type(None)))
    if origin is typing.Literal:
        return " or ".join(f"`{each}`" for each in inner)
    if origin is list:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"name: {_kind(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{each.value}`" for each in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    return {str: "text", int: "whole number", bool: "`true` or `false`"}.get(annotation, "value")


def _layers() -> Iterator[str]:
    yield (
        "`derive layers NAME` prints the equations of a layer and of its derivatives. `[...]` "
        "stands for any further axes."
    )
    groups: dict[str, list[Layer]] = {}
    for row in LAYERS.values():
        groups.setdefault(row.group, []).append(row)
    for group, rows in groups.items():
        yield f"### {group.capitalize()}"
        yield _table(rows)


def _table(rows: list[Layer]) -> str:
    lines = ["| layer | reads | operands | settings | what it does |", "|---|---|---|---|---|"]
    for row in rows:
        operands = _codes((*row.parameters, *row.constants))
        settings = _codes(tuple(f"{name}: {_plain(v)}" for name, v in row.settings.items()))
        lines.append(
            f"| `{row.name}` | {_codes(row.inputs)} | {operands} | {settings} | "
            f"{_cell(row.summary)} |"
        )
    return "\n".join(lines)


def _codes(texts: tuple[str, ...]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def _plain(value: Fraction | int) -> str:
    number = Fraction(value)
    return str(number.numerator) if number.denominator == 1 else f"{float(number):g}"


def _losses() -> Iterator[str]:
    lines = ["| loss | reads | settings | entries | what it is |", "|---|---|---|---|---|"]
    for name in loss_names():
        row, reduction = loss_layer(name)
        settings = _codes(tuple(f"{key}: {_plain(v)}" for key, v in row.settings.items()))
        lines.append(
            f"| `{name}` | {_codes((*row.inputs, *row.constants))} | {settings} | "
            f"{reduction.value} | {_cell(row.summary)} |"
        )
    yield "\n".join(lines)


def _optimizers() -> Iterator[str]:
    yield (
        "Lines are carried out in order, entry by entry: `w` is the parameter, `g` its gradient, "
        "`alpha` the learning rate, `k` the number of the update from 1; the states start at 0. "
        "`norm(entries, f)` and `sum`, `mean`, `max`, `min` go over all entries of a parameter, "
        "`norm(parameters, f)` over those of all parameters. A line with letters makes a table "
        "over the first axis: `A[i,j] = sum(..., g[i,...]*g[j,...])`, where `...` are the others; "
        "`size(entries)` is how many entries there are, `size(...)` how many behind the first "
        "axis. "
        "Before the lines come, in this order, the `schedule` of the learning rate, `clip` and "
        "`weight_decay`."
    )
    lines = ["| optimizer | equations | states | settings | what it is |", "|---|---|---|---|---|"]
    for row in OPTIMIZERS.values():
        settings = _codes(tuple(f"{key}: {_plain(v)}" for key, v in row.settings.items()))
        equations = "; ".join(row.equations.splitlines())
        lines.append(
            f"| `{row.name}` | `{equations}` | {_codes(tuple(row.states))} | {settings} | "
            f"{_cell(row.summary)} |"
        )
    yield "\n".join(lines)


def _schedules() -> Iterator[str]:
    yield (
        "`alpha` is the learning rate of the spec, `k` the number of the update from 1; `steps` is "
        "that of the training, if it is not given; with `derive train` that of all its epochs."
    )
    lines = ["| schedule | learning rate | settings | what it is |", "|---|---|---|---|"]
    for row in SCHEDULES.values():
        settings = _codes(tuple(f"{key}: {_plain(v)}" for key, v in row.settings.items()))
        lines.append(f"| `{row.name}` | `{row.formula}` | {settings} | {_cell(row.summary)} |")
    yield "\n".join(lines)
