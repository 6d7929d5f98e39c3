"""Derivation → Program: what a module has to compute, before any target has spelled it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import sympy

from derive.emit.formula import formula
from derive.emit.stable_graph import stable_derivation, stable_equation
from derive.emit.tree import EmitError, Loop, Node, Read, Reduce, names_read, positions_of, walk
from derive.emit.zeros import guarded, guarded_slopes
from derive.expression import Element, Index, reads
from derive.graph import Derivation, Equation, Graph, Quantity, Role, adjoint_name, blocks, needed
from derive.library.loss import Reduction
from derive.library.optimizers import parse_update
from derive.library.update import Called, Moved, line_equations
from derive.problem import Problem
from derive.repeats import renamed
from derive.sequence import Order, stages

ALPHA = sympy.Symbol("learning_rate", positive=True)
BATCH = sympy.Symbol("batch", positive=True, integer=True)
STEP = sympy.Symbol("step", positive=True)
SMALL = 200


@dataclass(frozen=True)
class Walked:
    """A loop gone through step by step, at its place: upward (`step` 1) or downward (-1)."""

    step: int
    place: int


@dataclass(frozen=True)
class Assignment:
    """`quantity[loops] = value` for all values of the loops.

    Assignments of one recurrence stand side by side with the same `group`; they are computed step
    by step along the loops of `walks`, the outermost first. `whole` are the quantities that may
    stand in a position.
    """

    quantity: Quantity
    loops: tuple[Loop, ...]
    value: Node
    walks: tuple[Walked, ...] = ()
    group: int = 0
    whole: tuple[Quantity, ...] = ()

    @property
    def walked(self) -> tuple[Loop, ...]:
        """The loops along which it is computed step by step, the outermost first."""
        return tuple(self.loops[walk.place] for walk in self.walks)

    @property
    def others(self) -> tuple[Loop, ...]:
        """The loops within one step."""
        places = {walk.place for walk in self.walks}
        return tuple(loop for k, loop in enumerate(self.loops) if k not in places)


@dataclass(frozen=True)
class Program:
    """What is given, and the assignments of the three passes, each in the order of computation.

    An update that is `interleaved` walks back on its own and changes parameters on the way;
    otherwise it starts from all gradients.
    `page` holds forward and backward pass as the derivation states them, before they were made
    stable.
    """

    problem: Problem
    parameters: tuple[Quantity, ...]
    sample: tuple[Quantity, ...]
    values: tuple[Quantity, ...]
    gradients: tuple[Quantity, ...]
    updated: tuple[Quantity, ...]
    forward: tuple[Assignment, ...]
    backward: tuple[Assignment, ...]
    updates: tuple[Assignment, ...]
    states: tuple[Quantity, ...]
    page: tuple[tuple[Assignment, ...], tuple[Assignment, ...]]
    any_batch: bool

    @property
    def trained(self) -> tuple[Quantity, ...]:
        return tuple(q for q in self.parameters if q.name not in self.problem.training.frozen)

    @property
    def interleaved(self) -> bool:
        return self.problem.training.order is Order.LAYER_BY_LAYER

    @property
    def whole(self) -> tuple[Assignment, ...]:
        """Forward and backward pass as one, in which nothing is computed twice."""
        known = {each.quantity.name for each in self.forward}
        later = (each for each in self.backward if each.quantity.name not in known)
        return (*self.forward, *later)

    @property
    def step(self) -> tuple[Assignment, ...]:
        """A forward pass and the update that follows from it."""
        return (*(self.forward if self.interleaved else self.whole), *self.updates)

    @property
    def loss(self) -> Quantity:
        return self.problem.graph.loss


def is_small(problem: Problem) -> bool:
    """Whether a reader would want to see every number."""
    return sum(prod(q.shape) for q in problem.graph.of_role(Role.PARAMETER)) <= SMALL


def is_scalar(problem: Problem) -> bool:
    """Whether every scalar of a network gets a line of its own."""
    return problem.batch == 1 and is_small(problem) and not problem.is_model


def lower(problem: Problem, derivation: Derivation, batch: sympy.Expr = BATCH) -> Program:
    """The program of a problem for a batch of this size, by default of any size."""
    graph, optimizer = problem.graph, problem.training.optimizer
    parameters = graph.of_role(Role.PARAMETER)
    trained = [q for q in parameters if q.name not in problem.training.frozen]
    if not takes_any_batch(problem):
        batch = sympy.Integer(problem.batch)
    steady = stable_form(problem, derivation)
    forward = _any_batch_forward(problem, steady.forward, batch)
    backward = _any_batch_backward(problem, steady.backward, batch)
    wanted = asked(problem, derivation)
    helpers = tuple(e for e in forward.equations if e.quantity.name not in graph.quantities)
    kept = needed((*helpers, *backward.equations), wanted)
    adjoints = {equation.quantity.name: equation for equation in kept}
    if problem.training.order is Order.SIMULTANEOUS:
        updates = _updates(problem, trained, adjoints)
    else:
        slopes = steady if _reads_alike(derivation, steady) else derivation
        updates = tuple(_interleaved(problem, slopes.backward, trained))
    kept_states = [state_of(s, q) for q in trained for s in optimizer.states]
    made = [e.quantity for e in updates if e.quantity.role is not Role.ADJOINT]
    _check_apart(graph, (*kept_states, *map(updated, (*kept_states, *trained)), *made))
    known = {**derivation.backward.quantities, **backward.quantities, **forward.quantities}
    known |= {q.name: q for q in (*kept_states, *(e.quantity for e in updates))}
    safe = guarded_slopes(forward)
    return Program(
        problem,
        parameters,
        sample=tuple(q for q in graph.given if q.role is not Role.PARAMETER),
        values=tuple(equation.quantity for equation in graph.equations),
        gradients=tuple(adjoints[name].quantity for name in wanted),
        updated=tuple(map(updated, trained)),
        forward=_assignments(map(guarded, forward.equations), known),
        backward=_assignments(map(safe, kept), known),
        updates=_assignments(map(safe, updates), known),
        states=tuple(kept_states),
        page=_page(problem, derivation, batch, known),
        any_batch=batch == BATCH,
    )


def _check_apart(graph: Graph, made: Iterable[Quantity]) -> None:
    """What an optimizer makes has names of its own. Raises EmitError."""
    for quantity in made:
        if quantity.name in graph.quantities:
            raise EmitError(
                f"'{quantity.name}' is a quantity of the model, and what the optimizer would call "
                "a state or a new value of a parameter; rename it"
            )


def asked(problem: Problem, derivation: Derivation) -> list[str]:
    """The adjoints that a module returns: those asked for, or by all that is trained."""
    parameters = [quantity.name for quantity in problem.graph.of_role(Role.PARAMETER)]
    trained = [name for name in parameters if name not in problem.training.frozen]
    names = problem.wanted if problem.wanted is not None else trained or parameters
    found = {equation.quantity.name for equation in derivation.backward.equations}
    return [adjoint_name(name) for name in names if adjoint_name(name) in found]


def stable_form(problem: Problem, derivation: Derivation) -> Derivation:
    """What a module computes: the derivation in stable forms, with its steps."""
    return stable_derivation(derivation, problem.wanted, asked(problem, derivation))


def _page(
    problem: Problem, derivation: Derivation, batch: sympy.Expr, known: Mapping[str, Quantity]
) -> tuple[tuple[Assignment, ...], tuple[Assignment, ...]]:
    """Forward and backward pass as the derivation states them."""
    forward = _any_batch_forward(problem, derivation.forward, batch)
    backward = _any_batch_backward(problem, derivation.backward, batch)
    kept = needed(backward.equations, asked(problem, derivation))
    return _assignments(forward.equations, known), _assignments(kept, known)


def depended_on(
    assignments: Iterable[Assignment], results: Iterable[Quantity]
) -> tuple[Assignment, ...]:
    """The assignments that some results need."""
    assignments = tuple(assignments)
    read = {each.quantity.name: _everything_read(each) for each in assignments}
    found: set[str] = set()
    waiting = [quantity.name for quantity in results]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += read.get(name, ())
    return tuple(each for each in assignments if each.quantity.name in found)


def names_in(assignments: Iterable[Assignment]) -> set[str]:
    """What assignments compute and read."""
    found: set[str] = set()
    for each in assignments:
        found |= names_read(each.value) | {each.quantity.name}
    return found


def fresh(name: str, taken: set[str]) -> str:
    """A name that is not taken, which then is."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _everything_read(assignment: Assignment) -> set[str]:
    """The quantities that an assignment reads, also as positions."""
    nodes = tuple(walk(assignment.value))
    places = {e.name for node in nodes for p in positions_of(node) for e in p.atoms(Element)}
    return places | names_read(assignment.value)


