"""Coq's text as Coq reads it: comments, sentences, and what is no definition or proof."""

from __future__ import annotations

import re
from collections.abc import Iterator

SENTENCES = re.compile(
    r"""
    Require\ Import\ [\w ]+ | From\ (?:Coquelicot|Interval)\ Require\ Import\ \w+
    | Import\ ListNotations | Open\ Scope\ R_scope | (?:Section|End)\ (?:Graph|Derivation)
    | (?:Definition|Lemma|Theorem|Fixpoint|Inductive|Hypothesis|Variables|Ltac)\ .*
    | Proof | Qed | Print\ Assumptions\ proven(?:_of_numbers)?
    """,
    re.X | re.S,
)
TACTIC = re.compile(r"[-{}]*\s*[a-z<(\[][^\"]*", re.S)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a file, without comments. Raises ValueError for one that does not end."""
    depth, plain = 0, ""
    text = re.sub(r'\bfresh "[A-Za-z]"', "fresh", text)  # the only strings: names in tactics
    for part in re.split(r'(\(\*|\*\)|")', text):
        if part == "(*":
            depth += 1
        elif part == "*)":
            depth -= 1
            if depth < 0:
                raise ValueError("a comment ends that did not begin")
        elif part == '"':
            raise ValueError("a string")
        elif not depth:
            plain += part
    if depth:
        raise ValueError("a comment does not end")
    for each in re.split(r"(?<=\.)(?=\s|$)", plain):
        if each.strip():
            yield each.strip()


def stray(text: str) -> list[str]:
    """What in a certificate is neither a definition, nor a statement, nor a step of a proof."""
    try:
        found = list(sentences(text))
    except ValueError as error:
        return [str(error)]
    inside, wrong = False, []
    for each in found:
        bare = each.removesuffix(".")
        if inside and bare != "Qed":
            if not TACTIC.fullmatch(bare):
                wrong.append(each)
            continue
        inside = bare == "Proof"
        if not SENTENCES.fullmatch(bare) or not each.endswith("."):
            wrong.append(each)
    return wrong
