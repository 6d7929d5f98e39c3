"""From a problem to everything that is made of it; no file is touched here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derive.backprop import differentiate
from derive.emit import TARGETS, emit
from derive.graph import Derivation
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.curves import curves
from derive.render.document import latex
from derive.render.drawings import draw
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
    """Derive, tell and emit. `weights` restricts the page to some weights."""
    derivation = differentiate(problem.graph)
    modules = {target: emit(problem, derivation, target) for target in TARGETS}
    drawings = draw(problem, derivation, curves(problem, modules["python"]))
    page = tell(problem, derivation, drawings, weights)
    texts = {language: latex(page, language) for language in languages or problem.languages}
    return Made(problem, derivation, page, texts, modules)
