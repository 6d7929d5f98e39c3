"""What a module may be before it is executed: a closed list, kept apart from what writes modules.

Nothing here asks how a module was made. Its text is parsed, and every node, name, attribute,
keyword and import must be on the lists below. A call must name what it calls: something on the
lists, or a function of the module where no variable has its name. So text that found its way out of
a docstring or a name can compute numbers at worst: it reaches no file and no process.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from derive.emit.allowed import (
    CALLED,
    CLASSES,
    DECORATORS,
    FOLDERS,
    HANDED,
    IMPORTED,
    IMPORTS,
    KEYWORDS,
    MADE,
    METHODS,
    MODULES,
    NODES,
    PROPERTIES,
    SETTINGS,
    SIGNS,
    TOP,
    TYPED,
    TYPES,
)
from derive.errors import InputError, shown

MAIN = "__name__ == '__main__'"


class Refused(InputError):
    """The text of a module holds something that no module needs; it is not executed."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"not executed: line {line}: {what}")


@dataclass(frozen=True)
class _Module:
    """What is made in a module, and which nodes (by identity) stand where they mean more."""

    functions: frozenset[str]
    fields: frozenset[str]
    arguments: frozenset[str]
    variables: frozenset[str]
    top: frozenset[int]
    inside: frozenset[int]
    called: frozenset[int]
    owners: frozenset[int]
    types: frozenset[int]
    main: frozenset[int]
    hidden: frozenset[int]
    each: frozenset[int]
    steps: frozenset[int]
    step_names: frozenset[int]
    settled: frozenset[int]


