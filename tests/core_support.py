"""Graphs written by hand and a second meaning for them, to judge the calculus and the interpreter.

The oracle turns a graph into nested closures over 50-digit numbers. It shares no code with the
interpreter of the package, so that each can be judged by the other.
"""

from __future__ import annotations

import math
import operator
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import product
from types import FrameType
from typing import Any

import sympy
from hypothesis import HealthCheck, settings
from mpmath import mp, mpf

from derive.backprop import differentiate
from derive.equations import parse_equations
from derive.expression import (
    Axis,
    Chosen,
    Delta,
    Element,
    Index,
    Inside,
    Largest,
    LogTotalExp,
    Slope,
    Total,
)
from derive.graph import Derivation, Graph, Quantity, Role, adjoint_name
from derive.places import Division, Quotient, Remainder

DIGITS = 50
STEP = "1e-18"
KINK = 1e-9
TOLERANCE = 1e-20
Place = tuple[str, tuple[int, ...]]
Values = dict[Place, Any]
Bound = dict[Index, int]
Closure = Callable[[Values, Bound], Any]


@lru_cache(maxsize=1000)
def derived(graph: Graph, wanted: tuple[str, ...] | None = None) -> Derivation:
    """The derivation of a graph, found once for all tests that do not judge how it is found."""
    return differentiate(graph, wanted)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": mp.exp,
    "log": mp.log,
    "tanh": mp.tanh,
    "sin": mp.sin,
    "cos": mp.cos,
    "erf": mp.erf,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "atan": mp.atan,
    "asin": mp.asin,
    "acos": mp.acos,
    "stop_gradient": lambda x: x,
    "logistic": lambda x: (1 + mp.tanh(x / 2)) / 2,
    "softplus": lambda x: max(x, 0) + mp.log(1 + mp.exp(-abs(x))),
    "maximum": max,
    "minimum": min,
    "absolute": abs,
    "sign": mp.sign,
    "floored": mp.floor,
    "angle": mp.atan2,
    "log_gamma": mp.loggamma,
    "digamma": mp.digamma,
    "polygamma": lambda n, x: mp.diff(mp.digamma, x, int(n)),
    "greater": lambda a, b: mpf(int(a > b)),
    "at_least": lambda a, b: mpf(int(a >= b)),
    "where": lambda c, a, b: a if c == 1 else b,
}


