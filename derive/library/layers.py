"""Every layer of the library by its name."""

from __future__ import annotations

from derive.library import (
    activations,
    attention,
    convolution,
    linear,
    matrices,
    normalisation,
    recurrent,
    resampling,
)

ROWS = (
    *linear.ROWS,
    *matrices.ROWS,
    *convolution.ROWS,
    *resampling.ROWS,
    *normalisation.ROWS,
    *recurrent.ROWS,
    *attention.ROWS,
    *(row.layer for row in activations.ROWS),
    *activations.GATED,
)
LAYERS = {row.name: row for row in ROWS}
