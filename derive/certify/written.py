"""The certificate of a derivation that is written out: each scalar has theorems of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.certify import figures as numbers
from derive.certify import theorems, within
from derive.certify.figures import Figures
from derive.certify.names import part
from derive.certify.words import Theorem, Words
from derive.render.weights import ALPHA


def section(words: Words, figures: Figures) -> tuple[list[str], tuple[Theorem, ...]]:
    """The section with all definitions and proofs, and its theorems."""
    inner = [within.proofs(each) for each in within.words_within(words)]
    local, sums = list(theorems.local_theorems(words)), list(theorems.adjoint_theorems(words))
    proven, told = list(theorems.derivatives(words)), list(numbers.told_theorems(figures))
    text = [
        *part("The equations of the forward pass.", theorems.equations(words)),
        *_definitions(words, figures),
        *(line for lines, _ in inner for line in lines),
        *_chain_rule(words, local, sums, proven),
    ]
    if told:
        text += part("Where the page tells a formula in other words.", [t.text for t in told])
    of_model = (theorem for _, found in inner for theorem in found)
    return [*text, "End Derivation."], (*of_model, *local, *sums, *proven, *told)


def _definitions(words: Words, figures: Figures) -> Iterator[str]:
    """Both passes, for all given values, whatever they are."""
    yield from part("For all values of what is given.", ["Section Derivation."])
    given = [words(e) for e in words.scalars.given]
    given += [figures.name(ALPHA)] if figures.uses_rate else []
    yield f"Variables {' '.join(given)} : R."
    yield from part("The forward pass.", theorems.values(words))
    assumed = list(theorems.assumptions(words))
    if assumed:
        yield from part("What is taken for granted.", assumed)
    yield from part("The local derivatives.", theorems.slopes(words))
    yield from part("The backward pass.", theorems.adjoints(words))
    later = list(numbers.definitions(figures))
    if later:
        yield from part("The update, and the pass after it.", later)


def _chain_rule(
    words: Words, local: Sequence[Theorem], sums: Sequence[Theorem], proven: Sequence[Theorem]
) -> Iterator[str]:
    """The theorems about each equation and each adjoint, and what joins them."""
    yield from part("Each equation has the local derivatives stated.", [t.text for t in local])
    title = "Each derivative of the loss is the sum over the readers."
    yield from part(title, [t.text for t in sums])
    yield from part("All scalars are moved, each by an amount of its own.", theorems.motion(words))
    yield from part("The chain rule through the graph.", theorems.graph(words))
    yield theorems.joined(words)
    title = "If one scalar alone is moved, by _x, the loss changes at this rate."
    yield from part(title, [t.text for t in proven])