def relaxed(examples: int) -> settings:
    """Hypothesis settings of the slow properties: the same examples on every machine."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def calls(work: Callable[[], object]) -> int:
    """How many functions a piece of work calls: a cost that no other load of a machine changes."""
    count = 0

    def seen(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def axis(name: str, size: int) -> Axis:
    return Axis(name, sympy.Integer(size))


@dataclass(frozen=True)
class Case:
    """A graph as text. `given` lists `name[letters] role`, a letter is an axis of `sizes`.

    `same` says which letters run over the axis of another one; the last equation is the loss.
    """

    text: str
    given: str
    sizes: str = ""
    same: str = ""
    distributions: tuple[str, ...] = ()

    @property
    def letters(self) -> dict[str, Axis]:
        pairs = [word.split("=") for word in self.sizes.split()]
        letters = {letter: axis(letter, int(size)) for letter, size in pairs}
        for word in self.same.split():
            letter, other = word.split("=")
            letters[letter] = letters[other]
        return letters

    @property
    def quantities(self) -> dict[str, Quantity]:
        letters, made = self.letters, {}
        for word in filter(str.strip, self.given.split(";")):
            head, role = word.split()
            name, _, places = head.partition("[")
            axes = tuple(letters[place] for place in places.rstrip("]").split(",") if place)
            made[name] = Quantity(
                name, name, axes, Role(role), sums_to_one=name in self.distributions
            )
        return made

    def graph(self) -> Graph:
        lines = [line for line in self.text.replace("\n", ";").split(";") if line.strip()]
        last = lines[-1].partition("=")[0].partition("[")[0].strip()

        def describe(name: str, axes: tuple[Axis, ...]) -> Quantity:
            return Quantity(name, name, axes, Role.LOSS if name == last else Role.HIDDEN)

        given = self.quantities
        return Graph(
            tuple(given.values()), parse_equations(self.text, given, self.letters, describe)
        )


def places(quantity: Quantity) -> Iterator[Place]:
    for position in product(*map(range, quantity.shape)):
        yield quantity.name, position


def whole(expr: sympy.Expr) -> Callable[[Bound], int]:
    """An index expression as a function of the bound indices."""
    if isinstance(expr, Index):
        return lambda bound: bound[expr]
    if expr.is_Integer:
        number = int(expr)
        return lambda bound: number
    join = {
        sympy.Add: operator.add,
        sympy.Mul: operator.mul,
        sympy.Pow: operator.pow,
        Quotient: operator.floordiv,
        Remainder: operator.mod,
    }[expr.func]
    below = [whole(argument) for argument in expr.args]
    return lambda bound: reduce(join, [each(bound) for each in below])


def closure(expr: sympy.Expr) -> Closure:
    """A scalar expression as a function of the values and of the bound indices."""
    if isinstance(expr, Element):
        name, at = expr.name, [whole(index) for index in expr.indices]
        zero = mpf(0)
        return lambda values, bound: values.get((name, tuple(f(bound) for f in at)), zero)
    if isinstance(expr, Index | Division):
        number = whole(expr)
        return lambda values, bound: mpf(number(bound))
    if isinstance(expr, Delta):
        left, right = map(whole, expr.args)
        return lambda values, bound: mpf(int(left(bound) == right(bound)))
    if isinstance(expr, Inside):
        place, size = map(whole, expr.args)
        return lambda values, bound: mpf(int(0 <= place(bound) < size(bound)))
    if isinstance(expr, Total | LogTotalExp | Largest | Chosen):
        return _binding(expr)
    if expr.is_Rational:
        numerator, denominator = int(expr.p), int(expr.q)
        return lambda values, bound: mpf(numerator) / denominator
    if expr == sympy.E:
        return lambda values, bound: +mp.e
    if expr == sympy.pi:
        return lambda values, bound: +mp.pi
    below = [closure(argument) for argument in expr.args]
    join = _joined(expr)
    return lambda values, bound: join(*[each(values, bound) for each in below])


def _joined(expr: sympy.Expr) -> Callable[..., Any]:
    if isinstance(expr, sympy.Add):
        return lambda *terms: mp.fsum(terms)
    if isinstance(expr, sympy.Mul):
        return lambda *factors: mp.fprod(factors)
    if isinstance(expr, sympy.Pow):
        return lambda base, exponent: base**exponent
    return FUNCTIONS[expr.func.__name__]


def _slope(expr: Slope) -> Closure:
    body, name = closure(expr.body), expr.element.name
    at = [whole(index) for index in expr.element.indices]

    def difference(values: Values, bound: Bound) -> Any:
        key = name, tuple(f(bound) for f in at)
        left, right = sides(lambda shift: body({**values, key: values[key] + shift}, bound))
        return (left + right) / 2 if distance(left, right) < KINK else None

    return difference


def _binding(expr: Total | LogTotalExp | Largest | Chosen) -> Closure:
    if isinstance(expr, Chosen):
        largest, asked = expr.largest, [whole(place) for place in expr.positions]
        indices, body = largest.bound, closure(largest.body)
    else:
        indices = expr.bound if isinstance(expr, Largest) else (expr.index,)
        body = closure(expr.body)
    ranges = [range(index.axis.length) for index in indices]

    def every(values: Values, bound: Bound) -> dict[tuple[int, ...], Any]:
        return {
            at: body(values, {**bound, **dict(zip(indices, at, strict=True))})
            for at in product(*ranges)
        }

    if isinstance(expr, Total):
        return lambda values, bound: mp.fsum(every(values, bound).values())
    if isinstance(expr, LogTotalExp):
        return lambda values, bound: mp.log(mp.fsum(map(mp.exp, every(values, bound).values())))
    if isinstance(expr, Largest):
        return lambda values, bound: max(every(values, bound).values())

    def chosen(values: Values, bound: Bound) -> Any:
        table = every(values, bound)
        first = max(table, key=lambda at: table[at])
        return mpf(int(first == tuple(place(bound) for place in asked)))

    return chosen


def sides(loss: Callable[[Any], Any]) -> tuple[Any, Any]:
    """The slopes of a function at 0 from the left and from the right."""
    step = mpf(STEP)
    middle = loss(mpf(0))
    return (middle - loss(-step)) / step, (loss(step) - middle) / step


class Oracle:
    """The meaning of a graph, compiled once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.compiled = [(e, closure(e.rhs)) for e in graph.equations]

    def run(self, given: Values) -> Values:
        values = dict(given)
        with mp.workdps(DIGITS):
            for equation, rhs in self.compiled:
                computed = {}
                for name, position in places(equation.quantity):
                    bound = dict(zip(equation.indices, position, strict=True))
                    computed[name, position] = rhs(values, bound)
                values.update(computed)
        return values

    def slope(self, given: Values, key: Place) -> Any:
        """∂loss/∂key as a central difference, good to about 30 digits; None at a kink."""
        loss = (self.graph.loss.name, ())
        with mp.workdps(DIGITS):
            left, right = sides(lambda shift: self.run({**given, key: given[key] + shift})[loss])
            return (left + right) / 2 if distance(left, right) < KINK else None


