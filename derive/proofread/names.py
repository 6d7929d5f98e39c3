"""Names in TeX mathematics and their canonical spelling.

Canonical spelling: base, then `_` and the subscript, then the marks.

    net_{h1}, \\mathrm{net}_{h1}           net_h1
    w5^+, w_5^{+}, w^{+}_5                 w5+, w_5+, w_5+
    W^{(2)}_{h, i}                         W^(2)_h,i
    w^{\\mathrm{new}}, f', \\theta^*        w^new, f', theta*
    \\hat{y}_1, \\mathcal{L}, \\Delta w      hat(y)_1, cal(L), Δw
    \\frac{\\partial E}{\\partial w_5^+}     ∂E/∂w_5+
    \\frac{dy}{dx}                         dy/dx

Spaces, braces and font commands do not count; Greek letters are spelled out.  Marks written in
brackets or in words (`^(2)`, `^new`) stand before the subscript, signs and primes after it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from derive.proofread.tokens import FormulaError, Token, TokenKind, TokenStream

FONTS = frozenset(
    [
        "mathrm",
        "mathit",
        "mathbf",
        "mathsf",
        "mathtt",
        "mathnormal",
        "boldsymbol",
        "bm",
        "text",
        "textrm",
        "textit",
        "textbf",
        "textsf",
        "operatorname",
        "operatorname*",
        "mbox",
        "rm",
    ]
)
ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "tilde": "tilde",
    "widetilde": "tilde", "vec": "vec", "dot": "dot", "mathcal": "cal", "mathbb": "bb",
    "mathscr": "scr",
}  # fmt: skip
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "varepsilon",
        "zeta",
        "eta",
        "theta",
        "vartheta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "varpi",
        "rho",
        "varrho",
        "sigma",
        "varsigma",
        "tau",
        "upsilon",
        "phi",
        "varphi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
        "ell",
        "hbar",
    ]
)
_SIGN_MARKS = {"+": "+", "*": "*", "ast": "*", "star": "*", "prime": "'", "dagger": "†",
               "top": "^T", "intercal": "^T", "-": "-"}  # fmt: skip
_SPELLED = {"cdot": "·", "times": "×", "ldots": "…", "dots": "…", "langle": "<", "rangle": ">",
            "{": "{", "}": "}", "_": "_", "prime": "'", "infty": "∞", "partial": "∂",
            "lfloor": "⌊", "rfloor": "⌋", "bmod": " mod "}  # fmt: skip
_ACCENTED = re.compile(r"(?P<letter>[A-Za-z])(?P<accent>hat|bar|tilde|vec|dot)")
_CLOSES = {"(": ")", "[": "]", "<": ">"}


@dataclass(frozen=True)
class Name:
    """A name as written: base, subscript, marks, and the tokens of a real power if any."""

    base: str
    subscript: str = ""
    words: str = ""
    signs: str = ""
    power: tuple[Token, ...] | None = None

    @property
    def canonical(self) -> str:
        """The one spelling that equal names share."""
        subscript = f"_{self.subscript}" if self.subscript else ""
        return f"{self.base}{self.words}{subscript}{self.signs}"

    @property
    def is_plain(self) -> bool:
        """Whether nothing but a power is attached to the base."""
        return not (self.subscript or self.words or self.signs)


def starts_name(stream: TokenStream) -> bool:
    """Whether a name begins under the cursor."""
    token = stream.here
    if token.kind is TokenKind.COMMAND:
        known = token.text in FONTS or token.text in ACCENTS or token.text in GREEK
        return known or _accented(token) is not None
    return token.kind is TokenKind.NAME


def _accented(token: Token) -> re.Match[str] | None:
    """A command such as `yhat`, which nobody defined, and which can be but one letter."""
    return _ACCENTED.fullmatch(token.text) if token.kind is TokenKind.COMMAND else None


def read_name(stream: TokenStream) -> Name:
    """Read a base with all its scripts, in whichever order they are written."""
    if not starts_name(stream):
        stream.fail("a name is missing")
    return with_scripts(Name(_read_base(stream)), stream)


def with_scripts(name: Name, stream: TokenStream) -> Name:
    """A base with the scripts and primes that follow."""
    while stream.at_sign("_", "^", "'"):
        if stream.accept("'"):
            name = replace(name, signs=name.signs + "'")
        elif stream.at_sign("_"):
            name = _with_subscript(name, stream)
        else:
            name = _with_superscript(name, stream)
    return name


def _read_base(stream: TokenStream) -> str:
    token = stream.advance()
    if token.text in ACCENTS and token.kind is TokenKind.COMMAND:
        return f"{ACCENTS[token.text]}({spelled(stream.argument())})"
    if token.text in FONTS and token.kind is TokenKind.COMMAND:
        return spelled(stream.argument())
    accented = _accented(token)
    if accented is not None:
        return f"{accented['accent']}({accented['letter']})"
    is_change = token.text == "Delta" and token.kind is TokenKind.COMMAND
    if is_change and starts_name(stream) and not stream.at_command("Delta"):
        return "Δ" + _read_base(stream)
    return token.text


def _with_subscript(name: Name, stream: TokenStream) -> Name:
    if name.subscript:
        stream.fail("two subscripts on one name")
    stream.advance()
    return replace(name, subscript=spelled(stream.argument()))


def _with_superscript(name: Name, stream: TokenStream) -> Name:
    if name.power is not None:
        stream.fail("two superscripts on one name")
    stream.advance()
    script = stream.argument()
    if not script:
        return name
    sign = _SIGN_MARKS.get(script[0].text) if len(script) == 1 else None
    if sign is not None:
        return replace(name, signs=name.signs + sign)
    # `e^{(a + b)}` is Euler's number raised, never a marked name.
    is_euler = name.base == "e" and name.is_plain
    if not is_euler and _is_updated_layer(script):  # `(1)+`: a layer's mark and then a sign
        words = f"{name.words}^{spelled(script[:-1])}"
        return replace(name, words=words, signs=name.signs + _SIGN_MARKS[script[-1].text])
    if not is_euler and _is_word_mark(script):
        return replace(name, words=f"{name.words}^{spelled(script)}")
    return replace(name, power=script)


def _is_updated_layer(script: Sequence[Token]) -> bool:
    *layer, sign = script
    if not layer or sign.text not in _SIGN_MARKS or layer[0].text not in _CLOSES:
        return False
    return _closing_index(layer, layer[0].text) == len(layer) - 1


def _is_word_mark(script: Sequence[Token]) -> bool:
    first, last = script[0], script[-1]
    if first.kind is TokenKind.COMMAND and first.text in FONTS:
        return True
    if first.kind is TokenKind.NAME:
        return len(script) == 1 and len(first.text) > 1 and first.text.isalpha()
    opening = {"langle": "<"}.get(first.text, first.text)
    if opening not in _CLOSES:
        return False
    end = _closing_index(script, first.text)
    if end == len(script) - 1 or _is_update(script[end + 1 :]):
        return True
    following = script[end + 1].kind
    if following in (TokenKind.NUMBER, TokenKind.NAME):
        raise FormulaError("a mark and a power in one superscript", last.position)
    return False


def _is_update(script: Sequence[Token]) -> bool:
    """Whether this is the mark of what is after an update, `[2]`, behind a layer's mark."""
    return len(script) == 3 and script[0].text == "[" and script[1].kind is TokenKind.NUMBER


def _closing_index(script: Sequence[Token], opening: str) -> int:
    closing = "rangle" if opening == "langle" else _CLOSES[opening]
    depth = 0
    for index, token in enumerate(script):
        depth += (token.text == opening) - (token.text == closing)
        if depth == 0:
            return index
    raise FormulaError("a bracket is never closed", script[0].position)


def spelled(tokens: Sequence[Token]) -> str:
    """The text of a subscript or mark without braces, fonts and spaces."""
    parts: list[str] = []
    for token in tokens:
        if token.kind is TokenKind.COMMAND:
            parts.append(_spelled_command(token))
        elif token.text not in "{}":
            parts.append(token.text)
    return "".join(parts)


def _spelled_command(token: Token) -> str:
    if token.text in FONTS:
        return ""
    if token.text in GREEK:
        return token.text
    if token.text in ACCENTS:
        return ACCENTS[token.text] + " "
    if token.text not in _SPELLED:
        raise FormulaError(f"\\{token.text} inside a name", token.position)
    return _SPELLED[token.text]
