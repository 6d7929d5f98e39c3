r"""Names and symbols: what an element is called in code, on the page and in a report.

    element      code        page                       report
    W1[0, 1]     w2          w_2                        w2
    net2[0, 0]   net_o1      \mathrm{net}_{o1}          net_o1
    adj_W1[0,1]  dE_dw2      \frac{\partial E…}{…}      dE/dw2

Weights and biases are counted through the network in reading order. With several hidden layers a
unit is named by its layer too, and in a batch the sample is a further mark.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from derive.errors import InputError
from derive.expression import Element
from derive.graph import Graph, Kind, Quantity, Role, SlopeOf
from derive.problem import Problem, Unit
from derive.symbols import word

LOSS_TEX = r"E_{\mathrm{total}}"
ADJOINT = "adj_"
UPDATED = "+"


@dataclass(frozen=True)
class Name:
    """The names of one scalar; `flat` is how a derivative is written within a line of text.

    `inside` is what it is called as an entry of a table, where that is another symbol.
    """

    code: str
    tex: str
    report: str
    flat: str = ""
    inside: str = ""

    @property
    def inline(self) -> str:
        return self.flat or self.tex

    def updated(self) -> Name:
        """The same scalar after the update of the weights."""
        return self._marked("new", "+", "+")

    def after(self, update: int) -> Name:
        """The same scalar after several updates."""
        return self._marked(str(update), f"[{update}]", f"@{update}")

    def _marked(self, code: str, mark: str, report: str) -> Name:
        inside = self.inside and with_mark(self.inside, mark)
        tex = with_mark(self.tex, mark)
        return Name(f"{self.code}_{code}", tex, f"{self.report}{report}", inside=inside)


def with_mark(tex: str, mark: str) -> str:
    r"""`w_5` → `w_5^{+}`; a symbol that already has a superscript gets a second mark beside it.

    Of a derivative, both what is differentiated and what it is differentiated by are marked.
    """
    quotient = re.fullmatch(r"\\frac\{\\partial (.+)\}\{\\partial (.+)\}", tex)
    if quotient is not None:
        above, below = (with_mark(part, mark) for part in quotient.groups())
        return rf"\frac{{\partial {above}}}{{\partial {below}}}"
    if "^{" in tex:
        inside = r"\^\{((?:[^{}]|\{[^{}]*\})*)\}"
        return re.sub(inside, lambda m: f"^{{{m[1]}{mark}}}", tex, count=1)
    return f"{tex}^{{{mark}}}"


@dataclass(frozen=True)
class Notation:
    """The names of every element of one problem."""

    quantities: Mapping[str, Quantity]
    units: Mapping[int, tuple[Unit, ...]]
    offsets: Mapping[str, int]
    batch: int
    layers: int

    def name(self, element: Element) -> Name:
        """The names of an element whose indices are all numbers."""
        if element.name.startswith(ADJOINT):
            return derivative(
                self.loss(),
                self.name(Element(element.name.removeprefix(ADJOINT), *element.indices)),
            )
        if element.name.endswith(UPDATED):
            return self.name(
                Element(element.name.removesuffix(UPDATED), *element.indices)
            ).updated()
        quantity = self.quantities[element.name]
        position = tuple(int(index) for index in element.indices)
        if quantity.role is Role.LOSS:
            return self.loss()
        if quantity.role is Role.PARAMETER:
            return self._parameter(quantity, position)
        return self._unit(quantity, position)

    def loss(self) -> Name:
        return Name("E_total", LOSS_TEX, "E_total")

    def _parameter(self, quantity: Quantity, position: tuple[int, ...]) -> Name:
        flat = 0
        for k, size in zip(position, quantity.shape, strict=True):
            flat = flat * size + k
        letter = "b" if quantity.kind is Kind.BIAS else "w"
        number = self.offsets[quantity.name] + flat + 1
        subscript = f"{number}" if number < 10 else f"{{{number}}}"
        return Name(f"{letter}{number}", f"{letter}_{subscript}", f"{letter}{number}")

    def _unit(self, quantity: Quantity, position: tuple[int, ...]) -> Name:
        """Inputs carry the name of their unit; everything else a word and the unit.

        In a batch the number of the sample stands first among the subscripts.
        """
        sample = f"{position[0] + 1}" if self.batch > 1 else ""
        if len(position) == 1:  # one error for a whole sample
            number = f"{position[0] + 1}"
            return Name(f"E_{number}", f"E_{{{number}}}", f"E_{number}")
        unit = self.units[quantity.layer][position[1]]
        if quantity.role is Role.INPUT:
            return _input(unit, sample)
        hidden = quantity.layer < self.layers and self.layers > 2
        layer = f"{quantity.layer}" if hidden else ""
        word = quantity.tex
        symbol = word if len(word) == 1 else rf"\mathrm{{{word}}}"
        subscript = f"{sample},{unit.tex}" if sample else unit.tex
        tex = f"{symbol}_{{{subscript}}}" + (f"^{{({layer})}}" if layer else "")
        code = "_".join(filter(None, (f"{word}{layer}", unit.name, sample)))
        return Name(code, tex, code)


def _input(unit: Unit, sample: str) -> Name:
    """`i1` is written `i_1`; a longer name stands upright."""
    code = f"{unit.name}_{sample}" if sample else unit.name
    match = re.fullmatch(r"([A-Za-z])(\d+)", unit.name)
    if match is None:
        tex = rf"\mathrm{{{unit.tex}}}" + (f"_{{{sample}}}" if sample else "")
        return Name(code, tex, code)
    digits = f"{sample},{match[2]}" if sample else match[2]
    return Name(code, f"{match[1]}_{digits if len(digits) == 1 else f'{{{digits}}}'}", code)


NOTHING = Name("", "", "")  # of a loss that there is not


@dataclass(frozen=True)
class IndexNotation:
    """Names of the elements of any graph: `W[0,1]` is W_0_1 in code and W_{0,1} on the page."""

    quantities: Mapping[str, Quantity]

    def name(self, element: Element) -> Name:
        """The names of an element whose indices are all numbers."""
        if element.name.startswith(ADJOINT):
            return self.adjoint(element)
        if element.name.endswith(UPDATED):
            inner = Element(element.name.removesuffix(UPDATED), *element.indices)
            return self.name(inner).updated()
        return self.at(element.name, [str(index) for index in element.indices])

    def adjoint(self, element: Element) -> Name:
        """The name of the derivative of the loss by an element."""
        by = self.name(Element(element.name.removeprefix(ADJOINT), *element.indices))
        found = derivative(self.loss(), by)
        if not by.inside:
            return found
        entry = _in_table(self.at(element.name.removeprefix(ADJOINT), ()), element.indices)
        return replace(found, inside=derivative(self.loss(), entry).tex)

    def at(self, name: str, places: Sequence[str]) -> Name:
        """The names of an entry of a quantity, or of a whole one; its places may be letters."""
        code, report = "_".join([name, *places]), f"{name}[{','.join(places)}]" if places else name
        quantity = self.quantities[name]
        if quantity.slope is None or quantity.tex:
            return Name(code, f"{self.symbol(name)}{_subscript(places)}", report)
        found = self.quotient(quantity.slope, places)
        entry = _in_table(self.at(quantity.slope.by, ()), places)
        inside = derivative(self.at(quantity.slope.of, ()), entry).tex if places else ""
        return replace(found, code=code, report=report, inside=inside)

    def quotient(self, slope: SlopeOf, places: Sequence[str]) -> Name:
        r"""A derivative that belongs to the model, \partial y_{n}/\partial x_{n}."""
        axes = slope.before + len(self.quantities[slope.by].axes)
        if len(places) < axes:  # a whole one, or at a step of it
            return derivative(self.at(slope.of, ()), self.at(slope.by, places))
        of = self.at(slope.of, [places[k] for k in slope.at])
        return derivative(of, self.at(slope.by, places[slope.before :]))

    def symbol(self, name: str) -> str:
        """A quantity's symbol: a number h_{0} is h^{(0)} where h_{0} is an entry of h.

        Of e that would be a power of Euler's number.
        """
        quantity = self.quantities[name]
        if not quantity.tex:
            return self.at(name, ()).tex
        match = re.fullmatch(r"(.+)_\{(.+)\}", quantity.tex)
        if match is None or quantity.axes:
            return quantity.tex
        taken = any(q.axes and q.tex == match[1] for q in self.quantities.values())
        if not taken:
            return quantity.tex
        return word(name) if match[1] == "e" else f"{match[1]}^{{({match[2]})}}"

    def loss(self) -> Name:
        """The name of the quantity that is differentiated."""
        loss = next((q for q in self.quantities.values() if q.role is Role.LOSS), None)
        return Name(loss.name, loss.tex, loss.name) if loss is not None else NOTHING


def _in_table(whole: Name, places: Iterable[object]) -> Name:
    """An entry of what has a symbol as a whole, under that symbol."""
    return replace(whole, tex=f"{_bracketed(whole)}{_subscript(places)}", flat="")


def _subscript(places: Iterable[object]) -> str:
    inside = ",".join(map(str, places))
    return f"_{{{inside}}}" if inside else ""


def derivative(of: Name, by: Name) -> Name:
    """The name of ∂of/∂by."""
    of_code = "E" if of.code == "E_total" else of.code
    of_report = "E_total" if of.code == "E_total" else of.report
    above, below = _bracketed(of), _bracketed(by)
    return Name(
        f"d{of_code}_d{by.code}",
        rf"\frac{{\partial {above}}}{{\partial {below}}}",
        f"d{of_report}/d{by.report}",
        rf"\partial {above}/\partial {below}",
    )


def _bracketed(name: Name) -> str:
    """What a derivative is of or by: one that is a derivative itself stands in brackets."""
    return f"{{({name.flat})}}" if name.flat else name.tex


Names = Notation | IndexNotation


def names_of(problem: Problem) -> Names:
    """The names of a problem's elements: a network counts its weights, a model has indices."""
    return IndexNotation(problem.graph.quantities) if problem.is_model else notation(problem)


def notation(problem: Problem) -> Notation:
    """The notation of a network."""
    graph = problem.graph
    units = {0: problem.inputs} | {use.number: use.units for use in problem.layers}
    return Notation(graph.quantities, units, _offsets(graph), problem.batch, len(problem.layers))


def _offsets(graph: Graph) -> dict[str, int]:
    """How many weights, or biases, come before each parameter."""
    counts = {Kind.WEIGHT: 0, Kind.BIAS: 0}
    offsets = {}
    for quantity in graph.of_role(Role.PARAMETER):
        offsets[quantity.name] = counts[quantity.kind]
        size = 1
        for length in quantity.shape:
            size *= length
        counts[quantity.kind] += size
    return offsets


def scalar_names(names: Names, graph: Graph) -> dict[str, Element]:
    """Every scalar of the graph by its code name. Raises InputError if two share one."""
    table: dict[str, Element] = {}
    for quantity in graph.quantities.values():
        for position in product(*map(range, quantity.shape)):
            element = Element(quantity.name, *position)
            code = names.name(element).code
            if code in table or keyword.iskeyword(code):
                raise InputError(
                    f"two things are called '{code}': {table.get(code)} and {element}; "
                    "rename a unit of the network"
                )
            table[code] = element
    return table
