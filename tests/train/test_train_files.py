"""Files of data are read as they are meant, or refused in words that say what is wrong."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from derive.errors import InputError
from derive.train.files import arrays


def idx(array: np.ndarray, code: int) -> bytes:
    head = bytes((0, 0, code, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


PICTURES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([3, 9], dtype=np.uint8)
TABLE = np.array([[1.5, -2.0, 3.0], [0.0, 1e-3, 4.0]])


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", x=TABLE, t=LABELS)
    np.save(tmp_path / "z.npy", TABLE)
    (tmp_path / "pictures").write_bytes(idx(PICTURES, 8))
    (tmp_path / "labels.gz").write_bytes(gzip.compress(idx(LABELS, 8)))
    (tmp_path / "doubles").write_bytes(idx(TABLE, 14))
    (tmp_path / "k.csv").write_text("x[2],x[1],t\n1,2,0\n3,4,1\n")
    (tmp_path / "square.csv").write_text('"x[1,1]","x[1,2]","x[2,1]","x[2,2]"\n1,2,3,4\n')
    expected = {
        f"{tmp_path}/all.npz": {"x": TABLE, "t": LABELS},
        f"z={tmp_path}/z.npy": {"z": TABLE},
        f"p={tmp_path}/pictures": {"p": PICTURES / 255},
        f"t={tmp_path}/labels.gz": {"t": LABELS},
        f"d={tmp_path}/doubles": {"d": TABLE},
        f"{tmp_path}/k.csv": {"x": [[2, 1], [4, 3]], "t": [0, 1]},
        f"{tmp_path}/square.csv": {"x": [[[1, 2], [3, 4]]]},
    }
    for text, named in expected.items():
        found = arrays([text])
        assert found.keys() == named.keys()
        for name, array in named.items():
            np.testing.assert_array_equal(found[name], array)


REFUSED = {
    "a.txt": (b"1 2 3", "does not say which quantity"),
    "t=a.txt": (b"1 2 3", "no file of data that is known here"),
    "t=short": (b"\0\0\x08\x03\0\0", "ends within its head"),
    "t=cut": (idx(PICTURES, 8)[:-3], "says that it holds 2 × 3 × 4 numbers, and has 21"),
    "t=huge": (b"\0\0\x08\x02" + b"\xff" * 8, "says that it holds"),
    "t=broken.gz": (b"\x1f\x8b\x08\0broken", "cannot be unpacked"),
    "empty.csv": (b"x,t\n", "no row of numbers"),
    "words.csv": (b"x,t\n1,two\n", "row 2: 'two' is no number"),
    "ragged.csv": (b"x,t\n1,2\n1\n", "row 3: 1 entries below 2 names"),
    "names.csv": (b"x,__import__('os')\n1,2\n", "a column is called like a quantity"),
    "gap.csv": (b"x[1],x[3]\n1,2\n", "2 columns, but their places"),
    "zero.csv": (b"x[0],x[1]\n1,2\n", "counted from 1"),
    "twice.csv": (b"x[1],x[1]\n1,2\n", "are not one table"),
    "nan.csv": (b"x,t\n1,nan\n", "holds what is no number"),
    "no.npz": (b"PK\3\4 not really", "holds no arrays of NumPy"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_data_is_refused(text: str, tmp_path: Path) -> None:
    data, words = REFUSED[text]
    name, sign, file = text.rpartition("=")
    (tmp_path / file).write_bytes(data)
    with pytest.raises(InputError, match=words):
        arrays([f"{name}{sign}{tmp_path / file}"])


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="holds no arrays of NumPy"):
        arrays([f"{tmp_path}/objects.npz"])


def test_a_name_stands_once(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=TABLE)
    with pytest.raises(InputError, match="twice"):
        arrays([f"{tmp_path}/a.npz", f"{tmp_path}/a.npz"])
