"""The chain rule through a derivation that is not written out.

Every quantity is moved, each of its entries by an amount of its own. The sum over all entries of a
derivative times a rate is found twice: from what the quantity reads, and from what reads it. Both
are sums over the same edges, in another order, and what is left over is the rate of the loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from derive.certify import walked, walked_back
from derive.certify.families import Edge, Letters
from derive.certify.steps import Walk
from derive.certify.sums import (
    at,
    back,
    binder,
    forall,
    forth,
    letters_of,
    operands,
    shape_of,
    totals,
)
from derive.certify.words import Theorem, about_every_derivative, wrapped
from derive.expression import Index, reads

DIRECTION = "(_D : positive -> list nat -> R)"


def movements(w: Letters) -> Iterator[str]:
    """Each quantity when all of them are moved, how fast it moves, and that it does."""
    for number, name in enumerate(w.families.moving, 1):
        yield f"Definition {w.role('at_{}', name)} : positive := {number}."
    for name in w.families.moving:
        walk = w.families.walks.of(name)
        if walk is None:
            letters = binder(letters_of(w, name))
            head = f"Definition {w.role('{}_moved', name)} {DIRECTION} (_X : R){letters} : R :="
            yield wrapped(head, _moved_value(w, name))
            head = f"Definition {w.role('{}_rate', name)} {DIRECTION}{letters} : R :="
            yield wrapped(head, _rate_value(w, name))
            yield _moves(w, name)
        elif name == walk.kept[0]:
            yield from _walk(w, walk)


def _walk(w: Letters, walk: Walk) -> Iterator[str]:
    """The movements of a recurrence: what is carried on, then each of its quantities."""
    for pattern, head, arguments, value in (
        ("{}_moved", f" {DIRECTION} (_X : R)", " _D _X", _moved_value),
        ("{}_rate", f" {DIRECTION}", " _D", _rate_value),
    ):
        yield from walked.walk_definitions(
            w,
            walk,
            pattern,
            head,
            arguments,
            partial(value, w, within=walk),
            partial(_nudged, w, pattern),
        )
        for name in walk.names:
            letters = binder(letters_of(w, name))
            yield wrapped(
                f"Definition {w.role(pattern, name)}{head}{letters} : R :=", value(w, name)
            )
        yield from walked.kept_lemmas(w, walk, pattern, head, arguments)
    yield from walked.carried_move(w, walk)
    for name in walk.names:
        yield walked.moves_at(w, walk, name, lambda each: _moves_by_equation(w, each))
    yield walked.carried_lemma(w, walk)
    for name in (*walk.kept, *walk.names):
        yield walked.moves_always(w, walk, name)


def _nudged(w: Letters, pattern: str, name: str) -> str:
    by = "_X * " if pattern == "{}_moved" else ""
    return f" + {by}{_nudge(w, name)}"


def _nudge(w: Letters, name: str) -> str:
    return f"_D {w.role('at_{}', name)} [{'; '.join(letters_of(w, name))}]"


def _moved_value(w: Letters, name: str, within: Walk | None = None) -> str:
    mine = letters_of(w, name)
    still = at(w.of(name), mine)
    if name in w.families.forward:
        read = reads(w.families.forward[name].rhs)
        inner = [_moved(w, n, within) if n in w.families.moving else w.of(n) for n in read]
        still = " ".join([w.role("{}_of", name), *inner, *mine])
    return f"{still} + _X * {_nudge(w, name)}"


def _rate_value(w: Letters, name: str, within: Walk | None = None) -> str:
    rate = ""
    if name in w.families.forward:
        rate = " + ".join(
            forth(w, e, letters_of(w, name), _rate(w, e.by, within))
            for e in w.families.out_of(name)
        )
    return f"{rate or '0'} + {_nudge(w, name)}"


def _rate(w: Letters, name: str, within: Walk | None) -> list[str]:
    own = within is not None and w.families.walks.of(name) is within
    return [w.role("{}_rate", name), *([] if own else ["_D"])]


def _moved(w: Letters, name: str, within: Walk | None = None) -> str:
    if within is not None and w.families.walks.of(name) is within:
        return w.role("{}_moved", name)
    return f"({w.role('{}_moved', name)} _D _X)"


def _moves(w: Letters, name: str) -> str:
    """The lemma that a quantity moves at its rate."""
    mine = letters_of(w, name)
    moved, rate = (w.role(each, name) for each in ("{}_moved", "{}_rate"))
    front = forall(w, mine, shape_of(w, name))
    whole = f"fun _X => {' '.join([moved, '_D', '_X', *mine])}"
    statement = f"{front}moves ({whole}) {at(w.of(name), mine)} {at(rate, ['_D', *mine])}"
    if name not in w.families.forward:
        proof = "eapply moves_as; [apply moves_along|reflexivity|ring]."
    else:
        proof = _moves_by_equation(w, name)
    head = wrapped(f"Lemma {w.role('{}_moves', name)} {DIRECTION} :", statement)
    return f"{head}\nProof.\n  intros. unfold {moved}, {rate}. {proof}\nQed."


def _moves_by_equation(w: Letters, name: str) -> str:
    """The theorem of an equation, with how what it reads moves."""
    walk = w.families.walks.of(name)
    mine = letters_of(w, name)
    known = [part for n in operands(w, name) for part in _known(w, n)]
    step = ["_T"] if walk else []
    proof = f"apply moves_on. apply ({' '.join([w.role('{}_local', name), *known, *step])}).\n  "
    proof += "- assumption.\n  " if walk else ""
    proof += "\n  ".join(f"- {_how(w, walk, n)}" for n in operands(w, name))
    return proof + "".join("\n  - assumption." for _ in mine[len(step) :])


def _how(w: Letters, walk: Walk | None, name: str) -> str:
    if walk is None or w.families.walks.of(name) is not walk:
        return f"exact ({w.role('{}_moves', name)} _D)."
    if (place := walk.place(name)) is not None:
        return f"exact ({walked.projected(place, '_B')})."
    return f"exact ({w.role('{}_moves_at', name)} _D _T _L _B)."


def _known(w: Letters, name: str) -> tuple[str, str]:
    """The movement and the rate of what an equation reads."""
    mine = letters_of(w, name)
    moved = " ".join([w.role("{}_moved", name), "_D", "_X", *mine])
    path = f"(fun {' '.join([*mine, '_X'])} => {moved})"
    return path, f"({w.role('{}_rate', name)} _D)"


# --- the same sum, twice --------------------------------------------------------------------


def edge_name(w: Letters, edge: Edge) -> str:
    """What one edge adds to the sum."""
    return w.named(f"edge_{edge.number}")


def pairings(w: Letters) -> Iterator[str]:
    """What quantities, edges and directions add to the sum."""
    for edge in w.families.edges:
        letters = [(w.letter(i), int(i.axis.size)) for i in (*edge.letters, *edge.own)]
        head = f"Definition {edge_name(w, edge)} {DIRECTION} : R :="
        yield wrapped(head, totals(w, letters, _body(w, edge)))
    for name in w.families.moving:
        mine, shape = letters_of(w, name), shape_of(w, name)
        adjoint, rate = at(w.adjoint(name), mine), at(w.role("{}_rate", name), ["_D", *mine])
        body = totals(w, list(zip(mine, shape, strict=True)), f"{adjoint} * {rate}")
        yield wrapped(f"Definition {w.role('{}_pair', name)} {DIRECTION} : R :=", body)
        picked = f"fun _L => match _L with [{'; '.join(mine)}] => {adjoint} | _ => 0 end"
        lengths = "; ".join(map(w.size, shape))
        head = f"Definition {w.role('{}_own', name)} {DIRECTION} : R :="
        yield wrapped(head, f"own [{lengths}] [] ({picked}) (_D {w.role('at_{}', name)})")


def _body(w: Letters, edge: Edge) -> str:
    adjoint = at(w.adjoint(edge.of), [w.letter(i) for i in edge.letters])
    if edge.back:
        return f"{adjoint} * {walked.prior(w, edge, [w.letter(i) for i in edge.letters])}"
    slope = at(w.slope(edge), [w.letter(i) for i in (*edge.letters, *edge.own)])
    rate = at(w.role("{}_rate", edge.by), ["_D", *(w.letter(i) for i in edge.place)])
    return f"{adjoint} * {slope} * {rate}"


def both_ways(w: Letters) -> Iterator[str]:
    """The sum from what each quantity reads, and from what reads it."""
    for name in w.families.moving:
        yield _forth_lemma(w, name)
        yield _back_lemma(w, name)


def _forth_lemma(w: Letters, name: str) -> str:
    pair, own, rate = (w.role(each, name) for each in ("{}_pair", "{}_own", "{}_rate"))
    edges = [edge_name(w, e) for e in w.families.out_of(name)]
    right = " + ".join(f"{each} _D" for each in (*edges, own))
    opened = ", ".join([pair, own, rate, *edges])
    return "\n".join(
        [
            wrapped(f"Lemma {w.role('{}_forth', name)} {DIRECTION} :", f"{pair} _D = {right}"),
            f"Proof. unfold {opened}. cbn [own app]. sums. Qed.",
        ]
    )


def _back_lemma(w: Letters, name: str) -> str:
    families = w.families
    mine, shape = letters_of(w, name), shape_of(w, name)
    pair, rate = w.role("{}_pair", name), w.role("{}_rate", name)
    into = families.into(name)
    loss = [f"{rate} _D"] if name == families.loss else []
    right = " + ".join([*(f"{edge_name(w, e)} _D" for e in into), *loss]) or "0"
    parts = [back(w, e, mine) for e in into] + (["1"] if loss else [])
    summed = f"({' + '.join(parts) or '0'}) * {at(rate, ['_D', *mine])}"
    steps = [step for edge in into for step in _turned(w, edge)]
    under = "apply total_ext; intros; " * len(mine)
    steps += [
        f"unfold {pair}.",
        wrapped("transitivity", f"({totals(w, list(zip(mine, shape, strict=True)), summed)})"),
        f"- {under}rewrite {w.role('{}_sum', name)} by assumption; reflexivity.",
        "- sums.",
    ]
    head = wrapped(f"Lemma {w.role('{}_back', name)} {DIRECTION} :", f"{pair} _D = {right}")
    return "\n".join([head, "Proof.", *(f"  {step}" for step in steps), "Qed."])


def _turned(w: Letters, edge: Edge) -> Iterator[str]:
    """An edge with its letters in the order of `by`, by exchanging neighbours."""
    if edge.back:
        yield from _a_step_back(w, edge)
        return
    goal = [*edge.letters, *edge.own]
    order = [*edge.place, *edge.left]
    body = _body(w, edge)
    path = list(_exchanges(order, goal))
    known = f"_E{edge.number}"
    yield wrapped(f"assert ({known} :", f"{_nested(w, order, body)} = {edge_name(w, edge)} _D)")
    yield f"{{ unfold {edge_name(w, edge)}."
    for depth, after in path[:-1] if path else []:
        yield wrapped("  transitivity", f"({_nested(w, after, body)})")
        yield f"  {{ {'apply total_ext; intros; ' * depth}apply total_swap. }}"
    if path:
        yield f"  {'apply total_ext; intros; ' * path[-1][0]}apply total_swap. }}"
    else:
        yield "  reflexivity. }"
    yield f"rewrite <- {known}; clear {known}."


def _a_step_back(w: Letters, edge: Edge) -> Iterator[str]:
    """What is read a step back, and what comes back: one sum, by induction over the steps."""
    mine = [w.letter(i) for i in edge.letters]
    body = (
        f"{walked_back.come_back(w, edge, mine)} * {at(w.role('{}_rate', edge.by), ['_D', *mine])}"
    )
    known = f"_E{edge.number}"
    prior = w.role("{}_rate_prior", edge.of)
    walk = w.families.walks.of(edge.by)
    steps = w.role("{}_rate_steps", walk.first if walk else "")
    yield wrapped(
        f"assert ({known} :", f"{_nested(w, edge.letters, body)} = {edge_name(w, edge)} _D)"
    )
    if walk is None or walk.step == 1:
        yield f"{{ unfold {edge_name(w, edge)}, after. apply total_steps."
        yield "  - intros _T _L. rewrite (proj2 (Nat.ltb_lt _ _) _L). reflexivity."
        yield "  - intros _T _L. rewrite (proj2 (Nat.ltb_ge _ _) _L). sums."
        yield f"  - unfold {prior}, {steps}. cbn [earlier fst snd]. sums. }}"
    else:
        is_, none = (lemma(w, "{}_rate", edge.of) for lemma in (walked.kept_is, walked.none_kept))
        yield f"{{ unfold {edge_name(w, edge)}. apply total_steps_back; cbn [before]."
        yield f"  - intros _T _L. rewrite {is_} by assumption. reflexivity."
        yield "  - sums."
        yield f"  - intros _T _L. rewrite {none} by assumption. sums. }}"
    yield f"rewrite <- {known}; clear {known}."


def _nested(w: Letters, order: Sequence[Index], body: str) -> str:
    return totals(w, [(w.letter(i), int(i.axis.size)) for i in order], body)


def _exchanges(
    order: Sequence[Index], goal: Sequence[Index]
) -> Iterator[tuple[int, tuple[Index, ...]]]:
    """Exchanges of neighbours that sort letters: at which depth, and the order after it."""
    now = list(order)
    for k, index in enumerate(goal):
        for depth in range(now.index(index) - 1, k - 1, -1):
            now[depth], now[depth + 1] = now[depth + 1], now[depth]
            yield depth, tuple(now)


# --- the theorems ---------------------------------------------------------------------------


def derivatives(w: Letters) -> Iterator[Theorem]:
    """The chain rule as a whole; for each quantity: its adjoint is the derivative of the loss."""
    families = w.families
    loss, moving = families.loss, families.moving
    moved, rate = w.role("{}_moved", loss), w.role("{}_rate", loss)
    owns = [w.role("{}_own", n) for n in moving]
    whole = " + ".join(f"{each} _D" for each in owns)
    along = w.named("chain_rule")
    names = [
        *owns,
        *(w.role("{}_pair", n) for n in moving),
        *(edge_name(w, e) for e in families.edges),
        rate,
    ]
    known = [w.role(each, n) for n in moving for each in ("{}_forth", "{}_back")]
    text = [
        wrapped(
            f"Theorem {along} {DIRECTION} :", f"is_derive (fun _X => {moved} _D _X) 0 ({whole})"
        ),
        "Proof.",
        f"  replace ({whole}) with ({rate} _D); [exact (proj2 ({w.role('{}_moves', loss)} _D))|].",
        *(f"  generalize ({each} _D)." for each in known),
        *(f"  generalize ({each} _D)." for each in names),
        "  intros. lra.",
        "Qed.",
    ]
    yield Theorem(along, "\n".join(text), "the chain rule through the graph")
    for name in moving:
        if name != loss:
            yield _derivative(w, name, along)


def _derivative(w: Letters, name: str, along: str) -> Theorem:
    mine, moving = letters_of(w, name), w.families.moving
    moved = w.role("{}_moved", w.families.loss)
    place = f"(at_place {w.role('at_{}', name)} [{'; '.join(mine)}])"
    adjoint = at(w.adjoint(name), mine)
    identifier = w.named(f"{w.adjoint(name)}_is_the_derivative")
    front = forall(w, mine, shape_of(w, name))
    own = {n: w.role("{}_own", n) for n in moving}
    number = {n: k for k, n in enumerate(moving, 1)}
    opened_ = ", ".join([*own.values(), *(w.role("at_{}", n) for n in moving)])
    statement = f"{front}is_derive (fun _X => {moved} {place} _X) 0 {adjoint}"
    letters = f"[{'; '.join(mine)}]"
    mark = f"at_place {number[name]} {letters}"
    proof = [
        f"  intros. replace {adjoint} with ({' + '.join(f'{own[n]} {place}' for n in moving)}).",
        f"  {{ apply {along}. }}",
        f"  unfold {opened_}.",
        *(
            f"  rewrite (own_none _ _ ({mark} {number[n]})) by reflexivity."
            for n in moving
            if n != name
        ),
        f"  change ({mark} {number[name]}) with (fun _P => deltas _P {letters}).",
        "  rewrite own_only by (cbn; repeat (split; [assumption|]); exact I). ring.",
    ]
    text = "\n".join([wrapped(f"Theorem {identifier} :", statement), "Proof.", *proof, "Qed."])
    return Theorem(identifier, text, about_every_derivative(name))
