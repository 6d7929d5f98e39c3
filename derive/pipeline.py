"""From a problem to everything that is made of it; no file is touched here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from derive.backprop import differentiate
from derive.certify import Certificate, certify, kernel_route, marked
from derive.emit import USUAL, EmitError, emit
from derive.emit.program import is_small
from derive.errors import InputError, nearest
from derive.graph import Derivation
from derive.library.layers import LAYERS
from derive.notation import notation
from derive.notebook import notebook
from derive.problem import Problem
from derive.render.blocks import Page
from derive.render.carried import carried, with_digits
from derive.render.curves import curves, training_curve
from derive.render.document import latex
from derive.render.drawings import NO_DRAWINGS, Drawings, draw, draw_training
from derive.render.explain_model import entries_of
from derive.render.markdown import markdown
from derive.render.model_rounds import MOST_ROUNDS
from derive.render.model_story import tell_model
from derive.render.order import in_numbers, weights_in_order
from derive.render.story import tell
from derive.render.tensor_values import NoValue
from derive.render.worked import told_in_numbers
from derive.theme import NO_THEME, Theme
from derive.verify import Report, verify
from derive.verify.report import Route, skipped


@dataclass(frozen=True)
class Made:
    """A problem with what is made of it, each when it is asked for, and once.

    `weights` restricts the page to some weights; `shown` are entries that it is to work out. A page
    that names the file of its certificate has a mark at each equation that is proven there, so it
    is for certificates that were checked. A module that cannot be written is `unwritten`, with the
    reason; the page does not need it, nor the other modules.
    """

    problem: Problem
    languages: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    certificate_file: str = ""
    theme: Theme = NO_THEME
    shown: tuple[str, ...] = ()
    targets: tuple[str, ...] = tuple(USUAL)

    @cached_property
    def derivation(self) -> Derivation:
        """The gradients."""
        return differentiate(self.problem.graph, self.problem.wanted)

    @cached_property
    def page(self) -> Page:
        """The page, free of language. Raises InputError if a number on it is not finite."""
        problem, page = self._written
        if not self.certificate_file:
            return page
        return marked(problem, self.derivation, page, self.certificate, self.certificate_file)

    @cached_property
    def _written(self) -> tuple[Problem, Page]:
        """The page, and its problem with the numbers carried as they are on it."""
        drawings = self._drawn_training() if self.problem.is_model else self._drawings()
        shown = entries_of(self.derivation, self.shown)
        return carried(
            self.problem, lambda told: _page(told, self.derivation, drawings, self.weights, shown)
        )

    @cached_property
    def certificate(self) -> Certificate:
        """The certificate. Raises InputError where no theorem can be stated."""
        problem, page = self._written
        return with_digits(problem, lambda told: certify(told, self.derivation, page))

    @cached_property
    def kernel(self) -> Route:
        """What the kernel of Coq says of the certificate."""
        problem, page = self._written
        return with_digits(problem, lambda told: kernel_route(told, self.derivation, page))

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """The LaTeX of the page by language."""
        languages = self.languages or self.problem.languages
        return {language: latex(self.page, language, self.theme) for language in languages}

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """The modules by target."""
        return {name: text for name, text in self._modules.items() if isinstance(text, str)}

    @cached_property
    def unwritten(self) -> Mapping[str, str]:
        """Why there is no module, by target."""
        return {name: str(why) for name, why in self._modules.items() if not isinstance(why, str)}

    @cached_property
    def _modules(self) -> Mapping[str, str | EmitError]:
        return {target: self._module(target) for target in self.targets}

    def _module(self, target: str) -> str | EmitError:
        try:
            return emit(self.problem, self.derivation, target)
        except EmitError as error:
            return error

    def _drawings(self) -> Drawings:
        """The figures; without curves where a page has no numbers, or nothing computes them."""
        source = self._modules["python"] if in_numbers(self.problem) else None
        if isinstance(source, str):
            try:
                return draw(self.problem, self.derivation, curves(self.problem, source))
            except (ArithmeticError, ValueError):  # the loss leaves its range
                return draw(self.problem, self.derivation, None)
        return draw(self.problem, self.derivation, None)

    def _drawn_training(self) -> Drawings:
        """The loss over the updates of a model, where they are too many for a table."""
        if self.problem.symbolic or self.problem.training.steps <= MOST_ROUNDS:
            return NO_DRAWINGS
        source = self._modules["python"] if told_in_numbers(self.problem) else None
        training = training_curve(self.problem, source) if isinstance(source, str) else ()
        return draw_training(self.problem, training)

    def _repr_markdown_(self) -> str:
        """What a notebook shows of it: the page, in its first language."""
        return markdown(self.page, (self.languages or self.problem.languages)[0])

    def notebook(self, language: str, target: str = "") -> str:
        """The page as a notebook, with the module of a target; the usual one if none is named."""
        problem, page = self._written
        usual = "python" if is_small(problem) else "numpy"
        return notebook(problem, page, language, target or usual, self.theme)

    def verify(
        self, texts: Mapping[str, str] | None = None, modules: Mapping[str, str] | None = None
    ) -> Report:
        """Verify what was made, or what was read back from the files it was written to."""
        report = verify(
            self._written[0],
            self.derivation,
            self.page,
            self.texts if texts is None else texts,
            self.modules if modules is None else modules,
        )
        without = (skipped(f"module {name}", why) for name, why in self.unwritten.items())
        return replace(report, routes=(*report.routes, *without))


def make(
    problem: Problem,
    languages: Sequence[str] = (),
    weights: Sequence[str] = (),
    certificate_file: str = "",
    theme: Theme = NO_THEME,
    shown: Sequence[str] = (),
) -> Made:
    """Everything that is made of a problem. `weights` restricts the page to some weights.

    Of a model `shown` are the entries that the page works out in place of the first ones, such as
    `W[1,2]`. Raises InputError if there is no weight of a given name.
    """
    _check_weights(problem, weights)
    if shown and not problem.is_model:
        raise InputError("the page of a network works out every weight; '--weights' chooses")
    return Made(problem, tuple(languages), tuple(weights), certificate_file, theme, tuple(shown))


def _page(
    problem: Problem,
    derivation: Derivation,
    drawings: Drawings,
    weights: Sequence[str],
    shown: Mapping[str, tuple[int, ...]],
) -> Page:
    try:
        if problem.is_model:
            return tell_model(problem, derivation, drawings, shown)
        return tell(problem, derivation, drawings, weights)
    except (ArithmeticError, ValueError) as error:
        if problem.symbolic:
            raise
        raise InputError(
            f"{problem.name}: at these values, or after the update, a number of the page cannot be "
            f"written: {error}{_asked_of(problem, error)}"
        ) from error


def _asked_of(problem: Problem, error: Exception) -> str:
    """What a function of a matrix asks of it, where the error is in one."""
    for node in problem.nodes:
        row = LAYERS.get(node.row)
        if isinstance(error, NoValue) and error.name in node.defined and row is not None:
            return f"; {row.name}: {row.notes.rstrip('.')}" if row.group == "matrix" else ""
    return ""


def _check_weights(problem: Problem, weights: Sequence[str]) -> None:
    if weights and problem.is_model:
        raise InputError("the page of a model is told as a whole; 'gradients:' of its spec chooses")
    names = notation(problem)
    known = {names.name(weight).report for weight in weights_in_order(problem)} if weights else ()
    for weight in weights:
        if weight not in known:
            raise InputError(f"there is no weight '{weight}'; {nearest(weight, known)}")
