"""Program → source text: the parts that every Python module has, and its template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from derive.emit.layout import STEP, WIDTH, statement
from derive.emit.names import code_name
from derive.emit.program import Assignment, Program, depended_on, is_small, updated
from derive.emit.prose import documented, explanation, listing, summary
from derive.graph import Quantity, adjoint_name
from derive.library.optimizers import counts
from derive.problem import Tensor
from derive.templating import environment


@dataclass(frozen=True)
class Writing:
    """How one target writes a program: fields of records, assignments, data.

    `lines` may leave out what the results do not need.
    `helpers` are the functions that its template can define, with the imports that each one needs.
    Where `straight`, calls and records cost more than arithmetic, so a step is written out.
    A single number that is computed is a `scalar`; a `decorator` stands before what computes, and
    another one may stand before what updates.
    """

    template: str
    fields: Callable[[Iterable[Quantity]], list[str]]
    kind: Callable[[Quantity], str]
    lines: Callable[[Iterable[Assignment], Iterable[Quantity]], list[str]]
    data: Callable[[Quantity, Tensor], list[str]]
    example: Callable[[str, Iterable[Quantity]], str]
    batch: str
    helpers: Mapping[str, tuple[str, ...]]
    zeros: Callable[[Quantity], str]
    straight: bool = False
    scalar: str = "float"
    decorator: str = ""
    decorator_of_updates: str = ""


def module(program: Program, writing: Writing) -> str:
    """The source text of a whole module."""
    problem = program.problem
    bodies = _bodies(program, writing)
    examples = _examples(program, writing)
    records = _records(program, writing)
    used = _used([*bodies.values(), *examples.values(), *records.values()], writing)
    text = (
        environment("code")
        .get_template(writing.template)
        .render(
            summary=documented([summary(problem)])[0],
            explanation=documented(explanation(program, writing.fields)),
            records=records,
            data=_data(program, writing),
            examples=examples,
            bodies=bodies,
            docs=_docs(program, writing),
            used=used,
            last=writing.fields([program.values[-1]])[-1],
            loss="" if problem.forward_only else writing.fields([program.loss])[0],
            learning_rate=repr(float(problem.training.learning_rate)),
            steps=str(problem.training.steps),
            written_out=writing.straight
            or program.interleaved
            or len(program.gradients) > len(program.trained),  # what no update needs
            symbolic=problem.symbolic,
            small=is_small(problem),
            model=problem.is_model,
            trained=bool(program.trained),
            held=0 < len(program.trained) < len(program.parameters),
            interleaved=program.interleaved,
            states=_states(program, writing),
            counted=counts(problem.training.optimizer),
            samples=_samples(program, writing),
            scalar=writing.scalar,
            slopes=_slopes(program),
            pulled=_pulled(program),
            compiled=_before(writing.decorator),
            updating=_before(writing.decorator_of_updates or writing.decorator),
        )
    )
    return text.rstrip("\n") + "\n"


def _before(decorator: str) -> str:
    return f"{decorator}\n" if decorator else ""


def _used(parts: Iterable[list[str]], writing: Writing) -> frozenset[str]:
    """The words of the code, and what the helpers among them need."""
    used = {word for lines in parts for word in _words(lines)}
    for name, needs in writing.helpers.items():
        if name in used:
            used.update(needs)
    return frozenset(used)


def _words(lines: Iterable[str]) -> set[str]:
    """The names in lines of code, without attributes of others."""
    return set(re.findall(r"(?<![\w.])\w+", "\n".join(lines)))


def _records(program: Program, writing: Writing) -> dict[str, list[str]]:
    """The fields of the four records, with their types."""
    groups = {
        "Parameters": program.parameters,
        "Sample": program.sample,
        "Forward": program.values,
        "Gradients": program.gradients,
        "State": program.states,
    }
    return {
        name: [
            f"    {field}: {writing.kind(quantity)}"
            for quantity in quantities
            for field in writing.fields([quantity])
        ]
        for name, quantities in groups.items()
    }


def _docs(program: Program, writing: Writing) -> dict[str, list[str]]:
    """What each function computes, with shapes."""
    groups = {
        "Forward": program.values,
        "Gradients": program.gradients,
        "Updated": program.trained,
    }
    return {
        name: documented(listing(quantities, writing.fields)) for name, quantities in groups.items()
    }


def _data(program: Program, writing: Writing) -> dict[str, list[str]]:
    """The given values as constants; nothing for a symbolic problem."""
    if program.problem.symbolic:
        return {}
    given = {"PARAMETERS": program.parameters, "SAMPLE": program.sample}
    return {
        name: _made(f"{name} = ", record, quantities, writing, program, 0)
        for (name, quantities), record in zip(given.items(), ("Parameters", "Sample"), strict=True)
    }


def _made(
    head: str,
    record: str,
    quantities: Iterable[Quantity],
    writing: Writing,
    program: Program,
    indent: int,
) -> list[str]:
    arguments = []
    for quantity in quantities:
        values = writing.data(quantity, program.problem.values[quantity.name])
        fields = writing.fields([quantity])
        arguments += [f"{f}={v}" for f, v in zip(fields, values, strict=True)]
    return statement(head, f"{record}({', '.join(arguments)})", indent)


def _states(program: Program, writing: Writing) -> list[str]:
    """The first values of what the optimizer keeps."""
    if not program.states:
        return []
    arguments = []
    for quantity in program.states:
        state, _, parameter = quantity.name.partition("_")
        values = program.problem.training.states.get((state, parameter))
        text = writing.zeros(quantity) if values is None else writing.data(quantity, values)[0]
        arguments.append(f"{writing.fields([quantity])[0]}={text}")
    return statement("STATE = ", f"State({', '.join(arguments)})", 0)


def _slopes(program: Program) -> list[str]:
    """What may be trained, and the derivatives by what is given, in the order of the records."""
    names = [name for given in (program.parameters, program.sample) for name in _by(program, given)]
    free = program.trained or program.parameters
    trained = [code_name(q.name) for q, by in zip(free, _by(program, free), strict=True) if by]
    return [*_words_in("TRAINED", trained), *_words_in("SLOPES", names)]


def _pulled(program: Program) -> list[str]:
    """The line that returns the derivatives by both records, times what comes from above."""
    groups = {"Parameters": program.parameters, "Sample": program.sample}
    made = []
    for record, given in groups.items():
        names = _by(program, given)
        fields = ", ".join(f"upstream * slopes.{name}" if name else "None" for name in names)
        made.append(f"{record}._make([{fields}])")
    return statement("return ", ", ".join(made))


def _by(program: Program, given: Iterable[Quantity]) -> list[str]:
    """The names of the derivatives by what is given; nothing for what has none."""
    made = {gradient.name for gradient in program.gradients}
    names = (adjoint_name(quantity.name) for quantity in given)
    return [code_name(name) if name in made else "" for name in names]


def _words_in(name: str, words: list[str]) -> list[str]:
    texts = ", ".join(f'"{word}"' for word in words)
    return statement(f"{name} = ", f"({texts}{',' if len(words) == 1 else ''})", 0)


def _samples(program: Program, writing: Writing) -> list[str]:
    """The data of each update in turn, if they change."""
    lines = ["SAMPLES = ("] if program.problem.samples else []
    for sample in program.problem.samples:
        values = {**program.problem.values, **sample}
        arguments = [
            f"{writing.fields([q])[0]}={writing.data(q, values[q.name])[0]}" for q in program.sample
        ]
        lines += statement("", f"Sample({', '.join(arguments)})", 4, ",")
    return [*lines, ")"] if lines else []


def _examples(program: Program, writing: Writing) -> dict[str, list[str]]:
    """The functions that make up values for a symbolic problem."""
    if not program.problem.symbolic:
        return {}
    return {
        name: statement("return ", writing.example(record, quantities))
        for name, record, quantities in (
            ("parameters", "Parameters", program.parameters),
            ("sample", "Sample", program.sample),
        )
    }


def _bodies(program: Program, writing: Writing) -> dict[str, list[str]]:
    """The lines of each function that computes something."""
    given = {"parameters": program.parameters, "sample": program.sample}
    found = {"forward": _body(program.forward, given, program.values, "Forward", writing)}
    if program.problem.forward_only:
        return found
    loss = f"{writing.fields([program.loss])[0]}, "
    found["value_and_gradients"] = _body(
        program.whole, given, program.gradients, "Gradients", writing, (loss, ""), [program.loss]
    )
    found["update"], found["step"] = _update(program, writing), _step(program, writing)
    return found


def _update(program: Program, writing: Writing) -> list[str]:
    """An update that starts from the gradients."""
    given = {
        "parameters": program.parameters,
        "state": program.states,
        "gradients": program.gradients,
    }
    after, states, kept = _after(program, writing)
    return _body(program.updates, given, after, "Parameters", writing, ("", kept), states)


def _step(program: Program, writing: Writing) -> list[str]:
    """An update that starts from the sample, in one pass."""
    given = {
        "parameters": program.parameters,
        "state": program.states,
        "sample": program.sample,
    }
    after, states, kept = _after(program, writing)
    kept += f", {writing.fields([program.loss])[0]}"
    also = [*states, program.loss]
    return _body(program.step, given, after, "Parameters", writing, ("", kept), also)


def _after(program: Program, writing: Writing) -> tuple[list[Quantity], list[Quantity], str]:
    """The parameters and the states after an update, and how these are returned."""
    after = {q.name: q for q in program.parameters} | {
        q.name.removesuffix("_new"): q for q in program.updated
    }
    states = [updated(quantity) for quantity in program.states]
    kept = f", State({', '.join(writing.fields(states))})" if states else ""
    return [*after.values()], states, kept


def _body(
    assignments: Iterable[Assignment],
    given: Mapping[str, Iterable[Quantity]],
    results: Iterable[Quantity],
    record: str,
    writing: Writing,
    around: tuple[str, str] = ("", ""),
    also: Iterable[Quantity] = (),
) -> list[str]:
    """A function body: take apart what is given, compute, put together what is returned.

    `around` is written before and after the record, and `also` is what it needs.
    """
    wanted = [*results, *also]
    lines = writing.lines(depended_on(assignments, wanted), wanted)
    made = f"{record}({', '.join(writing.fields(results))})"
    lines += statement("return ", made.join(around))
    used = _words(lines)
    if "batch" in used:
        lines.insert(0, f"    batch = {writing.batch}")
        used |= _words([writing.batch])
    taken = [
        line
        for source, quantities in given.items()
        for line in unpacked(writing.fields(quantities), source, used)
    ]
    return [*taken, *lines]


def unpacked(names: list[str], source: str, used: set[str]) -> list[str]:
    """Lines that give the fields of a record names of their own, or `_` to those not needed.

    Where one line is too short, slices of the record are taken apart.
    """
    if not used & set(names):
        return []
    targets = [name if name in used else "_" for name in names]
    line = f"    {_targets(targets)} = {source}"
    if len(line) <= WIDTH:
        return [line]
    lines = []
    if "(" in source:
        lines.append(f"    values = {source}")
        source = "values"
    for start, stop in _slices(targets, WIDTH - STEP - len(f" = {source}[0000:0000]")):
        ends = f"{start or ''}:{stop if stop < len(names) else ''}"
        lines.append(f"    {_targets(targets[start:stop])} = {source}[{ends}]")
    return lines


def _targets(names: list[str]) -> str:
    return ", ".join(names) if len(names) > 1 else f"({names[0]},)"


def _slices(names: list[str], width: int) -> Iterator[tuple[int, int]]:
    """Stretches of names that fit into a line, without unneeded names at their ends."""
    start = 0
    while start < len(names):
        stop = start + 1
        while stop < len(names) and len(", ".join(names[start : stop + 1])) <= width:
            stop += 1
        needed = [k for k in range(start, stop) if names[k] != "_"]
        if needed:
            yield needed[0], needed[-1] + 1
        start = stop
