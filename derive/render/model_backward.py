"""The backward pass of a model: each adjoint from its local derivatives, in order of computation.

A derivation that differs from an earlier one in nothing but names is not told twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from derive.expression import Chosen, Element, Index, Inside, elements, reads
from derive.graph import Block as Computed
from derive.graph import Derivation, Equation, Local, Role, Step, adjoint_name
from derive.notation import derivative
from derive.render.blocks import Block
from derive.render.index_writer import ROOM
from derive.render.matrix_form import matrix_form
from derive.render.model_form import ModelForm, deltas, open_letters, ranges, renamed
from derive.render.pictures.of_model import (
    attention_blocks,
    parameter_blocks,
    window_back_blocks,
)
from derive.render.pieces import width
from derive.render.positions import letter
from derive.render.sheet import Display
from derive.render.tensors import packed, tensor
from derive.render.walked import walked
from derive.render.worked import Bench
from derive.repeats import renamed as under_names
from derive.rules import Rule

LOCALLY = (Rule.LOCAL, Rule.OUTPUT)
BIG = r"\Bigl("  # a bracket that did not fit on one row


@dataclass(frozen=True)
class Told:
    """A local derivative: as the calculus finds it, and as it is used."""

    local: Local
    found: sympy.Expr
    used: sympy.Expr


@dataclass(frozen=True)
class Backward:
    """What the backward pass is told from; `bench` is missing where there are no numbers."""

    form: ModelForm
    bench: Bench | None
    known: dict[Hashable, str] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    @property
    def derivation(self) -> Derivation:
        """The derivation that is told."""
        return self.form.derivation

    def blocks(self) -> Iterator[Block]:
        """One block for each adjoint; a recurrence is announced."""
        upstream = self.form.problem.upstream
        yield Block("model_backward", {"loss": self.form.names.loss().tex})
        alike: list[Block] = []
        for block in self.derivation.backward.blocks:
            walk = frozenset(e.quantity.name for e in block.equations if block.step)
            told = [self._one(equation, upstream, walk) for equation in block.equations]
            if block.step and not all(self._is_alike(each) for each in told):
                yield from self._together(alike)
                alike = []
                yield self._recurrence(block)
            for equation, each in zip(block.equations, told, strict=True):
                if self._is_alike(each):
                    alike.append(each)
                else:
                    yield from self._together(alike)
                    alike = []
                    yield each
                    yield from self._pictures(equation)
        yield from self._together(alike)
        yield from parameter_blocks(self.form, self.bench)

    def _pictures(self, equation: Equation) -> Iterator[Block]:
        """What is drawn of a derivative."""
        name = equation.quantity.name.removeprefix(adjoint_name(""))
        yield from window_back_blocks(self.form, self.bench, name)
        yield from attention_blocks(self.form, self.bench, name)

    def _one(self, equation: Equation, upstream: Mapping[str, str], walk: frozenset[str]) -> Block:
        name = equation.quantity.name.removeprefix(adjoint_name(""))
        only = [e.quantity.role for e in self._readers(name)] == [Role.LOSS]
        if name in upstream and only:
            return self._given(equation, name, upstream[name])
        if not self._readers(name):
            return self._unreached(equation, name)
        return self._adjoint(equation, name, walk)

    @staticmethod
    def _is_alike(block: Block) -> bool:
        return bool(block.fields.get("like"))

    def _together(self, alike: list[Block]) -> Iterator[Block]:
        """Derivatives that go like earlier ones, one after the other."""
        if alike:
            lines = [line for block in alike for line in block["lines"]]
            refs = list(dict.fromkeys(block["like_ref"] for block in alike))
            yield Block(
                "model_likes",
                {
                    "names": [block["name"] for block in alike],
                    "derivative": self.form.names.loss().tex,
                    "refs": refs,
                    "displays": [block["display"] for block in alike],
                    "lines": lines,
                },
            )

    def _recurrence(self, block: Computed) -> Block:
        names = [
            self.form.said(self._forward(e.quantity.name.removeprefix(adjoint_name(""))).lhs)
            for e in block.equations
        ]
        single, fields = walked(block, {"names": names})
        return Block("model_recurrence_back" if single else "model_places_back", fields)

    def _forward(self, name: str) -> Equation:
        return self.derivation.forward.equation(name)

    def _readers(self, name: str) -> list[Equation]:
        """The equations through which a quantity reaches the loss."""
        found = [each.of for each in self.derivation.locals if each.by == name]
        return [self._forward(of) for of in found]

    def _stands_aside(self, name: str) -> bool:
        """Whether equations that do not lead to the loss read the quantity, too."""
        return len(self.derivation.forward.readers(name)) > len(self._readers(name))

    def _given(self, equation: Equation, name: str, constant: str) -> Block:
        display = Display(f"eq:d-{name}", self.form.lhs(equation), (self._tex(equation),), None)
        return Block(
            "model_upstream",
            {
                "name": self.form.symbol(name),
                "constant": self.form.symbol(constant),
                "display": display,
            },
        )

    def _unreached(self, equation: Equation, name: str) -> Block:
        """A quantity on which the loss does not depend."""
        display = Display(f"eq:d-{name}", self.form.lhs(equation), (self._tex(equation),), None)
        fields = {
            "name": self.form.said(Element(name, *self.form.letters(name))),
            "derivative": self.form.names.loss().tex,
            "display": display,
        }
        return Block("model_unreached", fields)

    def _tex(self, equation: Equation) -> str:
        return self.form.rows(equation.rhs, ROOM - width(self.form.lhs(equation)))

    # --- one adjoint ------------------------------------------------------------------------

    def _adjoint(self, equation: Equation, name: str, walk: frozenset[str]) -> Block:
        told = self._told(name)
        steps = [s for s in self.derivation.steps if s.quantity == name]
        key = _signature(name, told, steps)
        like = self.known.get(key, "")
        self.known.setdefault(key, name)
        chain = next(s for s in steps if s.rule == Rule.CHAIN)
        paths = [t for t in told if not self._is_loss(t.local.of)]
        locals_ = [] if like else [self._local(t) for t in paths]
        left = self.form.letters(name)
        gone = deltas(chain.before) - deltas(chain.after)
        collected = any(s.rule == Rule.COLLECTED for s in steps)
        fields = {
            "name": self.form.said(Element(name, *left)),
            "derivative": self.form.names.loss().tex,
            "readers": [self.form.said(self._forward(t.local.of).lhs) for t in told],
            "aside": self._stands_aside(name),
            "direct": any(self._is_loss(t.local.of) for t in told),
            "paths": len(paths),
            "locals": locals_,
            "display": self._chain(equation, name, told, steps, bool(like)),
            "collapsed": not like and gone > 0 and self._once(f"collapsed {min(gone, 2)}"),
            "several": gone > 1,
            "indicator": not like and deltas(chain.after) > 0,
            "guard": not like and chain.after.has(Inside),
            "winner": not like and chain.after.has(Chosen),
            "output": not like and any(t.found != t.used for t in told) and self._once("output"),
            "collected": collected,
            "averages": self._averages(name, steps) if collected else [],
            "cancel": any(s.rule == Rule.CANCEL for s in steps),
            "normalised": any(s.rule == Rule.NORMALISED for s in steps),
            "like": self.form.whole(like) if like else "",
            "like_ref": f"eq:d-{like}",
            "recurrent": bool(walk),
            "ranges": ranges(i for i in open_letters(equation) if i.name in self.form.bounds),
            **self._numbers(equation, bool(like), walk),
        }
        return Block("model_adjoint", fields)

    def _averages(self, name: str, steps: list[Step]) -> list[dict[str, str]]:
        """The derivatives that a collected one puts in, with where they stand."""
        chain = next(s for s in steps if s.rule == Rule.CHAIN)
        left, prefix = reads(steps[-1].after), adjoint_name("")
        gone = [n for n in reads(chain.after) if n.startswith(prefix) and n not in left]
        inner = [each.removeprefix(prefix) for each in gone]
        return [{"name": self.form.whole(n), "ref": f"eq:d-{n}"} for n in inner if n != name]

    def _once(self, what: str) -> bool:
        """Whether something is still to be explained."""
        before = len(self.said)
        self.said.add(what)
        return len(self.said) > before

    def _is_loss(self, name: str) -> bool:
        return self.derivation.forward.quantities[name].role is Role.LOSS

    def _told(self, name: str) -> list[Told]:
        """The local derivatives by a quantity, in the order of its readers."""
        found: list[tuple[sympy.Expr, sympy.Expr]] = []
        for step in self.derivation.steps:
            if step.quantity == name and step.rule == Rule.LOCAL:
                found.append((step.after, step.after))
            elif step.quantity == name and step.rule == Rule.OUTPUT:
                found[-1] = (found[-1][0], step.after)
        locals_ = [each for each in self.derivation.locals if each.by == name]
        return [Told(each, *pair) for each, pair in zip(locals_, found, strict=True)]

    def _local(self, told: Told) -> Display:
        """∂y/∂q in letters of its own."""
        local = told.local
        own, exprs = renamed(
            (told.found, told.used), local.indices, local.at, self.form.taken, self.form.alphabet
        )
        lhs = self._slope(local, own)
        rows = [self.form.rows(e, ROOM - width(lhs)) for e in exprs]
        if rows[0] != rows[1] and BIG in rows[0]:
            rows.pop(0)  # nobody reads what is much simpler in the next row
        label = f"eq:d-{local.of}-{local.by}"
        return Display(label, lhs, tuple(dict.fromkeys(rows)), None)

    def _slope(self, local: Local, own: Sequence[sympy.Expr]) -> str:
        of = self.form.entry(Element(local.of, *own))
        return derivative(of, self.form.entry(Element(local.by, *local.at))).tex

    def _chain(
        self, equation: Equation, name: str, told: list[Told], steps: list[Step], again: bool
    ) -> Display:
        """∂E/∂q from the chain rule down to its last form, which is enough where it was told."""
        lhs = self.form.lhs(equation)
        room = ROOM - width(lhs)
        rows = []
        if any(not self._is_loss(t.local.of) for t in told):
            rows.append(self._general(told, room))
        else:
            rows += [self.form.rows(t.found, room) for t in told if len(told) == 1]
        for step in steps:
            if step.rule not in LOCALLY:
                rows.append(self.form.rows(step.after, room))
        if self.bench is not None and not equation.indices:
            return self.bench.completed(f"eq:d-{name}", equation, rows)
        rows = list(dict.fromkeys(rows))
        return Display(f"eq:d-{name}", lhs, tuple(rows[-1:] if again else rows), None)

    def _general(self, told: list[Told], room: int) -> str:
        """The chain rule over all readers; what the loss reads itself is differentiated."""
        parts = []
        for each in told:
            local = each.local
            own, (used,) = renamed(
                (each.used,), local.indices, local.at, self.form.taken, self.form.alphabet
            )
            if self._is_loss(each.local.of):
                parts.append(self.form.tex(used))
                continue
            above = self.form.leaf(Element(adjoint_name(each.local.of), *own)).tex
            sign = self._sum(own)
            parts.append(rf"{sign}{above}\,{self._slope(each.local, own)}")
        lines = [""]
        for part in parts:
            if lines[-1] and width(lines[-1]) + width(part) > room:
                lines.append("")
            lines[-1] += f" {_added(part)}" if lines[-1] else part
        return self.form.script.break_line.join([lines[0], *map(_added, lines[1:])])

    def _sum(self, indices: Sequence[Index]) -> str:
        """The sign of a sum over letters; those that have several sizes state theirs."""
        plain = [i for i in indices if i.name not in self.form.bounds]
        signs = [rf"\sum_{{{','.join(letter(i.name) for i in plain)}}} "] if plain else []
        for index in indices:
            if index not in plain:
                last = index.axis.size - 1
                signs.append(rf"\sum_{{{letter(index.name)}=0}}^{{{last}}} ")
        return "".join(signs)

    def _numbers(self, equation: Equation, again: bool, walk: frozenset[str]) -> dict[str, object]:
        """Matrix form, one worked entry and the values."""
        backward = self.derivation.backward
        tex = "" if again else matrix_form(self.form, backward, equation)
        if self.bench is None or not equation.indices:
            return {"matrix": {"tex": tex}, "worked": None, "lines": []}
        lines = packed(tensor(self.form, self.bench.values, equation.quantity.name))
        worked = self.bench.worked(equation, walk, again)
        return {"matrix": {"tex": tex}, "worked": worked, "lines": lines}


def _added(part: str) -> str:
    """A term after others, with its sign before it."""
    return f"- {part.removeprefix('-').lstrip()}" if part.startswith("-") else f"+ {part}"


def _signature(name: str, told: list[Told], steps: list[Step]) -> Hashable:
    """A derivation with every name replaced by the number of its appearance."""
    exprs = [e for t in told for e in (t.found, t.used)]
    exprs += [s.after for s in steps if s.rule not in LOCALLY]
    names = [name, adjoint_name(name)]
    for t in told:
        names += [t.local.of, adjoint_name(t.local.of)]
    names += [element.name for expr in exprs for element in elements(expr)]
    numbers = {each: str(k) for k, each in enumerate(dict.fromkeys(names))}
    return tuple(under_names(expr, numbers) for expr in exprs), tuple(t.local.at for t in told)
