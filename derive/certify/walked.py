"""The definitions and lemmas of recurrences: every one is for any number of steps.

A recurrence is computed by `earlier` from what is carried on, its derivatives by `later` from what
comes back. Whatever is said of all steps is proven by induction over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from derive.certify.families import Edge, Letters
from derive.certify.steps import Walk, plain_name
from derive.certify.words import wrapped

State = Sequence[str]


def letters_of(w: Letters, name: str) -> list[str]:
    """The letters at which a quantity is told."""
    return [w.letter(i) for i in w.families.letters(name)]


def rest_kind(w: Letters, name: str) -> str:
    """The type of a quantity at one step."""
    axes = w.families.quantity(plain_name(name)).axes[1:]
    return " -> ".join(["nat"] * len(axes) + ["R"])


def zero(w: Letters, name: str) -> str:
    """What is carried to the step with which a recurrence begins: nothing."""
    letters = "_ " * (len(w.families.quantity(plain_name(name)).axes) - 1)
    return f"(fun {letters}=> 0)" if letters else "0"


def part_of(state: str, place: int, count: int) -> str:
    """One of what is carried on, as pairs within pairs from the left."""
    found = state
    for _ in range(count - 1 - place):
        found = f"(fst {found})"
    return f"(snd {found})" if place and count > 1 else found


def steps_of(
    w: Letters, names: State, by: str, inner: Sequence[tuple[str, str]], last: Sequence[str]
) -> str:
    """A walk: what is carried on at first, and what a step makes of it."""
    first = ", ".join(zero(w, n) for n in names)
    lets = "".join(f"let {name} := {value} in " for name, value in inner)
    return f"{by} ({first}) (fun _T _S => {lets}({', '.join(last)}))"


def state_kind(w: Letters, names: State) -> str:
    """The type of what is carried on."""
    return " * ".join(f"({rest_kind(w, n)})" for n in names)


def fun(letters: Sequence[str], body: str) -> str:
    """A function of letters, if there are any."""
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
    kept, count = walk.kept, len(walk.kept)
    steps = w.role(f"{pattern}_steps", walk.first)
    inner = []
    for place, name in enumerate(kept):
        own = letters_of(w, name)
        value = " ".join([part_of("_S", place, count), *own[1:]])
        inner.append((w.role(pattern, name), fun(own, f"{value}{nudge(name)}")))
    inner += [(w.role(pattern, n), fun(letters_of(w, n), body(n))) for n in walk.names]
    last = [f"{w.role(pattern, n)} _T" for n in walk.carried]
    kind = f"nat -> {state_kind(w, kept)}"
    by = "earlier" if walk.step == 1 else f"later {length(w, walk)}"
    yield wrapped(f"Definition {steps}{binder} : {kind} :=", steps_of(w, kept, by, inner, last))
    for place, name in enumerate(kept):
        own = letters_of(w, name)
        value = " ".join([part_of(f"({steps}{arguments} {own[0]})", place, count), *own[1:]])
        prior = w.role(f"{pattern}_prior", name)
        head = f"{binder} ({' '.join(own)} : nat) : R :="
        yield wrapped(f"Definition {prior}{head}", value)
        value = f"{prior}{arguments} {' '.join(own)}{nudge(name)}"
        yield wrapped(f"Definition {w.role(pattern, name)}{head}", value)


def length(w: Letters, walk: Walk) -> str:
    """The number of steps of a recurrence."""
    return w.size(w.families.quantity(walk.first).shape[0])


def kept_lemmas(
    w: Letters, walk: Walk, pattern: str, binder: str = "", arguments: str = ""
) -> Iterator[str]:
    """What is carried to a step is what it was at the step it comes from; at the first, zero."""
    size, steps = length(w, walk), w.role(f"{pattern}_steps", walk.first)
    for source, name in zip(walk.carried, walk.kept, strict=True):
        prior, of = w.role(f"{pattern}_prior", name), w.role(pattern, source)
        subject = w.role("{}", name) if pattern == "{}" else prior
        head = f"Lemma {kept_is(w, pattern, name)}{binder} _T :"
        if walk.step == 1:
            if pattern != "{}":
                continue
            equal = f"{subject}{arguments} (S _T) = {of}{arguments} _T"
            yield f"{wrapped(head, equal)}\nProof. reflexivity. Qed."
            none = f"{subject}{arguments} 0%nat = {zero(w, name)}"
            head = f"Lemma {none_kept(w, pattern, name)}{binder} :"
            yield f"{wrapped(head, none)}\nProof. reflexivity. Qed."
            continue
        opened = f"unfold {', '.join(dict.fromkeys([subject, prior, steps]))}"
        equal = f"(S _T < {size})%nat -> {subject}{arguments} _T = {of}{arguments} (S _T)"
        proof = f"Proof. intros. {opened}. rewrite later_next by assumption. reflexivity. Qed."
        yield f"{wrapped(head, equal)}\n{proof}"
        head = f"Lemma {none_kept(w, pattern, name)}{binder} _T :"
        none = f"({size} <= S _T)%nat -> {subject}{arguments} _T = {zero(w, name)}"
        proof = f"Proof. intros. {opened}. rewrite later_none by assumption. reflexivity. Qed."
        yield f"{wrapped(head, none)}\n{proof}"


def kept_is(w: Letters, pattern: str, name: str) -> str:
    """The lemma where what is carried to a step comes from."""
    return w.named(f"{w.role(f'{pattern}_prior', name)}_is")


def none_kept(w: Letters, pattern: str, name: str) -> str:
    """The lemma that nothing is carried to the step with which a recurrence begins."""
    return w.named(f"{w.role(f'{pattern}_prior', name)}_none")


# --- movements ------------------------------------------------------------------------------


def carried_move(w: Letters, walk: Walk) -> Iterator[str]:
    """What is carried to a step moves, as a proposition."""
    parts = []
    for name in walk.kept:
        parts.append(_move(w, name, letters_of(w, name)))
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
    goal, name = (w.role(each, walk.first) for each in ("{}_carried_moves", "{}_carried"))
    size, forward = length(w, walk), walk.step == 1
    base, step = zip(*(_carried(w, walk, k) for k, _ in enumerate(walk.kept)), strict=True)
    count = len(walk.kept)
    opened = f"unfold {goal}; refine ({'conj _ (' * count}I{')' * count})"
    start = "induction _T as [|_T _I]; intros _L"
    if not forward:
        whole = f"fun _T => (_T < {size})%nat -> {goal} _D _T"
        start = f"revert _T; apply (from_the_last {size} ({whole})); "
        start += "[intros _T _N _L|intros _T _M _I _L]"
    lines = [
        f"Lemma {name} (_D : positive -> list nat -> R) _T : (_T < {size})%nat -> {goal} _D _T.",
        "Proof.",
        f"  {start}.",
        f"  - {opened}; [{_either(base)}].",
        f"  - {opened}; [{_either(step)}].",
        "Qed.",
    ]
    return "\n".join(lines)


def _carried(w: Letters, walk: Walk, place: int) -> tuple[str, str]:
    """That one of what is carried moves: at the step with which it begins, and at any other."""
    source, name = walk.carried[place], walk.kept[place]
    mine, number = letters_of(w, name)[1:], w.role("at_{}", name)
    inside = " ".join([*mine, *(f"_H{k}" for k, _ in enumerate(mine))])
    intro = f"intros {inside}; " if mine else ""
    forward = walk.step == 1
    here, there, earlier = ("S _T", "_T", "ltac:(lia)") if forward else ("_T", "(S _T)", "_M")
    first = "0%nat" if forward else "_T"
    nothing = (
        f"(moves_on (fun _ => 0) 0 0 (_D {number} [{'; '.join([first, *mine])}]) (moves_const 0))"
    )
    nudge = f"_D {number} [{'; '.join([here, *mine])}]"
    moved, rate, at = w.role("{}_moved", source), w.role("{}_rate", source), [there, *mine]
    if (inner := walk.place(source)) is not None:
        known = " ".join([f"({projected(inner, f'(_I {earlier})')})", inside])
    else:
        known = f"{w.role('{}_moves_at', source)} _D {there} {earlier} (_I {earlier}) {inside}"
    before = f"fun _X => {moved} _D _X {' '.join(at)}"
    parts = f"({before}) ({w.of(source)} {' '.join(at)}) ({rate} _D {' '.join(at)}) ({nudge})"
    step = f"exact (moves_on {parts}\n      ({known}))"
    if forward:
        return f"{intro}exact {nothing}", f"{intro}{step}"
    same = partial(_same, w, name, nudge)
    base = f"{intro}{same(none_kept, 'fun _X => 0')} exact {nothing}"
    return base, f"{intro}{same(kept_is, before)} {step}"


def _same(
    w: Letters, name: str, nudge: str, lemma: Callable[[Letters, str, str], str], before: str
) -> str:
    """Steps by which what is carried to a step is told by where it comes from."""
    moved, rate = w.role("{}_moved", name), w.role("{}_rate", name)
    by = {pattern: lemma(w, pattern, name) for pattern in ("{}", "{}_moved", "{}_rate")}
    whole = f"{before.replace('=> ', '=> (')}) + _X * {nudge}"
    return (
        f"apply (moves_ext ({whole}));\n"
        f"      [intros; unfold {moved}; rewrite {by['{}_moved']} by assumption; reflexivity|];\n"
        f"      unfold {rate}; rewrite {by['{}']}, {by['{}_rate']} by assumption;"
    )


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
    if (place := walk.place(name)) is not None:
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
