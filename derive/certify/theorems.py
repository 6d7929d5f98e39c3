"""The theorems of a derivation: one for each equation, and the chain rule that joins them.

net = i1·w1 + i2·w2     a definition, and a theorem about its local derivatives
∂E/∂net                 a definition as the page has it, and a theorem that it is the sum over
                        the readers of net
E                       as a function of a movement of any one scalar, it has that derivative
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy

from derive.certify.scalars import adjoint_of
from derive.certify.terms import elements_in, term
from derive.certify.words import (
    Theorem,
    Words,
    about_local,
    call,
    wrapped,
)
from derive.expression import Element

# --- definitions ----------------------------------------------------------------------------


def equations(words: Words) -> Iterator[str]:
    """Each equation of the forward pass as a function of what it reads."""
    for scalar, rhs in words.scalars.forward.items():
        read = " ".join(words(e) for e in elements_in([rhs]))
        binder = f" ({read} : R)" if read else ""
        yield wrapped(f"Definition {words.of(scalar)}{binder} : R :=", term(rhs, words))


def values(words: Words) -> Iterator[str]:
    """The forward pass: each scalar by its equation."""
    for scalar, rhs in words.scalars.forward.items():
        read = [words(e) for e in elements_in([rhs])]
        yield wrapped(f"Definition {words(scalar)} : R :=", call(words.of(scalar), read))


def slopes(words: Words) -> Iterator[str]:
    """The local derivatives, as the derivation has them."""
    for scalar, read in words.scalars.operands.items():
        for operand in read:
            value = term(words.scalars.slope(scalar, operand), words)
            yield wrapped(f"Definition {words.slope(scalar, operand)} : R :=", value)


def adjoints(words: Words) -> Iterator[str]:
    """The backward pass, as the derivation has it."""
    yield f"Definition {words.adjoint(words.scalars.loss)} : R := 1."
    for left, right in words.scalars.adjoints.items():
        yield wrapped(f"Definition {words(left)} : R :=", term(right, words))


def positions(words: Words) -> Iterator[str]:
    """A number for each scalar that moves."""
    for number, scalar in enumerate(words.scalars.moving, 1):
        yield f"Definition {words.at(scalar)} : positive := {number}."


def movements(words: Words) -> Iterator[str]:
    """Each scalar when all of them are moved, each by an amount of its own."""
    moving = set(words.scalars.moving)
    for scalar in words.scalars.moving:
        value = words(scalar)
        if scalar in words.scalars.forward:
            read = elements_in([words.scalars.forward[scalar]])
            inner = [f"({words.moved(e)} _by)" if e in moving else words(e) for e in read]
            value = call(words.of(scalar), inner)
        head = f"Definition {words.moved(scalar)} (_by : positive -> R) : R :="
        yield wrapped(head, f"{value} + _by {words.at(scalar)}")


def rates(words: Words) -> Iterator[str]:
    """How fast each scalar moves, when each gets a speed of its own."""
    for scalar, read in words.scalars.operands.items():
        value = "0"
        for e in reversed(read):
            value = f"({words.slope(scalar, e)} * {words.rate(e)} _d + {value})"
        head = f"Definition {words.rate(scalar)} (_d : positive -> R) : R :="
        yield wrapped(head, f"{value} + _d {words.at(scalar)}")


def assumptions(words: Words) -> Iterator[str]:
    """What is taken for granted of the given values, and shown at those of the spec."""
    scalars = words.scalars
    for row in scalars.distributions:
        total = " + ".join(map(words, row))
        yield wrapped(f"Hypothesis {words.total(row)} :", f"{total} = 1")
        rest = " - ".join(["1", *map(words, row[:-1])])
        yield f"Lemma {words.rest(row)} : {words(row[-1])} = {rest}. Proof. lra. Qed."
    for condition in scalars.conditions:
        yield wrapped(f"Hypothesis {words.condition(condition)} :", condition.text(words))


# Seconds for an attempt with more definitions open than most need: what is wrong would be tried for
# many minutes before it is refused.
PATIENCE = 60

# --- equation by equation -------------------------------------------------------------------


def local_theorems(words: Words) -> Iterator[Theorem]:
    """Each equation has the local derivatives that the derivation states."""
    for scalar, read in words.scalars.operands.items():
        if scalar in words.scalars.forward:
            text = "\n".join([*_local_statement(words, scalar, read), _local_proof(words, scalar)])
            yield Theorem(words.local(scalar), text, about_local(words.report(scalar)))


def _local_statement(words: Words, scalar: Element, read: Sequence[Element]) -> Iterator[str]:
    path = {e: f"_f{k}" for k, e in enumerate(read, 1)}
    speed = {e: f"_s{k}" for k, e in enumerate(read, 1)}
    binder = f" ({' '.join(path.values())} : R -> R) ({' '.join(speed.values())} : R)"
    yield f"Theorem {words.local(scalar)}{binder if read else ''} :"
    for e in read:
        yield f"  moves {path[e]} {words(e)} {speed[e]} ->"
    every = elements_in([words.scalars.forward[scalar]])
    inner = [f"({path[e]} _x)" if e in path else words(e) for e in every]
    parts = [f"{words.slope(scalar, e)} * {speed[e]}" for e in read]
    head = f"  moves (fun _x => {call(words.of(scalar), inner)}) {words(scalar)}"
    yield wrapped(head, f"({' + '.join(parts) or '0'})")


def _local_proof(words: Words, scalar: Element) -> str:
    scalars = words.scalars
    read = scalars.operands[scalar]
    stated = elements_in([scalars.slope(scalar, e) for e in read])
    own = [scalar, *(e for e in stated if e not in read)]
    below = elements_in([scalars.forward[scalar]])
    tries = [*([] if scalar in stated else ["equal"]), _opened(words, own)]
    wider = [_opened(words, [*own, *below])]
    names = ", ".join(words.slope(scalar, e) for e in read)
    start = f"Proof.\n  unfold {words.of(scalar)}; lift." + (f" unfold {names}." if names else "")
    return "\n".join([start, f"  {_first(tries, wider)}.", "Qed."])


def _opened(words: Words, scalars: Sequence[Element], adjoints: Sequence[str] = ()) -> str:
    """An attempt with the definitions of scalars opened, and those of adjoints."""
    forward = words.scalars.forward
    names = [name for s in scalars if s in forward for name in (words(s), words.of(s))]
    every = ", ".join(dict.fromkeys([*adjoints, *names]))
    return f"unfold {every}; equal" if every else "equal"


def _first(tries: Sequence[str], wider: Sequence[str] = ()) -> str:
    """The first attempt that works; those with wider definitions have a minute for all of them."""
    fresh = list(dict.fromkeys(tries))
    if further := [each for each in wider if each not in fresh]:
        fresh.append(f"timeout {PATIENCE} ({_first(further)})")
    return fresh[0] if len(fresh) == 1 else "first [ " + "\n  | ".join(fresh) + " ]"


def adjoint_theorems(words: Words) -> Iterator[Theorem]:
    """Each adjoint is the sum over the readers of its scalar."""
    for scalar, readers in words.scalars.readers.items():
        own, name = words.adjoint(scalar), words.sum(scalar)
        parts = [f"{words.adjoint(y)} * {words.slope(y, scalar)}" for y in readers]
        if scalar == words.scalars.loss:
            parts.append("1")
        statement = wrapped(f"Theorem {name} : {own} =", " + ".join(parts) or "0")
        text = "\n".join([statement, _sum_proof(words, scalar)])
        yield Theorem(name, text, words.about_sum(scalar))


def _sum_proof(words: Words, scalar: Element) -> str:
    scalars = words.scalars
    readers = scalars.readers[scalar]
    first = [*words.opened(scalar), *(words.slope(y, scalar) for y in readers)]
    above = [name for y in readers if y != scalar for name in words.opened(y)]
    formulas = [scalars.adjoints.get(adjoint_of(s), sympy.S.One) for s in (scalar, *readers)]
    read = elements_in([*formulas, *(scalars.slope(y, scalar) for y in readers)])
    tries = [
        "equal",
        _opened(words, [], above),
        _opened(words, _outer(words, read), above),
        _opened(words, read),
        _opened(words, read, above),
        _opened(words, _below(words, read), above),
    ]
    if any(e in row for row in scalars.distributions for e in read):
        rewritten = "; ".join(f"rewrite ?{words.rest(row)}" for row in scalars.distributions)
        tries += [each.replace("equal", f"{rewritten}; equal") for each in tries[2:]]
    start = f"Proof.\n  unfold {', '.join(dict.fromkeys(first))}."
    return "\n".join([start, f"  {_first(tries[:2], tries[2:])}.", "Qed."])


def _outer(words: Words, scalars: Sequence[Element]) -> list[Element]:
    """Those of some scalars from which no other of them is computed."""
    forward = words.scalars.forward
    inner = {e for s in scalars if s in forward for e in elements_in([forward[s]])}
    return [s for s in scalars if s not in inner]


def _below(words: Words, read: Sequence[Element]) -> list[Element]:
    """Scalars with those that they are computed from."""
    forward = words.scalars.forward
    return [*read, *elements_in([forward[e] for e in read if e in forward])]


def motion(words: Words) -> Iterator[str]:
    """All scalars moved, each by an amount of its own."""
    yield from positions(words)
    yield from movements(words)
    yield from rates(words)
    yield from movement_lemmas(words)


def movement_lemmas(words: Words) -> Iterator[str]:
    """Each scalar moves at its rate: the theorem of its equation, with those of what it reads."""
    for scalar, read in words.scalars.operands.items():
        rate, moved = words.rate(scalar), words.moved(scalar)
        yield (
            f"Lemma {words.moves(scalar)} _d :\n"
            f"  moves (fun _x => {moved} (along _d _x)) {words(scalar)} ({rate} _d).\n"
            f"Proof.\n  unfold {moved}, {rate}. apply moves_nudged. {_moves(words, scalar, read)}\n"
            "Qed."
        )


def _moves(words: Words, scalar: Element, read: Sequence[Element]) -> str:
    if scalar not in words.scalars.forward:
        return "apply moves_const."
    holes = "_ " * (2 * len(read))
    known = " ".join(f"({words.moves(e)} _d)" for e in read)
    return (
        f"eapply moves_as;\n  [exact ({words.local(scalar)} {holes}{known})|reflexivity|regrouped]."
    )


# --- the whole graph ------------------------------------------------------------------------


def graph(words: Words) -> Iterator[str]:
    """The scalars as a graph: who reads whom, and the derivatives by number."""
    scalars = words.scalars
    at = {scalar: f"{number}%positive" for number, scalar in enumerate(scalars.moving, 1)}

    def places(found: Sequence[Element]) -> str:
        return f"[{'; '.join(at[e] for e in found)}]"

    def cases(
        name: str, kind: str, lines: Mapping[Element, str], other: str, binder: str = ""
    ) -> str:
        pick = "".join(f"  | {at[s]} => {text}\n" for s, text in lines.items())
        given = f"{words.own(name)}{binder} (_k : positive)"
        head = f"Definition {given} : {kind} := match _k with"
        return f"{head}\n{pick}  | _ => {other} end."

    head = f"Definition {words.own('scalars')} : list positive :="
    yield wrapped(head, places(scalars.moving))
    reads = {s: places(found) for s, found in scalars.operands.items() if found}
    yield cases("reads", "list positive", reads, "[]")
    read_by = {s: places(found) for s, found in scalars.readers.items() if found}
    yield cases("read_by", "list positive", read_by, "[]")
    inner = {
        s: " ".join(f"| {at[e]} => {words.slope(s, e)}" for e in found)
        for s, found in scalars.operands.items()
        if found
    }
    picked = {s: f"fun _j => match _j with {text} | _ => 0 end" for s, text in inner.items()}
    yield cases("slope_of", "positive -> R", picked, "fun _ => 0")
    yield cases("adjoint_of", "R", {s: words.adjoint(s) for s in scalars.moving}, "0")
    rates_ = {s: f"{words.rate(s)} _d" for s in scalars.moving}
    yield cases("rate_of", "R", rates_, "0", " (_d : positive -> R)")


OWN_NAMES = (
    *("scalars", "reads", "read_by", "slope_of", "adjoint_of", "rate_of", "rates_hold"),
    *("sums_hold", "derivative_along", "derivative_by"),
)
JOINED = """\
Lemma {rates_hold} _d : List.Forall (slopes_hold {reads} {slope_of} ({rate_of} _d) _d) {scalars}.
Proof. repeat apply List.Forall_cons; try apply List.Forall_nil; reflexivity. Qed.
Lemma {sums_hold} : List.Forall (adjoint_holds {read_by} {slope_of} {adjoint_of} {loss}) {scalars}.
Proof.
  repeat apply List.Forall_cons; try apply List.Forall_nil; unfold adjoint_holds.
{sums}
Qed.
Theorem {derivative_along} _d :
  is_derive (fun _x => {moved} (along _d _x)) 0
    (over {scalars} (fun _k => {adjoint_of} _k * _d _k)).
