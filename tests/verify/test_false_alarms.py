"""Right work is never called wrong: specs whose numbers are hard for a route, each verified."""

from __future__ import annotations

import re

import pytest

import derive
from derive import InputError
from derive.verify.report import Status
from tests.verify_support import problem

SPECS: dict[str, str] = {
    "a quantity that is called as learning rates are": "inputs: {r: [0.5, -1.2, 0.3]}\n"
    "parameters: {alpha: 0.2}\nmodel:\n  - 'h[t] = 0.1 + alpha*r[t-1]**2'\n"
    "loss: 'E = sum(t, log(h[t]) + r[t]**2/h[t])/2'\n",
    # deviations from a mean add up to zero, but not those of numbers drawn apart from it
    "standardised in one equation": "inputs: {a: [1, -0.3, 0.9], b: [0.8, -0.1, 1.2]}\n"
    "parameters: {w: 1.5}\nmodel:\n  - 'z[n] = w*a[n]'\n  - 'mu = mean(n, z[n])'\n"
    "  - 'u[n] = (z[n] - mu)/sqrt(mean(m, (z[m] - mu)**2))'\n"
    "loss: 'E = mean(n, u[n]*b[n])**2'\n",
    # a rounded number that prints as a whole one, or with zeros at its end
    "whole print": "parameters: {x: 7.13}\nmodel: [m = exp(x)]\nloss: E = m - 812*log(m)\n",
    "a whole print before an update that leaves for good": "inputs: {x: [1, 800]}\n"
    "parameters: {h: 5.8}\nsizes: {t: 2}\nmodel: ['r[t] = h*r[t-1] + x[t]']\n"
    "loss: E = r[1]**2 + 0.7*r[0] + h\ntraining: {learning_rate: 1.0e+30, steps: 1}\n",
    "tens": "parameters: {x: 5.1}\nmodel: [m = exp(x)]\nloss: E = m**2\n"
    "numbers: {significant_digits: 2}\n",
    "tens of a sum": "inputs: {x: [0.433, -0.985]}\nparameters: {w: [1.5, -27.4]}\n"
    "model: ['z = sum(i, w[i]*x[i])', E = z**2]\nnumbers: {significant_digits: 1}\n",
    "the same as a given": "inputs: {x: [28, 0.983]}\nparameters: {w: [1.001, -0.02]}\n"
    "model: ['z = sum(i, w[i]*x[i])', E = z**2]\nnumbers: {significant_digits: 2}\n",
    # an entry of a column that nothing else on the page tells the count of
    "a column of two": "inputs: {x: [0, 2]}\nloss: 'E = sum(i, where(x[i] > 0, 1/x[i], 0))'\n",
    "magnitudes of a constant": "inputs: {x: [1, 1, 1, 1]}\nsizes: {k: 4}\nmodel:\n"
    "  - 're[k] = sum(t, x[t]*cos(2*pi*k*t/4))'\n"
    "  - 'im[k] = sum(t, x[t]*sin(2*pi*k*t/4))'\n"
    "  - 'a[k] = sqrt(re[k]**2 + im[k]**2)'\nloss: 'E = sum(k, a[k])'\n",
    # what is above zero, and zero in doubles
    "a root that fades": "inputs: {x: [-940, 0.5]}\nparameters: {w: [0.3, 0.4]}\nmodel:\n"
    "  - 'r[i] = sqrt(softplus(x[i]))'\n  - 'y = sin(sum(i, w[i]*r[i]))'\n"
    "loss: 'E = (y - 1)**2'\ngradients: [w, x]\n",
    "a norm of what fades": "inputs: {x: [-490000, -490007]}\nparameters: {w: [2, 3]}\nmodel:\n"
    "  - 'p[k] = logistic(x[k])'\n  - 'y[k] = w[k]*p[k]*sqrt(sum(u, p[u]**2))'\n"
    "loss: 'E = sum(k, (y[k] - 1)**2)'\ngradients: [w, x]\n",
    # a rounded number is printed like one that is given, and used before it is shown
    "a slope that prints like an input": "inputs: {x: [0.1, 0.3]}\nparameters: {w: 2}\nmodel:\n"
    "  - 'h[t] = 0.5*h[t-1] + w*x[t]'\nloss: 'E = 0.104*h[1] + 0.0834*h[0]'\n"
    "gradients: [h, w]\nnumbers: {significant_digits: 2, chained: false}\n",
    # a logarithm of what few digits take for nothing, and the loss does not feel
    "a logarithm of nothing behind a saturated unit": "inputs: {x: 2450}\nparameters: {w: 1}\n"
    "model:\n  - 'o = log(1 - logistic(w*x))'\n  - 'y = tanh(o)'\nloss: 'E = (y - 0.5)**2'\n",
    "an optimizer that counts its updates and keeps nothing": "parameters: {w: [0.3, 0.2]}\n"
    "loss: 'E = sum(i, (w[i] - 1)**2)'\n"
    "define: {optimizers: {fading: {equations: w = w - alpha*g/(1 + k)}}}\n"
    "training: {learning_rate: 0.1, optimizer: fading, steps: 4}\n",
    "a sum that is nothing before a sign, beside what needs many digits": "inputs:\n"
    "  g: [0.4, -0.7, 0.3]\n  x: 750\nparameters: {b: 0.11, w: 1}\n"
    "loss: 'E = sum(t, g[t]*b) + tanh(w*x)'\n"
    "training: {learning_rate: 0.1, optimizer: lion, steps: 2}\nnumbers: {chained: false}\n",
    "a gradient of nothing beside a loss of e^250": "inputs: {x: 250}\n"
    "parameters: {b: [0.2, 0.5], c: 1}\nmodel:\n  - 'z[k] = b[k] + c - max(i, b[i] + c)'\n"
    "  - 'p[k] = z[k] - log(sum(i, exp(z[i])))'\nloss: 'E = sum(k, exp(x)*exp(p[k]))*x'\n",
    "a sine beside what few digits divide by nothing": "inputs: {x: [90, 0.3]}\n"
    "parameters: {w: 1}\nmodel:\n  - 'y[i] = 1/(1 - tanh(w*x[i]))'\n"
    "  - 'z[i] = sin(w*x[i])'\nloss: 'E = sum(i, log(y[i]) + z[i])'\n",
    # what 800 digits do not tell from its bound, and 1,600 do
    "below a bound by next to nothing": "inputs: {x: 1832}\nmodel:\n  - 'y = 1 - exp(-x)'\n"
    "  - 'z = min(y, 1)'\nloss: 'E = z**2'\ngradients: [y]\nnumbers: {chained: false}\n",
    "a tie that next to nothing decides one update later": "parameters: {a: 0}\nmodel:\n"
    "  - 'y = tanh(750 + a)'\nloss: 'E = 5*max(0, a) - y'\n"
    "training: {learning_rate: 0.1, steps: 3}\nnumbers: {chained: false}\n",
    # a slope by what prints as 1, so that 1 - y is nothing in the prints
    "one below a line": "inputs: {x: 1.5}\ntargets: {t: 0}\nparameters: {w: 400}\n"
    "model: [y = logistic(w*x)]\nloss: E = -t*log(y) - (1 - t)*log(1 - y)\n"
    "gradients: [y, w]\nnumbers: {decimals: 4}\n",
    "nothing by what prints as nothing": "inputs: {x: 12}\ntargets: {t: 1}\n"
    "parameters: {w: 1.5}\nmodel: [y = logistic(w*x)]\n"
    "loss: E = -t*log(y) - (1 - t)*log(1 - y)\ngradients: [y, w]\n"
    "numbers: {chained: true, significant_digits: 4}\n",
    "the square of next to nothing": "inputs: {x: -7000}\nparameters: {w: 1.1}\n"
    "model: [p = exp(w*x)]\nloss: E = p\n"
    "training: {learning_rate: 0.1, optimizer: rmsprop}\ngradients: [w]\n",
    # what only more digits tell apart
    "next to nothing below zero": "inputs: {x: 0.4}\nparameters: {w: [-0.75, 0], b: -580}\n"
    "model: [s = softplus(b), 'm = max(w[0]*s, w[1]*x)']\nloss: E = (m - 2)**2\n",
    # numbers that only rounding tells from a kink or a tie
    "kink of short decimals": "inputs: {x: 0.1}\nparameters: {w: 3}\n"
    "model: [a = relu(w*x - 0.3)]\nloss: E = w**2/2 + a\n",
    "kink of a new value": "inputs: {x: 1}\nparameters: {w: 1}\nmodel: [a = relu(w*x - 1)]\n"
    "loss: E = w**2/2 + a**2/2\ntraining: {learning_rate: 1, steps: 1}\n",
    "tie of short decimals": "parameters: {v: [0.6, 0.2]}\n"
    "model: ['m = max(v[0], v[1] + 0.4)']\nloss: E = m**2\n",
    "absolute value of a difference": "parameters: {u: 0.3, v: 0.1}\n"
    "loss: E = abs(u - 3*v) + u*v\n",
    "logarithm of next to nothing": "inputs: {z: [9200.5, 3]}\ntargets: {t: [0.5, 2]}\n"
    "model: ['p[k] = softmax(k, z[k])']\nloss: E = -sum(k, t[k]*log(p[k]))\n",
    "a letter of the optimizer": "inputs: {x: [0.4, -1]}\nparameters: {b: [0.1, 2]}\n"
    "model: ['y[h] = x[h]*b[h]', 'm = max(h, y[h])']\nloss: E = m**2 + y[1]\n"
    "training: {learning_rate: 0.1, optimizer: adam}\n",
    "a large state": "parameters: {w: 8.1e+9}\nloss: E = w**3\n"
    "training: {learning_rate: 0.1, optimizer: rmsprop}\n",
    "greatest of equal sums": "inputs: {x: [0.1, 0.2, 0.3]}\nparameters: {w: [1, 1, 1]}\n"
    "model: ['s[k] = x[k]*w[k] + 0.6 - x[k]', 'm = max(k, s[k])']\nloss: E = m**2\n",
    "hinge at its corner": "inputs: {x: [0.1, 0.7]}\ntargets: {t: 1}\nparameters: {w: [3, 1]}\n"
    "model: ['y = sum(i, w[i]*x[i])']\nloss: E = max(0, 1 - t*y) + y**2\n",
    "half of a unit": "inputs: {x: [0.3, 0.4645]}\nparameters: {w: [0.5, -0.25]}\n"
    "loss: E = sum(i, abs(w[i]*x[i]))/2\nnumbers: {significant_digits: 4}\n",
    "a root that ends": "parameters: {v: 0.0441}\nmodel: [s = sqrt(v)]\nloss: E = s/8 + s**3\n"
    "numbers: {decimals: 4, chained: false}\n",
    # numbers beside which others vanish
    "saturated softmax": "inputs: {z: [28, 0]}\nmodel:\n"
    "  - {layer: softmax, inputs: z, output: p}\nloss: E = p[1]\n",
    "far saturated": "inputs: {z: [900, 0, 899]}\nmodel:\n"
    "  - {layer: softmax, inputs: z, output: p}\nloss: E = p[1] + p[2]**2\n",
    "saturated tanh": "parameters: {w: 60}\nmodel: [y = tanh(w)]\nloss: E = (y - 1)**2 + y\n",
    "mask of -1e9": "inputs: {z: [0.5, 0.1, 0.2], m: [0, -1.0e9, 0]}\n"
    "model: ['p[k] = softmax(k, z[k] + m[k])']\nloss: E = p[0]**2 + p[1]\n",
    "mask of -1e30": "inputs: {z: [0.5, 0.1, 0.2], m: [0, -1.0e30, 0]}\n"
    "model: ['p[k] = softmax(k, z[k] + m[k])']\nloss: E = p[0]**2 + p[1]\n",
    "difference of large": "inputs: {x: [1000001, 1000000.5]}\nparameters: {w: [1, -1]}\n"
    "model: ['y = sum(i, w[i]*x[i])']\nloss: E = y**2/2 - y/2\n",
    "a unit far from its bend": "network: {inputs: 1, layers: [{dense: 2, activation: silu}, "
    "{dense: 3, activation: identity}], loss: half_squared_error}\n"
    "parameters: {W1: [[-9500], [-800]], b1: [0, 1], W2: [[1, 2], [3, 4], [5, 1]],"
    " b2: [0, 0, 0]}\n"
    "data: {inputs: [[1], [0.5]], targets: [[1, 0, 0], [0, 1, 0]]}\n"
    "training: {learning_rate: 0.1, steps: 1}\n",
    "logarithm of little": "parameters: {p: 0}\nloss: E = -log(p + 1.0e-8)\n",
    "a hundred zeros": "parameters: {w: [0.5, 1]}\nmodel: ['a = exp(-300*w[1]**2)', 'b = a/3']\n"
    "loss: E = (b + 1)**2 + w[0]*a\nnumbers: {chained: false}\n",
    "the greater of nothing and next to nothing": "inputs: {x: 210}\nparameters: {w: [1, 1]}\n"
    "loss: E = (w[0] + w[1])*exp(-x)\ntraining: {learning_rate: 0.1, optimizer: adamax}\n",
    "softmax by hand over the past": "inputs: {x: [[1, 0.5], [-2, 0.1], [-1.0e+5, 0.2]]}\n"
    "parameters: {w: 2}\nmodel: ['y[t] = sum(u, where(u <= t, exp(x[t,0]*x[u,0]), 0)*x[u,1])"
    "/sum(v, where(v <= t, exp(x[t,0]*x[v,0]), 0))']\nloss: E = sum(t, w*y[t])**2\n",
    "the sign of next to nothing": "inputs: {x: -0.4}\nparameters: {w: 410}\n"
    "model: [y = logistic(w*x)]\nloss: E = abs(y) + abs(y - 1)\n",
    "the greatest of many nines": "inputs: {x: [340, 790, 1]}\nparameters: {w: 1}\n"
    "model: ['y[k] = tanh(w*x[k])', 'z[k] = softplus(y[k] - max(j, y[j]))']\n"
    "loss: E = z[0]*3 + z[1]*2 + z[2]\n",
    "a saturated output, trained": "network: {inputs: 1, layers: [{dense: 2, activation: logistic}"
    "], loss: binary_cross_entropy}\nparameters: {W1: [[0.3], [-0.9]], b1: [710, 0]}\n"
    "data: {inputs: [3.5], targets: [0, 1]}\nnumbers: {chained: false}\n"
    "training: {learning_rate: 0.5, optimizer: momentum_with_rate, steps: 2}\n",
    "a saturated output, layer by layer": "network: {inputs: 1, layers: [{dense: 1, activation: "
    "logistic}], loss: focal}\nparameters: {W1: [[1]], b1: [780]}\n"
    "data: {inputs: [0.5], targets: [0]}\n"
    "training: {learning_rate: 0.1, optimizer: adam, order: layer_by_layer, steps: 2}\n",
    "Adam beside a saturated gate": "inputs: {x: [1, 0.8]}\nparameters: {w: 160}\n"
    "model: ['y[k] = tanh(w*x[k])']\nloss: E = sum(k, y[k])**2\nnumbers: {chained: true}\n"
    "training: {learning_rate: 0.1, optimizer: adamw, order: layer_by_layer}\n",
    "the logarithm of next to one": "parameters: {z: -780}\nmodel: [p = logistic(z)]\n"
    "loss: E = log(exp(p)) - 670*p\n",
    "the square of a vanishing slope": "inputs: {x: 500}\nparameters: {w: 1}\n"
    "loss: E = w*exp(-x)\ntraining: {learning_rate: 0.1, optimizer: rmsprop}\n",
    "next to nothing beside a tie": "inputs: {x: -170}\nparameters: {w: 0.00085}\n"
    "loss: E = w*exp(x/2)\ntraining: {learning_rate: 0.1, optimizer: adamw}\n",
    "squares with decimals": "inputs: {x: 220016228101933.2}\nparameters: {w: 1}\n"
    "loss: E = w*x\nnumbers: {decimals: 2}\n"
    "training: {learning_rate: 0.1, optimizer: rmsprop}\n",
    "the spectrum of a constant": "inputs: {x: [2, 2, 2, 2, 2]}\nparameters: {w: 3}\n"
    "model: ['a[k] = sum(t, w*x[t]*cos(2*pi*k*t/5))', 'm[k] = abs(a[k])']\nsizes: {k: 5}\n"
    "loss: E = sum(k, m[k])\n",
    "a training that leaves the doubles": "parameters: {w: 40}\nloss: E = w**4\n"
    "training: {learning_rate: 1.0e+20, optimizer: momentum, order: layer_by_layer, steps: 1}\n",
    # a choice whose condition an equation promises
    "a choice by a root": "inputs: {x: [0.4, -2]}\nparameters: {m: 0.5, c: 0.25}\n"
    "model:\n  - update[k] = sqrt(1 + (x[k] - c)**2)\n"
    "  - d[k] = where(update[k] > 0, update[k], m*update[k])\n"
    "loss: E = sum(k, d[k]**2)\n",
    # a choice that rounded numbers would make otherwise
    "a condition decided by rounding": "parameters: {w: 1}\nmodel: [a = w/3, "
    "'y = where(a > 0.3333, a, 2*a)']\nloss: E = y**2\nnumbers: {chained: true}\n",
    "a greatest decided by rounding": "parameters: {w: [1, 3]}\n"
    "model: ['a[i] = w[i]/3', 'b[i] = a[i] - 0.3333*(1 - i)', 'm = max(i, a[i])', "
    "'y = where(b[0] > 0, m, a[0])']\nloss: E = y**2\nnumbers: {chained: true}\n",
    # names that mean something else beside what follows
    "marks on e": "inputs: {e1: [0.5, 2]}\nparameters: {e: [0.3, -1], e_2: 2}\n"
    "model: ['y[k] = tanh(e[k]*e1[k] + e_2)']\nloss: E = sum(k, y[k]**2)\n",
    "names of functions": "parameters: {exp_: 0.5, net: 0.25, sigma: 2, H: -1, max_: 3}\n"
    "model: [y = exp_*(1 - exp_), z = net*(y + 1), u = sigma*(z - net), v = H*(u + 1)]\n"
    "loss: E = max_*(v + u)**2\n",
    "a layer's mark at an update": "inputs: {x: [0.5, 2]}\nparameters: {W1: [0.1, 0.2], "
    "W2: [0.3, 0.4]}\nmodel: ['y = sum(i, W1[i]*W2[i]*x[i])']\nloss: E = y**2\n"
    "training: {steps: 3, learning_rate: 0.1}\n",
    # places where a formula has no plain value
    "edge": "inputs: {x: [2, 3]}\nmodel:\n  - |\n    y[t] = y[t-1]*x[t]\n    y[-1] = 1\n"
    "loss: E = sum(t, y[t])\n",
    "edge of a table": "inputs: {x: [[2, 3], [1, 0.5]]}\nparameters: {c: 0.5}\nmodel:\n  - |\n"
    "    y[t,k] = c*y[t-1,k] + x[t,k]\n    y[-1,k] = 0.25\nloss: E = sum(t, k, y[t,k]**2)\n",
    "power at zero": "parameters: {x: [0, 0.5]}\nconstants: {p: 3}\nloss: E = sum(i, x[i]**p)\n",
    # formulas that need brackets, or a fraction of their own
    "a mean over many": "inputs: {x: [1, 2, 0.5, 3, -1, 0.25, 1, 2, 4, 5, 0.125, 1, 7]}\n"
    "parameters: {w: 0.5}\nmodel: ['e[i] = (w*x[i] - 1)**2']\nloss: E = mean(i, e[i])\n",
    "a slope of two parts before a long sum": "network:\n  inputs: 2\n  layers:\n"
    "    - {dense: 2, activation: leaky_relu}\n    - {dense: 6, activation: identity}\n"
    "  loss: half_squared_error\n"
    "parameters: {W1: [[-0.501, -0.667], [0.353, 0.414]], b1: [0.115, 0.216],\n"
    "  W2: [[0.311, 0.412], [0.513, 0.614], [0.715, 0.816],\n"
    "    [0.917, 0.118], [0.219, 0.321], [0.422, 0.523]],\n"
    "  b2: [0.124, 0.125, 0.126, 0.127, 0.128, 0.129]}\n"
    "data: {inputs: [[0.501, 0.702], [0.103, 0.204]], targets: [[1, 0, 0, 0, 0, 0],\n"
    "  [0, 1, 0, 0, 0, 0]]}\ntraining: {learning_rate: 0.1, steps: 1}\n",
    # outputs that a page, or fifty digits, round to 1
    **{
        f"an output of logistic({net})": "network: {inputs: 1, "
        "layers: [{dense: 1, activation: logistic}], loss: binary_cross_entropy}\n"
        f"parameters: {{W1: [[{net}]], b1: [0]}}\n"
        "data: {inputs: [1], targets: [0]}\n"
        for net in (12, 110, 900)
    },
    "a logarithm of little that is left": "parameters: {w: 300}\nmodel: [p = logistic(w)]\n"
    "loss: E = -log(1 - p)\n",
    "a slope over a net input, and over the activation that is rounded": "inputs: {x: [2, 3]}\n"
    "parameters: {w: [0, 1], b: 4}\nmodel: ['net = sum(i, w[i]*x[i]) + b', y = logistic(net)]\n"
    "loss: y\n",
    "a slope in two forms, one with a rounded name": "parameters: {w: 5}\n"
    "model: [p = logistic(w)]\nloss: E = -log(1 - p)\nnumbers: {chained: true}\n",
    "sums of which only noise is left": "inputs: {x: [1, 1, 1]}\nsizes: {k: 3}\nmodel:\n"
    "  - re[k] = sum(t, x[t]*cos(2*pi*k*t/3))\n  - im[k] = sum(t, x[t]*sin(2*pi*k*t/3))\n"
    "  - a[k] = sqrt(re[k]**2 + im[k]**2)\nloss: 'E = sum(k, a[k])'\n",
    "a norm whose squares are below all doubles": "inputs: {x: [1e-200, 1e-200]}\n"
    'loss: "E = sqrt(sum(i, x[i]**2))"\n',
    "a longer table that is a shorter one, and zero beyond it": "inputs: {x: [0.5, -0.3]}\n"
    "parameters: {w: 0.7}\nsizes: {i: 3}\nmodel: ['y[t] = tanh(w*x[t])', 'z[i] = y[i + 0]']\n"
    "loss: E = sum(i, (z[i] - 1)**2)\n",
    # zero is a value, too
    "Adam of nothing": "inputs: {x: [0.1, 0.2]}\nparameters: {w: [0.3, 0.7], b: 0.4}\n"
    "model: ['s[k] = w[k]*x[k] + b', 'p[k] = softmax(k, s[k])']\nloss: E = -log(p[0])\n"
    "training: {learning_rate: 0.1, optimizer: adam, steps: 3}\n",
    "a chained training that rounds to zero": "inputs: {x: 0.0086}\nparameters: {w: -0.0052}\n"
    "targets: {t: 0.0074}\nmodel: [y = w*x]\nloss: E = (y - t)**2\n"
    "training: {learning_rate: 1, optimizer: adamw}\nnumbers: {decimals: 8, chained: true}\n",
    # what is zero as it is, and something in the numbers that the page goes on with
    "a long sum of what rounding alone leaves": "inputs: {x: [1, 1, 2, 5, 7, 8, 1, 2]}\n"
    "model: ['p[k] = x[k]/3', 'q[k] = 3*p[k] - x[k]']\n"
    "loss: 'E = sum(k, x[k]*q[k]) + sum(k, 0.001*x[k])'\n",
    # decimals that show nothing of what is small: 0/0 = 1.7
    "a quotient of what is below all decimals": "inputs: {x: [1.7e-7, 1e-7]}\n"
    "parameters: {w: 0.3}\nmodel: ['y = w*x[0]/x[1]']\nloss: E = y**2\n"
    "numbers: {decimals: 4}\n",
    "a quotient of results below all decimals": "inputs: {x: [1.7e-3, 1e-3]}\n"
    "parameters: {w: 0.3}\nmodel: ['z[i] = w*x[i]**3', 'y = z[0]/z[1]']\nloss: E = y**2\n"
    "numbers: {decimals: 4}\n",
    "a quotient of unrounded results below all decimals": "inputs: {x: [1.7e-3, 1e-3]}\n"
    "parameters: {w: 0.3}\nmodel: ['z[i] = w*x[i]**3', 'y = z[0]/z[1]']\nloss: E = y**2\n"
    "numbers: {decimals: 4, chained: false}\n",
}


