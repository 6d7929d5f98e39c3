"""Equations of one kind: proven once, for any sizes and quantities, and used by name.

Three dense layers are one equation in other names. What all of its kind have in common is a lemma
that speaks of none of them; the theorem of each layer follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from derive.certify.families import Edge, Families, Letters, free_letters
from derive.certify.terms import Condition, conditions, sure, term
from derive.certify.words import Theorem, wrapped
from derive.expression import Element, Fresh, Index, elements, reads, substitute
from derive.graph import Equation, Role

PROOF = """\
Proof.
  intros; eapply moves_as; [take_apart|reflexivity|].
  first [ sums | repeat match goal with |- context [total ?n ?f] =>
    lazymatch f with {moving}| _ => set (total n f) end end; sums ].
Qed."""


@dataclass(frozen=True)
class Kind:
    """What is said of all equations of a kind, and what one of them stands for in it.

    Equations with the same `value` are of one kind, though not all that they read moves.
    """

    value: str
    statement: str
    sizes: tuple[int, ...]
    operands: tuple[str, ...]
    moving: tuple[str, ...]

    def lemma(self, name: str) -> str:
        """The lemma, under a name."""
        moving = "".join(f"| context [_S{k}] => fail " for k, _ in enumerate(self.moving, 1))
        return f"{wrapped(f'Lemma {name}', self.statement)}\n{PROOF.format(moving=moving)}"


class _Names:
    """Names for sizes, operands and letters, in the order in which they are met."""

    def __init__(self, families: Families, equation: Equation) -> None:
        self.families = families
        read = reads(equation.rhs)
        self.operands = sorted(read, key=lambda name: (*self._rank(name), read.index(name)))
        self.moving = [n for n in self.operands if n in families.moving]
        self.sizes: dict[int, str] = {}
        self.letters: dict[Index, str] = {}

    def _rank(self, name: str) -> tuple[bool, int]:
        """Parameters first, and what has most axes: not as names happen to be sorted."""
        quantity = self.families.quantity(name)
        return quantity.role is not Role.PARAMETER, -len(quantity.axes)

    def of(self, name: str) -> str:
        """An operand."""
        return f"q{self.operands.index(name) + 1}"

    def plain(self, expr: sympy.Expr) -> sympy.Expr:
        """An expression with these names for its operands, so that its parts are in their order."""
        names = {e: Element(self.of(e.name), *e.indices) for e in elements(expr)}
        return expr.xreplace(names)

    def size(self, length: int) -> str:
        """The length of an axis."""
        return self.sizes.setdefault(length, f"n{len(self.sizes) + 1}")

    def __call__(self, key: sympy.Expr) -> str:
        if isinstance(key, Index):
            return self.letters.setdefault(key, f"_l{len(self.letters) + 1}")
        if isinstance(key, Element):
            return at(key.name, [*map(self, key.indices)])
        return self.size(int(key))

    def moved(self, key: sympy.Expr) -> str:
        """An operand that moves, as a function of the amount."""
        known = [self.of(n) for n in self.moving]
        if isinstance(key, Element) and key.name in known:
            return at(f"_F{known.index(key.name) + 1}", [*map(self, key.indices), "_X"])
        return self(key)

    def forall(self, names: Sequence[str], shape: Sequence[int]) -> str:
        """For all letters within their axes."""
        if not names:
            return ""
        return f"forall {' '.join(names)} : nat, {self.within(names, shape)}"

    def within(self, names: Sequence[str], shape: Sequence[int]) -> str:
        """Letters within their axes."""
        pairs = zip(names, shape, strict=True)
        return "".join(f"({a} < {self.size(n)})%nat -> " for a, n in pairs)


def kind_of(families: Families, name: str) -> Kind | None:
    """The kind of an equation; None for what has none, as a step of a recurrence."""
    equation = families.forward[name]
    read = set(reads(equation.rhs))
    out = families.out_of(name)
    slopes = [_opened(edge.slope, equation) for edge in out]
    plain = all(read.issuperset(reads(slope)) for slope in slopes)
    if families.walks.of(name) or not plain or not out or families.fixed([equation.rhs]):
        return None
    names = _Names(families, equation)
    letters = [names(i) for i in equation.indices]
    rhs = names.plain(equation.rhs)
    value, moved = term(rhs, names), term(rhs, names.moved)
    needs = dict.fromkeys(c for c in conditions(rhs) if not sure(c, {}))
    premises = [_premise(names, each, k) for k, each in enumerate(names.moving, 1)]
    premises += [f"({_needed(names, each)}) ->" for each in needs]
    inside = names.within(letters, families.quantity(name).shape)
    rate = " + ".join(
        _forth(names, equation, edge, slope) for edge, slope in zip(out, slopes, strict=True)
    )
    goal = f"{' '.join(premises)} {inside}moves (fun _X => {moved}) ({value}) ({rate})"
    operands = [f"({names.of(n)} : {_kind(families, n)})" for n in names.operands]
    binders = [f"({n} : nat) (_{n} : (0 < {n})%nat)" for n in names.sizes.values()] + operands
    for k, each in enumerate(names.moving, 1):
        kind = _kind(families, each)
        binders.append(f"(_F{k} : {kind} -> R) (_S{k} : {kind})")
    binders += [f"({' '.join(letters)} : nat)"] if letters else []
    shapes = [names.size(n) for q in (name, *names.operands) for n in families.quantity(q).shape]
    return Kind(
        f"{operands} {shapes} {value}",
        f"{' '.join(binders)} : {goal}",
        tuple(names.sizes),
        tuple(names.operands),
        tuple(names.moving),
    )


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
    own = {i: Index(f"own{k}", i.axis) for k, i in enumerate(edge.own, 1)}
    told = substitute(substitute(slope, change, Fresh()), own, Fresh())
    every = {**change, **own}
    place = [names(every.get(i, i)) for i in edge.place]
    speed = at(f"_S{names.moving.index(edge.by) + 1}", place)
    body = f"({term(names.plain(told), names)}) * {speed}"
    for i in reversed(edge.own):
        body = f"total {names.size(int(i.axis.size))} (fun {names(own[i])} => {body})"
    return body


def _premise(names: _Names, name: str, number: int) -> str:
    quantity = names.families.quantity(name)
    own = [f"_a{k}" for k, _ in enumerate(quantity.axes)]
    path, value, speed = (at(f, own) for f in (f"_F{number}", names.of(name), f"_S{number}"))
    return f"({names.forall(own, quantity.shape)}moves {path} {value} {speed}) ->"


def _needed(names: _Names, condition: Condition) -> str:
    letters = free_letters(condition)
    sizes = [int(i.axis.size) for i in letters]
    return names.forall([names(i) for i in letters], sizes) + condition.text(names)


def _kind(families: Families, name: str) -> str:
    return " -> ".join(["nat"] * len(families.quantity(name).axes) + ["R"])


def at(function: str, letters: Sequence[str]) -> str:
    """A function at letters, as a term that stands alone."""
    return f"({' '.join([function, *letters])})" if letters else function


# --- of a whole derivation ------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """The lemma of an equation: that of its kind in which most moves."""

    lemma: str
    general: Kind
    own: Kind


@dataclass(frozen=True)
class Kinds:
    """The lemmas of a derivation, and the one of each equation that has one."""

    lemmas: tuple[Theorem, ...]
    of: Mapping[str, Known]


def kinds_of(w: Letters) -> Kinds:
    """The kinds of which there is more than one equation."""
    families = w.families
    computed = [n for n in families.moving if n in families.forward]
    every = {n: kind for n in computed if (kind := kind_of(families, n)) is not None}
    kinds: dict[str, list[str]] = {}
    for name, kind in every.items():
        kinds.setdefault(kind.value, []).append(name)
    lemmas: list[Theorem] = []
    of: dict[str, Known] = {}
    for names in kinds.values():
        general = max(names, key=lambda name: len(every[name].moving))
        if len(names) > 1:
            lemma = w.named(f"as_{w.of(general)}")
            about = f"every equation like that of {general}"
            lemmas.append(Theorem(lemma, every[general].lemma(lemma), about))
            of |= {name: Known(lemma, every[general], every[name]) for name in names}
    return Kinds(tuple(lemmas), of)


def by_kind(w: Letters, known: Known, name: str, paths: Sequence[str]) -> str:
    """The theorem of an equation by the lemma of its kind; `paths` are what moves, in order."""
    own, general = known.own, known.general
    parts = [part for n in own.sizes for part in (w.size(n), w.named(f"{w.size(n)}_is_some"))]
    parts += map(w.of, own.operands)
    for each in general.moving:
        operand = own.operands[general.operands.index(each)]
        if operand in paths:
            number = paths.index(operand) + 1
            parts += [f"_F{number}", f"_S{number}"]
        else:
            letters = [f"_a{k}" for k, _ in enumerate(w.families.quantity(operand).axes)]
            still = at(w.of(operand), letters)
            parts.append(f"(fun {' '.join([*letters, '_'])} => {still})")
            parts.append(f"(fun {' '.join(letters)} => 0)" if letters else "0")
    parts += [w.letter(i) for i in w.families.letters(name)]
    slopes = ", ".join(dict.fromkeys(map(w.slope, w.families.out_of(name))))
    opened = f"first [sums | unfold {w.of(name)}, {w.role('{}_of', name)}; sums]"
    return (
        f"Proof.\n  intros. eapply moves_as; [apply ({' '.join([known.lemma, *parts])});\n"
        "    first [assumption | intros; apply moves_const | intros; surely]\n"
        f"  | reflexivity | first [reflexivity | unfold {slopes}; {opened}]].\nQed."
    )
