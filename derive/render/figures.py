"""Figures of a worked derivation as TikZ source: plain data in, one `tikzpicture` out.

Captions and floats belong to the document. The styles are in `templates/figures/preamble.tex.j2`.
"""

from derive.render.layout import Edge, Network, Node
from derive.render.netfigure import network_figure
from derive.render.pathfigure import Path, path_figure
from derive.render.plots import DescentLabels, descent_figure, training_figure

__all__ = [
    "DescentLabels",
    "Edge",
    "Network",
    "Node",
    "Path",
    "descent_figure",
    "network_figure",
    "path_figure",
    "training_figure",
]
