"""The lines of a model: some entries of each equation are asked, the others stand on the sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from random import Random

from derive.exercise.lines import Given, Line, Part, Setting, Status, Told, part_of
from derive.expression import Element
from derive.graph import Derivation, Equation, Role
from derive.numbers import literal
from derive.problem import Problem
from derive.render.conventions import conventions
from derive.render.index_writer import ROOM
from derive.render.model_form import ModelForm, letters_in, ranges
from derive.render.model_update import trained, update, updated_entry
from derive.render.pieces import width
from derive.render.sheet import Display
from derive.render.tensor_values import Place
from derive.render.tensors import packed, tensor
from derive.render.weights import ALPHA_NAME
from derive.render.worked import Bench, TooLong, bench_of


def model_lines(problem: Problem, derivation: Derivation, random: Random, most: int) -> Told:
    """Entries of each equation, no more than `most` in all.

    Entries at the same places of tables of one shape are asked together.
    """
    form = ModelForm(problem, derivation)
    bench = bench_of(form)
    assert bench is not None  # every value was drawn, and larger models are refused
    asked = _Asking(form, bench, random, most)
    lines = [asked.line(key) for key in asked.computed]
    if trained(form) and len(problem.training.optimizer.lines) == 1:
        lines += asked.updates()
    given = [_given(form, bench, key) for key in bench.values.texts if _is_given(form, key)]
    tensors = [t for q in problem.graph.given for t in tensor(form, bench.values, q.name)]
    tables = [(line["tex"],) for line in packed(tensors)]
    if any(line.part is Part.UPDATE for line in lines):
        rate = literal(Fraction(problem.training.learning_rate))
        given.append(Given(ALPHA_NAME.tex, rate))
        tables.append((f"{ALPHA_NAME.tex} = {rate}",))
    shown = [line.display for line in lines if line.display is not None]
    setting = Setting(tuple(_equations(form)), conventions=_conventions(form, bench, shown))
    return Told(problem.title, setting, tuple(given), tuple(tables), tuple(lines))


def _equations(form: ModelForm) -> Iterator[str]:
    """The model in index form, with what a recurrence begins with.

    A gradient from above is that of the sum of its products with what it belongs to.
    """
    for equation in form.problem.graph.equations:
        lhs = form.lhs(equation)
        yield f"{lhs} = {form.rows(equation.rhs, ROOM - width(lhs))}"
        for edge in form.edges.get(equation.quantity.name, ()):
            yield f"{form.leaf(edge.of).tex} = {form.tex(edge.value)}"


def _conventions(form: ModelForm, bench: Bench, shown: Sequence[Display]) -> dict[str, object]:
    """How the equations are to be read; how results are rounded, a sheet says in its own words."""
    equations = [Display("", "", (tex,), None) for tex in _equations(form)]
    letters = [i for e in form.problem.graph.equations for i in letters_in(e)]
    own = ranges(i for i in letters if i.name not in form.bounds)
    return {**conventions(form, bench, [*equations, *shown]), "ranges": own, "numeric": False}


def _is_given(form: ModelForm, key: Place) -> bool:
    quantity = form.problem.graph.quantities.get(key[0])
    return quantity is not None and quantity.given


def _given(form: ModelForm, bench: Bench, key: Place) -> Given:
    return Given(form.names.name(Element(key[0], *key[1])).tex, bench.values.tex(key))


@dataclass(frozen=True)
class _Asking:
    """Chooses which entries are asked."""

    form: ModelForm
    bench: Bench
    random: Random
    most: int

    @cached_property
    def equations(self) -> Mapping[str, Equation]:
        """The equation of every computed quantity that is told.

        A gradient given from above stands for a loss, which is no number that somebody looks for.
        """
        both = (self.form.problem.graph, self.form.derivation.backward)
        upstream = bool(self.form.problem.upstream)
        return {
            e.quantity.name: e
            for graph in both
            for e in graph.equations
            if not (upstream and e.quantity.role is Role.LOSS)
        }

    @cached_property
    def computed(self) -> list[Place]:
        """The computed entries in the order in which they are computed."""
        return [key for key in self.bench.values.texts if key[0] in self.equations]

    @cached_property
    def displays(self) -> Mapping[Place, Display]:
        """The entries that can be asked, worked out."""
        found = {}
        for name, place in self.computed:
            display = self.bench.entry(self.equations[name], place)
            if display is not None and (name, place) not in self.copies:
                found[name, place] = display
        return found

    @cached_property
    def copies(self) -> Mapping[Place, Place]:
        """The entries that are other entries, with these."""
        found: dict[Place, Place] = {}
        for name, place in self.computed:
            equation = self.equations[name]
            try:
                bound = dict(zip(equation.indices, place, strict=True))
                expr = self.bench.written(equation.rhs, bound)
            except TooLong:
                continue
            if isinstance(expr, Element):
                source = (expr.name, tuple(int(k) for k in expr.indices))
                found[name, place] = found.get(source, source)
        return found

    @cached_property
    def asked(self) -> frozenset[Place]:
        """The entries that are asked: as many of each table as there is room for."""
        tables: dict[str, list[Place]] = {}
        orders: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for name, place in self.displays:
            tables.setdefault(name, []).append((name, place))
        for name, keys in tables.items():
            shape = self.equations[name].quantity.shape
            order = orders.setdefault(shape, self._shuffled([place for _, place in keys]))
            keys.sort(key=lambda key: self._rank(key, order))
        room = self.most - len(self._trained)
        names = list(tables)
        if len(names) > room:
            kept = set(self.random.sample(range(len(names)), max(1, room)))
            names = [name for k, name in enumerate(names) if k in kept]
        share = _share([len(tables[name]) for name in names], room)
        return frozenset(key for name in names for key in tables[name][:share])

    def _rank(self, key: Place, order: Sequence[tuple[int, ...]]) -> tuple[bool, int]:
        place = order.index(key[1]) if key[1] in order else len(order)
        return self.bench.values.exact[key] == 0, place

    def _shuffled(self, places: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        mixed = list(places)
        self.random.shuffle(mixed)
        return mixed

    @cached_property
    def _trained(self) -> list[str]:
        return [quantity.name for quantity in trained(self.form)]

    def line(self, key: Place) -> Line:
        """The line of a computed entry."""
        display = self.displays.get(key)
        source = self.copies.get(key)
        if key in self.asked:
            return self._line(key, Status.ASKED, display)
        if source in self.asked:
            return self._line(key, Status.LINK, self.bench.entry(self.equations[key[0]], key[1]))
        return self._line(key, Status.KNOWN, None)

    def _line(self, key: Place, status: Status, display: Display | None) -> Line:
        name = self.form.names.name(Element(key[0], *key[1]))
        values = self.bench.values
        return Line(
            name.report,
            name.tex if display is None else display.lhs,
            status,
            part_of(name.report),
            values.texts[key],
            values.tex(key),
            values.exact[key],
            display.formula if display is not None else (),
            display,
        )

    def updates(self) -> Iterator[Line]:
        """One new value of each parameter, where its gradient is asked if it is anywhere."""
        update(self.form, self.bench.values)
        for quantity in trained(self.form):
            slopes = [key for key in self.computed if key[0] == f"adj_{quantity.name}"]
            chosen = [key for key in slopes if key in self.asked] or slopes
            place = chosen[0][1]
            display = updated_entry(self.form, self.bench, quantity, place)
            yield self._line((f"{quantity.name}+", place), Status.ASKED, display)


def _share(sizes: Sequence[int], room: int) -> int:
    """How many entries of each table may be asked, so that all of them find room."""
    share = 1
    while share < max(sizes, default=1) and sum(min(size, share + 1) for size in sizes) <= room:
        share += 1
    return share
