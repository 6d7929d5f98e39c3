"""Steps of an emitted file of C, compiled with all that a compiler offers, in a loop of C."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from derive.emit.targets import compiler

FLAGS = ("-std=c99", "-O3", "-march=native", "-ffp-contract=fast", "-fno-trapping-math")
LOOP = """
#include <stdlib.h>
void drawn(double *number, int count, double width)
{
    for (int k = 0; k < count; k++) {
        number[k] = width * (2.0 * rand() / RAND_MAX - 1.0);
    }
}
void many_steps(int many, double learning_rate)
{
    static Parameters parameters;
    static Sample sample;
    static int begun;
    if (!begun) {
        drawn((double *)&parameters, (int)(sizeof parameters / sizeof(double)), 0.1);
        drawn((double *)&sample, (int)(sizeof sample / sizeof(double)), 1.0);
        begun = 1;
    }
    for (int k = 0; k < many; k++) {
        train_once(&parameters, &sample, learning_rate);
    }
}
"""
HEADER = """
enum { CblasRowMajor = 101, CblasNoTrans = 111, CblasTrans = 112 };
void scipy_cblas_dgemm64_(int order, int left, int right, long long rows, long long columns,
    long long depth, double alpha, const double *a, long long lda, const double *b, long long ldb,
    double beta, double *c, long long ldc);
#define cblas_dgemm scipy_cblas_dgemm64_
"""


def blas() -> Path | None:
    """The library with which NumPy multiplies matrices, if it brought one with it."""
    folder = Path(np.__file__).parent.parent / "numpy.libs"
    return next(iter(sorted(folder.glob("libscipy_openblas64_*"))), None)


def c_steps(source: str, rate: float) -> Iterator[tuple[str, Callable[[int], None]]]:
    """So many steps at once, without a library and with that of NumPy."""
    program, library = compiler(), blas()
    if program is None:
        return
    yield "c", _compiled(source, rate, program, [])
    if library is not None and "cblas_dgemm" in source:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "cblas.h").write_text(HEADER, encoding="ascii")
            more = [f"-I{folder}", "-DDERIVE_CBLAS", str(library), f"-Wl,-rpath,{library.parent}"]
            yield "c, blas", _compiled(source, rate, program, more)


def _compiled(source: str, rate: float, program: str, more: list[str]) -> Callable[[int], None]:
    with tempfile.TemporaryDirectory() as folder:
        file, made = Path(folder, "module.c"), Path(folder, "module.so")
        file.write_text(source + LOOP, encoding="ascii")
        command = [program, *FLAGS, "-shared", "-fPIC", str(file), "-o", str(made), *more, "-lm"]
        subprocess.run(command, check=True, timeout=300)
        library = ctypes.CDLL(str(made))
    return lambda many: library.many_steps(many, ctypes.c_double(rate))
