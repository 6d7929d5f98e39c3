"""Attention: t counts queries, r keys and values; a counts heads and e the places within one."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from derive.library.row import Layer

SCORES = "s[...,t,r] = sum(d, Q[...,t,d]*K[...,r,d])/sqrt(size(d))"
QKV = ("Q[...,t,d]", "K[...,r,d]", "V[...,r,e]")
READ = "y[...,t,e] = sum(r, p[...,t,r]*V[...,r,e])"
HEADS: Mapping[str, Fraction | int] = MappingProxyType({"heads": 2})
HEAD_SIZES = {
    "a": "heads",
    "e": "size(i)/heads",
    "r": "size(t)",
    "o": "size(t)",
    "j": "size(i)",
    "k": "size(i)",
}
PROJECTIONS = ("Wq[j,i]", "bq[j]", "Wk[j,i]", "bk[j]", "Wv[j,i]", "bv[j]", "Wo[k,j]", "bo[k]")


def _masked(scores: str) -> str:
    """Softmax over the keys r that are not after the query t."""
    other = scores.replace(",r]", ",o]")
    return f"where(r <= t, exp({scores}), 0)/sum(o, where(o <= t, exp({other}), 0))"


def _heads(weights: str, x: str = "x") -> str:
    """Projections, scores, weights and what the heads read, joined by the last matrix into `m`."""
    return f"""
        q[...,t,a,e] = sum(i, Wq[size(e)*a + e,i]*{x}[...,t,i]) + bq[size(e)*a + e]
        key[...,t,a,e] = sum(i, Wk[size(e)*a + e,i]*{x}[...,t,i]) + bk[size(e)*a + e]
        v[...,t,a,e] = sum(i, Wv[size(e)*a + e,i]*{x}[...,t,i]) + bv[size(e)*a + e]
        s[...,a,t,r] = sum(e, q[...,t,a,e]*key[...,r,a,e])/sqrt(size(e))
        p[...,a,t,r] = {weights}
        c[...,t,a,e] = sum(r, p[...,a,t,r]*v[...,r,a,e])
    """


def _norm(x: str, letter: str, number: int) -> str:
    """Layer normalisation of `x` into `n1` or `n2`."""
    entry = f"{x}[...,t,{letter}]"
    return f"""
        mu{number}[...,t] = mean({letter}, {entry})
        var{number}[...,t] = mean({letter}, ({entry} - mu{number}[...,t])**2)
        xhat{number}[...,t,{letter}] = ({entry} - mu{number}[...,t])/sqrt(var{number}[...,t] + eps)
        n{number}[...,t,{letter}] = \
gamma{number}[{letter}]*xhat{number}[...,t,{letter}] + beta{number}[{letter}]
    """


JOINED = "sum(a, e, Wo[i,size(e)*a + e]*c[...,t,a,e]) + bo[i]"
BLOCK_PARAMETERS = (
    *("Wq[j,i]", "bq[j]", "Wk[j,i]", "bk[j]", "Wv[j,i]", "bv[j]", "Wo[i,j]", "bo[i]"),
    *("gamma1[i]", "beta1[i]", "W1[f,i]", "b1[f]", "W2[i,f]", "b2[i]", "gamma2[i]", "beta2[i]"),
)
BLOCK_SIZES = {key: HEAD_SIZES[key] for key in "aeroj"}
BLOCK_SETTINGS: Mapping[str, Fraction | int] = MappingProxyType(
    {"heads": 2, "eps": Fraction(1, 100_000)}
)
FEED = "max(sum(i, W1[f,i]*n{k}[...,t,i]) + b1[f], 0)"

ROWS = (
    Layer(
        "attention",
        "attention",
        "scaled dot-product attention",
        QKV,
        f"{SCORES}\np[...,t,r] = softmax(r, s[...,t,r])\n{READ}",
    ),
    Layer(
        "causal_attention",
        "attention",
        "scaled dot-product attention that does not see later keys",
        QKV,
        f"{SCORES}\np[...,t,r] = {_masked('s[...,t,r]')}\n{READ}",
        sizes={"o": "size(r)"},
    ),
    Layer(
        "alibi_attention",
        "attention",
        "causal attention of heads a, with scores that fall with the distance (ALiBi)",
        ("Q[...,a,t,d]", "K[...,a,r,d]", "V[...,a,r,e]"),
        f"""
        s[...,a,t,r] = sum(d, Q[...,a,t,d]*K[...,a,r,d])/sqrt(size(d)) \
