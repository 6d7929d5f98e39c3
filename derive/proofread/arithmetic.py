"""The arithmetic layer of the formula grammar: sums, products, signs and powers of atoms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import sympy

from derive.proofread.functions import power
from derive.proofread.tokens import FormulaError, Token, TokenKind, TokenStream

MAX_DEPTH = 100
_TIMES = ("cdot", "times", "ast", "odot", "circ", "otimes", "bullet")
_TRANSPOSED = frozenset({"top", "intercal"})

NumberReader = Callable[[str], sympy.Expr]
NameReader = Callable[[str], sympy.Expr]


def _remainder(of: sympy.Expr, by: sympy.Expr) -> sympy.Expr:
    return of - by * sympy.floor(of / by, evaluate=False)


class Arithmetic(ABC):
    """One pass over one token stream; what an atom is, a subclass says."""

    def __init__(
        self, stream: TokenStream, number: NumberReader, name: NameReader, depth: int
    ) -> None:
        self.stream = stream
        self._number = number
        self._name = name
        self._depth = depth
        self._open_bars = 0

    @abstractmethod
    def _starts_atom(self) -> bool:
        """Whether an atom begins under the cursor."""

    @abstractmethod
    def _atom(self) -> sympy.Expr:
        """Read one atom."""

    @abstractmethod
    def _inner(self, tokens: Sequence[Token]) -> sympy.Expr:
        """Parse the tokens of an argument one level deeper."""

    def sum(self) -> sympy.Expr:
        """Terms with signs between them."""
        terms = [self._term()]
        while self.stream.at_sign("+", "-"):
            negative = self.stream.advance().text == "-"
            terms.append(-self._term() if negative else self._term())
        return sympy.Add(*terms)

    def _term(self) -> sympy.Expr:
        factors = [self._factor()]
        while True:
            if self.stream.accept("*") or self._accept_command(*_TIMES):
                factors.append(self._factor())
            elif self.stream.accept("/") or self._accept_command("div", "oslash"):
                factors.append(self._divisor())
            elif self._starts_atom():
                factors.append(self._juxtaposed())
            elif self._accept_command("bmod"):
                factors = [_remainder(sympy.Mul(*factors), self._factor())]
            else:
                return sympy.Mul(*factors)

    def _divisor(self) -> sympy.Expr:
        divisor = self._factor()
        if self._starts_atom():
            self.stream.fail("a product after '/' can be read in two ways; write brackets")
        return 1 / divisor

    def _juxtaposed(self) -> sympy.Expr:
        if self.stream.here.kind is TokenKind.NUMBER:
            self.stream.fail("a number follows a factor without an operator")
        return self._powered()

    def _factor(self) -> sympy.Expr:
        negative = False
        while self.stream.at_sign("+", "-"):
            negative ^= self.stream.advance().text == "-"
        value = self._powered()
        return -value if negative else value

    def _powered(self) -> sympy.Expr:
        # Every nesting passes here, so this is where its depth is counted.
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.stream.fail(f"nested more than {MAX_DEPTH} levels deep")
        value = self._at_a_place(self._in_percent(self._atom()))
        if self.stream.accept("^"):
            exponent = self.stream.argument()
            if len(exponent) == 1 and exponent[0].text in _TRANSPOSED:
                value = sympy.Function("transposed")(value)
            else:
                value = self._raise(value, exponent)
            if self.stream.at_sign("^"):
                self.stream.fail("two superscripts on one base")
            value = self._at_a_place(value)
        self._depth -= 1
        return value

    def _in_percent(self, value: sympy.Expr) -> sympy.Expr:
        if not self.stream.at_command("%"):
            return value
        if not value.is_number and not value.is_Symbol:
            self.stream.fail("percent of something that is no number")
        self.stream.advance()
        return value / 100

    def _at_a_place(self, value: sympy.Expr) -> sympy.Expr:
        """`f |_{x = 1}`: a formula that is looked at somewhere; that has no value here."""
        bar = self.stream.at_sign("|") or self.stream.at_command("vert")
        if not bar or self._open_bars or self.stream.following.text not in ("_", "^"):
            return value
        self.stream.advance()
        label = "at"
        while self.stream.at_sign("_", "^"):
            label += self.stream.advance().text
            label += "".join(token.text for token in self.stream.argument())
        return sympy.Function(label)(value)

    def _raise(self, base: sympy.Expr, exponent: Sequence[Token]) -> sympy.Expr:
        position = self.stream.here
        try:
            return power(base, self._inner(exponent))
        except OverflowError as error:
            raise FormulaError(str(error), position.position) from error

    def _accept_command(self, *texts: str) -> bool:
        found = self.stream.at_command(*texts)
        if found:
            self.stream.advance()
        return found