UNROUNDED = "numbers: {chained: false}\n"
EITHER_WAY = SPECS | {
    f"{name}, unrounded": text + UNROUNDED
    for name, text in SPECS.items()
    if "numbers:" not in text and not text.startswith("network:")
}


@pytest.mark.parametrize("text", EITHER_WAY.values(), ids=EITHER_WAY.keys())
def test_a_right_spec_is_verified(text: str) -> None:
    report = derive.make(problem(f"{text}languages: [en]\n")).verify()
    assert [r.detail for r in report.routes if r.status is Status.DISAGREES] == []
    assert report.agree


OVERFLOW = [
    ("parameters: {x: 800}\nmodel: [m = exp(x)]\nloss: E = m\n", "m is 2.73e+347"),
    ("parameters: {x: 2}\nloss: E = exp(x)*x\ntraining: {learning_rate: -50}\n", "E+ is "),
    (  # a state of the optimizer
        "inputs: {x: 450}\nparameters: {w: 1}\nloss: E = w*exp(x)\n"
        "training: {learning_rate: 0.1, optimizer: rmsprop}\n",
        "s_w@1 is ",
    ),
]


@pytest.mark.parametrize(("text", "words"), OVERFLOW)
def test_values_that_no_double_holds_are_refused(text: str, words: str) -> None:
    made = derive.make(problem(f"{text}languages: [en]\n"))
    with pytest.raises(InputError, match=re.escape(words)):
        made.verify()
