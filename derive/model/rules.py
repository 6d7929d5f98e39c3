"""What comes before the lines of an optimizer: the schedule, clipping, weight decay; as lines."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy
from mpmath import mp, mpc

from derive.errors import InputError, LanguageError, nearest
from derive.language import Scope, parse_expression
from derive.library.lines import GIVEN, Rounding, told_of_source
from derive.library.optimizers import OPTIMIZERS, Optimizer, check_lines
from derive.library.row import Number
from derive.library.schedules import SCHEDULES, Schedule
from derive.numbers import MOST_DIGITS, MoreDigits, evaluate, reason
from derive.schema import TrainingSpec
from derive.spec import Path_, SpecFile
from derive.syntax import syntax_tree

ALPHA, K = (sympy.Symbol(name, positive=True) for name in ("alpha", "k"))
NOT_REAL = "this is not a real number"
MOST_TRIED = 200  # updates, of which the learning rate is computed to see whether it is a number


@dataclass(frozen=True)
class Rule:
    """An optimizer with all that the training puts before its lines, and the learning rate.

    `span` is the setting that is the number of updates.
    """

    optimizer: Optimizer
    rate: Fraction
    span: str = ""


def rule_of(file: SpecFile, row: Optimizer, steps: int) -> Rule:
    """The rule of a training that makes so many updates. Raises SpecError."""
    training = file.spec.training
    own = _Names({*GIVEN, *row.states, *row.settings, *(line.target for line in row.written)})
    rate = _base(file, training)
    lines: list[str] = []
    settings: dict[str, Number] = {}
    parts: list[str] = []
    span = ""
    for line, numbers, stretched in _scheduled(file, own, steps, rate):
        span = stretched
        lines.append(line)
        settings |= numbers
        parts.append("schedule")
    if training.clip is not None:
        made, numbers = _clipped(training, own)
        lines += made
        settings |= numbers
        parts.append("value" if training.clip.value is not None else f"norm_{training.clip.over}")
    if training.weight_decay is not None:
        if "decay" in row.settings and row is OPTIMIZERS.get(row.name):
            words = f"{row.name} has a weight decay of its own; say `settings: {{decay: 0.01}}`"
            raise file.fail(("training", "weight_decay"), words)
        made, numbers = _decayed(training, own)
        lines += made
        settings |= numbers
        parts.append("decoupled" if training.weight_decay.l2 is None else "l2")
    if not lines:
        return Rule(row, rate)
    whole = replace(
        row,
        equations="\n".join((*lines, row.equations)),
        settings={**settings, **row.settings},
        parts=tuple(parts),
    )
    _check(file, whole)
    return Rule(whole, rate, span)


def _check(file: SpecFile, row: Optimizer) -> None:
    """A schedule of one's own is tried out with the settings that it has."""
    try:
        check_lines(row)
    except LanguageError as error:
        raise file.fail(("training", "schedule"), str(error)) from None


@dataclass
class _Names:
    """Names that are not given away twice."""

    taken: set[str]

    def __call__(self, name: str) -> str:
        own, number = name, 2
        while own in self.taken:
            own, number = f"{name}{number}", number + 1
        self.taken.add(own)
        return own


# --- the learning rate --------------------------------------------------------------------------


def _base(file: SpecFile, training: TrainingSpec) -> Fraction:
    """The learning rate before its schedule: the factor of a formula that has no k."""
    if not isinstance(training.learning_rate, str):
        return Fraction(training.learning_rate)
    formula = _formula(file, "learning_rate", training.learning_rate, {"k": K})
    if formula == 0:
        words = "a learning rate of 0 changes nothing"
        raise file.fail(("training", "learning_rate"), words)
    factor, _ = formula.as_coeff_Mul()
    return Fraction(int(factor.p), int(factor.q))


