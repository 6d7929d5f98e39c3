"""Seeded faults for whole modules and pages: one thing changed, wherever a thing can be changed."""

from __future__ import annotations

import ast
import copy
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A changed text, and in words what was changed."""

    what: str
    text: str


# --- modules --------------------------------------------------------------------------------

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Mod: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def module_mutants(source: str) -> list[Mutant]:
    """Every operator, constant, name and index of a module changed, and every statement dropped."""
    tree = ast.parse(source)
    found = []
    for number in range(len(_sites(tree))):
        changed = copy.deepcopy(tree)
        line, what, change = _sites(changed)[number]
        change()
        found.append(
            Mutant(f"line {line}: {what}", ast.unparse(ast.fix_missing_locations(changed)))
        )
    return found


def _sites(tree: ast.Module) -> list[tuple[int, str, Callable[[], None]]]:
    """What can be changed in a module, in order; numbers that it makes up are nobody's."""
    sites: list[tuple[int, str, Callable[[], None]]] = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            sites += _in_expression(statement.value, [])
        elif isinstance(statement, ast.FunctionDef) and not statement.name.startswith("example_"):
            sites += _in_function(statement)
    return sites


def _in_function(function: ast.FunctionDef) -> Iterator[tuple[int, str, Callable[[], None]]]:
    names = sorted(
        {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        | {a.arg for a in function.args.args}
    )
    for owner in ast.walk(function):
        body = getattr(owner, "body", None)
        if not isinstance(body, list):
            continue
        for k, statement in enumerate(body):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue
            yield statement.lineno, f"without {ast.unparse(statement)[:50]}", _drop(body, k)
    for statement in function.body:
        yield from _in_expression(statement, names)


def _drop(body: list[ast.stmt], place: int) -> Callable[[], None]:
    def change() -> None:
        body[place] = ast.copy_location(ast.Pass(), body[place])

    return change


def _in_expression(
    root: ast.AST, names: list[str]
) -> Iterator[tuple[int, str, Callable[[], None]]]:
    for node in _walked(root):
        line = getattr(node, "lineno", 0)
        text = ast.unparse(node)[:50] if isinstance(node, ast.expr) else ""
        if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp):
            if type(node.op) in SWAPS:
                yield line, f"operator of {text}", _set(node, "op", SWAPS[type(node.op)]())
            if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add | ast.Mult):
                yield line, f"sides of {text}", _sides(node)
        elif isinstance(node, ast.Compare):
            yield (
                line,
                f"operator of {text}",
                _set(node, "ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]]),
            )
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield line, f"sign of {text}", _set(node, "op", ast.UAdd())
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float | bool):
            for new in _others(node.value):
                yield line, f"{node.value} is {new}", _set(node, "value", new)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            other = names[(names.index(node.id) + 1) % len(names)]
            if other != node.id:
                yield line, f"{node.id} is {other}", _set(node, "id", other)
        elif isinstance(node, ast.Call) and len(node.args) > 1:
            yield (
                line,
                f"arguments of {text}",
                _set(node, "args", [node.args[1], node.args[0], *node.args[2:]]),
            )


def _walked(root: ast.AST) -> Iterator[ast.AST]:
    """Nodes in order, without annotations and texts."""
    yield root
    for name, value in ast.iter_fields(root):
        if name in ("annotation", "returns", "ctx") or isinstance(root, ast.JoinedStr):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walked(child)


def _others(value: float) -> list[float]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    return [value * 1.01 if value else 0.01]