Proof.
  rewrite <- (adjoints_are_enough {scalars} {reads} {read_by} {slope_of} {adjoint_of} {loss}
    ({rate_of} _d) _d).
  - exact (proj2 ({moves} _d)).
  - apply distinct_nodup. reflexivity.
  - apply member_in. reflexivity.
  - apply same_pairs_perm. reflexivity.
  - apply {rates_hold}.
  - apply {sums_hold}.
Qed.
Theorem {derivative_by} _k :
  member _k {scalars} = true ->
  is_derive (fun _x => {moved} (along (only _k) _x)) 0 ({adjoint_of} _k).
Proof.
  intros. rewrite <- (over_only {scalars} _k {adjoint_of}).
  - apply {derivative_along}.
  - apply distinct_nodup. reflexivity.
  - apply member_in. assumption.
Qed."""


def joined(words: Words) -> str:
    """The chain rule through the whole graph: the sum theorems are all that it needs."""
    scalars = words.scalars
    loss = f"{scalars.moving.index(scalars.loss) + 1}%positive"
    names = {name: words.own(name) for name in OWN_NAMES}
    opened = " ".join(names[name] for name in ("read_by", "slope_of", "adjoint_of"))
    sums = "\n".join(
        f"  - etransitivity; [exact {words.sum(s)}|]; cbn [over {opened} only Pos.eqb]; regrouped."
        for s in scalars.moving
    )
    moved, moves = words.moved(scalars.loss), words.moves(scalars.loss)
    return JOINED.format(loss=loss, sums=sums, moved=moved, moves=moves, **names)


def derivatives(words: Words) -> Iterator[Theorem]:
    """For each scalar: its adjoint is the derivative of the loss by it."""
    scalars = words.scalars
    moved = words.moved(scalars.loss)
    for scalar in scalars.moving:
        if scalar != scalars.loss:
            name, at = words.proven(scalar), words.at(scalar)
            text = (
                f"Theorem {name} :\n"
                f"  is_derive (fun _x => {moved} (along (only {at}) _x)) 0 "
                f"{words.adjoint(scalar)}.\n"
                f"Proof. exact ({words.own('derivative_by')} {at} eq_refl). Qed."
            )
            yield Theorem(name, text, words.about_derivative(scalar))
