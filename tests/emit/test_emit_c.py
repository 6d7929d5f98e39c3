"""Files of C: they compile without a warning, compute what they must, and hold nothing else."""

from __future__ import annotations

import importlib
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from derive import build
from derive.backprop import differentiate
from derive.emit import emit, execute
from derive.emit.c_lines import HEADS
from derive.emit.checked import Refused
from derive.emit.checked_c import checked_c
from derive.emit.native import FLAGS
from derive.functions import ROWS, Row
from derive.library.layers import LAYERS
from derive.scaffold import scaffold
from derive.spec import load_spec
from derive.verify import verify
from derive.verify.report import Status
from tests.emit_support import judged, made, source_of
from tests.verify_support import disagreeing
from tests.verify_support import made as made_article

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

VERIFIER = importlib.import_module("derive.verify")  # derive.verify is its function
STRICT = [flag for flag in FLAGS if flag not in ("-shared", "-fPIC", "-O1")]
SPECS = {
    "adam": "inputs: {x: [0.5, -1]}\nparameters: {w: [0.3, 0.2]}\n"
    "loss: E = sum(i, (w[i]*x[i] - 1)**2)\n"
    "training: {learning_rate: 0.1, optimizer: adam, steps: 4}\n",
    "an optimizer that counts": "parameters: {w: [0.3, 0.2]}\nloss: E = sum(i, (w[i] - 1)**2)\n"
    "define: {optimizers: {fading: {equations: w = w - alpha*g/(1 + k)}}}\n"
    "training: {learning_rate: 0.1, optimizer: fading, steps: 4}\n",
    "layer by layer": "inputs: {x: 0.5}\nparameters: {v: 0.3, w: 0.4}\n"
    "model: [h = tanh(v*x), y = w*h]\nloss: E = (y - 1)**2\n"
    "training: {learning_rate: 0.1, order: layer_by_layer, steps: 3}\n",
    "samples in turn": "inputs: {x: {shape: []}}\nparameters: {w: 0.4}\nloss: E = (w*x - 1)**2\n"
    "samples: [{x: 0.7}, {x: -1}]\ntraining: {learning_rate: 0.1, steps: 3}\n",
    "a forward pass alone": "inputs: {x: [1, 2]}\nmodel: ['y[i] = exp(x[i])/3']\n",
    "whole numbers": "inputs: {k: [1, 0, 1]}\nparameters: {W: [[1, 2], [3, 4.5]]}\nintegers: [k]\n"
    "model: ['y[n,i] = W[k[n],i]/2 + n/2']\nloss: E = sum(n, i, y[n,i]**2)\n",
    "words of C": "inputs: {double: [1, 2], int: 3}\n"
    "parameters: {register: 0.5, y0: 2, square: 1}\n"
    "model: ['short[i] = register*double[i]**2 + exp(square*0.1) + y0']\n"
    "loss: E = sum(i, short[i]**2) + int*square\n",
    "windows taken away": "parameters: {x: [1, 2, -1, 0.5, 3], k: [0.5, -2]}\nsizes: {u: 4}\n"
    "model: ['y[u] = -sum(r, k[r]*x[u + r])']\nloss: E = sum(u, y[u]**2)\n",
    "beyond both ends": "parameters: {x: [1, 2, -1], k: [0.5, -2, 1]}\nsizes: {u: 3}\n"
    "model: ['y[u] = sum(r, k[r]*exp(x[u + r - 1]))']\nloss: E = sum(u, y[u]**2)\n",
    "angles and gamma functions": "parameters: {a: [0.3, 4, 90], b: -2}\n"
    "loss: E = sum(i, lgamma(a[i])*0.1 + digamma(a[i])**2 + atan2(b, a[i]))\n",
    "a tie of two axes": "parameters: {W: [[1, 3, 2], [3, 0, 3]]}\n"
    "loss: E = max(i, max(j, W[i,j]))**2\n",
    "powers and halves": "inputs: {x: [0.5, -2]}\nparameters: {w: 3}\n"
    "loss: E = sum(i, (x[i]*w)**5/7 + x[i]**2*w**3 + i*w/2)\n",
}


