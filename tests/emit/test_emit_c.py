"""Files of C: they compile without a warning, compute what they must, and hold nothing else."""

from __future__ import annotations

import importlib
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from derive import build
from derive.backprop import differentiate
from derive.emit import emit, execute
from derive.emit.c_lines import HEADS
from derive.emit.checked import Refused
from derive.emit.checked_c import checked_c
from derive.emit.native import FLAGS, namespace
from derive.emit.run import load
from derive.functions import ROWS, Row
from derive.library.layers import LAYERS
from derive.scaffold import scaffold
from derive.spec import load_spec
from derive.verify import verify
from derive.verify.report import Status
from tests.emit_support import judged, made, source_of
from tests.sampled import sampled
from tests.verify_support import disagreeing
from tests.verify_support import made as made_article

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

native = importlib.import_module("derive.emit.native")  # derive.emit is a function, too
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
@pytest.mark.parametrize("name", sampled(LAYERS, 2))
def test_every_row_agrees_and_touches_nothing_that_is_not_its_own(
    name: str, tmp_path: Path
) -> None:
    problem = made(scaffold(name, network=False))
    route = judged(problem, "c")
    assert route.status is Status.AGREES, route.detail
    run(source_of(problem, "c"), tmp_path, "-g", "-fsanitize=address,undefined")


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(LAYERS, 10))
def test_a_row_agrees_as_if_it_were_large(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is worth it for large tables only, for all: blocks, rows, joined loops, vectors."""
    monkeypatch.setattr(importlib.import_module("derive.emit.c"), "is_small", lambda _: False)
    monkeypatch.setattr(importlib.import_module("derive.emit.contractions"), "SMALLEST", 1)
    monkeypatch.setattr(importlib.import_module("derive.emit.contractions"), "NARROWEST", 1)
    monkeypatch.setattr(importlib.import_module("derive.emit.c_sums"), "FEWEST", 2)
    monkeypatch.setattr(native, "FLAGS", (*FLAGS, "-O2", "-ffp-contract=fast"))
    route = judged(made(scaffold(name, network=False)), "c")
    assert route.status is Status.AGREES, route.detail


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


LARGE = {
    "a table that is read while it changes": "inputs: {x: {shape: [8, 12]}}\n"
    "parameters: {A: {shape: [11, 20]}, B: {shape: [20, 12]}, C: {shape: [20, 11]}}\n"
    "model: ['h[n,k] = sum(i, A[k,i]*tanh(sum(j, B[i,j]*x[n,j])))',\n"
    " 'y[n,i] = sum(k, C[i,k]*h[n,k])']\n"
    "loss: E = sum(n, i, y[n,i]**2)\n",
    "layers": "inputs: {x: {shape: [9, 16]}}\ntargets: {t: {shape: [9, 6]}}\n"
    "parameters: {W: {shape: [16, 16]}, V: {shape: [6, 16]}, c: {shape: [16]}}\n"
    "model: ['h[n,k] = tanh(sum(i, W[k,i]*x[n,i])/3 + c[k])', 'm[k] = sum(n, h[n,k])/9',\n"
    " 'z[n,k] = h[n,k] - m[k]', 'y[n,o] = sum(k, V[o,k]*z[n,k])']\n"
    "loss: E = sum(n, o, (y[n,o] - t[n,o])**2)/9\n",
    "steps": "inputs: {x: {shape: [6, 7, 16]}}\n"
    "model: [{layer: lstm, name: r, inputs: x, output: h, sizes: {k: 16}}]\n"
    "loss: E = sum(n, t, k, h[n,t,k]**2)/6\n",
    "windows": "inputs: {x: {shape: [2, 1, 10, 10]}}\nmodel:\n"
    "  - {layer: conv2d, name: c, inputs: x, output: z, sizes: {o: 8, r: 3, s: 3}}\n"
    "  - {layer: relu, inputs: z, output: a}\n  - {layer: max_pool2d, inputs: a, output: p}\n"
    "  - {layer: flatten3, inputs: p, output: f}\n"
    "  - {layer: dense, name: d, inputs: f, output: y, sizes: {h: 4}}\n"
    "loss: E = sum(n, log(sum(k, exp(y[n,k]))) - sum(o, y[n,o])/4)/2\n",
    "heads": "inputs: {x: {shape: [2, 16, 16]}}\n"
    "model: [{layer: causal_multi_head_attention, name: a, inputs: x, output: y}]\n"
    "loss: E = sum(n, t, d, y[n,t,d]**2)\n",
}
DGEMM = """
enum { CblasRowMajor = 101, CblasNoTrans = 111, CblasTrans = 112 };
static void cblas_dgemm(int order, int first, int second, int rows, int columns, int depth,
    double factor, const double *a, int lda, const double *b, int ldb, double kept, double *c,
    int ldc)
{
    for (int i = 0; order == CblasRowMajor && i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            double sum = 0.0;
            for (int k = 0; k < depth; k++) {
                sum += (first == CblasTrans ? a[k * lda + i] : a[i * lda + k])
                    * (second == CblasTrans ? b[j * ldb + k] : b[k * ldb + j]);
            }
            c[i * ldc + j] = kept * c[i * ldc + j] + factor * sum;
        }
    }
}
"""
MAIN = """
int main(void)
{
    static Parameters parameters;
    static Sample sample;
    return train_once(&parameters, &sample, 0.1) > 1e300;
}
"""


@pytest.mark.parametrize("name", LARGE)
def test_products_of_matrices_agree_with_a_library_and_without(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With NumPy's, which does the same on whole arrays: values, gradients and a step."""
    problem = made(LARGE[name] + "training: {learning_rate: 0.1}\n")
    source = source_of(problem, "c")
    assert " add_product(" in source
    run(source + MAIN, tmp_path, "-O1", "-fsanitize=address,undefined")
    (tmp_path / "cblas.h").write_text(DGEMM, encoding="ascii")
    numpy = load(problem, source_of(problem, "numpy"), "numpy").namespace
    given = [numpy["example_parameters"](seed=1), numpy["example_sample"](seed=2)]
    wanted = numpy["value_and_gradients"](*given), numpy["step"](*given, 0.1)
    for flags in ((), ("-DDERIVE_CBLAS", f"-I{tmp_path}")):
        monkeypatch.setattr(native, "FLAGS", (*FLAGS, *flags))
        own = namespace(source, "E")
        kinds = own["Parameters"], own["Sample"]
        lists = [
            kind(**{key: value.tolist() for key, value in record._asdict().items()})
            for kind, record in zip(kinds, given, strict=True)
        ]
        found = own["value_and_gradients"](*lists), own["step"](*lists, 0.1)
        for (one, two), (other, another) in zip(found, wanted, strict=True):
            assert close(one, other) and close(two, another)


