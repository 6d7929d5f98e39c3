"""What a recurrence reads before its first step: lines like `h[-1,k] = h0[k]`, its edges.

To the calculus a tensor is zero outside its range, and what an edge says is added where it is met:
`h[t-1,k] + δ(t,0)·h0[k]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from derive.errors import LanguageError, cut
from derive.expression import Axis, Delta, Element, Fresh, Index, elements, rebuild, substitute
from derive.graph import Equation
from derive.language import Scope, parse_expression
from derive.letters import tidy
from derive.places import linear_range
from derive.syntax import check_bound


@dataclass(frozen=True)
class Line:
    """One line, taken apart; `edges` are the places of positions that are no letters."""

    source: str
    name: str
    letters: tuple[str, ...]
    right: str
    edges: tuple[int, ...]


@dataclass(frozen=True)
class _Edge:
    """The value of all entries at some fixed positions, by their places; elsewhere are letters."""

    source: str
    at: Mapping[int, int]
    letters: tuple[Index | None, ...]
    value: sympy.Expr

    def is_met(self, read: Element) -> bool:
        """Whether a reading may lie there; a letter alone stays on its axis."""
        return not any(isinstance(read.indices[k], Index) for k in self.at)

    def meets(self, read: Element, places: Iterable[int]) -> sympy.Expr:
        """1 where a reading lies there, at these places, else 0."""
        return sympy.Mul(*(Delta(read.indices[k] - self.at[k], 0) for k in places))

    def without(self, corner: _Edge, read: Element) -> sympy.Expr:
        """0 where a reading lies in a corner of it, which has a value of its own, else 1."""
        return 1 - corner.meets(read, (k for k in corner.at if k not in self.at))


def read_side(text: str, free: Collection[str], scope: Scope) -> sympy.Expr:
    """A right side, of which every letter must be bound or stand on the left side, too."""
    found = parse_expression(text, scope)
    known = scope.quantities.keys() | scope.variables.keys()
    check_bound(text, free, scope.letters.keys() - known)
    return found


def with_edges(
    lines: Iterable[Line], equations: dict[str, Equation], scope: Scope
) -> dict[str, Equation]:
    """The equations after all edges, each of which is stated once."""
    found: dict[str, list[_Edge]] = {}
    for line in lines:
        if line.edges:
            at = _positions(line, equations, scope)
            own = found.setdefault(line.name, [])
            for other in own:
                if other.at == at:
                    reason = f"this edge is stated twice; first by `{cut(other.source)}`"
                    raise LanguageError(line.source, 0, reason)
            own.append(_edge(line, at, equations, scope))
    for name, edges in found.items():
        read = equations[name].quantity.name  # which a row of the library may call otherwise
        equations = {key: _after(each, read, edges) for key, each in equations.items()}
    return equations


def _positions(line: Line, equations: Mapping[str, Equation], scope: Scope) -> dict[int, int]:
    """The fixed positions of an edge, which lie beyond their axes. Raises LanguageError."""
    target = equations.get(line.name)
    if target is None or len(line.letters) != len(target.indices):
        reason = f"there is no equation of '{line.name}' with {len(line.letters)} indices"
        raise LanguageError(line.source, 0, reason)
    own, found = _letters_beside(line, target), {}
    for place in line.edges:
        axis = target.indices[place].axis
        walking = target.indices[place].name  # `h[size(t),k]` may name it
        inside = Scope({}, {walking: axis, **scope.letters, **own}, scope.variables)
        edge = parse_expression(line.letters[place], inside)
        if not edge.is_Integer or 0 <= edge < axis.size:
            column = line.source.index("[")
            raise LanguageError(
                line.source, column, f"an edge lies outside 0 to {axis.size - 1}, as in h[-1,k]"
            )
        _check_met(line, place, int(edge), target, equations)
        found[place] = int(edge)
    return found


def _edge(
    line: Line, at: Mapping[int, int], equations: Mapping[str, Equation], scope: Scope
) -> _Edge:
    own = _letters_beside(line, equations[line.name])
    inside = Scope(scope.quantities, {**scope.letters, **own}, scope.variables, scope.elsewhere)
    value = read_side(line.right, own, inside)
    letters = (None if k in at else Index(x, own[x]) for k, x in enumerate(line.letters))
    return _Edge(line.source, at, tuple(letters), value)


def _after(equation: Equation, name: str, edges: Sequence[_Edge]) -> Equation:
    """An equation after `h[-1,k] = h0[k]`: a reading of h that meets the edge reads h0."""
    fresh = Fresh()

    def read(node: sympy.Expr) -> sympy.Expr:
        if not isinstance(node, Element) or node.name != name:
            return node
        met = [edge for edge in edges if edge.is_met(node)]
        _check_corners(met, node)
        terms = []
        for edge in met:
            pairs = zip(edge.letters, node.indices, strict=True)
            value = substitute(edge.value, {a: b for a, b in pairs if a is not None}, fresh)
            inside = (edge.without(c, node) for c in met if edge.at.items() < c.at.items())
            terms.append(sympy.Mul(edge.meets(node, edge.at), *inside, value))
        return sympy.Add(node, *terms)

    taken = frozenset(index.name for index in equation.indices)
    return replace(equation, rhs=tidy(rebuild(equation.rhs, read), taken))


def _check_corners(edges: Sequence[_Edge], read: Element) -> None:
    """Where a reading may meet two edges, a line of its own says what is read there."""
    for k, edge in enumerate(edges):
        for other in edges[:k]:
            both = {**edge.at, **other.at}
            if len(both) == len(edge.at) or len(both) == len(other.at):
                continue  # one is a corner of the other, or they exclude each other
            if not any(each.at == both for each in edges):
                letters = [i.name if i is not None else "" for i in edge.letters]
                corner = ",".join(str(both.get(n, x)) for n, x in enumerate(letters))
                written = str(read).replace(" ", "")
                reason = (
                    f"{written} may meet this edge and `{cut(other.source)}` at once; say what is "
                    f"read there, as in {read.name}[{corner}] = 0"
                )
                raise LanguageError(edge.source, edge.source.index("["), reason)


def _letters_beside(line: Line, target: Equation) -> dict[str, Axis]:
    """The letters of an edge, all but the positions that it is about."""
    pairs = enumerate(zip(line.letters, target.indices, strict=True))
    return {letter: index.axis for k, (letter, index) in pairs if k not in line.edges}


def _check_met(
    line: Line, at: int, edge: int, target: Equation, equations: Mapping[str, Equation]
) -> None:
    """An edge that no reading can meet is a slip: another one is read."""
    name, axis = target.quantity.name, target.indices[at].axis
    positions = [
        read.indices[at]
        for e in equations.values()
        for read in elements(e.rhs)
        if read.name == name
    ]
    spans = [linear_range(position) for position in positions if not isinstance(position, Index)]
    if any(span is None or span[0] <= edge <= span[1] for span in spans):
        return
    known = [span for span in spans if span is not None]
    least, most = min((s[0] for s in known), default=0), max((s[1] for s in known), default=0)
    met = [str(least)] if least < 0 else []
    if most >= axis.size:
        beyond = most - axis.length
        met.append(f"size({target.indices[at].name})" + (f" + {beyond}" if beyond else ""))
    reason = f"nothing reads '{name}' there, so this edge would never be met"
    if met:
        right = [",".join((*line.letters[:at], m, *line.letters[at + 1 :])) for m in met]
        reason += "; what is read is " + " and ".join(f"{name}[{each}] = ..." for each in right)
    raise LanguageError(line.source, line.source.index("["), reason)