def takes_any_batch(problem: Problem) -> bool:
    """Whether a module may be given any number of samples."""
    return not (problem.is_model or _couples_samples(problem.graph))


def _couples_samples(graph: Graph) -> bool:
    """Whether a value of one sample depends on the others, so that the batch cannot be changed."""
    return any(
        _crosses(node)
        for assignment in _assignments(graph.equations, graph.quantities)
        if assignment.quantity.role is not Role.LOSS
        for node in walk(assignment.value)
    )


def _crosses(node: Node) -> bool:
    """Whether a node reduces over the samples, or reads a sample that is not the current one."""
    match node:
        case Reduce():
            return any(loop.axis.name == "batch" for loop in node.loops)
        case Read():
            pairs = zip(node.indices, node.axes, strict=True)
            return any(a.name == "batch" and not isinstance(i, Index) for i, a in pairs)
    return False


def _assignments(
    equations: Iterable[Equation], known: Mapping[str, Quantity]
) -> tuple[Assignment, ...]:
    return tuple(
        Assignment(
            equation.quantity,
            tuple(map(Loop, equation.indices, equation.quantity.axes)),
            formula(equation.rhs, known),
            tuple(Walked(walk.step, walk.along[k]) for walk in block.walks),
            group,
            tuple(quantity for quantity in known.values() if quantity.integer),
        )
        for group, block in enumerate(blocks(tuple(equations)))
        for k, equation in enumerate(block.equations)
    )


