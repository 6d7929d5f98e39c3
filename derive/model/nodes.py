"""The nodes of a model: equations of the user's own, and uses of layers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from derive.equations import letters_in, parse_equations
from derive.errors import InputError, LanguageError, listed, nearest
from derive.expression import Axis
from derive.graph import Quantity, Role
from derive.library.aliases import nearest_row
from derive.library.instantiate import Instance, instantiate
from derive.library.layers import LAYERS
from derive.library.row import Layer
from derive.model.parts import Parts, check_name, letters_of, size_place
from derive.schema import LossTermSpec, NodeSpec
from derive.spec import Path_, SpecFile
from derive.symbols import symbol


def add_nodes(file: SpecFile, model: Parts) -> None:
    """Add the nodes of the model; equations that stand side by side are read together."""
    together: list[tuple[int, str]] = []
    for k, node in enumerate(file.spec.model or ()):
        if isinstance(node, str):
            together.append((k, node))
            continue
        _equations(file, model, together)
        together = []
        _layer(file, model, node, k)
    _equations(file, model, together)


def _equations(file: SpecFile, model: Parts, texts: list[tuple[int, str]]) -> None:
    """Add equations of the user's own."""
    if not texts:
        return
    letters = letters_of(file)

    def describe(name: str, axes: tuple[Axis, ...]) -> Quantity:
        check_name(file, ("model", texts[0][0]), name)
        return Quantity(name, symbol(name, len(axes)), axes, Role.HIDDEN)

    try:
        made = parse_equations(
            "\n".join(text for _, text in texts),
            model.quantities,
            letters,
            describe,
            elsewhere={**_of_loss(file, model), **model.letters},
        )
    except LanguageError as error:
        k = next((k for k, text in texts if error.text in " ".join(text.split())), texts[0][0])
        path = size_place(("model", k), error, file.spec.sizes, ())
        raise file.fail(path, str(error)) from None
    model.add("", "", Instance((), made, made[-1].quantity))


def _of_loss(file: SpecFile, model: Parts) -> dict[str, Axis]:
    """The letters whose size the equation of the loss shows."""
    loss = file.spec.loss
    text = loss.partition("=")[2].strip() if isinstance(loss, str) else ""
    try:
        return letters_in([text] if text else [], model.quantities)
    except LanguageError:
        return {}  # the loss is read later, and refused where it stands


def _layer(file: SpecFile, model: Parts, node: NodeSpec, k: int) -> None:
    """Add one use of a layer of the library or of the user's own."""
    path: Path_ = ("model", k)
    row = _row(file, (*path, "layer"), node.layer)
    name = node.name or node.output or model.free(f"{row.name}{k + 1}")
    check_name(file, (*path, "name"), name)
    model.add(name, row.name, made_of(file, model, path, row, node, name, node.output))


def made_of(
    file: SpecFile,
    model: Parts,
    path: Path_,
    row: Layer,
    node: NodeSpec | LossTermSpec,
    name: str,
    output: str | None,
) -> Instance:
    """What a layer makes of the quantities that a node wires to it."""
    wires = dict(_wires(file, model, path, row, node, name))
    sizes = {**getattr(node, "sizes", {})}
    unknown = set(node.settings) - set(row.settings)
    for setting in sorted(unknown):
        hint = nearest(setting, row.settings)
        raise file.fail((*path, "settings", setting), f"{row.name} has no such setting; {hint}")
    try:
        made = instantiate(row, name, wires, node.settings, sizes, output)
    except InputError as error:
        raise file.fail(size_place(path, error, sizes, path), str(error)) from None
    for quantity in (*made.given, *(equation.quantity for equation in made.equations)):
        if quantity.name in model.quantities:
            raise file.fail(path, f"'{quantity.name}' is already there; give the node a 'name'")
    return made


def _wires(
    file: SpecFile,
    model: Parts,
    path: Path_,
    row: Layer,
    node: NodeSpec | LossTermSpec,
    name: str,
) -> Iterator[tuple[str, Quantity | Fraction]]:
    """What each operand of a layer is wired to."""
    inputs = [signature.partition("[")[0] for signature in row.inputs]
    given = node.inputs
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list):
        if len(given) != len(inputs):
            words = f"{row.name} reads {', '.join(inputs)}, but here are {len(given)} names"
            raise file.fail((*path, "inputs"), words)
        given = dict(zip(inputs, given, strict=True))
    operands = [s.partition("[")[0] for s in (*row.parameters, *row.constants)]
    free = [*operands, *(local for local in inputs if local not in given)]
    for field_, wired, known in (("inputs", given, inputs), ("operands", node.operands, free)):
        for local, target in wired.items():
            where = (*path, field_, local)
            if local not in known:  # all that may stand here is more help than what sounds alike
                hint = listed(known, f"derive layers {row.name}")
                raise file.fail(where, f"{row.name} has no '{local}' here; {hint}")
            yield local, _wired(file, model, where, target)
    for local in operands:
        if local not in node.operands and f"{name}_{local}" in model.given:
            yield local, model.given[f"{name}_{local}"]


def _wired(file: SpecFile, model: Parts, path: Path_, target: Any) -> Quantity | Fraction:
    if not isinstance(target, str):
        return Fraction(target)
    quantity = model.quantities.get(target)
    if quantity is None:
        raise file.fail(
            path, f"there is no quantity '{target}' yet; {nearest(target, model.quantities)}"
        )
    return quantity


def _row(file: SpecFile, path: Path_, name: str) -> Layer:
    own = file.spec.define.layers
    if name in own:
        row = own[name]
        return Layer(
            name=name,
            group="own",
            summary=row.summary,
            inputs=tuple(row.inputs),
            equations=row.equations,
            output=row.output,
            parameters=tuple(row.parameters),
            constants=tuple(row.constants),
            integers=tuple(row.integers),
            settings=row.settings,
            sizes=row.sizes,
            optional=row.optional,
        )
    if name not in LAYERS:
        raise file.fail(path, f"unknown layer '{name}'; {nearest_row(name, {*LAYERS, *own})}")
    return LAYERS[name]
