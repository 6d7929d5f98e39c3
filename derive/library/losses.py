"""Losses: `y` is the output, `t` the target, `e` the error of one output or one sample.

In a network the errors are added up over the outputs (or averaged, where the row says so) and then
averaged or added up over the samples, as the spec says. In a model all entries of `e` are put
together in the usual way of the row, or as the spec says.
"""

from __future__ import annotations

from fractions import Fraction

from derive.library import sequences
from derive.library.loss import Loss, Reduction
from derive.library.row import Layer

PAIR = ("y[...,o]", "t[...,o]")
LABEL = ("y[...,o]", "label[...]")
LOG_TOTAL = "log(sum(k, exp(y[...,k])))"

ROWS = (
    Loss(
        "half_squared_error",
        "half the squared distance to the target, added up over the outputs",
        "(t[...] - y[...])**2/2",
        usual=Reduction.SUM,
    ),
    Loss(
        "mean_squared_error",
        "the squared distance to the target, averaged over the outputs",
        "(t[...] - y[...])**2",
        outputs=Reduction.MEAN,
    ),
    Loss(
        "binary_cross_entropy",
        "for outputs between 0 and 1 and targets of 0 to 1, added up over the outputs",
        "-(t[...]*log(y[...]) + (1 - t[...])*log(1 - y[...]))",
    ),
    Loss(
        "categorical_cross_entropy",
        "for an output and a target that are distributions",
        "-sum(o, t[...,o]*log(y[...,o]))",
        inputs=PAIR,
        distribution=True,
    ),
)
LOSSES = {row.name: row for row in ROWS}

