"""A file of C, compiled, as the functions and records that a module of Python has.

What is handed over are nested lists; each call copies them into the records of C and back.
"""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from derive.emit.checked_c import checked_c
from derive.emit.targets import compiler

FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-shared", "-fPIC")
RECORD = re.compile(r"typedef struct \{\n(.*?)\} (\w+);", re.DOTALL)
FIELD = re.compile(r"(double|float|int) (\w+)((?:\[\w+\])*);")
SIZE = re.compile(r"\[(\w+)\]")
BATCH = re.compile(r"enum \{ batch = (\d+) \};")
SAMPLES = re.compile(r"const Sample SAMPLES\[(\d+)\]")
KINDS: Mapping[str, Any] = {
    "double": ctypes.c_double,
    "float": ctypes.c_float,
    "int": ctypes.c_int,
}
SINGLE = re.compile(r"^ *(?:const |static )?float ", re.MULTILINE)
SECONDS = 120


@dataclass(frozen=True)
class _Record:
    """A record of C, and the named tuple of nested lists that stands for it."""

    name: str
    fields: tuple[tuple[str, str, tuple[int, ...]], ...]

    @cached_property
    def plain(self) -> Any:
        return namedtuple(self.name, [name for _, name, _ in self.fields])

    @cached_property
    def struct(self) -> Any:
        kinds = [(name, _array(KINDS[kind], shape)) for kind, name, shape in self.fields]
        return type(self.name, (ctypes.Structure,), {"_fields_": kinds})

    def of(self, plain: Any) -> Any:
        """The record of C with the numbers of a named tuple."""
        made = self.struct()
        for (kind, name, shape), value in zip(self.fields, plain, strict=True):
            setattr(made, name, _filled(KINDS[kind], shape, value))
        return made

    def back(self, struct: Any) -> Any:
        """The named tuple with the numbers of a record of C."""
        return self.plain(*[_lists(getattr(struct, name)) for _, name, _ in self.fields])


def _array(kind: Any, shape: Sequence[int]) -> Any:
    for size in reversed(shape):
        kind = kind * size
    return kind


def _filled(kind: Any, shape: Sequence[int], value: Any) -> Any:
    if not shape:
        return value
    if len(value) != shape[0]:
        raise ValueError(f"there are {len(value)} entries instead of {shape[0]}")
    return _array(kind, shape)(*[_filled(kind, shape[1:], inner) for inner in value])


def _lists(value: Any) -> Any:
    return [_lists(inner) for inner in value] if isinstance(value, ctypes.Array) else value


def namespace(source: str, loss: str) -> dict[str, Any]:
    """The functions, records and constants of a file of C.

    Raises Refused if something stands in it that no such file needs, and ValueError if it does not
    compile.
    """
    library = _compiled(checked_c(source))
    records = {record.name: record for record in _records(source)}
    found: dict[str, Any] = {"__doc__": source.partition("*/")[0]}
    found |= {name: record.plain for name, record in records.items()}
    found |= dict(_constants(library, source, records))
    functions = _Functions(library, records, loss, _real(source), "int number" in source)
    return found | dict(functions.all())


def _real(source: str) -> Any:
    """The type of the numbers of a file."""
    return KINDS["float" if SINGLE.search(source) else "double"]


