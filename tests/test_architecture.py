"""The shape of the package: which module may know which, and what no module may do."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import derive

PACKAGE = Path(derive.__file__).parent
SOURCES = {
    ".".join(("derive", *path.relative_to(PACKAGE).with_suffix("").parts)): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
SOURCES = {name.removesuffix(".__init__"): path for name, path in SOURCES.items()}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in SOURCES.items()}
LONGEST_FILE = 420
LONGEST_FUNCTION = 60

# From the bottom up: a module may import those above it in this list and nothing else of derive.
CORE = (
    "derive.errors",
    "derive.limits",
    "derive.files",
    "derive.builtin",
    "derive.languages",
    "derive.exactly",
    "derive.functions",
    "derive.names",
    "derive.symbols",
    "derive.expression",
    "derive.places",
    "derive.offsets",
    "derive.recurrence",
    "derive.seen",
    "derive.graph",
    "derive.sequence",
    "derive.rules",
    "derive.worn",
    "derive.numbers",
    "derive.signs",
    "derive.letters",
    "derive.divisions",
    "derive.calculus",
    "derive.sugar",
    "derive.syntax",
    "derive.choices",
    "derive.powers",
    "derive.language",
    "derive.variables",
    "derive.running",
    "derive.first_values",
    "derive.equations",
    "derive.library",
    "derive.problem",
    "derive.collect",
    "derive.repeats",
    "derive.working",
    "derive.cancel",
    "derive.backprop",
    "derive.second_order",
    "derive.inner",
    "derive.text",
    "derive.scalar",
    "derive.fieldtypes",
    "derive.definitions",
    "derive.schema",
    "derive.spec",
    "derive.runs",
    "derive.amount",
    "derive.fields",
    "derive.notation",
    "derive.claimed",
    "derive.model",
    "derive.network",
    "derive.chain",
    "derive.network_values",
    "derive.build",
)


def imports(name: str) -> Iterator[str]:
    """The modules of derive that a module imports, wherever in the file."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            module = node.module or ""
            inner = [f"{module}.{alias.name}" for alias in node.names]
            yield from [m for m in inner if m in SOURCES] or [module]


def of_derive(name: str) -> set[str]:
    return {m for m in imports(name) if m == "derive" or m.startswith("derive.")}


def place(module: str) -> int:
    """Where in the order of the core a module stands; past its end if it is downstream."""
    found = [k for k, core in enumerate(CORE) if module == core or module.startswith(f"{core}.")]
    return found[0] if found else len(CORE)


def test_the_core_imports_only_what_stands_before_it() -> None:
    assert not [
        f"{name} imports {other}"
        for name in SOURCES
        if place(name) < len(CORE)
        for other in sorted(of_derive(name))
        if place(other) >= place(name) and not other.startswith(CORE[place(name)])
    ]


def test_every_module_of_the_core_exists() -> None:
    assert set(CORE) <= set(SOURCES)


def test_the_proof_reader_knows_nothing_of_the_program() -> None:
    own = [name for name in SOURCES if name.startswith("derive.proofread")]
    assert own
    assert not [
        f"{name} imports {other}"
        for name in own
        for other in sorted(of_derive(name))
        if not other.startswith("derive.proofread")
    ]


ORACLES = tuple(
    f"derive.verify.{name}" for name in ("interpreter", "routes", "bench", "tensors", "libraries")
)
JUDGED = ("calculus", "rules", "backprop", "scalar", "emit", "render", "numbers")


@pytest.mark.parametrize("name", ORACLES)
def test_an_oracle_shares_no_code_with_what_it_judges(name: str) -> None:
    judged = {f"derive.{word}" for word in JUDGED}
    shared = {m for m in of_derive(name) if any(f"{m}.".startswith(f"{j}.") for j in judged)}
    assert not shared, f"{name} imports {sorted(shared)}"


def test_what_checks_a_module_shares_no_table_with_what_writes_it() -> None:
    assert of_derive("derive.emit.checked") == {"derive.errors", "derive.emit.allowed"}
    assert of_derive("derive.emit.allowed") == set()


