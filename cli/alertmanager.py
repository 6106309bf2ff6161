"""What we ask of Alertmanager's HTTP API. Every failure is an AlertmanagerError in words for the operator."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

LARGEST_ANSWER_BYTES = 8_000_000
COUNTER = re.compile(
    r"^alertmanager_(notification_requests_total|notification_requests_failed_total|notifications_failed_total)"
    r'\{[^}]*\bintegration="(\w+)"[^}]*\} (\S+)$',
    re.MULTILINE,
)
RECEIVER = re.compile(r"^- name: (.+)$|^  (\w+)_configs:", re.MULTILINE)

T = TypeVar("T")


class AlertmanagerError(Exception):
    """Alertmanager did not do as asked; str() is for the operator."""


@dataclass(frozen=True)
class Routed:
    """Where an alert went."""

    receivers: tuple[str, ...]
    is_suppressed: bool


@dataclass(frozen=True)
class Tally:
    """Notifications since Alertmanager started, by kind of integration."""

    delivered: Mapping[str, int]
    given_up: Mapping[str, int]


class Alertmanager:
    """One Alertmanager."""

    def __init__(self, url: str, *, answer_seconds: float = 10.0) -> None:
        self._answer_seconds = answer_seconds
        parts = urlsplit(url)
        # A password in the address goes into a header, and never into a message.
        self._url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._headers = {"Content-Type": "application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"

    def post(self, alert: Mapping[str, Any]) -> None:
        """Hand over one alert."""
        self._ask("/api/v2/alerts", json.dumps([alert]).encode())

    def find(self, label: str, value: str) -> Routed | None:
        """Tell where the alert with this label went; None when Alertmanager has none."""
        matcher = quote(f'{label}="{value}"', safe="")

        def read(answer: Any) -> Routed | None:
            if not answer:
                return None
            names = tuple(receiver["name"] for receiver in answer[0]["receivers"])
            return Routed(names, is_suppressed=answer[0]["status"]["state"] == "suppressed")

        return self._read(f"/api/v2/alerts?filter={matcher}", read)

    def kinds(self) -> dict[str, set[str]]:
        """Read from its configuration by what kinds of integration each receiver notifies."""
        # Written by Alertmanager itself, always in the same form, and the only place that tells.
        text: str = self._read("/api/v2/status", lambda answer: answer["config"]["original"])
        found: dict[str, set[str]] = {}
        name = ""
        for receiver, kind in RECEIVER.findall(text[text.find("\nreceivers:") :]):
            name = receiver.strip("'\"") or name
            found.setdefault(name, set()).update({kind} - {""})
        return found

    def tally(self) -> Tally:
        """Count notifications by kind of integration: Alertmanager keeps no finer account."""
        counts: dict[str, dict[str, int]] = {}
        for name, kind, value in COUNTER.findall(self._ask("/metrics").decode(errors="replace")):
            of_name = counts.setdefault(name, {})
            of_name[kind] = of_name.get(kind, 0) + int(float(value))
        failed = counts.get("notification_requests_failed_total", {})
        requests = counts.get("notification_requests_total", {})
        return Tally(
            delivered={kind: count - failed.get(kind, 0) for kind, count in requests.items()},
            given_up=counts.get("notifications_failed_total", {}),
        )

    def _read(self, path: str, read: Callable[[Any], T]) -> T:
        try:
            return read(json.loads(self._ask(path)))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise AlertmanagerError(
                f"{self._url} answers, but not as Alertmanager does; look at ALERTMANAGER_URL"
            ) from None

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._url + path, body, self._headers)  # noqa: S310 - checked: http(s)
        try:
            with urllib.request.urlopen(request, timeout=self._answer_seconds) as answer:  # noqa: S310
                content: bytes = answer.read(LARGEST_ANSWER_BYTES)
                return content
        except urllib.error.HTTPError as error:
            error.close()
            raise AlertmanagerError(f"{self._url} refused the request ({error.code})") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise AlertmanagerError(f"{self._url} cannot be reached ({reason})") from None


def increased(before: Mapping[str, int], now: Mapping[str, int], kinds: Collection[str]) -> set[str]:
    """Return the kinds whose count has grown."""
    return {kind for kind in kinds if now.get(kind, 0) > before.get(kind, 0)}
