"""Parser from TeX mathematics to SymPy: recursive descent, nothing is ever evaluated as code.

    sum      = ["+" | "-"] term { ("+" | "-") term }
    term     = factor { ("\\cdot" | "\\times" | "*" | "/" | nothing) factor }
    factor   = { "+" | "-" } atom { "^" argument }

Implicit multiplication binds like explicit; where writers disagree (`1/2x`, `\\ln 2x`, `x 2`) the
parser refuses instead of choosing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache

import sympy

from derive.proofread.arithmetic import Arithmetic, NameReader, NumberReader
from derive.proofread.conditions import indicator, is_list, sides
from derive.proofread.differentials import operator, read_differential, whole_differential
from derive.proofread.functions import BINARY, COMMANDS, UNARY, VARIADIC, absolute
from derive.proofread.names import FONTS, Name, read_name, spelled, starts_name, with_scripts
from derive.proofread.tokens import FormulaError, Token, TokenKind, TokenStream, tokenize

_BRACKETS = {"(": ")", "[": "]"}
_FRACTIONS = ("frac", "tfrac", "dfrac", "cfrac")
_BIG = ("sum", "prod")
_BOXES = ("boxed", "underline", "displaystyle")
DOTS = "…"  # the name of what is not written out
_DOTS = ("cdots", "ldots", "dots", "vdots", "ddots")

MAX_EXPONENT = 4000


def exact_number(text: str) -> sympy.Expr:
    """The rational a decimal text denotes."""
    try:
        small = abs(Decimal(text).adjusted()) <= MAX_EXPONENT
    except InvalidOperation:  # as a lone point
        raise FormulaError(f"{text!r} is no number", 0) from None
    if not small:
        raise FormulaError("a number too large, or too small, to write out", 0)
    return sympy.Rational(text)


def real_symbol(name: str) -> sympy.Expr:
    """The symbol of a name in its canonical spelling."""
    return sympy.Symbol(name, real=True)


@lru_cache(maxsize=20_000)  # a page and its translation have their formulas in common
def parse_formula(
    tex: str, number: NumberReader = exact_number, name: NameReader = real_symbol
) -> sympy.Expr:
    """Parse one formula without relations.

    `number` turns each decimal text into an operand, `name` each name, in reading order.
    """
    return _parse(tokenize(tex), number, name, 0)


@lru_cache(maxsize=50_000)  # a page asks for each of its names many times
def symbol_name(tex: str) -> str:
    """Canonical spelling of the one name (or derivative) that `tex` consists of."""
    expression = parse_formula(tex)
    if not expression.is_Symbol:
        raise FormulaError(f"{tex!r} is not one name", 0)
    return str(expression)


def _parse(
    tokens: Sequence[Token], number: NumberReader, name: NameReader, depth: int
) -> sympy.Expr:
    parser = _Parser(TokenStream(tokens), number, name, depth)
    expression = parser.sum()
    if not parser.stream.at_end():
        parser.stream.fail(f"{parser.stream.here.text!r} is not expected here")
    return expression


class _Parser(Arithmetic):
    """The grammar with its atoms: groups, names, functions, fractions and derivatives."""

    def _inner(self, tokens: Sequence[Token]) -> sympy.Expr:
        if not tokens:
            self.stream.fail("an empty group")
        return _parse(tokens, self._number, self._name, self._depth)

    def _starts_atom(self) -> bool:
        token = self.stream.here
        if token.kind is TokenKind.SIGN:
            opens_bar = token.text == "|" and not self._open_bars
            return token.text in ("(", "[", "{") or opens_bar
        if token.kind is TokenKind.COMMAND:
            opens = token.text in self._commands and not (token.text == "vert" and self._open_bars)
            return starts_name(self.stream) or opens
        return token.kind in (TokenKind.NUMBER, TokenKind.NAME)

    @cached_property
    def _commands(self) -> dict[str, Callable[[], sympy.Expr]]:
        table: dict[str, Callable[[], sympy.Expr]] = {
            "sqrt": self._root,
            "partial": self._derivative,
            "lvert": lambda: self._bars("rvert"),
            "vert": lambda: self._bars("vert"),
            "{": lambda: self._bracketed("}"),
            "textcolor": self._coloured,
            "underbrace": self._underbraced,
            "overbrace": self._underbraced,
            "nabla": self._big_operator,
            "lfloor": lambda: self._rounded("rfloor", sympy.floor),
            "lceil": lambda: self._rounded("rceil", sympy.ceiling),
        }
        table |= dict.fromkeys(_FRACTIONS, self._fraction)
        table |= dict.fromkeys(_BIG, self._big_operator)
        table |= dict.fromkeys(_BOXES, lambda: self._inner(self.stream.argument()))
        table |= dict.fromkeys(COMMANDS, self._function)
        table |= dict.fromkeys(_DOTS, lambda: self._name(DOTS))
        return table

    def _atom(self) -> sympy.Expr:
        token = self.stream.here
        if token.kind is TokenKind.NUMBER:
            return self._number(self.stream.advance().text)
        if token.kind is TokenKind.SIGN:
            return self._group()
        if token.kind is TokenKind.COMMAND and token.text in self._commands:
            self.stream.advance()
            return self._commands[token.text]()
        if not starts_name(self.stream):
            what = f"\\{token.text}" if token.kind is TokenKind.COMMAND else "the end"
            self.stream.fail(f"an operand is expected, not {what}")
        return self._slash_derivative() or self._styled_number() or self._named()

    def _group(self) -> sympy.Expr:
        token = self.stream.here
        if token.text == "{":
            inside = self.stream.argument()
            if self.stream.at_sign("_"):  # `{loss}_t`
                return self._name(with_scripts(Name(spelled(inside)), self.stream).canonical)
            return self._inner(inside)
        if token.text == "|" and not self._open_bars:
            self.stream.advance()
            return self._bars("|")
        if token.text not in _BRACKETS:
            self.stream.fail(f"an operand is expected, not {token.text!r}")
        self.stream.advance()
        if token.text == "[":
            condition = self._condition()
            if condition is not None:
                return condition
        return self._bracketed(_BRACKETS[token.text])

    def _condition(self) -> sympy.Expr | None:
        """Iverson's bracket; a condition on several places at once stays without a value."""
        start = self.stream.index
        inside = self.stream.until("]")
        parts, relations = sides(inside)
        if not relations:
            self.stream.index = start
            return None
        if any(not part for part in parts):
            self.stream.fail("a side of the condition is empty")
        if any(is_list(part) for part in parts):
            return sympy.Function(f"[{_loosely_spelled(inside)}]")()
        return indicator([self._inner(part) for part in parts], relations)

    def _bracketed(self, closing: str) -> sympy.Expr:
        bars, self._open_bars = self._open_bars, 0
        value = self.sum()
        self._open_bars = bars
        self._close(closing)
        return value

    def _close(self, closing: str) -> None:
        if self.stream.here.text != closing or self.stream.at_end():
            self.stream.fail(f"{closing!r} is missing")
        self.stream.advance()

    def _bars(self, closing: str) -> sympy.Expr:
        self._open_bars += 1
        value = self.sum()
        self._open_bars -= 1
        self._close(closing)
        return absolute(value)

    def _rounded(self, closing: str, function: Callable[..., sympy.Expr]) -> sympy.Expr:
        value = self._bracketed(closing)
        return function(value, evaluate=False)

    def _coloured(self) -> sympy.Expr:
        self.stream.argument()
        return self._inner(self.stream.argument())

    def _underbraced(self) -> sympy.Expr:
        value = self._inner(self.stream.argument())
        if self.stream.accept("_", "^"):
            self.stream.argument()  # a remark at the brace, not a subscript
        return value

    def _root(self) -> sympy.Expr:
        index: sympy.Expr = sympy.Integer(2)
        if self.stream.accept("["):
            index = self.sum()
            self._close("]")
        return self._inner(self.stream.argument()) ** (1 / index)

    def _fraction(self) -> sympy.Expr:
        above, below = self.stream.argument(), self.stream.argument()
        bottom = whole_differential(below)
        if bottom and operator(above):
            return sympy.Function(f"{operator(above)}/{''.join(bottom)}")(self._term())
        top = whole_differential(above) if bottom else None
        if top and bottom:
            return self._name(_quotient(top, bottom))
        return self._inner(above) / self._inner(below)

    def _derivative(self) -> sympy.Expr:
        self.stream.index -= 1
        return self._slash_derivative() or self.stream.fail("a derivative outside a quotient")

    def _slash_derivative(self) -> sympy.Expr | None:
        start = self.stream.index
        above = read_differential(self.stream)
        below = read_differential(self.stream) if above and self.stream.accept("/") else None
        if above and below:
            return self._name(_quotient(above, below))
        self.stream.index = start
        return None

    def _styled_number(self) -> sympy.Expr | None:
        # `\mathbf{0.5}` is a number in bold, not a name.
        start = self.stream.index
        token = self.stream.advance()
        if token.kind is TokenKind.COMMAND and token.text in FONTS:
            group = self.stream.argument()
            if any(t.kind is TokenKind.NUMBER for t in group[:2]):
                return self._inner(group)
        self.stream.index = start
        return None

    def _named(self) -> sympy.Expr:
        is_operator = self.stream.at_command("operatorname", "operatorname*")
        name = read_name(self.stream)
        if name.base == "e" and name.is_plain and name.power is not None:
            return sympy.exp(self._inner(name.power))
        if self._is_index():
            inside = "".join(token.text for token in self._between_brackets())
            return self._name(f"{name.canonical}{_raised(name)}[{inside}]")
        if name.power is None and self.stream.at_sign("(", "["):
            if name.is_plain and name.base in {*UNARY, *VARIADIC, *BINARY}:
                return self._applied(name.base)
            # An unknown function keeps its argument but has no value here.
            of_several = self.stream.at_sign("(") and self._lists()
            if is_operator or of_several or (name.base in UNARY and name.subscript == ""):
                return self._unknown(name.canonical)
        if is_operator and name.base == "argmax":  # a place, not a value
            return sympy.Function(name.canonical)(self._term())
        symbol = self._name(name.canonical)
        return symbol if name.power is None else self._raise(symbol, name.power)

    def _unknown(self, name: str) -> sympy.Expr:
        arguments = self._arguments()
        if self.stream.accept("_"):  # `f(x; W)_j`
            name += f"_{spelled(self.stream.argument())}"
        return sympy.Function(name)(*arguments)

    def _between_brackets(self) -> Sequence[Token]:
        closing = _BRACKETS[self.stream.advance().text]
        return self.stream.until(closing)

    def _lists(self) -> bool:
        """Whether the brackets under the cursor hold several values."""
        start = self.stream.index
        try:
            inside = self._between_brackets()
        except FormulaError:
            return False
        finally:
            self.stream.index = start
        depth = 0
        for token in inside:
            if token.kind is TokenKind.SIGN:
                depth += (token.text in "([{") - (token.text in ")]}")
                if depth == 0 and token.text in ",;":
                    return True
        return False

    def _is_index(self) -> bool:
        """Whether square brackets behind a name hold its index: `Y[i,j]` or `x[0]`."""
        if not self.stream.at_sign("["):
            return False
        following = self.stream.following
        whole = following.kind is TokenKind.NUMBER and following.text.isdigit()
        return self._lists() or (whole and self._closes_behind(following))

    def _closes_behind(self, token: Token) -> bool:
        start = self.stream.index
        try:
            return self._between_brackets() == (token,)
        except FormulaError:
            return False
        finally:
            self.stream.index = start

    def _applied(self, function: str) -> sympy.Expr:
        position = self.stream.here.position
        arguments = self._arguments()
        if function in VARIADIC:
            return VARIADIC[function](*arguments)
        if function in BINARY:
            if len(arguments) != 2:
                raise FormulaError(f"{function} takes two arguments", position)
            return BINARY[function](*arguments)
        if len(arguments) != 1:
            raise FormulaError(f"{function} takes one argument", position)
        return UNARY[function](arguments[0])

    def _arguments(self) -> list[sympy.Expr]:
        opening = self.stream.advance().text
        bars, self._open_bars = self._open_bars, 0
        arguments = [self.sum()]
        while self.stream.accept(",", ";"):
            arguments.append(self.sum())
        self._open_bars = bars
        self._close({"{": "}"}.get(opening, _BRACKETS.get(opening, ")")))
        return arguments

    def _function(self) -> sympy.Expr:
        self.stream.index -= 1
        function = self.stream.advance().text
        if function in VARIADIC and self.stream.at_sign("_"):
            return self._big_operator()
        base = self._log_base(function)
        exponent = self.stream.argument() if self.stream.accept("^") else None
        if exponent and exponent[0].text == "-":
            self.stream.fail("a negative power of a function can be read in two ways")
        if self.stream.at_sign("(", "[") or self.stream.at_command("{"):
            value = self._applied(function)
        else:
            value = self._bare_argument(function)
        value = value if base is None else value / sympy.log(base)
        return value if exponent is None else self._raise(value, exponent)

    def _log_base(self, function: str) -> sympy.Expr | None:
        if function != "log" or not self.stream.accept("_"):
            return None
        return self._inner(self.stream.argument())

    def _bare_argument(self, function: str) -> sympy.Expr:
        if function in VARIADIC:
            self.stream.fail(f"{function} needs brackets")
        value = UNARY[function](self._powered())
        if self._starts_atom() and self.stream.here.text not in self._commands:
            self.stream.fail(f"where the argument of {function} ends is not clear; write brackets")
        return value

    def _big_operator(self) -> sympy.Expr:
        # Kept opaque: what a sum over named indices is worth is not printed on the page.
        self.stream.index -= 1
        label = self.stream.advance().text
        while self.stream.at_sign("_", "^"):
            mark = self.stream.advance().text
            label += mark + _loosely_spelled(self.stream.argument())
        return sympy.Function(label)(self._term())


def _raised(name: Name) -> str:
    return "" if name.power is None else f"^{spelled(name.power)}"


def _quotient(above: tuple[str, str], below: tuple[str, str]) -> str:
    return f"{''.join(above)}/{''.join(below)}"


def _loosely_spelled(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)
