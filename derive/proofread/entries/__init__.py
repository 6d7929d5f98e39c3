"""Formulas with free indices, computed entry by entry, and what does not fit in a document."""
