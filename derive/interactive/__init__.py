"""The interactive page: one file of HTML that computes what the derivation says."""

from derive.interactive.document import page

__all__ = ["page"]
