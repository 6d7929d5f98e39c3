"""Layers as Keras keeps them: channels are the last axis, a column of a matrix is for a unit."""

from __future__ import annotations

from collections.abc import Sequence

from derive.bring.operation import Unsayable
from derive.bring.rules.products import BEYOND, window
from derive.bring.rules.recurrent import Cell, Weights, run
from derive.bring.writer import Rule, Use, number

CELLS = {
    "LSTM": Cell("lstm", "ifco"),
    "ONNX LSTM": Cell("lstm", "iofc"),
    "GRU": Cell("gru_reset_after", "zrc", apart="c"),
    "GRU before": Cell("gru", "zrc"),
    "SimpleRNN": Cell("rnn", " "),
}


def _bias(use: Use, letter: str) -> str:
    return f" + {use.read('bias', [letter])}" if use.given("bias") else ""


def _dense(use: Use) -> None:
    letters = use.writer.letters(use.out().shape)
    (inner,) = use.writer.letters([use.shape("kernel")[0]], letters)
    entry = use.read("input", [*letters[:-1], inner])
    text = f"sum({inner}, {use.read('kernel', [inner, letters[-1]])}*{entry})"
    use.equation(letters, text + _bias(use, letters[-1]))


def _settings(use: Use, n: int) -> list[list[int]]:
    return [use.wholes(name, n, 1) for name in ("stride", "dilation", "before")]


def _convolution(use: Use) -> None:
    w, kernel = use.writer, use.shape("kernel")
    n = len(kernel) - 2
    letters = w.letters(use.out().shape)
    bound = w.letters(kernel[:-1], letters)
    at = zip(letters[1:-1], bound, *_settings(use, n), strict=False)
    entry = use.read("input", [letters[0], *(window(*each) for each in at), bound[-1]])
    text = f"sum({', '.join(bound)}, {use.read('kernel', [*bound, letters[-1]])}*{entry})"
    use.equation(letters, text + _bias(use, letters[-1]))


def _depthwise(use: Use) -> None:
    w, kernel = use.writer, use.shape("kernel")
    letters = w.letters(use.out().shape)
    bound, per = w.letters(kernel[:-2], letters), kernel[-1]
    at = zip(letters[1:-1], bound, *_settings(use, len(kernel) - 2), strict=True)
    channel = letters[-1] if per == 1 else f"{letters[-1]} // {per}"
    place = [channel, "0" if per == 1 else f"{letters[-1]} % {per}"]
    entry = use.read("input", [letters[0], *(window(*each) for each in at), channel])
    text = f"sum({', '.join(bound)}, {use.read('kernel', [*bound, *place])}*{entry})"
    use.equation(letters, text + _bias(use, letters[-1]))


def _pooled(function: str) -> Rule:
    def rule(use: Use) -> None:
        w, shape = use.writer, use.shape("input")
        n = len(shape) - 2
        windows, padded = use.wholes("window", n, 2), bool(use.get("padded"))
        if padded and function == "mean":
            raise Unsayable("its windows reach over the edge, where it counts what is there only")
        letters = w.letters(use.out().shape)
        bound = w.letters(windows, letters)
        at = zip(letters[1:-1], bound, *_settings(use, n), strict=True)
        places = [window(*each) for each in at]
        entry = use.read("input", [letters[0], *places, letters[-1]])
        for place, size in zip(places, shape[1:-1], strict=True):
            if padded:
                entry = f"where(0 <= {place} < {size}, {entry}, {BEYOND})"
        use.equation(letters, f"{function}({', '.join(bound)}, {entry})")

    return rule


def _normalised(use: Use) -> None:
    operands: dict[str, str | float] = {
        "gamma": use.quantity("weight") if use.given("weight") else 1,
        "beta": use.quantity("bias") if use.given("bias") else 0,
        "mean0": use.quantity("mean"),
        "var0": use.quantity("variance"),
    }
    settings = {"eps": use.number("eps", 1e-3)}
    use.layer("batch_norm_inference", [use.quantity("input")], operands, settings)


def _recurrent(use: Use) -> None:
    kernel, cell = use.shape("kernel"), CELLS[str(use.get("cell"))]
    rows = bool(use.get("by_rows"))  # as in ONNX, which has the axis of steps first, too
    units = use.shape("recurrent")[1 if rows else 0]
    weights = Weights(
        cell,
        use.ref("kernel"),
        use.ref("recurrent"),
        tuple(use.refs("biases")),
        turned=not rows,
        units=units,
        width=kernel[1 if rows else 0],
    )
    states = use.refs("hx") if rows else []
    run(use, use.ref("input"), [weights], 1, states, batch_first=not rows)


def _scaled(use: Use) -> None:
    letters = use.writer.letters(use.out().shape)
    factor, summand = use.number("scale", 1), use.number("offset", 0)
    text = f"{number(factor)}*{use.read('input', letters)}"
    use.equation(letters, text + (f" + {number(summand)}" if summand else ""))


def _repeated(use: Use) -> None:
    """Each place several times, along all axes but those of samples and channels."""
    letters, factors = use.writer.letters(use.out().shape), use.wholes("factors", 2, 1)
    pairs = zip(letters[1:-1], factors, strict=True)
    places: Sequence[str] = [x if k == 1 else f"{x} // {k}" for x, k in pairs]
    use.moved(letters, [letters[0], *places, letters[-1]], "input")


RULES: dict[str, Rule] = {
    "keras.Dense": _dense,
    "keras.Conv": _convolution,
    "keras.DepthwiseConv": _depthwise,
    "keras.MaxPooling": _pooled("max"),
    "keras.AveragePooling": _pooled("mean"),
    "keras.BatchNormalization": _normalised,
    "keras.Recurrent": _recurrent,
    "keras.Rescaling": _scaled,
    "keras.UpSampling": _repeated,
}
