"""Sums of products: dense layers, products of matrices, convolutions, pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derive.bring.operation import Argument, Ref, Unsayable
from derive.bring.writer import Rule, Use

BEYOND = "-1e30"  # what is not there is below everything


def _linear(use: Use) -> None:
    bias = use.given("bias")
    operands: dict[str, str | float] = {"W": use.quantity("weight")}
    if bias:
        operands["b"] = use.quantity("bias")
    use.layer("dense" if bias else "dense_without_bias", [use.quantity("input")], operands)


def _products(use: Use, a: Argument, b: Argument, summand: str = "") -> None:
    """A product of matrices, for each place in the axes before."""
    if not isinstance(a, Ref) or not isinstance(b, Ref):
        raise Unsayable("it multiplies something that is no table of numbers")
    w = use.writer
    left, right, out = w.values[a.name].shape, w.values[b.name].shape, use.out().shape
    letters = w.letters(out)
    (inner,) = w.letters([left[-1]], letters)
    rows = [letters[-1 if len(right) == 1 else -2]] if len(left) > 1 else []
    columns = [letters[-1]] if len(right) > 1 else []
    before = letters[: len(out) - len(rows) - len(columns)]
    one = use.writer.read(a.name, [*_batch(use, before, left[:-2]), *rows, inner])
    held = [inner, *columns] if columns else [inner]
    other = use.writer.read(b.name, [*_batch(use, before, right[:-2]), *held])
    use.equation(letters, f"sum({inner}, {one}*{other}){summand}")


def _batch(use: Use, letters: Sequence[str], shape: Sequence[int]) -> list[str]:
    own = letters[len(letters) - len(shape) :]
    pairs = zip(own, shape, strict=True)
    return ["0" if n == 1 and use.writer.size_of(x) != 1 else x for x, n in pairs]


def _matmul(use: Use) -> None:
    _products(
        use, Ref(use.ref()), use.get("other", use.get("mat2", use.get("tensor", use.get("vec"))))
    )


def _addmm(use: Use) -> None:
    if use.number("beta", 1) != 1 or use.number("alpha", 1) != 1:
        raise Unsayable("its beta or alpha is not 1")
    letters = use.writer.letters(use.out().shape)
    a, b = use.get("mat1", use.get("batch1")), use.get("mat2", use.get("batch2"))
    _products(use, a, b, f" + {use.entry(Ref(use.ref()), letters)}")


def _einsum(use: Use) -> None:
    text = str(use.get("equation")).replace(" ", "")
    refs, w = use.refs("tensors"), use.writer
    if "." in text or "->" not in text:
        raise Unsayable("its equation leaves axes out, or has no '->'")
    before, after = text.split("->")
    sizes: dict[str, int] = {}
    for part, name in zip(before.split(","), refs, strict=True):
        sizes |= dict(zip(part, w.values[name].shape, strict=True))
    order = [*after, *(x for x in dict.fromkeys(before.replace(",", "")) if x not in after)]
    letters = dict(zip(order, w.letters([sizes[x] for x in order]), strict=True))
    parts = zip(before.split(","), refs, strict=True)
    product = "*".join(w.read(name, [letters[x] for x in part]) for part, name in parts)
    bound = [letters[x] for x in order[len(after) :]]
    whole = f"sum({', '.join(bound)}, {product})" if bound else product
    use.equation([letters[x] for x in after], whole)


# --- convolution ----------------------------------------------------------------------------


def _convolution(use: Use) -> None:
    shape, weights = use.shape("input"), use.shape("weight")
    n = len(weights) - 2
    if len(shape) != n + 2:
        raise Unsayable("its input has no axis of samples")
    groups = use.whole("groups", 1)
    stride, dilation = use.wholes("stride", n, 1), use.wholes("dilation", n, 1)
    if use.get("transposed"):
        padding = use.wholes("padding", n, 0)
        _transposed(use, n, stride, padding, dilation, groups)
        return
    reach = [d * (k - 1) for d, k in zip(dilation, weights[2:], strict=True)]
    padding, even = _padding(use, reach)
    like = {"stride": stride, "padding": padding, "dilation": dilation}
    if groups == 1 and even and all(len(set(each)) == 1 for each in like.values()):
        usual = {"stride": 1, "padding": 0, "dilation": 1}
        settings = {name: each[0] for name, each in like.items() if each[0] != usual[name]}
        use.layer(f"conv{n}d", [use.quantity("input")], _kernel(use), settings)
        return
    _windows(use, n, stride, padding, dilation, groups)


def _padding(use: Use, reach: Sequence[int]) -> tuple[list[int], bool]:
    """How many zeros stand before, and whether as many stand behind."""
    said = use.get("padding", 0)
    if said == "valid":
        return [0] * len(reach), True
    if said == "same":
        return [each // 2 for each in reach], not any(each % 2 for each in reach)
    return use.wholes("padding", len(reach), 0), not use.get("uneven")


def _kernel(use: Use) -> dict[str, str | float]:
    bias: str | float = use.quantity("bias") if use.given("bias") else 0
    return {"K": use.quantity("weight"), "b": bias}


def _windows(
    use: Use,
    n: int,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> None:
    """A convolution as an equation: with groups, or with settings that differ by axis."""
    w, weights, out = use.writer, use.shape("weight"), use.out().shape
    letters = w.letters(out)
    bound = w.letters(weights[1:], letters)
    bound = bound if weights[1] > 1 else ["0", *bound[1:]]
    channel = letters[1]
    per = weights[0] // groups
    first = f"{weights[1]}*({channel} // {per})" if per > 1 else f"{weights[1]}*{channel}"
    if groups == 1:
        place = bound[0]
    elif weights[1] == 1:
        place = f"{channel} // {per}" if per > 1 else channel
    else:
        place = f"{first} + {bound[0]}"
    at = zip(letters[2:], bound[1:], stride, dilation, padding, strict=True)
    positions = [letters[0], place, *(window(*each) for each in at)]
    kernel = use.read("weight", [channel, *bound])
    over = ", ".join(x for x in bound if x != "0")
    bias = f" + {use.read('bias', [channel])}" if use.given("bias") else ""
    use.equation(letters, f"sum({over}, {kernel}*{use.read('input', positions)}){bias}")


def window(place: str, inner: str, stride: int, dilation: int, padding: int) -> str:
    """The position of a place of a kernel, of which a place of the result reads the input."""
    text = place if stride == 1 else f"{stride}*{place}"
    text += f" + {inner}" if dilation == 1 else f" + {dilation}*{inner}"
    return f"{text} - {padding}" if padding else text


def _transposed(
    use: Use,
    n: int,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> None:
    if groups != 1 or set(dilation) != {1} or set(use.wholes("output_padding", n, 0)) != {0}:
        raise Unsayable("a transposed convolution with groups, dilation or output padding")
    if len(set(stride)) > 1 or len(set(padding)) > 1 or n > 2:
        raise Unsayable("a transposed convolution whose settings differ by axis, or in three axes")
    settings = {"stride": stride[0], "padding": padding[0]}
    settings = {k: v for k, v in settings.items() if v != {"stride": 1, "padding": 0}[k]}
    use.layer(f"conv_transpose{n}d", [use.quantity("input")], _kernel(use), settings)


def _conv_transpose(use: Use) -> None:
    n = len(use.shape("weight")) - 2
    if len(use.shape("input")) != n + 2:
        raise Unsayable("its input has no axis of samples")
    settings = [use.wholes(name, n, 1) for name in ("stride", "dilation")]
    padding = use.wholes("padding", n, 0)
    _transposed(use, n, settings[0], padding, settings[1], use.whole("groups", 1))


# --- pooling --------------------------------------------------------------------------------


def _pooled(kind: str, n: int) -> Rule:
    def rule(use: Use) -> None:
        size = use.wholes("kernel_size", n, 1)
        stride = use.wholes("stride", n, 0)
        stride = [s or k for s, k in zip(stride, size, strict=True)]
        padding, dilation = use.wholes("padding", n, 0), use.wholes("dilation", n, 1)
        if use.get("ceil_mode") or use.given("divisor_override"):
            raise Unsayable(
                "its windows reach beyond the end (ceil_mode), or it divides by another"
            )
        plain = set(padding) == {0} and set(dilation) == {1} and n < 3
        if plain and len(set(size)) == len(set(stride)) == 1:
            settings = {"window": size[0], "stride": stride[0]}
            settings = {key: v for key, v in settings.items() if v != 2}
            use.layer(f"{kind}_pool{n}d", [use.quantity()], settings=settings)
            return
        if kind == "avg" and set(padding) != {0} and use.get("count_include_pad") is False:
            raise Unsayable("it does not count what is padded")
        _pool(use, kind, (size, stride, padding, dilation))

    return rule


def _pool(use: Use, kind: str, settings: Sequence[Sequence[int]]) -> None:
    w, shape, out, n = use.writer, use.shape(), use.out().shape, len(settings[0])
    letters = w.letters(out)
    size, stride, padding, dilation = settings
    bound = w.letters(size, letters)
    at = zip(letters[-n:], bound, stride, dilation, padding, strict=True)
    places = [window(*each) for each in at]
    entry = use.read("self", [*letters[:-n], *places])
    if kind == "max":
        for place, pad, full in zip(places, padding, shape[-n:], strict=True):
            if pad:
                entry = f"where(0 <= {place} < {full}, {entry}, {BEYOND})"
    function = "max" if kind == "max" else "mean"
    use.equation(letters, f"{function}({', '.join(bound)}, {entry})")


def _adaptive(n: int) -> Rule:
    def rule(use: Use) -> None:
        w, shape, out = use.writer, use.shape(), use.out().shape
        letters = w.letters(out)
        pairs = list(zip(shape[-n:], out[-n:], strict=True))
        if any(size % bins for size, bins in pairs):
            raise Unsayable("its bins are not all of one size")
        lengths = [size // bins for size, bins in pairs]
        bound = w.letters(lengths, letters)
        places = []
        for k, (size, (_, bins)) in enumerate(zip(lengths, pairs, strict=True)):
            text = bound[k] if bins == 1 else f"{size}*{letters[len(letters) - n + k]} + {bound[k]}"
            places.append(text)
        entry = use.read("self", [*letters[:-n], *places])
        use.equation(letters, f"mean({', '.join(bound)}, {entry})")

    return rule


def _upsampled(use: Use) -> None:
    shape, out = use.shape(), use.out().shape
    letters = use.writer.letters(out)
    positions = list(letters)
    for k in range(2, len(out)):
        if out[k] % shape[k]:
            raise Unsayable("its size is no multiple of the one before")
        if out[k] != shape[k]:
            positions[k] = f"{letters[k]} // {out[k] // shape[k]}"
    use.equation(letters, use.read("self", positions))


def _embedded(use: Use) -> None:
    """A row of a table for each token."""
    if use.whole("padding_idx", -1) >= 0:
        use.writer.notes.append(
            f"{use.operation.place}: the row of the padding gets a gradient here, too"
        )
    w, tokens = use.writer, use.ref("indices")
    shape, letters = use.shape("indices"), use.writer.letters(use.out().shape)
    if tokens in w.quantities and tokens not in w.readings:
        use.layer("embedding", [w.quantity(tokens)], {"W": use.quantity("weight")})
        return
    place = w.read(tokens, letters[: len(shape)])
    use.equation(letters, use.read("weight", [place, letters[-1]]))


CONVOLUTIONS: Mapping[str, Rule] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), _convolution),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), _conv_transpose),
    **{f"{kind}_pool{n}d": _pooled(kind, n) for kind in ("max", "avg") for n in (1, 2, 3)},
    "max_pool1d_with_indices": _pooled("max", 1),
    "max_pool2d_with_indices": _pooled("max", 2),
    **{f"adaptive_avg_pool{n}d": _adaptive(n) for n in (1, 2, 3)},
    **{f"upsample_nearest{n}d": _upsampled for n in (1, 2, 3)},
}
RULES: dict[str, Rule] = {
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot"), _matmul),
    **dict.fromkeys(("addmm", "baddbmm"), _addmm),
    "einsum": _einsum,
    "embedding": _embedded,
    **CONVOLUTIONS,
}
