"""The module of a spec in the pieces of a notebook, and what it computes held against the page."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from math import isclose
from typing import Any

from derive.backprop import differentiate
from derive.emit import TARGETS, emit, load
from derive.emit.layout import statement
from derive.emit.names import code_name
from derive.emit.run import Module, nested
from derive.emit.tree import EmitError
from derive.errors import InputError
from derive.expression import Element
from derive.graph import Quantity, Role, adjoint_name
from derive.library.optimizers import counts
from derive.notation import UPDATED, names_of
from derive.notebook.rounding import units
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.tensor_values import places
from derive.sequence import Order

FIRST = ("forward", "loss")  # of the functions of a module, in the order of the page
GRADIENTS = ("value_and_gradients", "gradients")
UPDATE = ("update", "step", "train")
NEAR = 1e-9
FAR = 9  # zeros after which a number is written as a power of ten
ALONE = ("show", "main")  # what a module needs where there is no notebook around it


@dataclass(frozen=True)
class Record:
    """Some numbers of a module by the variable that holds them, and their names on the page."""

    variable: str
    quantities: tuple[Quantity, ...]
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class Program:
    """The module of a page; it also gives the derivatives on the way that the page prints."""

    problem: Problem
    page: Page
    target: str

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The quantities whose derivatives the module gives.

        A stable form goes past some quantities; the derivatives by these are not in the module.
        """
        found = self._candidates
        if self.problem.symbolic or self.problem.forward_only or not self.page.numbers:
            return found
        tried = self._loaded(found)
        slopes = tried.namespace["gradients"](tried.parameters(), tried.sample())
        asked = self.problem.graph.given
        known = self.problem.graph.quantities
        return tuple(
            name for name in found if known[name] in asked or self._true(known[name], slopes, tried)
        )

    def _true(self, quantity: Quantity, slopes: Any, module: Module) -> bool:
        """Whether what a module gives as the derivatives by a quantity is what they are."""
        record = Record("slopes", (quantity,), prefix=adjoint_name(""))
        name = adjoint_name(quantity.name)
        for at in places(quantity):
            entry = self.page.numbers.get(self._report(name, at))
            field = _field(quantity, record, None if not module.codes else at, module.codes)
            if entry is None or field is None:
                continue
            value = _at(slopes, field + ("" if module.codes else _brackets(at)))
            if not isclose(float(value), float(entry.exact or 0), rel_tol=NEAR, abs_tol=NEAR):
                return False
        return True

    @cached_property
    def _candidates(self) -> tuple[str, ...]:
        """What is asked for, and the quantities on the way whose derivatives the page prints."""
        graph = self.problem.graph
        parameters = tuple(q.name for q in graph.of_role(Role.PARAMETER))
        asked = parameters if self.problem.wanted is None else self.problem.wanted
        on_page = {e.name.report for e in self.page.numbers.values()}
        more = [
            q.name
            for q in graph.quantities.values()
            if q.role is not Role.LOSS
            and q.name not in asked
            and any(self._report(adjoint_name(q.name), at) in on_page for at in places(q))
        ]
        return (*asked, *more)

    @cached_property
    def source(self) -> str:
        """The source of the module. Raises InputError where it cannot be written."""
        return self._source(self.wanted)

    def _source(self, wanted: tuple[str, ...]) -> str:
        asked = None if self.problem.forward_only else wanted
        problem = replace(self.problem, wanted=asked)
        try:
            return emit(problem, differentiate(problem.graph, asked), self.target)
        except EmitError as error:
            raise InputError(f"{self.problem.name}: {error}") from None

    @cached_property
    def module(self) -> Module:
        """The module after its text has been executed."""
        return self._loaded(self.wanted)

    def _loaded(self, wanted: tuple[str, ...]) -> Module:
        source, missing = self._source(wanted), TARGETS[self.target].missing()
        if missing:
            raise InputError(f"a notebook is run before it is written, and {missing}")
        return load(self.problem, source, self.target)

    # --- the source in pieces -----------------------------------------------------------------

    def beginning(self) -> list[str]:
        """What comes before the first function of a pass: records, data, helpers."""
        functions = {*FIRST, *GRADIENTS, *UPDATE, *ALONE}
        head = [
            (node, text)
            for node, text in self._pieces()
            if not (isinstance(node, ast.FunctionDef) and node.name in functions)
            and not isinstance(node, ast.Expr | ast.If)
        ]
        records = [t for n, t in head if not isinstance(n, ast.FunctionDef)]
        helpers = [t for n, t in head if isinstance(n, ast.FunctionDef)]
        return ["\n".join(records), *(["\n\n\n".join(helpers)] if helpers else [])]

    def functions(self, names: Iterable[str]) -> str:
        """Some of its functions."""
        found = [t for n, t in self._pieces() if isinstance(n, ast.FunctionDef) and n.name in names]
        return "\n\n\n".join(found)

    def _pieces(self) -> Iterator[tuple[ast.stmt, str]]:
        """The statements of the module with their texts; records have air around them."""
        lines = self.source.splitlines()
        for node in ast.parse(self.source).body:
            decorated = getattr(node, "decorator_list", ())
            first = min([node.lineno, *(each.lineno for each in decorated)])
            text = "\n".join(lines[first - 1 : node.end_lineno])
            yield node, f"\n\n{text}\n\n" if isinstance(node, ast.ClassDef) else text

    # --- what is called -----------------------------------------------------------------------

    @property
    def given(self) -> str:
        """The arguments of a pass."""
        if self.problem.symbolic:
            return "parameters, sample"
        return "PARAMETERS, SAMPLE"

    @property
    def trains(self) -> bool:
        """Whether the module has an update."""
        return "\ndef update(" in self.source

    def updated(self) -> str:
        """The call of the first update."""
        optimizer, training = self.problem.training.optimizer, self.problem.training
        states = "STATE" if "class State(" in self.source else ""
        simultaneous = training.order is Order.SIMULTANEOUS
        source = "slopes" if simultaneous else "SAMPLE"
        number = "1" if counts(optimizer) else ""
        given = ", ".join(filter(None, ("PARAMETERS", states, source, "LEARNING_RATE", number)))
        return f"{'updated, _' if states else 'updated'} = update({given})"

    def trained(self) -> str:
        """The call of the whole training."""
        states = "class State(" in self.source
        samples = "SAMPLES" if self.problem.samples else "(SAMPLE,)" if states else "SAMPLE"
        return f"_, losses = train(PARAMETERS, {samples}, LEARNING_RATE, STEPS)"

    def names(self) -> list[tuple[str, str]]:
        """What the parameters and the derivatives by them are called."""
        parameters = self.problem.graph.of_role(Role.PARAMETER)
        kept = [q.name for q in parameters if q.name in self.wanted]
        return [(code_name(name), code_name(adjoint_name(name))) for name in kept]

    # --- numbers ------------------------------------------------------------------------------

    def values(self) -> Record:
        """The numbers of the forward pass."""
        return Record("values", tuple(e.quantity for e in self.problem.graph.equations))

    def slopes(self) -> Record:
        """The derivatives."""
        known = self.problem.graph.quantities
        return Record("slopes", tuple(known[n] for n in self.wanted), prefix=adjoint_name(""))

    def new(self) -> Record:
        """The parameters after an update."""
        return Record("updated", self.problem.graph.of_role(Role.PARAMETER), suffix=UPDATED)

    def again(self) -> Record:
        """The forward pass after it."""
        return replace(self.values(), variable="again", suffix=UPDATED)

    @cached_property
    def records(self) -> Mapping[str, Any]:
        """What the variables hold when the module is run."""
        call, module = self.module.namespace, self.module
        parameters, sample = module.parameters(), module.sample()
        found = {"values": call["forward"](parameters, sample)}
        if self.problem.forward_only:
            return found
        slopes = found["slopes"] = call["gradients"](parameters, sample)
        if self.trains:
            simultaneous = self.problem.training.order is Order.SIMULTANEOUS
            source = slopes if simultaneous else sample
            rate, state = call["LEARNING_RATE"], call.get("STATE")
            found["updated"] = module.update(parameters, state, source, rate, 1)[0]
            found["again"] = call["forward"](found["updated"], sample)
        return found

    def held(self, record: Record, few: Callable[[str], str]) -> Iterator[tuple[str, bool]]:
        """Assertions on the numbers of a record, and whether it is apart from the page."""
        computed = self.records[record.variable]
        for quantity in record.quantities:
            name = f"{record.prefix}{quantity.name}{record.suffix}"
            texts = {at: self._printed(name, at) for at in places(quantity)}
            whole = _field(quantity, record, None, self.module.codes)
            if whole is None or not all(texts.values()):
                for at, text in texts.items():
                    field = _field(quantity, record, at, self.module.codes)
                    if text is not None and field is not None:
                        yield self._line(record, computed, field, text, few)
            elif texts:
                table = nested(quantity.shape, texts.__getitem__)
                yield self._line(record, computed, whole, table, few)

    def _line(
        self, record: Record, computed: Any, field: str, print_: Any, few: Callable[[str], str]
    ) -> tuple[str, bool]:
        """An assertion; where a float cannot tell, a remark that says so."""
        value = _at(computed, field)
        apart = _each(self._apart, value, print_)
        known = f"{record.variable}.{field}"
        if None in _flat(apart):
            return f"# {few(known)}", False
        if any(_flat(apart)):
            line = f"assert units({known}, {literal(print_)}) == "
            return "\n".join(statement(line, literal(apart), 0)), True
        return "\n".join(statement(f"assert rounded({known}) == ", literal(print_), 0)), False

    def _apart(self, value: float, printed: str) -> float | None:
        return units(float(value), printed, self.problem.numbers)

    def _printed(self, name: str, place: tuple[int, ...]) -> str | None:
        entry = self.page.numbers.get(self._report(name, place))
        return None if entry is None else entry.text

    def _report(self, name: str, place: tuple[int, ...]) -> str:
        return names_of(self.problem).name(Element(name, *place)).report


