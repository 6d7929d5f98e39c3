"""Scaled dot-product attention."""

from __future__ import annotations

import math

from derive.bring.operation import Ref, Unsayable
from derive.bring.writer import Rule, Use, number


def _attention(use: Use) -> None:
    if use.get("enable_gqa"):
        raise Unsayable("its heads share keys and values (enable_gqa)")
    if use.number("dropout_p", 0) != 0:
        raise Unsayable("it drops weights at random; export the model in eval()")
    names = ("query", "key", "value")
    width, usual = use.shape("query")[-1], not use.given("scale")
    usual = usual or math.isclose(use.number("scale", 1), 1 / math.sqrt(width), rel_tol=1e-12)
    plain = usual and not use.given("attn_mask")
    leading = {use.shape(name)[:-2] for name in names}
    if plain and len(leading) == 1:
        row = "causal_attention" if use.get("is_causal") else "attention"
        use.layer(row, [use.quantity(name) for name in names])
        return
    _written(use, number(use.number("scale", 1)) if use.given("scale") else "")


def _written(use: Use, scale: str) -> None:
    """Attention with a mask, or with another scale, as equations."""
    w, out = use.writer, use.out().shape
    letters = w.letters(out)
    *before, t, _ = letters
    (r,) = w.letters([use.shape("key")[-2]], letters)
    (d,) = w.letters([use.shape("query")[-1]], [*letters, r])
    (o,) = w.letters([use.shape("key")[-2]], [*letters, r, d])
    name = use.operation.module or use.operation.outputs[0]
    query, key = use.read("query", [*before, t, d]), use.read("key", [*before, r, d])
    factor = f"{scale}*" if scale else ""
    behind = "" if scale else f"/sqrt({use.shape('query')[-1]})"
    scores, keep = f"{factor}sum({d}, {query}*{key}){behind}", ""
    mask = use.get("attn_mask")
    if isinstance(mask, Ref):
        entry = use.entry(mask, [*before, t, r])
        if w.values[mask.name].whole:
            keep = f"{entry} > 0"
        else:
            scores += f" + {entry}"
    if use.get("is_causal"):
        keep = f"{r} <= {t}"
    s = use.extra(f"{name}_scores", [*before, t, r], scores)
    own, far = (f"exp({s}[{','.join([*before, t, x])}])" for x in (r, o))
    if keep:
        other = keep.replace(f"{r} <=", f"{o} <=") if use.get("is_causal") else _other(keep, r, o)
        own, far = f"where({keep}, {own}, 0)", f"where({other}, {far}, 0)"
    p = use.extra(f"{name}_weights", [*before, t, r], f"{own}/sum({o}, {far})")
    value = use.read("value", [*before, r, letters[-1]])
    use.equation(letters, f"sum({r}, {p}[{','.join([*before, t, r])}]*{value})")


def _other(text: str, letter: str, other: str) -> str:
    """A text about another key."""
    head, _, tail = text.rpartition("[")
    return f"{head}[{tail.replace(letter, other)}"


RULES: dict[str, Rule] = {"scaled_dot_product_attention": _attention}