def _any_batch_forward(problem: Problem, graph: Graph, batch: sympy.Expr) -> Graph:
    """The graph with the size of the batch as it is given instead of as the spec has it."""
    if problem.reduction is not Reduction.MEAN:
        return graph
    loss = graph.equation(graph.loss.name)
    scaled = replace(loss, rhs=loss.rhs * problem.batch / batch)
    return replace(graph, equations=tuple(scaled if e is loss else e for e in graph.equations))


def _any_batch_backward(problem: Problem, graph: Graph, batch: sympy.Expr) -> Graph:
    """The adjoints for a batch of this size.

    The mean over the batch is a factor of the loss. Every adjoint is linear in the adjoints that it
    reads, so the factor stands in exactly those terms that read none.
    """
    if problem.reduction is not Reduction.MEAN or batch == problem.batch:
        return graph
    adjoints = {equation.quantity.name for equation in graph.equations}

    def change(equation: Equation) -> Equation:
        terms = sympy.Add.make_args(equation.rhs)
        later = [term for term in terms if adjoints & set(reads(term))]
        first = [term * problem.batch for term in terms if not adjoints & set(reads(term))]
        return replace(equation, rhs=sympy.Add(*later, sympy.Add(*first) / batch))

    return replace(graph, equations=tuple(map(change, graph.equations)))


