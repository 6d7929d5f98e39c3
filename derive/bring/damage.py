"""What is wrong with a file of another program, in words."""

from __future__ import annotations

from derive.errors import cut, shown


def damage(error: Exception) -> str:
    """What a reader stumbled over: no name of Python's, for nobody who sent a model knows it."""
    match error:
        case KeyError():
            return f"{shown(str(error.args[0]))} is missing" if error.args else "a part is missing"
        case IndexError():
            return "a list is shorter than it should be"
        case RecursionError():
            return "its parts stand too deep within each other"
        case TypeError() | AttributeError():
            return "a part is of another kind than it should be"
        case ZeroDivisionError():
            return "something is divided by zero"
    return cut(str(error)) or "a part has no sense"
