"""Along which index letters a recurrence is computed, for the sentences that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.graph import Block as Computed
from derive.render.blocks import Block
from derive.render.positions import letter


def walked(block: Computed, fields: Mapping[str, Any], kinds: tuple[str, str]) -> Block:
    """What is said of a recurrence: of the first kind along one index, else of the second."""
    turns = [
        {"letter": letter(index.name), "last": str(index.axis.size - 1), "up": walk.step > 0}
        for index, walk in zip(block.walked(0), block.walks, strict=True)
    ]
    if len(turns) == 1:
        return Block(kinds[0], {**fields, **turns[0]})
    return Block(kinds[1], {**fields, "letters": [t["letter"] for t in turns], "turns": turns})
