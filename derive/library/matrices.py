"""Products and functions of matrices, by elimination, one pivot row U[t] and column L[t] a step.

M[0] is the matrix, and M[t] what has become of it after t steps. For a determinant the pivot column
becomes zero, A = L·U; to solve A·X = B it becomes that of the identity (Gauss and Jordan), while R
goes from B to X. Nothing is exchanged on the way, so each pivot U[t,t] must differ from 0.
"""

from __future__ import annotations

from derive.library.row import Layer

SQUARE = {"j": "size(i)", "t": "size(i)"}
NO_EXCHANGE = "Rows are not exchanged: a pivot of 0 divides by zero."
MATRIX = ("A[...,i,j]",)


def _elimination(column: str) -> str:
    """The steps of elimination; `column` is what is taken from the pivot column."""
    return f"""
    M[...,t,i,j] = where(t == 0, A[...,i,j], M[...,t-1,i,j] - L[...,i,t-1]*U[...,t-1,j])
    U[...,t,j] = M[...,t,t,j]
    L[...,i,t] = {column}/U[...,t,t]
    """


def _solution(b: str, k: str = "") -> str:
    """A·X = B, by the same steps on both sides; `k` is the letter of the columns of B."""
    last = "size(t) - 1"
    return f"""{_elimination("(M[...,t,i,t] - (i == t))")}
    R[...,t,i{k}] = where(t == 0, {b}, R[...,t-1,i{k}] - L[...,i,t-1]*Q[...,t-1{k}])
    Q[...,t{k}] = R[...,t,t{k}]
    x[...,i{k}] = R[...,{last},i{k}] - L[...,i,{last}]*Q[...,{last}{k}]
    """


TRIANGLES = _elimination("M[...,t,i,t]")

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
        f"{TRIANGLES}y[...] = prod(t, U[...,t,t])",
        sizes=SQUARE,
        notes=NO_EXCHANGE,
    ),
    Layer(
        "logdet",
        "matrix",
        "the logarithm of the absolute value of the determinant",
        MATRIX,
        f"{TRIANGLES}y[...] = sum(t, log(abs(U[...,t,t])))",
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
