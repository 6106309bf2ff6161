"""The phone of a session: the account read from the gateway, and label, owner and note from the settings."""

from __future__ import annotations

from core.models import SessionSnapshot
from core.phone_numbers import is_masked, last_digits
from core.settings.values import SessionSettings
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import Translate


def account(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return the account that is or was last linked; empty if unknown."""
    _ = formatter.translate
    known = session.account
    if known is None or not (known.number or known.push_name):
        return ""
    number = known.number or ""
    number = f"+{number}" if number and not is_masked(number) else number
    told = ", ".join(text for text in (known.push_name, number) if text)
    return _("Last known account: {account}").format(account=told)


def label_and_owner(translate: Translate, settings: SessionSettings | None) -> str:
    """Return label and owner of a session, for the person who links the phone."""
    _ = translate
    if settings is None:
        return ""
    owner = _("Phone holder: {owner}").format(owner=settings.owner) if settings.owner else ""
    return " · ".join(text for text in (settings.label, owner) if text)


def lines(
    formatter: LocaleFormatter, session: SessionSnapshot, settings: SessionSettings | None
) -> list[str]:
    """Return label, owner, note, tags and account as lines, for the page of a session."""
    _ = formatter.translate
    note = settings.note if settings is not None else ""
    words = ", ".join(settings.tag_words) if settings is not None else ""
    tags = _("Tags: {tags}").format(tags=words) if words else ""
    told = [label_and_owner(formatter.translate, settings), note, tags, account(formatter, session)]
    return [text for text in told if text]


def brief(session: SessionSnapshot, settings: SessionSettings | None) -> str:
    """Return the label and the last digits of the number, for a list."""
    number = last_digits(session.account.number) if session.account is not None else ""
    return " · ".join(text for text in (settings.label if settings else "", number) if text)
