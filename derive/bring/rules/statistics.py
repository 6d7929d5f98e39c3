"""Operations over whole axes: sums, means, softmax, normalisation."""

from __future__ import annotations

import math
from collections.abc import Sequence

from derive.bring.operation import Unsayable
from derive.bring.writer import Rule, Use, number


def _placed(use: Use, axes: Sequence[int]) -> tuple[list[str], list[str], list[str]]:
    """The letters of the result, those that are reduced, and the positions of an entry."""
    w, shape, out = use.writer, use.shape(), use.out().shape
    letters = w.letters(out)
    bound = w.letters([shape[k] for k in axes], letters)
    kept = len(out) == len(shape)
    rest = iter([x for k, x in enumerate(letters) if not kept or k not in axes])
    positions = [bound[list(axes).index(k)] if k in axes else next(rest) for k in range(len(shape))]
    return letters, bound, positions


def _reduced(function: str) -> Rule:
    def rule(use: Use) -> None:
        axes = [*use.axes()] if use.shape() else []
        if not axes:
            use.same(use.ref())
            return
        letters, bound, positions = _placed(use, axes)
        entry = use.read("self", positions)
        use.equation(letters, f"{function}({', '.join(bound)}, {entry})")

    return rule


def _variance(root: bool) -> Rule:
    def rule(use: Use) -> None:
        letters, bound, positions = _placed(use, use.axes())
        entry = use.read("self", positions)
        count = math.prod(use.writer.size_of(x) for x in bound)
        unbiased = use.get("unbiased", True)
        less = int(use.number("correction", 1 if unbiased else 0))
        over = ", ".join(bound)
        mean = use.extra(f"{use.operation.outputs[0]}_mean", letters, f"mean({over}, {entry})")
        held = f"{mean}[{','.join(letters)}]" if letters else mean
        text = f"sum({over}, ({entry} - {held})**2)/{count - less}"
        use.equation(letters, f"sqrt({text})" if root else text)

    return rule


def _norm(use: Use) -> None:
    power = use.number("p", use.number("ord", 2))
    letters, bound, positions = _placed(use, use.axes())
    entry, over = use.read("self", positions), ", ".join(bound)
    if power == 2:
        use.equation(letters, f"sqrt(sum({over}, {entry}**2))")
    elif power == 1:
        use.equation(letters, f"sum({over}, abs({entry}))")
    else:
        raise Unsayable("a norm of another power than 1 or 2")


def _softmax(logarithm: bool) -> Rule:
    def rule(use: Use) -> None:
        axis, shape = use.axis(), use.shape()
        if axis == len(shape) - 1:
            use.layer("log_softmax" if logarithm else "softmax", [use.quantity()])
            return
        letters = use.writer.letters(shape)
        (other,) = use.writer.letters([shape[axis]], letters)
        entry = use.read("self", letters)
        far = use.read("self", [*letters[:axis], other, *letters[axis + 1 :]])
        if logarithm:
            use.equation(letters, f"{entry} - log(sum({other}, exp({far})))")
        else:
            use.equation(letters, f"exp({entry})/sum({other}, exp({far}))")

    return rule


# --- normalisation --------------------------------------------------------------------------


def _settings(use: Use) -> dict[str, float]:
    eps = use.number("eps", 1e-5)
    return {} if eps == 1e-5 else {"eps": eps}


def _factor(use: Use) -> dict[str, str | float]:
    gamma: str | float = use.quantity("weight") if use.given("weight") else 1
    beta: str | float = use.quantity("bias") if use.given("bias") else 0
    return {"gamma": gamma, "beta": beta}


def _layer_norm(use: Use) -> None:
    shape = use.get("normalized_shape")
    count = len(shape) if isinstance(shape, tuple) else 1
    if count == 1:
        use.layer("layer_norm", [use.quantity("input")], _factor(use), _settings(use))
        return
    letters = use.writer.letters(use.out().shape)
    _normalised(use, letters, letters[:-count], letters, letters[-count:])


