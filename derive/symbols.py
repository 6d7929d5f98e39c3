"""The symbol of a quantity on the page, from its name."""

from __future__ import annotations

import re

GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "kappa", "lambda", "mu", "nu"),
    *("xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta"),
    *("Lambda", "Sigma", "Phi", "Psi", "Omega"),
)


def symbol(name: str, axes: int) -> str:
    r"""A quantity's symbol: `W_xh` is W^{(xh)} with indices to come, `w1` is w_{1} without."""
    match = re.fullmatch(r"([A-Za-z]+?)_?(\d*|(?<=_).+)", name)
    head, mark = (match[1], match[2]) if match else (name, "")
    letter = head if len(head) == 1 else rf"\mathrm{{{head}}}"
    if head in GREEK:
        letter = rf"\{head}"
    if not mark:
        return letter
    mark = mark.replace("_", ",")
    shown = mark if mark.isdigit() or len(mark) == 1 else rf"\mathrm{{{mark}}}"
    return f"{letter}^{{({shown})}}" if axes else f"{letter}_{{{shown}}}"
