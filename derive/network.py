"""`network:` as the `model:` that says the same: a chain of dense layers, written out as nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from typing import Any

from derive.errors import LanguageError, nearest
from derive.library.activations import ACTIVATIONS
from derive.library.aliases import nearest_row
from derive.library.loss import Reduction
from derive.library.losses import BY_NAME
from derive.library.row import signature
from derive.schema import ClaimSpec, LayerSpec, LossSpec, NetworkSpec, PublishedSpec, Spec
from derive.spec import Path_, SpecFile
from derive.variables import parse_function

DENSE = {"each": "dense", "shared": "dense_shared_bias", "none": "dense_without_bias"}
WORD = re.compile(r"(?<![A-Za-z0-9_])(d?)([A-Za-z][A-Za-z0-9_]*)(?![A-Za-z0-9_\[])")
NAMED = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z]\w*")
SINGLE = re.compile(r"\s*([A-Za-z]\w*)\s*\(([^()]*)\)\s*=(.*)", re.DOTALL)
DATA = {"x": "inputs", "t": "targets"}


@dataclass(frozen=True)
class _Chain:
    """A network with what its fields leave open: sizes of the layers, size of the batch, loss.

    `batched` tells that quantities have an axis for the samples, which one sample needs only where
    a formula of the author's own names it.
    """

    file: SpecFile
    network: NetworkSpec
    sizes: tuple[int, ...]
    batch: int
    batched: bool
    loss: LossSpec | None

    @property
    def last(self) -> str:
        return f"out{len(self.sizes) - 1}"

    def rows(self, size: int) -> list[int]:
        """The shape of something that every sample has."""
        return [self.batch, size] if self.batched else [size]


def as_model(file: SpecFile, network: NetworkSpec, batch: int, in_layers: bool = False) -> SpecFile:
    """The model that a network stands for; what is wrong with it is told at the network's fields.

    Net inputs are net1, net2, …, activations out1, out2, …, as in the names of the parameters W1,
    b1; the input is x, the target t, an error e, the loss E. One whose page goes by layers has an
    axis for the samples even where there is one, and what is published of it is in the names of
    that page, which a model does not have. Raises InputError.
    """
    spec = file.spec
    sizes = tuple(map(_size, (network.inputs, *(layer.dense for layer in network.layers))))
    loss = LossSpec(name=network.loss) if isinstance(network.loss, str) else network.loss
    if loss is None:
        _check_forward_pass(file)
    own = [*spec.define.activations.values(), spec.define.losses.get(loss.name, "") if loss else ""]
    own += [layer.activation for layer in network.layers]
    batched = in_layers or batch > 1 or any("[" in text for text in own)
    chain = _Chain(file, network, sizes, batch, batched, loss)
    told = not in_layers and (spec.published or spec.claims)
    names = dict(_counted(chain)) if told else {}
    places: dict[Path_, Path_] = {("model",): ("network", "layers")}
    whole = {
        **{name: getattr(spec, name) for name in spec.model_fields_set - NETWORK},
        "model": list(_nodes(chain, places)),
        "inputs": {"x": _data(chain, "x", sizes[0])},
        "targets": {"t": _data(chain, "t", sizes[-1])} if loss else {},
        "parameters": _parameters(chain, places),
        "loss": _loss(chain, places),
        "published": list(_published(spec, names)) if told else [],
        "claims": list(_claims(spec, names)) if told else [],
        "numbers": spec.numbers,
        "define": {"optimizers": spec.define.optimizers, "layers": _own_layers(chain)},
    }
    if loss:
        whole |= {"samples": list(_samples(chain, places)), "training": spec.training}
    for section, name in (("inputs", "x"), ("targets", "t")):
        first: Path_ = ("data", section)
        if getattr(spec.data, section) is None:
            first = ("samples", 0, section) if spec.samples else ("network", "inputs")
        places[section, name] = first
    places = {**file.places, **{path: file.place(places[path]) for path in places}}
    return replace(file, spec=Spec.model_validate(whole), places=places)


def _published(spec: Spec, names: Mapping[str, str]) -> Iterator[PublishedSpec]:
    for each in spec.published:
        yield each.model_copy(update={"name": _translated(each, names)})


def _claims(spec: Spec, names: Mapping[str, str]) -> Iterator[ClaimSpec]:
    for each in spec.claims:
        yield each.model_copy(update={"formula": _in_model(each.formula, names)})


NETWORK = {"network", "data", "parameters"}
NO_LOSS = "the field 'loss' is missing; without it a network is a forward pass alone, and here {}"


def _check_forward_pass(file: SpecFile) -> None:
    """A network without a loss has nothing that only a loss needs."""
    asks = {
        "is something to be trained": {"training", "samples", "gradients"}
        & file.spec.model_fields_set,
        "are targets": file.spec.data.targets is not None,
    }
    for words, asked in asks.items():
        if asked:
            raise file.fail(("network",), NO_LOSS.format(words))


def _size(given: int | list[str]) -> int:
    return given if isinstance(given, int) else len(given)


def _data(chain: _Chain, name: str, size: int) -> Any:
    """The values of the inputs or the targets, if there are any, with the shape they must have."""
    rows = getattr(chain.file.spec.data, DATA[name])
    return {"shape": chain.rows(size), **_values(chain, rows)}


def _values(chain: _Chain, rows: list[Any] | None) -> dict[str, Any]:
    if rows is None:
        return {}
    nested = bool(rows) and isinstance(rows[0], list)
    if chain.batched:
        return {"values": rows if nested else [rows]}
    return {"values": rows[0] if nested else rows}


def _samples(chain: _Chain, places: dict[Path_, Path_]) -> Iterator[dict[str, Any]]:
    """What changes from update to update, in the names of a model."""
    for k, sample in enumerate(chain.file.spec.samples):
        named = {word: name for name, word in DATA.items()}
        for word in sample:
            if word not in named:
                hint = nearest(word, named)
                raise chain.file.fail(
                    ("samples", k, word), f"a sample has inputs and targets; {hint}"
                )
            places["samples", k, named[word]] = ("samples", k, word)
        yield {named[word]: _values(chain, rows)["values"] for word, rows in sample.items()}


def _parameters(chain: _Chain, places: dict[Path_, Path_]) -> dict[str, Any]:
    """Weights and biases of every layer, with their values where the spec gives any."""
    given = chain.file.spec.parameters
    shapes: dict[str, list[int]] = {}
    for number, layer in enumerate(chain.network.layers, 1):
        before, size = chain.sizes[number - 1 : number + 1]
        shapes[f"W{number}"] = [size, before]
        if layer.bias != "none":
            shapes[f"b{number}"] = [size] if layer.bias == "each" else []
    for name in given:
        if name not in shapes:
            hint = nearest(name, shapes)
            raise chain.file.fail(("parameters", name), f"there is no parameter '{name}'; {hint}")
    for name in {*shapes} - {*given}:
        of_layer: Path_ = ("network", "layers", int(name[1:]) - 1)
        places |= {("parameters", name): of_layer, ("parameters", name, "shape"): of_layer}
    return {
        name: {"shape": shape, "values": given[name]} if name in given else {"shape": shape}
        for name, shape in shapes.items()
    }


def _nodes(chain: _Chain, places: dict[Path_, Path_]) -> Iterator[dict[str, Any]]:
    """Two nodes for every layer, its net input and its activation, and one for an own error."""
    before, k = "x", count()
    for number, layer in enumerate(chain.network.layers, 1):
        path: Path_ = ("network", "layers", number - 1)
        biases = {} if layer.bias == "none" else {"b": f"b{number}"}
        places["model", next(k)] = path
        yield {
            "layer": DENSE[layer.bias],
            "name": f"layer{number}",
            "inputs": before,
            "output": f"net{number}",
            "operands": {"W": f"W{number}", **biases},
        }
        own = ("define", "activations", layer.activation)
        named = layer.activation in chain.file.spec.define.activations
        places["model", next(k)] = own if named else (*path, "activation")
        yield {
            "layer": _activation(chain, path, layer, number),
            "name": f"activation{number}",
            "inputs": f"net{number}",
            "output": f"out{number}",
        }
        before = f"out{number}"
    if chain.loss and chain.loss.name in chain.file.spec.define.losses:
        places["model", next(k)] = ("define", "losses", chain.loss.name)
        yield {"layer": chain.loss.name, "inputs": [before, "t"], "output": "e"}


def _activation(chain: _Chain, path: Path_, layer: LayerSpec, number: int) -> str:
    """The layer that computes an activation: of the library, or one of the author's own."""
    name, own = layer.activation, chain.file.spec.define.activations
    if name in own or "=" in name:
        return _own_name(layer, number)
    if name not in ACTIVATIONS:
        hint = nearest_row(name, {*ACTIVATIONS, *own})
        raise chain.file.fail((*path, "activation"), f"unknown activation '{name}'; {hint}")
    if ACTIVATIONS[name].couples and chain.sizes[number] == 1:
        words = f"{name} over a single unit is always 1; give two"
        raise chain.file.fail((*path, "activation"), words)
    return name


