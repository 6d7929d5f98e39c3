"""Running an emitted module and reading all its numbers, whatever the target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from derive.emit.names import code_name
from derive.emit.scalars import Place
from derive.emit.targets import TARGETS
from derive.graph import Quantity, Role, adjoint_name
from derive.problem import Problem
from derive.scalar import positions
from derive.sequence import Order

Table = Mapping[tuple[int, ...], Any]


@dataclass(frozen=True)
class Executed:
    """The numbers of one run by quantity and index; gradients stand under their quantity.

    States of the optimizer, after one update, stand among the updated parameters.
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

    def run(self, values: Mapping[str, Table] | None = None) -> Executed:
        """All numbers for these values of given quantities; what is left out is the spec's."""
        graph, call = self.problem.graph, self.namespace
        parameters, sample = self._fed(values or {})
        gradients = call["gradients"](parameters, sample)
        simultaneous = self.problem.training.order is Order.SIMULTANEOUS
        hidden = [equation.quantity for equation in graph.equations]
        return Executed(
            self._numbers(call["forward"](parameters, sample), hidden, str),
            self._numbers(gradients, graph.given, adjoint_name),
            self._updated(parameters, gradients if simultaneous else sample),
            float(call["loss"](parameters, sample)),
        )

    def loss(self, values: Mapping[str, Table]) -> float:
        """The loss alone, for these values of given quantities."""
        return float(self.namespace["loss"](*self._fed(values)))

    def _fed(self, values: Mapping[str, Table]) -> tuple[Any, Any]:
        """The parameters and the sample as the module takes them."""
        graph, chosen = self.problem.graph, {**self.problem.values, **values}
        others = [q for q in graph.given if q.role is not Role.PARAMETER]
        return (
            self._record("Parameters", graph.of_role(Role.PARAMETER), chosen),
            self._record("Sample", others, chosen),
        )

    def _updated(self, parameters: Any, source: Any) -> dict[Place, float]:
        """Parameters and states after the first update; none if nothing is trained.

        `source` is what the update starts from: the gradients, or the sample.
        """
        call, trained = self.namespace, self.problem.graph.of_role(Role.PARAMETER)
        if "update" not in call:
            return {}
        if "STATE" not in call:
            after = call["update"](parameters, source, call["LEARNING_RATE"])
            return self._numbers(after, trained, str)
        after, state = call["update"](parameters, call["STATE"], source, call["LEARNING_RATE"], 1)
        found = self._numbers(after, trained, str)
        for name in self.problem.training.optimizer.states:
            kept = self._numbers(state, trained, f"{name}_{{}}".format)
            found |= {(f"{name}_{quantity}", place): v for (quantity, place), v in kept.items()}
        return found

    def _record(
        self, name: str, quantities: Iterable[Quantity], values: Mapping[str, Table]
    ) -> Any:
        fields: dict[str, Any] = {}
        for quantity in quantities:
            table = values[quantity.name]
            if quantity.integer:
                fields[code_name(quantity.name)] = self._whole(quantity, table)
            elif self.codes:
                for place in positions(quantity.axes):
                    fields[self.codes[quantity.name, place]] = float(table[place])
            else:
                fields[code_name(quantity.name)] = self._nested(quantity, table)
        return self.namespace[name](**fields)

    def _nested(self, quantity: Quantity, table: Table) -> Any:
        def rows(place: tuple[int, ...]) -> Any:
            if len(place) == len(quantity.axes):
                return float(table[place])
            return [rows((*place, k)) for k in range(quantity.shape[len(place)])]

        return self.table(rows(())) if quantity.axes else rows(())

    def _whole(self, quantity: Quantity, table: Table) -> Any:
        """Whole numbers as they are: no array of floats may stand in a position."""

        def rows(place: tuple[int, ...]) -> Any:
            if len(place) == len(quantity.axes):
                return int(table[place])
            return [rows((*place, k)) for k in range(quantity.shape[len(place)])]

        return self.whole_table(rows(())) if quantity.axes else rows(())

    def _numbers(
        self, record: Any, quantities: Iterable[Quantity], rename: Callable[[str], str]
    ) -> dict[Place, float]:
        """Every entry of a record; quantities that the record does not hold are left out."""
        found = {}
        for quantity in quantities:
            name = rename(quantity.name)
            for place in positions(quantity.axes):
                field = self.codes[name, place] if self.codes else code_name(name)
                if field in record._fields:
                    entry = getattr(record, field)
                    for index in () if self.codes else place:
                        entry = entry[index]
                    found[quantity.name, place] = float(entry)
        return found


def load(problem: Problem, source: str, target: str) -> Module:
    """Execute the text of an emitted module. Only text that `emit` has made may come here."""
    namespace: dict[str, Any] = {"__name__": f"emitted_{target}"}
    exec(compile(source, f"<{problem.name}{TARGETS[target].suffix}>", "exec"), namespace)
    row = TARGETS[target]
    return Module(problem, namespace, row.codes(problem), row.table, row.whole_table)


def execute(
    problem: Problem, source: str, target: str, values: Mapping[str, Table] | None = None
) -> Executed:
    """All numbers that an emitted module computes, for the spec's values or for others."""
    return load(problem, source, target).run(values)
