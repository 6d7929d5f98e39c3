"""Recurrent layers: rows of the library, whose weights are parts of the matrices of the original.

PyTorch, ONNX and Keras keep the weights of all gates in one matrix, each in an order of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derive.bring.operation import Argument, Ref, Unsayable
from derive.bring.writer import Rule, Use


@dataclass(frozen=True)
class Cell:
    """A row of the library, and the gates in the order in which their weights lie one by one."""

    row: str
    gates: str
    apart: str = ""  # the gate that has a bias of its own for the state


CELLS = {
    "lstm": Cell("lstm", "ifco"),
    "gru": Cell("gru_reset_after", "rzc", apart="c"),
    "rnn_tanh": Cell("rnn", " "),
}


@dataclass(frozen=True)
class Weights:
    """The weights of one direction of one layer, by the places of their gates."""

    cell: Cell
    of_input: str
    of_state: str
    biases: tuple[str, ...]
    turned: bool = False  # the places of gates are columns, as in Keras
    units: int = 1
    width: int = 1


def _recurrent(kind: str) -> Rule:
    def rule(use: Use) -> None:
        cell, params = CELLS[kind], use.refs("params")
        if kind == "lstm" and len(params) and use.get("has_biases") is None:
            raise Unsayable("its sequences are packed")
        each = 4 if use.get("has_biases", 1) else 2
        directions = 2 if use.get("bidirectional") else 1
        layers = use.whole("num_layers", 1)
        if len(params) != each * directions * layers:
            raise Unsayable("its state is projected (proj_size)")
        if use.number("dropout", 0) and use.get("train") and layers > 1:
            raise Unsayable("it drops entries between its layers; export the model in eval()")
        x, units = use.ref("input"), use.writer.values[params[1]].shape[1]
        sets = []
        for k in range(layers * directions):
            own = params[each * k : each * (k + 1)]
            width = use.writer.values[own[0]].shape[1]
            sets.append(Weights(cell, own[0], own[1], tuple(own[2:]), False, units, width))
        first = use.get("hx")
        run(use, x, sets, directions, _states(first), bool(use.get("batch_first")))

    return rule


def _states(first: Argument) -> list[str]:
    """The first states that are given, of all layers."""
    found = first if isinstance(first, tuple) else (first,)
    return [each.name for each in found if isinstance(each, Ref)]


def run(
    use: Use,
    x: str,
    sets: Sequence[Weights],
    directions: int,
    states: Sequence[str],
    batch_first: bool,
) -> None:
    """Layers of a recurrence, one on the other, each in one or two directions."""
    w, shape = use.writer, use.writer.values[x].shape
    if len(shape) not in (2, 3):
        raise Unsayable("its input has no axis of steps")
    batch = [shape[0] if batch_first else shape[1]] if len(shape) == 3 else []
    steps = shape[1] if batch and batch_first else shape[0]
    name = use.operation.module or use.operation.outputs[0]
    turned = bool(batch) and not batch_first
    plain = directions == 1 and not turned
    source = _by_samples(use, x, name) if turned else w.quantity(x)
    w.sizes_of[source] = shape[-1]
    ends: list[tuple[str, str]] = []
    for k in range(len(sets) // directions):
        made = []
        for way in range(directions):
            place = k * directions + way
            last = k == len(sets) // directions - 1
            called = name if last and plain else f"{name}_l{k}" + "_reverse" * way
            read = _reversed(use, source, called, batch, steps) if way else source
            own = use.name() if last and plain else w.names.new(called)
            node = _one(use, own, read, sets[place], _first(use, own, states, place, batch))
            made.append(own)
            ends.append((own, node))
        units = sets[k * directions].units
        source = made[0] if directions == 1 else _both(use, name, made, k, batch, steps, units)
    if not plain:
        letters = w.letters(use.out().shape)
        if turned:
            use.equation(letters, f"{source}[{letters[1]},{letters[0]},{letters[2]}]")
        else:
            use.equation(letters, f"{source}[{','.join(letters)}]")
    for k in (1, 2):
        if k < len(use.operation.outputs) and use.operation.outputs[k] in w.needed:
            last_states = [own if k == 1 else f"{node}_c" for own, node in ends]
            _ends(use, k, last_states, steps, bool(batch))


def _by_samples(use: Use, x: str, name: str) -> str:
    """The input with the axis of samples first."""
    a, b, c = use.writer.values[x].shape
    n, t, i = use.writer.letters([b, a, c])
    return use.extra(f"{name}_input", [n, t, i], use.writer.read(x, [t, n, i]))


def _reversed(use: Use, source: str, name: str, batch: Sequence[int], steps: int) -> str:
    """A quantity with its steps in the other order."""
    width = use.writer.sizes_of[source]
    letters = use.writer.letters([*batch, steps, width])
    positions = [*letters[:-2], f"{steps - 1} - {letters[-2]}", letters[-1]]
    return use.extra(f"{name}_input", letters, f"{source}[{','.join(positions)}]")


def _both(
    use: Use, name: str, made: Sequence[str], k: int, batch: Sequence[int], steps: int, units: int
) -> str:
    """Both directions side by side."""
    letters = use.writer.letters([*batch, steps, 2 * units])
    *before, t, j = letters
    there = ",".join([*before, t, f"{j} + 0"])
    back = ",".join([*before, f"{steps - 1} - {t}", f"{j} - {units}"])
    own = use.extra(f"{name}_l{k}_both", letters, f"{made[0]}[{there}] + {made[1]}[{back}]")
    use.writer.sizes_of[own] = 2 * units
    return own


def _first(
    use: Use, own: str, states: Sequence[str], place: int, batch: Sequence[int]
) -> dict[str, str]:
    """The first states of one direction of one layer; those that are zero are left out."""
    found = {}
    for name, state in zip(("h0", "c0"), states, strict=False):
        if state in use.writer.fixed and use.writer.fixed[state] == 0:
            continue
        shape = use.writer.values[state].shape
        letters = use.writer.letters([*batch, shape[-1]])
        positions = [str(place), *letters] if len(shape) == len(batch) + 2 else letters
        found[name] = use.extra(f"{own}_{name}", letters, use.writer.read(state, positions))
    return found


def _one(use: Use, own: str, source: str, weights: Weights, first: dict[str, str]) -> str:
    """One direction of one layer: the parts of its matrices, and the row; gives its name."""
    cell, operands, w = weights.cell, dict[str, str | float](first), use.writer
    for place, gate in enumerate(cell.gates):
        shift, mark = f" + {place * weights.units}", gate.strip()
        for part, matrix, width in (
            ("W", weights.of_input, weights.width),
            ("U", weights.of_state, weights.units),
        ):
            if len(cell.gates) == 1 and not weights.turned:
                operands[part] = w.quantity(matrix)
                continue
            k, i = w.letters([weights.units, width])
            positions = [i, f"{k}{shift}"] if weights.turned else [f"{k}{shift}", i]
            positions = positions if len(cell.gates) > 1 else [i, k]
            text = w.read(matrix, positions)
            operands[f"{part}{mark}"] = use.extra(f"{own}_{part}{mark}", [k, i], text)
        (k,) = w.letters([weights.units])
        at = f"{k}{shift}" if len(cell.gates) > 1 else k
        _add_biases(use, own, weights, (gate, k, at), operands)
    w.sizes_of[own] = weights.units
    return use.layer(cell.row, [source], operands, output=own)


def _add_biases(
    use: Use,
    own: str,
    weights: Weights,
    where: tuple[str, str, str],
    operands: dict[str, str | float],
) -> None:
    gate, k, at = where
    name, w = f"b{gate.strip()}", use.writer
    if not weights.biases:
        operands[name] = 0
        if gate == weights.cell.apart:
            operands["bu"] = 0
        return
    texts = [w.read(bias, [at]) for bias in weights.biases]
    if gate == weights.cell.apart:
        operands[name] = use.extra(f"{own}_{name}", [k], texts[0])
        operands["bu"] = use.extra(f"{own}_bu", [k], texts[1]) if len(texts) > 1 else 0
    else:
        operands[name] = use.extra(f"{own}_{name}", [k], " + ".join(texts))


def _ends(use: Use, k: int, made: Sequence[str], steps: int, batched: bool) -> None:
    """The last states of all layers, one after the other."""
    letters = use.writer.letters(use.out(k).shape)
    inner = letters[-2:] if batched else letters[-1:]
    at = ",".join([*inner[:-1], str(steps - 1), inner[-1]])
    ways = (f"({letters[0]} == {place})*{own}[{at}]" for place, own in enumerate(made))
    text = f"{made[0]}[{at}]" if len(made) == 1 else " + ".join(ways)
    use.equation(letters, text, k)


RULES: dict[str, Rule] = {kind: _recurrent(kind) for kind in CELLS}
