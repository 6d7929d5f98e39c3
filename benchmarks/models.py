"""What building and differentiating models costs: rows of the library, and stacks of equal layers.

    python benchmarks/models.py

The cost of a stack should grow with its number of layers and no faster: equal layers are
differentiated once. Times are of this process, on this machine; the ratios are what to look at.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from derive import build
from derive.backprop import differentiate
from derive.library.layers import LAYERS
from derive.scaffold import scaffold
from derive.spec import parse_spec


def seconds(text: str) -> tuple[float, float, int]:
    """How long building and differentiating take, and how many derivatives come out."""
    start = time.process_time()
    problem = build(parse_spec(text, "benchmark", "benchmark"))
    built = time.process_time()
    derivation = differentiate(problem.graph, problem.wanted)
    done = time.process_time()
    return built - start, done - built, len(derivation.backward.equations)


def transformer(blocks: int) -> str:
    """Encoder blocks on top of each other."""
    lines = [
        f"  - {{layer: transformer_encoder_block, inputs: x{k}, output: x{k + 1}, "
        "settings: {heads: 4}, sizes: {f: 256}}"
        for k in range(blocks)
    ]
    model = "\n".join(lines)
    loss = f"loss: E = sum(n, t, d, x{blocks}[n,t,d]**2)"
    return f"inputs: {{x0: {{shape: [8, 32, 64]}}}}\nmodel:\n{model}\n{loss}\n"


def convolutions(layers: int) -> str:
    """Convolutions with batch normalisation and ReLU."""
    lines = []
    for k in range(layers):
        lines += [
            f"  - {{layer: conv2d, inputs: x{k}, output: a{k}, settings: {{padding: 1}}, "
            "sizes: {o: 16, r: 3, s: 3}}",
            f"  - {{layer: batch_norm2d, inputs: a{k}, output: b{k}}}",
            f"  - {{layer: relu, inputs: b{k}, output: x{k + 1}}}",
        ]
    model = "\n".join(lines)
    loss = f"loss: E = sum(n, c, h, w, x{layers}[n,c,h,w]**2)"
    return f"inputs: {{x0: {{shape: [4, 16, 32, 32]}}}}\nmodel:\n{model}\n{loss}\n"


def stack(name: str, make: Callable[[int], str], sizes: tuple[int, ...]) -> None:
    """One kind of stack at several heights."""
    first = None
    for size in sizes:
        built, derived, count = seconds(make(size))
        whole = built + derived
        first = first or whole / size
        print(
            f"  {size:>3} {name:<18} build {built:5.2f} s  differentiate {derived:5.2f} s  "
            f"{count:>4} derivatives  {whole / size / first:4.2f} x the first, per layer"
        )


def main() -> None:
    """Print all costs."""
    costs = sorted((seconds(scaffold(name, network=False))[1], name) for name in LAYERS)
    print("the dearest rows of the library, to differentiate")
    for cost, name in reversed(costs[-5:]):
        print(f"  {name:<34} {cost:5.3f} s")
    print("stacks")
    stack("transformer blocks", transformer, (1, 3, 6, 12, 24))
    stack("convolutions", convolutions, (1, 5, 25, 50, 100))


if __name__ == "__main__":
    main()
