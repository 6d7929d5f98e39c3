"""Recurrent layers, as recurrences over t: x[...,t,i] comes in, the states h[...,t,k] go on.

`W` weighs the input, `U` the state of the step before. First states are zero unless given.
"""

from __future__ import annotations

from derive.library.row import Layer

X = ("x[...,t,i]",)
SQUARE = {"j": "size(k)"}


def _gate(letter: str, state: str = "h[...,t-1,j]") -> str:
    """The net input of a gate."""
    return f"sum(i, W{letter}[k,i]*x[...,t,i]) + sum(j, U{letter}[k,j]*{state}) + b{letter}[k]"


def _weights(letters: str) -> tuple[str, ...]:
    return tuple(text for x in letters for text in (f"W{x}[k,i]", f"U{x}[k,j]", f"b{x}[k]"))


def _gru(name: str, summary: str, mixed: str, notes: str) -> Layer:
    return Layer(
        name,
        "recurrent",
        summary,
        X,
        f"""
        z[...,t,k] = logistic({_gate("z")})
        r[...,t,k] = logistic({_gate("r")})
        c[...,t,k] = tanh({_gate("c", "r[...,t,j]*h[...,t-1,j]")})
        h[...,t,k] = {mixed}
        h[...,-1,k] = h0[...,k]
        """,
        output="h",
        parameters=_weights("zrc"),
        constants=("h0[...,k]",),
        sizes=SQUARE,
        optional={"h0": 0},
        notes=notes,
    )


def _lstm(name: str, summary: str, see: tuple[str, str, str], more: tuple[str, ...]) -> Layer:
    """An LSTM; `see` is what the gates see of the cell."""
    return Layer(
        name,
        "recurrent",
        summary,
        X,
        f"""
        g_i[...,t,k] = logistic({_gate("i")}{see[0]})
        g_f[...,t,k] = logistic({_gate("f")}{see[1]})
        ctilde[...,t,k] = tanh({_gate("c")})
        c[...,t,k] = g_f[...,t,k]*c[...,t-1,k] + g_i[...,t,k]*ctilde[...,t,k]
        c[...,-1,k] = c0[...,k]
        g_o[...,t,k] = logistic({_gate("o")}{see[2]})
        h[...,t,k] = g_o[...,t,k]*tanh(c[...,t,k])
        h[...,-1,k] = h0[...,k]
        """,
        output="h",
        parameters=(*_weights("ifco"), *more),
        constants=("h0[...,k]", "c0[...,k]"),
        sizes=SQUARE,
        optional={"h0": 0, "c0": 0},
        notes="g_i, g_f, g_o are the gates of input, forgetting, output; ctilde is the candidate, "
        "c the cell.",
    )


ROWS = (
    Layer(
        "rnn",
        "recurrent",
        "Elman's network: tanh of the input and of the state before",
        X,
        f"h[...,t,k] = tanh({_gate('')})\nh[...,-1,k] = h0[...,k]",
        output="h",
        parameters=("W[k,i]", "U[k,j]", "b[k]"),
        constants=("h0[...,k]",),
        sizes=SQUARE,
        optional={"h0": 0},
    ),
    _gru(
        "gru",
        "gated recurrent unit; z keeps the state, r resets it before its matrix",
        "z[...,t,k]*h[...,t-1,k] + (1 - z[...,t,k])*c[...,t,k]",
        "As in Cho et al. (2014): h = z*h' + (1 - z)*c.",
    ),
    _gru(
        "gru_take",
        "gated recurrent unit; z takes the candidate, r resets the state before its matrix",
        "(1 - z[...,t,k])*h[...,t-1,k] + z[...,t,k]*c[...,t,k]",
        "As in Chung et al. (2014): h = (1 - z)*h' + z*c.",
    ),
    Layer(
        "gru_reset_after",
        "recurrent",
        "gated recurrent unit; z keeps the state, r resets it after its matrix",
        X,
        f"""
        z[...,t,k] = logistic({_gate("z")})
        r[...,t,k] = logistic({_gate("r")})
        a[...,t,k] = sum(j, Uc[k,j]*h[...,t-1,j]) + bu[k]
        c[...,t,k] = tanh(sum(i, Wc[k,i]*x[...,t,i]) + bc[k] + r[...,t,k]*a[...,t,k])
        h[...,t,k] = z[...,t,k]*h[...,t-1,k] + (1 - z[...,t,k])*c[...,t,k]
        h[...,-1,k] = h0[...,k]
        """,
        output="h",
        parameters=(*_weights("zrc"), "bu[k]"),
        constants=("h0[...,k]",),
        sizes=SQUARE,
        optional={"h0": 0},
        notes="The variant of PyTorch and cuDNN; bu is the bias of the state within the candidate.",
    ),
    _lstm("lstm", "long short-term memory", ("", "", ""), ()),
    _lstm(
        "lstm_peephole",
        "long short-term memory whose gates see the cell",
        (
            " + vi[k]*c[...,t-1,k]",
            " + vf[k]*c[...,t-1,k]",
            " + vo[k]*c[...,t,k]",
        ),
        ("vi[k]", "vf[k]", "vo[k]"),
    ),
    Layer(
        "bidirectional_rnn",
        "recurrent",
        "one network forward and one backward in time, side by side",
        X,
        """
        f[...,t,k] = tanh(sum(i, W[k,i]*x[...,t,i]) + sum(j, U[k,j]*f[...,t-1,j]) + b[k])
        f[...,-1,k] = f0[...,k]
        a[...,t,k] = tanh(sum(i, V[k,i]*x[...,t,i]) + sum(j, T[k,j]*a[...,t+1,j]) + ba[k])
        a[...,size(t),k] = a0[...,k]
        h[...,t,d] = sum(k, f[...,t,k]*(d == k)) + sum(k, a[...,t,k]*(d == size(k) + k))
        """,
        output="h",
        parameters=("W[k,i]", "U[k,j]", "b[k]", "V[k,i]", "T[k,j]", "ba[k]"),
        constants=("f0[...,k]", "a0[...,k]"),
        sizes={**SQUARE, "d": "2*size(k)"},
        optional={"f0": 0, "a0": 0},
    ),
)