@pytest.mark.parametrize(
    ("upstream", "downstream"),
    [("emit", "render"), ("emit", "verify"), ("render", "verify"),
     ("emit", "commands"), ("render", "commands"), ("verify", "commands"),
     ("render", "interactive"), ("interactive", "verify"), ("interactive", "commands"),
     ("emit", "certify"), ("render", "certify"), ("verify", "certify"), ("certify", "commands"),
     ("render", "exercise"), ("interactive", "exercise"), ("verify", "exercise"),
     ("certify", "exercise"), ("exercise", "commands"),
     ("bring", "emit"), ("bring", "render"), ("bring", "verify"), ("bring", "commands"),
     ("emit", "notebook"), ("render", "notebook"), ("notebook", "commands"),
     ("render", "slides"), ("interactive", "slides"), ("slides", "commands")],
)  # fmt: skip
def test_data_flows_one_way(upstream: str, downstream: str) -> None:
    for name in SOURCES:
        if name.startswith(f"derive.{upstream}"):
            against = {m for m in of_derive(name) if f"{m}.".startswith(f"derive.{downstream}.")}
            assert not against, f"{name} imports {sorted(against)}"


EVALUATING = {"eval", "exec", "compile", "__import__", "sympify", "parse_expr", "S"}
ALLOWED = {
    ("derive.emit.targets", "exec"),  # runs what `checked` has found on its lists, and nothing else
    ("derive.emit.checked", "compile"),
    ("derive.expression", "sympify"),  # integers as indices, never text
}


def calls(name: str) -> Iterator[tuple[str, int]]:
    """Calls, and functions handed on, by the last part of their name."""
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Attribute) and node.attr in EVALUATING:
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            if owner in ("sympy", "builtins", "parsing", "sympy_parser"):
                yield node.attr, node.lineno
        elif isinstance(node, ast.Name) and node.id in EVALUATING - {"S"}:
            yield node.id, node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from ((a.name, node.lineno) for a in node.names if a.name in EVALUATING)


def test_text_is_never_evaluated() -> None:
    assert not [
        f"{name}:{line}: {word}"
        for name in SOURCES
        for word, line in calls(name)
        if (name, word) not in ALLOWED and not (word == "S" and not calls_s(name))
    ]


def calls_s(name: str) -> bool:
    """`sympy.S.One` names a constant and evaluates nothing; `sympy.S(text)` would."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "S"
        for node in ast.walk(TREES[name])
    )


def test_sympify_is_given_indices_only() -> None:
    """Its argument is a name that is annotated as an expression or an integer, not as text."""
    tree = TREES["derive.expression"]
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and "sympify" in ast.unparse(function):
            kinds = {a.arg: ast.unparse(a.annotation) for a in function.args.args if a.annotation}
            if function.args.vararg and function.args.vararg.annotation:
                kinds[function.args.vararg.arg] = ast.unparse(function.args.vararg.annotation)
            text = ast.unparse(function)
            given = [kind for arg, kind in kinds.items() if f"sympify({arg})" in text]
            given += [kind for arg, kind in kinds.items() if f"sympify, {arg}" in text]
            assert given
            assert not [kind for kind in given if "str" in kind]


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def test_what_is_public_is_documented() -> None:
    missing = [
        f"{name}.{node.name}"
        for name, tree in TREES.items()
        for node in public(tree)
        if ast.get_docstring(node) is None
    ]
    missing += [name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)]
    assert not missing


def test_functions_and_files_are_short() -> None:
    long = [
        f"{path.relative_to(PACKAGE)}: {lines} lines"
        for path in SOURCES.values()
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_FILE
    ]
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{name}.{node.name}: {lines} lines")
    assert not long, "\n".join(long)


def test_a_module_keeps_no_state_but_constants() -> None:
    assert not [
        f"{name}:{node.lineno}: {', '.join(node.names)}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    ]


HEAVY = ("sympy", "mpmath", "pydantic", "yaml", "jinja2")


def test_help_needs_nothing_heavy() -> None:
    """A command is loaded when it is asked for."""
    words = (
        "import sys; from derive.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    )
    words += f"print([name for name in {HEAVY} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert told.stdout.endswith("[]\n")


PRINTING = {
    "derive.cli",
    "derive.edge",
    "derive.__main__",
}


def test_only_the_command_line_prints() -> None:
    assert not [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        if name not in PRINTING and not name.startswith("derive.commands.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
