"""What the phrase books have of their own: headings, table heads, symbols, and their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from derive.templating import environment
from derive.verify.written import Written, braced, spaced

SLOT = re.compile(r"<<.*?>>|<%.*?%>", re.DOTALL)
LISTED = re.compile(r"\[((?:\"[^\"]*\"(?:, )?)+)\]")
MACRO = re.compile(r"<% macro (\w+)\([^)]*\) -?%>(.*?)<%-? endmacro %>", re.DOTALL)
TITLE = re.compile(r"\\(?:sub)?section\*?\{")
TITLED = re.compile(r"\\(?:sub)?section\*?\{(?:[^{}]|\{[^{}]*\})*\}")
IF = re.compile(r"<% if b\.(\w+) -?%>\s*$")
ELSE = re.compile(r"<% if b\.(\w+) -?%>\\(?:sub)?section\*?\{[^{}]*\}<% else -?%>\s*$")
SENTENCE = re.compile(r"(?<=[.?!]) |(?<=[。？！：])")
FORMULA = r"\$([^$]*)\$"
WORDS = 14
FEW_WORDS = 4
BOOKS = ("{}.tex.j2", "model_{}.tex.j2", "common.tex.j2")


@cache
def phrases(language: str) -> str:
    """The phrase books of a language."""
    jinja = environment("latex")
    assert jinja.loader is not None
    names = [f"latex/{each.format(language)}" for each in BOOKS]
    return "\n".join(jinja.loader.get_source(jinja, name)[0] for name in names)


@cache
def fixed_symbols(language: str) -> frozenset[str]:
    """The formulas that stand in a phrase book as they are."""
    found = re.findall(r"(?<!\\)\$([^$]*)\$", SLOT.sub("\0", phrases(language)))
    plain = [spaced(each) for each in found if "\0" not in each]
    heads = [spaced(each.split("\0")[0]).removesuffix(" =") for each in found if "\0" in each]
    return frozenset({*plain, *filter(None, heads)})


def in_book(piece: Written, after: str, told: bool, language: str) -> bool:
    """Whether a symbol may follow its words.

    One that only the phrase book has follows the word that it has there; another may not stand
    where the phrase book always has one of its own.
    """
    words = spaced(piece.before.rpartition("\n\n")[2][-WORDS:] + "|").removesuffix("|")
    if not told and "\n\n" not in piece.before:
        last = " ".join(spaced(piece.before).split(" ")[-2:])
        if last.endswith((".", "。")):
            return f"${piece.text}${after[:2]}" in _words(language)
        last = SENTENCE.split(last)[-1]  # the sentence before may be left out
        close = (f"{last} ${piece.text}$", f"{last}${piece.text}$")
        return not last or any(each in _words(language) for each in close)
    if not told and not words:  # it begins a paragraph
        return f"${piece.text}${after[:2]}" in _words(language)
    if len(words) < FEW_WORDS:
        return True
    pattern = re.escape(words) + " ?" + FORMULA
    follow = {spaced(each) for each in re.findall(pattern, _flat(language))}
    own = {each for each in follow if "<<" not in each and "~" not in each}
    return not own or len(own) < len(follow) or piece.text in own


@cache
def _flat(language: str) -> str:
    return spaced(phrases(language))


@cache
def _words(language: str) -> str:
    """The phrase books without their conditions."""
    return spaced(re.sub(r"<%.*?%>", "", phrases(language), flags=re.DOTALL))


@dataclass(frozen=True)
class Heading:
    """A heading of the phrase book: its words, and a field that must or must not be true."""

    words: str
    flag: str = ""
    wanted: bool = True
    opens: bool = True  # whether nothing of its block stands before it

    def suits(self, text: str, fields: Mapping[str, Any]) -> bool:
        """Whether a block with these fields may open with a heading."""
        if self.flag and bool(fields.get(self.flag)) is not self.wanted:
            return False
        pattern = ""
        for part in re.split(f"({SLOT.pattern})", self.words, flags=re.DOTALL):
            slot = re.fullmatch(r"<<\s*b\.(\w+)\s*>>", part)
            if slot is not None and isinstance(fields.get(slot[1]), str | int):
                pattern += re.escape(str(fields[slot[1]]))
            else:
                pattern += ".*" if part.startswith("<") else re.escape(part)
        return re.fullmatch(pattern, text) is not None


@cache
def book_headings(language: str) -> Mapping[str, tuple[Heading, ...]]:
    """The headings without formulas that each kind of block can have."""
    found = {}
    for match in MACRO.finditer(phrases(language)):
        body, headings = match[2], []
        for title in TITLE.finditer(body):
            words = spaced(braced(body, title.end()))
            before = body[: title.start()]
            only, other = IF.search(before), ELSE.search(before)
            flag, wanted = (only[1], True) if only else (other[1], False) if other else ("", True)
            opens = not TITLED.sub("", SLOT.sub("", before)).strip()
            if "texorpdfstring" in words:  # what a heading may be without its formula
                parts = [
                    each for each in SLOT.split(words) if re.fullmatch(r"[^{}$]*\w[^{}$]*", each)
                ]
                headings += [Heading(each, opens=opens) for each in parts]
            else:
                headings.append(Heading(words, flag, wanted, opens))
        found[match[1]] = tuple(headings)
    return found


@cache
def book_heads(language: str) -> frozenset[str]:
    """The table heads of the phrase books, for one table and for two side by side."""
    source = phrases(language)
    heads = re.findall(r"\\toprule\n(.*?) ?\\\\\n", source)
    plain = [spaced(SLOT.sub("", each)) for each in heads]
    plain += [spaced(re.sub(r"<% if .*?<% endif %>", "", each)) for each in heads]
    words = [" & ".join(re.findall(r'"([^"]*)"', each)) for each in LISTED.findall(source)]
    return frozenset([*plain, *words, *(f"{each} & {each}" for each in words)])
