"""What a derivation costs: time to differentiate and emit, by width and by depth.

    python benchmarks/derive_cost.py

Every figure is a median of five runs in this process, SymPy's cache emptied before each. The last
columns are ratios within the run: to the cost of the smallest network, and to SymPy differentiating
the written-out loss weight by weight (only where that ends within seconds).
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import sympy
from sympy.core.cache import clear_cache

from derive.backprop import differentiate
from derive.build import build
from derive.emit import emit
from derive.problem import Problem
from derive.spec import parse_spec

RUNS = 5
SYMPY_LIMIT = 50  # weights


def problem(sizes: tuple[int, ...]) -> Problem:
    """A logistic network without values."""
    layers = "".join(f"    - {{dense: {size}, activation: logistic}}\n" for size in sizes[1:])
    text = f"network:\n  inputs: {sizes[0]}\n  layers:\n{layers}  loss: half_squared_error\n"
    return build(parse_spec(text, "benchmark", "benchmark"))


def seconds(work: Callable[[], object]) -> float:
    """The median time of a few runs."""
    times = []
    for _ in range(RUNS):
        clear_cache()  # SymPy remembers results; a user derives a network once
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def by_sympy(sizes: tuple[int, ...]) -> None:
    """The naive way: write the loss out and differentiate it by each weight."""
    values: list[sympy.Expr] = list(sympy.symbols(f"x:{sizes[0]}"))
    weights: list[sympy.Symbol] = []
    for layer, (before, after) in enumerate(pairwise(sizes)):
        rows = [sympy.symbols(f"w{layer}_{k}_:{before + 1}") for k in range(after)]
        weights += [w for row in rows for w in row]
        nets = [row[-1] + sum(w * v for w, v in zip(row, values, strict=False)) for row in rows]
        values = [1 / (1 + sympy.exp(-net)) for net in nets]
    loss = sum((v - t) ** 2 for v, t in zip(values, sympy.symbols(f"t:{sizes[-1]}"), strict=True))
    for weight in weights:
        sympy.diff(loss / 2, weight)


def main() -> None:
    shapes = [(n, n, n) for n in (2, 4, 8, 16, 32, 64)] + [(784, 128, 10)]
    shapes += [(4,) * (depth + 1) for depth in (4, 8, 16, 32)]
    differentiate(problem((2, 2, 2)).graph)  # the slopes of the functions are derived once
    heads = ("weights", "derive", "emit", "to 2-2-2", "SymPy/ours")
    print(f"{'network':>16}" + "".join(f"{head:>12}" for head in heads))
    first = 0.0
    for sizes in shapes:
        made = problem(sizes)
        derivation = differentiate(made.graph)
        derive_time = seconds(lambda g=made.graph: differentiate(g))
        emit_time = seconds(lambda p=made, d=derivation: emit(p, d, "python"))
        count = sum(math.prod(q.shape) for q in made.graph.of_role("parameter"))
        total = derive_time + emit_time
        first = first or total
        small = count <= SYMPY_LIMIT
        ratio = seconds(lambda s=sizes: by_sympy(s)) / total if small else None
        name = "-".join(map(str, sizes)) if len(sizes) < 5 else f"{sizes[0]} x {len(sizes) - 1}"
        cells = (
            str(count),
            f"{derive_time * 1e3:.1f} ms",
            f"{emit_time * 1e3:.1f} ms",
            f"{total / first:.1f}",
            "-" if ratio is None else f"{ratio:.0f}",
        )
        print(f"{name:>16}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