def close(found: object, wanted: object) -> bool:
    """Whether numbers, or tables by their names, are the same but for rounding."""
    if isinstance(found, float):
        return math.isclose(found, float(wanted), rel_tol=1e-12)  # type: ignore[arg-type]
    names, others = found._asdict(), wanted._asdict()  # type: ignore[attr-defined]
    return all(np.allclose(names[key], others[key], rtol=1e-10, atol=1e-13) for key in others)


def test_exponentials_of_large_tables_are_those_of_the_library() -> None:
    text = "parameters: {w: {shape: [300]}}\nmodel: ['y[i] = exp(w[i])', 'z[i] = tanh(w[i])']\n"
    problem = made(f"{text}loss: E = sum(i, y[i]*z[i])\n")
    names = namespace(source_of(problem, "c"), "E")
    places = [*(k / 9 - 12 for k in range(280)), *(10.0**-k for k in range(12))]
    places += [700.0, -700.0, 709.7, -744.0, 711.0, math.inf, -math.inf, 0.0]
    found = names["forward"](names["Parameters"](places), names["Sample"]())
    with_inf = [math.exp(x) if x < 710 else math.inf for x in places]
    assert found.y == pytest.approx(with_inf, rel=5e-16, abs=5e-324)
    assert found.z == pytest.approx(list(map(math.tanh, places)), rel=1e-15, abs=0)
    nothing = names["forward"](names["Parameters"]([math.nan] * 300), names["Sample"]())
    assert all(map(math.isnan, (*nothing.y, *nothing.z)))


def test_a_large_model_prints_its_loss_alone(tmp_path: Path) -> None:
    weights = [[0.5, *[0] * 14]] * 15
    text = f"inputs: {{x: {[1] * 15}}}\nparameters: {{W: {weights}}}\n"
    text += "model: ['y[k] = sum(i, W[k,i]*x[i])']\nloss: E = sum(k, y[k]**2)\n"
    assert of_text(run(source_of(made(text), "c"), tmp_path))["E"] == 3.75


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
