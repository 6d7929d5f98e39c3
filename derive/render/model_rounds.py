"""The updates after the first: the loss and the parameters of every round, in a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice

from derive.expression import Element
from derive.graph import Quantity
from derive.notation import UPDATED, Name
from derive.render.blocks import Block
from derive.render.drawings import Drawings
from derive.render.model_form import ModelForm
from derive.render.model_update import trained, update
from derive.render.optimizer_lines import own_symbol
from derive.render.sheet import Entry
from derive.render.tensor_values import Place, Values, places
from derive.render.unit_tables import TableRow
from derive.render.weights import ALPHA_NAME
from derive.render.whole_update import below, own_rate, state_of
from derive.render.worked import Bench

MOST_ROUNDS = 12  # a longer training is told by its first round
MOST_COLUMNS = 6
NONE = "-"


def rounds(form: ModelForm, start: Values) -> Iterator[Values]:
    """The numbers before the first update, after it, after the second, and so on without end.

    `start` holds the first update already. Raises ValueError or ArithmeticError where a number is
    not finite and real.
    """
    values, number = start, 0
    while True:
        yield values
        number += 1
        values = _next(form, values, number)


def _next(form: ModelForm, before: Values, number: int) -> Values:
    """The numbers of the next round: its sample, the new parameters and states, both passes."""
    values = Values(before.format)
    for quantity in form.problem.graph.given:
        for place in places(quantity):
            _give(form, before, values, (quantity.name, place), number)
    for quantity in trained(form):
        for state in form.problem.training.optimizer.states:
            name = state_of(state, quantity.name)
            for place in places(quantity):
                _carry(before, values, (name, place))
    values.run(form.problem.graph.blocks)
    values.run(form.derivation.backward.blocks)
    update(form, values, number + 1)
    return values


def _give(form: ModelForm, before: Values, values: Values, key: Place, number: int) -> None:
    """One given number: of the sample whose turn it is, or as the last update left it."""
    samples = form.problem.samples
    sample = samples[number % len(samples)] if samples else {}
    if key[0] in sample:
        values.give(key, sample[key[0]][key[1]])
        return
    _carry(before, values, key)
    new = (key[0] + UPDATED, key[1])
    values.texts[key] = before.texts[new if new in before.texts else key]


def _carry(before: Values, values: Values, key: Place) -> None:
    """A number of the next round is the updated one of the round before, if there is one."""
    new = (key[0] + UPDATED, key[1])
    source = new if new in before.exact else key
    values.exact[key], values.page[key] = before.exact[source], before.page[source]


def told_rounds(form: ModelForm, bench: Bench) -> list[Values]:
    """The rounds that the page has a table of: all of them, or none if they are too many."""
    steps = form.problem.training.steps
    if not trained(form) or not _columns(form) or not 2 <= steps <= MOST_ROUNDS:
        return []
    return list(islice(rounds(form, bench.values), steps + 1))


def _columns(form: ModelForm) -> list[tuple[Quantity, tuple[int, ...]]]:
    """The loss if there is one, and the entries of the parameters if they are few."""
    entries = [(q, place) for q in trained(form) for place in places(q)]
    losses = [] if form.problem.upstream else [(form.problem.graph.loss, ())]
    return [*losses, *(entries if len(entries) < MOST_COLUMNS else ())]


def round_blocks(form: ModelForm, told: list[Values]) -> Iterator[Block]:
    """A table with a line for each round."""
    if not told:
        return
    columns, rates = _columns(form), _rates(form, told)
    heads = [form.leaf(Element(q.name, *place)).tex for q, place in columns]
    yield Block(
        "model_rounds",
        {
            "loss": form.names.loss().tex,
            "steps": len(told) - 1,
            "heads": [*([_rate_name(form).tex] if rates else []), *heads],
            "rows": [
                TableRow(str(k), (*rates[k : k + 1], *_cells(values, columns)))
                for k, values in enumerate(told)
            ],
            "samples": len(form.problem.samples),
        },
    )


def _cells(values: Values, columns: Sequence[tuple[Quantity, tuple[int, ...]]]) -> Iterator[str]:
    for quantity, place in columns:
        yield values.tex((quantity.name, place))


def _rate_name(form: ModelForm) -> Name:
    return Name("alpha_now", below(ALPHA_NAME.tex, [own_symbol(form, "k")]), "alpha_now")


def _rates(form: ModelForm, told: list[Values]) -> list[str]:
    """The learning rate of each update, if it changes; there is none before the first."""
    rates = _rate_entries(form, told)
    return [NONE, *(told[0].format.shown(each.text or "") for each in rates)] if rates else []


def _rate_entries(form: ModelForm, told: list[Values]) -> list[Entry]:
    key = own_rate(form.problem.training.optimizer), ()
    found = []
    for number, values in enumerate(told[:-1] if key[0] else (), 1):
        text = values.format.text(values.page[key])
        name = _rate_name(form).after(number)
        found.append(Entry(name, values.exact[key], Fraction(text), text))
    return found


def training_blocks(form: ModelForm, drawings: Drawings) -> Iterator[Block]:
    """The figure of a training that is too long for a table."""
    if drawings.training:
        yield Block(
            "model_training",
            {
                "tikz": drawings.training,
                "steps": form.problem.training.steps,
                "last": drawings.last_loss,
            },
        )


def round_entries(form: ModelForm, told: list[Values]) -> dict[str, Entry]:
    """The numbers of the table from the second update on, under their names in reports."""
    found = {each.name.report: each for each in _rate_entries(form, told)}
    for k, values in enumerate(told[2:], 2):
        for quantity, place in _columns(form):
            name = form.names.name(Element(quantity.name, *place)).after(k)
            found[name.report] = values.entry((quantity.name, place), name)
    return found
