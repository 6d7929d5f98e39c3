"""The derivatives of recurrences: what comes back from step to step, for any number of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from derive.certify.families import Edge, Letters
from derive.certify.steps import Walk, plain_name
from derive.certify.walked import (
    fun,
    length,
    part_of,
    rest_kind,
    state_kind,
    steps_of,
    zero,
)
from derive.certify.words import wrapped
from derive.graph import adjoint_name


def adjoint_definitions(w: Letters, walk: Walk, body: Callable[[str], str]) -> Iterator[str]:
    """The derivatives of a walk: what comes back from the step after it, then each of them."""
    kept, adjoints = walk.kept, w.families.adjoints
    size = length(w, walk)
    steps = w.role("{}_steps_back", walk.first)

    def own(name: str) -> list[str]:
        return [w.letter(i) for i in adjoints[plain_name(name)].indices]

    inner = []
    for place, name in enumerate(kept):
        value = " ".join([part_of("_S", place, len(kept)), *own(name)[1:]])
        inner.append((w.adjoint(name), fun(own(name), value)))
    inner += [(w.adjoint(n), fun(own(n), body(n))) for n in walk.names]
    last = [f"{w.adjoint(n)} _T" for n in walk.carried]
    kind = f"nat -> {state_kind(w, kept)}"
    by = "earlier" if walk.step == 1 else f"later {size}"
    yield wrapped(f"Definition {steps} : {kind} :=", steps_of(w, kept, by, inner, last))
    for place, name in enumerate(kept):
        value = part_of(f"({steps} _T)", place, len(kept))
        kind = rest_kind(w, name)
        yield wrapped(f"Definition {w.adjoint(name)} (_T : nat) : {kind} :=", value)
    for name in walk.names:
        head = f"Definition {w.adjoint(name)} ({' '.join(own(name))} : nat) : R :="
        yield wrapped(head, body(name))
    for source, name in zip(walk.carried, kept, strict=True):
        yield from _came_lemmas(w, walk, source, name)


def _came_lemmas(w: Letters, walk: Walk, source: str, name: str) -> Iterator[str]:
    """What came back to a step, from the one after it, and that none came to the last."""
    came, of, none_yet = w.adjoint(name), w.adjoint(source), zero(w, name)
    size, steps = length(w, walk), w.role("{}_steps_back", walk.first)
    if walk.step == 1:
        is_, none = f"_T : {came} (S _T) = {of} _T.", f": {came} 0%nat = {none_yet}."
        proofs = ["Proof. reflexivity. Qed."] * 2
    else:
        is_ = f"_T :\n  (S _T < {size})%nat -> {came} _T = {of} (S _T)."
        none = f"_T :\n  ({size} <= S _T)%nat -> {came} _T = {none_yet}."
        start = f"Proof. intros. unfold {came}, {steps}. rewrite"
        proofs = [
            f"{start} {lemma} by assumption. reflexivity. Qed."
            for lemma in ("later_next", "later_none")
        ]
    yield f"Lemma {came_back(w, name)} {is_}\n{proofs[0]}"
    yield f"Lemma {none_came(w, name)} {none}\n{proofs[1]}"


def came_back(w: Letters, name: str) -> str:
    """The lemma that what came back is the derivative of the step after."""
    return w.named(f"{w.adjoint(name)}_is")


def none_came(w: Letters, name: str) -> str:
    """The lemma that at the last step nothing came back."""
    return w.named(f"{w.adjoint(name)}_none")


def beyond(w: Letters, walk: Walk) -> Iterator[str]:
    """What the derivatives of a walk read some steps ahead; beyond the last step it is zero."""
    for name in walk.beyond:
        source = name.removesuffix(walk.mark)
        plain = plain_name(name).removeprefix(adjoint_name(""))
        size = w.size(w.families.quantity(plain).shape[0])
        own = [w.letter(i) for i in w.families.letters(plain)]
        inner = " ".join([w.of(source), *own])
        head = f"Definition {w.of(name)} ({' '.join(own)} : nat) : R :="
        yield wrapped(head, f"{_next(walk.step, size)} (fun {own[0]} => {inner}) {own[0]}")


def _next(step: int, size: str) -> str:
    """What takes a function to the next step: the one after it, for a walk from the last."""
    return "before" if step == 1 else f"after {size}"


# --- theorems -----------------------------------------------------------------------------------


def come_back(w: Letters, edge: Edge, mine: Sequence[str]) -> str:
    """What the derivative at a step has from the step after it."""
    return come_back_by(w, edge.of, mine)


def come_back_by(w: Letters, name: str, mine: Sequence[str]) -> str:
    """What comes back of the derivative by what was carried on."""
    walk = w.families.walks.of(name)
    size = w.size(w.families.quantity(name).shape[0])
    inner = " ".join([w.adjoint(name), *mine])
    return f"{_next(-walk.step if walk else 1, size)} (fun {mine[0]} => {inner}) {mine[0]}"


def cases(w: Letters, name: str, end: Callable[[Sequence[str]], str]) -> Iterator[str]:
    """At a step with as many after it as are read, and at each that has fewer.

    `end` is how each is shown, by the steps before it, if any are known.
    """
    walks = w.families.walks
    walk, back = walks.of(name), walks.back(name)
    if walk is not None and back is not None:
        levels = max(walk.reach, back.reach)
        letter = w.letter(w.families.adjoints[name].indices[0])
        by = _cases_forth if walk.step == 1 else _cases_back
        yield from by(w, back, letter, levels, end)


def _cases_forth(
    w: Letters, back: Walk, letter: str, levels: int, end: Callable[[Sequence[str]], str]
) -> Iterator[str]:
    """From a step to the last one: is there one after it, and after that?"""
    size, steps = length(w, back), [_later(letter, k) for k in range(levels)]

    def by(lemma: Callable[[Letters, str], str], here: str) -> str:
        found = "".join(f"rewrite ?({lemma(w, k)} {here}) by assumption. " for k in back.kept)
        return f"{found}cbv beta iota. "

    for level, here in enumerate(steps, 1):
        yield f"destruct (Nat.ltb_spec (S {here}) {size}) as [_L{level}|_L{level}]."
        yield f"{{ {by(came_back, here)}"
    yield end(())
    for here in reversed(steps):
        yield "}"
        yield f"{by(none_came, here)}{end(())}"


def _cases_back(
    w: Letters, back: Walk, letter: str, levels: int, end: Callable[[Sequence[str]], str]
) -> Iterator[str]:
    """From a step to the first one: is there one before it, and before that?"""
    for level in range(1, levels + 1):
        here = f"_P{level - 1}" if level > 1 else letter
        yield f"destruct {here} as [|_P{level}]; cbn [before]."
        at_first = "".join(f"rewrite ?{none_came(w, k)}. " for k in back.kept)
        yield f"{{ {at_first}{end([_later('0%nat', k) for k in range(level - 1)])} }}"
        yield "".join(f"rewrite ?({came_back(w, k)} _P{level}). " for k in back.kept).strip()
    yield end([_later(f"_P{levels}", k) for k in range(levels)])


def _later(step: str, count: int) -> str:
    """A number of steps after a step."""
    return "(S " * count + step + ")" * count
