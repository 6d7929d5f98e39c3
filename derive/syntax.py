"""The syntax of equation text, and what to say of text that is not in the language.

Nothing here reads a formula: it only parses, and tells what a slip was probably meant to be.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Mapping, Sequence

from derive.errors import LanguageError, nearest
from derive.functions import BY_NAME
from derive.graph import Quantity
from derive.limits import LONGEST_EQUATION, MOST_DIGITS
from derive.names import LONGEST_NAME, spelled, wrong_name
from derive.sugar import SUGAR

FOREIGN = re.compile(r"[^ -~]|[#\\]")
ALIASES = {"sigmoid": "logistic", "ln": "log"}
RUNNING = ("cumsum", "cumprod")  # along a letter that stays
REDUCTIONS = ("sum", "mean", "max", "min", "softmax", "logsumexp", "norm", "prod", *RUNNING)
FUNCTIONS = frozenset({*BY_NAME, *REDUCTIONS, *ALIASES, *SUGAR, "size", "grad"})
OTHER_FUNCTIONS = {
    "average": ("mean",),
    "maximum": ("max",),
    "minimum": ("min",),
    "reduce_sum": ("sum",),
    "product": ("prod",),
    "reduce_prod": ("prod",),
    "fabs": ("abs",),
    "sigma": ("logistic",),
    "psi": ("digamma",),
    "gammaln": ("lgamma",),
    "loggamma": ("lgamma",),
    "polygamma": ("digamma",),
    "arctan2": ("atan2",),
    "if": ("where",),
}
SPELLED = {
    "\N{GREEK SMALL LETTER SIGMA}": "logistic(x), or sigma as a name",
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MIDDLE DOT}": "*",
    "\N{DOT OPERATOR}": "*",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{DIVISION SIGN}": "/",
    "\N{SQUARE ROOT}": "sqrt(x)",
    "\N{SUPERSCRIPT TWO}": "**2",
    "\N{SUPERSCRIPT THREE}": "**3",
    "\N{N-ARY SUMMATION}": "sum(i, ...)",
    "\N{NOT EQUAL TO}": "!=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
}
LISTER = "derive reference"
PRODUCTS = ("dot", "matmul", "mm", "mv", "inner", "einsum")
MATRICES = {  # what others have as a function of a matrix, and the layer that it is here
    **{name: name for name in ("det", "logdet", "inv", "solve", "cholesky", "trace")},
    "slogdet": "logdet",
    "inverse": "inv",
}
OF_MATRICES = frozenset({*PRODUCTS, *MATRICES})
STAR = "a product needs its star, as in 2*x"
_WORD = r"(?!(?:if|else|for|in|is|and|or|not)\b)\w"
MISSING_STAR = re.compile(
    r"(?<![\w.])\d+(?:\.\d*)?(?=[A-Za-z])"  # 2x
    rf"|[\])] ?(?={_WORD})"  # W[h,i]x[i]
    rf"|\w (?={_WORD})"  # a b
)
LITERAL = re.compile(
    rf"\d{{1,{MOST_DIGITS}}}(\.\d{{0,{MOST_DIGITS}}})?([eE][+-]?\d{{1,3}})?|\.\d{{1,{MOST_DIGITS}}}"
)
DIGITS = re.compile(rf"(?<![A-Za-z_0-9])[0-9]{{{MOST_DIGITS + 1},}}")
TOO_DEEP = re.compile("too many nested|recursion|overflow")
UNBALANCED = re.compile("never closed|unmatched|does not match")


def syntax_tree(source: str) -> ast.expr:
    """The syntax tree of one line of text; nothing in it is evaluated. Raises LanguageError."""
    if len(source) > LONGEST_EQUATION:
        reason = (
            f"this formula has {len(source):,} characters; one has at most {LONGEST_EQUATION:,}"
        )
        raise LanguageError(source, 0, f"{reason}; give parts of it names")
    foreign = FOREIGN.search(source)
    if foreign is not None:
        code = "" if foreign[0].isascii() else f" (U+{ord(foreign[0]):04X})"
        reason = f"the character {foreign[0]!r}{code} is not in the language"
        if hint := SPELLED.get(foreign[0]) or spelled(foreign[0]).replace(foreign[0], ""):
            reason = f"'{foreign[0]}' is not in the language; write {hint}"
        raise LanguageError(source, foreign.start(), reason)
    digits = DIGITS.search(source)
    if digits is not None:
        reason = f"this number has {len(digits[0])} digits; one has at most {MOST_DIGITS}"
        raise LanguageError(source, digits.start(), reason)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise _no_formula(source, error) from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and len(node.id) > LONGEST_NAME:
            raise LanguageError(source, node.col_offset, wrong_name(node.id))
    return tree


def _no_formula(source: str, error: Exception) -> LanguageError:
    """Text that the grammar refuses, with a guess at what is missing."""
    reason = "this is not a formula"
    words = str(getattr(error, "msg", ""))
    if isinstance(error, MemoryError | RecursionError) or TOO_DEEP.search(words):
        return LanguageError(source, 0, "this is nested too deeply; give parts of it names")
    star = MISSING_STAR.search(source)
    if star is not None:
        return LanguageError(source, star.end(), f"{reason}: {STAR}")
    if UNBALANCED.search(words):
        reason += f": {words}"
    return LanguageError(source, max((getattr(error, "offset", 1) or 1) - 1, 0), reason)


def check_bound(text: str, free: Collection[str], letters: Collection[str]) -> None:
    """Refuse a letter that stands neither on the left side nor in a reduction around it.

    Raises LanguageError with a caret under the letter.
    """
    source = " ".join(text.split())

    def visit(node: ast.AST, bound: frozenset[str], reading: str | None) -> None:
        if isinstance(node, ast.Name) and node.id in letters and node.id not in bound:
            of = f" of '{reading}'" if reading else ""
            raise LanguageError(
                source,
                node.col_offset,
                f"the index '{node.id}'{of} is not bound; sum over it, as in "
                f"sum({node.id}, ...), or let it stand on the left side, too",
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "size":
                return
            if node.func.id in REDUCTIONS and node.func.id not in RUNNING:
                bound |= {each.id for each in node.args[:-1] if isinstance(each, ast.Name)}
        if isinstance(node, ast.Subscript):
            reading = ast.get_source_segment(source, node)
        for child in ast.iter_child_nodes(node):
            visit(child, bound, reading)

    visit(syntax_tree(source), frozenset(free), None)


# --- what was meant -------------------------------------------------------------------------


def indices(count: int) -> str:
    """`1 index`, `2 indices`."""
    return f"{count} index" if count == 1 else f"{count} indices"


def operator_words(node: ast.BinOp, quantities: Mapping[str, Quantity]) -> str:
    """What to say of an operator that the language does not have."""
    reason = "the operations are + - * / **"
    if isinstance(node.op, ast.BitXor):
        return f"{reason}; a power is written with two stars, as in x**2"
    if isinstance(node.op, ast.MatMult):
        return f"{reason}; {as_sum([node.left, node.right], quantities)}"
    return reason


def division_words(node: ast.BinOp) -> str:
    """What to say of a value that is divided as a position is."""
    down = isinstance(node.op, ast.FloorDiv)
    sign, instead = ("//", "floor(x/2)") if down else ("%", "x - 2*floor(x/2)")
    reason = f"{sign} is for index letters and whole numbers, as in i {sign} 2"
    return f"{reason}; of a value x it is {instead}"


def divisor_words(text: str) -> str:
    """What to say of a text that is no divisor of a position."""
    reason = "a position is divided by a whole number that is known, as in i // 2"
    return f"{reason}, not by {text}"


def as_sum(factors: Sequence[ast.expr], quantities: Mapping[str, Quantity]) -> str:
    """How a product of matrices and vectors is written, with the names of the text."""
    names = [node.id for node in factors if isinstance(node, ast.Name)]
    axes = [len(quantities[name].axes) for name in names if name in quantities]
    if len(names) != 2 or len(axes) != 2 or not all(axes):
        names, axes = ["W", "x"], [2, 1]
    inner, *outer = [letter for letter in "ihnkjmpqrs" if letter not in quantities]
    first, more = axes[0] - 1, axes[1] - 1
    left = ",".join((*outer[:first], inner))
    right = ",".join((inner, *outer[first : first + more]))
    product = f"{names[0]}[{left}]*{names[1]}[{right}]"
    return f"a product of matrices is written as a sum, such as sum({inner}, {product})"


def function_words(word: str, node: ast.Call, quantities: Mapping[str, Quantity]) -> str:
    """What to say of a function that the language does not have."""
    reason = f"'{word}' is not a function"
    if word in quantities:
        return f"{reason} but a quantity; {STAR}"
    if word in PRODUCTS:
        return f"{reason} of the language; {as_sum(node.args, quantities)}"
    if word in MATRICES:
        return f"{reason} of the language; {as_layer(word, node.args)}"
    return f"{reason} of the language; {nearest(word, FUNCTIONS, OTHER_FUNCTIONS, LISTER)}"


def as_layer(word: str, arguments: Sequence[ast.expr]) -> str:
    """How a function of a matrix is written, with the names of the text."""
    names = [node.id for node in arguments if isinstance(node, ast.Name)] or ["A"]
    inputs = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
    return f"it is a layer: {{layer: {MATRICES[word]}, name: y, inputs: {inputs}}}, and y is read"


def call_error(source: str, node: ast.Call, quantities: Mapping[str, Quantity]) -> LanguageError:
    """What is wrong with a call of anything but a name, or with keywords."""
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in PRODUCTS:
        owner = called.value
        library = isinstance(owner, ast.Name) and owner.id not in quantities  # such as np
        factors = node.args if library else [owner, *node.args]
        return LanguageError(source, node.col_offset, as_sum(factors, quantities))
    if isinstance(called, ast.Attribute) and called.attr in MATRICES:
        return LanguageError(source, node.col_offset, as_layer(called.attr, node.args))
    if not isinstance(called, ast.Attribute | ast.Name):  # 2(x + 1)
        return LanguageError(source, called.end_col_offset or 0, STAR)
    reason = "a function is called by its name, without keywords"
    if isinstance(called, ast.Attribute) and called.attr in FUNCTIONS:
        reason += f", as in {called.attr}(...)"
    return LanguageError(source, node.col_offset, reason)
