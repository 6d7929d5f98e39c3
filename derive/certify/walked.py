"""The definitions and lemmas of recurrences: every one is for any number of steps.

A recurrence is computed by `earlier` from what is carried on, its derivatives by `later` from what
comes back. Whatever is said of all steps is proven by induction over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from derive.certify.families import Edge, Letters
from derive.certify.steps import AFTER, BEFORE, Walk
from derive.certify.words import wrapped

State = Sequence[str]


def letters_of(w: Letters, name: str) -> list[str]:
    """The letters at which a quantity is told."""
    return [w.letter(i) for i in w.families.letters(name)]


def rest_kind(w: Letters, name: str) -> str:
    """The type of a quantity at one step."""
    axes = w.families.quantity(name).axes[1:]
    return " -> ".join(["nat"] * len(axes) + ["R"])


def _zero(w: Letters, name: str) -> str:
    letters = "_ " * (len(w.families.quantity(name).axes) - 1)
    return f"(fun {letters}=> 0)" if letters else "0"


def _part(state: str, place: int, count: int) -> str:
    """One of what is carried on, as pairs within pairs from the left."""
    found = state
    for _ in range(count - 1 - place):
        found = f"(fst {found})"
    return f"(snd {found})" if place and count > 1 else found


def _steps(
    w: Letters, names: State, by: str, inner: Sequence[tuple[str, str]], last: Sequence[str]
) -> str:
    """A walk: what is carried on at first, and what a step makes of it."""
    first = ", ".join(_zero(w, n) for n in names)
    lets = "".join(f"let {name} := {value} in " for name, value in inner)
    return f"{by} ({first}) (fun _T _S => {lets}({', '.join(last)}))"


def _state_kind(w: Letters, names: State) -> str:
    return " * ".join(f"({rest_kind(w, n)})" for n in names)


def _fun(letters: Sequence[str], body: str) -> str:
    return f"(fun {' '.join(letters)} => {body})" if letters else body


def walk_definitions(
    w: Letters,
    walk: Walk,
    pattern: str,
    binder: str,
    arguments: str,
    body: Callable[[str], str],
    nudge: Callable[[str], str],
) -> Iterator[str]:
    """Quantities of a walk, or their movements, or rates: what is carried on, then each of them.

    `body` is what an equation is within a step, where names stand without `arguments`.
    """
    carried = walk.carried
    steps = w.role(f"{pattern}_steps", walk.first)
    inner = []
    for place, name in enumerate(carried):
        own = letters_of(w, name + BEFORE)
        value = " ".join([_part("_S", place, len(carried)), *own[1:]])
        back = w.role(pattern, name + BEFORE)
        inner.append((back, _fun(own, f"{value}{nudge(name + BEFORE)}")))
    inner += [(w.role(pattern, n), _fun(letters_of(w, n), body(n))) for n in walk.names]
    last = [f"{w.role(pattern, n)} _T" for n in carried]
    kind = f"nat -> {_state_kind(w, carried)}"
    yield wrapped(
        f"Definition {steps}{binder} : {kind} :=", _steps(w, carried, "earlier", inner, last)
    )
    for place, name in enumerate(carried):
        own = letters_of(w, name + BEFORE)
        state = f"({steps}{arguments} {own[0]})"
        value = " ".join([_part(state, place, len(carried)), *own[1:]])
        prior = w.role(f"{pattern}_prior", name + BEFORE)
        head = f"{binder} ({' '.join(own)} : nat) : R :="
        yield wrapped(f"Definition {prior}{head}", value)
        value = f"{prior}{arguments} {' '.join(own)}{nudge(name + BEFORE)}"
        yield wrapped(f"Definition {w.role(pattern, name + BEFORE)}{head}", value)


def adjoint_definitions(w: Letters, walk: Walk, body: Callable[[str], str]) -> Iterator[str]:
    """The derivatives of a walk: what comes back from the step after it, then each of them."""
    back = walk.carried
    adjoints = w.families.adjoints
    size = w.size(int(adjoints[walk.first].indices[0].axis.size))
    steps = w.role("{}_steps_back", walk.first)

    def own(name: str) -> list[str]:
        return [w.letter(i) for i in adjoints[name].indices]

    def after(name: str) -> str:
        return w.adjoint(name + AFTER)

    inner = []
    for place, name in enumerate(back):
        value = " ".join([_part("_S", place, len(back)), *own(name)[1:]])
        inner.append((after(name), _fun(own(name), value)))
    inner += [(w.adjoint(n), _fun(own(n), body(n))) for n in walk.names]
    last = [f"{w.adjoint(n)} _T" for n in back]
    kind = f"nat -> {_state_kind(w, back)}"
    yield wrapped(f"Definition {steps} : {kind} :=", _steps(w, back, f"later {size}", inner, last))
    for place, name in enumerate(back):
        value = _part(f"({steps} _T)", place, len(back))
        kind = rest_kind(w, name)
        yield wrapped(f"Definition {after(name)} (_T : nat) : {kind} :=", value)
    for name in walk.names:
        head = f"Definition {w.adjoint(name)} ({' '.join(own(name))} : nat) : R :="
        yield wrapped(head, body(name))
    for name in back:
        yield (
            f"Lemma {came_back(w, name)} _T :\n"
            f"  (S _T < {size})%nat -> {after(name)} _T = {w.adjoint(name)} (S _T).\n"
            f"Proof. intros. unfold {after(name)}, {steps}. rewrite later_next by assumption. "
            "reflexivity. Qed."
        )
        yield (
            f"Lemma {none_came(w, name)} _T :\n"
            f"  ({size} <= S _T)%nat -> {after(name)} _T = {_zero(w, name)}.\n"
            f"Proof. intros. unfold {after(name)}, {steps}. rewrite later_none by assumption. "
            "reflexivity. Qed."
        )


def came_back(w: Letters, name: str) -> str:
    """The lemma that what came back is the derivative of the step after."""
    return w.named(f"{w.adjoint(name + AFTER)}_is")


def none_came(w: Letters, name: str) -> str:
    """The lemma that at the last step nothing came back."""
    return w.named(f"{w.adjoint(name + AFTER)}_none")


def beyond(w: Letters) -> Iterator[str]:
    """What the derivatives of a walk read one step ahead; beyond the last step it is zero."""
    for name in w.families.walks.beyond:
        own = letters_of(w, name)
        size = w.size(w.families.quantity(name).shape[0])
        value = f"after {size} (fun {own[0]} => {' '.join([w.of(name), *own])}) {own[0]}"
        head = f"Definition {w.of(name + AFTER)} ({' '.join(own)} : nat) : R :="
        yield wrapped(head, value)


# --- movements ------------------------------------------------------------------------------


def carried_move(w: Letters, walk: Walk) -> Iterator[str]:
    """What is carried to a step moves, as a proposition."""
    parts = []
    for name in walk.carried:
        mine = letters_of(w, name + BEFORE)
        parts.append(_move(w, name + BEFORE, mine))
    goal = " /\\ ".join([*(f"({part})" for part in parts), "True"])
    head = f"Definition {w.role('{}_carried_moves', walk.first)} "
    yield wrapped(f"{head}(_D : positive -> list nat -> R) (_T : nat) : Prop :=", goal)


def _within(w: Letters, name: str, mine: Sequence[str]) -> str:
    shape = w.families.quantity(name).shape
    if len(mine) < 2:
        return ""
    inside = "".join(
        f"({a} < {w.size(n)})%nat -> " for a, n in zip(mine[1:], shape[1:], strict=True)
    )
    return f"forall {' '.join(mine[1:])} : nat, {inside}"


def _move(w: Letters, name: str, mine: Sequence[str], step: str = "_T") -> str:
    at = " ".join([step, *mine[1:]])
    moved, rate = w.role("{}_moved", name), w.role("{}_rate", name)
    whole = f"fun _X => {moved} _D _X {at}"
    return f"{_within(w, name, mine)}moves ({whole}) ({w.of(name)} {at}) ({rate} _D {at})"


def carried_lemma(w: Letters, walk: Walk) -> str:
    """By induction over the steps: what is carried to any step moves."""
    size = w.size(w.families.quantity(walk.first).shape[0])
    goal = w.role("{}_carried_moves", walk.first)
    name = w.role("{}_carried", walk.first)
    base, step = [], []
    for each in walk.carried:
        mine = letters_of(w, each + BEFORE)[1:]
        number = w.role("at_{}", each + BEFORE)
        inside = " ".join([*mine, *(f"_H{k}" for k, _ in enumerate(mine))])
        intro = f"intros {inside}; " if mine else ""
        at = "; ".join(["0%nat", *mine])
        base.append(
            f"{intro}exact (moves_on (fun _ => 0) 0 0 (_D {number} [{at}]) (moves_const 0))"
        )
        at = "; ".join(["S _T", *mine])
        moved, rate = w.role("{}_moved", each), w.role("{}_rate", each)
        places = " ".join(["_T", *mine])
        known = " ".join([w.role("{}_moves_at", each), "_D _T ltac:(lia) (_I ltac:(lia))", inside])
        step.append(
            f"{intro}exact (moves_on (fun _X => {moved} _D _X {places}) ({w.of(each)} {places})"
            f" ({rate} _D {places}) (_D {number} [{at}])\n      ({known}))"
        )
    opened = f"unfold {goal}; refine ({'conj _ (' * len(walk.carried)}I{')' * len(walk.carried)})"
    lines = [
        f"Lemma {name} (_D : positive -> list nat -> R) _T : (_T < {size})%nat -> {goal} _D _T.",
        "Proof.",
        "  induction _T as [|_T _I]; intros _L.",
        f"  - {opened}; [{_either(base)}].",
        f"  - {opened}; [{_either(step)}].",
        "Qed.",
    ]
    return "\n".join(lines)


def _either(proofs: Sequence[str]) -> str:
    return "\n    | ".join(proofs)


def moves_at(w: Letters, walk: Walk, name: str, given: Callable[[str], str]) -> str:
    """A quantity moves at a step if what is carried to it does."""
    mine = letters_of(w, name)
    size = w.size(w.families.quantity(name).shape[0])
    goal = w.role("{}_carried_moves", walk.first)
    moved, rate = w.role("{}_moved", name), w.role("{}_rate", name)
    lemma = w.role("{}_moves_at", name)
    statement = f"(_T < {size})%nat -> {goal} _D _T -> {_move(w, name, mine)}"
    return "\n".join(
        [
            wrapped(f"Lemma {lemma} (_D : positive -> list nat -> R) _T :", statement),
            "Proof.",
            f"  intros _L _B. intros. unfold {moved}, {rate}. {given(name)}",
            "Qed.",
        ]
    )


def moves_always(w: Letters, walk: Walk, name: str) -> str:
    """A quantity of a walk moves at every step."""
    mine = letters_of(w, name)
    size = w.size(w.families.quantity(name).shape[0])
    lemma, carried = w.role("{}_moves", name), w.role("{}_carried", walk.first)
    rest, shape = mine[1:], w.families.quantity(name).shape[1:]
    inside = "".join(f"({a} < {w.size(n)})%nat -> " for a, n in zip(rest, shape, strict=True))
    at = " ".join(["_T", *rest])
    moved, rate = w.role("{}_moved", name), w.role("{}_rate", name)
    moving = f"moves (fun _X => {moved} _D _X {at}) ({w.of(name)} {at}) ({rate} _D {at})"
    statement = f"forall {at} : nat, (_T < {size})%nat -> {inside}{moving}"
    if name.endswith(BEFORE):
        place = walk.carried.index(name.removesuffix(BEFORE))
        known = projected(place, f"({carried} _D _T _L)")
    else:
        known = f"{w.role('{}_moves_at', name)} _D _T _L ({carried} _D _T _L)"
    head = wrapped(f"Lemma {lemma} (_D : positive -> list nat -> R) :", statement)
    return f"{head}\nProof. intros {at} _L. exact ({' '.join([f'({known})', *rest])}). Qed."


def projected(place: int, proof: str) -> str:
    """One of several propositions that end with True."""
    for _ in range(place):
        proof = f"(proj2 {proof})"
    return f"proj1 {proof}"


# --- the edge to the step before ---------------------------------------------------------------


def prior(w: Letters, edge: Edge, mine: Sequence[str]) -> str:
    """The rate of what an edge reads a step back."""
    return f"({w.role('{}_rate_prior', edge.of)} _D {' '.join(mine)})"


def come_back(w: Letters, edge: Edge, mine: Sequence[str]) -> str:
    """What the derivative at a step has from the step after it."""
    size = w.size(int(edge.letters[0].axis.size))
    inner = " ".join([w.adjoint(edge.of), *mine])
    return f"after {size} (fun {mine[0]} => {inner}) {mine[0]}"
