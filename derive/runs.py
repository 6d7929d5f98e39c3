"""Named runs: one spec with several sets of values, each a spec of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from derive.errors import InputError, nearest, shown
from derive.schema import DataSpec, RunSpec, Spec
from derive.spec import Path_, SpecFile

GIVEN = ("inputs", "parameters", "targets", "constants")
BY_NAME = (*GIVEN, "sizes", "upstream")
BY_FIELD = ("data", "training", "numbers")
EITHER = {
    "training": ("steps", "epochs"),
    "numbers": ("significant_digits", "decimals"),
}


def run_names(file: SpecFile) -> tuple[str, ...]:
    """The names of the runs of a spec, in order; none if it has only its own values."""
    return tuple(run.name for run in file.spec.runs)


def run_of(file: SpecFile, name: str | None = None) -> SpecFile:
    """The spec of one run, the first if none is named; a spec without runs is what it was.

    Raises InputError if there is no run of that name.
    """
    names = run_names(file)
    if name is None and not names:
        return file
    if name is not None and name not in names:
        hint = nearest(name, names) if names else "this spec has no 'runs'"
        raise InputError(f"{file.source}: there is no run {shown(name)}; {hint}")
    number = 0 if name is None else names.index(name)
    run = file.spec.runs[number]
    _check_names(file, number)
    places: dict[Path_, Path_] = {}
    for field in run.model_fields_set - {"name"}:
        here: Path_ = ("runs", number, field)
        inside = field in (*BY_NAME, *BY_FIELD) and (field,) in file.lines
        each = [step for path in file.lines if path[:3] == here for step in path[3:4]]
        places |= {(field, step): (*here, step) for step in each} if inside else {(field,): here}
    return replace(file, spec=_merged(file.spec, run), places=places)


def _check_names(file: SpecFile, number: int) -> None:
    """What one run gives and nobody else does is a slip of its name."""
    for section in GIVEN:
        runs = [set(getattr(run, section)) for run in file.spec.runs]
        known = set(getattr(file.spec, section)) | set.intersection(*runs)
        for name in getattr(file.spec.runs[number], section):
            if name not in known:
                words = f"neither the spec nor every run gives '{name}'; {nearest(name, known)}"
                raise file.fail(("runs", number, section, name), words)


def _merged(spec: Spec, run: RunSpec) -> Spec:
    """A spec with what a run says in the place of what it says itself."""
    changed: dict[str, Any] = {"runs": [], "title": _title(spec, run)}
    for field in run.model_fields_set - {"name", "title"}:
        own, new = getattr(spec, field), getattr(run, field)
        if field in BY_NAME:
            new = {**own, **new}
        elif field in BY_FIELD:
            new = _by_field(field, own, new)
        changed[field] = new
    made = spec.model_copy(update=changed)
    return made.model_copy(update=_from_the_first(made, run))


def _from_the_first(spec: Spec, run: RunSpec) -> dict[str, Any]:
    """What the first sample of a run gives is also what its quantities begin with."""
    if not run.samples:
        return {}
    first = run.samples[0]
    if spec.network is not None:
        known = {name: rows for name, rows in first.items() if name in DataSpec.model_fields}
        return {"data": spec.data.model_copy(update=known)}
    changed = {}
    for section in set(GIVEN) - {"parameters"}:
        own = getattr(spec, section)
        said = {name: first[name] for name in own if name in first}
        changed[section] = {**own, **said, **getattr(run, section)}
    return changed


def _by_field(section: str, own: BaseModel, new: BaseModel) -> BaseModel:
    """A section with the fields that a run gives; of two that exclude each other only its own."""
    given = {field: getattr(new, field) for field in new.model_fields_set}
    pair = EITHER.get(section, ())
    if any(field in given for field in pair):
        unsaid = {field: type(own).model_fields[field].default for field in pair}
        given = {**unsaid, **given}
    return own.model_copy(update=given)


def _title(spec: Spec, run: RunSpec) -> str | dict[Any, str]:
    """The title of a run: its own, or that of the spec with the name of the run."""
    if run.title:
        return run.title
    if isinstance(spec.title, str):
        return f"{spec.title}: {run.name}" if spec.title else run.name
    return {language: f"{words}: {run.name}" for language, words in spec.title.items()}
