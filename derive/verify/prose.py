"""Route 6, too: the sentences of a page, read from the written file.

What a heading announces has to follow it, a reference has to lead to what is said of it, a table
of quantities and the sentence on where a quantity stands have to agree with the graph, a letter
runs over the axis at which it stands, and every symbol belongs where it was told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import zip_longest
from typing import Any

from derive.expression import Index, elements, reads
from derive.graph import Derivation, Graph, Quantity, Role, adjoint_name
from derive.notation import IndexNotation, names_of
from derive.problem import Problem
from derive.render.blocks import Page
from derive.templating import environment
from derive.verify.written import (
    CELL,
    Sort,
    Written,
    braced,
    left_side,
    pieces,
    spaced,
    symbols,
)

RULE = re.compile(r" = | - \\alpha ")  # of gradient descent, which is put together
EQUAL = re.compile(r" = ")
RANGE = re.compile(r"0 \\le (\S+?) < (\d+)(?![\d.])")
SUM = re.compile(r"\\sum_\{(\S+?)=0\}\^\{(\d+)\}")
SLOT = re.compile(r"<<.*?>>|<%.*?%>", re.DOTALL)
LISTED = re.compile(r"\[((?:\"[^\"]*\"(?:, )?)+)\]")
MACRO = re.compile(r"<% macro (\w+)\([^)]*\) -?%>(.*?)<%-? endmacro %>", re.DOTALL)
TITLE = re.compile(r"\\(?:sub)?section\*?\{")
TITLED = re.compile(r"\\(?:sub)?section\*?\{(?:[^{}]|\{[^{}]*\})*\}")
IF = re.compile(r"<% if b\.(\w+) -?%>\s*$")
ELSE = re.compile(r"<% if b\.(\w+) -?%>\\(?:sub)?section\*?\{[^{}]*\}<% else -?%>\s*$")
FORMULA = r"\$([^$]*)\$"
WORDS, FEW_WORDS = 14, 4
MANY = 6  # a longer list of what is asked for is not written out
SAID: Mapping[str, tuple[str, ...]] = {
    "setting": ("first_weight", "last_weight"),
    "given": ("inputs", "targets", "weights", "biases"),
    "delta_rule": ("delta",),
    "model_conventions": ("ranges",),
    "model_adjoint": ("ranges",),
    "model_recurrence": ("names", "letter"),
    "model_recurrence_back": ("names", "letter"),
    "model_upstream": ("name",),
    "model_likes": ("names",),
    "model_alike": ("names", "reads", "makes"),
    "model_update": ("parameter", "states"),
    "model_closing": ("old",),
}
BOOKS = ("{}.tex.j2", "model_{}.tex.j2", "common.tex.j2")


def misread(
    text: str, page: Page, problem: Problem, language: str, derivation: Derivation | None
) -> str:
    """The first sentence of a page that does not say what is so, in words; empty if none."""
    written = _Page(text, page, problem, language, derivation)
    for check in CHECKS:
        for fault in check(written):
            return fault
    return ""


@dataclass(frozen=True)
class _Page:
    """A page as it is written, with what it was told from."""

    text: str
    page: Page
    problem: Problem
    language: str
    derivation: Derivation | None = None

    @cached_property
    def pieces(self) -> Sequence[Written]:
        """The page in order."""
        return pieces(self.text)

    @cached_property
    def loss(self) -> str:
        """The symbol of the loss."""
        return names_of(self.problem).loss().tex

    @cached_property
    def opened(self) -> dict[int, int]:
        """The block that each heading without a formula opens, in order."""
        book, found, now = _book_headings(self.language), {}, 0
        for piece in self.pieces:
            now = max(now, self.owners.get(_label(piece), 0))
            if piece.sort is not Sort.HEADING or symbols(piece.text):
                continue
            for k in range(now, len(self.page.blocks)):
                block = self.page.blocks[k]
                suiting = [h for h in book.get(block.kind, ()) if h.suits(piece.text, block.fields)]
                if suiting:
                    found[id(piece)] = k
                    if not suiting[0].opens:
                        self.inside.add(id(piece))
                    now = k + 1
                    break
        return found

    @cached_property
    def inside(self) -> set[int]:
        """The headings in front of which their block has already begun."""
        return set()

    @cached_property
    def sizes(self) -> dict[tuple[str, int], set[str]]:
        """Over how many places a letter runs that stands at a place of a quantity."""
        if self.derivation is None:
            return {}
        graphs = (self.derivation.forward, self.derivation.backward)
        equations = [equation for graph in graphs for equation in graph.equations]
        exprs = [e for each in equations for e in (each.lhs, each.rhs)]
        exprs += [local.value for local in self.derivation.locals]
        exprs += [step.after for step in self.derivation.steps]
        found: dict[tuple[str, int], set[str]] = {}
        for element in {e for expr in exprs for e in elements(expr)}:
            for k, index in enumerate(element.indices):
                if isinstance(index, Index):
                    name = element.name.removeprefix(adjoint_name(""))
                    found.setdefault((name, k), set()).add(str(index.axis.size))
        return found

    def quantity(self, symbol: str) -> Quantity | None:
        """The quantity of a model that a symbol with indices stands for."""
        if symbol in self.symbols:
            return self.symbols[symbol]
        bare = re.sub(r"_\{[^{}]*\}$", "", symbol)
        return self.symbols.get(bare)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The left side of every display by its label."""
        return {p.label: left_side(p.text) for p in self.pieces if p.label}

    @cached_property
    def owners(self) -> dict[str, int]:
        """The block that makes each label: the first that tells of it."""
        made = {_label(piece) for piece in self.pieces} - {""}
        found: dict[str, int] = {}
        for k, block in enumerate(self.page.blocks):
            for each in _told(block.fields):
                if each in made:
                    found.setdefault(each, k)
        return found

    @cached_property
    def blocks(self) -> list[tuple[int, int]]:
        """The first and the last block that may have told each piece, by the displays beside it."""
        anchors = [
            self.opened.get(id(piece), self.owners.get(_label(piece))) for piece in self.pieces
        ]
        first, last = [], []
        now = 0
        for anchor in anchors:
            now = now if anchor is None else anchor
            first.append(now)
        now, next_label = len(self.page.blocks) - 1, None
        for piece, anchor in zip(reversed(self.pieces), reversed(anchors), strict=True):
            now = now if anchor is None else anchor
            last.append(now)
            if _label(piece):
                next_label = anchor
            elif piece.sort is Sort.HEADING:
                begins = next_label if anchor is None else anchor
                if begins is not None and id(piece) not in self.inside:
                    now = begins - 1
                next_label = None
        return list(zip(first, reversed(last), strict=True))

    @cached_property
    def sections(self) -> list[list[Written]]:
        """The pieces from each heading to the next; what comes before the first is left out."""
        found: list[list[Written]] = []
        for piece in self.pieces:
            if piece.sort is Sort.HEADING:
                found.append([])
            if found:
                found[-1].append(piece)
        return found

    @cached_property
    def symbols(self) -> dict[str, Quantity]:
        """The quantities of a model by their symbols."""
        names, graph = names_of(self.problem), self.problem.graph
        if not isinstance(names, IndexNotation):
            return {}
        return {names.symbol(q.name): q for q in graph.quantities.values()}


