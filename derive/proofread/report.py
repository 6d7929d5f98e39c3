"""What was found in a document: as lines for a terminal, as data, and as findings for a forge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from derive.proofread.as_spec import spec_of
from derive.proofread.behind import Behind, Stated, above, behind, below
from derive.proofread.check import check, read_through
from derive.proofread.claim import Claim, Item, Unread, Where
from derive.proofread.commas import with_thousands
from derive.proofread.constants import PI, with_circle
from derive.proofread.digits import found_policy
from derive.proofread.documents import Part, parts
from derive.proofread.entries.consistency import inconsistencies
from derive.proofread.entries.ranges import declared
from derive.proofread.formulas import wrong_formulas
from derive.proofread.indexed import wrong_entries
from derive.proofread.macros import Expander
from derive.proofread.plain import plain_lines
from derive.proofread.policy import Policy
from derive.proofread.reader import read
from derive.proofread.reading import OWN, Reading, Remark, Verdict

WIDTH = 96  # of a formula in a report
SHOWN_UNREAD = 5
NO_TEX = "a formula in MathML that is not understood"


@dataclass(frozen=True)
class Checked:
    """A document with the remarks on all its items; `places` says of each item where it stands."""

    name: str
    policy: Policy
    found: bool
    places: tuple[tuple[Part, Item], ...]
    remarks: tuple[Remark, ...]
    network: Behind
    numbers: Mapping[str, Fraction]
    names: tuple[int, int] | None = None

    def spec(self) -> str:
        """The spec of the network that the document states. Raises NoNetwork."""
        items = [item for _, item in self.places]
        return spec_of(items, self.network, self.numbers, self.policy)

    @property
    def own(self) -> list[Remark]:
        """The remarks on errors that do not follow from others."""
        return [remark for remark in self.remarks if remark.verdict in OWN]

    def count(self, *verdicts: Verdict) -> int:
        """How many numbers, or formulas, came to one of some verdicts."""
        return sum(remark.verdict in verdicts for remark in self.remarks)

    def where(self, remark: Remark) -> tuple[str, int]:
        """The part and the line of a remark."""
        return self.places[remark.place][0].label, self.line(remark.place)

    def line(self, place: int) -> int:
        """The line of an item in its part."""
        return self.places[place][1].where.line

    def consequences(self, remark: Remark) -> list[Remark]:
        """What only follows from an error."""
        number = self.remarks.index(remark)
        return [each for each in self.remarks if each.follows == number]


def checked(
    name: str, text: str, policy: Policy | None = None, stated: Stated | None = None
) -> Checked:
    """Check a document, by the ending of its name. Raises DocumentError.

    Without a policy the rule for its digits is found from its numbers. With a network that is
    `stated`, formulas and numbers are held against that; otherwise formulas against the network
    that the document itself states.
    """
    expander = Expander()
    read_parts = parts(name, text)
    told = with_thousands(part.text for part in read_parts)
    read_parts = [replace(part, text=text) for part, text in zip(read_parts, told, strict=True)]
    places = [(part, item) for part in read_parts for item in _items(part, expander)]
    items = with_circle([item for _, item in places])
    rule = found_policy(items) if policy is None else policy
    network, known = behind(items), None
    if stated is None:
        faults = wrong_formulas(items, network)
    else:
        names = _names(items)
        stated = stated.spelled(names)
        known = (len(names & stated.network.known), len(names))
        faults = wrong_formulas(items, stated.network, sure=True)
    ranges = {letter: run for part in read_parts for letter, run in declared(part.text).items()}
    held = inconsistencies(items, rule, ranges)
    meant = [_with_print(item, held.meant.get(number)) for number, item in enumerate(items)]
    faults = {**wrong_entries(meant, rule), **held.words, **faults}
    reading = Reading(rule, faults=faults, network=network, stated=stated)
    read_through(items, reading)
    plain = [(part, claim) for part in read_parts for claim in plain_lines(part.text)]
    judged = [replace(made, instead=held.instead.get(made.place)) for made in reading.remarks]
    remarks = (*judged, *_of_plain(plain, len(places)))
    places += plain
    numbers = {k: v for k, v in reading.printed.numbers.items() if v != PI.value}
    return Checked(name, rule, policy is None, tuple(places), remarks, network, numbers, known)


def _of_plain(lines: Sequence[tuple[Part, Claim]], first: int) -> Iterator[Remark]:
    """The remarks on lines of code, each at its own digits."""
    for remark in check([claim for _, claim in lines], Policy(chained=False)):
        yield replace(remark, place=first + remark.place, follows=None)


def _with_print(item: Item, text: str | None) -> Item:
    return replace(item, printed=text) if text is not None and isinstance(item, Claim) else item


def _names(items: Sequence[Item]) -> set[str]:
    """The names of a document, and those that its derivatives are of and by."""
    return {
        part
        for item in items
        if isinstance(item, Claim)
        for name in item.names
        for part in (above(name), below(name), name)
        if part and "∂" not in part
    }


def _items(part: Part, expander: Expander) -> Iterator[Item]:
    yield from read(part.text, expander)
    yield from (Unread(Where(line, "math"), "", NO_TEX) for line in part.closed)


# --- for a terminal ----------------------------------------------------------------------------


def document_lines(found: Checked) -> Iterator[str]:
    """The findings with their formulas, what could not be read, and how much was right."""
    for remark in found.own:
        yield f"{_place(found, remark)}: {said(remark)}"
        yield from _marked(remark)
        for other in found.consequences(remark):
            yield f"    from it follows {_printed(other)}, line {found.where(other)[1]}"
        yield ""
    unread = [remark for remark in found.remarks if remark.verdict is Verdict.UNREAD]
    for remark in unread[:SHOWN_UNREAD]:
        yield f"{_place(found, remark)}: not read: {remark.reason}"
    if len(unread) > SHOWN_UNREAD:
        yield f"{found.name}: {len(unread) - SHOWN_UNREAD} more were not read"
    yield from _summary(found)


def _place(found: Checked, remark: Remark) -> str:
    label, line = found.where(remark)
    return ":".join(filter(None, (found.name, label, str(line))))


def said(remark: Remark) -> str:
    """A finding in words."""
    if not remark.printed:
        return remark.reason
    right = f", and should be {remark.expected}" if remark.expected is not None else ""
    return f"{remark.name} is printed {remark.printed}{right}" + (
        f": {remark.reason}" if remark.reason else ""
    )


def _printed(remark: Remark) -> str:
    right = "" if remark.expected is None else f", where {remark.expected} would be right"
    return f"{remark.name} = {remark.printed}{right}"


def _marked(remark: Remark) -> Iterator[str]:
    """The formula on one line, cut around the number, with a mark under that."""
    formula = " ".join(remark.item.source.split())
    digits = remark.printed.removeprefix("-")
    start = formula.rfind(digits) if digits else -1
    if start < 0:
        yield f"    {_shown(formula, 0, len(formula))[0]}"
        return
    text, mark = _shown(formula, start, start + len(digits))
    yield f"    {text}"
    yield f"    {' ' * mark}^{'~' * (len(digits) - 1)}"


def _shown(formula: str, start: int, end: int) -> tuple[str, int]:
    """So much of a formula as a line holds, and where in that a place of it is."""
    if len(formula) <= WIDTH:
        return formula, start
    first = max(0, min(end, len(formula)) - WIDTH)
    kept = formula[first : first + WIDTH]
    return (f"…{kept}" if first else f"{kept}…"), start - first + bool(first)


def _summary(found: Checked) -> Iterator[str]:
    numbers = [remark for remark in found.remarks if remark.printed]
    counts = Counter(remark.verdict for remark in numbers)
    words = {
        Verdict.RIGHT: "right",
        Verdict.GIVEN: "given",
        Verdict.FORMULA: "without a value to compare with",
        Verdict.WRONG: "wrong",
        Verdict.DIGITS: "with other digits",
        Verdict.FOLLOWS: "following from these",
    }
    told = ", ".join(
        f"{counts[verdict]} {word}" for verdict, word in words.items() if counts[verdict]
    )
    word = "number" if len(numbers) == 1 else "numbers"
    yield f"{found.name}: {len(numbers)} {word}" + (f": {told}" if told else "")
    formulas = [r for r in found.remarks if not r.printed and r.verdict is not Verdict.UNREAD]
    unread = found.count(Verdict.UNREAD)
    yield f"  {len(formulas)} formulas without a number; {unread} could not be read"
    yield f"  {_rule(found)}"
    if found.names is not None:
        yield f"  {found.names[0]} of {found.names[1]} names are those of the spec"


def _rule(found: Checked) -> str:
    """How the numbers were judged."""
    policy = found.policy
    if policy.digits is None and policy.decimals is None:
        return "each number is judged at its own digits"
    count, unit = (
        (policy.digits, "significant digits")
        if policy.digits is not None
        else (policy.decimals, "decimals")
    )
    going_on = (
        "each line goes on with the rounded numbers before it"
        if policy.chained
        else "lines are computed from unrounded numbers"
    )
    return f"{count} {unit}{', as most numbers have' if found.found else ''}; {going_on}"


# --- as data -----------------------------------------------------------------------------------


def as_json(found: Checked) -> dict[str, Any]:
    """Every remark as plain data; `follows` is the number of another remark."""
    return {
        "document": found.name,
        "good": not found.own,
        "digits": found.policy.digits,
        "decimals": found.policy.decimals,
        "chained": found.policy.chained,
        "remarks": [
            {
                "part": found.where(remark)[0],
                "line": found.where(remark)[1],
                "verdict": remark.verdict.value,
                "name": remark.name,
                "printed": remark.printed,
                "expected": remark.expected,
                "reason": remark.reason,
                "follows": remark.follows,
                "instead": None if remark.instead is None else found.line(remark.instead),
                "source": remark.item.source,
            }
            for remark in found.remarks
        ],
    }


RULES = {
    Verdict.WRONG: "A printed number does not follow from the numbers before it.",
    Verdict.DIGITS: "A printed number is right, and written with other digits than the rest.",
}
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(found: Sequence[Checked], version: str) -> dict[str, Any]:
    """The findings of some documents in the format that forges show in a pull request (2.1.0)."""
    rules = [{"id": rule.value, "shortDescription": {"text": RULES[rule]}} for rule in RULES]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "derive", "version": version, "rules": rules}},
                "results": [_result(each, remark) for each in found for remark in each.own],
            }
        ],
    }


def _result(found: Checked, remark: Remark) -> dict[str, Any]:
    return {
        "ruleId": remark.verdict.value,
        "level": "error" if remark.verdict is Verdict.WRONG else "warning",
        "message": {"text": said(remark)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": found.name},
                    "region": {"startLine": found.where(remark)[1]},
                }
            }
        ],
    }