+ exp(-8*(a + 1)*log(2)/size(a))*(r - t)
        p[...,a,t,r] = {_masked("s[...,a,t,r]")}
        y[...,a,t,e] = sum(r, p[...,a,t,r]*V[...,a,r,e])
        """,
        sizes={"o": "size(r)"},
        notes="Head a, counted from 0, has the slope 2**(-8*(a + 1)/size(a)).",
    ),
    Layer(
        "sliding_window_attention",
        "attention",
        "attention that sees the last few places only, the own one among them",
        QKV,
        f"""
        {SCORES}
        p[...,t,r] = where(t - window < r <= t, exp(s[...,t,r]), 0)\
/sum(o, where(t - window < o <= t, exp(s[...,t,o]), 0))
        {READ}
        """,
        settings={"window": 2},
        sizes={"o": "size(r)", "r": "size(t)"},
    ),
    Layer(
        "grouped_query_attention",
        "attention",
        "attention of heads a, of which several share the keys and values of a group g",
        ("Q[...,a,t,d]", "K[...,g,r,d]", "V[...,g,r,e]"),
        """
        s[...,a,t,r] = sum(d, Q[...,a,t,d]*K[...,a // size(b),r,d])/sqrt(size(d))
        p[...,a,t,r] = softmax(r, s[...,a,t,r])
        y[...,a,t,e] = sum(r, p[...,a,t,r]*V[...,a // size(b),r,e])
        """,
        sizes={"b": "size(a)/size(g)"},
        notes="With one group this is multi-query attention.",
    ),
    Layer(
        "hopfield_update",
        "attention",
        "a state drawn to the patterns that are like it, the rows of M",
        ("x[...,d]",),
        """
        p[...,r] = softmax(r, beta*sum(d, M[r,d]*x[...,d]))
        y[...,d] = sum(r, p[...,r]*M[r,d])
        """,
        parameters=("M[r,d]",),
        settings={"beta": 1},
        notes="The update of a modern Hopfield network, Ramsauer et al. (2021).",
    ),
    Layer(
        "mixture_of_experts",
        "attention",
        "several dense layers, of which the few that a gate ranks first are mixed",
        ("x[...,i]",),
        """
        z[...,k] = sum(i, G[k,i]*x[...,i])
        rank[...,k] = sum(j, where(j < k, where(z[...,j] >= z[...,k], 1, 0), \
where(z[...,j] > z[...,k], 1, 0)))
        p[...,k] = where(rank[...,k] < top, exp(z[...,k]), 0)\
/sum(j, where(rank[...,j] < top, exp(z[...,j]), 0))
        f[...,k,o] = sum(i, W[k,o,i]*x[...,i]) + b[k,o]
        y[...,o] = sum(k, p[...,k]*f[...,k,o])
        """,
        parameters=("G[k,i]", "W[k,o,i]", "b[k,o]"),
        settings={"top": 2},
        sizes={"j": "size(k)"},
        notes="The softmax is over the chosen ones, as in Mixtral; of equals the first.",
    ),
    Layer(
        "capsules",
        "attention",
        "vectors of capsules i, sent to those capsules j of which others say the same",
        ("x[...,i,d]",),
        """
        u[...,i,j,e] = sum(d, W[i,j,e,d]*x[...,i,d])
        b[...,r,i,j] = where(r == 0, 0, b[...,r-1,i,j] + sum(e, u[...,i,j,e]*v[...,r-1,j,e]))
        c[...,r,i,j] = softmax(j, b[...,r,i,j])
        s[...,r,j,e] = sum(i, c[...,r,i,j]*u[...,i,j,e])
        q[...,r,j] = norm(e, s[...,r,j,e])
        v[...,r,j,e] = q[...,r,j]*s[...,r,j,e]/(1 + q[...,r,j]**2)
        y[...,j,e] = v[...,rounds - 1,j,e]
        """,
        parameters=("W[i,j,e,d]",),
        settings={"rounds": 3},
        sizes={"r": "rounds"},
        notes="Routing by agreement, Sabour et al. (2017); derivatives go through every round.",
    ),
    Layer(
        "rope",
        "attention",
        "places told by rotations: entry d and d + size(d)/2 turn by the angle of t",
        ("x[...,t,d]",),
        """
        theta[j] = exp(-2*j*log(base)/size(d))
        angle[t,d] = t*(theta[d + 0] + theta[d - size(j)])
        y[...,t,d] = x[...,t,d]*cos(angle[t,d]) \
+ (x[...,t,d - size(j)] - x[...,t,d + size(j)])*sin(angle[t,d])
        """,
        settings={"base": 10000},
        sizes={"j": "size(d)/2"},
        notes="The halves of an entry are paired, as in GPT-NeoX and Llama.",
    ),
    Layer(
        "sinusoidal_positions",
        "attention",
        "a sine and a cosine of each of several wavelengths, added to tell the place",
        ("x[...,t,d]",),
        """
        theta[j] = exp(-2*j*log(base)/size(d))
        p[t,j,r] = (r == 0)*sin(t*theta[j]) + (r == 1)*cos(t*theta[j])
        y[...,t,d] = x[...,t,d] + sum(j, r, (d == 2*j + r)*p[t,j,r])
        """,
        settings={"base": 10000},
        sizes={"j": "size(d)/2", "r": "2"},
        notes="As in Vaswani and others (2017): even entries have the sines.",
    ),
    Layer(
        "multi_head_attention",
        "attention",
        "self-attention in several heads, joined by a matrix",
        ("x[...,t,i]",),
        _heads("softmax(r, s[...,a,t,r])")
        + "y[...,t,k] = sum(a, e, Wo[k,size(e)*a + e]*c[...,t,a,e]) + bo[k]",
        parameters=PROJECTIONS,
        settings=HEADS,
        sizes=HEAD_SIZES,
        notes="Head a has the rows e*a to e*a + e - 1 of the matrices.",
    ),
    Layer(
        "causal_multi_head_attention",
        "attention",
        "self-attention in several heads that does not see later places",
        ("x[...,t,i]",),
        _heads(_masked("s[...,a,t,r]"))
        + "y[...,t,k] = sum(a, e, Wo[k,size(e)*a + e]*c[...,t,a,e]) + bo[k]",
        parameters=PROJECTIONS,
        settings=HEADS,
        sizes=HEAD_SIZES,
    ),
    Layer(
        "additive_attention",
        "attention",
        "keys scored by a small network, for one query",
        ("Q[...,i]", "K[...,r,j]", "V[...,r,e]"),
        """
        a[...,r,h] = tanh(sum(i, W[h,i]*Q[...,i]) + sum(j, U[h,j]*K[...,r,j]))
        s[...,r] = sum(h, w[h]*a[...,r,h])
        p[...,r] = softmax(r, s[...,r])
        y[...,e] = sum(r, p[...,r]*V[...,r,e])
        """,
        parameters=("W[h,i]", "U[h,j]", "w[h]"),
        notes="As in Bahdanau et al. (2015).",
    ),
    Layer(
        "transformer_encoder_block",
        "attention",
        "self-attention and a feed-forward network, each added and normalised",
        ("x[...,t,i]",),
        _heads("softmax(r, s[...,a,t,r])")
        + f"u1[...,t,i] = x[...,t,i] + {JOINED}"
        + _norm("u1", "i", 1)
        + f"z[...,t,f] = {FEED.format(k=1)}\n"
        + "u2[...,t,i] = n1[...,t,i] + sum(f, W2[i,f]*z[...,t,f]) + b2[i]"
        + _norm("u2", "i", 2)
        + "y[...,t,i] = n2[...,t,i]",
        parameters=BLOCK_PARAMETERS,
        settings=BLOCK_SETTINGS,
        sizes=BLOCK_SIZES,
        notes="Normalised after each sum, as in Vaswani et al. (2017); ReLU within.",
    ),
    Layer(
        "transformer_encoder_block_prenorm",
        "attention",
        "self-attention and a feed-forward network, each of the normalised input, added",
        ("x[...,t,i]",),
        _norm("x", "i", 1)
        + _heads("softmax(r, s[...,a,t,r])", "n1")
        + f"u1[...,t,i] = x[...,t,i] + {JOINED}"
        + _norm("u1", "i", 2)
        + f"z[...,t,f] = {FEED.format(k=2)}\n"
        + "y[...,t,i] = u1[...,t,i] + sum(f, W2[i,f]*z[...,t,f]) + b2[i]",
        parameters=BLOCK_PARAMETERS,
        settings=BLOCK_SETTINGS,
        sizes=BLOCK_SIZES,
        notes="Normalised before each part, as in GPT-2; ReLU within.",
    ),
)