def run(source: str, folder: Path, *flags: str) -> str:
    """What a program prints, which must compile without a warning, and end well."""
    (folder / "module.c").write_text(source, encoding="ascii")
    command = ["cc", *STRICT, *flags, "module.c", "-o", "module", "-lm"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    done = subprocess.run(["./module"], cwd=folder, check=True, capture_output=True, timeout=60)
    assert not done.stderr
    return done.stdout.decode()


def of_text(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(.*) = (\S+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("name", SPECS)
def test_a_model_agrees(name: str) -> None:
    route = judged(made(SPECS[name]), "c")
    assert route.status is Status.AGREES, route.detail


@pytest.mark.parametrize("name", ["dense", "conv1d", "max_pool2d", "lstm", "embedding", "softmax"])
def test_a_row_agrees(name: str) -> None:
    route = judged(made(scaffold(name, network=False)), "c")
    assert route.status is Status.AGREES, route.detail


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_every_row_agrees_and_touches_nothing_that_is_not_its_own(
    name: str, tmp_path: Path
) -> None:
    problem = made(scaffold(name, network=False))
    route = judged(problem, "c")
    assert route.status is Status.AGREES, route.detail
    run(source_of(problem, "c"), tmp_path, "-g", "-fsanitize=address,undefined")


@pytest.mark.parametrize("name", SPECS)
def test_the_program_ends_well_under_sanitizers(name: str, tmp_path: Path) -> None:
    assert run(source_of(made(SPECS[name]), "c"), tmp_path, "-g", "-fsanitize=address,undefined")


def test_the_program_prints_the_numbers_of_the_spec(tmp_path: Path) -> None:
    problem = build(load_spec("article"))
    printed = of_text(run(source_of(problem, "c"), tmp_path, "-O2"))
    python = execute(problem, emit(problem, differentiate(problem.graph), "python"), "python")
    assert math.isclose(printed["E"], python.loss, rel_tol=1e-15)
    for (name, place), value in {**python.forward}.items():
        entry = "".join(f"[{k}]" for k in place)
        assert math.isclose(printed[f"{name}{entry}"], value, rel_tol=1e-14)
    for (name, place), value in python.gradients.items():
        entry = "".join(f"[{k}]" for k in place)
        assert math.isclose(printed[f"dE_d{name}{entry}"], value, rel_tol=1e-13)
    assert "E after 1000 updates" in printed


def test_a_sum_is_computed_once_where_its_letters_allow() -> None:
    text = (
        "inputs: {x: [1, 2, 3]}\nparameters: {W: [[1, 2], [3, 4]]}\n"
        "model: ['y[k,i] = W[k,i]*sum(j, x[j])*sum(o, W[k,o])']\nloss: E = sum(k, i, y[k,i])\n"
    )
    body = source_of(made(text), "c").partition("void forward(")[2]
    order = [body.index(part) for part in ("int j = 0", "int k = 0", "int o = 0", "int i = 0")]
    assert order == sorted(order)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_function_has_a_name_in_c(row: Row) -> None:
    """A row that has none would only be missed by who needs it."""
    assert row.name in HEADS or row.definition is not None


WRONG = {
    "sign": ("values->out2[n][o] - sample->t[n][o]", "sample->t[n][o] - values->out2[n][o]"),
    "direction": ("- learning_rate", "+ learning_rate"),
    "rate": ("LEARNING_RATE = 0.5", "LEARNING_RATE = 0.6"),
    "weight": ("{0.45, 0.5}", "{0.45, 0.6}"),
    "slope": ("(1.0 - values->out1[n][h])", "(1.0 + values->out1[n][h])"),
    "logistic": ("exp(-fabs(x))", "exp(-fabs(1.001 * x))"),
    "training": ("losses[steps] = values.E", "losses[steps] = 2.0 * values.E"),
    "index": ("parameters->W1[h][i];", "parameters->W1[i][h];"),
    "it does not compile": ("double sum1 = 0.0;", "double sum1 = 0.0"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VERIFIER, "derivation_routes", lambda *_: [])
    whole = made_article("article")
    source = emit(whole.problem, whole.derivation, "c")
    old, new = WRONG[what]
    assert old in source
    changed = source.replace(old, new, 1)
    report = verify(whole.problem, whole.derivation, whole.page, {}, {"c": changed})
    assert disagreeing(report) == {"module c"}


HOSTILE = {
    "a call": ("return x * x;", "return system(x);"),
    "a call of a value": ("return x * x;", "return (*x)(1);"),
    "a call of a field": ("return x * x;", "return x->run(1);"),
    "a call in brackets": ("return x * x;", "return (system)(x);"),
    "a header": ("#include <stdio.h>", "#include <stdlib.h>"),
    "a macro": ("#include <stdio.h>", "#include <stdio.h>\n#define x system"),
    "a pragma": ("return x * x;", "_Pragma(x) return x * x;"),
    "assembly": ("return x * x;", 'asm("nop"); return x * x;'),
    "a built-in": ("return x * x;", "return __builtin_trap();"),
    "a text that writes": ('"E = %.17g\\n"', '"E = %n\\n"'),
    "a text with a path": ('"E = %.17g\\n"', '"/etc/passwd\\n"'),
    "another sign": ("return x * x;", "return x ??! x;"),
    "a backslash": ("return x * x;", "return x \\\n * x;"),
    "a letter": ("return x * x;", "return x × x;"),
    "a loop without end": ("return x * x;", "while (1) {} return x * x;"),
    "a jump": ("return x * x;", "goto end;"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_file_needs_is_not_compiled(what: str) -> None:
    source = source_of(build(load_spec("article")), "c")
    assert checked_c(source) == source
    old, new = HOSTILE[what]
    assert old in source
    with pytest.raises(Refused, match=r"line \d+"):
        checked_c(source.replace(old, new, 1))


def test_text_of_a_spec_stays_in_its_comment(tmp_path: Path) -> None:
    title = "*/ int x = system(1); /* ??/ \\ \u202e"
    text = f"title: {title!r}\ninputs: {{x: 2}}\nloss: E = x**2\n"
    source = checked_c(source_of(made(text), "c"))
    assert source.count("*/") == source.count("/*")
    assert of_text(run(source, tmp_path))["E"] == 4
