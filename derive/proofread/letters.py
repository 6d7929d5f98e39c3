"""Letters and signs of Unicode mathematics, as TeX."""

from __future__ import annotations

import re
import unicodedata

_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-()aehijklmnoprstuvx")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱᵀᵗᶻˣʲᵏˡ", "0123456789+-()niTtzxjkl")
_SUBS = "".join(map(chr, _SUBSCRIPTS))
_SUPERS = "".join(map(chr, _SUPERSCRIPTS))
_GREEK_NAMES = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau
    upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega
"""
_GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", _GREEK_NAMES.split(), strict=True))
_SIGNS = {
    "∂": r"\partial ", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ",
    "∗": "*", "÷": r"\div ", "−": "-", "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}",
    "¾": r"\frac{3}{4}", "∑": r"\sum ", "∏": r"\prod ", "∞": r"\infty ", "⊙": r"\odot ",
    "∘": r"\circ ", "⊘": r"\oslash ", "′": "'", "…": r"\dots ", "∇": r"\nabla ",
    "ℒ": r"\mathcal{L}", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
    "ϵ": r"\epsilon ", "ϕ": r"\phi ", "ℓ": r"\ell ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u200b": " ", "\u2061": " ", "\u2062": " ",
}  # fmt: skip
_ACCENTS = {"\u0302": "hat", "\u0304": "bar", "\u0305": "bar", "\u0303": "tilde", "\u0307": "dot"}
_ACCENTED = "".join(
    chr(code)
    for code in range(0xC0, 0x1F00)
    if len(parts := unicodedata.normalize("NFD", chr(code))) == 2 and parts[1] in _ACCENTS
)
# One character, or a run of raised or lowered ones; a comma may part two lowered ones.
LETTER = (
    rf"[{re.escape(_SUBS)}](?:,?[{re.escape(_SUBS)}])*|[{re.escape(_SUPERS)}]+"
    rf"|[A-Za-z][{''.join(_ACCENTS)}]|[{''.join(_GREEK)}{''.join(_SIGNS)}{_ACCENTED}]"
)


def tex_of(letters: str) -> str:
    """One match of `LETTER` as TeX."""
    if letters[0] in _SUBS:
        return f"_{{{letters.translate(_SUBSCRIPTS)}}}"
    if letters[0] in _SUPERS:
        return f"^{{{letters.translate(_SUPERSCRIPTS)}}}"
    if letters in _GREEK:
        return f"\\{_GREEK[letters]} "
    if letters in _SIGNS:
        return _SIGNS[letters]
    parts = unicodedata.normalize("NFD", letters)
    return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
