"""The numbers that a `network:` spec gives: how many samples there are, all values or none."""

from __future__ import annotations

from collections.abc import Mapping

from derive.graph import Role
from derive.model.distributions import totals
from derive.network import DATA
from derive.problem import Problem, Tensor
from derive.spec import SpecFile


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


def check_complete(file: SpecFile, problem: Problem) -> None:
    """All values are given, or none. Raises InputError."""
    known = [quantity.name for quantity in problem.graph.of_role(Role.PARAMETER)]
    missing = [name for name in known if name not in problem.values]
    if 0 < len(missing) < len(known):
        words = f"the value of '{missing[0]}' is missing; give all parameters or none"
        raise file.fail(("parameters",), words)
    without = [word for name, word in DATA.items() if name not in problem.values]
    if without and (not missing or len(without) < len(DATA)):
        raise file.fail(("data",), f"the {without[0]} are missing; give all values or none")
    if missing and not without:
        raise file.fail(("parameters",), "the parameters are missing; give all values or none")


def check_distributions(file: SpecFile, values: Mapping[str, Tensor]) -> None:
    """Targets of a distribution loss must really sum to one. Raises InputError."""
    for total in totals(values.get("t", {})).values():
        if total != 1:
            words = f"this loss needs targets that sum to 1, these sum to {float(total):g}"
            raise file.fail(("data", "targets"), words)