def draw(graph: Graph, seed: int = 1, low: int = -1000, high: int = 1000) -> Values:
    """Values for everything given, in general position; distributions sum to one."""
    source = random.Random(seed)
    values: Values = {}
    with mp.workdps(DIGITS):
        for quantity in graph.given:
            least = 100 if quantity.role is Role.TARGET else low
            most = 900 if quantity.role is Role.TARGET else high
            drawn = {key: mpf(source.randint(least, most)) / 1013 for key in places(quantity)}
            if quantity.sums_to_one:
                for key in drawn:
                    row = [k for k in drawn if k[1][:-1] == key[1][:-1]]
                    if key == row[-1]:
                        drawn[key] = 1 - mp.fsum(drawn[k] for k in row[:-1])
            values.update(drawn)
    return values


def distance(found: Any, expected: Any) -> float:
    """The relative distance of two numbers, infinite where one is not a finite real number."""
    with mp.workdps(DIGITS):
        if not all(isinstance(v, mpf) and mp.isfinite(v) for v in (found, expected)):
            return math.inf
        return float(abs(found - expected) / max(abs(expected), mpf("1e-6")))


def worst_gradient(derivation: Derivation, given: Values, values: Values) -> float:
    """The largest distance of `values[adj_q]` from a difference, where the loss has a slope."""
    oracle = Oracle(derivation.forward)
    keys = [key for q in derivation.forward.of_role(Role.PARAMETER) for key in places(q)]
    assert keys
    worst = 0.0
    for name, at in keys:
        if adjoint_name(name) in derivation.backward.quantities:
            expected = oracle.slope(given, (name, at))
            if expected is not None:
                worst = max(worst, distance(values[adjoint_name(name), at], expected))
    return worst


def worst_step(derivation: Derivation, values: Values) -> float:
    """The largest distance between the two sides of a step, over all its free indices."""
    worst = 0.0
    with mp.workdps(DIGITS):
        for step in derivation.steps:
            after = closure(step.after)
            before = _slope(step.before) if isinstance(step.before, Slope) else closure(step.before)
            for position in product(*[range(index.axis.length) for index in step.indices]):
                bound = dict(zip(step.indices, position, strict=True))
                expected = before(values, bound)
                if expected is not None:
                    worst = max(worst, distance(after(values, bound), expected))
    return worst


