"""How much a spec may ask for. What is more is refused before memory or time is spent on it.

The numbers are far above what a derivation for readers needs, and below what takes a computer of
today minutes or all of its memory.
"""

from __future__ import annotations

from fractions import Fraction

MOST_BYTES = 4 * 2**20  # of a spec; one with all weights of 784-128-10 has a quarter of it
MOST_DOCUMENT = 32 * 2**20  # bytes of a document that is checked; a notebook holds its pictures
MOST_LEVELS = 40  # of lists and mappings within each other
MOST_EQUATIONS = 3_000  # of a model, with those of its layers
MOST_LAYERS = 1_000  # of a network
MOST_UNITS = 100_000  # of a layer; as many values has an index letter at most
MOST_NAMES = 10_000  # of units, one by one
MOST_SAMPLES = 10_000  # that change from update to update
MOST_PRINTS = 10_000  # numbers or tables under `published`
MOST_RUNS = 100  # of one spec, each with values of its own
MOST_CLAIMS = 1_000  # formulas under `claims`
MOST_UPDATES = 1_000_000
MOST_SHEETS = 100_000  # of exercises in one series
MOST_ENTRIES = 10_000_000  # of one quantity, given or computed; values are fewer
MOST_AXES = 12  # of one quantity; an equation has as many index letters at least
MOST_VALUES = 250_000  # numbers given for all quantities together, and as many in samples
MOST_TERMS = 1_000_000_000  # that one equation adds up, over all entries of what it defines
MOST_FOLLOWED = 3_000_000  # multiplications to compute a printed number of a later update
MOST_NETWORK_WORK = 100_000  # the same of a network, whose scalars are cheaper to tell
MOST_WORK = 40_000  # multiplications of a pass through a model whose numbers are told and verified
LONGEST_EQUATION = 10_000  # characters
MOST_NESTING = 60  # brackets within each other
MOST_DIGITS = 40  # of a number in a formula, before the point and behind it
LONGEST_VALUE = 60  # digits of a value, before the point and behind it
LARGEST = Fraction(10) ** 100  # number in a spec
LARGEST_POWER = 4_000  # bits of what an exponential takes: 10^1204, beyond any mask or penalty
LONGEST_PRINT = 400  # digits of a number of a page, with those behind the point


def too_many(count: int, most: int, what: str, whose: str) -> str:
    """What to say of more than is allowed: "here are 2,000 layers; a network has at most 1,000"."""
    return f"here are {count:,} {what}; {whose} has at most {most:,}"
