"""Along which index letters a recurrence is computed, for the sentences that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.graph import Block as Computed
from derive.render.positions import letter


def walked(block: Computed, fields: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Whether a recurrence goes along a single index, and what is said of its way."""
    turns = [
        {"letter": letter(index.name), "last": str(index.axis.size - 1), "up": walk.step > 0}
        for index, walk in zip(block.walked(0), block.walks, strict=True)
    ]
    if len(turns) == 1:
        return True, {**fields, **turns[0]}
    return False, {**fields, "letters": [t["letter"] for t in turns], "turns": turns}
