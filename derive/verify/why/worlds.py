"""Problems that are calculated in a wrong way: each a trajectory of its own, made when it is asked.

The rows of `calculations` change equations, those here change how parameters are updated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sympy

from derive.backprop import differentiate
from derive.functions import BY_SYMBOL
from derive.graph import Derivation, Equation, Graph, GraphError, Role, adjoint_name
from derive.library.optimizers import parse_update
from derive.sequence import Order
from derive.verify.trajectory import Trajectory
from derive.verify.why.calculations import ROWS
from derive.verify.why.site import Row, Site
from derive.verify.why.spots import spots

MOST_SAMPLES = 12


@dataclass(frozen=True, eq=False)
class World:
    """A trajectory as it would be if something were calculated in another way.

    `changed` is the equation that is another one, if it is one; `updating` says that nothing before
    an update is another number, `anew` that the gradient is one of another model;
    `followed` is a training that is worth following through many updates.
    """

    cause: str
    words: str
    rank: float
    trajectory: Trajectory
    changed: str = ""
    updating: bool = False
    followed: bool = False
    anew: bool = False


Wanted = Callable[[str, bool], bool]


def worlds(trajectory: Trajectory, rank: float, wanted: Wanted) -> Iterator[World]:
    """All worlds of a rank, one change away from a trajectory.

    Equations are changed if they are `wanted`, and with the gradient derived anew or not.
    """
    for update in UPDATES:
        if update.rank == rank:
            yield from _updated(update, trajectory)
    for situation in SITUATIONS:
        if situation.rank == rank:
            for other, words in situation.change(trajectory):
                yield World(situation.cause, words, rank, other, followed=True)
    for calculation in ROWS:
        if calculation.rank == rank:
            yield from _calculated(calculation, trajectory, wanted)


# --- equations ------------------------------------------------------------------------------


def _calculated(row: Row, trajectory: Trajectory, wanted: Wanted) -> Iterator[World]:
    derivation = trajectory.derivation
    for graph, apt in ((derivation.forward, row.forward), (derivation.backward, row.backward)):
        anew = row.anew and graph is derivation.forward
        kept = [e for e in graph.equations if apt and wanted(e.quantity.name, anew)]
        for equation in kept:
            site = Site(derivation.forward, equation)
            for node, put in spots(equation.rhs):
                for new, words in row.change(node, site):
                    changed = _with(derivation, equation, put(new), row.anew)
                    if changed is not None:
                        other = trajectory.otherwise(derivation=changed)
                        name = equation.quantity.name
                        yield World(row.cause, words, row.rank, other, name, anew=anew)


def _with(
    derivation: Derivation, equation: Equation, rhs: sympy.Expr, anew: bool
) -> Derivation | None:
    """The derivation with another right-hand side, or nothing if that cannot be computed."""
    if rhs == equation.rhs or rhs.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        return None
    if any(each.func not in BY_SYMBOL for each in rhs.atoms(sympy.Function)):
        return None  # SymPy makes of a root of a square what the language has another name for
    forward = equation in derivation.forward.equations
    graph = derivation.forward if forward else derivation.backward
    equations = tuple(replace(e, rhs=rhs) if e is equation else e for e in graph.equations)
    try:
        changed = Graph(graph.given, equations)
        if not forward:
            return replace(derivation, backward=changed)
        if not anew:
            return replace(derivation, forward=changed)
        return differentiate(changed, _differentiated(derivation))
    except (GraphError, ValueError):
        return None  # it reads what is not known yet


def _differentiated(derivation: Derivation) -> tuple[str, ...]:
    prefix = adjoint_name("")
    return tuple(e.quantity.name.removeprefix(prefix) for e in derivation.backward.equations)


# --- updates --------------------------------------------------------------------------------

W, G, ALPHA = (sympy.Symbol(name, real=True) for name in ("w", "g", "alpha"))
Rules = dict[str, sympy.Expr]
_UpdateChange = Callable[[Rules], Iterator[tuple[Rules, str]]]


@dataclass(frozen=True)
class UpdateRow:
    """A wrong way to update parameters."""

    cause: str
    rank: float
    change: _UpdateChange


def _uphill(rules: Rules) -> Iterator[tuple[Rules, str]]:
    turned = {name: rule.xreplace({G: -G}) for name, rule in rules.items()}
    yield turned, "there is a step in the opposite direction, along the gradient"


def _rate(rules: Rules) -> Iterator[tuple[Rules, str]]:
    for other, words in (
        (sympy.Integer(1), "the learning rate is left out"),
        (ALPHA**2, "the learning rate is applied twice"),
        (2 * ALPHA, "the learning rate is doubled"),
        (ALPHA / 2, "the learning rate is halved"),
        (10 * ALPHA, "the decimal point of the learning rate is one place off"),
        (ALPHA / 10, "the decimal point of the learning rate is one place off"),
    ):
        yield {name: rule.xreplace({ALPHA: other}) for name, rule in rules.items()}, words


def _start(rules: Rules) -> Iterator[tuple[Rules, str]]:
    without = {name: rule.xreplace({W: sympy.Integer(0)}) for name, rule in rules.items()}
    yield without, "only the step is printed, without the value it starts from"
    size = {name: -rule if name == "w" else rule for name, rule in without.items()}
    yield size, "only what is taken off is printed, without the value it is taken off from"


def _part(rules: Rules) -> Iterator[tuple[Rules, str]]:
    """A factor or a term of the optimizer's lines is forgotten, wherever it stands."""
    seen = set()
    for rule in rules.values():
        for node, _ in spots(rule):
            if not isinstance(node, sympy.Mul | sympy.Add) or node in seen:
                continue
            seen.add(node)
            for part in node.args:
                left = node / part if isinstance(node, sympy.Mul) else node - part
                kind = "factor" if isinstance(node, sympy.Mul) else "term"
                changed = {name: each.xreplace({node: left}) for name, each in rules.items()}
                yield changed, f"the {kind} {_line(part)} is left out of the update"


