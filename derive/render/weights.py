"""Path view: the gradient of each weight by the chain rule, factor by factor.

The first weight of a unit is told in full; later ones refer back to the factors already found. A
factor is shown once, when it is first needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import sympy

from derive.expression import Element
from derive.graph import Kind
from derive.library.optimizers import plain_step
from derive.notation import UPDATED, Name
from derive.numbers import compare, real
from derive.problem import Problem
from derive.render.blocks import Block
from derive.render.formula import Writer
from derive.render.index_form import IndexForm
from derive.render.network import ScalarNetwork
from derive.render.pieces import Piece, Tightness
from derive.render.sheet import Chain, Display, Key, Sheet
from derive.rules import Rule

ALPHA = sympy.Symbol("alpha", real=True)
OUTPUT, INPUT = sympy.Symbol("y", real=True), sympy.Symbol("x", real=True)
GENERAL = Writer(lambda s: Piece(str(s.name), Tightness.ATOM), lambda s: (0,))
AFTER_CHAIN = (Rule.CHAIN, Rule.CANCEL, Rule.NORMALISED)
ALPHA_NAME = Name("learning_rate", r"\alpha", "alpha")


@dataclass(frozen=True)
class Story:
    """What one page in path view is told from."""

    problem: Problem
    network: ScalarNetwork
    sheet: Sheet
    told: set[str] = field(default_factory=set)
    inner: dict[Element, sympy.Expr] = field(default_factory=dict)  # ∂E/∂out in δ, by unit

    # --- chains -----------------------------------------------------------------------------

    def total(self, node: Element) -> Key:
        """The key of ∂E/∂node."""
        return self.sheet.slope(Element(self.problem.graph.loss.name), node)

    def factors(self, node: Element) -> list[Key]:
        """∂E/∂node as a product of keys, from the end of its chain down to the node."""
        chain = self.network.chain(node)
        slopes = [self.sheet.slope(a, b) for a, b in pairwise(chain)]
        return [self.total(chain[0]), *slopes]

    def paths(self, node: Element) -> list[list[Key]]:
        """∂E/∂node as a sum over its readers, each path a product of keys."""
        return [
            [*self.factors(reader), self.sheet.slope(reader, node)]
            for reader in self.network.readers[node]
        ]

    def short_paths(self, node: Element) -> list[list[Key]]:
        """The same sum with ∂E/∂reader as one factor."""
        return [
            [self.total(reader), self.sheet.slope(reader, node)]
            for reader in self.network.readers[node]
        ]

    # --- the factors that a chain needs -----------------------------------------------------

    def known(self, key: Key) -> bool:
        return key in self.sheet.labels

    def factor_blocks(self, node: Element) -> Iterator[Block]:
        """The displays of all factors of the chain of a node that were not shown before."""
        chain = self.network.chain(node)
        links = list(pairwise(chain))
        end = self.total(chain[0])
        if self.network.at_loss(chain[0]) and not self.known(end):
            yield self._error_block(chain[0])
        for of, by in links:
            if not self.known(self.sheet.slope(of, by)):
                yield self._slope_block(of, by)
        if not self.known(end):
            yield from self._junction_blocks(chain[0])

    def _error_block(self, node: Element) -> Block:
        """∂E/∂out at the output, straight from the loss."""
        display = self.sheet.define(self.total(node), self.network.adjoint(node))
        others = [
            self.sheet.symbol(e)
            for e in self.network.equations
            if e.name == node.name and e != node
        ]
        fused = node.name in self.network.fused
        first = f"fusion of {node.name}" not in self.told
        self.told.add(f"fusion of {node.name}")
        return Block(
            "factor_fused" if fused else "factor_error",
            {
                "display": display,
                "node": self.sheet.symbol(node),
                "others": others,
                "loss": self.problem.loss,
                "fusion": self._fusion(node) if fused and first else "",
            },
        )

    def _fusion(self, node: Element) -> Display:
        """How the derivative of the activation cancels against the loss, in index form."""
        form = IndexForm(self.problem)
        steps = [s for s in self.network.derivation.steps if s.quantity == node.name]
        equation = self.network.derivation.adjoint(node.name)
        rows = [form.tex(step.after) for step in steps if step.rule in AFTER_CHAIN]
        by = form.lhs(self.problem.graph.equation(node.name).lhs)
        lhs = rf"\frac{{\partial {self.sheet.symbol(Element('E'))}}}{{\partial {by}}}"
        rows.append(form.tex(equation.rhs))
        return Display(f"eq:fusion_{node.name}", lhs, tuple(dict.fromkeys(rows)), None)

    def _slope_block(self, of: Element, by: Element) -> Block:
        key = self.sheet.slope(of, by)
        display = self.sheet.define(key, self.network.slope(of, by))
        if self.network.kind(of) is Kind.NET:
            return Block("factor_weight", {"display": display, "by": self.sheet.symbol(by)})
        use = self.problem.layers[self._layer(of) - 1]
        slope = self.network.slope(of, by)
        told = f"slope of {use.activation}"
        first = told not in self.told
        self.told.add(told)
        plain = {of: OUTPUT, by: INPUT}
        return Block(
            "factor_slope",
            {
                "display": display,
                "of": self.sheet.symbol(of),
                "by": self.sheet.symbol(by),
                "activation": use.activation,
                "first": first,
                "in_output": of in slope.atoms(Element) and not use.couples,
                "function": "y = " + GENERAL.tex(self.network.equations[of].xreplace(plain))
                if not use.couples
                else "",
                "rule": r"\frac{dy}{dx} = " + GENERAL.tex(slope.xreplace(plain))
                if not use.couples
                else "",
            },
        )

    def _junction_blocks(self, node: Element) -> Iterator[Block]:
        """∂E/∂node where several nodes read it: one path for each of them."""
        for reader in self.network.readers[node]:
            yield from self.factor_blocks(reader)
        copies = []
        for reader in self.network.readers[node]:
            key = self.sheet.slope(reader, node)
            if not self.known(key):
                copies.append(
                    {
                        "tex": self.sheet.equal(key, self.network.slope(reader, node)),
                        "label": self.sheet.label(key),
                    }
                )
        paths, short = self.paths(node), self.short_paths(node)
        shown = [self.sheet.chain_tex(short)] if short != paths else []
        key = self.total(node)
        used = [self.sheet.labels[k] for path in paths for k in path[:-1] if k in self.sheet.labels]
        display = self.sheet.chain(key, paths, shown)
        readers = [self.sheet.symbol(r) for r in self.network.readers[node]]
        yield Block(
            "factor_paths",
            {
                "display": display,
                "node": self.sheet.symbol(node),
                "readers": readers,
                "copies": copies,
                "refs": list(dict.fromkeys(used)),
                "signs": self._signs(paths),
            },
        )

    def _signs(self, paths: Chain) -> str:
        """Whether the paths pull the same way, or against each other."""
        products = []
        for path in paths:
            sign = 1
            for key in path:
                entry = self.sheet.entries.get(key)
                exact = entry.exact if entry else None
                if exact is None:
                    return "unknown"
                sign *= compare(exact, Fraction(0))
            products.append(sign)
        if 1 in products and -1 in products:
            return "opposed"
        return "same" if 1 in products or -1 in products else "unknown"

    def _layer(self, node: Element) -> int:
        return self.problem.graph.quantities[node.name].layer

    # --- one weight -------------------------------------------------------------------------

    def weight_blocks(self, weight: Element, told: set[str]) -> Iterator[Block]:
        """The section of one weight; `told` collects what was explained before."""
        sheet, network = self.sheet, self.network
        readers = network.readers[weight]
        key = self.total(weight)
        terms = [[*self.factors(v), sheet.slope(v, weight)] for v in readers]
        before = {k for term in terms for k in term if self.known(k)}
        layer = self._layer(weight)
        hidden = layer < len(self.problem.layers)
        yield Block(
            "weight",
            {
                "name": sheet.symbol(weight),
                "label": "sec:" + sheet.name(weight).code,
                "loss": sheet.symbol(Element("E")),
                "formula": Display(
                    "eq:chain_" + sheet.name(weight).code,
                    sheet.symbol(key),
                    (sheet.chain_tex(terms),),
                    None,
                ),
                "first": not told,
                "first_hidden": hidden and "hidden" not in told,
                "first_in_layer": f"layer {layer}" not in told,
                "hidden": hidden,
                "several": self._several(readers),
                "bias": network.kind(weight) is Kind.BIAS,
                "shared": len(readers) > 1,
                "readers": [sheet.symbol(v) for v in readers],
                "known": [
                    {"tex": sheet.name(k).inline, "ref": sheet.labels[k]}
                    for k in dict.fromkeys(k for term in terms for k in term)
                    if k in before
                ],
                "known_count": len(before),
                "count": len(terms[0]),
            },
        )
        for reader in readers:
            yield from self.factor_blocks(reader)
        yield from self._last_factors(weight, readers)
        yield Block(
            "gradient",
            {"display": sheet.chain(key, terms), "name": sheet.symbol(weight), "hidden": hidden},
        )
        yield self._update_block(weight, key, hidden, told)
        told |= {"any", f"layer {layer}"} | ({"hidden"} if hidden else set())

    def _several(self, readers: tuple[Element, ...]) -> bool:
        """Whether more than one way leads from these net inputs to the error."""
        ends = [self.network.chain(reader)[0] for reader in readers]
        return any(
            not self.network.at_loss(end) and len(self.network.readers[end]) > 1 for end in ends
        )

    def _last_factors(self, weight: Element, readers: tuple[Element, ...]) -> Iterator[Block]:
        """∂net/∂w: what the weight multiplies."""
        for reader in readers:
            key = self.sheet.slope(reader, weight)
            if not self.known(key):
                display = self.sheet.define(key, self.network.slope(reader, weight))
                yield Block("factor_input", {"display": display, "name": self.sheet.symbol(weight)})

    def _update_block(self, weight: Element, key: Key, hidden: bool, told: set[str]) -> Block:
        sheet = self.sheet
        new = Element(weight.name + UPDATED, *weight.indices)
        if weight.name in self.problem.training.frozen:
            return Block("frozen", {"name": sheet.symbol(weight)})
        step = plain_step(self.problem.training.optimizer, self.problem.training.settings)
        display = sheet.define(new, step(weight, ALPHA, key))
        old_text, new_text = sheet.text(weight), sheet.text(new)
        return Block(
            "update",
            {
                "display": display,
                "name": sheet.symbol(weight),
                "old": old_text,
                "new": new_text,
                "first": not told,
                "first_hidden": hidden and "hidden" not in told,
                "hidden": hidden,
                "small": self._small(weight, key),
                **self._direction(weight, new),
            },
        )

    def _direction(self, weight: Element, new: Element) -> dict[str, object]:
        """Which way the weight moved, and whether that takes the output towards its target."""
        entry, after = self.sheet.entries[weight], self.sheet.entries.get(new)
        if entry.exact is None or after is None or after.exact is None:
            return {"moved": "unknown", "why": None}
        moved = compare(after.exact, entry.exact)
        word = {1: "up", -1: "down", 0: "same"}[moved]
        return {"moved": word, "why": self._why(weight)}

    def _small(self, weight: Element, key: Key) -> str:
        """The product of a gradient that is far below those told before, as a formula."""
        entry = self.sheet.entries.get(key)
        told = [
            abs(real(e.exact))
            for k, e in self.sheet.entries.items()
            if k != key and e.exact is not None and e.name.report.startswith("dE_total/dw")
        ]
        if (
            entry is None
            or entry.exact is None
            or not told
            or abs(real(entry.exact)) * 20 > max(told)
        ):
            return ""
        readers = self.network.readers[weight]
        if len(readers) != 1:
            return ""
        factors = [*self.factors(readers[0]), self.sheet.slope(readers[0], weight)]
        return ",\\quad ".join(f"{self.sheet.symbol(k)} = {self.sheet.text(k)}" for k in factors)

    def _why(self, weight: Element) -> dict[str, str] | None:
        """For a weight of the last layer: its output, the target, and which way it must go."""
        layer = self._layer(weight)
        use = self.problem.layers[-1]
        readers = self.network.readers[weight]
        if layer < len(self.problem.layers) or len(readers) != 1:
            return None
        output = Element(use.out, *readers[0].indices)
        target = Element("t", *readers[0].indices)
        if use.couples or output not in self.sheet.entries:
            return None
        out, wanted = self.sheet.entries[output], self.sheet.entries[target]
        if out.exact is None or wanted.exact is None or compare(out.exact, wanted.exact) == 0:
            return None
        slope = self.sheet.entries[self.sheet.slope(readers[0], weight)]
        if slope.exact is None or slope.exact == 0:
            return None
        return {
            "output": self.sheet.symbol(output),
            "output_text": self.sheet.text(output) or "",
            "target": self.sheet.symbol(target),
            "target_text": self.sheet.text(target) or "",
            "above": "yes" if compare(out.exact, wanted.exact) > 0 else "no",
            "factor_positive": "yes" if slope.exact > 0 else "no",
            "rising": "yes" if use.activation in ("logistic", "tanh", "identity") else "no",
        }
