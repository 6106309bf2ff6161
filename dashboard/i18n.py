"""Texts and dates in the user's language: English, Portuguese of Portugal and of Brazil.

English texts are in the code, inside `_("...")`; `N_("...")` marks a text that is translated later, where it
is shown. The `.po` files are committed and compiled in memory, so there is no build step.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, tzinfo
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.dates import format_datetime, format_skeleton, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

Translate = Callable[[str], str]

DOMAIN = "dashboard"
DEFAULT = "en"
LOCALES = (DEFAULT, "pt_PT", "pt_BR")

_DATES = {DEFAULT: "en_GB"}
"""English dates with the day before the month's name, which is unambiguous."""


def negotiate(accept_language: str | None) -> str:
    """Return one of `LOCALES` for an Accept-Language header or a single tag such as "pt-BR".

    Plain "pt" and every variant of Portuguese other than Brazil's map to "pt_PT".
    """
    for tag in _by_preference(accept_language or ""):
        language, _separator, region = tag.replace("_", "-").partition("-")
        if language == "pt":
            return "pt_BR" if region.split("-")[-1] == "br" else "pt_PT"
        if language == "en":
            return DEFAULT
    return DEFAULT


def translator(locale: str) -> Translate:
    """Return the function that translates into `locale`; untranslated texts stay English."""
    translate = _translations(locale).gettext
    # gettext returns the catalogue's header for the empty text.
    return lambda message: translate(message) if message else ""


def current_locale() -> str:
    """Return the locale of the current page run, from the language of the user's browser."""
    # Imported here because the rest of this module also serves pages outside Streamlit.
    from streamlit import context

    # A tab cleared after its sign-in ended is rerun without the browser's locale.
    return negotiate(context.locale or context.headers.get("accept-language"))


def gettext(message: str) -> str:
    """Translate for the current page run; pages import it as `_`."""
    return translator(current_locale())(message)


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name, which Babel looks for
    """Mark a text for translation and return it unchanged."""
    return message


def format_moment(moment: datetime, *, now: datetime, zone: tzinfo, locale: str) -> str:
    """Return a moment in its shortest clear form: "14:32" today, "3 Nov, 14:32" on another day."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    skeleton = "MMMd" if local.year == today.year else "yMMMd"
    return f"{_day(local.date(), skeleton, _DATES.get(locale, locale))}, {local:%H:%M}"


def format_exactly(moment: datetime, *, zone: tzinfo, locale: str) -> str:
    """Return a moment with date, seconds and zone, for a tooltip."""
    locale = _DATES.get(locale, locale)
    return format_datetime(moment.astimezone(zone), "d MMM y HH:mm:ss ZZZZ", tzinfo=zone, locale=locale)


def format_day(at: datetime, *, zone: tzinfo, locale: str) -> str:
    """Return the day of a moment without its year: "3 Nov"."""
    return _day(at.astimezone(zone).date(), "MMMd", _DATES.get(locale, locale))


def format_month(month: str, *, locale: str) -> str:
    """Return a month such as "2026-11" with its name: "November 2026"."""
    return _day(date.fromisoformat(f"{month}-01"), "yMMMM", _DATES.get(locale, locale))


def format_weekday(number: int, *, locale: str) -> str:
    """Return the short name of a day of the week, such as "Mon"; 0 is Monday."""
    names = get_day_names("abbreviated", context="stand-alone", locale=_DATES.get(locale, locale))
    return str(names[number]).capitalize()


@lru_cache(maxsize=1000)
def format_number(value: float, digits: int, *, locale: str) -> str:
    """Return a number with a fixed count of decimal digits."""
    return format_decimal(value, f"#,##0.{'0' * digits}", locale=_DATES.get(locale, locale))


@lru_cache(maxsize=1000)
def _day(day: date, skeleton: str, locale: str) -> str:
    # Cached, because a list of sessions formats hundreds of moments on each drawing.
    return format_skeleton(skeleton, datetime.combine(day, time()), locale=locale)


def _by_preference(accept_language: str) -> list[str]:
    """Return the header's language tags, most preferred first, without refused ones (weight 0)."""
    weighted = []
    for part in accept_language.lower().split(","):
        tag, _separator, parameter = part.strip().partition(";")
        name, _equals, value = parameter.strip().partition("=")
        try:
            weight = float(value) if name == "q" else 1.0
        except ValueError:
            continue
        if tag and weight > 0:
            weighted.append((weight, tag.strip()))
    return [tag for _weight, tag in sorted(weighted, key=lambda pair: -pair[0])]


@cache
def _translations(locale: str) -> NullTranslations:
    if locale == DEFAULT or locale not in LOCALES:
        return NullTranslations()
    path = files("dashboard") / "locale" / locale / "LC_MESSAGES" / f"{DOMAIN}.po"
    catalogue = read_po(BytesIO(path.read_bytes()), locale=locale, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
