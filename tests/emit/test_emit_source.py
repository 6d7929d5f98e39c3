"""The text of emitted modules: format, types, names, user text, determinism, cost."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from emit_reference import evaluator, sample, spec, tables

from derive.backprop import differentiate
from derive.build import build
from derive.emit import USUAL, emit, execute
from derive.emit.layout import WIDTH, statement
from derive.errors import InputError
from derive.problem import Problem
from derive.scaffold import scaffold
from derive.spec import load_spec, parse_spec
from tests.core_support import calls

MOST_CALLS = 700_000  # a network of 300 units a layer takes a quarter of it
ELU = "f(x) = where(x > 0, x, exp(x) - 1)"
LONG = "f(x) = x*erf(x)/(2*sqrt(pi)) + log(1+x**2)**(1/3) - 2*x**2/(1+abs(x)) + tanh(x)*sin(x)"
PROBLEMS = {
    "article": build(load_spec("article")),
    "sigmoid_8": spec(bias="none", units=8, inputs=8),
    "softmax": spec(("tanh", "softmax"), "categorical_cross_entropy", units=4),
    "softmax_batch": spec(("relu", "softmax"), "categorical_cross_entropy", "shared", 3),
    "bce": spec((ELU, "logistic"), "binary_cross_entropy"),
    "bce_batch": spec((ELU, "logistic"), "binary_cross_entropy", batch=2, units=5),
    "long": spec((LONG, "tanh"), "mean_squared_error", units=3),
    "long_batch": spec((LONG, "tanh"), "mean_squared_error", batch=3),
    "signs": spec(("f(x) = -x**2 - x**4/3 + max(x, sign(x))",), batch=2),
    "softplus": spec(("f(x) = x*tanh(log(1+exp(x)))",), "mean_squared_error", "none", 2),
    "coupled": spec(("y[n,h] = x[n,h] - max(k, x[n,k])", "softmax"), batch=2, units=3),
    "shifted": spec(("y[n,h] = tanh(x[n,h])*x[n,0]",), batch=2, units=3),
    "one": spec(("tanh",), "half_squared_error", "none", units=1, inputs=1),
    "gamma": spec(("f(x) = lgamma(softplus(x)) + digamma(1 + x**2)*atan2(x, 1)",), batch=2),
    "gamma_one": spec(("f(x) = lgamma(softplus(x)) + digamma(1 + x**2)*atan2(x, 1)",)),
    **{
        name: build(parse_spec(scaffold(name, network=False), name, name))
        for name in ("lstm", "conv2d", "max_pool2d", "log_softmax", "identity", "rope")
    },
    "large": spec(("relu", "softmax"), "categorical_cross_entropy", units=30, inputs=40),
}


def source_of(problem: Problem, target: str) -> str:
    return emit(problem, differentiate(problem.graph), target)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All modules as files."""
    path = tmp_path_factory.mktemp("emitted")
    for name, problem in PROBLEMS.items():
        for target, row in USUAL.items():
            (path / f"{name}{row.suffix}").write_text(source_of(problem, target), "utf-8")
    return path


