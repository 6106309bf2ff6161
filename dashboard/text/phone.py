"""Parsing of typed phone numbers to the gateway's form: digits only, with the country code."""

from __future__ import annotations

from dataclasses import dataclass

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    example_number_for_type,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    parse,
)

from dashboard.i18n import Translate

LONGEST = 40
ANYWHERE = "+351 912 345 678"
"""The example if the user's country is unknown."""


@dataclass(frozen=True)
class Phone:
    """A number for which a pairing code can be requested; `repr` hides it."""

    digits: str
    written: str
    """In international format, with spaces: "+351 912 345 678"."""

    def __repr__(self) -> str:
        """Return a text without the number, which could reach a log."""
        return "Phone(...)"


class PhoneError(ValueError):
    """The text is no usable phone number; `str()` is the correction in the user's language."""


def region_of(locale: str | None) -> str | None:
    """Return the country of a browser's language such as "pt-BR"; None if it contains none."""
    for part in (locale or "").partition(",")[0].partition(";")[0].replace("_", "-").split("-")[1:]:
        if part.upper() in SUPPORTED_REGIONS:
            return part.upper()
    return None


def example(region: str | None) -> str:
    """Return an example of a mobile number in the user's country."""
    number = example_number_for_type(region, PhoneNumberType.MOBILE) if region else None
    return _written(number) if number else ANYWHERE


def read_phone(text: str, *, region: str | None, translate: Translate) -> Phone:
    """Return a number typed with its country code, or without it if it is of the user's country.

    Raise PhoneError for an unusable number. A number that is possible but not assigned is refused, except
    Brazilian ones of eight digits: accounts created before the ninth digit was added keep theirs.
    """
    _ = translate
    typed = text.strip()
    if not typed or len(typed) > LONGEST or not any(sign.isdigit() for sign in typed):
        text = _("Write the phone's number with its country code, for example {example}.")
        raise PhoneError(text.format(example=example(region)))
    if any(sign.isalpha() for sign in typed):
        raise PhoneError(_("A phone number has digits only, no letters."))
    is_international = typed.startswith(("+", "00", "\uff0b"))
    candidates = _candidates(typed, region, is_international=is_international)
    for number in candidates:
        if is_valid_number(number) or _is_older_brazilian(number):
            return Phone(f"{number.country_code}{_national(number)}", _written(number))
    if not is_international:
        text = _("No such number is in use. Begin with + and the country code, for example {example}.")
        raise PhoneError(text.format(example=example(region)))
    raise PhoneError(_problem(candidates, region, _))


def _candidates(typed: str, region: str | None, *, is_international: bool) -> list[PhoneNumber]:
    # Without "+" the text may be a number of the user's country or one with a country code; the first valid
    # one counts. "00" is the usual prefix for "+".
    international = f"+{typed.removeprefix('00').lstrip('+')}"
    spellings: list[tuple[str, str | None]] = [(international, None)]
    if not is_international:
        spellings.insert(0, (typed, region))
    found = []
    for spelling, home in spellings:
        try:
            found.append(parse(spelling, home))
        except NumberParseException:
            continue
    return found


def _problem(candidates: list[PhoneNumber], region: str | None, _: Translate) -> str:
    if not candidates:
        text = _("No country code begins like this. Write the number with it, for example {example}.")
        return text.format(example=example(region))
    reasons = {is_possible_number_with_reason(number) for number in candidates}
    if ValidationResult.IS_POSSIBLE in reasons:
        text = _("No such number is in use as +{code}. Check each digit and the country code.")
        return text.format(code=candidates[0].country_code)
    if ValidationResult.TOO_LONG in reasons:
        text = _("This number has too many digits for the country code +{code}.")
    else:
        text = _("This number has too few digits for the country code +{code}.")
    return text.format(code=candidates[0].country_code)


def _is_older_brazilian(number: PhoneNumber) -> bool:
    national = _national(number)
    return number.country_code == 55 and len(national) == 10 and national[2] in "6789"


def _national(number: PhoneNumber) -> str:
    # Italian numbers keep their leading zeros.
    zeros = "0" * (number.number_of_leading_zeros or 1) if number.italian_leading_zero else ""
    return f"{zeros}{number.national_number}"


def _written(number: PhoneNumber) -> str:
    return format_number(number, PhoneNumberFormat.INTERNATIONAL)
