"""The nodes of a graph that `torch.export` made, as operations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from derive.bring.operation import Argument, Operation, Ref, Value, refs
from derive.errors import InputError, cut, printable, shown

TARGET = re.compile(r"torch\.ops\.aten\.(\w+?)(_?)\.(\w+)")
FRAME = re.compile(r'File "([^"]+)", line (\d+), in (\w+)')
OF_TORCH = ("/torch/nn/", "/torch/_", "/torch/functional.py")
LEAF = "torch.nn.modules."
# Results that share their memory with what they are made from: a change of one is one of all.
VIEWS = frozenset(
    (
        *("view", "view_as", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze"),
        *("permute", "transpose", "t", "numpy_T", "expand", "expand_as", "unbind"),
        *("select", "slice", "narrow", "split", "split_with_sizes", "chunk", "diagonal", "unfold"),
        *("detach", "alias", "contiguous", "to"),
    )
)
PLAIN = ("as_int", "as_bool", "as_string")
LISTS = ("as_ints", "as_floats", "as_bools")


@dataclass
class Found:
    """Operations in their order; `last` is the value that a name stands for at the end."""

    operations: tuple[Operation, ...] = ()
    last: dict[str, str] = field(default_factory=dict)


def operations(nodes: Sequence[Any], values: Mapping[str, Value], same: Mapping[str, str]) -> Found:
    """The operations of all nodes.

    One that changes a value in place makes a new value, and who reads the old name later reads
    that. Raises InputError if another name of the same memory is read by then.
    """
    current, made = dict(same), []
    shared: dict[str, set[str]] = {}
    changed: dict[str, str] = {}
    for node in nodes:
        target = TARGET.fullmatch(node["target"])
        kind = target[1] if target else node["target"].removeprefix("torch.ops.")
        arguments = {each["name"]: _argument(each["arg"], current) for each in node["inputs"]}
        place = _place(node, kind)
        for name in refs(tuple(arguments.values())):
            if name in changed and changed[name] != place:
                raise InputError(
                    f"{place} reads {shown(name)}, whose memory was changed in place by "
                    f"{changed[name]}; in a spec values stay what they are"
                )
        outputs = tuple(_outputs(node["outputs"]))
        made.append(Operation(kind, arguments, outputs, place, _module(node)))
        first = next(iter(node["inputs"]), None)
        source = _name(first["arg"]) if first else ""
        if target and target[2] and outputs and source:
            held = current.get(source, source)
            for other in shared.get(held, set()) - {held}:
                changed[other] = place
            current = {k: outputs[0] if v == held else v for k, v in current.items()}
            current[source] = current[held] = outputs[0]
            shared.setdefault(outputs[0], {outputs[0]})
        elif kind in VIEWS and source:
            held = current.get(source, source)
            family = shared.setdefault(held, {held})
            family |= {*outputs}
            shared |= dict.fromkeys(outputs, family)
    return Found(tuple(made), current)


def _name(arg: Any) -> str:
    return str(arg["as_tensor"]["name"]) if "as_tensor" in arg else ""


def _argument(arg: Any, current: Mapping[str, str]) -> Argument:
    """An argument of a node."""
    ((kind, held),) = arg.items()
    if kind == "as_tensor":
        return _ref(held, current)
    if kind in ("as_tensors", "as_optional_tensors"):
        return tuple(_optional(each, current) for each in held)
    if kind == "as_optional_tensor":
        return _optional(held, current)
    if kind == "as_float":
        return float(held)  # what is not finite is a text in JSON
    if kind in PLAIN:
        return held if isinstance(held, int | float | str) else None
    if kind in LISTS:
        return tuple(held)
    if kind == "as_sym_int" and "as_int" in held:
        return int(held["as_int"])
    if kind == "as_sym_ints" and all("as_int" in each for each in held):
        return tuple(int(each["as_int"]) for each in held)
    return None


def _optional(each: Any, current: Mapping[str, str]) -> Argument:
    if "as_tensor" in each:
        return _ref(each["as_tensor"], current)
    return _ref(each, current) if "name" in each else None


def _ref(held: Any, current: Mapping[str, str]) -> Ref:
    name = str(held["name"])
    return Ref(current.get(name, name))


def _outputs(outputs: Any) -> Iterator[str]:
    for each in outputs:
        if "as_tensor" in each:
            yield str(each["as_tensor"]["name"])
        elif "as_tensors" in each:
            yield from (str(held["name"]) for held in each["as_tensors"])


def _stack(node: Any) -> list[tuple[str, str]]:
    """The path and the class of each module around a node, from the outside."""
    words = str(node["metadata"].get("nn_module_stack", "")).split(";")
    parts = [word.split(",") for word in words]
    return [(part[1], part[2]) for part in parts if len(part) >= 3]


def _module(node: Any) -> str:
    """The path of the layer of PyTorch that a node belongs to; nothing in code of others."""
    stack = _stack(node)
    return stack[-1][0] if stack and stack[-1][1].startswith(LEAF) else ""


def _place(node: Any, kind: str) -> str:
    """Where an operation stands: its node, its module, the line of the source."""
    stack = [path for path, _ in _stack(node) if path]
    frames = FRAME.findall(str(node["metadata"].get("stack_trace", "")))
    own = [frame for frame in frames if not any(word in frame[0] for word in OF_TORCH)]
    parts = [str(node.get("name") or kind)]
    if stack:
        parts.append(f"in {stack[-1]}")
    if own:
        file, line, function = own[-1]
        parts.append(f"{file.rpartition('/')[2]}:{line} in {function}")
    return printable(cut(", ".join(parts), 120))
