"""Equations of one kind: proven once, for any sizes and quantities, and used by name.

Three dense layers are one equation in other names. What all of its kind have in common is a lemma
that speaks of none of them; the theorem of each layer follows from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from derive.certify.families import Edge, Families, Letters
from derive.certify.terms import conditions, sure, term
from derive.certify.words import Theorem, wrapped
from derive.expression import Element, Fresh, Index, elements, reads, substitute
from derive.graph import Equation

PROOF = """\
Proof.
  intros; eapply moves_as; [take_apart|reflexivity|].
  first [ sums | repeat match goal with |- context [total ?n ?f] =>
    lazymatch f with | context [_S1] => fail{moving} | _ => set (total n f) end end; sums ].
Qed."""


@dataclass(frozen=True)
class Kind:
    """What is said of all equations of a kind, and what one of them stands for in it."""

    statement: str
    moving: int
    sizes: tuple[int, ...]
    operands: tuple[str, ...]

    def lemma(self, name: str) -> str:
        """The lemma, under a name."""
        moving = "".join(f" | context [_S{k}] => fail" for k in range(2, self.moving + 1))
        return f"{wrapped(f'Lemma {name}', self.statement)}\n{PROOF.format(moving=moving)}"


class _Names:
    """Names for sizes, quantities and letters, in the order in which they are met."""

    def __init__(self, families: Families, equation: Equation, moving: Sequence[str]) -> None:
        self.families = families
        self.operands = reads(equation.rhs)
        self.moving = moving
        self.sizes: dict[int, str] = {}
        self.letters: dict[Index, str] = {}

    def of(self, name: str) -> str:
        """An operand."""
        return f"q{self.operands.index(name) + 1}"

    def size(self, length: int) -> str:
        """The length of an axis."""
        return self.sizes.setdefault(length, f"n{len(self.sizes) + 1}")

    def __call__(self, key: sympy.Expr) -> str:
        if isinstance(key, Index):
            return self.letters.setdefault(key, f"_l{len(self.letters) + 1}")
        if isinstance(key, Element):
            return self.at([self.of(key.name), *map(self, key.indices)])
        return self.size(int(key))

    def moved(self, key: sympy.Expr) -> str:
        """An operand that moves, as a function of the amount."""
        if isinstance(key, Element) and key.name in self.moving:
            place = self.moving.index(key.name) + 1
            return self.at([f"_F{place}", *map(self, key.indices), "_X"])
        return self(key)

    def at(self, parts: Sequence[str]) -> str:
        """A function at letters."""
        return f"({' '.join(parts)})" if len(parts) > 1 else parts[0]

    def forall(self, names: Sequence[str], shape: Sequence[int]) -> str:
        """For all letters within their axes."""
        inside = "".join(
            f"({a} < {self.size(n)})%nat -> " for a, n in zip(names, shape, strict=True)
        )
        return f"forall {' '.join(names)} : nat, {inside}" if names else ""


def kind_of(families: Families, name: str) -> Kind | None:
    """The kind of an equation; None for what has none, as a step of a recurrence."""
    equation = families.forward[name]
    read = set(reads(equation.rhs))
    out = families.out_of(name)
    slopes = [_opened(edge.slope, equation) for edge in out]
    plain = all(read.issuperset(reads(slope)) for slope in slopes)
    needs = (c for c in conditions(equation.rhs) if not sure(c, {}))
    if families.walks.of(name) or not plain or any(needs) or not out:
        return None
    moving = [n for n in reads(equation.rhs) if n in families.moving]
    names = _Names(families, equation, moving)
    letters = [names(i) for i in equation.indices]
    moved = term(equation.rhs, names.moved)
    value = term(equation.rhs, names)
    rate = " + ".join(
        _forth(names, equation, edge, slope) for edge, slope in zip(out, slopes, strict=True)
    )
    premises = [_premise(names, each, k) for k, each in enumerate(moving, 1)]
    front = names.forall(letters, families.quantity(name).shape)
    goal = f"{' '.join(premises)} {front}moves (fun _X => {moved}) ({value}) ({rate})"
    binders = [f"({n} : nat) (_{n} : (0 < {n})%nat)" for n in names.sizes.values()]
    binders += [f"({names.of(n)} : {_kind(families, n)})" for n in names.operands]
    for k, each in enumerate(moving, 1):
        kind = _kind(families, each)
        binders.append(f"(_F{k} : {kind} -> R) (_S{k} : {kind})")
    statement = f"{' '.join(binders)} : {goal}"
    return Kind(statement, len(moving), tuple(names.sizes), names.operands)


def _opened(slope: sympy.Expr, equation: Equation) -> sympy.Expr:
    """A slope in what the equation reads, where it is told in what the equation comes to."""
    own = {e for e in elements(slope) if e.name == equation.quantity.name}
    changed = {
        e: substitute(equation.rhs, dict(zip(equation.indices, e.indices, strict=True)), Fresh())
        for e in own
    }
    return slope.xreplace(changed)


def _forth(names: _Names, equation: Equation, edge: Edge, slope: sympy.Expr) -> str:
    change = dict(zip(edge.letters, equation.indices, strict=True))
    told = substitute(slope, change, Fresh())
    own = {i: Index(f"own{k}", i.axis) for k, i in enumerate(edge.own, 1)}
    told = substitute(told, own, Fresh())
    every = {**change, **own}
    place = [names(every.get(i, i)) for i in edge.place]
    speed = names.at([f"_S{names.moving.index(edge.by) + 1}", *place])
    body = f"({term(told, names)}) * {speed}"
    for i in reversed(edge.own):
        body = f"total {names.size(int(i.axis.size))} (fun {names(own[i])} => {body})"
    return body


def _premise(names: _Names, name: str, number: int) -> str:
    quantity = names.families.quantity(name)
    own = [f"_a{k}" for k, _ in enumerate(quantity.axes)]
    path, value, speed = (
        names.at([f, *own]) for f in (f"_F{number}", names.of(name), f"_S{number}")
    )
    return f"({names.forall(own, quantity.shape)}moves {path} {value} {speed}) ->"


def _kind(families: Families, name: str) -> str:
    return " -> ".join(["nat"] * len(families.quantity(name).axes) + ["R"])


# --- of a whole derivation ------------------------------------------------------------------


@dataclass(frozen=True)
class Kinds:
    """The lemmas of a derivation, and the kind of each equation that has one."""

    lemmas: tuple[Theorem, ...]
    of: Mapping[str, tuple[str, Kind]]


def kinds_of(w: Letters) -> Kinds:
    """The kinds of which there is more than one equation."""
    families = w.families
    moving = [n for n in families.moving if n in families.forward]
    every = {n: kind for n in moving if (kind := kind_of(families, n)) is not None}
    several = Counter(kind.statement for kind in every.values())
    names: dict[str, str] = {}
    lemmas: list[Theorem] = []
    of: dict[str, tuple[str, Kind]] = {}
    for name, kind in every.items():
        if several[kind.statement] > 1:
            if kind.statement not in names:
                lemma = names[kind.statement] = w.named(f"as_{w.of(name)}")
                lemmas.append(
                    Theorem(lemma, kind.lemma(lemma), f"every equation like that of {name}")
                )
            of[name] = (names[kind.statement], kind)
    return Kinds(tuple(lemmas), of)


def by_kind(w: Letters, lemma: str, kind: Kind) -> str:
    """The theorem of an equation by the lemma of its kind."""
    sizes = [part for n in kind.sizes for part in (w.size(n), w.named(f"{w.size(n)}_is_some"))]
    paths = [part for k in range(1, kind.moving + 1) for part in (f"_F{k}", f"_S{k}")]
    known = " ".join([lemma, *sizes, *map(w.of, kind.operands), *paths])
    return f"Proof. exact ({known}). Qed."
