"""Running an emitted module and reading all its numbers, whatever the target."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from derive.emit.names import code_name
from derive.emit.scalars import Place
from derive.emit.targets import TARGETS
from derive.graph import Quantity, Role, adjoint_name
from derive.library.optimizers import counts
from derive.problem import Problem
from derive.scalar import positions
from derive.sequence import Order

Table = Mapping[tuple[int, ...], Any]


@dataclass(frozen=True)
class Executed:
    """The numbers of one run by quantity and index; gradients stand under their quantity.

    States of the optimizer, after one update, stand among the updated parameters. A forward pass
    alone has no gradients, and a loss that is not a number.
    """

    forward: Mapping[Place, float]
    gradients: Mapping[Place, float]
    updated: Mapping[Place, float]
    loss: float


@dataclass(frozen=True)
class Module:
    """An emitted module after its text has been executed."""

    problem: Problem
    namespace: Mapping[str, Any]
    codes: Mapping[Place, str]
    table: Callable[[Any], Any]
    whole_table: Callable[[Any], Any]
    made_of_single: bool = False

    def run(self, values: Mapping[str, Table] | None = None) -> Executed:
        """All numbers for these values of given quantities; what is left out is the spec's."""
        graph, call = self.problem.graph, self.namespace
        parameters, sample = self.parameters(values), self.sample(values)
        hidden = [equation.quantity for equation in graph.equations]
        if self.problem.forward_only:
            found = self._numbers(call["forward"](parameters, sample), hidden, str)
            return Executed(found, {}, {}, math.nan)
        gradients = call["gradients"](parameters, sample)
        simultaneous = self.problem.training.order is Order.SIMULTANEOUS
        return Executed(
            self._numbers(call["forward"](parameters, sample), hidden, str),
            self.slopes(gradients),
            self._first_update(parameters, gradients if simultaneous else sample),
            float(call["loss"](parameters, sample)),
        )

    def parameters(self, values: Mapping[str, Table] | None = None) -> Any:
        """The record of the parameters with these values."""
        return self._record("Parameters", self._trained, values)

    def loss(self, values: Mapping[str, Table]) -> float:
        """The loss alone, for these values of given quantities."""
        return float(self.namespace["loss"](self.parameters(values), self.sample(values)))

    def sample(self, values: Mapping[str, Table] | None = None) -> Any:
        """The record of what else is given."""
        others = [q for q in self.problem.graph.given if q.role is not Role.PARAMETER]
        return self._record("Sample", others, values)

    def state(self, values: Mapping[str, Table]) -> Any:
        """The record of the optimizer's states, whose names are like `m_W`; None without states."""
        if "State" not in self.namespace:
            return None
        kept = [
            replace(quantity, name=name)
            for quantity in self._trained
            for name in (f"{state}_{quantity.name}" for state in self._states)
            if code_name(name) in self.namespace["State"]._fields
        ]
        return self._record("State", kept, values)

    def gradients(self, values: Mapping[str, Table]) -> Any:
        """The record of gradients with these values, under the names of their quantities."""
        fields = set(self.namespace["Gradients"]._fields)
        kept = []
        for quantity in self.problem.graph.given:
            name = adjoint_name(quantity.name)
            codes = {self.codes.get((name, place), "") for place in positions(quantity.axes)}
            if fields & {code_name(name), *codes}:
                kept.append(replace(quantity, name=name))
        known = {adjoint_name(name): table for name, table in values.items()}
        return self._record("Gradients", kept, known)

    def update(
        self, parameters: Any, state: Any, source: Any, rate: float, step: int
    ) -> tuple[Any, Any]:
        """The records of parameters and states after an update that starts from a record.

        It starts from the gradients or, if the parameters change one after the other, the sample.
        """
        if state is None:
            number = [step] if counts(self.problem.training.optimizer) else []
            return self.namespace["update"](parameters, source, rate, *number), None
        after = self.namespace["update"](parameters, state, source, rate, step)
        return after[0], after[1]

    def step(
        self, parameters: Any, state: Any, sample: Any, rate: float, number: int
    ) -> tuple[Any, Any, float]:
        """The records of parameters and states after a step, and the loss before it."""
        kept = [] if state is None else [state]
        counted = [number] if counts(self.problem.training.optimizer) else []
        found = self.namespace["step"](parameters, *kept, sample, rate, *counted)
        return found[0], found[1] if kept else None, float(found[-1])

    def numbers(self, parameters: Any, state: Any) -> dict[Place, float]:
        """The entries of a record of parameters, and of states under `m_W` and the like, if any."""
        found = {} if parameters is None else self._numbers(parameters, self._trained, str)
        for name in () if state is None else self._states:
            kept = self._numbers(state, self._trained, f"{name}_{{}}".format)
            found |= {(f"{name}_{quantity}", place): v for (quantity, place), v in kept.items()}
        return found

    def slopes(self, gradients: Any) -> dict[Place, float]:
        """The entries of a record of gradients, under the names of their quantities."""
        return self._numbers(gradients, self.problem.graph.given, adjoint_name)

    @property
    def _trained(self) -> tuple[Quantity, ...]:
        return tuple(self.problem.graph.of_role(Role.PARAMETER))

    @property
    def _states(self) -> tuple[str, ...]:
        return self.problem.training.optimizer.states

    def _first_update(self, parameters: Any, source: Any) -> dict[Place, float]:
        """Parameters and states after the first update; none if nothing is trained."""
        call = self.namespace
        if "update" not in call:
            return {}
        rate, state = call["LEARNING_RATE"], call.get("STATE")
        return self.numbers(*self.update(parameters, state, source, rate, 1))

    def _record(
        self, name: str, quantities: Iterable[Quantity], values: Mapping[str, Table] | None
    ) -> Any:
        chosen = {**self.problem.values, **(values or {})}
        fields: dict[str, Any] = {}
        for quantity in quantities:
            table = chosen[quantity.name]
            if quantity.integer:
                fields[code_name(quantity.name)] = self._whole(quantity, table)
            elif self.codes:
                for place in positions(quantity.axes):
                    fields[self.codes[quantity.name, place]] = float(table[place])
            else:
                fields[code_name(quantity.name)] = self._nested(quantity, table)
        return self.namespace[name](**fields)

    def _nested(self, quantity: Quantity, table: Table) -> Any:
        found = nested(quantity.shape, lambda place: float(table[place]))
        return self.table(found) if quantity.axes or self.made_of_single else found

    def _whole(self, quantity: Quantity, table: Table) -> Any:
        """Whole numbers as they are: no array of floats may stand in a position."""
        found = nested(quantity.shape, lambda place: int(table[place]))
        return self.whole_table(found) if quantity.axes or self.made_of_single else found

    def _numbers(
        self, record: Any, quantities: Iterable[Quantity], rename: Callable[[str], str]
    ) -> dict[Place, float]:
        """Every entry of a record; quantities that the record does not hold are left out."""
        found: dict[Place, float] = {}
        for quantity in quantities:
            name = rename(quantity.name)
            if not self.codes:
                if code_name(name) in record._fields:
                    found |= _entries(quantity, getattr(record, code_name(name)))
                continue
            for place in positions(quantity.axes):
                field = self.codes[name, place]
                if field in record._fields:
                    found[quantity.name, place] = float(getattr(record, field))
        return found