def _own_layers(chain: _Chain) -> dict[str, Any]:
    """The author's own activations and loss, as layers."""
    define = chain.file.spec.define
    found = {}
    for number, layer in enumerate(chain.network.layers, 1):
        path: Path_ = ("define", "activations", layer.activation)
        if layer.activation not in define.activations:
            path = ("network", "layers", number - 1, "activation")
        text = define.activations.get(layer.activation, layer.activation)
        if "=" in text:
            found[_own_name(layer, number)] = _own(chain, path, text, "y", ("x",), "n,h")
    if chain.loss and chain.loss.name in define.losses:
        path = ("define", "losses", chain.loss.name)
        text = define.losses[chain.loss.name]
        found[chain.loss.name] = _own(chain, path, text, "e", ("y", "t"), "n,o")
    return found


def _own_name(layer: LayerSpec, number: int) -> str:
    """What an activation of the author's own is called: a formula in its place has no name."""
    return f"activation{number}" if "=" in layer.activation else layer.activation


def _own(
    chain: _Chain, path: Path_, text: str, output: str, inputs: tuple[str, ...], letters: str
) -> dict[str, Any]:
    """A layer from `f(y, t) = ...`, a formula for every entry, or from equations with letters."""
    single = SINGLE.fullmatch(text)
    if single is None:
        _check_left(chain, path, text, letters.split(","))
        operands = [f"{name}[{letters}]" for name in inputs]
        return {"inputs": operands, "equations": text, "output": output}
    arguments = [word.strip() for word in single[2].split(",")]
    if len(arguments) != len(inputs) or not all(map(NAMED.fullmatch, arguments)):
        known = " and ".join(inputs)
        raise chain.file.fail(path, f"this is a function of {known}, as in f({', '.join(inputs)})")
    try:
        parse_function(text, len(inputs))  # whose errors quote what the author wrote
    except LanguageError as error:
        raise chain.file.fail(path, str(error)) from None
    entry = {word: f"{name}[...]" for word, name in zip(arguments, inputs, strict=True)}
    formula = NAMED.sub(lambda found: entry.get(found[0], found[0]), single[3].strip())
    operands = [f"{name}[...]" for name in inputs]
    return {"inputs": operands, "equations": f"{output}[...] = {formula}", "output": output}


