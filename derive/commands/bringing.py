"""The commands that bring models of other programs: a file is read, and a spec of it written."""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from derive.bring.keras_file import read_keras
from derive.bring.onnx_file import read_onnx
from derive.bring.operation import Traced
from derive.bring.torch_file import MOST_ARCHIVE, read_torch
from derive.bring.write import Brought, spec_of
from derive.edge import GOOD, progress
from derive.errors import printable, shown
from derive.files import Files, read_whole

Read = Callable[[bytes, str, str], Traced]
EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of members, so that a file depends on its numbers only


def from_torch(options: argparse.Namespace) -> int:
    """Write the spec of a model that `torch.export.save` saved."""
    return _bring(options, read_torch)


def from_keras(options: argparse.Namespace) -> int:
    """Write the spec of a model in the JSON of Keras."""
    return _bring(options, read_keras)


def from_onnx(options: argparse.Namespace) -> int:
    """Write the spec of a model of ONNX."""
    return _bring(options, read_onnx)


def _bring(options: argparse.Namespace, read: Read) -> int:
    path: Path = options.model
    data = read_whole(path, "model", MOST_ARCHIVE)
    with progress("reading the model"):
        traced = read(data, shown(str(path)), path.stem)
        brought = spec_of(traced, options.loss, options.values)
        assert brought.problem  # what is written is a spec, or the reason is said
    for note in brought.notes:
        print(f"derive: {printable(note)}", file=sys.stderr)
    _put(brought, options.output)
    return GOOD


def _put(brought: Brought, output: Path | None) -> None:
    """Write the spec, and beside it the weights that it has no room for."""
    count = sum(each.count for each in brought.weights.values())
    words = f"the {count:,} numbers of the weights, more than a spec has room for"
    if output is None:
        sys.stdout.write(brought.text)
        if brought.weights:
            print(f"derive: {words}, are left out; --output puts them beside it", file=sys.stderr)
        return
    beside = output.with_suffix(".npz").name
    with Files(output.parent) as files:
        files.add(output.name, brought.text.encode())
        if brought.weights:
            files.add(beside, _npz(brought))
        files.commit()
    print(f"wrote {output}")
    if brought.weights:
        print(f"wrote {output.parent / beside}: {words}")


def _npz(brought: Brought) -> bytes:
    """The weights as arrays by their names, for NumPy."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, numbers in brought.weights.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), numbers.npy())
    return held.getvalue()
