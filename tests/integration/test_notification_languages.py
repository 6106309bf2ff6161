"""Notifications in Portuguese, from a real Alertmanager; and the words in which they agree with the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.models import Reason, Verdict
from dashboard.i18n import LOCALES, translator
from dashboard.words import LOOKS, REASONS
from tests.plugins.system_tools import require
from tests.support.alertmanager import SHIPPED, Inbox, alertmanager, post_alert, web_receiver
from tests.support.monitoring import alerts
from tests.support.waiting import until

require("prometheus-alertmanager")

ANNOTATIONS = {
    "summary": "in English",
    "description": "in English",
    "verdict": "waiting for qr",
    "since": "2026-01-15 12:00:00 UTC",
    "lasted": "3m 5s",
    "reason": "closed on gateway",
    "tried": "2",
    "dashboard_url": "https://ops.example.org/session?server=main&session=sales",
    "runbook_url": "https://ops.example.org/runbooks#wppconnectsessiondisconnected",
}
OTHERS = ["WppconnectTestPager", *(one["alert"] for one in alerts() if one["labels"]["severity"] != "none")]

each_translation = pytest.mark.parametrize("language", ["pt_PT", "pt_BR"])


def table(name: str, locale: str) -> dict[str, str]:
    """Return what a template of words says for each value."""
    path = "wppconnect.tmpl" if locale == "en" else f"languages/{locale}.tmpl"
    text = (SHIPPED / "templates" / path).read_text()
    body = text.partition(f'{{{{ define "{name}" -}}}}\n')[2].partition("{{- else -}}")[0]
    return dict(re.findall(r'eq \. "([^"]+)" -}} (.+)$', body, re.MULTILINE))


@each_translation
def test_no_alert_is_left_in_english(language: str, tmp_path: Path) -> None:
    inbox = Inbox()

    with (
        web_receiver(inbox) as web,
        alertmanager(tmp_path, receiver="slack", web_port=web, language=language) as url,
    ):
        for number, alert in enumerate(OTHERS):
            # On a server each, or some of them would hold back others.
            names = {"server": f"server-{number}", "session": f"session-{number}"}
            post_alert(url, {"alertname": alert, "severity": "critical"} | names, ANNOTATIONS)
        texts = until(
            lambda: (
                len(inbox.of("/slack")) == len(OTHERS)
                and [message["attachments"][0]["text"] for message in inbox.of("/slack")]
            ),
            what="a notice of each alert",
        )

    assert [text for text in texts if "in English" in text] == []
    assert len({text.splitlines()[0] for text in texts}) == len(OTHERS)


@each_translation
def test_every_word_is_translated(language: str) -> None:
    assert table("wppconnect.word", language).keys() == table("wppconnect.word", "en").keys()


@pytest.mark.parametrize("locale", LOCALES)
def test_notifications_use_the_words_of_the_page(locale: str) -> None:
    translate = translator(locale)
    unknown = "not known" if locale == "en" else "desconhecido"

    verdicts = {one.replace("_", " "): translate(LOOKS[one].label) for one in Verdict}
    reasons = {
        one.replace("_", " "): translate(REASONS[one]).rstrip(".") for one in Reason if one != Reason.NONE
    }

    assert table("wppconnect.verdict", locale) == verdicts | {"not known": unknown}
    assert table("wppconnect.reason", locale) == reasons | {"not known": unknown}
