"""What of a model is differentiated, a loss or an upstream gradient, and by what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy

from derive.amount import place_of
from derive.equations import parse_equations
from derive.errors import LanguageError, nearest
from derive.expression import Axis, Element, reads, total
from derive.fields import read_tensor
from derive.graph import Equation, Graph, Kind, Quantity, Role, needed
from derive.library.aliases import nearest_row
from derive.library.instantiate import Instance
from derive.library.loss import Reduction
from derive.library.losses import loss_layer, loss_names
from derive.model.nodes import made_of
from derive.model.parts import Parts, check_name, filled, letters_of, size_place
from derive.schema import LossTermSpec
from derive.spec import Path_, SpecFile
from derive.symbols import symbol

NOTHING_MOVES = (
    "nothing is given as a parameter or an input, so there is nothing to differentiate the loss by"
)


def add_upstream(file: SpecFile, model: Parts) -> dict[str, str]:
    """Where ∂E/∂y is given, the loss is E = Σ y·∂E/∂y with the second factor held fixed."""
    if not file.spec.upstream:
        return {}
    if file.spec.loss is not None:
        raise file.fail(("upstream",), "give either a loss or an upstream gradient, not both")
    found = {}
    whole: sympy.Expr = sympy.S.Zero
    for name, values in file.spec.upstream.items():
        path: Path_ = ("upstream", name)
        equation = model.equations.get(name)
        if equation is None:
            hint = nearest(name, model.equations)
            raise file.fail(path, f"the model does not compute '{name}'; {hint}")
        quantity = equation.quantity
        constant = Quantity(
            model.free(f"g_{name}"),
            symbol(f"g_{name}", len(quantity.axes)),
            quantity.axes,
            Role.CONSTANT,
            Kind.DATA,
        )
        model.given[constant.name] = constant
        numbers = _plain(file, path, values, quantity)
        if numbers is not None:
            model.values[constant.name] = read_tensor(
                file, path, filled(numbers, quantity.shape), quantity.shape
            )
        found[name] = constant.name
        letters = equation.indices
        whole += total(Element(name, *letters) * Element(constant.name, *letters), letters)
    _add_loss(model, model.free("E"), whole)
    return found


def _plain(file: SpecFile, path: Path_, values: Any, quantity: Quantity) -> Any:
    """The values of `{shape: ..., values: ...}`, nothing if there are none.

    The shape must be that of the quantity.
    """
    if not isinstance(values, dict):
        return values
    if not values or set(values) - {"shape", "values"}:
        shape = list(quantity.shape)
        words = f"or by {{shape: {shape}}}" if shape else "of that quantity"
        raise file.fail(path, f"a gradient is given by numbers, one for all entries, {words}")
    shape = values.get("shape", list(quantity.shape))
    if shape not in (list(quantity.shape), *quantity.shape[:1] * (len(quantity.shape) == 1)):
        right = f"the shape of '{quantity.name}' is {list(quantity.shape)}"
        raise file.fail((*path, "shape"), f"{right}, and so is that of the gradient by it")
    return values.get("values")


def _add_loss(model: Parts, name: str, value: sympy.Expr) -> None:
    loss = Quantity(name, symbol(name, 0), (), Role.LOSS, Kind.ERROR)
    model.add("", "", Instance((), (Equation(loss, (), value),), loss))


def add_loss(file: SpecFile, model: Parts) -> None:
    """Make the loss: a scalar of the model, an equation, or weighted losses of the library.

    A model that ends in a table, or where nothing moves, is a forward pass alone: it has no loss.
    """
    loss = file.spec.loss
    path: Path_ = ("loss",)
    if loss is None and _is_forward_pass(file, model):
        return
    if isinstance(loss, str) and "=" in loss:
        _loss_equation(file, model, loss)
    elif isinstance(loss, str) or loss is None:
        name = loss if loss is not None else list(model.equations)[-1]
        equation = model.equations.get(name)
        if equation is None:
            raise file.fail(
                path, f"the model does not compute '{name}'; {nearest(name, model.equations)}"
            )
        if equation.quantity.axes:
            raise file.fail(path if loss is not None else place_of(file, name), _no_loss(equation))
        scalar = replace(equation.quantity, role=Role.LOSS, kind=Kind.ERROR)
        model.equations[name] = replace(equation, quantity=scalar)
    else:
        _library_losses(file, model, loss if isinstance(loss, list) else [loss])


def _is_forward_pass(file: SpecFile, model: Parts) -> bool:
    """Whether nothing is to be differentiated: nothing says by what, and no single number ends it.

    Nor is there anything to do where nothing is given by which a number could be differentiated.
    """
    if file.spec.model_fields_set & {"gradients", "training", "samples"}:
        return False
    last = list(model.equations.values())[-1]
    return bool(last.quantity.axes) or not any(map(_moves, model.given.values()))


def _moves(quantity: Quantity) -> bool:
    """Whether the loss may be differentiated by something given, if nothing is said."""
    return quantity.role in (Role.PARAMETER, Role.INPUT) and not quantity.integer


def _no_loss(equation: Equation) -> str:
    """What to say where a model ends in a table, and nothing tells what of it to differentiate."""
    name, letters = equation.quantity.name, ",".join(index.name for index in equation.indices)
    shape = " x ".join(map(str, equation.quantity.shape))
    return (
        f"'{name}' is no single number (shape {shape}), so there is nothing to differentiate; say "
        f"a loss, as in `loss: E = sum({letters}, {name}[{letters}]**2)/2`, or the gradient by it "
        f"that comes from above, as in `upstream: {{{name}: 1}}`"
    )


def _loss_equation(file: SpecFile, model: Parts, text: str) -> None:
    letters = letters_of(file)

    def describe(name: str, axes: tuple[Axis, ...]) -> Quantity:
        role = Role.HIDDEN if axes else Role.LOSS
        return Quantity(name, symbol(name, len(axes)), axes, role, Kind.ERROR)

    try:
        made = parse_equations(text, model.quantities, letters, describe, elsewhere=model.letters)
    except LanguageError as error:
        path = size_place(("loss",), error, file.spec.sizes, ())
        raise file.fail(path, str(error)) from None
    if len([e for e in made if e.quantity.role is Role.LOSS]) != 1:
        raise file.fail(("loss",), "a loss is one equation of a single number, like E = ...")
    model.add("", "", Instance((), made, made[-1].quantity))


def _library_losses(file: SpecFile, model: Parts, terms: list[LossTermSpec]) -> None:
    whole: sympy.Expr = sympy.S.Zero
    for k, term in enumerate(terms):
        path: Path_ = ("loss", k) if isinstance(file.spec.loss, list) else ("loss",)
        if term.loss not in loss_names():
            hint = nearest_row(term.loss, loss_names())
            raise file.fail((*path, "loss"), f"unknown loss '{term.loss}'; {hint}")
        row, usual = loss_layer(term.loss)
        usual_name = f"E{k + 1}" if len(terms) > 1 else "e"
        name = term.name or usual_name
        if not term.name and name in model.quantities:
            name = model.free("error")  # with a number behind it, e would be read as a power
        check_name(file, (*path, "name"), name)
        made = made_of(file, model, path, row, term, name, name)
        model.add(name, row.name, made)
        reduction = term.reduction or usual
        share = sympy.Integer(1)
        if reduction is Reduction.MEAN:
            for axis in made.output.axes:
                share *= axis.size
        letters = model.equations[made.output.name].indices
        errors = total(Element(made.output.name, *letters), letters)
        whole += sympy.Rational(term.weight) * errors / share
    _add_loss(model, model.free("E"), whole)


def wanted(file: SpecFile, graph: Graph) -> tuple[str, ...]:
    """What to differentiate by: as the spec says, or all parameters, and inputs that matter.

    The derivative by what the loss does not depend on is zero, and is told as such. Nothing is to
    be done where there is no loss.
    """
    if not graph.of_role(Role.LOSS):
        return ()
    for k, name in enumerate(file.spec.gradients or ()):
        quantity = graph.quantities.get(name)
        if quantity is None:
            hint = nearest(name, graph.quantities)
            raise file.fail(("gradients", k), f"there is no quantity '{name}'; {hint}")
        if quantity.integer:
            words = f"'{name}' holds whole numbers, so there is no derivative by it"
            raise file.fail(("gradients", k), words)
        if quantity.role is Role.LOSS:
            words = f"'{name}' is the loss itself; name what to differentiate it by"
            raise file.fail(("gradients", k), words)
    if file.spec.gradients:
        return tuple(file.spec.gradients)
    both = (*graph.of_role(Role.PARAMETER), *graph.of_role(Role.INPUT))
    moving = [quantity for quantity in both if _moves(quantity)]
    if not moving:
        raise file.fail(("loss",) if file.spec.loss else ("model",), NOTHING_MOVES)
    seen = reached(graph)
    found = [q.name for q in moving if q.name in seen or q.role is Role.PARAMETER]
    return tuple(found or [q.name for q in moving])


def reached(graph: Graph) -> set[str]:
    """Everything that the loss depends on."""
    loss = graph.loss.name
    return {loss, *(name for each in needed(graph.equations, [loss]) for name in reads(each.rhs))}