def tool(folder: Path, name: str, *arguments: str) -> None:
    """Run a tool of the developers on all modules. Skips the test if it is not installed."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([found, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_format(folder: Path) -> None:
    tool(folder, "ruff", "format", "--isolated", "--line-length", "100", "--check", "--diff", ".")


def test_lint(folder: Path) -> None:
    rules = "E,F,I,UP,B,SIM,C4,RUF"
    tool(folder, "ruff", "check", "--isolated", "--line-length", "100", "--select", rules, ".")


@pytest.mark.slow
def test_types(folder: Path) -> None:
    tool(folder, "mypy", "--strict", "--no-incremental", *sorted(map(str, folder.glob("*.py"))))


def test_python_imports_nothing_but_the_standard_library(folder: Path) -> None:
    for file in folder.glob("*_python.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = (
                    [node.module]
                    if isinstance(node, ast.ImportFrom)
                    else [alias.name for alias in node.names]
                )
                assert {str(name).split(".")[0] for name in names} <= sys.stdlib_module_names


def titled(title: str) -> Problem:
    text = (
        f"title: {title}\nnetwork: {{inputs: 1, layers: [{{dense: 1}}], loss: mean_squared_error}}"
    )
    return build(parse_spec(text, "test", "test"))


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize(
    "title",
    [
        r'"\"\"\"\nraise SystemExit\n\"\"\""',
        r'"ends with a backslash \\"',
        r'"ends with a quote \""',
        "오차 역전파, 한 걸음씩, 그리고 아주 긴 제목이 한 줄에 다 들어가지 않을 때는",
        "'{{ 7*7 }} {% raw %} # noqa'",
        "word" * 60,
    ],
)
def test_a_title_cannot_leave_the_docstring(title: str, target: str, tmp_path: Path) -> None:
    source = source_of(titled(title), target)
    tree = ast.parse(source)
    assert isinstance(tree.body[0], ast.Expr)
    assert [type(node).__name__ for node in tree.body] == [
        type(node).__name__ for node in ast.parse(source_of(titled("plain"), target)).body
    ]
    assert all(line.isprintable() for line in source.splitlines())
    (tmp_path / "module.py").write_text(source, "utf-8")
    tool(tmp_path, "ruff", "check", "--isolated", "--line-length", "100", "--select", "E,W", ".")
    tool(tmp_path, "ruff", "format", "--isolated", "--line-length", "100", "--check", ".")


def test_the_name_of_an_activation_cannot_leave_the_docstring() -> None:
    evil = '"\\"\\"\\" + 1/0"'
    text = (
        f"network: {{inputs: 1, layers: [{{dense: 1, activation: {evil}}}], loss: {evil}}}\n"
        f"define: {{activations: {{{evil}: f(x) = x}}, losses: {{{evil}: 'f(y, t) = (y - t)**2'}}}}"
    )
    with pytest.raises(InputError, match="is no name"):
        build(parse_spec(text, "test", "test"))


def test_units_may_be_called_like_things_of_the_module() -> None:
    names = (
        "math, sum, count, index, parameters, sample, values, float, gradients, batch, l, w1_new"
    )
    problem = build(
        parse_spec(
            f"network:\n  inputs: [{names}, dE_dw1, learning_rate]\n  layers:\n"
            "    - {dense: [forward, random], activation: softmax}\n"
            "  loss: categorical_cross_entropy\n",
            "test",
            "test",
        )
    )
    given = sample(problem)
    found = execute(problem, source_of(problem, "python"), "python", tables(given))
    expected = evaluator(problem.graph)(given)
    assert found.forward["E", ()] == pytest.approx(expected["E", ()], rel=1e-12)


@pytest.mark.slow
def test_the_same_text_whatever_the_hash_seed() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_emit_source as t; "
        "print(*[t.source_of(t.PROBLEMS[n], x) for n in ('bce', 'coupled', 'long_batch')"
        " for x in t.USUAL])"
    )
    texts = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", program, str(Path(__file__).parent)]
        texts.add(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    assert len(texts) == 1


@pytest.mark.parametrize("target", USUAL)
def test_large_and_small_networks_are_little_work(target: str) -> None:
    for problem in (
        spec(("relu", "relu", "softmax"), "categorical_cross_entropy", units=300, inputs=784),
        PROBLEMS["sigmoid_8"],
    ):
        derivation = differentiate(problem.graph)
        assert calls(partial(emit, problem, derivation, target)) < MOST_CALLS


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'numpy'"):
        emit(PROBLEMS["one"], differentiate(PROBLEMS["one"].graph), "nunpy")


@pytest.mark.parametrize(
    "body",
    [
        "f(" + ", ".join(f"argument_{k}" for k in range(20)) + ")",
        " + ".join(f"first_{k} * (second_{k} - {k})" for k in range(12)),
        "[["
        + " + ".join(f"value_{k}[i][j]" for k in range(12))
        + " for i in range(2)] for j in range(3)]",
        "first_long_name * second_long_name / (" + " + ".join(f"part_{k}" for k in range(15)) + ")",
        "-(" + " * ".join(f"factor_{k}" for k in range(14)) + ")",
    ],
)
def test_long_statements_are_broken_as_the_formatter_breaks_them(body: str, tmp_path: Path) -> None:
    lines = statement("result = ", body, 0)
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(f"result = {body}"))
    assert max(map(len, lines)) <= WIDTH
    (tmp_path / "module.py").write_text("\n".join(lines) + "\n", "utf-8")
    tool(tmp_path, "ruff", "format", "--isolated", "--line-length", "100", "--check", "--diff", ".")
