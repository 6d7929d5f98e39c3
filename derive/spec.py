"""Loading a spec file, with errors that name file, line and field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import ValidationError

from derive.builtin import builtin_names, builtin_text
from derive.definitions import Strict
from derive.errors import InputError, nearest, shown
from derive.files import read_text
from derive.limits import LONGEST_VALUE, MOST_LEVELS
from derive.schema import Spec

Path_ = tuple[str | int, ...]
S = TypeVar("S", bound=Strict)
KINDS = {
    "string_type": "text",
    "number": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
KEYS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp")
)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C where it was built
TOO_DEEP = f"lists and mappings are nested more than {MOST_LEVELS} deep"
_DIGITS = rf"\d{{1,{LONGEST_VALUE}}}"
NUMBER = re.compile(
    rf"[-+]?({_DIGITS}(\.\d{{0,{LONGEST_VALUE}}})?|\.{_DIGITS})([eE][-+]?\d{{1,3}})?"
)


@dataclass(frozen=True)
class SpecFile:
    """A validated spec with the line of every field, for the errors of later stages.

    Where the spec is written out from another, `places` says which field of the file one of its
    fields comes from.
    """

    name: str
    source: str
    spec: Spec
    lines: Mapping[Path_, int]
    places: Mapping[Path_, Path_] = field(default_factory=dict)

    def place(self, path: Path_) -> Path_:
        """Which field of the file a field of the spec comes from."""
        for k in range(len(path), 0, -1):
            if path[:k] in self.places:
                return self.places[path[:k]] + path[k:]
        return path

    def fail(self, path: Path_, message: str) -> InputError:
        return InputError(_located(self.source, self.lines, self.place(path), message))


def load_spec(reference: str) -> SpecFile:
    """Read a spec file, or a built-in spec by its name. Raises InputError."""
    return parse_spec(*spec_text(reference))


def spec_text(reference: str) -> tuple[str, str, str]:
    """The text of a spec, where it is from, and its name. Raises InputError."""
    if reference in builtin_names():
        return builtin_text(reference), f"{reference} (built in)", reference
    path = Path(reference)
    try:
        text = read_text(path)
    except FileNotFoundError:
        hint = nearest(reference, builtin_names())
        words = f"there is no file {shown(reference)} and no built-in spec of that name; {hint}"
        raise InputError(words) from None
    return text, reference, path.stem


def parse_spec(text: str, source: str, name: str) -> SpecFile:
    """Validate the text of a spec. Raises InputError with source, line and field."""
    data, lines = _plain(text, source)
    if not isinstance(data, dict):
        raise InputError(f"{source}: a spec is a mapping with 'model:' or 'network:'")
    return SpecFile(name, source, _validated(Spec, data, source, lines), lines)


def parse_section(kind: type[S], text: str, source: str) -> S:
    """Validate the text of a file that is one section. Raises InputError with line and field."""
    data, lines = _plain(text, source)
    if data is not None and not isinstance(data, dict):
        raise InputError(f"{source}: this must be a mapping")
    return _validated(kind, data or {}, source, lines)


def _validated(kind: type[S], data: dict[str, Any], source: str, lines: Mapping[Path_, int]) -> S:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InputError(_explain(error, source, lines)) from None


def _explain(error: ValidationError, source: str, lines: Mapping[Path_, int]) -> str:
    problems: dict[Path_, list[tuple[str, str]]] = {}
    for each in error.errors():
        path = tuple(p for p in each["loc"] if p in _steps(lines))
        message = each["msg"].replace("Input should be", "this must be")
        if each["type"] == "unknown":
            path = (*path, each["ctx"]["key"])
        elif each["type"] == "missing":
            message = f"the field '{each['loc'][-1]}' is missing"
        elif each["type"] == "too_short":
            message = "this list must not be empty"
        problems.setdefault(path, []).append((each["type"], message))
    told = {path: list(_of_one_place(problems, path)) for path in problems}
    return "\n".join(_located(source, lines, path, m) for path in told for m in told[path])


def _of_one_place(problems: Mapping[Path_, list[tuple[str, str]]], path: Path_) -> Iterator[str]:
    """What is wrong at one place, where every kind of value that may stand there complained.

    A kind that does not fit is not told of if another one does, and has its own complaint.
    """
    kinds = [KINDS[kind] for kind, _ in problems[path] if kind in KINDS]
    others = [message for kind, message in problems[path] if kind not in KINDS]
    deeper = any(len(path) < len(p) and p[: len(path)] == path for p in problems)
    yield from dict.fromkeys(others)
    if kinds and not others and not deeper:
        *most, last = dict.fromkeys(kinds)
        words = f"this must be {', '.join(most)} or {last}" if most else f"this must be {last}"
        yield words + _entry(path)


def _entry(path: Path_) -> str:
    """How an entry of a list of sections is written, where such a list belongs."""
    held: Any = Spec
    for step in path:
        section = isinstance(held, type) and issubclass(held, Strict)
        if section and step in held.model_fields:
            held = held.model_fields[str(step)].annotation
        elif get_origin(held) is list and isinstance(step, int):
            (held,) = get_args(held)
        else:
            return ""
    inner = get_args(held)[0] if get_origin(held) is list else None
    if not isinstance(inner, type) or not issubclass(inner, Strict):
        return ""
    needed = [f"{name}: ..." for name, each in inner.model_fields.items() if each.is_required()]
    return f", with entries such as `- {{{', '.join(needed)}}}`"


def _steps(lines: Mapping[Path_, int]) -> set[str | int]:
    return {step for path in lines for step in path}


def _located(source: str, lines: Mapping[Path_, int], path: Path_, message: str) -> str:
    known = path
    while known and known not in lines:
        known = known[:-1]
    field = ".".join(shown(str(step))[1:-1] for step in path) or "spec"
    line = f":{lines[known]}" if known in lines else ""
    return f"{source}{line}: {field}: {message}"


def _plain(text: str, source: str) -> tuple[Any, dict[Path_, int]]:
    """YAML to plain data with exact numbers; only mappings, lists and plain scalars pass."""
    try:
        node = _composed(text)
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{source}{line}: this is not YAML: {error.problem}") from None
    except RecursionError:
        raise InputError(f"{source}:{_line_of_depth(text)}: {TOO_DEEP}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{source}: this is not YAML: {str(error).splitlines()[0]}") from None
    reader = _YamlReader(source)
    data = reader.read(node, ()) if node is not None else None
    return data, reader.lines


def _composed(text: str) -> yaml.Node | None:
    """The nodes of a text; by the reader in C, and what that refuses by the one that says more."""
    try:
        return yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _line_of_depth(text: str) -> int:
    """The line in which a text is nested deeper than is allowed."""
    level = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if level > MOST_LEVELS and event.start_mark is not None:
            return int(event.start_mark.line) + 1
    return 1


class _YamlReader:
    """Walks composed YAML nodes and remembers the line of every path."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: dict[Path_, int] = {}
        self.seen: set[int] = set()

    def read(self, node: yaml.Node, path: Path_) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if len(path) > MOST_LEVELS:
            raise self._error(path[:1], TOO_DEEP)
        if id(node) in self.seen:
            raise self._error(path, "YAML aliases are not supported")
        self.seen.add(id(node))
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.read(child, (*path, k)) for k, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, path)
        raise self._error(path, f"the YAML tag '{node.tag}' is not allowed")

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag not in KEYS:
                raise self._error(path, "a field name must be plain text")
            self._check_text(key, path)
            if key.value in result:
                self.lines[(*path, key.value)] = key.start_mark.line + 1
                raise self._error((*path, key.value), "this field is given twice")
            self.lines[(*path, key.value)] = key.start_mark.line + 1
            result[key.value] = self.read(value, (*path, key.value))
        return result

    def _check_text(self, node: yaml.ScalarNode, path: Path_) -> None:
        """Refuse what no text has: control characters, and halves of characters."""
        for letter in node.value:
            if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\t\n\r":
                code = f"U+{ord(letter):04X}"
                raise self._error(path, f"the character {code} may not stand in a text")

    def _scalar(self, node: yaml.ScalarNode, path: Path_) -> Any:
        self._check_text(node, path)
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if "printed" in path:  # a printed number is text: its digits count
            return node.value
        if kind == "str" and not node.style and NUMBER.fullmatch(node.value):
            return Fraction(node.value)  # YAML 1.1 takes 1e-3 for text
        if kind in ("str", "timestamp"):
            return node.value
        if kind == "bool":
            return node.value.lower() in ("yes", "true", "on")
        if kind == "null":
            return None
        if kind in ("int", "float"):
            if not NUMBER.fullmatch(node.value):
                words = f"'{node.value[:40]}' is not a finite decimal number"
                raise self._error(path, f"{words} of at most {LONGEST_VALUE} digits")
            return int(node.value) if kind == "int" else Fraction(node.value)
        raise self._error(path, f"the YAML tag '{node.tag}' is not allowed")

    def _error(self, path: Path_, message: str) -> InputError:
        return InputError(_located(self.source, self.lines, path, message))
