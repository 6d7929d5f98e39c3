"""Files of C in single precision: the same numbers to six digits, and nothing in doubles."""

from __future__ import annotations

import ctypes
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from derive import InputError, build
from derive.backprop import differentiate
from derive.cli import main
from derive.emit import emit, load, module
from derive.emit.native import FLAGS, namespace
from derive.emit.singles import in_singles
from derive.emit.tree import EmitError
from derive.library.layers import LAYERS
from derive.library.losses import loss_names
from derive.problem import Problem
from derive.spec import load_spec
from derive.verify.of_model import model_values
from derive.verify.training import tables
from tests.emit_support import derivation_of, made, of_row
from tests.sampled import sampled

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
WITHIN = 2e-4  # of the largest entry: what a long sum of numbers of seven digits may lose
WORDS = {
    "const double a = 0.5 * exp(x) + 2e-3;": "const float a = 0.5f * expf(x) + 2e-3f;",
    "for (int k = 0; k < 10; k++) {": "for (int k = 0; k < 10; k++) {",
    "/* exp(x) in double, 0.5 */ y = k / 2.;": "/* exp(x) in double, 0.5 */ y = k / 2.f;",
    "#include <math.h>\nexpected = my_log(x1.5);": "#include <math.h>\nexpected = my_log(x1.5f);",
    'printf("log = %.17g\\n", log(y));': 'printf("log = %.9g\\n", logf(y));',
    "(double)(k + 1) * INFINITY": "(float)(k + 1) * INFINITY",
}


def single(problem: Problem) -> str:
    return emit(problem, derivation_of(problem), "c", single=True)


@pytest.mark.parametrize("text", WORDS)
def test_types_numbers_and_functions_change_and_nothing_else(text: str) -> None:
    assert in_singles(text) == WORDS[text]


@pytest.mark.parametrize("number", ["3.5e+38", "1e-39"])
def test_a_number_beyond_single_precision_is_refused(number: str) -> None:
    with pytest.raises(EmitError, match=f"{re.escape(number)} is beyond single precision"):
        in_singles(f"x = {number};")
    problem = made(f"parameters: {{w: {number}}}\nloss: E = w**2\n")
    with pytest.raises(InputError, match="beyond single precision"):
        module(problem, derivation_of(problem), "c", single=True)


def test_another_target_says_which_one_can(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code", "neuron", "--single"]) == 2
    assert "python is not written in single precision; written so: c" in capsys.readouterr().err


@needs_compiler
def test_nothing_but_printing_is_done_in_doubles(tmp_path: Path) -> None:
    problem = build(load_spec("article"))
    text = emit(problem, differentiate(problem.graph), "c", single=True)
    (tmp_path / "module.c").write_text(text, "ascii")
    strict = [flag for flag in FLAGS if flag not in ("-shared", "-fPIC", "-Werror")]
    command = ["cc", *strict, "-Wdouble-promotion", "-Wconversion", "module.c", "-o", "m", "-lm"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    warned = [line for line in done.stderr.splitlines() if line.startswith("  ") and "|" in line]
    assert all("printf" in line or "^" in line or "~" in line for line in warned), done.stderr
    printed = subprocess.run(["./m"], cwd=tmp_path, check=True, capture_output=True, text=True)
    found = dict(re.findall(r"^(.*) = (\S+)$", printed.stdout, re.MULTILINE))
    exact = load(problem, emit(problem, differentiate(problem.graph), "c"), "c").run(problem.values)
    assert float(found["E"]) == pytest.approx(exact.loss, rel=1e-6)
    for (name, place), value in exact.gradients.items():
        if name in ("W1", "W2"):
            entry = "".join(f"[{k}]" for k in place)
            assert float(found[f"dE_d{name}{entry}"]) == pytest.approx(value, rel=1e-5)


@needs_compiler
def test_exponentials_of_large_tables_are_those_of_the_library() -> None:
    text = "parameters: {w: {shape: [300]}}\nmodel: ['y[i] = exp(w[i])', 'z[i] = tanh(w[i])']\n"
    names = namespace(single(made(f"{text}loss: E = sum(i, y[i]*z[i])\n")), "E")
    places = [*(k / 9 - 12 for k in range(280)), *(10.0**-k for k in range(13))]
    places += [88.5, -87.0, -103.0, 89.0, math.inf, -math.inf, 0.0]
    read = [ctypes.c_float(x).value for x in places]
    found = names["forward"](names["Parameters"](read), names["Sample"]())
    with_inf = [math.exp(x) if x < 88.7 else math.inf for x in read]
    assert found.y == pytest.approx(with_inf, rel=3e-7, abs=1.5e-45)
    assert found.z == pytest.approx(list(map(math.tanh, read)), rel=4e-7, abs=0)
    nothing = names["forward"](names["Parameters"]([math.nan] * 300), names["Sample"]())
    assert all(map(math.isnan, (*nothing.y, *nothing.z)))


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("name", sampled([*LAYERS, *loss_names()], 12))
def test_a_row_has_the_numbers_of_the_file_in_doubles(name: str) -> None:
    problem = of_row(name)
    derivation = derivation_of(problem)
    files = [emit(problem, derivation, "c", single) for single in (False, True)]
    values = tables(model_values(problem, derivation, 1))
    exact, found = (load(problem, text, "c").run(values) for text in files)
    for kind in ("forward", "gradients", "updated"):
        one, other = getattr(exact, kind), getattr(found, kind)
        assert one.keys() == other.keys()
        for key, value in one.items():
            most = max((abs(v) for (own, _), v in one.items() if own == key[0]), default=0)
            assert abs(other[key] - value) <= WITHIN * max(most, 1e-3), key
