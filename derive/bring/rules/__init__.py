"""The operations that a spec can say, by their names in ATen: each a row of one of these tables."""

from __future__ import annotations

from collections.abc import Mapping

from derive.bring.rules import (
    attention,
    channels_last,
    entries,
    losses,
    moves,
    products,
    recurrent,
    statistics,
)
from derive.bring.writer import Rule

RULES: Mapping[str, Rule] = {
    **entries.RULES,
    **moves.RULES,
    **products.RULES,
    **statistics.RULES,
    **attention.RULES,
    **recurrent.RULES,
    **losses.RULES,
    **channels_last.RULES,
}
