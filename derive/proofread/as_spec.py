"""The spec of the network that a document states: its formulas, its numbers, and what it printed.

So an author goes on from what is written: `derive verify` then judges every print and derives what
was left out.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
import yaml

from derive.proofread.behind import Behind, above, below
from derive.proofread.claim import Claim, Item
from derive.proofread.formula import real_symbol
from derive.proofread.policy import Policy
from derive.proofread.values import decimal_text

OWN_WORDS = frozenset(
    [
        "exp",
        "log",
        "tanh",
        "sin",
        "cos",
        "erf",
        "sqrt",
        "logistic",
        "softplus",
        "max",
        "min",
        "abs",
        "sign",
        "floor",
        "where",
        "sum",
        "size",
        "pi",
        "E",
    ]
)
UPDATED = "+"


class NoNetwork(ValueError):
    """A document that does not state a network; the message says what is missing."""


def spec_of(
    items: Sequence[Item], network: Behind, numbers: Mapping[str, Fraction], policy: Policy
) -> str:
    """The text of a spec. Raises NoNetwork."""
    claims = [item for item in items if isinstance(item, Claim)]
    loss = _loss(claims, network)
    used = network.made_of(loss)
    defined = [name for name in network.names if name in used and name in network.definitions]
    leaves = [name for name in network.names if name in used and name not in network.definitions]
    words = _words([loss, *defined, *leaves])
    values = {**{k: v for k, v in numbers.items() if k in leaves}, **_first(claims, leaves)}
    trained = _trained(claims, leaves, loss)
    given = {True: "parameters", False: "inputs"}
    data: dict[str, Any] = {}
    for kind, section in given.items():
        found = {words[n]: _value(n, values) for n in leaves if (n in trained) is kind}
        if found:
            data[section] = found
    ordered = sorted(defined, key=lambda name: network.order[name])
    data["model"] = [_equation(name, network, words) for name in ordered]
    data["loss"] = words[loss]
    rule = {"significant_digits": policy.digits, "decimals": policy.decimals}
    numbers_of = {key: count for key, count in rule.items() if count is not None}
    rate = _rate(claims, numbers)
    if rate is not None:
        data["training"] = {"learning_rate": _number(rate)}
    data["numbers"] = {**numbers_of, "chained": policy.chained}
    prints = list(_published(claims, network, words, loss))
    if prints:
        data["published"] = prints
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=96)


def _loss(claims: Sequence[Claim], network: Behind) -> str:
    """What most derivatives are of, or else the last number that nothing else is made of."""
    if not network.definitions:
        raise NoNetwork("no formula says what a name is, such as `y = w x + b`")
    counts = Counter(
        above(symbol.name)
        for claim in claims
        for symbol in claim.lhs.free_symbols
        if above(symbol.name) in network.definitions
    )
    if counts:
        return max(counts, key=lambda name: (counts[name], len(network.made_of(name))))
    ends = [name for name in network.definitions if name not in network.readers]
    return max(ends, key=lambda name: len(network.made_of(name)))


def _trained(claims: Sequence[Claim], leaves: Iterable[str], loss: str) -> set[str]:
    """What is updated; or else what the loss is differentiated by; or else weights by name."""
    known = set(leaves)
    names = {symbol.name for claim in claims for symbol in claim.lhs.free_symbols}
    updated = {name.removesuffix(UPDATED) for name in names if name.endswith(UPDATED)} & known
    by = {below(name) for name in names if above(name) == loss} & known
    return updated or by or {name for name in known if re.match(r"[wWbBuU]|theta", name)}


def _rate(claims: Sequence[Claim], numbers: Mapping[str, Fraction]) -> Fraction | None:
    """The learning rate: what a derivative is multiplied with in an update."""
    for claim in claims:
        old = str(claim.lhs).removesuffix(UPDATED)
        if not claim.lhs.is_Symbol or old == str(claim.lhs):
            continue
        for form in claim.forms:
            slope = [s for s in form.free_symbols if below(s.name) == old]
            factor = -form.coeff(slope[0]) if len(slope) == 1 else sympy.Integer(0)
            if factor.is_Symbol and factor.name in numbers:
                return numbers[factor.name]
            if factor.is_Rational and factor > 0:
                return Fraction(int(factor.p), int(factor.q))
    return None


def _first(claims: Sequence[Claim], leaves: Iterable[str]) -> dict[str, Fraction]:
    """The first number that a text gives to what it does not compute."""
    found: dict[str, Fraction] = {}
    known = set(leaves)
    for claim in claims:
        name = str(claim.lhs)
        if claim.lhs.is_Symbol and name in known and claim.printed is not None:
            found.setdefault(name, Fraction(claim.printed))
    return found


def _value(name: str, values: Mapping[str, Fraction]) -> Any:
    if name not in values:
        return {"shape": []}
    return _number(values[name])


def _number(value: Fraction) -> int | float:
    text = decimal_text(value)
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def _words(names: Sequence[str]) -> dict[str, str]:
    """Names as a spec may have them, each another."""
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        word = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9_]", "_", name)).strip("_")
        if not word or not word[0].isalpha():
            word = f"q_{word}".rstrip("_")
        while word in found.values() or word in OWN_WORDS or keyword.iskeyword(word):
            word += "_"
        found[name] = word
    return found


def _equation(name: str, network: Behind, words: Mapping[str, str]) -> str:
    names = {real_symbol(old): real_symbol(new) for old, new in words.items()}
    formula = network.definitions[name].xreplace(names)
    return f"{words[name]} = {sympy.sstr(formula, order='none')}"


def _published(
    claims: Sequence[Claim], network: Behind, words: Mapping[str, str], loss: str
) -> Iterator[dict[str, str]]:
    """What the text prints of what is computed, once for each name."""
    seen: set[str] = set()
    for claim in claims:
        if not claim.lhs.is_Symbol or claim.printed is None:
            continue
        name = _name(str(claim.lhs), network, words, loss)
        if name and name not in seen:
            seen.add(name)
            yield {"name": name, "printed": claim.printed, "where": f"line {claim.where.line}"}


def _name(name: str, network: Behind, words: Mapping[str, str], loss: str) -> str:
    """A name as it is published: of what is computed, of a derivative, of an updated value."""
    if "∂" in name:
        of, by = above(name), below(name)
        known = of in words and by in words and name.count("∂") == 2
        return f"d{'E' if of == loss else words[of]}/d{words[by]}" if known else ""
    if name.endswith(UPDATED) and name.removesuffix(UPDATED) in words:
        return f"{words[name.removesuffix(UPDATED)]}+"
    return words[name] if name in network.definitions and name in words else ""