def _updates(
    problem: Problem, trained: Iterable[Quantity], adjoints: Mapping[str, Equation]
) -> tuple[Equation, ...]:
    """The optimizer's equations for the states of all parameters, and those for the parameters.

    An unused parameter has the gradient 0. Where a new state stands in the new parameter it is
    written by its name.
    """
    row = problem.training.optimizer
    if row.looks_around:
        return _lines(problem, trained, adjoints)
    found = parse_update(row, problem.training.settings)
    w, g, alpha, k = (sympy.Symbol(name, real=True) for name in ("w", "g", "alpha", "k"))
    parameters, states = [], []
    for quantity in trained:
        adjoint = adjoints.get(adjoint_name(quantity.name))
        indices = adjoint.indices if adjoint else _letters(quantity)
        gradient = adjoint.lhs if adjoint else sympy.S.Zero
        here = {w: Element(quantity.name, *indices), g: gradient, alpha: ALPHA, k: STEP}
        for name in row.states:
            own = state_of(name, quantity)
            here[sympy.Symbol(name, real=True)] = Element(own.name, *indices)
        written = {}
        for name in row.states:
            new = Equation(updated(state_of(name, quantity)), indices, found[name].xreplace(here))
            states.append(new)
            written[new.rhs] = new.lhs
        value = found["w"].xreplace(here).xreplace(written)
        parameters.append(Equation(updated(quantity), indices, value))
    return (*states, *parameters)


def _lines(
    problem: Problem, trained: Iterable[Quantity], adjoints: Mapping[str, Equation]
) -> tuple[Equation, ...]:
    """The lines of an optimizer that looks at more than an entry, each under a name of its own."""
    row = problem.training.optimizer
    slopes = {name: equation.quantity for name, equation in adjoints.items()}
    moving = [Moved(q, slopes.get(adjoint_name(q.name))) for q in trained]
    called = Called("{}_{}".format, "{}_{}".format, "{}_now".format, "{}_new".format, ALPHA, STEP)
    made = line_equations(row.equations, row.states, problem.training.settings, moving, called)
    return tuple(each.equation for each in made)


def _reads_alike(derivation: Derivation, steady: Derivation) -> bool:
    """Whether adjoints derived anew from a stable loss read the parameters that the page's do.

    One may read a parameter where that of the page reads a value of the forward pass; where each
    parameter changes in its turn, that makes a difference.
    """
    graph = derivation.forward
    page = {e.quantity.name: set(reads(e.rhs)) for e in derivation.backward.equations}
    parameters = {quantity.name for quantity in graph.of_role(Role.PARAMETER)}

    def alike(equation: Equation) -> bool:
        own, name = set(reads(equation.rhs)), equation.quantity.name
        known = own <= {*graph.quantities, *page}
        return known and name in page and own & parameters == page[name] & parameters

    return all(map(alike, steady.backward.equations))


def _interleaved(
    problem: Problem, backward: Graph, trained: Sequence[Quantity]
) -> Iterator[Equation]:
    """The update in stages: adjoints and new parameters in turn."""
    names = [quantity.name for quantity in trained]
    now: dict[str, str] = {}
    known: set[str] = set()  # what is of all parameters, as a learning rate, is computed once
    for stage in stages(backward, names, problem.training.order):
        moving = [quantity for quantity in trained if quantity.name in stage.parameters]
        for equation in stage.equations:
            steady = stable_equation(equation, backward.taken)
            yield replace(steady, rhs=renamed(steady.rhs, now))
        for equation in _updates(problem, moving, {e.quantity.name: e for e in stage.equations}):
            if equation.quantity.name not in known:
                yield equation
            known.add(equation.quantity.name)
        now |= {quantity.name: updated(quantity).name for quantity in moving}


def state_of(name: str, quantity: Quantity) -> Quantity:
    """What the optimizer keeps for a parameter: `m_W` is its `m` for W."""
    return replace(quantity, name=f"{name}_{quantity.name}", role=Role.CONSTANT)


def _letters(quantity: Quantity) -> tuple[Index, ...]:
    return tuple(Index(f"i{k}", axis) for k, axis in enumerate(quantity.axes, 1))


def updated(quantity: Quantity) -> Quantity:
    """A parameter after the update."""
    return replace(quantity, name=f"{quantity.name}_new")