def _compiled(source: str) -> Any:
    program = compiler()
    if program is None:
        raise ValueError("there is no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        file, library = Path(folder, "module.c"), Path(folder, "module.so")
        file.write_text(source, encoding="ascii")
        command = [program, *FLAGS, str(file), "-o", str(library), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if " error: " in line]
            raise ValueError(f"it does not compile: {''.join(said[:1]).rpartition(folder)[2]}")
        return ctypes.CDLL(str(library))


def _records(source: str) -> Iterator[_Record]:
    batch = BATCH.search(source)
    for body, name in RECORD.findall(source):
        fields = []
        for kind, field, sizes in FIELD.findall(body):
            shape = [batch[1] if batch and n == "batch" else n for n in SIZE.findall(sizes)]
            fields.append((kind, field, tuple(map(int, shape))))
        yield _Record(name, tuple(f for f in fields if f[1] != "nothing"))


def _constants(
    library: Any, source: str, records: Mapping[str, _Record]
) -> Iterator[tuple[str, Any]]:
    for name, kind in (("LEARNING_RATE", _real(source)), ("STEPS", ctypes.c_int)):
        if f"{name} =" in source:
            yield name, kind.in_dll(library, name).value
    for name, record in (("PARAMETERS", "Parameters"), ("SAMPLE", "Sample"), ("STATE", "State")):
        if f"const {record} {name} =" in source:
            own = records[record]
            yield name, own.back(own.struct.in_dll(library, name))
    several = SAMPLES.search(source)
    if several:
        own = records["Sample"]
        rows = (own.struct * int(several[1])).in_dll(library, "SAMPLES")
        yield "SAMPLES", tuple(map(own.back, rows))


@dataclass(frozen=True)
class _Functions:
    """The functions of a compiled file, called with named tuples."""

    library: Any
    records: Mapping[str, _Record]
    loss: str
    real: Any
    counted: bool

    def all(self) -> Iterator[tuple[str, Any]]:
        yield "forward", self.forward
        if "Gradients" in self.records:
            yield "loss", lambda *given: getattr(self.forward(*given), self.loss)
            yield "gradients", self.gradients
            yield "value_and_gradients", self.value_and_gradients
        if hasattr(self.library, "update"):
            yield "update", self.update
            yield "step", self.step
            yield "train", self.train

    def forward(self, parameters: Any, sample: Any) -> Any:
        return self.records["Forward"].back(self._values(parameters, sample))

    def _values(self, parameters: Any, sample: Any) -> Any:
        values = self.records["Forward"].struct()
        self._call("forward", *self._given(parameters, sample), values)
        return values

    def _given(self, parameters: Any, sample: Any) -> tuple[Any, Any]:
        return self.records["Parameters"].of(parameters), self.records["Sample"].of(sample)

    def gradients(self, parameters: Any, sample: Any) -> Any:
        return self.value_and_gradients(parameters, sample)[1]

    def value_and_gradients(self, parameters: Any, sample: Any) -> tuple[float, Any]:
        values, slopes = self._values(parameters, sample), self.records["Gradients"].struct()
        self._call("gradients", *self._given(parameters, sample), values, slopes)
        return getattr(values, self.loss), self.records["Gradients"].back(slopes)

    def update(self, parameters: Any, *others: Any) -> Any:
        """A new record of parameters, and one of states if the optimizer has some."""
        *kept, source, rate, number = others if self.counted else (*others, None)
        moved = self.records["Parameters"].of(parameters)
        states = [self.records["State"].of(state) for state in kept]
        if type(source).__name__ == "Sample":
            given = [self.records["Sample"].of(source), self._values(parameters, source)]
        else:
            given = [self.records["Gradients"].of(source)]
        counted = [number] if self.counted else []
        self._call("update", moved, *states, *given, self.real(rate), *counted)
        return self._after(moved, states)

    def step(self, parameters: Any, *others: Any) -> Any:
        """New records as those of an update, and the loss before it."""
        *kept, sample, rate, number = others if self.counted else (*others, None)
        moved = self.records["Parameters"].of(parameters)
        states = [self.records["State"].of(state) for state in kept]
        counted = [number] if self.counted else []
        once = self.library.train_once
        once.restype = self.real
        passed = [moved, *states, self.records["Sample"].of(sample)]
        loss = once(*map(ctypes.byref, passed), self.real(rate), *counted)
        after = self._after(moved, states)
        return (*(after if states else (after,)), loss)

    def _after(self, parameters: Any, states: Sequence[Any]) -> Any:
        after = self.records["Parameters"].back(parameters)
        return (after, self.records["State"].back(states[0])) if states else after

    def train(self, parameters: Any, samples: Any, rate: float, steps: int) -> Any:
        """The parameters after some updates, and the loss before the first and after each."""
        one = self.records["Sample"]
        rows = [samples] if isinstance(samples, one.plain) else list(samples)
        moved, losses = self.records["Parameters"].of(parameters), (self.real * (steps + 1))()
        states = []
        if "State" in self.records:
            record = self.records["State"]
            states = [record.of(record.back(record.struct.in_dll(self.library, "STATE")))]
        taken = (one.struct * len(rows))(*map(one.of, rows))
        rate_, count = self.real(rate), len(rows)
        self._call("train", moved, *states, taken, count, rate_, steps, losses)
        return self.records["Parameters"].back(moved), list(losses)

    def _call(self, name: str, *arguments: Any) -> None:
        passed = [
            ctypes.byref(each) if isinstance(each, ctypes.Structure) else each for each in arguments
        ]
        getattr(self.library, name)(*passed)
