"""Formulas that somebody printed, in the language of equations: `dE/dW[k,i] = (y[k] - t[k])*x[i]`.

A derivative is written `dE/dW[k,i]`, of any quantity by any other; E is the loss, whatever it is
called. Every side of a formula must say the same, for all values of its index letters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from derive.equations import letters_in
from derive.errors import InputError, LanguageError, nearest
from derive.expression import Grad, Running
from derive.graph import Quantity, Role
from derive.language import Scope, parse_expression
from derive.names import NAME
from derive.problem import Claimed
from derive.spec import Path_, SpecFile

SLOPE = re.compile(rf"\bd({NAME})\s*(\[[^\[\]]*\])?\s*/\s*d({NAME})\s*(\[[^\[\]]*\])?")
RELATION = re.compile(r"(?<![=<>!])=(?!=)")
STANDS_IN = "derivative_"


@dataclass
class _Slopes:
    """The derivatives of one formula, each with a name that stands in for it."""

    quantities: Mapping[str, Quantity]
    loss: str
    found: dict[str, tuple[str, str]] = field(default_factory=dict)

    def stand_in(self, match: re.Match[str]) -> str:
        """What is parsed in the place of a derivative."""
        of, of_place, by, by_place = match.groups()
        of = (self.loss or of) if of == "E" and of not in self.quantities else of
        for name in (of, by):
            if name not in self.quantities:
                raise InputError(f"there is no '{name}'; {nearest(name, self.quantities)}")
        pair = (of, by)
        known = {other: name for name, other in self.found.items()}
        name = known.setdefault(pair, f"{STANDS_IN}{len(self.found)}")
        self.found[name] = pair
        places = ",".join(p.strip("[] ") for p in (of_place, by_place) if p and p.strip("[] "))
        return f"{name}[{places}]" if places else name

    def told(self, reason: str) -> str:
        """A message without the names that stand in."""
        for name, (of, by) in self.found.items():
            reason = reason.replace(name, f"d{of}/d{by}")
        return reason

    def as_quantities(self) -> dict[str, Quantity]:
        """What stands in, with the axes of both."""
        made = {}
        for name, (of, by) in self.found.items():
            axes = (*self.quantities[of].axes, *self.quantities[by].axes)
            made[name] = Quantity(name, name, axes, Role.CONSTANT)
        return made


def read_claims(
    file: SpecFile, quantities: Mapping[str, Quantity], loss: str
) -> tuple[Claimed, ...]:
    """The claims of a spec. Raises InputError for what is no formula of these quantities."""
    found = []
    for k, claim in enumerate(file.spec.claims):
        path: Path_ = ("claims", k, "formula")
        slopes = _Slopes(quantities, loss)
        try:
            sides = _sides(claim.formula, slopes)
        except LanguageError as error:
            raise file.fail(path, slopes.told(error.reason)) from None
        except InputError as error:
            raise file.fail(path, str(error)) from None
        if len(sides) < 2:
            raise file.fail(path, "a claim is a formula with '=', such as 'dE/dw = (y - t)*x'")
        found.append(Claimed(claim.formula, sides, slopes.found, claim.where, claim.misprint))
    return tuple(found)


def _sides(formula: str, slopes: _Slopes) -> tuple[sympy.Expr, ...]:
    texts = [SLOPE.sub(slopes.stand_in, side).strip() for side in RELATION.split(formula)]
    quantities = {**slopes.quantities, **slopes.as_quantities()}
    letters = letters_in(texts, quantities)
    sides = tuple(parse_expression(text, Scope(quantities, letters, {})) for text in texts)
    for running in (node for side in sides for node in side.atoms(Running)):
        reason = "is a quantity of the model; say what the model calls it, such as y_prod[2]"
        raise InputError(f"{running.word} {reason}")
    if any(side.has(Grad) for side in sides):
        raise InputError("a derivative is written as a quotient here, such as du[n]/dx[n]")
    return sides
