"""Pictures that the graph of a model draws itself: plain data, written as TikZ and as SVG."""
