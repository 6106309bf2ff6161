"""Error messages for invalid settings, which say what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from core.messages import Message


def problems_of(
    error: ValidationError, model: type[BaseModel], scrub: Callable[[str], str] | None = None
) -> Iterator[tuple[str, Message | str]]:
    """Yield field and problem of each mistake. `scrub` masks validators' texts, which may repeat a value."""
    for details in error.errors(include_url=False, include_input=False):
        name = str(details["loc"][0])
        if details["type"] == "value_error":
            texts = details["ctx"]["error"].args
            yield from ((name, scrub(str(text)) if scrub else text) for text in texts)
        else:
            yield name, in_our_words(details, model.model_fields[name])


def in_our_words(details: ErrorDetails, info: FieldInfo) -> Message | str:
    """Return what to write instead, for a pydantic error; it never repeats the value."""
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
            return _bounds(info)
        case "literal_error" | "enum":
            return f"must be {context['expected'].replace(chr(39), '')}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return "must be a mapping of names to values"
        case "string_too_short" | "too_short":
            return f"is too short; use at least {context['min_length']} characters"
        case _:
            return "is not valid; see docs/settings.md"


def stored_mistakes(error: ValidationError) -> Iterator[str]:
    """Yield a sentence for each invalid stored setting, with its path and without its value."""
    for details in error.errors(include_url=False, include_input=False):
        path = ".".join(map(str, details["loc"])).removeprefix("saved.")
        is_unknown = details["type"] == "extra_forbidden"
        text = "is not a setting; remove it" if is_unknown else in_our_words(details, FieldInfo())
        yield f"{path}: {text}"


def _bounds(info: FieldInfo) -> Message | str:
    limits = {
        word: getattr(bound, name)
        for bound in info.metadata
        for name, word in (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
        if hasattr(bound, name)
    }
    if limits.keys() == {"at least", "at most"}:
        lowest, highest = (f"{limit:g}" for limit in limits.values())
        return Message.of("setting.bounds", lowest=lowest, highest=highest)
    return "must be " + " and ".join(f"{word} {limit:g}" for word, limit in limits.items())