def _field(
    quantity: Quantity,
    record: Record,
    place: tuple[int, ...] | None,
    codes: Mapping[tuple[str, tuple[int, ...]], str],
) -> str | None:
    """What a record calls an entry, or a whole quantity where it holds tables."""
    name = f"{record.prefix}{quantity.name}"
    if codes:
        return None if place is None else codes.get((name, place))
    return code_name(name) + _brackets(place or ())


def _brackets(place: tuple[int, ...]) -> str:
    return "".join(f"[{k}]" for k in place)


def _at(record: Any, field: str) -> Any:
    """What stands in a field of a record, or at a place in it, as numbers or lists of them."""
    name, *path = field.replace("]", "").split("[")
    value = getattr(record, name)
    for place in path:
        value = value[int(place)]
    return value.tolist() if hasattr(value, "tolist") else value


def _each(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Two tables of one shape, entry by entry."""
    if not isinstance(right, list):
        return function(left, right)
    return [_each(function, *pair) for pair in zip(left, right, strict=True)]


def _flat(table: Any) -> list[Any]:
    return [each for row in table for each in _flat(row)] if isinstance(table, list) else [table]


def literal(table: Any) -> str:
    """A table in Python, with the digits of the page; a distance without a point."""
    if isinstance(table, list):
        return f"[{', '.join(map(literal, table))}]"
    if isinstance(table, float):
        return f"{table:g}"
    number = Decimal(table)
    return f"{number.normalize():E}" if number and abs(number.adjusted()) > FAR else table
