"""A network as the data of its page: every number with the expression that it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from derive.expression import Element
from derive.graph import Derivation, Kind, Role
from derive.interactive.mathml import mathml
from derive.interactive.rows import Templates
from derive.interactive.trees import tree
from derive.notation import UPDATED
from derive.numbers import NumberFormat, Rounding, Zeros
from derive.problem import Problem
from derive.render.drawings import Drawings
from derive.render.order import weights_in_order
from derive.render.pieces import TEX
from derive.render.sheet import Key, Sheet
from derive.render.story import begin, blocks_of
from derive.render.weights import ALPHA, Story

STAGES = ("forward", "error", "gradients", "update", "again")
SCRIPT = replace(TEX, break_line="\n")


@dataclass(frozen=True)
class Told:
    """A problem told to the end, for what its sheet then holds."""

    problem: Problem
    story: Story

    @property
    def sheet(self) -> Sheet:
        return self.story.sheet

    @cached_property
    def keys(self) -> dict[Key, int]:
        """The number of every key of the page, in the order of computation."""
        return {key: k for k, key in enumerate(self.sheet.entries)}

    @cached_property
    def weights(self) -> list[Element]:
        """What is trained and what is frozen, in the order of the network."""
        return sorted(weights_in_order(self.problem), key=self.sheet.rank)

    def number(self, key: Key) -> int | None:
        """The number of a key, if it is on the page."""
        return self.keys.get(key)

    def new(self, weight: Element) -> int | None:
        """The key of a weight after the update; a frozen one has none."""
        return self.number(Element(weight.name + UPDATED, *weight.indices))

    def gradient(self, weight: Element) -> int | None:
        """The key of ∂E/∂w."""
        return self.number(self.story.total(weight))

    def stage(self, key: Key) -> str:
        """Where in the course of one update a number belongs."""
        if not isinstance(key, Element):
            return "again" if key.name == "decrease" else "gradients"
        quantity = self.problem.graph.quantities[key.name.removesuffix(UPDATED)]
        if key.name.endswith(UPDATED):
            return "update" if quantity.role is Role.PARAMETER else "again"
        ends = quantity.kind is Kind.ERROR or quantity.role is Role.LOSS
        return "error" if ends else "forward"

    def kind(self, key: Key) -> str:
        """Which sentence stands with a number."""
        if key in self.sheet.slopes:
            return self._slope(*self.sheet.slopes[key])
        if not isinstance(key, Element):
            return "decrease"
        quantity = self.problem.graph.quantities[key.name.removesuffix(UPDATED)]
        if quantity.role is Role.PARAMETER:
            return "update"
        if quantity.role is Role.LOSS:
            return "loss"
        return {Kind.NET: "net", Kind.OUT: "out", Kind.ERROR: "part"}.get(quantity.kind, "other")

    def _slope(self, of: Key, by: Key) -> str:
        """What a derivative is in the chain."""
        network = self.story.network
        bottom = network.role(by) is Role.PARAMETER
        if network.role(of) is Role.LOSS:
            if bottom:
                return "gradient"
            if network.at_loss(by):
                return "at_loss"
            return "delta" if network.kind(by) is Kind.NET else "paths"
        if bottom:
            return "input"
        return "weight" if network.kind(of) is Kind.NET else "slope"

    # --- where a number lies in the picture ---------------------------------------------------

    def places(self, key: Key) -> list[str]:
        """The parts of the picture that a number is of: units and weights."""
        if key in self.sheet.slopes:
            return [place for part in self.sheet.slopes[key] for place in self.places(part)]
        if not isinstance(key, Element):
            return ["E"]
        name = key.name.removesuffix(UPDATED)
        quantity = self.problem.graph.quantities[name]
        if quantity.role is Role.PARAMETER:
            return [f"w{self.keys[Element(name, *key.indices)]}"]
        if quantity.role in (Role.LOSS, Role.TARGET) or quantity.kind is Kind.ERROR:
            return ["E"]
        return [unit_place(quantity.layer, int(key.indices[-1]))]


def unit_place(layer: int, number: int) -> str:
    """The name of a unit in the picture."""
    return f"u{layer}_{number}"


def told(problem: Problem, derivation: Derivation) -> Told:
    """Tell a network to the end, without figures."""
    story = begin(problem, derivation, SCRIPT)
    blocks_of(story, Drawings())
    return Told(problem, story)


def network_data(network: Told) -> dict[str, Any]:
    """All that drives the page of a network."""
    problem, sheet = network.problem, network.sheet
    templates = Templates(sheet, network.keys)
    keys = [_key(network, key, templates) for key in sheet.entries]
    return {
        "keys": keys,
        "templates": templates.data(),
        "weights": [
            [network.keys[w], network.gradient(w), network.new(w)] for w in network.weights
        ],
        "alpha": network.keys[ALPHA],
        "loss": network.keys[Element(problem.graph.loss.name)],
        "steps": problem.training.steps,
        "stages": [s for s in STAGES if any(key.get("s") == s for key in keys)],
        "format": number_format(problem.numbers),
    }


def number_format(numbers: NumberFormat) -> dict[str, Any]:
    """How the page rounds and writes numbers."""
    return {
        "digits": numbers.given_up().significant_digits,  # asked for where there are no decimals
        "decimals": numbers.decimals,
        "half_up": numbers.rounding is Rounding.HALF_UP,
        "strip": numbers.zeros is Zeros.STRIP,
        "chained": numbers.chained,
    }


def _key(network: Told, key: Key, templates: Templates) -> dict[str, Any]:
    """One number: its names, its text at the start, and for a computed one what it comes from."""
    sheet = network.sheet
    entry = sheet.entries[key]
    name = sheet.name(key)
    found: dict[str, Any] = {"n": name.report, "x": name.tex, "m": mathml(name.tex)}
    found |= {"t": entry.text, "p": list(dict.fromkeys(network.places(key)))}
    if entry.formula is None:
        return {**found, "r": _role(network, key)}
    form = sheet.forms[key]
    rows = [templates.fixed(tex) for tex in form.shown]
    if not entry.formula.is_number:
        rows.append(templates.names(form.write))
    values = templates.values(form.write)
    return {
        **found,
        "f": tree(entry.formula, network.keys.__getitem__),
        "s": network.stage(key),
        "k": network.kind(key),
        "d": rows,
        "v": values,
    }


def _role(network: Told, key: Key) -> str:
    """What is given: an input, a target, a weight, the rate."""
    if not isinstance(key, Element):
        return "rate"
    quantity = network.problem.graph.quantities[key.name]
    if quantity.role is Role.PARAMETER:
        return "bias" if quantity.kind is Kind.BIAS else "weight"
    return quantity.role.value
