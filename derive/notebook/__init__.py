"""The page of a spec as a notebook that holds its own numbers against its own program."""

from derive.notebook.document import notebook

__all__ = ["notebook"]
