"""Losses that a model computes itself; the reduction is 0 for none, 1 for mean, 2 for sum."""

from __future__ import annotations

from collections.abc import Sequence

from derive.bring.operation import Ref, Unsayable
from derive.bring.writer import Rule, Use, number

MEAN, SUM = 1, 2
WORDS = {"none": 0, "mean": MEAN, "sum": SUM}


def _reduction(use: Use) -> int:
    said = use.get("reduction", MEAN)
    return WORDS[said] if isinstance(said, str) and said in WORDS else use.whole("reduction", MEAN)


def _put_together(use: Use, letters: Sequence[str], text: str) -> None:
    """The entries of a loss, added up or averaged as it says."""
    over = ", ".join(letters)
    way = _reduction(use)
    if way == 0 or not letters:
        use.equation(letters, text)
    else:
        use.equation([], f"{'mean' if way == MEAN else 'sum'}({over}, {text})")


def _of_entries(text: str) -> Rule:
    """A loss of each entry: `a` is the output, `b` the target."""

    def rule(use: Use) -> None:
        if use.given("weight") or use.given("pos_weight"):
            raise Unsayable("its entries are weighed")
        letters = use.writer.letters(use.shape())
        a, b = (use.entry(Ref(use.ref(name)), letters) for name in ("self", "target"))
        _put_together(use, letters, text.replace("<a>", a).replace("<b>", b))

    return rule


def _huber(name: str, smooth: bool) -> Rule:
    def rule(use: Use) -> None:
        delta = use.number(name, 1)
        held = number(delta)
        far = f"{held}*(abs(<a> - <b>) - {held}/2)" if delta != 1 else "abs(<a> - <b>) - 1/2"
        near = "(<a> - <b>)**2/2"
        if smooth and delta != 1:
            far, near = f"({far})/{held}", f"{near}/{held}"
        _of_entries(f"where(abs(<a> - <b>) <= {held}, {near}, {far})")(use)

    return rule


def _labelled(logarithms: bool) -> Rule:
    """Minus the log-probability of a label, or of a target that is a distribution."""

    def rule(use: Use) -> None:
        if use.given("weight") or use.number("label_smoothing", 0):
            raise Unsayable("its classes are weighed, or its labels smoothed")
        w, shape, target = use.writer, use.shape(), use.shape("target")
        axis = 1 if len(shape) > 1 else 0
        (k,) = w.letters([shape[axis]])
        letters = w.letters([n for m, n in enumerate(shape) if m != axis], [k])
        (o,) = w.letters([shape[axis]], [*letters, k])

        def entry(place: str) -> str:
            return use.read("self", [*letters[:axis], place, *letters[axis:]])

        total = "" if logarithms else f"log(sum({o}, exp({entry(o)})))"
        if len(target) == len(shape):
            probability = use.read("target", [*letters[:axis], k, *letters[axis:]])
            each = f"{entry(k)} - {total}" if total else entry(k)
            text = f"-sum({k}, {probability}*({each}))"
        else:
            label = entry(use.read("target", letters))
            text = f"{total} - {label}" if total else f"-{label}"
        ignored = use.whole("ignore_index", -100)
        if ignored >= 0:
            raise Unsayable(f"it leaves out the label {ignored} (ignore_index)")
        _put_together(use, letters, text)

    return rule


BINARY = "-(<b>*log(<a>) + (1 - <b>)*log(1 - <a>))"
RULES: dict[str, Rule] = {
    "mse_loss": _of_entries("(<a> - <b>)**2"),
    "l1_loss": _of_entries("abs(<a> - <b>)"),
    "binary_cross_entropy": _of_entries(BINARY),
    "binary_cross_entropy_with_logits": _of_entries("softplus(<a>) - <b>*<a>"),
    "smooth_l1_loss": _huber("beta", smooth=True),
    "huber_loss": _huber("delta", smooth=False),
    "cross_entropy_loss": _labelled(logarithms=False),
    **dict.fromkeys(("nll_loss", "nll_loss_nd", "nll_loss2d"), _labelled(logarithms=True)),
}
