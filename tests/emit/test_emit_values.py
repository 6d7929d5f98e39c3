"""What emitted modules compute: the article, other batches, frozen parameters, all functions."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from pathlib import Path

import pytest
from emit_reference import evaluator, sample, slopes, spec, tables

from derive.build import build
from derive.emit import USUAL, emit, execute, load
from derive.functions import ROWS
from derive.problem import Problem
from derive.spec import load_spec
from tests.core_support import derived

ARTICLE = build(load_spec("article"))


def source_of(problem: Problem, target: str) -> str:
    return emit(problem, derived(problem.graph), target)


@pytest.mark.parametrize("target", USUAL)
def test_the_article(target: str) -> None:
    found = execute(ARTICLE, source_of(ARTICLE, target), target)
    assert math.isclose(found.loss, 0.2396740075623098, rel_tol=1e-14)
    assert math.isclose(found.gradients["W2", (0, 0)], 0.07140620478777752, rel_tol=1e-13)
    assert math.isclose(found.updated["W2", (0, 0)], 0.31429689760611124, rel_tol=1e-13)


def test_the_article_has_the_names_of_the_page() -> None:
    lines = source_of(ARTICLE, "python").splitlines()
    for line in (
        "net_h1 = i1 * w1 + i2 * w2",
        "out_h1 = logistic(net_h1)",
        "E_o1 = (target_o1 - out_o1) ** 2 / 2",
        "E_total = E_o1 + E_o2",
        "dE_dnet_o1 = dE_dout_o1 * out_o1 * (1 - out_o1)",
        "dE_dout_h1 = dE_dnet_o1 * w5 + dE_dnet_o2 * w7",
        "dE_dw5 = dE_dnet_o1 * out_h1",
        "w5_new = w5 - learning_rate * dE_dw5",
    ):
        assert f"    {line}" in lines


def test_the_article_in_matrices() -> None:
    lines = source_of(ARTICLE, "numpy").splitlines()
    for line in (
        "net1 = x @ W1.T",
        "E = E_each.sum() / batch",
        "dE_dout2 = (out2 - t) / batch",
        "dE_dout1 = dE_dnet2 @ W2",
        "dE_dW1 = dE_dnet1.T @ x",
        "W1_new = W1 - learning_rate * dE_dW1",
    ):
        assert f"    {line}" in lines


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("problem", [ARTICLE, spec(batch=2)], ids=["values", "symbolic"])
def test_the_module_runs_by_itself(problem: Problem, target: str, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(source_of(problem, target), "utf-8")
    command = [sys.executable, "-W", "error", str(file)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "after 1000 updates = " in printed.stdout
    if problem is ARTICLE:
        assert " = 0.2396740075623" in printed.stdout


@pytest.mark.parametrize("target", USUAL)
def test_training_goes_on_from_the_update(target: str) -> None:
    names = load(ARTICLE, source_of(ARTICLE, target), target).namespace
    trained, losses = names["train"](names["PARAMETERS"], names["SAMPLE"], 0.5, 2)
    once = names["update"](
        names["PARAMETERS"], names["gradients"](names["PARAMETERS"], names["SAMPLE"]), 0.5
    )
    assert len(losses) == 3
    assert losses[1] == names["loss"](once, names["SAMPLE"])
    assert losses[2] == names["loss"](trained, names["SAMPLE"]) < losses[1] < losses[0]


@pytest.mark.parametrize("target", ["python", "numpy"])
@pytest.mark.parametrize(
    ("loss", "out"),
    [
        ("half_squared_error", "tanh"),
        ("categorical_cross_entropy", "softmax"),
        ("binary_cross_entropy", "logistic"),
        ("binary_cross_entropy", "softmax"),
        ("mean_squared_error", "softmax"),
    ],
)
@pytest.mark.parametrize("how", ["mean", "sum"])
def test_the_batch_may_have_another_size(loss: str, out: str, how: str, target: str) -> None:
    """A module made for 3 samples is run with 2, and its gradients are those for 2."""
    words = f"{{name: {loss}, batch: {how}}}"
    made, other = (spec(("tanh", out), words, batch=batch, units=3) for batch in (3, 2))
    given = sample(other)
    module = load(other, source_of(made, target), target)
    found = module.run(tables(given))
    names = {name for name, _ in given if name not in ("x", "t")}
    for place, slope in slopes(other.graph, given, names):
        assert math.isclose(found.gradients[place], slope, rel_tol=1e-6, abs_tol=1e-8)


def test_samples_that_depend_on_each_other_keep_their_number() -> None:
    text = "y[n,h] = x[n,h] - mean(m, x[m,h])"
    problem = spec((text, "logistic"), batch=3)
    given = sample(problem)
    for target in USUAL:
        source = source_of(problem, target)
        assert "Batch: 3 samples." in source
        found = execute(problem, source, target, tables(given))
        for place, slope in slopes(problem.graph, given, {"W1", "W2"}):
            assert math.isclose(found.gradients[place], slope, rel_tol=1e-6, abs_tol=1e-8)


@pytest.mark.parametrize("reading", ["x[2-n,h]", "x[n-1,h]", "x[2,h]*x[n,h]"])
def test_samples_that_read_each_other_keep_their_number(reading: str) -> None:
    """A place among the samples is a place in this batch: one of two samples has no place 2."""
    problem = spec((f"y[n,h] = x[n,h] + {reading}", "logistic"), batch=3)
    for target in USUAL:
        assert "Batch: 3 samples." in source_of(problem, target)


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("batch", [1, 3])
def test_frozen_parameters_stay(target: str, batch: int) -> None:
    problem = spec(("tanh", "tanh"), batch=batch, extra="training: {frozen: [W1, b2]}\n")
    given = sample(problem)
    found = execute(problem, source_of(problem, target), target, tables(given))
    assert {name for name, _ in found.gradients} == {"b1", "W2"}
    for place, value in found.updated.items():
        assert (value == given[place]) == (place[0] in ("W1", "b2"))


def test_adjoints_that_nobody_needs_are_not_computed() -> None:
    fused = source_of(spec(("softmax",), "categorical_cross_entropy"), "python")
    assert "dE_dout" not in fused
    frozen = source_of(spec(extra="training: {frozen: [W1, b1]}\n"), "python")
    assert "dE_dnet_h1" not in frozen


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("batch", [1, 3])
def test_every_function_in_every_target(row: object, target: str, batch: int) -> None:
    name, arity = row.name, row.arity  # type: ignore[attr-defined]
    call = (
        "where(x > 0.3, x*x, sin(x))"
        if name == "where"
        else {
            1: f"{name}(x)",
            2: f"{name}(x, 0.3)",
        }[arity]
    )
    problem = spec((f"f(x) = x + {call}/3",), batch=batch)
    given = sample(problem)
    found = execute(problem, source_of(problem, target), target, tables(given))
    expected = evaluator(problem.graph)(given)
    for place, value in found.forward.items():
        assert math.isclose(value, expected[place], rel_tol=1e-12)
    held = 3 / 4 if name == "stop_gradient" else 1  # of x + x/3 the second part does not move
    for place, slope in slopes(problem.graph, given, {"W1", "b1"}):
        assert math.isclose(found.gradients[place], held * slope, rel_tol=1e-6)


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "text",
    [
        "f(x) = x/3 + 1/3",
        "f(x) = 2*x",
        "f(x) = -x**2 - x**3/7",
        "f(x) = (1 + x**2)**(1/3)/sqrt(2*pi)",
        "f(x) = 2**x*exp(1)",
        "f(x) = 1/(1 + abs(x))**2",
        "f(x) = 10**30*x/10**31",
        "f(x) = max(x, where(x > 0.5, x**2, -1)) - min(2, x)",
        "y[n,h] = x[n,h] - max(k, x[n,k])",
        "y[n,h] = x[n,h] - h",
        "y[n,h] = x[n,2]*x[n,h]",
        "y[n,h] = x[n,h]*max(j, k, x[n,j] - x[n,k]**2)",
        "y[n,h] = x[n,h]*h + sum(k, x[n,k]*x[n,h]/(1 + k))",
        "y[n,h] = softmax(h, x[n,h]**2) + sum(k, sum(j, x[n,k]*x[n,j]))",
        "y[n,h] = sum(k, x[n,k]*x[n,k]*x[n,h])",
        "y[n,h] = x[n,0]*x[n,h] + sum(k, 2 + 0*x[n,k])",
        "y[n,h] = sum(t, x[n,t]**2)*x[n,h]",
        "y[n,h] = softmax(h, softmax(h, x[n,h])) + softmax(h, x[n,0])",
        "y[n,h] = tanh(x[n,h])*x[0,h]",
    ],
)
def test_formulas(text: str, batch: int, target: str) -> None:
    """Constants, powers, roots, branches, reductions, positions, an index called like a target."""
    problem = spec((text, "tanh"), batch=batch, units=3)
    given = sample(problem)
    found = execute(problem, source_of(problem, target), target, tables(given))
    expected = evaluator(problem.graph)(given)
    for place, value in found.forward.items():
        assert math.isclose(value, expected[place], rel_tol=1e-12)
    for place, slope in slopes(problem.graph, given, {"W1", "b1", "W2", "b2"}):
        if place in found.gradients:
            assert math.isclose(found.gradients[place], slope, rel_tol=1e-6, abs_tol=1e-8)
        else:
            assert slope == 0


def operations(tree: ast.AST, functions: dict[str, ast.FunctionDef]) -> int:
    """Arithmetic operations and calls of elementary functions; a call of a helper is its body."""
    count = 0
    for node in ast.walk(tree):
        count += isinstance(node, ast.BinOp | ast.UnaryOp)
        if isinstance(node, ast.Call):
            helper = isinstance(node.func, ast.Name) and node.func.id == "logistic"
            count += operations(functions["logistic"], functions) if helper else 0
            count += isinstance(node.func, ast.Attribute)
    return count


@pytest.mark.parametrize("units", [2, 4, 8])
def test_the_backward_pass_costs_little_more_than_the_forward_pass(units: int) -> None:
    problem = spec(bias="none", units=units, inputs=units)
    tree = ast.parse(source_of(problem, "python"))
    functions = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)}
    forward, gradients = (operations(functions[n], functions) for n in ("forward", "gradients"))
    assert (forward + gradients) / forward <= 2.2


@pytest.mark.parametrize("target", USUAL)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_shifted_index_is_zero_outside(batch: int, target: str) -> None:
    problem = spec(("y[n,h] = tanh(x[n,h-1])*x[n,h+1] + x[n,h]", "tanh"), batch=batch, units=4)
    given = sample(problem)
    found = execute(problem, source_of(problem, target), target, tables(given))
    expected = evaluator(problem.graph)(given)
    assert all(math.isclose(v, expected[place]) for place, v in found.forward.items())
    for place, slope in slopes(problem.graph, given, {"W1", "b1"}):
        assert math.isclose(found.gradients[place], slope, rel_tol=1e-6)
