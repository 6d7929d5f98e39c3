"""Products and functions of matrices, by elimination as Gauss and Jordan do it.

In M[t] the columns before t are those of the identity. P[t] is the pivot row, divided by its pivot,
and C[t] the pivot column: that multiple of P[t] is taken from each other row. The determinant is
the product of the pivots. What happens to B in the same steps, R, makes it the X of A·X = B.
Nothing is exchanged on the way, so no pivot C[t,t] may be 0.
"""

from __future__ import annotations

from derive.library.row import Layer

SQUARE = {"j": "size(i)", "t": "size(i)"}
NO_EXCHANGE = "Rows are not exchanged: a pivot of 0 divides by zero."
MATRIX = ("A[...,i,j]",)


def _step(start: str, before: str, pivot: str) -> str:
    """What elimination makes of an entry: the pivot row is `pivot`, a multiple goes from others."""
    rest = f"{before} - C[...,i,t-1]*{pivot}"
    return f"where(t == 0, {start}, where(i == t-1, {pivot}, {rest}))"


ELIMINATION = f"""
    M[...,t,i,j] = {_step("A[...,i,j]", "M[...,t-1,i,j]", "P[...,t-1,j]")}
    C[...,i,t] = M[...,t,i,t]
    P[...,t,j] = M[...,t,t,j]/C[...,t,t]
    """


def _solution(b: str, k: str = "") -> str:
    """A·X = B, by the same steps on both sides; `k` is the letter of the columns of B."""
    t = "size(t) - 1"  # the last step, of which only this part is needed
    rest = f"R[...,{t},i{k}] - C[...,i,{t}]*Q[...,{t}{k}]"
    return f"""{ELIMINATION}
    R[...,t,i{k}] = {_step(b, f"R[...,t-1,i{k}]", f"Q[...,t-1{k}]")}
    Q[...,t{k}] = R[...,t,t{k}]/C[...,t,t]
    x[...,i{k}] = where(i == {t}, Q[...,{t}{k}], {rest})
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
        f"{ELIMINATION}y[...] = prod(t, C[...,t,t])",
        sizes=SQUARE,
        notes=NO_EXCHANGE,
    ),
    Layer(
        "logdet",
        "matrix",
        "the logarithm of the absolute value of the determinant",
        MATRIX,
        f"{ELIMINATION}y[...] = sum(t, log(abs(C[...,t,t])))",
        sizes=SQUARE,
        notes=f"Of a positive definite matrix all pivots are above 0. {NO_EXCHANGE}",
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
        notes=NO_EXCHANGE,
    ),
    Layer(
        "solve_many",
        "matrix",
        "what a matrix must be multiplied by to give another one, A*X = B",
        ("A[...,i,j]", "B[...,i,k]"),
        _solution("B[...,i,k]", ",k"),
        output="x",
        sizes=SQUARE,
        notes=NO_EXCHANGE,
    ),
    Layer(
        "inv",
        "matrix",
        "the inverse matrix, A*X = I",
        MATRIX,
        _solution("(i == k)", ",k"),
        output="x",
        sizes={**SQUARE, "k": "size(i)"},
        notes=NO_EXCHANGE,
    ),
)