def _formula(file: SpecFile, field: str, text: str, known: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """A formula of a learning rate. Raises SpecError."""
    source = " ".join(text.split())
    try:
        return _parsed(source, Scope({}, {}, known))
    except InputError as error:
        raise file.fail(("training", field), str(error)) from None


def _parsed(source: str, scope: Scope) -> sympy.Expr:
    """A formula, in which any numbers may be divided with `//` and `%`. Raises LanguageError."""
    tree = syntax_tree(source)
    rounds = (ast.FloorDiv, ast.Mod)
    if not any(isinstance(node, rounds) for node in ast.walk(tree)):
        return parse_expression(source, scope)
    try:
        return parse_expression(ast.unparse(Rounding(source).visit(tree)), scope)
    except LanguageError as error:
        raise told_of_source(source, error) from None


def _scheduled(
    file: SpecFile, own: _Names, steps: int, rate: Fraction
) -> Iterator[tuple[str, Mapping[str, Number], str]]:
    """The line of the learning rate, if it changes, with its settings and which is the span."""
    training = file.spec.training
    if isinstance(training.learning_rate, str):
        if training.schedule is not None:
            words = "a learning rate that is a formula has its schedule already"
            raise file.fail(("training", "schedule"), words)
        text = " ".join(training.learning_rate.split())
        formula = _formula(file, "learning_rate", text, {"k": K})
        if formula.has(K):
            _check_rates(file, "learning_rate", formula, steps, rate)
            yield _with_rate(text, rate), {}, ""
        return
    if training.schedule is None:
        return
    name, given = _named(file, training.schedule)
    if name is None:
        text = " ".join(str(training.schedule).split())
        formula = _formula(file, "schedule", text, {"alpha": ALPHA, "k": K})
        _check_rates(file, "schedule", formula, steps, rate)
        yield f"alpha = {text}", {}, ""
        return
    row = SCHEDULES[name]
    chosen = _settings(file, row, given, steps)
    names = {setting: own(setting) for setting in chosen}
    formula = row.formula
    for setting, other in names.items():
        formula = _renamed(formula, setting, other)
    span = "" if "steps" in given else names.get("steps", "")
    yield f"alpha = {formula}", {names[s]: v for s, v in chosen.items()}, span


def _check_rates(
    file: SpecFile, field: str, formula: sympy.Expr, steps: int, rate: Fraction
) -> None:
    """Refuse a formula that is no number at an update. Raises SpecError."""
    for number in range(1, min(max(steps, 1), MOST_TRIED) + 1):
        values = {ALPHA: rate, K: Fraction(number)}
        where = ("training", field)
        try:
            found = _value(formula, values)
        except TypeError:  # complex numbers have no order and cannot be rounded
            raise file.fail(where, f"for k = {number} {NOT_REAL}") from None
        except (ArithmeticError, ValueError) as error:
            raise file.fail(where, f"for k = {number} {reason(error)}") from None
        if isinstance(found, mpc):
            raise file.fail(where, f"for k = {number} {NOT_REAL}")


def _value(formula: sympy.Expr, values: Mapping[sympy.Expr, Fraction]) -> object:
    """A learning rate, with as many digits as its sums need."""
    try:
        return evaluate(formula, values.__getitem__)
    except MoreDigits:
        with mp.workdps(MOST_DIGITS):
            return evaluate(formula, values.__getitem__)


def _with_rate(text: str, factor: Fraction) -> str:
    """A formula in k as a line: the learning rate is its factor."""
    if factor == 1:
        return f"alpha = alpha*({text})"
    return f"alpha = alpha*({text})/({factor})"


def _settings(
    file: SpecFile, row: Schedule, given: Mapping[str, Number], steps: int
) -> Mapping[str, Number]:
    """The settings of a schedule; all are above 0, but for the least learning rate."""
    path: Path_ = ("training", "schedule", row.name)
    chosen = {**row.settings, **({"steps": max(steps, 1)} if "steps" in row.settings else {})}
    for setting, value in given.items():
        if setting not in chosen:
            hint = nearest(setting, chosen)
            raise file.fail((*path, setting), f"{row.name} has no such setting; {hint}")
        if setting in row.shares and not 0 < value < 1:
            raise file.fail((*path, setting), f"{setting} must lie between 0 and 1")
        if value < 0 and row.settings[setting] == 0:
            raise file.fail((*path, setting), f"{setting} must not be below 0")
        if value <= 0 and row.settings[setting] != 0:
            raise file.fail((*path, setting), f"{setting} must be above 0")
        chosen[setting] = value
    return chosen


def _renamed(formula: str, old: str, new: str) -> str:
    return re.sub(rf"\b{old}\b", new, formula)


def _named(file: SpecFile, given: object) -> tuple[str | None, Mapping[str, Number]]:
    """The schedule that is meant, and its settings; None if it is a formula."""
    path: Path_ = ("training", "schedule")
    if isinstance(given, str):
        if given.strip().isidentifier() and given.strip() not in ("alpha", "k"):
            return _known(file, path, given.strip()), {}
        return None, {}
    assert isinstance(given, dict)
    if len(given) != 1:
        raise file.fail(path, "a schedule is one name with its settings, {cosine: {least: 0.001}}")
    name, settings = next(iter(given.items()))
    return _known(file, path, name), settings


def _known(file: SpecFile, path: Path_, name: str) -> str:
    if name not in SCHEDULES:
        raise file.fail(path, f"unknown schedule '{name}'; {nearest(name, SCHEDULES)}")
    return name


# --- the gradient and the parameter -------------------------------------------------------------


def _clipped(training: TrainingSpec, own: _Names) -> tuple[list[str], Mapping[str, Number]]:
    clip = training.clip
    assert clip is not None
    bound: Any = clip.norm if clip.value is None else clip.value
    most = own("most")
    if clip.value is not None:
        return [f"g = min(max(g, -{most}), {most})"], {most: bound}
    size, settings = own("size"), {most: bound}
    measured = f"{size} = norm({'parameters' if clip.over == 'all' else 'entries'}, g)"
    if clip.eps:
        eps = own("eps_clip")
        measured, settings = f"{measured} + {eps}", {**settings, eps: clip.eps}
    return [measured, f"g = where({size} > {most}, {most}*g/{size}, g)"], settings


def _decayed(training: TrainingSpec, own: _Names) -> tuple[list[str], Mapping[str, Number]]:
    decay, name = training.weight_decay, own("decay")
    assert decay is not None
    share: Any = decay.decoupled if decay.l2 is None else decay.l2
    line = f"w = w - alpha*{name}*w" if decay.l2 is None else f"g = g + {name}*w"
    return [line], {name: share}
