"""A model that `torch.export.save` wrote, read without PyTorch and without running anything of it.

`torch.export.load` is not used, because it unpickles: what it cannot read safely it reads with
`weights_only=False`, and a pickle may run any code. Such a file is a zip archive of JSON and of
bare bytes; here both are read as what they are, and a weight that is kept as a pickle is refused.
The inputs of the example are one; `torch_inputs` reads what it builds and runs nothing of it.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from derive.bring.damage import damage
from derive.bring.operation import Given, Traced, Value, refs
from derive.bring.table import Table, strided, table
from derive.bring.torch_inputs import held_inputs
from derive.bring.torch_nodes import Found, operations
from derive.errors import InputError, shown
from derive.graph import Role

MOST_ARCHIVE = 4 * 2**30  # bytes of a file with all weights
MOST_JSON = 64 * 2**20
MODEL = re.compile(r"(?:[^/]+/)?models/model\.json")
INPUTS = re.compile(r"(?:[^/]+/)?data/sample_inputs/model\.pt")
SCHEMA = 8  # the version of the format that is known here
KINDS = {
    1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32",
    8: "float64", 12: "bool", 13: "bfloat16",
}  # fmt: skip
WHOLE = {1, 2, 3, 4, 5, 12}
BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 2, 7: 4, 8: 8, 12: 1, 13: 2}
OLD = "it is no archive of torch.export.save as a PyTorch of today writes it"


def read_torch(data: bytes, what: str, title: str) -> Traced:
    """The model in the bytes of a file. Raises InputError."""
    archive = _Archive(data, what)
    try:
        return _traced(archive, archive.json(archive.only(MODEL)), title)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        words = f"{what} is damaged, or of a version not known here: {damage(error)}"
        raise InputError(words) from None


class _Archive:
    """A zip archive whose members are read up to a limit."""

    def __init__(self, data: bytes, what: str) -> None:
        self.what = what
        if data[:1] == b"\x80":
            raise InputError(
                f"{what} is a pickle, which may run any code and is not opened; {_ask()}"
            )
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
            self.members = {each.filename: each for each in self.zip.infolist()}
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
            raise InputError(f"{what}: {OLD}; {_ask()}") from None
        if sum(each.file_size for each in self.members.values()) > MOST_ARCHIVE:
            raise InputError(f"{what} unpacks to more than {MOST_ARCHIVE // 2**30} GB")

    def only(self, pattern: re.Pattern[str]) -> str:
        """The one member whose name is like this."""
        found = [name for name in self.members if pattern.fullmatch(name)]
        if not found and any(name.endswith("data.pkl") for name in self.members):
            words = (
                "holds pickles, as torch.save writes them; they may run any code and are not opened"
            )
            raise InputError(f"{self.what} {words}; {_ask()}")
        if len(found) != 1:
            raise InputError(f"{self.what}: {OLD}; {_ask()}")
        return found[0]

    def bytes(self, name: str, most: int = MOST_ARCHIVE) -> bytes:
        """The bytes of a member."""
        member = self.members.get(name)
        if member is None:
            raise InputError(f"{self.what} is damaged: there is no {shown(name)} in it")
        if member.file_size > most:
            raise InputError(f"{self.what}: {shown(name)} is longer than {most // 2**20} MB")
        try:
            with self.zip.open(member) as stream:
                return stream.read(most)
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
            raise InputError(f"{self.what}: {shown(name)} cannot be read: {error}") from None

    def json(self, name: str) -> Any:
        """The JSON of a member."""
        try:
            return json.loads(self.bytes(name, MOST_JSON))
        except (ValueError, RecursionError):
            raise InputError(f"{self.what} is damaged: {shown(name)} is no JSON") from None


def _ask() -> str:
    return "torch.export.save(torch.export.export(model, inputs), 'model.pt2') makes one"


def _traced(archive: _Archive, model: Any, title: str) -> Traced:
    version = model["schema_version"]["major"]
    if version != SCHEMA:
        words = f"has version {version} of the format; here version {SCHEMA} is known"
        raise InputError(f"{archive.what} {words}; export it with another PyTorch")
    graph, signature = model["graph_module"]["graph"], model["graph_module"]["signature"]
    values = {name: _value(meta, name) for name, meta in graph["tensor_values"].items()}
    if graph["sym_int_values"] or graph["sym_bool_values"] or graph.get("sym_float_values"):
        raise InputError(_of_any_size(archive.what))
    payloads = _payloads(archive)
    given, same = {}, dict[str, str]()
    example = _example(archive)
    seen: dict[tuple[Any, ...], str] = {}
    for spec in signature["input_specs"]:
        for name, called, role in _given(spec, archive.what):
            where = payloads.get(called) if role is not Role.INPUT else None
            if where is not None and (where[0], str(where[1])) in seen:  # two names of one weight
                same[name] = seen[where[0], str(where[1])]
                continue
            if where is not None:
                seen[where[0], str(where[1])] = name
            numbers = _numbers(archive, called, where) if where is not None else None
            if role is Role.INPUT and example:
                numbers = _fitting(example.pop(0), values[name])
            given[name] = Given(called, role, numbers)
    outputs = tuple(
        spec["user_output"]["arg"]["as_tensor"]["name"]
        for spec in signature["output_specs"]
        if "as_tensor" in spec.get("user_output", {}).get("arg", {})
    )
    if not outputs:
        raise InputError(f"{archive.what}: the model gives no table of numbers")
    found = operations(graph["nodes"], values, same)
    outputs = tuple(found.last.get(name, name) for name in outputs)
    _check_known(archive.what, given, values, found, outputs)
    return Traced(title, given, values, found.operations, outputs)


def _check_known(
    what: str,
    given: Mapping[str, Given],
    values: Mapping[str, Value],
    found: Found,
    outputs: tuple[str, ...],
) -> None:
    """Whatever is read must have been given or made before. Raises InputError."""
    known = {*given}
    for operation in found.operations:
        for name in refs(tuple(operation.arguments.values())):
            if name not in known or name not in values:
                raise InputError(
                    f"{what} is damaged: nothing makes the {shown(name)} that it reads"
                )
        known |= {*operation.outputs}
    for name in outputs:
        if name not in known or name not in values:
            raise InputError(f"{what} is damaged: nothing makes its result {shown(name)}")


def _example(archive: _Archive) -> list[Table | None]:
    """The numbers of the inputs with which the model was exported, if they can be read."""
    found = [name for name in archive.members if INPUTS.fullmatch(name)]
    if len(found) != 1:
        return []
    inner = _Archive(archive.bytes(found[0]), archive.what)
    pickles = [name for name in inner.members if name.endswith("data.pkl")]
    if len(pickles) != 1:
        return []
    prefix, tables = pickles[0].removesuffix("data.pkl"), list[Table | None]()
    for held in held_inputs(inner.bytes(pickles[0], MOST_JSON), prefix):
        if held is None or held.member not in inner.members:
            tables.append(None)
            continue
        data = inner.bytes(held.member)
        data = strided(data, held.size, held.shape, held.strides, held.start)
        tables.append(table(held.kind, held.shape, data, "the input of the example"))
    return tables


def _fitting(numbers: Table | None, value: Value) -> Table | None:
    """Numbers that belong to a value; None if they do not."""
    if numbers is None or numbers.shape != value.shape:
        return None
    return numbers if numbers.kind.startswith("float") != value.whole else None


def _of_any_size(what: str) -> str:
    return (
        f"{what} was exported with sizes that vary (dynamic_shapes); export it with those of an "
        "example: modules take any number of samples where the equations allow it"
    )


def _value(meta: Any, name: str) -> Value:
    sizes = [size.get("as_int") for size in meta["sizes"]]
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise InputError(_of_any_size(f"the model, at {shown(name)},"))
    return Value(tuple(sizes), meta["dtype"] in WHOLE)


def _given(spec: Any, what: str) -> Iterator[tuple[str, str, Role]]:
    """The value of a part of the signature, what it is called in the model, and what it is for."""
    ((kind, each),) = spec.items()
    if kind == "user_input":
        if "as_tensor" in each["arg"]:
            name = each["arg"]["as_tensor"]["name"]
            yield str(name), str(name), Role.INPUT
    elif kind == "parameter":
        yield str(each["arg"]["name"]), str(each["parameter_name"]), Role.PARAMETER
    elif kind == "buffer":
        yield str(each["arg"]["name"]), str(each["buffer_name"]), Role.CONSTANT
    elif kind == "tensor_constant":
        yield str(each["arg"]["name"]), str(each["tensor_constant_name"]), Role.CONSTANT
    else:
        raise InputError(f"{what} is given something that is no table of numbers ({shown(kind)})")


def _payloads(archive: _Archive) -> Mapping[str, tuple[str, Any]]:
    """Where the numbers of weights and constants lie, by the names that these have in the model."""
    found = {}
    for kind, file in (("weights", "model_weights"), ("constants", "model_constants")):
        name = re.compile(rf"(?:[^/]+/)?data/{kind}/{file}_config\.json")
        held = [each for each in archive.members if name.fullmatch(each)]
        for path in held:
            folder = path.rpartition("/")[0]
            for called, payload in archive.json(path)["config"].items():
                where = f"{folder}/{payload['path_name']}"
                found[called] = ("" if payload["use_pickle"] else where, payload["tensor_meta"])
    return found


def _numbers(archive: _Archive, called: str, where: tuple[str, Any]) -> Table:
    path, meta = where
    if not path:
        words = "is kept as a pickle, which may run any code and is not opened"
        raise InputError(f"{archive.what}: {shown(called)} {words}")
    kind = meta["dtype"]
    if kind not in KINDS:
        raise InputError(f"{archive.what}: {shown(called)} does not hold real numbers")
    shape = tuple(size["as_int"] for size in meta["sizes"])
    strides = [size["as_int"] for size in meta["strides"]]
    start = meta["storage_offset"]["as_int"]
    data = strided(archive.bytes(path), BYTES[kind], shape, strides, start)
    return table(KINDS[kind], shape, data, called)
