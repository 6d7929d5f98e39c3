"""From a problem to everything that is made of it; no file is touched here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derive.backprop import differentiate
from derive.emit import TARGETS, EmitError, emit
from derive.errors import InputError, nearest
from derive.graph import Derivation
from derive.notation import notation
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.curves import curves
from derive.render.document import latex
from derive.render.drawings import Drawings, draw
from derive.render.model_story import tell_model
from derive.render.order import in_numbers, weights_in_order
from derive.render.story import tell
from derive.verify import Report, verify


@dataclass(frozen=True)
class Made:
    """A problem with its derivation, page, LaTeX by language, and modules by target."""

    problem: Problem
    derivation: Derivation
    page: Page
    texts: Mapping[str, str]
    modules: Mapping[str, str]

    def verify(
        self, texts: Mapping[str, str] | None = None, modules: Mapping[str, str] | None = None
    ) -> Report:
        """Verify what was made, or what was read back from the files it was written to."""
        return verify(
            self.problem,
            self.derivation,
            self.page,
            self.texts if texts is None else texts,
            self.modules if modules is None else modules,
        )


def make(problem: Problem, languages: Sequence[str] = (), weights: Sequence[str] = ()) -> Made:
    """Derive, tell and emit. `weights` restricts the page to some weights.

    Raises InputError if there is no weight of a given name.
    """
    _check_weights(problem, weights)
    derivation = differentiate(problem.graph, problem.wanted)
    modules = {target: module(problem, derivation, target) for target in TARGETS}
    drawings = Drawings() if problem.is_model else _drawings(problem, derivation, modules["python"])
    page = _page(problem, derivation, drawings, weights)
    texts = {language: latex(page, language) for language in languages or problem.languages}
    return Made(problem, derivation, page, texts, modules)


def module(problem: Problem, derivation: Derivation, target: str) -> str:
    """The source of a module. Raises InputError if the target cannot compute the problem."""
    try:
        return emit(problem, derivation, target)
    except EmitError as error:
        raise InputError(f"no {target} module can be written: {error}") from error


def _drawings(problem: Problem, derivation: Derivation, source: str) -> Drawings:
    """The figures; without curves where a page has no numbers, or the loss leaves its range."""
    if not in_numbers(problem):
        return draw(problem, derivation, None)
    try:
        return draw(problem, derivation, curves(problem, source))
    except (ArithmeticError, ValueError):
        return draw(problem, derivation, None)


def _page(
    problem: Problem, derivation: Derivation, drawings: Drawings, weights: Sequence[str]
) -> Page:
    try:
        if problem.is_model:
            return tell_model(problem, derivation)
        return tell(problem, derivation, drawings, weights)
    except (ArithmeticError, ValueError) as error:
        if problem.symbolic:
            raise
        raise InputError(
            f"{problem.name}: at these values, or after the update, a number of the page is not "
            f"finite and real: {error}"
        ) from error


def _check_weights(problem: Problem, weights: Sequence[str]) -> None:
    if weights and problem.is_model:
        raise InputError("the page of a model is told as a whole; 'gradients:' of its spec chooses")
    names = notation(problem)
    known = {names.name(weight).report for weight in weights_in_order(problem)} if weights else ()
    for weight in weights:
        if weight not in known:
            raise InputError(f"there is no weight '{weight}'; {nearest(weight, known)}")
