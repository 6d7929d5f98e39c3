"""The target `c`: one file of C99, for a microcontroller as for a server.

It needs nothing but the standard library and allocates nothing. Everything has the sizes of the
spec; intermediate values stand in static variables, so one call runs at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy

from derive.emit.apart import set_apart
from derive.emit.c_lines import Scope, assigned, nested, recurrent, wrapped
from derive.emit.c_runs import joined
from derive.emit.c_sums import with_rows
from derive.emit.hoisting import hoisted
from derive.emit.in_place import fused, replaces
from derive.emit.loops import grouped
from derive.emit.names import C_FUNCTIONS, TAKEN, code_name
from derive.emit.program import Assignment, Program, depended_on, is_small, lower, updated
from derive.emit.prose import explanation, in_comment, length, listing, summary
from derive.emit.python import table
from derive.emit.reuse import reusing
from derive.emit.shares import with_shares
from derive.emit.sharing import shared
from derive.emit.singles import in_singles
from derive.emit.tree import names_read
from derive.graph import Derivation, Quantity
from derive.library.optimizers import counts
from derive.problem import Problem, Tensor
from derive.scalar import positions
from derive.templating import environment

TEMPLATE = "code/c.c.j2"
BRACES = str.maketrans("[]", "{}")
ARGUMENTS = ("parameters", "sample", "values", "slopes", "state", "learning_rate", "number")
HELPERS: Mapping[str, tuple[str, ...]] = {
    "add_product": (),
    "larger": (),
    "smaller": (),
    "square": (),
    "angle": (),
    "factorial": (),
    "polygamma": ("factorial", "whole_power"),
    "whole_power": (),
    "sign": (),
    "exponential": (),
    "tangent": ("exponential",),
    "logistic": (),
    "softplus": ("larger",),
    "log_add_exp": ("larger",),
    "times_log": (),
    "times_log1p": (),
    "ratio": (),
    "add_exp": (),
    "log_erfc": ("tail_series",),
    "inverse_mills": ("tail_series",),
    "tail_series": (),
}


@dataclass(frozen=True)
class _Function:
    """The lines of a function, and which of its arguments it does not need."""

    lines: tuple[str, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class _Passes:
    """What is computed forth, back, and in an update right after a forward pass.

    That reads what the forward pass kept besides its values: `kept` stands outside the functions.
    """

    forward: tuple[Assignment, ...]
    backward: tuple[Assignment, ...]
    step: tuple[Assignment, ...]
    kept: tuple[Quantity, ...]


def emit_c(problem: Problem, derivation: Derivation, single: bool = False) -> str:
    """A file of C, in single precision if it is to be `single`.

    Raises EmitError for an equation that has no form in it, or a number beyond single precision.
    """
    program = lower(problem, derivation, batch=sympy.Integer(problem.batch))
    passes = _passes(program)
    bodies = {"forward": _forward(program, passes)}
    if not problem.forward_only:
        bodies["gradients"] = _gradients(program, passes)
    if program.trained:
        bodies["update"] = _update(program)
        if not program.interleaved:
            bodies["train_once"] = _step(program, passes)
    words = {word for each in bodies.values() for word in re.findall(r"\w+", "\n".join(each.lines))}
    used = words.union(*(HELPERS[name] for name in words & HELPERS.keys()))
    symbolic, states = problem.symbolic, bool(program.states)
    large = not is_small(problem)
    used |= {"exponential"} if large and "logistic" in used else set()
    small = not large and not symbolic
    text = (
        environment("code")
        .get_template(TEMPLATE)
        .render(
            summary=in_comment([summary(problem)])[0],
            explanation=in_comment(explanation(program, _names)),
            batch=problem.batch if not problem.is_model else 0,
            model=problem.is_model,
            records=_records(program),
            constants=_constants(program),
            bodies=bodies,
            kept=[_declared(quantity) for quantity in passes.kept],
            docs={
                "Forward": in_comment(listing(program.values, _names)),
                "Gradients": in_comment(listing(program.gradients, _names)),
                "Updated": in_comment(listing(program.trained, _names)),
            },
            used=used,
            large=large,
            single=single,
            loss="" if problem.forward_only else code_name(program.loss.name),
            learning_rate=repr(float(problem.training.learning_rate)),
            steps=problem.training.steps,
            symbolic=symbolic,
            trained=bool(program.trained),
            interleaved=program.interleaved,
            states=states,
            counted=counts(problem.training.optimizer),
            samples=len(problem.samples),
            prints=_prints(program) if small else {},
            last=next(_entries("values", program.values[-1], "")),
        )
    )
    text = in_singles(text) if single else text
    lines = [part for line in text.splitlines() for part in (wrapped(line) or [""])]
    return "\n".join(lines) + "\n"


def _names(quantities: Iterable[Quantity]) -> list[str]:
    return [code_name(quantity.name) for quantity in quantities]


def _passes(program: Program) -> _Passes:
    """All that a file computes, each once."""
    results = (*program.values, *program.gradients)
    whole = hoisted(shared(depended_on(reusing(program.whole), results)))
    forward = depended_on(whole, program.values)
    given = {quantity.name for quantity in program.values}
    rest = [each for each in whole if each.quantity.name not in given]
    backward = depended_on(rest, program.gradients)
    known = {each.quantity.name for each in forward}
    after = [each for each in whole if each.quantity.name not in known]
    moved = [updated(quantity) for quantity in (*program.trained, *program.states)]
    step = depended_on(fused((*after, *program.updates), program), moved)
    read = frozenset[str]().union(*(names_read(each.value) for each in step))
    step, forward, backward = map(set_apart, (step, forward, backward))
    if not is_small(program.problem):
        step, forward, backward = (
            tuple(with_rows(with_shares(part))) for part in (step, forward, backward)
        )
    inner = [each.quantity for each in forward if each.quantity.name not in given]
    kept = tuple(quantity for quantity in inner if quantity.name in read)
    return _Passes(forward, backward, step, kept)


def _function(
    assignments: Iterable[Assignment],
    places: Mapping[str, str],
    arguments: Iterable[str],
    program: Program,
    after: Iterable[str] = (),
) -> _Function:
    """The body of a function: what it keeps for itself, its loops, and what comes after them."""
    assignments = tuple(assignments)
    own = [each.quantity for each in assignments if each.quantity.name not in places]
    scope = Scope(
        {**places, **{quantity.name: code_name(quantity.name) for quantity in own}},
        frozenset({*TAKEN, *C_FUNCTIONS, *ARGUMENTS, *(code_name(q.name) for q in own)}),
        tuple(q for q in program.problem.graph.given if q.integer),
        not is_small(program.problem),
    )
    lines = [f"static {_declared(quantity)};" for quantity in own]
    parts = [
        (recurrent(group, scope), None) if group[0].walks else (assigned(group[0], scope), group[0])
        for group in grouped(assignments)
    ]
    if scope.large:
        lines += joined(parts, scope.places)
    else:
        lines += [line for part, _ in parts for line in part]
    lines += after
    words = set(re.findall(r"\w+", "\n".join(lines)))
    return _Function(
        tuple(f"    {line}" for line in lines),
        tuple(name for name in arguments if name not in words),
    )


def _forward(program: Program, passes: _Passes) -> _Function:
    places = _given(program) | _fields("values", program.values) | _outside(passes)
    return _function(passes.forward, places, ("parameters", "sample"), program)


def _gradients(program: Program, passes: _Passes) -> _Function:
    places = _given(program) | _fields("values", program.values)
    places |= _fields("slopes", program.gradients)
    return _function(passes.backward, places, ("parameters", "sample", "values"), program)


def _update(program: Program) -> _Function:
    """New states and parameters, in the place of the old ones."""
    places = _given(program) | _fields("state", program.states)
    arguments = [*_moving(program)]
    if program.interleaved:
        places |= _fields("values", program.values)
        arguments += ["sample", "values"]
    else:
        places |= _fields("slopes", program.gradients)
        arguments += ["slopes"]
    return _moved(program.updates, places, arguments, program)


def _step(program: Program, passes: _Passes) -> _Function:
    """A step behind the forward pass: no derivative is computed that no parameter needs."""
    places = _given(program) | _fields("state", program.states) | _outside(passes)
    places |= {q.name: f"values.{code_name(q.name)}" for q in program.values}
    return _moved(passes.step, places, _moving(program), program)


def _moving(program: Program) -> Iterator[str]:
    """The arguments of whatever changes parameters."""
    yield from ("parameters", "learning_rate")
    if program.states:
        yield "state"
    if counts(program.problem.training.optimizer):
        yield "number"


def _moved(
    assignments: Iterable[Assignment],
    places: dict[str, str],
    arguments: Iterable[str],
    program: Program,
) -> _Function:
    """A function that changes parameters and states: where it can, each at once.

    Where something is still to be read as it was, what is new is put in its place at the end.
    """
    assignments = tuple(assignments)
    after = []
    for old in (*program.trained, *program.states):
        if replaces(old, assignments):
            places[updated(old).name] = places[old.name]
        else:
            after += _copied(places[old.name], updated(old))
    return _function(assignments, places, arguments, program, after)


def _outside(passes: _Passes) -> dict[str, str]:
    return {quantity.name: code_name(quantity.name) for quantity in passes.kept}


def _given(program: Program) -> dict[str, str]:
    return _fields("parameters", program.parameters) | _fields("sample", program.sample)


def _fields(record: str, quantities: Iterable[Quantity]) -> dict[str, str]:
    return {quantity.name: f"{record}->{code_name(quantity.name)}" for quantity in quantities}


def _copied(target: str, source: Quantity) -> list[str]:
    """The lines that put what was computed in the place of what was there."""
    letters = [f"k{k}" for k, _ in enumerate(source.axes, 1)]
    place = "".join(f"[{letter}]" for letter in letters)
    lines = [f"{target}{place} = {code_name(source.name)}{place};"]
    for letter, axis in zip(reversed(letters), reversed(source.axes), strict=True):
        lines = nested(letter, axis, lines)
    return lines


def _declared(quantity: Quantity) -> str:
    """A variable or a field: `double W1[2][3]`."""
    kind = "int" if quantity.integer else "double"
    sizes = "".join(f"[{length(axis)}]" for axis in quantity.axes)
    return f"{kind} {code_name(quantity.name)}{sizes}"


def _records(program: Program) -> list[tuple[str, str, list[str]]]:
    """The records: name, what it holds, and its fields; one without any has one for nothing."""
    model = program.problem.is_model
    trained = "What is trained." if model else "Weights and biases."
    given = "What is given and not trained." if model else "Inputs and targets."
    groups = [
        ("Parameters", trained, program.parameters),
        ("Sample", given, program.sample),
        ("Forward", "The values of the forward pass.", program.values),
    ]
    if program.gradients:
        groups.append(("Gradients", "The derivatives of the loss.", program.gradients))
    if program.states:
        kept = "What the optimizer keeps from one update to the next."
        groups.append(("State", kept, program.states))
    return [
        (name, about, [f"{_declared(quantity)};" for quantity in quantities] or ["int nothing;"])
        for name, about, quantities in groups
    ]


def _constants(program: Program) -> list[tuple[str, list[str]]]:
    """The given values, and the first states: what is declared, and how it is initialised."""
    problem = program.problem
    found = []
    if not problem.symbolic:
        own = problem.values
        found += [
            ("Parameters PARAMETERS", _initialiser(program.parameters, own)),
            ("Sample SAMPLE", _initialiser(program.sample, own)),
        ]
    if problem.samples:
        rows = [_initialiser(program.sample, {**own, **values}) for values in problem.samples]
        braced = [["    {", *(f"    {line}" for line in row), "    },"] for row in rows]
        found.append((f"Sample SAMPLES[{len(rows)}]", [line for row in braced for line in row]))
    if program.states:
        found.append(("State STATE", _initialiser(program.states, dict(_first_states(program)))))
    return found


def _first_states(program: Program) -> Iterator[tuple[str, Tensor]]:
    given = program.problem.training.states
    for quantity in program.states:
        state, _, parameter = quantity.name.partition("_")
        zeros = dict.fromkeys(positions(quantity.axes), Fraction(0))
        yield quantity.name, {**zeros, **given.get((state, parameter), {})}


def _initialiser(quantities: Iterable[Quantity], values: Mapping[str, Tensor]) -> list[str]:
    tables = [table(quantity, (), values[quantity.name]) for quantity in quantities]
    return [f"    {each.translate(BRACES)}," for each in tables] or ["    0"]


def _prints(program: Program) -> dict[str, list[tuple[str, str]]]:
    """The entries that `main` prints, and what each is called."""
    return {
        "values": [each for q in program.values for each in _entries("values", q, "")],
        "slopes": [each for q in program.gradients for each in _entries("slopes", q, "")],
        "parameters": [each for q in program.trained for each in _entries("parameters", q, "_new")],
    }


def _entries(record: str, quantity: Quantity, mark: str) -> Iterator[tuple[str, str]]:
    name = code_name(quantity.name)
    for place in positions(quantity.axes):
        entry = "".join(f"[{k}]" for k in place)
        yield f"{name}{mark}{entry}", f"{record}.{name}{entry}"
