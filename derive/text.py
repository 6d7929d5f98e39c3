"""Equations as text in the equation language, as a terminal shows them.

What the language itself writes can be read back; a derived equation may also hold `inside(p, n)`, 1
while 0 <= p < n, and `first(...)`, 1 where a maximum is taken for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import sympy
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from derive.expression import Chosen, Delta, Element, Inside, Largest, LogTotalExp, Slope, Total
from derive.functions import BY_SYMBOL, at_least, greater
from derive.graph import Equation, Quantity, adjoint_name
from derive.places import Division

MANY_ZEROS = 9  # from which on a number is written as 1e9
ARGUMENT = re.compile(r"(?<=[\w,][( ])\((-[\d.]+)\)(?=[,)])")  # it has the function's brackets


class _Printer(StrPrinter):
    """SymPy's printer with the names and nodes of the language."""

    printmethod = "_text"  # not `_sympystr`, by which the nodes describe themselves

    def __init__(self, names: Callable[[str], str]) -> None:
        super().__init__()
        self.names = names

    def _print_Integer(self, expr: sympy.Integer) -> str:
        digits = str(expr.p)
        zeros = len(digits) - len(digits.rstrip("0"))
        return f"{digits[: len(digits) - zeros]}e{zeros}" if zeros >= MANY_ZEROS else digits

    def _print_Element(self, expr: Element) -> str:
        places = ",".join(self._print(index).replace(" ", "") for index in expr.indices)
        name = self.names(expr.name)
        return f"{name}[{places}]" if places else name

    def _print_Total(self, expr: Total) -> str:
        letters, body = [expr.index.name], expr.body
        while isinstance(body, Total):
            letters.append(body.index.name)
            body = body.body
        return f"sum({', '.join(letters)}, {self._print(body)})"

    def _print_LogTotalExp(self, expr: LogTotalExp) -> str:
        return f"log(sum({expr.index.name}, exp({self._print(expr.body)})))"

    def _print_Largest(self, expr: Largest) -> str:
        return f"max({', '.join(i.name for i in expr.bound)}, {self._print(expr.body)})"

    def _print_Chosen(self, expr: Chosen) -> str:
        places = ", ".join(map(self._print, expr.positions))
        return f"first({places}; {self._print(expr.largest)})"

    def _print_Delta(self, expr: Delta) -> str:
        return f"({self._print(expr.args[0])} == {self._print(expr.args[1])})"

    def _print_Inside(self, expr: Inside) -> str:
        return f"inside({self._print(expr.args[0])}, {self._print(expr.args[1])})"

    def _print_Quotient(self, expr: Division) -> str:
        position = self.parenthesize(expr.position, PRECEDENCE["Mul"], strict=False)
        return f"{position} {expr.sign} {expr.divisor}"

    _print_Remainder = _print_Quotient

    def _print_Greatest(self, expr: sympy.Expr) -> str:
        return f"max({', '.join(map(self._print, expr.args))})"

    def _print_Slope(self, expr: Slope) -> str:
        return f"d({self._print(expr.body)})/d{self._print(expr.element)}"

    def _print_Function(self, expr: sympy.Function) -> str:
        row = BY_SYMBOL.get(expr.func)
        name = row.name if row else str(expr.func)
        arguments = list(map(self._print, expr.args))
        if name == "where":
            test = expr.args[0]
            if isinstance(test, greater | at_least):
                sign = ">" if isinstance(test, greater) else ">="
                left, right = (self.parenthesize(a, PRECEDENCE["Add"]) for a in test.args)
                arguments[0] = f"{left} {sign} {right}"
            else:
                arguments[0] = arguments[0].removeprefix("(").removesuffix(")")
        return f"{name}({', '.join(arguments)})"


class _Numbers(_Printer):
    """The same printer with a number for every entry; a negative one gets brackets."""

    def __init__(self, value: Callable[[Element], str]) -> None:
        super().__init__(str)
        self.value = value

    def _print_Element(self, expr: Element) -> str:
        number = self.value(expr)
        return f"({number})" if number.startswith("-") or "/" in number else number


def text(expr: sympy.Expr, names: Callable[[str], str] = str) -> str:
    """An expression in the equation language; `names` may give quantities other names."""
    return str(_Printer(names).doprint(expr)).replace("#", "")


def with_numbers(expr: sympy.Expr, value: Callable[[Element], str]) -> str:
    """An expression whose positions are all numbers, with a number for every entry."""
    return ARGUMENT.sub(r"\1", str(_Numbers(value).doprint(expr)))


def line(equation: Equation, names: Callable[[str], str] = str) -> str:
    """An equation in the equation language."""
    return f"{text(equation.lhs, names)} = {text(equation.rhs, names)}"


def slopes(loss: str) -> Callable[[str], str]:
    """Names in which an adjoint is written as a derivative: `adj_W` is dE/dW."""

    def named(name: str) -> str:
        inner = name.removeprefix(adjoint_name(""))
        return f"d{loss}/d{inner}" if inner != name else name

    return named


def shape(quantity: Quantity) -> str:
    """The shape of a quantity: `3 x 4`, or `a number`."""
    return " x ".join(str(axis.size) for axis in quantity.axes) or "a number"