def _set(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _sides(node: ast.BinOp) -> Callable[[], None]:
    def change() -> None:
        node.left, node.right = node.right, node.left

    return change


# --- pages ----------------------------------------------------------------------------------

INLINE = re.compile(r"(?<!\\)\$([^$]+)\$")
DISPLAYED = re.compile(r"\\begin\{equation\*?\}(.*?)\\end\{equation\*?\}", re.DOTALL)
LABEL = re.compile(r"\\label\{([^}]*)\}")
REFERENCE = re.compile(r"\\(?:eq)?ref\{([^}]*)\}")
HEADING = re.compile(r"\\(?:sub)?section\*?\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
RANGE = re.compile(r"0 \\le (\S+?) < (\d+)")


def page_mutants(text: str) -> list[Mutant]:
    """Digits, signs, operators, subscripts, references, headings, ranges, cells, symbols."""
    start = text.index(r"\begin{document}")
    found: list[Mutant] = []

    def put(what: str, at: int, old: str, new: str) -> None:
        if old != new and at >= start:
            assert text[at : at + len(old)] == old
            line = text.count("\n", 0, at) + 1
            found.append(
                Mutant(
                    f"line {line}: {what}: {old[:60]!r} is {new[:60]!r}",
                    text[:at] + new + text[at + len(old) :],
                )
            )

    inline = [m for m in INLINE.finditer(text) if m.start() >= start]
    symbols = list(dict.fromkeys(m[1] for m in inline))
    for m in inline:
        place = symbols.index(m[1])
        put("symbol", m.start(1), m[1], symbols[(place + 1) % len(symbols)])
        put("symbol", m.start(1), m[1], symbols[place - 1])
    labels = LABEL.findall(text)
    for m in REFERENCE.finditer(text):
        place = labels.index(m[1])
        same = [x for x in labels if x.split(":")[0] == m[1].split(":")[0]]
        k = same.index(m[1])
        put("reference", m.start(1), m[1], same[(k + 1) % len(same)])
        put("reference", m.start(1), m[1], same[k - 1])
    headings = [m for m in HEADING.finditer(text) if m.start() >= start]
    for k, m in enumerate(headings):
        put("heading", m.start(1), m[1], headings[(k + 1) % len(headings)][1])
        put("heading", m.start(1), m[1], headings[k - 1][1])
    for m in RANGE.finditer(text):
        put("range", m.start(2), m[2], str(int(m[2]) + 1))
        put("letter", m.start(1), m[1], "z")
    for m in re.finditer(r"(?m)^(.*?&.*?) *\\\\$", text):
        cells = re.split(r"(?<!\\)&", m[1])
        if r"\begin" in m[1] or m[1].lstrip().startswith("&") or m[1][:2] == "  ":
            continue
        for a in range(len(cells) - 1):
            swapped = [*cells[:a], cells[a + 1], cells[a], *cells[a + 2 :]]
            put("cells", m.start(1), m[1], "&".join(swapped))
        for a, cell in enumerate(cells):
            if cell.strip():
                put("cell", m.start(1), m[1], "&".join([*cells[:a], " other ", *cells[a + 1 :]]))
    for m in (*DISPLAYED.finditer(text), *inline):
        body, at = m[1], m.start(1)
        body = body.split("}", 1)[1] if body.startswith(r"\label") else body
        at += len(m[1]) - len(body)
        for d in re.finditer(r"(?<![A-Za-z\\}{_])\d(?!pt)", body):
            put("digit", at + d.start(), d[0], str((int(d[0]) + 1) % 10))
        for d in re.finditer(r"(?<= )[-+](?= )", body):
            put("sign", at + d.start(), d[0], "+" if d[0] == "-" else "-")
        for d in re.finditer(r"\\cdot|\\times", body):
            put("operator", at + d.start(), d[0], "+")
        for d in re.finditer(r"_\{?(\\?[A-Za-z0-9]+)", body):
            put("subscript", at + d.start(1), d[1], "q" if d[1] != "q" else "r")
        for d in re.finditer(r"\^\{?(\d+)", body):
            put("power", at + d.start(1), d[1], str(int(d[1]) + 1))
    return found


def chosen(mutants: list[Mutant], most: int, seed: int) -> list[Mutant]:
    """A seeded choice of mutants, in order."""
    if len(mutants) <= most:
        return mutants
    picked = random.Random(seed).sample(range(len(mutants)), most)
    return [mutants[k] for k in sorted(picked)]
