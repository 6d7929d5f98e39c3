"""Before a file of C is compiled: what stands in it is held to a short list.

The list is written down here once more, apart from what writes such files, so that no mistake there
lets anything through: only arithmetic, loops, records and the functions of this list.
"""

from __future__ import annotations

import re

from derive.emit.checked import Refused

LINES = (
    *("#include <math.h>", "#include <stdio.h>"),
    *("#ifdef DERIVE_CBLAS", "#include <cblas.h>", "#endif"),  # undefined where a file is checked
)
WORDS = frozenset({"for", "if", "return", "sizeof"})  # that may stand before a bracket
REFUSED = frozenset(
    {
        *("asm", "auto", "break", "case", "continue", "default", "do", "extern", "goto"),
        *("register", "signed", "switch", "unsigned", "volatile", "while"),
        "_Pragma",
    }
)
CALLED = frozenset(
    {
        *("exp", "log", "tanh", "sin", "cos", "sinh", "cosh", "tan", "atan", "asin", "acos"),
        *(
            "floor",
            "pow",
            "expm1",
            "log1p",
            "erf",
            "erfc",
            "sqrt",
            "fabs",
            "copysign",
            "lgamma",
            "atan2",
            "printf",
            "cblas_dgemm",
        ),
    }
)
SINGLES = frozenset({"cblas_sgemm", *(f"{name}f" for name in CALLED - {"printf", "cblas_dgemm"})})
CASTS = ("(double", "(float", "(int", "(long long")
UNIONS = ("union { double value; long long bits; } ", "union { float value; int bits; } ")
TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/)|(?P<text>\"[^\"\n]*\")|(?P<line>^\#[^\n]*)"
    r"|(?P<number>\.?\d(?:[eE][+-]|[\w.])*)|(?P<word>[A-Za-z_]\w*)|(?P<blank>\s+)"
    r"|(?P<sign>->|<<|\+\+|--|\+=|\*=|-=|<=|>=|==|!=|&&|\|\||[-+*/<>=?:;,.(){}\[\]&%])",
    re.DOTALL | re.MULTILINE,
)
PRINTED = re.compile(r'"(?:[A-Za-z_0-9\[\] =]|%d|%\.(?:17|9)g)*\\n"')
OTHERWISE = ("??", "%:", "<:", "<%", ":>", "%>")
NEXT = re.compile(r"\s*(.?)")
DEFINED = re.compile(r"^(?:static )?(?:inline )?(?:void|double|float|int) (\w+)\(", re.MULTILINE)


def checked_c(source: str) -> str:
    """A source of C, if nothing stands in it that no generated file needs. Raises Refused."""
    allowed = CALLED | SINGLES | {*DEFINED.findall(source)} | WORDS
    place = 0
    while place < len(source):
        found = TOKEN.match(source, place)
        fault = f"'{source[place]}' is not expected" if found is None else ""
        if found is not None:
            fault = _fault(found, source, allowed)
            place = found.end()
        if fault:
            raise Refused(source.count("\n", 0, place) + 1, fault)
    return source


def _fault(found: re.Match[str], source: str, allowed: frozenset[str]) -> str:
    """What is wrong with a token; nothing if it may stand there."""
    text, after = found[0], NEXT.match(source, found.end())
    following = after[1] if after else ""
    match found.lastgroup:
        case "comment" | "text" | "line" if "??" in text:
            return "'??' begins another sign"
        case "line" if text not in LINES:
            return f"'{text}' is not expected"
        case "text" if not PRINTED.fullmatch(text):
            return "this text is not printed by such a file"
        case "word" if text in REFUSED or text.startswith("__"):
            return f"'{text}' is not expected"
        case "word" if text == "union" and not source.startswith(UNIONS, found.start()):
            return "this union is in no such file"
        case "word" if following == "(" and text not in allowed:
            return f"'{text}' is not called by such a file"
        case "sign" if text + following in OTHERWISE:
            return f"'{text}{following}' is another way to write a sign"
        case "sign" if text in ")]" and following == "(":
            if source.endswith(CASTS, 0, found.start()):
                return ""
            return "nothing is called but functions by their names"
    return ""
