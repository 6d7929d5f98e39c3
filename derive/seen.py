"""What a notebook shows of an object, written by a module that is loaded when it is asked for.

The objects know nothing of pages: they are the nouns, and what writes them is far downstream.
"""

from __future__ import annotations

from importlib import import_module

WRITER = "derive.render.seen"


class SeenAsFormula:
    """What is seen as equations."""

    def _repr_latex_(self) -> str:
        return str(import_module(WRITER).formula(self))


class SeenAsText:
    """What is seen as text in Markdown."""

    def _repr_markdown_(self) -> str:
        return str(import_module(WRITER).text(self))
