"""A file of C for single precision: that of double precision with other types and functions.

What differs by more than a word (how an exponential is made of bits, from where a series is good)
is said in the template.
"""

from __future__ import annotations

import re

from derive.emit.names import C_MATHEMATICS
from derive.emit.tree import EmitError

OTHERS = {
    **{"double": "float", "cblas_dgemm": "cblas_sgemm"},
    **{name: f"{name}f" for name in C_MATHEMATICS},
}
DIGITS = "%.9g"  # of which every single is made again
LEAST, MOST = 2.0**-126, (2 - 2.0**-23) * 2.0**127
TOKEN = re.compile(
    r"/\*.*?\*/|^#[^\n]*|(?P<text>\"[^\"\n]*\")|(?P<number>\.?\d(?:[eE][+-]|[\w.])*)"
    r"|(?P<word>[A-Za-z_]\w*)",
    re.DOTALL | re.MULTILINE,
)


def in_singles(source: str) -> str:
    """The same file in single precision. Raises EmitError for a number that is beyond it."""
    return TOKEN.sub(_single, source)


def _single(found: re.Match[str]) -> str:
    text = found[0]
    match found.lastgroup:
        case "text":
            return text.replace("%.17g", DIGITS)
        case "word":
            return OTHERS.get(text, text)
        case "number" if not text.isdigit():
            if float(text) and not LEAST <= float(text) <= MOST:
                raise EmitError(f"{text} is beyond single precision")
            return f"{text}f"
    return text