def nested(shape: tuple[int, ...], entry: Callable[[tuple[int, ...]], Any], *place: int) -> Any:
    """A table as lists in lists, of the entry at each place."""
    if len(place) == len(shape):
        return entry(place)
    return [nested(shape, entry, *place, k) for k in range(shape[len(place)])]


def _entries(quantity: Quantity, table: Any) -> dict[Place, float]:
    """Every entry of nested lists, or of an array. Raises ValueError if its shape is another."""
    plain = table.tolist() if hasattr(table, "tolist") else table

    def entries(part: Any, place: tuple[int, ...]) -> Iterator[tuple[Place, float]]:
        axis = len(place)
        if axis == len(quantity.shape):
            yield (quantity.name, place), float(part)
            return
        if len(part) != quantity.shape[axis]:
            raise ValueError(
                f"axis {axis + 1} of what belongs to '{quantity.name}' has {len(part)} entries"
                f" instead of {quantity.shape[axis]}"
            )
        for k, inner in enumerate(part):
            yield from entries(inner, (*place, k))

    return dict(entries(plain, ()))


def load(problem: Problem, source: str, target: str) -> Module:
    """Execute the text of a module, if nothing stands in it that no module needs.

    Raises Refused.
    """
    row = TARGETS[target]
    return Module(
        problem,
        row.namespace(source, problem),
        row.codes(problem),
        row.table,
        row.whole_table,
        row.made_of_single,
    )


def execute(
    problem: Problem, source: str, target: str, values: Mapping[str, Table] | None = None
) -> Executed:
    """All numbers that an emitted module computes, for the spec's values or for others."""
    return load(problem, source, target).run(values)