def _check_left(chain: _Chain, path: Path_, text: str, letters: list[str]) -> None:
    """An equation of the author's own gives one value per unit; of a loss also one per sample."""
    left = signature(text.partition("=")[0]).letters
    of_loss = "o" in letters
    turned = {*left} <= {*letters} and [*left] != letters[: len(left)]
    if turned or len(left) not in ((1, 2) if of_loss else (2,)):
        words = "an activation gives one value per unit: y[n,h] = ..."
        if of_loss:
            words = "a loss gives one error per output or per sample: e[n,o] or e[n]"
        raise chain.file.fail(path, words)


def _loss(chain: _Chain, places: dict[Path_, Path_]) -> str | dict[str, Any] | None:
    """The errors, put together over the outputs as the loss says and over the batch as asked."""
    if chain.loss is None:
        return None
    name, mean = chain.loss.name, chain.loss.batch is Reduction.MEAN
    own = chain.file.spec.define.losses
    places["loss",] = ("network", "loss")
    shared = f"/{chain.batch}" if mean and chain.batch > 1 else ""
    if name in own:
        places["loss",] = ("define", "losses", name)
        single = bool(SINGLE.fullmatch(own[name]))
        left = own[name].partition("=")[0]
        letters = ["n"] * chain.batched + ["o"] * (single or "o" in left.partition("[")[2])
        return f"E = sum({', '.join(letters)}, e[{','.join(letters)}]){shared}"
    if name not in BY_NAME:
        hint = nearest_row(name, {*BY_NAME, *own})
        raise chain.file.fail(("network", "loss"), f"unknown loss '{name}'; {hint}")
    row = BY_NAME[name]
    if row.integers or len(row.inputs) != 2 or "..." not in row.inputs[0]:
        reads = ", ".join(row.inputs)
        words = f"{name} reads {reads}, not one output and one target each; write a 'model'"
        raise chain.file.fail(("network", "loss"), words)
    over = chain.sizes[-1] if row.outputs is Reduction.MEAN and row.entry == "..." else 1
    return {
        "loss": name,
        "name": "e",
        "inputs": [chain.last, "t"],
        "reduction": Reduction.SUM,
        "weight": Fraction(1, over * (chain.batch if mean else 1)),
    }


