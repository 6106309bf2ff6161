"""Expiry of the WhatsApp Web version that a gateway release pins (contract, section 14).

`web_versions.json` lists the version built into the official image of each release;
`scripts/web_versions.py` generates it. After the expiry the gateway uses whatever WhatsApp serves at that
time and may go on working: expiry is a hint, never the cause of a problem.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from core.messages import Message

NOTICE = timedelta(days=14)
"""How long before the expiry the page shows a notice and the alert fires."""


@dataclass(frozen=True)
class Release:
    """One release of the gateway."""

    name: str
    expires_at: datetime

    @property
    def order(self) -> tuple[int, ...]:
        """Sort key of releases."""
        return tuple(int(number) for number in self.name.split("."))


def expires_at(release: str | None) -> datetime | None:
    """Return when the WhatsApp Web version of a release expires; None if unknown."""
    known = _releases().get(release or "")
    return known.expires_at if known is not None else None


def is_soon(release: str | None, now: datetime) -> bool:
    """Return whether the version expires within the notice period and has not expired yet."""
    end = expires_at(release)
    return end is not None and timedelta(0) < end - now <= NOTICE


def notice(release: str | None, now: datetime) -> Message | None:
    """Return a notice that the version has expired or soon will, with the release to update to; else None."""
    end = expires_at(release)
    if release is None or end is None or end - now > NOTICE:
        return None
    newer = [one for one in _releases().values() if one.expires_at > max(now, end)]
    instead = min(newer, key=lambda one: one.order).name if newer else None
    date = f"{end:%Y-%m-%d}"
    if end <= now:
        if instead is None:
            return Message.of("gateway.web_version_expired", date=date)
        return Message.of("gateway.web_version_expired_update", date=date, release=instead)
    days = max(1, (end - now).days)
    if instead is None:
        return Message.of("gateway.web_version_expires", days=days, date=date)
    return Message.of("gateway.web_version_expires_update", days=days, date=date, release=instead)


@cache
def _releases() -> Mapping[str, Release]:
    text = files(__package__).joinpath("web_versions.json").read_text(encoding="utf-8")
    return {
        name: Release(name, datetime.fromisoformat(known["expires_at"]))
        for name, known in json.loads(text)["releases"].items()
    }