CASES: Mapping[str, Case] = {
    "places divided: a head for a group, a picture of its channels": Case(
        """y[h,t] = q[h,t]*k[h//2,t]*(h%2 + 1)
        z[c,i,j] = x[4*c + 2*(i%2) + j%2, i//2, j//2]*w[c,i,j]
        E = sum(h,t, y[h,t]**2) + sum(c,i,j, tanh(z[c,i,j])**3)""",
        "k[g,t] parameter; q[h,t] parameter; x[d,a,b] parameter; w[c,i,j] parameter",
        "h=4 t=2 g=2 c=2 d=8 i=4 j=2 a=2 b=1",
    ),
    "places divided, beyond both ends and divided by": Case(
        """y[i] = w[i//2]*w[(i + 1)//2] + w[(4 - i)//2]**2/w[i%3] + w[(i - 3)//2]
        z[i] = v[2*(i%3) + i//3%2]*v[2*(i%2) + i//2] + where((i + 1)%2 == 0, v[i + 0], 1/v[i//2])
        E = sum(i, y[i]**2*sum(j, ((i + j)%2 == 0)*v[j]) + z[i]**3 + i*w[i//2])""",
        "w[a] parameter; v[j] parameter",
        "a=3 j=6 i=5",
    ),
    "dense, softmax, cross-entropy": Case(
        """z[n,o] = sum(i, W[o,i]*x[n,i]) + b[o]
        p[n,o] = softmax(o, z[n,o])
        e[n] = -sum(o, t[n,o]*log(p[n,o]))
        E = mean(n, e[n])""",
        "W[o,i] parameter; b[o] parameter; x[n,i] input; t[n,o] target",
        "n=2 o=3 i=2",
        distributions=("t",),
    ),
    "logistic, binary cross-entropy": Case(
        """z[n] = sum(i, w[i]*x[n,i]) + b
        y[n] = logistic(z[n])
        E = -mean(n, t[n]*log(y[n]) + (1 - t[n])*log(1 - y[n]))""",
        "w[i] parameter; b parameter; x[n,i] input; t[n] target",
        "n=3 i=2",
    ),
    "convolution, 1d, stride 2, padding 1": Case(
        """y[n,o,u] = sum(c,r, K[o,c,r]*x[n,c,2*u+r-1]) + b[o]
        E = sum(n,o,u, tanh(y[n,o,u])**2)""",
        "K[o,c,r] parameter; b[o] parameter; x[n,c,w] parameter",
        "n=2 o=2 c=2 r=3 u=3 w=5",
    ),
    "convolution, 2d": Case(
        """y[o,u,v] = sum(c,r,s, K[o,c,r,s]*x[c,2*u+r-1,v+s-1])
        E = sum(o,u,v, tanh(y[o,u,v])**2)""",
        "K[o,c,r,s] parameter; x[c,h,w] parameter",
        "o=2 c=1 r=2 s=3 u=2 v=3 h=3 w=3",
    ),
    "convolution, dilated": Case(
        "y[u] = sum(r, k[r]*x[u+2*r-1]); E = sum(u, y[u]**3)",
        "x[w] parameter; k[r] parameter",
        "u=4 r=2 w=4",
    ),
    "max pooling": Case(
        "y[c,u] = max(r, x[c,2*u+r]); E = sum(c,u, y[c,u]**2)",
        "x[c,w] parameter",
        "c=2 u=2 r=2 w=4",
    ),
    "max pooling, 2d": Case(
        "y[u,v] = max(r,s, x[2*u+r,2*v+s]); E = sum(u,v, y[u,v]**2)",
        "x[h,w] parameter",
        "u=2 v=2 r=2 s=2 h=4 w=4",
    ),
    "max of overlapping windows": Case(
        "y[u] = max(r, x[u+r]*k[r]); E = sum(u, y[u]**3)",
        "x[h] parameter; k[r] parameter",
        "u=3 r=2 h=4",
    ),
    "softmax against overflow": Case(
        "m = max(i, x[i]); E = log(sum(i, exp(x[i]-m))) + m - sum(i, t[i]*x[i])",
        "x[i] parameter; t[i] target",
        "i=3",
    ),
    "layer norm": Case(
        """mu[n] = mean(d, x[n,d])
        var[n] = mean(d, (x[n,d]-mu[n])**2)
        y[n,d] = g[d]*(x[n,d]-mu[n])/sqrt(var[n]+1/10) + b[d]
        E = sum(n,d, c[n,d]*y[n,d])""",
        "x[n,d] parameter; g[d] parameter; b[d] parameter; c[n,d] constant",
        "n=2 d=3",
    ),
    "attention": Case(
        """s[q,k] = sum(d, Q[q,d]*K[k,d])/sqrt(3)
        a[q,k] = softmax(k, s[q,k])
        y[q,e] = sum(k, a[q,k]*V[k,e])
        E = sum(q,e, y[q,e]**2)""",
        "Q[q,d] parameter; K[k,d] parameter; V[k,e] parameter",
        "q=2 k=3 d=3 e=2",
    ),
    "self-attention with shared input": Case(
        """q[n,d] = sum(m, A[d,m]*x[n,m]); k[n,d] = sum(m, B[d,m]*x[n,m])
        s[n,j] = sum(d, q[n,d]*k[j,d]); a[n,j] = softmax(j, s[n,j])
        y[n,m] = sum(j, a[n,j]*x[j,m]); E = sum(n,m, y[n,m]**2)""",
        "A[d,m] parameter; B[d,m] parameter; x[n,m] parameter",
        "n=3 d=2 m=2",
        same="j=n",
    ),
    "bilinear": Case(
        "y[n,o] = sum(i,j, x[n,i]*W[o,i,j]*z[n,j]); E = mean(n,o, y[n,o]**2)",
        "W[o,i,j] parameter; x[n,i] parameter; z[n,j] parameter",
        "n=2 o=2 i=2 j=3",
    ),
    "where, above": Case(
        "y[n] = where(x[n] > 0, a*x[n], exp(x[n])-1); E = sum(n, y[n]**2)",
        "x[n] parameter; a parameter",
        "n=4",
    ),
    "where, not above": Case(
        "y[n] = where(x[n] <= a, a*x[n], where(x[n] >= 2*a, x[n], 0)); E = sum(n, y[n]**2)",
        "x[n] parameter; a parameter",
        "n=4",
    ),
    "kinks": Case(
        "E = sum(n, abs(x[n])*x[n] + max(x[n],0) + min(x[n]**2,w) + sign(x[n])*w)",
        "x[n] parameter; w parameter",
        "n=4",
    ),
    "powers": Case(
        "y[n] = (x[n]**2+1)**a + 2**x[n] - x[n]**-2 + pi*x[n]; E = sum(n, y[n])",
        "x[n] parameter; a parameter",
        "n=3",
    ),
    "log of a sum of exponentials": Case(
        "E = log(sum(i, exp(x[i]))) + sum(i, softplus(x[i]) + sin(x[i])*cos(x[i]) + erf(x[i]))",
        "x[i] parameter",
        "i=3",
    ),
    "one quantity at two indices": Case(
        "y[n,m] = x[n]*x[m] + x[n]; E = sum(n,m, y[n,m]**2)",
        "x[n] parameter",
        "n=3",
        same="m=n",
    ),
    "diagonals and fixed places": Case(
        "y[n] = A[n,n]*A[n,0] + sum(m, A[m,n]*A[n,m]); E = sum(n, y[n]**2) + A[1,2]",
        "A[n,m] parameter",
        "n=3",
        same="m=n",
    ),
    "shared parameters": Case(
        "a[n] = tanh(w*x[n]); b[n] = logistic(w*a[n]+v); E = sum(n, b[n]*w)",
        "w parameter; v parameter; x[n] input",
        "n=3",
    ),
    "scalars": Case("d = a+b; e = c*d; E = e**2+a", "a parameter; b parameter; c parameter"),
    "shifts in time": Case(
        "y[t] = x[t]*w + x[t-1]*v + x[t-2]*x[t]; z[t] = y[t-1]*y[t+1]; E = sum(t, z[t]**2)",
        "x[t] parameter; w parameter; v parameter",
        "t=5",
    ),
    "backwards in time": Case(
        "y[t] = x[3-t]*w[t]; E = sum(t, y[t]**2)", "x[t] parameter; w[t] parameter", "t=4"
    ),
    "every second entry": Case(
        "y[u] = x[2*u+1]*x[2*u]; E = sum(u, y[u]**2)", "x[w] parameter", "u=2 w=4"
    ),
    "two strides at once": Case(
        "y[a] = sum(b, x[2*a+2*b]); E = sum(a, y[a]**2)", "x[c] parameter", "c=5 a=3 b=2"
    ),
    "the index as a number": Case(
        "y[u] = x[u]*(u+1); E = sum(u, u*y[u]**2)", "x[u] parameter", "u=3"
    ),
    "nested sums": Case(
        "E = sum(i, exp(sum(j, W[i,j]*sum(k, V[j,k]*tanh(x[k])))))",
        "W[i,j] parameter; V[j,k] parameter; x[k] parameter",
        "i=2 j=2 k=2",
    ),
    "an index that is not used": Case(
        "E = sum(i,j, x[i])*sum(j, x[j])", "x[i] parameter", "i=3", same="j=i"
    ),
    "a matrix used twice, transposed": Case(
        "y[i] = sum(j, W[i,j]*x[j]); z[j] = sum(i, W[i,j]*y[i]); E = sum(i, z[i]*y[i])",
        "W[i,j] parameter; x[j] parameter",
        "i=2",
        same="j=i",
    ),
    "division by an entry beyond the range": Case(
        "y[t] = x[t-1]/s[t]; E = sum(t, y[t])", "x[t] parameter; s[t] parameter", "t=3"
    ),
    "division by a sum beyond the range": Case(
        "y[t] = x[t-1]/sum(k, s[t,k]**2); E = sum(t, y[t])",
        "x[t] parameter; s[t,k] parameter",
        "t=3 k=2",
    ),
    "negative power beyond the range": Case(
        "y[t] = x[t-1]*(s[t]**2)**w; E = sum(t, y[t])",
        "x[t] parameter; s[t] constant; w parameter",
        "t=3",
    ),
    "an output axis shorter than the sum": Case(
        "y[o] = exp(z[o+1])/sum(k, w[k]**2*exp(z[k+1])); E = sum(o, y[o]**2)",
        "z[m] parameter; w[k] parameter",
        "o=2 k=3 m=4",
    ),
    "a loss cancelled beyond the range": Case(
        "p[n] = logistic(z[n-1]); E = -sum(n, log(p[n]))", "z[n] parameter", "n=3"
    ),
    "a loss of all outputs but the first": Case(
        "p[n] = logistic(z[n]); E = -sum(m, log(p[m+1]))", "z[n] parameter", "n=3 m=2"
    ),
    "targets of the sample before": Case(
        "p[n,o] = softmax(o, z[n,o]); E = -sum(n,o, t[n-1,o]*log(p[n,o]))",
        "z[n,o] parameter; t[n,o] target",
        "n=2 o=3",
        distributions=("t",),
    ),
    "the diagonal of the targets": Case(
        "p[o] = softmax(o, z[o]); E = -sum(o, t[o,o]*log(p[o]))",
        "z[o] parameter; t[o,o] target",
        "o=3",
        distributions=("t",),
    ),
    "softmax over the samples": Case(
        "p[n,o] = softmax(n, z[n,o]); E = -sum(n,o, t[n,o]*log(p[n,o]))",
        "z[n,o] parameter; t[n,o] target",
        "n=2 o=3",
        distributions=("t",),
    ),
}