def _counted(chain: _Chain) -> Iterator[tuple[str, str]]:
    """The names that a network's page gives to numbers: w1, w2, … in reading order, out_h1, …"""
    yield "E_total", "E"
    weights, biases = count(1), count(1)
    for number, layer in enumerate(chain.network.layers, 1):
        before, size = chain.sizes[number - 1 : number + 1]
        for h in range(size):
            yield from ((f"w{next(weights)}", f"W{number}[{h},{i}]") for i in range(before))
        if layer.bias == "shared":
            yield f"b{next(biases)}", f"b{number}"
        elif layer.bias == "each":
            yield from ((f"b{next(biases)}", f"b{number}[{h}]") for h in range(size))
    yield from _units(chain)


def _units(chain: _Chain) -> Iterator[tuple[str, str]]:
    """What the units of each layer have, in every sample."""
    layers = len(chain.sizes) - 1
    given = (chain.network.inputs, *(layer.dense for layer in chain.network.layers))
    for number, units in enumerate(given):
        letter = "i" if number == 0 else "o" if number == layers else "h"
        words = units if isinstance(units, list) else [f"{letter}{k + 1}" for k in range(units)]
        mark = f"{number}" if 0 < number < layers and layers > 2 else ""
        tables = {f"net{mark}_": f"net{number}", f"out{mark}_": f"out{number}"}
        if number == 0:
            tables = {"": "x"}
        elif number == layers:
            tables |= {"target_": "t", "E_": "e"}
        for n in range(chain.batch):
            sample = f"_{n + 1}" if chain.batch > 1 else ""
            place = f"{n}," if chain.batched else ""
            for k, unit in enumerate(words):
                yield from (
                    (f"{word}{unit}{sample}", f"{table}[{place}{k}]")
                    for word, table in tables.items()
                )


def _translated(each: PublishedSpec, names: Mapping[str, str]) -> str:
    """A name of the network's page as one of the model: `dE/dw5` is `dE/dW2[0,0]`.

    A single number called b2 is the second bias; a table of that name is the b of layer 2.
    """

    return each.name if isinstance(each.printed, list) else _in_model(each.name, names)


def _in_model(text: str, names: Mapping[str, str]) -> str:
    """A text with the single numbers of a network's page in the names of a model."""

    def word(found: re.Match[str]) -> str:
        whole, inner = found[1] + found[2], found[2]
        if found[1] and inner in names:
            return f"d{names[inner]}"
        return names.get(whole, whole)

    return WORD.sub(word, text)