def _label(piece: Written) -> str:
    return piece.text if piece.sort is Sort.LABEL else piece.label


def _told(value: Any) -> Iterator[str]:
    """Every finished string of a block, the labels of its displays included."""
    if isinstance(value, str):
        yield spaced(value)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _told(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _told(part)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _told(getattr(value, name))


# --- symbols and references -----------------------------------------------------------------


def _strangers(page: _Page) -> Iterator[str]:
    """Symbols and references that no block of their place tells."""
    fixed = _fixed_symbols(page.language)
    told = [set(_told(block.fields)) for block in page.page.blocks]
    following = [piece.before for piece in page.pieces[1:]]
    for piece, (first, last), after in zip_longest(page.pieces, page.blocks, following):
        here: set[str] = set().union(*told[first : last + 1])
        reference = piece.sort is Sort.REFERENCE and not piece.text.startswith("fig:")
        if reference and piece.text not in here | {"eq:update"}:
            yield f"line {piece.line}: nothing refers to {piece.text} here"
        names = symbols(piece.text) if piece.sort is Sort.HEADING else []
        for name in [piece.text] if piece.sort is Sort.SYMBOL else names:
            if name not in here | fixed and not all(
                part in here | fixed for part in EQUAL.split(name)
            ):
                yield f"line {piece.line}: nothing is said of ${name}$ here"
            elif piece.sort is Sort.SYMBOL and not _in_book(
                piece, after or "", name in here or name not in fixed, page.language
            ):
                yield f"line {piece.line}: '{spaced(piece.before)[-30:]}' does not go with ${name}$"


@cache
def _source(language: str) -> str:
    """The phrase books of a language."""
    jinja = environment("latex")
    assert jinja.loader is not None
    names = [f"latex/{each.format(language)}" for each in BOOKS]
    return "\n".join(jinja.loader.get_source(jinja, name)[0] for name in names)


@cache
def _fixed_symbols(language: str) -> frozenset[str]:
    """The formulas that stand in a phrase book as they are."""
    found = re.findall(r"(?<!\\)\$([^$]*)\$", SLOT.sub("\0", _source(language)))
    plain = [spaced(each) for each in found if "\0" not in each]
    heads = [spaced(each.split("\0")[0]).removesuffix(" =") for each in found if "\0" in each]
    return frozenset({*plain, *filter(None, heads)})


def _in_book(piece: Written, after: str, told: bool, language: str) -> bool:
    """Whether a symbol may follow its words.

    One that only the phrase book has follows the word that it has there; another may not stand
    where the phrase book always has one of its own.
    """
    words = spaced(piece.before.rpartition("\n\n")[2][-WORDS:] + "|").removesuffix("|")
    if not told and "\n\n" not in piece.before:
        last = " ".join(spaced(piece.before).split(" ")[-2:])
        if last.endswith("."):
            return f"${piece.text}${after[:2]}" in _words(language)
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
    return spaced(_source(language))


@cache
def _words(language: str) -> str:
    """The phrase books without their conditions."""
    return spaced(re.sub(r"<%.*?%>", "", _source(language), flags=re.DOTALL))


def _lost(page: _Page) -> Iterator[str]:
    """References that a block tells and the page does not make."""
    there = list(zip(page.pieces, page.blocks, strict=True))
    made, said = (
        [(p.text, range(first, last + 1)) for p, (first, last) in there if p.sort is sort]
        for sort in (Sort.REFERENCE, Sort.SYMBOL)
    )
    for k, block in enumerate(page.page.blocks):
        fields = {**block.fields}
        if fields.get("first_hidden"):  # what is known by then is told again, factor by factor
            fields.pop("known", None)
        told = {each for each in _told(fields) if page.owners.get(each, k) != k}
        for label in sorted(told):
            if not any(label == text and k in near for text, near in made):
                yield f"the reference to {label} was not found on the page"
        for name, label in _pairs(fields):
            if label in told and not any(name == text and k in near for text, near in said):
                yield f"${name}$ was not found on the page, but the reference to {label}"


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    """Symbols with the equations in which they are found."""
    if isinstance(value, Mapping):
        name = value.get("tex", value.get("name"))
        if isinstance(value.get("ref"), str) and isinstance(name, str):
            yield spaced(name), value["ref"]
        for part in value.values():
            yield from _pairs(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _pairs(part)


def _made_up(page: _Page) -> Iterator[str]:
    """Lines that no block tells, where a line is no display of its own."""
    displays = {display.label for display in page.page.displays()}
    told = [set(_told(block.fields)) for block in page.page.blocks]
    for piece, (first, last) in zip(page.pieces, page.blocks, strict=True):
        if piece.sort is Sort.DISPLAY and piece.label not in displays:
            here: set[str] = set().union(*told[first : last + 1])
            if piece.text not in here and not here.issuperset(RULE.split(piece.text)):
                yield f"line {piece.line}: nothing gives '{piece.text[:60]}'"


# --- headings and tables --------------------------------------------------------------------


@dataclass(frozen=True)
class _Heading:
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
def _book_headings(language: str) -> Mapping[str, tuple[_Heading, ...]]:
    """The headings without formulas that each kind of block can have."""
    found = {}
    for match in MACRO.finditer(_source(language)):
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
                headings += [_Heading(each, opens=opens) for each in parts]
            else:
                headings.append(_Heading(words, flag, wanted, opens))
        found[match[1]] = tuple(headings)
    return found


def _unannounced(page: _Page) -> Iterator[str]:
    """Headings that announce something else than what follows, or stand in another place."""
    for section in page.sections:
        heading, *rest = section
        follow = {left_side(piece.text) for piece in rest if piece.sort is Sort.DISPLAY}
        if not symbols(heading.text) and id(heading) not in page.opened:
            yield f"line {heading.line}: nothing has the heading '{heading.text[:60]}' here"
        for name in symbols(heading.text):
            slope = rf"\frac{{\partial {page.loss}}}{{\partial {name}"
            alike = any(
                name in block.fields.get("names", ())
                for block in page.page.blocks
                if block.kind == "model_alike"
            )
            own = any(each == name or each.startswith(f"{name}_") for each in follow)
            told = any(each.startswith((f"{slope}}}", f"{slope}_")) for each in follow)
            if not (told or own or (alike and not follow)):
                yield f"line {heading.line}: ${name}$ is announced, but does not follow"


def _heads(page: _Page) -> Iterator[str]:
    """Table heads that are neither in the phrase book nor told: a word, then what was told."""
    known = _book_heads(page.language)
    for piece, (first, last) in zip(page.pieces, page.blocks, strict=True):
        if piece.sort is not Sort.HEAD or piece.text in known:
            continue
        corner, *cells = (cell.strip() for cell in CELL.split(piece.text))
        near = [block.fields for block in page.page.blocks[first : last + 1]]
        word = f'"{corner}"' in _source(page.language) or corner in set(_told(near))
        if not word or [cell.strip("$") for cell in cells] not in list(_lists(near)):
            yield f"line {piece.line}: no table has the head '{piece.text[:60]}'"


def _lists(value: Any) -> Iterator[list[str]]:
    """The lists of finished strings in a block."""
    parts = value.values() if isinstance(value, Mapping) else value
    if hasattr(value, "__dataclass_fields__"):
        parts = [getattr(value, name) for name in value.__dataclass_fields__]
    if isinstance(parts, str) or not isinstance(parts, Iterable):
        return
    parts = list(parts)
    if all(isinstance(each, str) for each in parts):
        yield [spaced(each) for each in parts]
    for part in parts:
        yield from _lists(part)


@cache
def _book_heads(language: str) -> frozenset[str]:
    """The table heads of the phrase books, for one table and for two side by side."""
    source = _source(language)
    heads = re.findall(r"\\toprule\n(.*?) ?\\\\\n", source)
    plain = [spaced(SLOT.sub("", each)) for each in heads]
    plain += [spaced(re.sub(r"<% if .*?<% endif %>", "", each)) for each in heads]
    words = [" & ".join(re.findall(r'"([^"]*)"', each)) for each in LISTED.findall(source)]
    return frozenset([*plain, *words, *(f"{each} & {each}" for each in words)])


def _misdescribed(page: _Page) -> Iterator[str]:
    """Rows of the table of quantities with another shape or role than the graph has."""
    if not page.symbols:
        return
    table = page.text.partition("\\begin{longtable}")[2].partition("\\end{longtable}")[0]
    said: dict[tuple[str, bool], str] = {}
    described = set()
    upstream = set(page.problem.upstream.values())
    for line in table.splitlines():
        cells = [cell.strip() for cell in CELL.split(line.removesuffix("\\\\").strip())]
        for k in range(0, len(cells) - 2, 3):
            symbol, shape, role = cells[k : k + 3]
            quantity = page.quantity(symbol.strip("$"))
            if quantity is None or not symbol.startswith("$"):
                continue
            described.add(quantity.name)
            sizes = r" \times ".join(str(axis.size) for axis in quantity.axes)
            scalar = f">{shape}<" in _source(page.language)
            if shape != f"${sizes}$" if sizes else not scalar:
                yield f"the shape of {symbol} is ${sizes}$, printed is {shape}"
            kind = "upstream" if quantity.name in upstream else quantity.role.value
            key = (kind, quantity.integer)
            word = said.setdefault(key, role)
            if role != word or any(v == role for each, v in said.items() if each != key):
                yield f"{symbol} is described as {role}"
            if f'"{role.partition(",")[0]}"' not in _source(page.language):
                yield f"{symbol} is described as {role}, which is no role"
    for name in sorted({*page.problem.graph.quantities} - described):
        yield f"'{name}' is missing in the table of quantities"


# --- what is always said ---------------------------------------------------------------------


def _unsaid(page: _Page) -> Iterator[str]:
    """What the sentences of a block always name, and the page does not."""
    for k, block in enumerate(page.page.blocks):
        near = Counter(
            name
            for piece, (first, last) in zip(page.pieces, page.blocks, strict=True)
            if first <= k <= last
            for name in ([piece.text] if piece.sort is Sort.SYMBOL else symbols(piece.text))
            if piece.sort in (Sort.SYMBOL, Sort.HEADING)
        )
        named = [
            spaced(each) for name in SAID.get(block.kind, ()) for each in _told(block.fields[name])
        ]
        said = Counter(dict.fromkeys(named, 1) if block.kind == "setting" else named)
        why = block.fields.get("why") or {}
        if (
            block.kind == "update"
            and block.fields["moved"] != "same"
            and why.get("rising") == "yes"
        ):
            said.update(f"{why[each]} = {why[f'{each}_text']}" for each in ("output", "target"))
        for name, count in said.items():
            if name and near[name] < count:
                yield f"${name}$ was not found where it should be said"


def _asked(page: _Page) -> Iterator[str]:
    """The sentence that says what is differentiated by what."""
    if not page.symbols:
        return
    problem, first = page.problem, []
    for piece in page.pieces:
        if piece.sort is Sort.HEADING:
            break
        first.append(piece.text)
    parameters = [q.name for q in problem.graph.of_role(Role.PARAMETER)]
    wanted = [*(problem.wanted or parameters)]
    names = {q.name: symbol for symbol, q in page.symbols.items()}
    expected = Counter(
        names[n] for n in (*(wanted if len(wanted) <= MANY else ()), *problem.upstream)
    )
    found = Counter(first)
    del expected[page.loss]
    if not found.pop(page.loss, 0) or found != expected:
        yield "the first sentences do not name what is asked for"


# --- quantities -----------------------------------------------------------------------------


def _misplaced(page: _Page) -> Iterator[str]:
    """Sentences that say in which equations a quantity stands, against the graph."""
    if not page.symbols:
        return
    graph = page.problem.graph
    there = _reaching(graph)
    for section in page.sections:
        names = symbols(section[0].text)
        follow = [piece.sort for piece in section].index
        if len(names) != 1 or not any(p.sort is Sort.DISPLAY for p in section):
            continue
        slope = rf"\frac{{\partial {page.loss}}}{{\partial {names[0]}}}"
        if all(left_side(p.text) != slope for p in section if p.sort is Sort.DISPLAY):
            continue
        sentence = [p.text for p in section[1 : follow(Sort.DISPLAY)] if p.sort is Sort.SYMBOL]
        subject = page.quantity(names[0])
        if not sentence or subject is None:
            continue
        readers = [e.quantity.name for e in graph.readers(subject.name)]
        expected = Counter([subject.name, *(each for each in readers if each in there)])
        found = Counter(q.name for each in sentence if (q := page.quantity(each)) is not None)
        loss = graph.loss.name
        del expected[loss], found[loss]
        if not readers or (set(readers) & there) == {loss}:
            continue
        if found != expected:
            words = ", ".join(dict.fromkeys(expected))
            yield f"line {section[0].line}: what is said of ${names[0]}$ should name {words}"


def _reaching(graph: Graph) -> set[str]:
    """What the loss depends on, the loss included."""
    found, waiting = set[str](), [graph.loss.name]
    read = {e.quantity.name: e.rhs for e in graph.equations}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += reads(read[name]) if name in read else []
    return found


# --- letters --------------------------------------------------------------------------------


def _out_of_range(page: _Page) -> Iterator[str]:
    """Letters against the ranges that the page declares, by the axes at which they stand."""
    if not page.symbols:
        return
    shared: dict[str, str] = {}
    waiting: list[Written] = []
    for piece in page.pieces:
        stated = RANGE.findall(piece.text) if piece.sort is Sort.SYMBOL else []
        if stated and not waiting and not shared:
            shared = dict(stated)
        elif stated:
            yield from _of_letters(page, waiting, shared, dict(stated))
            waiting = []
        elif piece.sort is Sort.DISPLAY and piece.label and not piece.label.startswith("eq:at-"):
            yield from _of_letters(page, waiting, shared, {})
            waiting = [piece]
    yield from _of_letters(page, waiting, shared, {})


def _of_letters(
    page: _Page, displays: Sequence[Written], shared: Mapping[str, str], local: Mapping[str, str]
) -> Iterator[str]:
    """The letters of a display; a sum may state the range of its own, a prime keeps that of all."""
    for display in displays:
        own = [(name, str(int(last) + 1)) for name, last in SUM.findall(display.text)]
        for letter, sizes in _uses(page, display.text):
            stated = {size for name, size in own if name == letter}
            stated |= {{**shared, **local}[letter]} if letter in {**shared, **local} else set()
            if letter.endswith("'"):
                stated = {shared[letter.rstrip("'")]} if letter.rstrip("'") in shared else set()
            if stated and sizes and not stated & sizes:
                said, there = (" or ".join(sorted(each)) for each in (stated, sizes))
                yield (
                    f"line {display.line}: {letter} is said to run over {said} places, but stands "
                    f"where there are {there}"
                )


def _uses(page: _Page, formula: str) -> Iterator[tuple[str, set[str]]]:
    """The letters of a formula, with the sizes that a letter at their place can have."""
    for symbol, quantity in page.symbols.items():
        if not quantity.axes:
            continue
        for match in re.finditer(rf"(?<![A-Za-z{{]){re.escape(symbol)}_\{{([^{{}}]*)\}}", formula):
            places = match[1].split(",")
            if len(places) == len(quantity.axes):
                for k, place in enumerate(places):
                    if re.fullmatch(r"[A-Za-z]'*", place):
                        yield place, page.sizes.get((quantity.name, k), set())


CHECKS = (
    _strangers,
    _lost,
    _made_up,
    _unsaid,
    _asked,
    _unannounced,
    _heads,
    _misdescribed,
    _misplaced,
    _out_of_range,
)