@lru_cache(maxsize=8)  # the same module is run for the figures and for the routes
def checked(source: str) -> CodeType:
    """The code of a module after every part of its text was found on the lists. Raises Refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(source)
            parts = {top: _walked(top) for top in tree.body}
            everything = [node for part in parts.values() for node in part]
            module = _module(parts, everything, source)
            nodes = [node for node in everything if not _usual(node, module)]
            if nodes:
                first = min(nodes, key=_line)
                raise Refused(_line(first), _words(first))
            return compile(source, "<module>", "exec")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Refused(getattr(error, "lineno", None) or 1, "this cannot be parsed") from None


def _walked(top: ast.AST) -> list[ast.AST]:
    """A node and all that is in it, level by level; modules are long, so `ast.walk` is too slow."""
    found = [top]
    for node in found:
        for name in node._fields:
            part = getattr(node, name, None)
            if isinstance(part, list):
                found += [each for each in part if isinstance(each, ast.AST)]
            elif isinstance(part, ast.AST):
                found.append(part)
    return found


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", sys.maxsize)  # parts without one stand in a part with one


def _words(node: ast.AST) -> str:
    """A node that is on no list, in its own words where it has some."""
    kind = type(node).__name__
    text = shown(ast.unparse(node)) if isinstance(node, ast.stmt | ast.expr) else f"'{kind}'"
    return f"{text} is not on the list of what a module may hold"


def _module(parts: Mapping[ast.stmt, list[ast.AST]], nodes: list[ast.AST], source: str) -> _Module:
    made = {top: part for top, part in parts.items() if isinstance(top, MADE)}
    names = [n for n in nodes if isinstance(n, ast.Name)]
    calls = [n for n in nodes if isinstance(n, ast.Call)]
    functions = {top: inner for top, inner in made.items() if isinstance(top, ast.FunctionDef)}
    steps = [step for top, inner in functions.items() for step in _steps(top, inner)]
    records = [line for n in made if isinstance(n, ast.ClassDef) for line in n.body]
    return _Module(
        functions=frozenset(node.name for node in made),
        fields=frozenset(
            line.target.id
            for line in records
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        ),
        arguments=frozenset(n.arg for n in nodes if isinstance(n, ast.arg)),
        variables=frozenset(n.id for n in names if isinstance(n.ctx, ast.Store)),
        top=frozenset(map(id, parts)),
        inside=frozenset(id(n) for inner in functions.values() for n in inner),
        owners=frozenset(id(n.value) for n in nodes if isinstance(n, ast.Attribute)),
        called=frozenset(id(n.func) for n in calls),
        types=frozenset(id(n) for top in _types(parts, nodes) for n in _walked(top)),
        main=frozenset(id(n) for top, part in parts.items() if _is_main(top) for n in part),
        each=frozenset(id(n.func) for n in calls if _is_each(n)),
        hidden=frozenset(hidden for inner in made.values() for hidden in _hidden(inner)),
        steps=frozenset(id(step) for step, _ in steps),
        step_names=frozenset(id(name) for _, name in steps),
        settled=frozenset(id(n) for part in _settled(parts, source) for n in _walked(part)),
    )


def _types(top: Collection[ast.stmt], nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """The places where types stand: annotations, and lines like `Array = NDArray[np.float64]`."""
    for node in nodes:
        found: ast.expr | None = None
        if isinstance(node, TYPED):
            found = node.annotation
        elif isinstance(node, ast.FunctionDef):
            found = node.returns
        elif isinstance(node, ast.Assign) and node in top:
            of = node.value.value if isinstance(node.value, ast.Subscript) else None
            found = node.value if isinstance(of, ast.Name) and of.id in TYPES else None
        if found is not None:
            yield found


def _settled(top: Collection[ast.stmt], source: str) -> Iterator[ast.AST]:
    """What is allowed as it stands, and nowhere else: settings, classes, decorators."""
    for node in top:
        # a digest reads the whole source; decorators are no part of the text of a class
        unlike = isinstance(node, ast.ClassDef) and not _is_record(node) and not node.decorator_list
        if unlike and digest(node, source) in CLASSES:
            yield node
        if isinstance(node, ast.Expr) and ast.unparse(node) in SETTINGS:
            yield node
        if isinstance(node, ast.FunctionDef):
            yield from (each for each in node.decorator_list if ast.unparse(each) in DECORATORS)


def digest(node: ast.AST, source: str) -> str:
    """The SHA-256 of the text of a part of a module."""
    return hashlib.sha256((ast.get_source_segment(source, node) or "").encode()).hexdigest()


def _is_main(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == MAIN


def _hidden(inside: list[ast.AST]) -> Iterator[int]:
    """Names in a function that mean a variable of its own, not the function of that name."""
    own = {n.arg for n in inside if isinstance(n, ast.arg)}
    own |= {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    yield from (id(n) for n in inside if isinstance(n, ast.Name) and n.id in own)


def _steps(
    function: ast.FunctionDef, inside: list[ast.AST]
) -> Iterator[tuple[ast.FunctionDef, ast.Name]]:
    """Functions made in another one, each with the one place where it is scanned with."""
    made = {line.name: line for line in function.body if isinstance(line, ast.FunctionDef)}
    named = [n for n in inside if isinstance(n, ast.Name) and n.id in made]
    for call in inside if made else ():
        match call:
            case ast.Call(func=called, args=[ast.Name(id=name) as place, *_]):
                once = [n for n in named if n.id == name] == [place]
                if _owned(called) == ("lax", "scan") and name in made and once:
                    yield made[name], place


def _usual(node: ast.AST, module: _Module) -> bool:
    """Whether a node is of a known kind, and as such a node may be."""
    if isinstance(node, SIGNS):
        return True
    if id(node) in module.settled:
        return True
    if id(node) in module.top and not (isinstance(node, TOP) or _is_main(node)):
        return False
    match node:  # what there is most of comes first
        case ast.Name():
            return _name(node, module)
        case ast.Constant():
            return type(node.value) in (int, float, str, bool, type(None), type(...))
        case ast.Attribute():
            return isinstance(node.ctx, ast.Load) and _attribute(node, module)
        case ast.Call():
            return isinstance(node.func, ast.Name | ast.Attribute) or _is_each(node.func)
        case ast.Expr() if id(node) in module.top:
            return isinstance(node.value, ast.Constant)
        case ast.Import() | ast.ImportFrom():
            return id(node) in module.top and ast.unparse(node) in IMPORTS
        case ast.ClassDef():
            return id(node) in module.top and _is_record(node) and _free(node.name)
        case ast.FunctionDef():
            placed = id(node) in module.top or id(node) in module.steps
            return placed and _is_function(node) and _free(node.name)
        case ast.arg():
            return _free(node.arg)
        case ast.keyword():
            return any(node.arg in known for known in (KEYWORDS, module.fields, module.arguments))
        case ast.With():
            return all(map(_is_quiet, node.items))
    return isinstance(node, NODES)


def _is_quiet(item: ast.withitem) -> bool:
    call = item.context_expr
    quiet = isinstance(call, ast.Call) and _owned(call.func) == ("np", "errstate")
    return quiet and item.optional_vars is None


def _is_function(node: ast.FunctionDef) -> bool:
    """Whether a function is bare, and what it takes for granted are constants."""
    taken = (*node.args.defaults, *filter(None, node.args.kw_defaults))
    plain = all(ast.unparse(each) in DECORATORS for each in node.decorator_list)
    bare = plain and node.args.kwarg is None
    return bare and all(isinstance(each, ast.Constant) for each in taken)


def _is_record(node: ast.ClassDef) -> bool:
    """Whether a class holds fields without values, and nothing else."""
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    plain = len(node.bases) == 1 and bases == ["NamedTuple"]
    return plain and not node.keywords and not node.decorator_list and all(map(_field, node.body))


def _field(line: ast.stmt) -> bool:
    """Whether a line of a record is its docstring or a field."""
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
    return isinstance(line, ast.AnnAssign) and line.value is None


def _free(name: str) -> bool:
    """Whether a module may give a name a meaning of its own."""
    known = name in MODULES or name in CALLED or name in TYPES
    return name == "_" or not (name.startswith("_") or known)


def _name(node: ast.Name, module: _Module) -> bool:
    """Whether a name may stand here: a function where it is called, a type where types stand."""
    name = node.id
    if isinstance(node.ctx, ast.Store):
        return _free(name) and (id(node) in module.hidden or name not in module.functions)
    if id(node) in module.called:
        own = name in module.functions and id(node) not in module.hidden
        known = name in CALLED and (name != "print" or id(node) in module.inside)
        return isinstance(node.ctx, ast.Load) and (own or known)
    if name in MODULES:
        return id(node) in module.owners
    if id(node) in module.step_names:
        return True
    if name == "__name__":
        return id(node) in module.main
    if name in module.variables or name in module.arguments:
        return True
    if id(node) in module.types:
        return name in module.functions or name in TYPES or name in IMPORTED
    return name in HANDED or _is_class(name, module)


def _is_class(name: str, module: _Module) -> bool:
    return name in module.functions and name[0].isupper()  # `Parameters._make([...])`


def _is_each(node: ast.expr) -> bool:
    """Whether this is a function of `math` for every entry: `np.vectorize(math.erf, ...)`."""
    match node:
        case ast.Call(
            func=function, args=[ast.Attribute(value=ast.Name(id="math"))], keywords=rest
        ):
            return _owned(function) == ("np", "vectorize") and [k.arg for k in rest] == ["otypes"]
    return False


def _attribute(node: ast.Attribute, module: _Module) -> bool:
    """Whether an attribute is one of a module's, a method that is called, or a field."""
    owner, name = _owned(node)
    if (owner, name) in FOLDERS:
        return id(node) in module.owners
    if (owner, name) == ("np", "vectorize"):
        return id(node) in module.each
    if owner in MODULES:
        return name in MODULES[owner]
    if id(node) in module.called:
        return name in METHODS
    return name in PROPERTIES or name in module.fields


def _owned(node: ast.AST) -> tuple[str, str]:
    """`np.random.x` as `np.random` and `x`; what belongs to no module has no owner."""
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return owner, name
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=top), attr=part), attr=name):
            return (f"{top}.{part}" if (top, part) in FOLDERS else ""), name
    return "", node.attr if isinstance(node, ast.Attribute) else ""
