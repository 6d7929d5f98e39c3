"""The certificate of a derivation that is not written out: one theorem for all letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.certify import joined, sums
from derive.certify.families import Letters, families_of
from derive.certify.kinds import kinds_of
from derive.certify.names import Identifiers, part
from derive.certify.words import Theorem
from derive.graph import Derivation


def section(derivation: Derivation, made: Identifiers) -> tuple[list[str], tuple[Theorem, ...]]:
    """The section with all definitions and proofs, and its theorems. Raises Unprovable."""
    families = families_of(derivation)
    w = Letters(families, made)
    for name in families.derivation.forward.quantities:
        w.of(name)  # quantities keep their names
    for name in families.moving:
        w.adjoint(name)
    kinds = kinds_of(w)
    local, sum_ = list(sums.local_theorems(w, kinds)), list(sums.sum_theorems(w))
    proven = list(joined.derivatives(w))
    text = _text(w, kinds.lemmas, local, sum_, proven)
    return [*text], (*kinds.lemmas, *local, *sum_, *proven)


def _text(
    w: Letters,
    lemmas: Sequence[Theorem],
    local: list[Theorem],
    sum_: list[Theorem],
    proven: list[Theorem],
) -> Iterator[str]:
    if lemmas:
        yield from part("Equations that are one but for names and sizes: once for all of them.")
        yield from (t.text for t in lemmas)
    yield from part("For all lengths of the axes, and all values of what is given.")
    yield "Section Derivation."
    yield from sums.sizes(w)
    yield from sums.variables(w)
    yield from part("The equations of the forward pass.")
    yield from sums.equations(w)
    assumed = list(sums.assumptions(w))
    if assumed:
        yield from part("What is taken for granted.")
        yield from assumed
    yield from part("The local derivatives: of each linear term, at the letters that it has.")
    yield from sums.slopes(w)
    yield from part("The backward pass.")
    yield from sums.adjoints(w)
    yield from part("Each equation has the local derivatives stated.")
    yield from (t.text for t in local)
    yield from part("Each derivative of the loss is the sum over the readers.")
    yield from (t.text for t in sum_)
    yield from part("All quantities are moved, each entry by an amount of its own.")
    yield from joined.movements(w)
    yield from part("The sum of derivatives times rates, from what is read and from what reads.")
    yield from joined.pairings(w)
    yield from joined.both_ways(w)
    yield from part("The chain rule; if one entry alone is moved, the loss changes at this rate.")
    yield from (t.text for t in proven)
    yield "End Derivation."
