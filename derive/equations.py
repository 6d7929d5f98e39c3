"""Lines of equations: their letters and sizes, recurrences, edges, and the order of computation."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

import sympy

from derive.errors import LanguageError, cut
from derive.expression import (
    Axis,
    Index,
    elements,
    reads,
)
from derive.first_values import Line, read_side, with_edges
from derive.graph import Equation, GraphError, Quantity, WrongWay, blocks, check_equation
from derive.language import Scope, check_readings, column_of
from derive.letters import tidy
from derive.limits import MOST_EQUATIONS, too_many
from derive.names import IDENTIFIER, NAME, wrong_name
from derive.running import Recurrences, as_recurrences
from derive.syntax import syntax_tree


def parse_equations(
    text: str,
    known: Mapping[str, Quantity],
    letters: Mapping[str, Axis],
    describe: Callable[[str, tuple[Axis, ...]], Quantity],
    variables: Mapping[str, sympy.Expr] = MappingProxyType({}),
    elsewhere: Mapping[str, Axis] = MappingProxyType({}),
) -> tuple[Equation, ...]:
    """Equations separated by `;` or line ends; `describe` makes the quantity each one defines.

    The axis of an index letter is `letters[letter]`, or that of the quantity in which the letter
    stands alone; `variables` are names with a value. An equation may read what a later one defines,
    and a recurrence reads itself at an earlier step; a line like `h[-1,k] = h0[k]` says what is
    read before the first one. Raises LanguageError.
    """
    lines = [_split(" ".join(line.split())) for line in re.split(r"[;\n]", text) if line.strip()]
    if len(lines) > MOST_EQUATIONS:
        reason = too_many(len(lines), MOST_EQUATIONS, "equations", "a model")
        raise LanguageError(lines[0].source, 0, reason)
    if not lines:
        raise LanguageError("", 0, "there is no equation; one is written like y[h] = tanh(x[h])")
    heads = [line for line in lines if not line.edges]
    quantities = dict(known)
    axes = _all_axes(heads, quantities, letters, describe, elsewhere)
    shared = {**elsewhere, **_shared(axes.values())}
    equations = {}
    for head in heads:
        scope = Scope(quantities, axes[head.name], variables, shared)
        rhs = tidy(read_side(head.right, head.letters, scope), frozenset(head.letters))
        places = tuple(Index(letter, axes[head.name][letter]) for letter in head.letters)
        equations[head.name] = Equation(quantities[head.name], places, rhs)
    named = {quantity.name: quantity for quantity in quantities.values()}
    edged = {line.name for line in lines if line.edges}
    for head in heads:
        _check_places(head, equations[head.name], named, edged)
    equations = with_edges(lines, equations, Scope(quantities, letters, variables, shared))
    for head in heads:
        _prove(equations[head.name], quantities, head.source)
    try:
        made = as_recurrences(equations, known, describe)
    except GraphError as error:
        raise LanguageError(heads[-1].source, 0, str(error)) from None
    try:
        ordered = in_order(tuple(made.equations))
        blocks(ordered)
        return ordered
    except GraphError as error:
        _check_apart(heads, made)
        if not isinstance(error, WrongWay):
            raise LanguageError(heads[-1].source, 0, str(error)) from None
        head = next(head for head in heads if head.name == error.name)
        scope = Scope(quantities, axes[head.name], variables)
        column = column_of(error.reading, head.right, scope) or 0
        raise LanguageError(head.right, column, str(error)) from None


def _check_apart(heads: Iterable[Line], made: Recurrences) -> None:
    """Refuse a product or sum that is a recurrence within another one. Raises LanguageError."""
    name, word = made.in_a_circle() or ("", "")
    for head in heads:
        if head.name == name:
            reason = (
                f"{word} runs along an index of its own, so it cannot stand in a recurrence that "
                "goes on with what it gives; write its parts out"
            )
            raise LanguageError(head.source, max(head.source.find(word), 0), reason)


def _all_axes(
    heads: list[Line],
    quantities: dict[str, Quantity],
    letters: Mapping[str, Axis],
    describe: Callable[[str, tuple[Axis, ...]], Quantity],
    elsewhere: Mapping[str, Axis],
) -> dict[str, dict[str, Axis]]:
    """The axes of the letters of every line; the quantities are added as their axes are found."""
    found: dict[str, dict[str, Axis]] = {}
    names = [head.name for head in heads]
    for number, head in enumerate(heads):
        if head.name in names[:number]:
            first = cut(heads[names.index(head.name)].source)
            reason = f"'{head.name}' is defined twice; first by `{first}`"
            raise LanguageError(head.source, 0, reason)
        if head.name in quantities:
            raise LanguageError(head.source, 0, f"'{head.name}' is defined twice")
        for letter in head.letters:
            if letter in quantities or letter in names:
                column = head.source.index(letter, head.source.index("["))
                reason = f"'{letter}' is a quantity; use another letter for the index"
                raise LanguageError(head.source, column, reason)
    waiting = list(heads)
    spread: Mapping[str, Axis] = letters
    while waiting:
        left = []
        for head in waiting:
            axes = _infer(head.right, quantities, spread)
            missing = [letter for letter in head.letters if letter not in axes]
            if missing:
                left.append((head, missing[0]))
                continue
            found[head.name] = axes
            quantities[head.name] = describe(head.name, tuple(axes[x] for x in head.letters))
        if len(left) == len(waiting):
            here = [*found.values(), *(_infer(each.right, quantities, letters) for each in waiting)]
            more = {**elsewhere, **_shared(here)}
            if more.keys() <= spread.keys():
                for head, _ in left:  # a slip in a reading may be why a size is not known
                    check_readings(head.right, Scope(quantities, letters, {}), names)
                head, letter = left[0]
                column = head.source.index(letter, head.source.index("["))
                reason = (
                    f"the size of the index '{letter}' is unknown; say `sizes: {{{letter}: 3}}`"
                )
                raise LanguageError(head.source, column, reason)
            spread = {**more, **letters}  # a letter that nothing here shows is that of the others
        waiting = [head for head, _ in left]
    for head in heads:  # what was defined later may tell the size of a summed letter
        found[head.name] = _infer(head.right, quantities, found[head.name])
    return found


def _shared(scopes: Iterable[Mapping[str, Axis]]) -> dict[str, Axis]:
    """The letters that have the same size wherever they stand."""
    found: dict[str, list[Axis]] = {}
    for axes in scopes:
        for letter, axis in axes.items():
            found.setdefault(letter, []).append(axis)
    return {x: axes[0] for x, axes in found.items() if len({axis.size for axis in axes}) == 1}


def _check_places(
    head: Line, equation: Equation, named: Mapping[str, Quantity], edged: Collection[str]
) -> None:
    """Refuse a number as a position beyond the axis, where zero would be read without a word."""
    for read in elements(equation.rhs):
        axes = named[read.name].axes
        for position, axis in zip(read.indices, axes, strict=True):
            number = position.is_Integer and axis.size.is_Integer
            if number and read.name not in edged and not 0 <= position < axis.size:
                last = axis.length - 1
                written = str(read).replace(", ", ",")
                reason = f"'{written}' is not there: positions count from 0, here to {last}"
                column = head.source.find(f"{read.name}[", head.source.index("="))
                raise LanguageError(head.source, max(column, 0), reason)


def in_order(equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
    """The equations so that each follows what it reads, otherwise in the order given.

    Within a recurrence, what is read at the same step comes first. Raises GraphError.
    """
    left = {equation.quantity.name: equation for equation in equations}
    for equation in equations:
        if left[equation.quantity.name] is not equation:
            raise GraphError(f"'{equation.quantity.name}' is defined twice")
    ordered: list[Equation] = []
    while left:
        ready = [e for e in left.values() if not set(reads(e.rhs)) & left.keys()]
        if ready:
            ordered.append(ready[0])
            del left[ready[0].quantity.name]
            continue
        circle = _first_circle(left)
        ordered += _stepwise(circle)
        for equation in circle:
            del left[equation.quantity.name]
    return tuple(ordered)


def _first_circle(left: Mapping[str, Equation]) -> list[Equation]:
    """Equations that all depend on each other and on nothing else that is left."""
    below: dict[str, set[str]] = {}
    for name in left:
        seen, waiting = set[str](), [name]
        while waiting:
            more = set(reads(left[waiting.pop()].rhs)) & left.keys() - seen
            seen |= more
            waiting += sorted(more)
        below[name] = seen
    for name in left:
        if name in below[name] and all(name in below[other] for other in below[name]):
            return [left[other] for other in left if other in below[name]]
    raise GraphError("the equations depend on each other in a circle")


def _stepwise(circle: list[Equation]) -> list[Equation]:
    """The equations of a recurrence in the order of one step."""
    waiting, done = list(circle), list[Equation]()
    while waiting:
        names = {equation.quantity.name for equation in waiting}
        for equation in waiting:
            if not names & set(_at_once(equation)):
                break
        else:
            return circle  # the check says what is wrong
        waiting.remove(equation)
        done.append(equation)
    return done


def _at_once(equation: Equation) -> Iterator[str]:
    """What an equation reads at its own indices only."""
    for read in elements(equation.rhs):
        if all(isinstance(position, Index) for position in read.indices):
            yield read.name


def _prove(equation: Equation, quantities: Mapping[str, Quantity], source: str) -> None:
    """Check one equation on its own, so that a mistake is reported beside its text."""
    others = {q.name: q for q in quantities.values() if q.name != equation.quantity.name}
    try:
        check_equation(equation, {**others, equation.quantity.name: equation.quantity})
    except GraphError as error:
        raise LanguageError(source, 0, str(error)) from None


def _split(source: str) -> Line:
    match = re.fullmatch(rf"({NAME}) ?(?:\[([^\]]*)\])? ?=(?!=) ?(.+)", source)
    if match is None:
        raise LanguageError(source, 0, "an equation is written like y[n,h] = tanh(x[n,h])")
    letters = tuple(part.strip() for part in match[2].split(",")) if match[2] else ()
    edges = [k for k, letter in enumerate(letters) if not IDENTIFIER.match(letter)]
    for k in edges:
        if not re.match(r"-?\d|size\(", letters[k]):
            reason = f"'{letters[k]}' is no index letter"
            raise LanguageError(source, source.index("["), reason)
    for name in (match[1], *(x for k, x in enumerate(letters) if k not in edges)):
        if wrong_name(name):
            raise LanguageError(source, source.index(name), wrong_name(name))
    return Line(source, match[1], letters, match[3], tuple(edges))


def letters_in(texts: Iterable[str], quantities: Mapping[str, Quantity]) -> dict[str, Axis]:
    """The letters of some texts that stand alone in known quantities, where they agree."""
    return _shared(_infer(text, quantities, {}) for text in texts)


def _infer(
    text: str, quantities: Mapping[str, Quantity], letters: Mapping[str, Axis]
) -> dict[str, Axis]:
    """The axis of every index letter, read off the places where the letter stands alone."""
    axes = dict(letters)
    for node in ast.walk(syntax_tree(text)):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            quantity = quantities.get(node.value.id)
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if quantity is not None and len(parts) == len(quantity.axes):
                for part, axis in zip(parts, quantity.axes, strict=True):
                    if isinstance(part, ast.Name) and part.id not in quantities:
                        axes.setdefault(part.id, axis)
    return axes