def _normalised(
    use: Use,
    letters: Sequence[str],
    kept: Sequence[str],
    positions: Sequence[str],
    channel: Sequence[str],
) -> None:
    """Mean and variance over what is not kept, then factor and summand, as equations."""
    over = ", ".join(x for x in letters if x not in kept)
    entry, name = use.read("input", positions), use.operation.module or use.operation.outputs[0]
    held = f"[{','.join(kept)}]" if kept else ""
    mean = use.extra(f"{name}_mean", kept, f"mean({over}, {entry})") + held
    variance = use.extra(f"{name}_var", kept, f"mean({over}, ({entry} - {mean})**2)") + held
    eps = number(use.number("eps", 1e-5))
    text = f"({entry} - {mean})/sqrt({variance} + {eps})"
    use.equation(letters, _scaled(use, text, channel))


def _scaled(use: Use, text: str, channel: Sequence[str]) -> str:
    factor = f"{use.read('weight', channel)}*" if use.given("weight") else ""
    summand = f" + {use.read('bias', channel)}" if use.given("bias") else ""
    return f"{factor}{text}{summand}"


def _batch_norm(use: Use) -> None:
    shape = use.shape("input")
    letters = use.writer.letters(shape)
    channel = [letters[1]]
    if use.get("training", use.get("use_input_stats", use.get("train", False))):
        if len(shape) in (2, 4):
            row = "batch_norm" if len(shape) == 2 else "batch_norm2d"
            use.layer(row, [use.quantity("input")], _factor(use), _settings(use))
        else:
            _normalised(use, letters, channel, letters, channel)
        return
    if len(shape) == 2:
        given = {"mean0": use.quantity("running_mean"), "var0": use.quantity("running_var")}
        row, operands = "batch_norm_inference", {**_factor(use), **given}
        use.layer(row, [use.quantity("input")], operands, _settings(use))
        return
    mean, variance = use.read("running_mean", channel), use.read("running_var", channel)
    text = f"({use.read('input', letters)} - {mean})/sqrt({variance} + "
    text += f"{number(use.number('eps', 1e-5))})"
    use.equation(letters, _scaled(use, text, channel))


def _group_norm(use: Use) -> None:
    if len(use.shape("input")) != 4:
        raise Unsayable("its input has other axes than samples, channels, rows and columns")
    settings = {**_settings(use), "groups": use.whole("num_groups", 2)}
    use.layer("group_norm", [use.quantity("input")], _factor(use), settings)


def _instance_norm(use: Use) -> None:
    if len(use.shape("input")) != 4 or use.get("use_input_stats") is False:
        raise Unsayable("it keeps statistics, or its input has no rows and columns")
    use.layer("instance_norm", [use.quantity("input")], _factor(use), _settings(use))


def _rms_norm(use: Use) -> None:
    if not use.given("eps"):
        raise Unsayable("its eps is left out, so that it depends on the precision")
    gamma: str | float = use.quantity("weight") if use.given("weight") else 1
    use.layer("rms_norm", [use.quantity("input")], {"gamma": gamma}, _settings(use))


RULES: dict[str, Rule] = {
    "sum": _reduced("sum"),
    "mean": _reduced("mean"),
    "amax": _reduced("max"),
    "amin": _reduced("min"),
    "logsumexp": _reduced("logsumexp"),
    "var": _variance(root=False),
    "std": _variance(root=True),
    "linalg_vector_norm": _norm,
    "norm": _norm,
    **dict.fromkeys(("softmax", "_softmax"), _softmax(logarithm=False)),
    **dict.fromkeys(("log_softmax", "_log_softmax"), _softmax(logarithm=True)),
    **dict.fromkeys(("layer_norm", "native_layer_norm"), _layer_norm),
    **dict.fromkeys(("batch_norm", "_native_batch_norm_legit_no_training"), _batch_norm),
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "rms_norm": _rms_norm,
}
