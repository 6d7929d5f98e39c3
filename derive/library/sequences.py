"""Losses of sequences: all alignments, labellings or warpings at once, by a recurrence over them.

Sums of probabilities are taken of their logarithms; `never` stands for that of 0.
"""

from __future__ import annotations

from fractions import Fraction

from derive.library.loss import Loss, Reduction

CTC = """\
p[...,t,k] = y[...,t,k] - log(sum(o, exp(y[...,t,o])))
a[...,t,u] = p[...,t,label[...,u]] + log(exp(a[...,t-1,u]) + exp(b[...,t-1,u + 0]) \
+ where(label[...,u] != label[...,u-1], exp(a[...,t-1,u-1]), 0))
a[...,-1,u] = never
a[...,t,-1] = never
a[...,-1,-1] = never
b[...,t,v] = p[...,t,0] + log(exp(b[...,t-1,v]) + exp(a[...,t-1,v-1]))
b[...,-1,v] = where(v == 0, 0, never)"""

CRF = """\
a[...,t,k] = y[...,t,k] + where(t > 0, log(sum(j, exp(a[...,t-1,j] + A[j,k]))), 0)
s[...] = sum(t, y[...,t,label[...,t]] + where(t > 0, A[label[...,t-1],label[...,t]], 0))"""

SOFT_DTW = """\
D[i,j] = sum(d, (y[i,d] - t[j,d])**2) - gamma*log(exp(-D[i-1,j]/gamma) \
+ exp(-D[i,j-1]/gamma) + exp(-D[i-1,j-1]/gamma))
D[-1,j] = -never
D[i,-1] = -never
D[-1,-1] = 0"""

ROWS = (
    Loss(
        "ctc",
        "minus the log-probability of labels, wherever they stand among blanks",
        "-log(exp(a[...,size(t)-1,size(u)-1]) + exp(b[...,size(t)-1,size(u)]))",
        inputs=("y[...,t,k]", "label[...,u]"),
        integers=("label",),
        settings={"never": -500},
        more=CTC,
        sizes={"v": "size(u) + 1", "o": "size(k)"},
        notes="The blank is class 0, labels are from 1 on. The paths that have got to the label u "
        "by the time t are in a, those at the blank before it in b (Graves and others, 2006).",
    ),
    Loss(
        "crf",
        "minus the log-probability of labels whose neighbours have scores, too, in a linear chain",
        "log(sum(k, exp(a[...,size(t)-1,k]))) - s[...]",
        inputs=("y[...,t,k]", "label[...,t]", "A[j,k]"),
        integers=("label",),
        more=CRF,
        sizes={"j": "size(k)"},
        notes="A holds the scores of k after j (Lafferty and others, 2001).",
    ),
    Loss(
        "soft_dtw",
        "how far apart two series are if one may be stretched, with a soft least way (soft-DTW)",
        "D[size(i)-1,size(j)-1]",
        entry="",
        inputs=("y[i,d]", "t[j,d]"),
        settings={"gamma": 1, "never": -500},
        more=SOFT_DTW,
        notes="The smaller gamma is, the nearer it is to the least way (Cuturi and Blondel, 2017).",
    ),
    Loss(
        "mixture_density",
        "minus the log-likelihood of a mixture of normal variables",
        "log(sum(k, exp(logit[...,k]))) + log(2*pi)/2 - log(sum(k, exp(logit[...,k] "
        "- log(var[...,k])/2 - (t[...] - y[...,k])**2/(2*var[...,k]))))",
        inputs=("y[...,k]", "t[...]", "var[...,k]", "logit[...,k]"),
        notes="y holds the means (Bishop, 1994).",
    ),
    Loss(
        "cox",
        "minus the log of the chance that, of all still there, the one fails that does",
        "event[n,...]*(log(sum(m, where(time[m,...] >= time[n,...], exp(y[m,...]), 0)))"
        " - y[n,...])",
        entry="n,...",
        usual=Reduction.SUM,
        inputs=("y[n,...]", "time[n,...]", "event[n,...]"),
        sizes={"m": "size(n)"},
        notes="y is the logarithm of the hazard, event is 0 for who only left (Cox, 1972).",
    ),
    Loss(
        "ppo_clip",
        "minus what an action gains, times a ratio of probabilities that is held within bounds",
        "-min(ratio[...]*advantage[...], "
        "clip(ratio[...], 1 - epsilon, 1 + epsilon)*advantage[...])",
        inputs=("y[...]", "old[...]", "advantage[...]"),
        settings={"epsilon": Fraction(1, 5)},
        more="ratio[...] = exp(y[...] - old[...])",
        notes="y and old are log-probabilities of the action, now and when it was taken "
        "(Schulman and others, 2017).",
    ),
    Loss(
        "td_error",
        "half the squared distance of a value to the reward and the best value after it",
        "(y[...,label[...]] - reward[...] - discount*max(o, next[...,o]))**2/2",
        inputs=("y[...,o]", "label[...]", "reward[...]", "next[...,o]"),
        integers=("label",),
        settings={"discount": Fraction(99, 100)},
        notes="label is the action taken, next the values after it. Deep Q-learning "
        "(DQN) holds these fixed; those of the same model are read through stop_gradient.",
    ),
)
