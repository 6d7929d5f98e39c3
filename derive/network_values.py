"""The numbers that a `network:` spec gives, checked for shape."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from derive.errors import nearest
from derive.fields import read_tensor
from derive.graph import Graph, Role
from derive.problem import Tensor
from derive.schema import DataSpec
from derive.spec import Path_, SpecFile


def with_distributions(file: SpecFile, graph: Graph, values: Mapping[str, Tensor]) -> Graph:
    """Targets of a distribution loss must really sum to one, or the loss is refused."""
    target = graph.quantities["t"]
    if not target.sums_to_one or "t" not in values:
        return graph
    samples, outputs = target.shape
    for n in range(samples):
        total = sum((values["t"][n, o] for o in range(outputs)), Fraction(0))
        if total != 1:
            raise file.fail(
                ("data", "targets"),
                f"this loss needs targets that sum to 1, these sum to {float(total):g}",
            )
    return graph


def batch_size(file: SpecFile) -> int:
    """How many samples a network is given, in its inputs, its targets, or by `batch`."""
    data = file.spec.data
    sizes = {
        name: len(rows) if rows and isinstance(rows[0], list) else 1
        for name, rows in (("inputs", data.inputs), ("targets", data.targets))
        if rows is not None
    }
    if len(set(sizes.values())) > 1:
        raise file.fail(
            ("data",), f"{sizes['inputs']} samples of inputs but {sizes['targets']} of targets"
        )
    size = next(iter(sizes.values()), data.batch or 1)
    if data.batch is not None and data.batch != size:
        raise file.fail(("data", "batch"), f"the batch is given as {data.batch} but has {size}")
    return size


def values_of(file: SpecFile, graph: Graph) -> dict[str, Tensor]:
    """Every value that the spec gives, checked for shape; all or none of a group."""
    parameters = file.spec.parameters
    known = [quantity.name for quantity in graph.of_role(Role.PARAMETER)]
    for name in parameters:
        if name not in known:
            raise file.fail(
                ("parameters", name), f"there is no parameter '{name}'; {nearest(name, known)}"
            )
    values: dict[str, Tensor] = {}
    for quantity in graph.of_role(Role.PARAMETER):
        if quantity.name in parameters:
            path: Path_ = ("parameters", quantity.name)
            given = parameters[quantity.name]
            values[quantity.name] = read_tensor(file, path, given, quantity.shape)
    if parameters and len(values) < len(known):
        missing = next(name for name in known if name not in values)
        raise file.fail(
            ("parameters",), f"the value of '{missing}' is missing; give all parameters or none"
        )
    return {**values, **_data_values(file, file.spec.data, graph, bool(parameters))}


def _data_values(file: SpecFile, data: DataSpec, graph: Graph, needed: bool) -> dict[str, Tensor]:
    values = {}
    for name, word, rows in (("x", "inputs", data.inputs), ("t", "targets", data.targets)):
        if rows is None:
            if needed or data.inputs is not None or data.targets is not None:
                raise file.fail(("data",), f"the {word} are missing; give all values or none")
            continue
        nested = rows if rows and isinstance(rows[0], list) else [rows]
        values[name] = read_tensor(file, ("data", word), nested, graph.quantities[name].shape)
    if values and not needed:
        raise file.fail(("parameters",), "the parameters are missing; give all values or none")
    return values
