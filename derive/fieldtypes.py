"""What a field of a spec may hold: names, numbers, counts, tables; each with its limits."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from derive.errors import InputError
from derive.library.row import signature
from derive.limits import MOST_NAMES, MOST_UNITS, too_many
from derive.names import LONGEST_NAME, NAME, wrong_name, wrong_published, wrong_run


def _number(value: Any) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise PydanticCustomError("number", "this must be a number")
    return Fraction(value)


Num = Annotated[
    Any,
    BeforeValidator(_number),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number"}),
]


def _rate(value: Any) -> Fraction | str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise PydanticCustomError("rate", "this must be a number or a formula in k")
    return Fraction(value)


Rate = Annotated[
    Any,
    BeforeValidator(_rate),
    PlainSerializer(lambda rate: rate if isinstance(rate, str) else float(rate)),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]}),
]


def at_most(most: int, what: str, whose: str) -> BeforeValidator:
    """Refuse a list that is too long before its entries are looked at."""

    def check(given: Any) -> Any:
        if isinstance(given, list) and len(given) > most:
            words = too_many(len(given), most, what, whose)
            raise PydanticCustomError("many", "{words}", {"words": words})
        return given

    return BeforeValidator(check)


NAMES: dict[str, JsonValue] = {"pattern": f"^{NAME}$", "maxLength": LONGEST_NAME}


def _check(fault: Callable[[str], str]) -> Callable[[str], str]:
    """Refuse a text that has a fault, in the words of the fault."""

    def check(text: str) -> str:
        if words := fault(text):
            raise PydanticCustomError("name", "{words}", {"words": words})
        return text

    return check


def _wrong_operand(text: str) -> str:
    try:
        signature(text)
    except InputError as error:
        return str(error)
    return ""


Name = Annotated[str, AfterValidator(_check(wrong_name)), Field(json_schema_extra=NAMES)]
Operand = Annotated[str, AfterValidator(_check(_wrong_operand))]
PublishedName = Annotated[str, AfterValidator(_check(wrong_published))]
RunName = Annotated[str, AfterValidator(_check(wrong_run))]
Language = Literal["ko", "en", "de", "fr", "es", "ja", "zh"]
Count = Annotated[int, Field(ge=1, le=MOST_UNITS, strict=True)]
Names = Annotated[list[Name], at_most(MOST_NAMES, "names", "a list of units")]
Values = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "array"},
                {
                    "type": "object",
                    "properties": {"shape": {"type": "array"}, "values": {}},
                    "additionalProperties": False,
                },
                {"type": "null"},
            ]
        }
    ),
]
