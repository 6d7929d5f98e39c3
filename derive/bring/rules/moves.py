"""Operations that only bring entries elsewhere: reshapes, slices, joins."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from derive.bring.operation import Ref, Unsayable, Value
from derive.bring.writer import Rule, Use
from derive.library.layers import LAYERS

MOST_SUMMED = 100_000_000  # terms of a sum over all places; beyond, they are divided
RESHAPES = (
    *("reshape", "view", "_unsafe_view", "flatten", "unflatten"),
    *("squeeze", "unsqueeze", "view_as", "reshape_as"),
)
FLATTENED = {2: "flatten", 3: "flatten3"}
Group = tuple[list[int], list[int]]


def _groups(before: Sequence[int], after: Sequence[int]) -> Iterator[Group]:
    """Axes that become axes, as few together as possible; axes of 1 are left out."""
    left = [k for k, size in enumerate(before) if size != 1]
    right = [k for k, size in enumerate(after) if size != 1]
    while left or right:
        own, made = [left.pop(0)], [right.pop(0)]
        while (a := math.prod(before[k] for k in own)) != (b := math.prod(after[k] for k in made)):
            (own if a < b else made).append((left if a < b else right).pop(0))
        yield own, made


def _between(before: Sequence[int], after: Sequence[int]) -> tuple[int, ...]:
    """A shape on the way, where several axes become several: those that divide both, or one axis.

    Nothing if each step is from one axis, or to one.
    """
    found: list[int] = []
    needed = False
    for own, made in _groups(before, after):
        sizes = [before[k] for k in own]
        if len(own) > 1 and len(made) > 1:
            needed = True
            ends = {math.prod(sizes[: k + 1]) for k in range(len(sizes))}
            ends |= {math.prod(after[m] for m in made[: k + 1]) for k in range(len(made))}
            cuts = [1, *sorted(ends)]
            steps = list(pairwise(cuts))
            whole = all(b % a == 0 for a, b in steps)
            sizes = [b // a for a, b in steps if b > a] if whole else [math.prod(sizes)]
        found += sizes
    return tuple(found) if needed else ()


def _flat(letters: Sequence[str], sizes: Sequence[int]) -> str:
    """The place in one axis of places in several, row by row."""
    terms = []
    for k, letter in enumerate(letters):
        step = math.prod(sizes[k + 1 :])
        terms.append(letter if step == 1 else f"{step}*{letter}")
    return " + ".join(terms)


def _reshape(use: Use) -> None:
    reshape(use, use.ref(), use.out().shape)


def reshape(use: Use, source: str, after: Sequence[int]) -> None:
    """Let the result be a value in another shape."""
    w = use.writer
    before = w.values[source].shape
    if source in w.fixed:
        w.fixed[use.operation.outputs[0]] = w.fixed[source]
        return
    whole = w.values[source].whole
    if not whole and (between := _between(before, after)):
        letters = w.letters(between)
        text = w.read(source, _positions(before, between, letters))
        source, before = f"{use.operation.outputs[0]}_parts", between
        w.values[source] = Value(between)
        w.quantities[source] = use.extra(source, letters, text)
    groups = list(_groups(before, after))
    if all(len(own) == len(made) == 1 for own, made in groups) and len(before) == len(after):
        use.same(source)
        return
    merged = [own for own, made in groups if len(own) > 1 and len(made) == 1]
    last = groups and groups[-1][0] in ([*range(len(before))][-n:] for n in FLATTENED)
    kept = len(before) - len(groups[-1][0]) if groups else 0
    if len(merged) == 1 and last and not whole and len(after) == kept + 1 == len(groups):
        use.layer(FLATTENED[len(merged[0])], [w.quantity(source)])
        return
    if not whole and len(merged) == 1 and all(len(o) == 1 or len(m) == 1 for o, m in groups):
        own = merged[0]
        if math.prod(after) * math.prod(before[k] for k in own) < MOST_SUMMED:
            _joined(use, source, after, groups, own)
            return
    letters = w.letters(after)
    _moved(use, source, letters, _positions(before, after, letters))


def _positions(before: Sequence[int], after: Sequence[int], letters: Sequence[str]) -> list[str]:
    """Where an entry of a reshaped value lies in the value."""
    positions = ["0"] * len(before)
    for own, made in _groups(before, after):
        flat = _flat([letters[k] for k in made], [after[k] for k in made])
        for place, k in enumerate(own):
            positions[k] = _part(flat, [before[m] for m in own], place)
    return positions


def _joined(
    use: Use, source: str, after: Sequence[int], groups: list[Group], own: list[int]
) -> None:
    """Several axes as one: the sum over their places of what lies at the place of the result."""
    w = use.writer
    letters = w.letters(after)
    before, positions, place = w.values[source].shape, ["0"] * len(w.values[source].shape), ""
    bound = w.letters([before[k] for k in own], letters)
    for held, made in groups:
        if held == own:
            for k, letter in zip(own, bound, strict=True):
                positions[k] = letter
            place = f"({letters[made[0]]} == {_flat(bound, [before[k] for k in own])})"
        else:
            positions[held[0]] = _flat([letters[k] for k in made], [after[k] for k in made])
    use.equation(letters, f"sum({', '.join(bound)}, {w.read(source, positions)}*{place})")


def _moved(use: Use, source: str, letters: Sequence[str], positions: Sequence[str]) -> None:
    w = use.writer
    if w.values[source].whole:
        use.moved(letters, positions, use_name(use, source))
    else:
        use.equation(letters, w.read(source, positions))


def use_name(use: Use, source: str) -> str:
    """The name of the argument that a value is."""
    return next(name for name, each in use.operation.arguments.items() if each == Ref(source))


def _part(flat: str, sizes: Sequence[int], place: int) -> str:
    """One of several places that a place in one axis stands for."""
    if len(sizes) == 1:
        return flat
    step = math.prod(sizes[place + 1 :])
    held = f"({flat})" if " " in flat or "*" in flat else flat
    text = held if step == 1 else f"{held} // {step}"
    return text if place == 0 else f"{text} % {sizes[place]}"


def _permute(use: Use, order: Sequence[int]) -> None:
    letters = use.writer.letters(use.out().shape)
    positions = [letters[list(order).index(k)] for k in range(len(order))]
    use.moved(letters, positions)


def _permuted(use: Use) -> None:
    count = len(use.shape())
    _permute(use, [axis % count for axis in use.wholes("dims", count, 0)])


def _transposed(use: Use) -> None:
    order = list(range(len(use.shape())))
    a, b = (0, 1) if not use.given("dim0") else (use.axis("dim0"), use.axis("dim1"))
    if len(order) > 1:
        order[a], order[b] = order[b], order[a]
    _permute(use, order)


def _selected(use: Use) -> None:
    axis, letters = use.axis(), use.writer.letters(use.out().shape)
    index = use.whole("index", 0) % use.shape()[axis]
    use.moved(letters, [*letters[:axis], str(index), *letters[axis:]])


def _slice(use: Use, k: int, axis: int, start: int, step: int = 1) -> None:
    """Let a result be a part of the argument."""
    shape, size = use.out(k).shape, use.shape()[axis]
    letters = use.writer.letters(shape)
    if step == 1 and start == 0 and shape[axis] == size:
        use.same(use.ref())
        return
    factor = "" if step == 1 else f"{step}*"
    position = f"{factor}{letters[axis]} + {start}"
    positions = [*letters[:axis], position, *letters[axis + 1 :]]
    if k == 0:
        use.moved(letters, positions)
    else:
        use.equation(letters, use.read("self", positions), k)


def _sliced(use: Use) -> None:
    axis = use.axis(default=0)
    start, size = use.whole("start", 0), use.shape()[axis]
    _slice(use, 0, axis, max(start + size if start < 0 else start, 0), use.whole("step", 1))


def _narrowed(use: Use) -> None:
    _slice(use, 0, use.axis(), use.whole("start", 0))


def _split(use: Use) -> None:
    axis, start = use.axis(default=0), 0
    if use.shape()[axis] == use.out().shape[axis]:
        use.same(use.ref())
        return
    for k in range(len(use.operation.outputs)):
        _slice(use, k, axis, start)
        start += use.out(k).shape[axis]


def _unbound(use: Use) -> None:
    axis = use.axis(default=0)
    for k in range(len(use.operation.outputs)):
        letters = use.writer.letters(use.out(k).shape)
        positions = [*letters[:axis], str(k), *letters[axis:]]
        use.equation(letters, use.read("self", positions), k)


def _cat(use: Use) -> None:
    """Each part is read at its own places; beyond them it reads as zero."""
    w, shape = use.writer, use.out().shape
    parts = [name for name in use.refs("tensors") if w.values[name].shape != (0,)]
    axis, letters, start = use.whole("dim", 0) % len(shape), w.letters(shape), 0
    texts = []
    for name in parts:
        if name in w.readings or name in w.fixed:
            w.quantity(name)
        place = f"{letters[axis]} - {start}" if start else f"{letters[axis]} + 0"
        place = letters[axis] if w.values[name].shape == shape else place
        texts.append(w.read(name, [*letters[:axis], place, *letters[axis + 1 :]]))
        start += w.values[name].shape[axis]
    use.equation(letters, " + ".join(texts))


def _stack(use: Use) -> None:
    w, shape = use.writer, use.out().shape
    axis, letters = use.whole("dim", 0) % len(shape), w.letters(shape)
    inner = [*letters[:axis], *letters[axis + 1 :]]
    parts = enumerate(use.refs("tensors"))
    use.equation(
        letters, " + ".join(f"({letters[axis]} == {k})*{w.read(x, inner)}" for k, x in parts)
    )


def _expanded(use: Use) -> None:
    shape, own = use.out().shape, use.shape()
    if shape == own:
        use.same(use.ref())
        return
    letters = use.writer.letters(shape)
    pairs = zip(letters[len(shape) - len(own) :], own, shape[len(shape) - len(own) :], strict=True)
    use.moved(letters, ["0" if n == 1 and full != 1 else x for x, n, full in pairs])


def _repeated(use: Use) -> None:
    shape, own = use.out().shape, use.shape()
    letters = use.writer.letters(shape)
    pairs = zip(letters[len(shape) - len(own) :], own, shape[len(shape) - len(own) :], strict=True)
    use.moved(letters, ["0" if n == 1 else x if n == m else f"{x} % {n}" for x, n, m in pairs])


def _accumulated(use: Use) -> None:
    axis, letters = use.axis(), use.writer.letters(use.out().shape)
    if use.writer.values[use.ref()].whole:
        raise Unsayable("it adds up whole numbers")
    use.equation(letters, f"cumsum({letters[axis]}, {use.read('self', letters)})")


def _broadcast(use: Use) -> None:
    """Several values, each repeated to the shape of all."""
    for k, name in enumerate(use.refs("tensors")):
        letters = use.writer.letters(use.out(k).shape)
        if use.out(k).shape == use.writer.values[name].shape:
            use.same(name, k)
        else:
            use.equation(letters, use.entry(Ref(name), letters), k)


def _triangle(sign: str) -> Rule:
    def rule(use: Use) -> None:
        letters, offset = use.writer.letters(use.out().shape), use.whole("diagonal", 0)
        row, column = letters[-2:]
        entry = use.read("self", letters)
        text = f"where({column} {sign} {row} + {offset}, {entry}, 0)"
        text = text.replace(" + 0,", ",")
        use.equation(letters, text)

    return rule


def _rolled(use: Use) -> None:
    shape = use.out().shape
    letters, positions = use.writer.letters(shape), use.writer.letters(shape)
    axes = use.axes("dims")
    for axis, shift in zip(axes, use.wholes("shifts", len(axes), 0), strict=True):
        positions[axis] = f"({letters[axis]} + {-shift % shape[axis]}) % {shape[axis]}"
    use.moved(letters, positions)


def _flipped(use: Use) -> None:
    shape, axes = use.out().shape, use.axes("dims")
    letters = use.writer.letters(shape)
    turned = (
        f"{n - 1} - {x}" if k in axes else x
        for k, (x, n) in enumerate(zip(letters, shape, strict=True))
    )
    use.moved(letters, list(turned))


def _padded(use: Use) -> None:
    pads, count = use.wholes("pad", 2, 0), len(use.shape())
    if use.get("mode") in ("reflect", "circular"):
        row = f"{use.get('mode')}_pad{len(pads) // 2}d"
        if len(set(pads)) > 1 or row not in LAYERS:
            raise Unsayable("it pads in another way than by zeros, and not all sides alike")
        use.layer(row, [use.quantity()], settings={"padding": pads[0]} if pads[0] != 1 else {})
        return
    if use.get("mode", "constant") != "constant" or use.number("value", 0) != 0:
        raise Unsayable("it pads with something else than zeros or what is mirrored")
    letters = use.writer.letters(use.out().shape)
    positions = list(letters)
    for k in range(len(pads) // 2):
        axis = count - 1 - k
        if pads[2 * k] or pads[2 * k + 1]:
            positions[axis] = f"{letters[axis]} - {pads[2 * k]}"
    use.moved(letters, positions)


def _indexed(use: Use) -> None:
    """Rows picked by whole numbers along one axis."""
    picked = use.get("indices")
    axis = 0
    if isinstance(picked, tuple):
        chosen = [k for k, each in enumerate(picked) if each is not None]
        if len(chosen) != 1:
            raise Unsayable("it is indexed by several tables at once")
        axis = chosen[0]
        places = picked[axis]
    else:
        places, axis = use.get("index"), use.axis()
    if not isinstance(places, Ref):
        raise Unsayable("it is indexed by something else than whole numbers")
    picks = use.writer.values[places.name].shape
    letters = use.writer.letters(use.out().shape)
    inner = use.writer.read(places.name, letters[axis : axis + len(picks)])
    use.moved(letters, [*letters[:axis], inner, *letters[axis + len(picks) :]])


def _gathered(use: Use) -> None:
    axis, letters = use.axis(), use.writer.letters(use.out().shape)
    positions = list(letters)
    positions[axis] = use.read("index", letters)
    shape, out = use.shape(), use.out().shape
    positions = [
        x if k == axis or shape[k] == out[k] else f"{x} + 0" for k, x in enumerate(positions)
    ]
    use.moved(letters, positions)


def _shuffled(row: str, factor: str) -> Rule:
    def rule(use: Use) -> None:
        use.layer(row, [use.quantity()], settings={"factor": use.whole(factor, 2)})

    return rule


RULES: dict[str, Rule] = {
    **dict.fromkeys(RESHAPES, _reshape),
    "permute": _permuted,
    "transpose": _transposed,
    "t": _transposed,
    "numpy_T": _transposed,
    "select": _selected,
    "slice": _sliced,
    "narrow": _narrowed,
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "tensor_split"), _split),
    "unbind": _unbound,
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    "stack": _stack,
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), _expanded),
    **dict.fromkeys(("repeat", "tile"), _repeated),
    "cumsum": _accumulated,
    "broadcast_tensors": _broadcast,
    "tril": _triangle("<="),
    "triu": _triangle(">="),
    "roll": _rolled,
    "flip": _flipped,
    **dict.fromkeys(("pad", "constant_pad_nd", "zero_pad2d"), _padded),
    "pixel_shuffle": _shuffled("pixel_shuffle", "upscale_factor"),
    "pixel_unshuffle": _shuffled("pixel_unshuffle", "downscale_factor"),
    "index": _indexed,
    "index_select": _indexed,
    "gather": _gathered,
}
