"""Proof-reader of worked derivations: reads displayed chains and judges every number in them."""

from derive.proofread.claim import Claim, Finding, Item, Kind, Unread, Where
from derive.proofread.formula import parse_formula, symbol_name
from derive.proofread.judge import judge
from derive.proofread.policy import Policy
from derive.proofread.reader import read
from derive.proofread.tokens import FormulaError
from derive.proofread.values import Rounding

__all__ = [
    "Claim",
    "Finding",
    "FormulaError",
    "Item",
    "Kind",
    "Policy",
    "Rounding",
    "Unread",
    "Where",
    "judge",
    "parse_formula",
    "read",
    "symbol_name",
]