# A network whose page tells of its loss in words has one of those above; the rest are told of in
# index form.
FURTHER = (
    Loss(
        "noise_prediction",
        "the squared distance to the noise that was mixed in, averaged (diffusion)",
        "(noise[...] - y[...])**2",
        inputs=("y[...]", "noise[...]"),
        outputs=Reduction.MEAN,
        notes="The layer noised mixes it in.",
    ),
    Loss(
        "mean_absolute_error",
        "the distance to the target; slope 0 at 0",
        "abs(y[...] - t[...])",
        outputs=Reduction.MEAN,
    ),
    Loss(
        "huber",
        "half the squared distance, linear beyond delta",
        "where(abs(y[...] - t[...]) <= delta, (y[...] - t[...])**2/2, "
        "delta*(abs(y[...] - t[...]) - delta/2))",
        settings={"delta": 1},
        outputs=Reduction.MEAN,
    ),
    Loss(
        "log_cosh",
        "the logarithm of the hyperbolic cosine of the distance",
        "y[...] - t[...] + softplus(-2*(y[...] - t[...])) - log(2)",
        outputs=Reduction.MEAN,
    ),
    Loss(
        "binary_cross_entropy_logits",
        "binary cross-entropy of net inputs",
        "softplus(y[...]) - t[...]*y[...]",
    ),
    Loss(
        "categorical_cross_entropy_logits",
        "cross-entropy of net inputs and a target distribution",
        f"-sum(o, t[...,o]*(y[...,o] - {LOG_TOTAL}))",
        inputs=PAIR,
        distribution=True,
    ),
    Loss(
        "label_cross_entropy",
        "cross-entropy of a distribution and a label",
        "-log(y[...,label[...]])",
        inputs=LABEL,
        integers=("label",),
    ),
    Loss(
        "label_cross_entropy_logits",
        "cross-entropy of net inputs and a label",
        f"{LOG_TOTAL} - y[...,label[...]]",
        inputs=LABEL,
        integers=("label",),
    ),
    Loss(
        "negative_log_likelihood",
        "minus the log-probability of a label",
        "-y[...,label[...]]",
        inputs=LABEL,
        integers=("label",),
        notes="y holds logarithms of probabilities.",
    ),
    Loss(
        "kl_divergence",
        "the divergence of the output from the target distribution",
        "sum(o, t[...,o]*(log(t[...,o]) - log(y[...,o])))",
        inputs=PAIR,
        distribution=True,
    ),
    Loss(
        "label_smoothing_cross_entropy",
        "cross-entropy with a target that gives a share to every class",
        "-sum(o, ((1 - epsilon)*t[...,o] + epsilon/size(o))*log(y[...,o]))",
        inputs=PAIR,
        settings={"epsilon": Fraction(1, 10)},
    ),
    Loss(
        "hinge",
        "for targets of -1 and 1: what is missing to a margin of 1",
        "max(1 - t[...]*y[...], 0)",
        outputs=Reduction.MEAN,
    ),
    Loss(
        "squared_hinge",
        "the square of the hinge",
        "max(1 - t[...]*y[...], 0)**2",
        outputs=Reduction.MEAN,
    ),
    Loss(
        "triplet",
        "a sample must be nearer to its like than to the other by a margin",
        "max(near[...] - far[...] + margin, 0)",
        inputs=("y[...,d]", "like[...,d]", "other[...,d]"),
        more="near[...] = sqrt(sum(d, (y[...,d] - like[...,d])**2))\n"
        "far[...] = sqrt(sum(d, (y[...,d] - other[...,d])**2))",
        settings={"margin": 1},
    ),
    Loss(
        "info_nce",
        "each sample must find its partner among all (contrastive)",
        "log(sum(m, exp(s[n,m]))) - s[n,n]",
        entry="n",
        inputs=("y[n,d]", "partner[m,d]"),
        more="s[n,m] = sum(d, y[n,d]*partner[m,d])/temperature",
        settings={"temperature": 1},
        sizes={"m": "size(n)"},
    ),
    Loss(
        "cosine",
        "one minus the cosine of the angle to the target",
        "1 - sum(o, y[...,o]*t[...,o])/sqrt(sum(o, y[...,o]**2)*sum(o, t[...,o]**2))",
        inputs=PAIR,
    ),
    Loss(
        "quantile",
        "the distance to the target, weighed by the side on which it lies",
        "where(t[...] > y[...], level*(t[...] - y[...]), (1 - level)*(y[...] - t[...]))",
        settings={"level": Fraction(9, 10)},
        outputs=Reduction.MEAN,
    ),
    Loss(
        "poisson",
        "minus the log-likelihood of a count, whose rate is exp(y), without its constant",
        "exp(y[...]) - t[...]*y[...]",
        outputs=Reduction.MEAN,
    ),
    Loss(
        "negative_binomial",
        "minus the log-likelihood of a count with the mean exp(y) and the shape r",
        "lgamma(r[...]) + lgamma(t[...] + 1) - lgamma(t[...] + r[...]) "
        "+ (t[...] + r[...])*softplus(y[...] - log(r[...])) - t[...]*(y[...] - log(r[...]))",
        inputs=("y[...]", "t[...]", "r[...]"),
        outputs=Reduction.MEAN,
        notes="Its variance is m + m**2/r, with the mean m.",
    ),
    Loss(
        "gaussian",
        "minus the log-likelihood of a normal variable, without its constant",
        "(log(var[...]) + (y[...] - t[...])**2/var[...])/2",
        inputs=("y[...]", "t[...]", "var[...]"),
        outputs=Reduction.MEAN,
    ),
    Loss(
        "gaussian_kl",
        "from a normal variable to the standard one, as of a variational autoencoder",
        "(y[...]**2 + exp(logvar[...]) - 1 - logvar[...])/2",
        usual=Reduction.SUM,
        inputs=("y[...]", "logvar[...]"),
    ),
    Loss(
        "focal",
        "cross-entropy of a probability that makes less of what is well told",
        "-t[...]*(1 - y[...])**gamma*log(y[...]) - (1 - t[...])*y[...]**gamma*log(1 - y[...])",
        settings={"gamma": 2},
        outputs=Reduction.MEAN,
    ),
    Loss(
        "dice",
        "one minus the share of both that overlaps",
        "1 - (2*sum(o, y[...,o]*t[...,o]) + smooth)/(sum(o, y[...,o]) + sum(o, t[...,o]) + smooth)",
        inputs=PAIR,
        settings={"smooth": 1},
    ),
    Loss(
        "iou",
        "one minus the overlap of both as a share of their union (Jaccard)",
        "1 - (sum(o, y[...,o]*t[...,o]) + smooth)"
        "/(sum(o, y[...,o] + t[...,o] - y[...,o]*t[...,o]) + smooth)",
        inputs=PAIR,
        settings={"smooth": 1},
    ),
    Loss(
        "tversky",
        "one minus the overlap, where what is too much and what is missed weigh differently",
        "1 - (sum(o, y[...,o]*t[...,o]) + smooth)/(sum(o, y[...,o]*t[...,o] "
        "+ excess*y[...,o]*(1 - t[...,o]) + missed*(1 - y[...,o])*t[...,o]) + smooth)",
        inputs=PAIR,
        settings={"excess": Fraction(3, 10), "missed": Fraction(7, 10), "smooth": 1},
    ),
    Loss(
        "l1_penalty",
        "the absolute values of a parameter; slope 0 at 0",
        "abs(y[...])",
        usual=Reduction.SUM,
        inputs=("y[...]",),
    ),
    Loss(
        "l2_penalty",
        "the squares of a parameter, without a factor of one half",
        "y[...]**2",
        usual=Reduction.SUM,
        inputs=("y[...]",),
    ),
)
BY_NAME = {row.name: row for row in (*ROWS, *FURTHER, *sequences.ROWS)}


def loss_names() -> tuple[str, ...]:
    """The losses of a model."""
    return tuple(BY_NAME)


def loss_layer(name: str) -> tuple[Layer, Reduction]:
    """A loss as a layer, and how its entries are usually put together."""
    return BY_NAME[name].layer, BY_NAME[name].usual
