"""The theorems of a derivation that is not written out: one for each equation, for all letters.

The sizes of axes are variables of the certificate: what does not speak of the length of an axis
holds for every length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.certify import walked, walked_back
from derive.certify.families import Edge, Letters
from derive.certify.kinds import Kinds, by_kind
from derive.certify.steps import STEPS, Walk, plain_name
from derive.certify.terms import term
from derive.certify.words import Theorem, about_every_local, wrapped
from derive.expression import Delta, Index, Total, reads
from derive.graph import Equation, Quantity

# --- pieces ---------------------------------------------------------------------------------


def binder(names: Sequence[str], kind: str = "nat") -> str:
    """Letters as arguments of a definition."""
    return f" ({' '.join(names)} : {kind})" if names else ""


def forall(w: Letters, names: Sequence[str], shape: Sequence[int]) -> str:
    """For all letters within their axes."""
    if not names:
        return ""
    inside = "".join(f"({a} < {w.size(n)})%nat -> " for a, n in zip(names, shape, strict=True))
    return f"forall {' '.join(names)} : nat, {inside}"


def totals(w: Letters, letters: Sequence[tuple[str, int]], body: str) -> str:
    """A sum over several letters, the first outermost."""
    for name, size in reversed(letters):
        body = f"total {w.size(size)} (fun {name} => {body})"
    return body


def at(function: str, names: Sequence[str]) -> str:
    """A function at letters, as a term that stands alone."""
    return f"({' '.join([function, *names])})" if names else function


def kind_of(quantity: Quantity) -> str:
    """The type of a quantity."""
    return " -> ".join(["nat"] * len(quantity.axes) + ["R"])


def letters_of(w: Letters, name: str) -> list[str]:
    """The letters at which a quantity is told."""
    return [w.letter(i) for i in w.families.letters(name)]


def shape_of(w: Letters, name: str) -> tuple[int, ...]:
    """The lengths of its axes."""
    return w.families.quantity(name).shape


def forth(w: Letters, edge: Edge, mine: Sequence[str], function: Sequence[str]) -> str:
    """How much `of` moves at some letters with `by`, a function of letters."""
    named = dict(zip(edge.letters, mine, strict=True))
    own = {i: f"_K{k}" for k, i in enumerate(edge.own, 1)}
    every = named | own
    slope = at(w.slope(edge), [*mine, *own.values()])
    moved = at(function[0], [*function[1:], *(every[i] for i in edge.place)])
    return totals(w, _sized(own), f"{slope} * {moved}")


def back(w: Letters, edge: Edge, mine: Sequence[str]) -> str:
    """How much the derivative by `by` at some letters has from that by `of`."""
    if edge.back:
        return walked_back.come_back(w, edge, mine)
    named = dict(zip(edge.place, mine, strict=True))
    left = {i: f"_U{k}" for k, i in enumerate(edge.left, 1)}
    every = named | left
    slope = at(w.slope(edge), [every[i] for i in (*edge.letters, *edge.own)])
    adjoint = at(w.adjoint(edge.of), [every[i] for i in edge.letters])
    return totals(w, _sized(left), f"{adjoint} * {slope}")


def _sized(letters: dict[Index, str]) -> list[tuple[str, int]]:
    return [(name, int(index.axis.size)) for index, name in letters.items()]


# --- definitions ----------------------------------------------------------------------------


def sizes(w: Letters) -> Iterator[str]:
    """The lengths of axes: any that are not nothing."""
    for size in w.families.sizes:
        name = w.size(size)
        yield f"Variables {name} : nat."
        yield f"Hypothesis {w.named(f'{name}_is_some')} : (0 < {name})%nat."
        yield f"Hypothesis {_length(w, size)} : INR {name} = {size % STEPS}."


def _length(w: Letters, size: int) -> str:
    """The hypothesis how long an axis is; few theorems make use of it."""
    return w.named(f"{w.size(size)}_is_{size % STEPS}")


def variables(w: Letters) -> Iterator[str]:
    """What is given."""
    for quantity in w.families.given:
        yield f"Variables {w.of(quantity.name)} : {kind_of(quantity)}."


def equations(w: Letters) -> Iterator[str]:
    """Each equation as a function of what it reads, and each quantity by its equation."""
    for name, equation in w.families.forward.items():
        walk = w.families.walks.of(name)
        if walk is None:
            yield _function(w, name, equation)
            yield _by_equation(w, name)
        elif walk.first == name:
            for each in walk.names:
                yield _function(w, each, w.families.forward[each])
            yield from walked.walk_definitions(
                w, walk, "{}", "", "", lambda each: _value(w, each), lambda _: ""
            )
            for each in walk.names:
                yield _by_equation(w, each)
            yield from walked.kept_lemmas(w, walk, "{}")


def _function(w: Letters, name: str, equation: Equation) -> str:
    read = reads(equation.rhs)
    inner = "".join(f" ({w.of(n)} : {kind_of(w.families.quantity(n))})" for n in read)
    head = f"Definition {w.role('{}_of', name)}{inner}{binder(letters_of(w, name))} : R :="
    return wrapped(head, term(equation.rhs, w))


def _value(w: Letters, name: str) -> str:
    read = reads(w.families.forward[name].rhs)
    return " ".join([w.role("{}_of", name), *map(w.of, read), *letters_of(w, name)])


def _by_equation(w: Letters, name: str) -> str:
    head = f"Definition {w.of(name)}{binder(letters_of(w, name))} : R :="
    return wrapped(head, _value(w, name))


def assumptions(w: Letters) -> Iterator[str]:
    """What is taken for granted: rows that add up to one, and what equations need."""
    for quantity in w.families.distributions:
        names = letters_of(w, quantity.name)
        row = totals(w, [(names[-1], quantity.shape[-1])], at(w.of(quantity.name), names))
        front = forall(w, names[:-1], quantity.shape[:-1])
        yield wrapped(f"Hypothesis {w.role('{}_is_one', quantity.name)} :", f"{front}{row} = 1")
    for number, (letters, condition) in enumerate(w.families.conditions, 1):
        name = w.named(f"away_from_the_edge_{number}")
        front = forall(w, [w.letter(i) for i in letters], [int(i.axis.size) for i in letters])
        yield wrapped(f"Hypothesis {name} :", front + condition.text(w))


def slopes(w: Letters) -> Iterator[str]:
    """The local derivatives: of each linear term what its movement is multiplied by."""
    for edge in w.families.edges:
        names = [w.letter(i) for i in (*edge.letters, *edge.own)]
        yield wrapped(f"Definition {w.slope(edge)}{binder(names)} : R :=", term(edge.slope, w))


def adjoints(w: Letters) -> Iterator[str]:
    """The backward pass, as the derivation has it."""
    families = w.families
    if families.loss not in families.adjoints:
        yield f"Definition {w.adjoint(families.loss)} : R := 1."
    for name, equation in families.adjoints.items():
        walk = families.walks.back(name)
        if walk is not None:
            if walk.first == name:
                yield from walked_back.beyond(w, walk)
                yield from walked_back.adjoint_definitions(
                    w, walk, lambda each: term(families.adjoints[each].rhs, w)
                )
            continue
        own = [w.letter(i) for i in equation.indices]
        head = f"Definition {w.adjoint(name)}{binder(own)} : R :="
        yield wrapped(head, term(equation.rhs, w))
        if name in families.carried and families.walks.source(name) in families.carried:
            value = walked_back.come_back_by(w, name, own)
            head = f"Definition {w.adjoint(families.walks.ahead(name))}{binder(own)} : R :="
            yield wrapped(head, value)


# --- theorems -------------------------------------------------------------------------------


def local_theorems(w: Letters, kinds: Kinds) -> Iterator[Theorem]:
    """Each equation moves as its local derivatives say, whatever moves what it reads."""
    for name in w.families.moving:
        if name in w.families.forward:
            known = kinds.of.get(name)
            proof = by_kind(w, known, name, operands(w, name)) if known else _local_proof(w, name)
            text = "\n".join([*_local_statement(w, name), proof])
            yield Theorem(w.role("{}_local", name), text, about_every_local(name))


def operands(w: Letters, name: str) -> list[str]:
    """The moving quantities that an equation reads."""
    read = reads(w.families.forward[name].rhs)
    return [n for n in read if n in w.families.moving]


def _local_statement(w: Letters, name: str) -> Iterator[str]:
    families = w.families
    read = operands(w, name)
    path = {n: f"_F{k}" for k, n in enumerate(read, 1)}
    speed = {n: f"_S{k}" for k, n in enumerate(read, 1)}
    kinds = {n: kind_of(families.quantity(n)) for n in read}
    paths = "".join(f" ({path[n]} : {kinds[n][:-1]}R -> R) ({speed[n]} : {kinds[n]})" for n in read)
    mine = letters_of(w, name)
    walk = families.walks.of(name)
    step = f" {mine[0]}" if walk else ""
    yield f"Theorem {w.role('{}_local', name)}{paths}{step} :"
    if walk:
        yield f"  ({mine[0]} < {w.size(shape_of(w, name)[0])})%nat ->"
    for n in read:
        own, front = letters_of(w, n), forall(w, letters_of(w, n), shape_of(w, n))
        if walk and families.walks.of(n) is walk:  # what moves at this step is enough
            front = forall(w, own[1:], shape_of(w, n)[1:])
            own = [mine[0], *own[1:]]
        moved = f"moves {at(path[n], own)} {at(w.of(n), own)} {at(speed[n], own)}"
        yield f"  ({front}{moved}) ->"
    inner = [_moved_operand(w, n, path) for n in reads(families.forward[name].rhs)]
    whole = " ".join([w.role("{}_of", name), *inner, *mine])
    slope = " + ".join(forth(w, e, mine, [speed[e.by]]) for e in families.out_of(name)) or "0"
    inside = forall(w, mine[1:], shape_of(w, name)[1:]) if walk else ""
    yield f"  {inside or ('' if walk else forall(w, mine, shape_of(w, name)))}"
    yield wrapped(f"  moves (fun _X => {whole}) {at(w.of(name), mine)}", f"({slope})")


def _moved_operand(w: Letters, name: str, path: dict[str, str]) -> str:
    if name not in path:
        return w.of(name)
    own = letters_of(w, name)
    head = f"fun {' '.join(own)} => " if own else ""
    return f"({head}{path[name]} {' '.join([*own, '_X'])})"


def _local_proof(w: Letters, name: str) -> str:
    out = w.families.out_of(name)
    stated = list(dict.fromkeys(n for e in out for n in reads(e.slope) if n in w.families.forward))
    below = [n for n in reads(w.families.forward[name].rhs) if n in w.families.forward]
    tries = [
        "sums",
        opened(w, [name]),
        opened(w, [name, *stated]),
        opened(w, [name, *stated, *below]),
    ]
    fixed = w.families.fixed([w.families.forward[name].rhs])
    tries += [_at_places(w, fixed, each) for each in tries[:3] if fixed]
    tries += [f"{_held(len(operands(w, name)))}; {each}" for each in tries[1:2]]
    if any(t.body.has(Total) for t in w.families.forward[name].rhs.atoms(Total)):
        tries += [f"rewrite total_swap; {each}" for each in tries]
    names = ", ".join(dict.fromkeys(map(w.slope, out)))
    start = f"Proof.\n  {_placed(w, fixed)}unfold {w.role('{}_of', name)}; lift."
    start += f" unfold {names}." if names else ""
    return "\n".join([start, f"  {first(tries)}.", "Qed."])


def _placed(w: Letters, fixed: Sequence[tuple[int, int]]) -> str:
    """Steps by which places that are told by numbers are on their axes."""
    return "".join(
        f"assert (_A{k} : ({place} < {w.size(size)})%nat) by placed {_length(w, size)}. "
        for k, (size, place) in enumerate(fixed, 1)
        if place
    )


def _at_places(w: Letters, fixed: Sequence[tuple[int, int]], attempt: str, told: str = "") -> str:
    """An attempt in which of a sum only one place counts, as something is read there."""
    places = "".join(f"only_at {w.size(size)} {place}%nat; " for size, place in fixed)
    return f"{attempt.removesuffix('sums')}{places}{told}sums"


def _kept_at(w: Letters, walk: Walk, fixed: Sequence[tuple[int, int]]) -> str:
    """Steps by which what was carried on to such places is told by where it comes from."""
    steps = []
    for kept in reversed(walk.kept):
        is_, none = (lemma(w, "{}", kept) for lemma in (walked.kept_is, walked.none_kept))
        if walk.step == 1:
            steps += [f"rewrite ?{is_}", f"rewrite ?{none}"]
            continue
        for size, place in fixed:
            by = f"{place}%nat) by placed {_length(w, size)}"
            steps += [f"rewrite ?({is_} {by}", f"rewrite ?({none} {by}"]
    return "".join(f"{step}; " for step in steps)


def _held(count: int) -> str:
    """A step by which sums that do not move are numbers, whatever they are sums of."""
    moving = "".join(f" | context [_S{k}] => fail" for k in range(1, count + 1))
    found = f"lazymatch f with{moving} | _ => set (total n f) end"
    return f"repeat match goal with |- context [total ?n ?f] => {found} end"


def opened(
    w: Letters, names: Sequence[str], adjoints_: Sequence[str] = (), end: str = "sums"
) -> str:
    """An attempt with the definitions of quantities opened, and those of adjoints."""
    forward = w.families.forward
    every = [x for n in names if n in forward for x in (w.of(n), w.role("{}_of", n))]
    found = ", ".join(dict.fromkeys([*map(w.adjoint, adjoints_), *every]))
    return f"unfold {found}; {end}" if found else end


def first(tries: Sequence[str]) -> str:
    """The first attempt that works."""
    fresh = list(dict.fromkeys(tries))
    return fresh[0] if len(fresh) == 1 else "first [ " + "\n  | ".join(fresh) + " ]"


def sum_theorems(w: Letters) -> Iterator[Theorem]:
    """Each adjoint is the sum over the readers of its quantity, and over their letters."""
    for name in w.families.moving:
        mine = letters_of(w, name)
        parts = [back(w, e, mine) for e in w.families.into(name)]
        parts += ["1"] if name == w.families.loss else []
        own = at(w.adjoint(name), mine)
        front = forall(w, mine, shape_of(w, name))
        identifier = w.role("{}_sum", name)
        statement = wrapped(
            f"Theorem {identifier} : {front}", f"{own} = {' + '.join(parts) or '0'}"
        )
        text = "\n".join([statement, _sum_proof(w, name)])
        yield Theorem(identifier, text, f"every entry of dE/d{name} from those of its readers")


def _sum_proof(w: Letters, name: str) -> str:
    families = w.families
    into = families.into(name)
    above = [e.of for e in into if e.of != name]
    formulas = [families.adjoints[n].rhs for n in (name, *above) if n in families.adjoints]
    read = list(dict.fromkeys(n for f in (*formulas, *(e.slope for e in into)) for n in reads(f)))
    read = [n for n in read if n in families.forward]
    below = [n for x in read for n in reads(families.forward[x].rhs) if n in families.forward]
    inner = {n for x in read for n in reads(families.forward[x].rhs)}
    outer = [n for n in read if n not in inner]
    tries = ["sums", opened(w, [], above), opened(w, outer, above), opened(w, read)]
    tries += [opened(w, read, above)]
    tries += [opened(w, [*read, *below], above)]
    tries += list(_special(w, name, above, read))
    came = [w.adjoint(families.walks.ahead(e.of)) for e in into if e.back]
    fixed = families.fixed([families.adjoints[name].rhs] if name in families.adjoints else [])
    told = "".join(_kept_at(w, walk, fixed) for walk in families.walks.forward)
    tries += [_at_places(w, fixed, each, told) for each in tries[:3] if fixed]
    if came and name not in families.carried:
        return _walked_sum_proof(w, name, outer)
    names = dict.fromkeys([w.adjoint(name), *came, *(w.slope(e) for e in into if not e.back)])
    start = f"Proof.\n  {_placed(w, fixed)}intros. unfold {', '.join(names)}."
    return "\n".join([start, f"  {first(tries)}.", "Qed."])


def _walked_sum_proof(w: Letters, name: str, outer: Sequence[str]) -> str:
    """At a step with as many after it as are read, and at each of those that have fewer."""
    families = w.families
    walk, back_walk = families.walks.of(name), families.walks.back(name)
    kept = [k for k in families.carried if plain_name(k) == name]
    come = [each for k in kept for each in (families.walks.ahead(k), k)][1:]
    edges = [e for e in families.edges if not e.back and e.by in (name, *kept)]
    ahead = back_walk.beyond[::-1] if back_walk else ()  # from the furthest on
    start = [*map(w.adjoint, (name, *come)), *map(w.of, ahead)]
    known = [walked.kept_is(w, "{}", k) for k in (walk.kept[::-1] if walk else ())]
    above = [e.of for e in edges if e.by == name]
    every = ["sums", opened(w, [], above), opened(w, outer), opened(w, outer, above)]
    if any(delta.args[1].is_Integer for e in edges for delta in e.slope.atoms(Delta)):
        size = shape_of(w, name)[0]
        at_ends = f"with_length {_length(w, size)} {w.size(size)} {size % STEPS}%nat"
        every += [f"{at_ends}; {each}" for each in every]
    tries = first(every)
    slopes_ = "".join(f"unfold {', '.join(dict.fromkeys(map(w.slope, edges)))}. " if edges else "")
    lines = [f"intros. unfold {', '.join([*dict.fromkeys(start), 'after'])}."]
    lines += walked_back.cases(
        w, name, lambda places: f"{slopes_}{_told(walk, known, places)}{tries}."
    )
    return "\n".join(["Proof.", *(f"  {line}" for line in lines), "Qed."])


def _told(walk: Walk | None, known: Sequence[str], places: Sequence[str]) -> str:
    """Steps by which what was carried on is told by where it comes from."""
    if walk is None or walk.step == 1:
        return "".join(f"rewrite ?{lemma}. " for lemma in known)
    return "".join(f"rewrite ?({lemma} {p}) by lia. " for lemma in known for p in places)


def _special(w: Letters, name: str, above: list[str], read: list[str]) -> Iterator[str]:
    """Where rows add up to one, or what is measured from a mean to nothing."""
    mine = letters_of(w, name)
    for quantity in w.families.distributions:
        rows = mine[: len(quantity.shape) - 1]
        row = " ".join([w.role("{}_is_one", quantity.name), *rows])
        row += " ltac:(assumption)" * len(rows)
        end = f"eapply normalised; [exact ({row})|split_sums|intros; equal]"
        yield opened(w, [], above, end)
        yield opened(w, read, above, end)
    lengths = ", ".join(f"?{_length(w, n)}" for n in w.families.sizes)
    means = [n for n in read if w.families.forward[n].rhs.has(Total)]
    if means:
        shown = opened(w, means, (), f"rewrite {lengths}; sums")
        yield opened(w, [], above, f"rewrite !total_centred by ({shown}); sums")
