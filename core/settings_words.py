"""What is wrong with a setting, in words that say what to write instead of it."""

from __future__ import annotations

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails


def in_our_words(details: ErrorDetails, info: FieldInfo) -> str:
    """Turn one pydantic error into a sentence that says what to write; the value itself is never repeated."""
    context = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return "is not set; set it"
        case "bool_parsing" | "bool_type":
            return "must be true or false"
        case "int_parsing" | "int_type" | "int_from_float":
            return "must be a whole number"
        case "float_parsing" | "float_type" | "finite_number":
            return "must be a number without a unit, for example 5 or 0.5"
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            return f"must be {_bounds(info)}"
        case "literal_error" | "enum":
            return f"must be {context['expected'].replace(chr(39), '')}"
        case "string_too_short" | "too_short":
            return f"is too short; use at least {context['min_length']} characters"
        case _:
            return "is not valid; see the table of settings in the README"


def _bounds(info: FieldInfo) -> str:
    limits = {
        word: getattr(bound, name)
        for bound in info.metadata
        for name, word in (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
        if hasattr(bound, name)
    }
    return " and ".join(f"{word} {limit:g}" for word, limit in limits.items())
