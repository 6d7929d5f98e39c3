"""Products and functions of matrices, by elimination: A = L·U, one column of L and row of U a step.

M[0] is the matrix, and M[t] what is left of it after t steps. Nothing is exchanged on the way, so
each pivot U[t,t] must differ from 0.
"""

from __future__ import annotations

from derive.library.row import Layer

SQUARE = {"j": "size(i)", "t": "size(i)"}
NO_EXCHANGE = "Rows are not exchanged: a pivot of 0 divides by zero."
MATRIX = ("A[...,i,j]",)
ELIMINATION = """
    M[...,t,i,j] = where(t == 0, A[...,i,j], M[...,t-1,i,j] - L[...,i,t-1]*U[...,t-1,j])
    U[...,t,j] = M[...,t,t,j]
    L[...,i,t] = M[...,t,i,t]/U[...,t,t]
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
        f"{ELIMINATION}y[...] = prod(t, U[...,t,t])",
        sizes=SQUARE,
        notes=NO_EXCHANGE,
    ),
    Layer(
        "logdet",
        "matrix",
        "the logarithm of the absolute value of the determinant",
        MATRIX,
        f"{ELIMINATION}y[...] = sum(t, log(abs(U[...,t,t])))",
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
)
