"""Certificate → the equations of a page that it proves, by their labels.

An equation is proven if all that it says is: the derivative, for every entry that its letters
stand for, and the number that it ends with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from derive.certify.certificate import AT_THE_EDGE, Certificate
from derive.certify.scalars import Scalars, adjoint_of, scalars_of
from derive.certify.words import (
    about_derivative,
    about_every_derivative,
    about_every_local,
    about_local,
    about_number,
)
from derive.graph import Derivation
from derive.notation import Names, derivative, names_of
from derive.problem import Problem
from derive.render.blocks import Block, Page
from derive.render.document import escape
from derive.render.sheet import Display


@dataclass(frozen=True)
class Said:
    """What an equation says: derivatives and a number, by what their theorems are about."""

    derivatives: tuple[str, ...] = ()
    number: str = ""


def marked(
    problem: Problem, derivation: Derivation, page: Page, certificate: Certificate, file: str
) -> Page:
    """The page with the equations that are proven, and at its end the file with the proofs."""
    scalars = scalars_of(problem, derivation)
    fields = {
        "file": escape(file),
        "numbers": bool(certificate.prints),
        "chained": problem.numbers.chained,
        "conditions": bool(scalars.conditions or scalars.distributions),
        "symbolic": problem.symbolic,
    }
    proven = frozenset(_proven(problem, scalars, page, certificate))
    return replace(page, blocks=(*page.blocks, Block("certificate", fields)), proven=proven)


def _proven(
    problem: Problem, scalars: Scalars, page: Page, certificate: Certificate
) -> Iterator[str]:
    """The labels of the equations of a page that are proven."""
    known = {theorem.about for theorem in (*certificate.derivatives, *certificate.prints)}
    if problem.is_model:  # whose page has the formulas of the derivation
        names = names_of(problem)
        known |= {
            about_derivative(names.name(scalar).report)
            for scalar in scalars.moving
            if about_every_derivative(scalar.name) in known
        }
        known |= {
            about_local(names.name(scalar).report)
            for scalar in scalars.forward
            if about_every_local(scalar.name) in known
        }
    edge = any(why == AT_THE_EDGE for _, why in certificate.without)
    said = _said(problem, scalars, page)
    for label, ending in _labels([block.fields for block in page.blocks]):
        each = said.get(label, Said())
        if each.derivatives and edge:
            continue
        ends = each.number in page.numbers if ending is None else ending
        needed = {*each.derivatives, *([about_number(each.number)] if ends else [])}
        if needed and known.issuperset(needed):
            yield label


def _labels(value: Any) -> Iterator[tuple[str, bool | None]]:
    """The equations that blocks tell, and whether each ends with a number, if that is known."""
    if isinstance(value, Display):
        yield value.label, value.result is not None
    elif isinstance(value, Mapping):
        if isinstance(value.get("label"), str):
            yield value["label"], None
        yield from _labels(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _labels(part)


def _said(problem: Problem, scalars: Scalars, page: Page) -> dict[str, Said]:
    """What stands under each label: of one entry, or of all entries of a quantity."""
    names = names_of(problem)
    found: dict[str, Said] = {}
    for report, entry in page.numbers.items():
        if "/" not in report:  # a slope has a label below, or is a step on the way to one
            found |= _under(entry.name.code, Said((), report))
    for scalar in scalars.moving:
        report = names.name(scalar).report
        if adjoint_of(scalar) in scalars.adjoints:
            name = names.name(adjoint_of(scalar))
            found |= _under(name.code, Said((about_derivative(report),), name.report))
        for operand in scalars.operands[scalar]:
            name = derivative(names.name(scalar), names.name(operand))
            found |= _under(name.code, Said((about_local(report),), name.report))
    return found | dict(_of_quantities(problem, scalars, names))


def _under(code: str, said: Said) -> dict[str, Said]:
    """The labels that an equation of one entry may have."""
    return {f"eq:{code}": said, f"eq:at-{code}": said}


def _of_quantities(problem: Problem, scalars: Scalars, names: Names) -> Iterator[tuple[str, Said]]:
    """Equations with letters, and those of a quantity that is a single number."""
    reports: dict[str, list[str]] = {}
    for scalar in scalars.moving:
        reports.setdefault(scalar.name, []).append(names.name(scalar).report)
    number_of = {s.name: names.name(adjoint_of(s)).report for s in scalars.moving if not s.indices}
    for name, entries in reports.items():
        said = Said(tuple(map(about_derivative, entries)), number_of.get(name, ""))
        if name != scalars.loss.name:
            yield f"eq:d-{name}", said
            yield f"eq:grad-{name}", said
        local = Said(tuple(map(about_local, entries)))
        for each in scalars.derivation.locals:
            if each.of == name:
                yield f"eq:d-{name}-{each.by}", local
    for layer in problem.layers:
        if layer.net in reports:
            of_net = tuple(map(about_derivative, reports[layer.net]))
            yield f"eq:delta-{layer.number}", Said(of_net)
