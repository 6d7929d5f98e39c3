"""Products and functions of matrices, by elimination as Gauss and Jordan do it.

In M[t] t columns have a single 1. Of the rows that have none of these, S[i,t] marks the first whose
entry in column t is the largest, or less by at most a thousandth: within bounds nobody can tell of
two equal entries which is larger. U[i,t] marks the rows before. That entry is the pivot D[t], P[t]
the row divided by it, and C[t] the column: that multiple of P[t] is taken from each other row. The
determinant is the product of the pivots, with a sign for each exchange. What happens to B in the
same steps, R, makes it the X of A·X = B, whose rows only have to be sorted.

Which row it is, is a choice: results do not depend on it but for rounding, and no derivative goes
through it.
"""

from __future__ import annotations

from derive.library.row import Layer

SQUARE = {"j": "size(i)", "t": "size(i)"}
PIVOTS = (
    "The pivot of a column is its largest entry in a row that has had none, or the first that is "
    "less by at most a thousandth. A singular matrix has a pivot of 0, which divides by zero."
)
MATRIX = ("A[...,i,j]",)


def _step(start: str, before: str, pivot: str) -> str:
    """What elimination makes of an entry: the pivot row is `pivot`, a multiple goes from others."""
    rest = f"{before} - C[...,i,t-1]*{pivot}"
    return f"where(t == 0, {start}, where(S[...,i,t-1] > 1/2, {pivot}, {rest}))"


ELIMINATION = f"""
    M[...,t,i,j] = {_step("A[...,i,j]", "M[...,t-1,i,j]", "P[...,t-1,j]")}
    C[...,i,t] = M[...,t,i,t]
    U[...,i,t] = U[...,i,t-1] + S[...,i,t-1]
    best[...,t] = max(l, where(U[...,l,t] > 1/2, 0, abs(C[...,l,t])))
    row[...,t] = \
min(l, where(U[...,l,t] > 1/2, size(l), where(abs(C[...,l,t]) > 0.999*best[...,t], l, size(l))))
    S[...,i,t] = where(i - 1/2 < row[...,t] < i + 1/2, 1, 0)
    D[...,t] = sum(l, S[...,l,t]*C[...,l,t])
    P[...,t,j] = sum(l, S[...,l,t]*M[...,t,l,j])/D[...,t]
    """


def _solution(b: str, k: str = "") -> str:
    """A·X = B, by the same steps on both sides; `k` is the letter of the columns of B."""
    t = "size(t) - 1"  # the last step, of which only this part is needed
    rest = f"R[...,{t},l{k}] - C[...,l,{t}]*Q[...,{t}{k}]"
    return f"""{ELIMINATION}
    R[...,t,i{k}] = {_step(b, f"R[...,t-1,i{k}]", f"Q[...,t-1{k}]")}
    Q[...,t{k}] = sum(l, S[...,l,t]*R[...,t,l{k}])/D[...,t]
    x[...,i{k}] = sum(l, S[...,l,i]*where(S[...,l,{t}] > 1/2, Q[...,{t}{k}], {rest}))
    """


ROWS = (
    Layer(
        "matmul",
        "matrix",
        "the product of two matrices",
        ("A[...,i,j]", "B[...,j,k]"),
        "y[...,i,k] = sum(j, A[...,i,j]*B[...,j,k])",
    ),
    Layer(
        "trace",
        "matrix",
        "the sum of the diagonal",
        MATRIX,
        "y[...] = sum(i, A[...,i,i])",
        sizes={"j": "size(i)"},
    ),
    Layer(
        "det",
        "matrix",
        "the determinant, the product of the pivots of elimination",
        MATRIX,
        f"""{ELIMINATION}
        sign[...,t] = prod(l, where(U[...,l,t] > 1/2, 1, where(l < row[...,t], -1, 1)))
        y[...] = prod(t, sign[...,t]*D[...,t])
        """,
        sizes=SQUARE,
        notes=PIVOTS,
    ),
    Layer(
        "logdet",
        "matrix",
        "the logarithm of the absolute value of the determinant",
        MATRIX,
        f"{ELIMINATION}y[...] = sum(t, log(abs(D[...,t])))",
        sizes=SQUARE,
        notes=PIVOTS,
    ),
    Layer(
        "cholesky",
        "matrix",
        "the lower triangle L whose product with its transpose is the matrix",
        MATRIX,
        """
        M[...,t,i,j] = where(t == 0, A[...,i,j], M[...,t-1,i,j] - L[...,i,t-1]*L[...,j,t-1])
        L[...,i,t] = where(i < t, 0, M[...,t,i,t]/sqrt(M[...,t,t,t]))
        """,
        output="L",
        sizes=SQUARE,
        notes="The matrix must be symmetric and positive definite. Only its lower triangle is "
        "read, so the derivative by an entry above the diagonal is 0.",
    ),
    Layer(
        "solve",
        "matrix",
        "what a matrix must be multiplied by to give a vector, A*x = b",
        ("A[...,i,j]", "b[...,i]"),
        _solution("b[...,i]"),
        output="x",
        sizes=SQUARE,
        notes=PIVOTS,
    ),
    Layer(
        "solve_many",
        "matrix",
        "what a matrix must be multiplied by to give another one, A*X = B",
        ("A[...,i,j]", "B[...,i,k]"),
        _solution("B[...,i,k]", ",k"),
        output="x",
        sizes=SQUARE,
        notes=PIVOTS,
    ),
    Layer(
        "inv",
        "matrix",
        "the inverse matrix, A*X = I",
        MATRIX,
        _solution("(i == k)", ",k"),
        output="x",
        sizes={**SQUARE, "k": "size(i)"},
        notes=PIVOTS,
    ),
)
