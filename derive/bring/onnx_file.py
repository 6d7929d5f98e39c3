"""A model in the format of ONNX, read with the package `onnx`.

That package parses the file and finds the shapes; neither runs code of the file. Weights in other
files beside it are not read, so that a file cannot name any of this machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from derive.bring.damage import damage
from derive.bring.onnx_nodes import NODES, Node
from derive.bring.operation import (
    REFUSED,
    Argument,
    Given,
    Operation,
    Ref,
    Traced,
    Unsayable,
    Value,
    refs,
)
from derive.bring.table import FORMATS, Table, table
from derive.errors import InputError, cut, printable, shown
from derive.graph import Role
from derive.limits import MOST_ENTRIES

SAMPLES = 2  # for sizes that are left open
KEPT = {"BatchNormalization": (3, 4)}  # operands that are not trained


def read_onnx(data: bytes, what: str, title: str) -> Traced:
    """The model in the bytes of a file. Raises InputError."""
    try:
        import onnx
    except ImportError:
        words = "a model of ONNX needs the package of that name: pip install 'derive-by-hand[onnx]'"
        raise InputError(words) from None
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # what is raised is of the parser's own kinds
        words = f"{what} is no model of ONNX: {damage(error)}"
        raise InputError(words) from None
    if not model.graph.node or not model.graph.output:
        raise InputError(f"{what} is no model of ONNX: there is no graph in it")
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            words = "keeps its weights in other files, which are not read; save it as one file"
            raise InputError(f"{what} {words}")
    opened = _closed(model)
    try:
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception as error:
        words = f"the shapes of {what} do not go together: {cut(str(error), 200)}"
        raise InputError(words) from None
    _renamed(model.graph)
    return _Read(onnx, model, what).traced(title, opened)


def _closed(model: Any) -> bool:
    """Give sizes that are left open a number; whether there were any."""
    opened = False
    for given in model.graph.input:
        for size in given.type.tensor_type.shape.dim:
            if not size.HasField("dim_value"):
                size.dim_value = SAMPLES
                opened = True
    for made in model.graph.output:
        made.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return opened


def _renamed(graph: Any) -> None:
    """Take from names what exporters put around them, unless two would be alike then."""
    lists = [each for node in graph.node for each in (node.input, node.output)]
    held = (*graph.input, *graph.output, *graph.value_info, *graph.initializer)
    names = {name for each in lists for name in each} | {each.name for each in held}
    other = {name: _clean(name) for name in names}
    if len({*other.values()}) < len(other):
        return
    for each in lists:
        each[:] = [other[name] for name in each]
    for one in held:
        one.name = other[one.name]


class _Read:
    """A model while its nodes become operations."""

    def __init__(self, onnx: Any, model: Any, what: str) -> None:
        self.onnx, self.graph, self.what = onnx, model.graph, what
        self.given: dict[str, Given] = {}
        self.values: dict[str, Value] = {}
        self.constants: dict[str, Any] = {}
        self.operations: list[Operation] = []

    def traced(self, title: str, opened: bool) -> Traced:
        """The whole model."""
        graph = self.graph
        kept = {n.input[k] for n in graph.node for k in KEPT.get(n.op_type, ()) if k < len(n.input)}
        for tensor in graph.initializer:
            self.constant(tensor.name, tensor, Role.CONSTANT if tensor.name in kept else None)
        for each in (*graph.input, *graph.value_info, *graph.output):
            value = self.value(each)
            if each.name not in self.values and value is not None:
                self.values[each.name] = value
        for each in graph.input:
            if each.name not in self.given and each.name not in self.constants:
                self.given[each.name] = Given(each.name, Role.INPUT)
        for number, node in enumerate(graph.node):
            self.node(node, number)
        outputs = tuple(each.name for each in graph.output)
        self.check(outputs)
        notes = (f"the model leaves sizes open; here they are {SAMPLES}",) if opened else ()
        name = str(graph.name) if str(graph.name) not in ("", "main_graph", "torch_jit") else title
        return Traced(name, self.given, self.values, tuple(self.operations), outputs, notes)

    def value(self, info: Any) -> Value | None:
        """What is known of a value; nothing if its shape is not."""
        kind, sizes = info.type.tensor_type, []
        for size in kind.shape.dim:
            if not size.HasField("dim_value"):
                return None
            sizes.append(int(size.dim_value))
        real = self.onnx.TensorProto
        whole = kind.elem_type not in (real.FLOAT, real.DOUBLE, real.FLOAT16, real.BFLOAT16)
        return Value(tuple(sizes), whole)

    def constant(self, name: str, tensor: Any, role: Role | None) -> None:
        """Numbers of the file: a weight, or what an operation takes as a setting."""
        count = math.prod(tensor.dims)
        if count > MOST_ENTRIES:
            words = f"{shown(name)} has {count:,} entries; a quantity has at most {MOST_ENTRIES:,}"
            raise InputError(f"{self.what}: {words}")
        try:
            held = self.onnx.numpy_helper.to_array(tensor)
        except (ValueError, TypeError) as error:
            raise InputError(f"{self.what}: {shown(name)} is damaged: {cut(str(error))}") from None
        kind = str(held.dtype)
        self.constants[name] = held
        self.values[name] = Value(tuple(held.shape), not kind.startswith("float"))
        usual = Role.PARAMETER if kind.startswith("float") else Role.CONSTANT
        numbers: Table | None = None
        endless = kind.startswith("float") and bool((abs(held) == math.inf).any())
        if kind in FORMATS and held.size and not endless:
            numbers = table(kind, tuple(held.shape), held.tobytes(), name)
        self.given[name] = Given(_clean(name), role or usual, numbers)

    def all_alike(self, name: str, place: str) -> None:
        """A table that holds one number only is filled with it, and no table of a spec."""
        held = self.constants[name]
        if held.ndim and held.size and str(held.dtype) in FORMATS and (held == held.flat[0]).all():
            del self.given[name]
            filled: dict[str, Argument] = {"fill_value": float(str(held.flat[0] * 1.0))}
            self.operations.append(Operation("full", filled, (name,), place))

    def node(self, node: Any, number: int) -> None:
        """One node: operations of it, or one that is refused."""
        helper = self.onnx.helper
        name = str(node.name) or f"{node.op_type}_{number}"
        place = printable(f"node {shown(name)}")
        settings = {}
        for each in node.attribute:
            found = helper.get_attribute_value(each)
            settings[each.name] = (
                found.decode("utf-8", "replace") if isinstance(found, bytes) else found
            )
        if node.op_type == "Constant" and "value" in settings:
            self.constant(node.output[0], settings["value"], Role.CONSTANT)
            self.all_alike(str(node.output[0]), place)
            return
        inputs = tuple(str(each) for each in node.input)
        outputs = tuple(str(each) for each in node.output)
        layer = _clean(name).rpartition("/")[0]
        held = Node(
            node.op_type, inputs, outputs, settings, self.values, self.constants, place, layer
        )
        try:
            if node.domain not in ("", "ai.onnx") or node.op_type not in NODES:
                raise Unsayable("this operation is not known here")
            if any(each and each not in self.values for each in outputs):
                raise Unsayable("the shape of its result is not known")
            self.written(held)
        except Unsayable as error:
            read = tuple(Ref(each) for each in inputs if each in self.values)
            said: dict[str, Argument] = {
                "kind": str(node.op_type),
                "why": str(error),
                "inputs": read,
            }
            self.operations.append(Operation(REFUSED, said, outputs, place))
            for each in outputs:
                self.values.setdefault(each, Value(()))

    def written(self, node: Node) -> None:
        """The operations of a node. Raises Unsayable."""
        try:
            NODES[node.kind](node)
        except (LookupError, ValueError, TypeError, ArithmeticError) as error:
            raise Unsayable(f"its operands do not go together: {damage(error)}") from error
        self.operations += node.made

    def check(self, outputs: Sequence[str]) -> None:
        """Whatever is read must have been given or made before. Raises InputError."""
        known = {*self.given}
        for operation in self.operations:
            for name in refs(tuple(operation.arguments.values())):
                if name not in known:
                    raise InputError(f"{self.what} is damaged: nothing makes {shown(name)}")
            known |= {*operation.outputs}
        for name in outputs:
            if name not in known:
                raise InputError(f"{self.what} is damaged: nothing makes its result {shown(name)}")


def _clean(name: str) -> str:
    """A name without what exporters put around it."""
    return name.strip("/").removesuffix("_output_0")