def _line(part: sympy.Expr) -> str:
    return str(part).replace(" ", "")


UPDATES = (
    UpdateRow("step uphill", 0, _uphill),
    UpdateRow("learning rate", 1, _rate),
    UpdateRow("only the step", 1, _start),
    UpdateRow("a part of the update", 2, _part),
)


@dataclass(frozen=True)
class SituationRow:
    """A training that goes on in another way."""

    cause: str
    rank: float
    change: Callable[[Trajectory], Iterator[tuple[Trajectory, str]]]


def _updated(row: UpdateRow, trajectory: Trajectory) -> Iterator[World]:
    training = trajectory.problem.training
    if training.optimizer.looks_around:
        return
    rules = trajectory.lines or parse_update(training.optimizer, training.settings)
    for changed, words in row.change(dict(rules)):
        if changed != rules:
            other = trajectory.otherwise(lines=changed)
            yield World(row.cause, words, row.rank, other, updating=True)


# --- situations -----------------------------------------------------------------------------


def _orders(trajectory: Trajectory) -> Iterator[tuple[Trajectory, str]]:
    """Parameters that change too early, for the updates or for the gradients only."""
    problem = trajectory.problem
    if problem.training.order is Order.SIMULTANEOUS:
        changed = replace(problem.training, order=Order.LAYER_BY_LAYER)
        words = "the gradient goes back through weights that are already updated"
        yield trajectory.otherwise(problem=replace(problem, training=changed)), words
        yield trajectory.otherwise(late=True), words
    else:
        changed = replace(problem.training, order=Order.SIMULTANEOUS)
        words = "all parameters change at once, and not layer by layer"
        yield trajectory.otherwise(problem=replace(problem, training=changed)), words


def _samples(trajectory: Trajectory) -> Iterator[tuple[Trajectory, str]]:
    """Another sample than the one whose turn it is, here or from the beginning."""
    problem = trajectory.problem
    for turn in range(1, min(len(problem.samples), MOST_SAMPLES)):
        word = "next" if turn == 1 else f"{turn} further on"
        which = "previous" if turn == len(problem.samples) - 1 else word
        words = f"the {which} sample is taken"
        yield trajectory.otherwise(turn=turn), words
        rotated = (*problem.samples[turn:], *problem.samples[:turn])
        changed = replace(problem, samples=rotated)
        yield trajectory.otherwise(problem=changed), f"{words} from the first update on"


def _frozen(trajectory: Trajectory) -> Iterator[tuple[Trajectory, str]]:
    """A parameter that is forgotten when all are updated."""
    problem = trajectory.problem
    training = problem.training
    moving = [q.name for q in trajectory.derivation.forward.of_role(Role.PARAMETER)
              if q.name not in training.frozen]  # fmt: skip
    for name in moving if len(moving) > 1 else ():
        changed = replace(training, frozen=training.frozen | {name})
        yield (
            trajectory.otherwise(problem=replace(problem, training=changed)),
            (f"{name} is not updated"),
        )


SITUATIONS = (
    SituationRow("weights already updated", 1, _orders),
    SituationRow("another sample", 1, _samples),
    SituationRow("not updated", 2, _frozen),
)
