"""What people read by each way and in each language: a real Alertmanager with the shipped files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from playwright.sync_api import Browser

from tests.plugins.leaks import inspect, keep_secret
from tests.plugins.system_tools import require
from tests.support.alertmanager import (
    BOT_TOKEN,
    EVERYBODY,
    SLACK_SECRET,
    WEBHOOK_TOKEN,
    Inbox,
    alertmanager,
    post_alert,
    web_receiver,
)
from tests.support.chromium import chromium
from tests.support.mail import SMTP_PASSWORD, mail_server
from tests.support.visitor import SIDEWAYS, SIZES, kept_out
from tests.support.waiting import until

require("prometheus-alertmanager", "chromium")

pytestmark = pytest.mark.browser

LABELS = {
    "alertname": "WppconnectSessionDisconnected",
    "severity": "critical",
    "server": "main",
    "session": "sales",
}
ANNOTATIONS = {
    "summary": "WhatsApp session is disconnected.",
    "description": "Messages are not delivered.",
    "verdict": "waiting for qr",
    "since": "2026-01-15 12:00:00 UTC",
    "lasted": "3m 5s",
    "reason": "closed on gateway",
    "tried": "2",
    "dashboard_url": "https://ops.example.org/session?server=main&session=sales&pair=1",
    "runbook_url": "https://ops.example.org/runbooks#wppconnectsessiondisconnected",
}
LINK = ANNOTATIONS["dashboard_url"]
UNKNOWN = dict.fromkeys(("since", "lasted", "reason", "verdict"), "not known") | {
    "summary": "billing is lost"
}
GATEWAY = {"alertname": "WppconnectGatewayUnreachable", "severity": "critical", "server": "other"}
GATEWAY_SAYS = {
    "summary": "WPPConnect Server does not answer.",
    "description": "None of its sessions works.",
    "dashboard_url": "https://ops.example.org/",
}
START = datetime.now(UTC) - timedelta(minutes=1)


class Words(NamedTuple):
    """What one language has to say."""

    tag: str
    firing: str
    over: str
    lost: str
    ended: str
    button: str
    unknown: str


WORDS = {
    "en": Words(
        tag="en",
        firing="[FIRING] sales on main – WhatsApp session is disconnected",
        over="[OVER] sales on main – WhatsApp session is disconnected",
        lost="""\
sales on main – WhatsApp session is disconnected
Messages are not delivered.
Verdict: Waiting for a scan
Since: 2026-01-15 12:00:00 UTC (3m 5s)
Reason: Removed on the phone, or closed by someone else
Restarts by self-healing: 2
Open: https://ops.example.org/session?server=main&session=sales&pair=1
Runbook: https://ops.example.org/runbooks#wppconnectsessiondisconnected""",
        ended="""\
Over: sales on main – WhatsApp session is disconnected
It lasted 12m 30s.
Reason: Removed on the phone, or closed by someone else
Restarts by self-healing: 2
Open: https://ops.example.org/session?server=main&session=sales&pair=1""",
        button="Open the session",
        unknown="Since: not known\n",
    ),
    "pt_PT": Words(
        tag="pt-PT",
        firing="[ALERTA] A sessão de WhatsApp sales em main está desligada",
        over="[FIM] A sessão de WhatsApp sales em main está desligada",
        lost="""\
A sessão de WhatsApp sales em main está desligada
As mensagens não são entregues. Abra o link: diz do que a sessão precisa, em geral uma nova leitura.
Estado: À espera de leitura
Desde: 2026-01-15 12:00:00 UTC (3m 5s)
Motivo: Removida no telemóvel, ou fechada por outra pessoa
Reinícios automáticos: 2
Abrir: https://ops.example.org/session?server=main&session=sales&pair=1
O que fazer: https://ops.example.org/runbooks#wppconnectsessiondisconnected""",
        ended="""\
Terminou: A sessão de WhatsApp sales em main está desligada
Durou 12m 30s.
Motivo: Removida no telemóvel, ou fechada por outra pessoa
Reinícios automáticos: 2
Abrir: https://ops.example.org/session?server=main&session=sales&pair=1""",
        button="Abrir a sessão",
        unknown="Desde: desconhecido\n",
    ),
    "pt_BR": Words(
        tag="pt-BR",
        firing="[ALERTA] A sessão de WhatsApp sales em main está desconectada",
        over="[FIM] A sessão de WhatsApp sales em main está desconectada",
        lost="""\
A sessão de WhatsApp sales em main está desconectada
As mensagens não são entregues. Abra o link: ele diz do que a sessão precisa, em geral um novo escaneamento.
Estado: Aguardando escaneamento
Desde: 2026-01-15 12:00:00 UTC (3m 5s)
Motivo: Removida no celular, ou fechada por outra pessoa
Reinícios automáticos: 2
Abrir: https://ops.example.org/session?server=main&session=sales&pair=1
O que fazer: https://ops.example.org/runbooks#wppconnectsessiondisconnected""",
        ended="""\
Encerrado: A sessão de WhatsApp sales em main está desconectada
Durou 12m 30s.
Motivo: Removida no celular, ou fechada por outra pessoa
Reinícios automáticos: 2
Abrir: https://ops.example.org/session?server=main&session=sales&pair=1""",
        button="Abrir a sessão",
        unknown="Desde: desconhecido\n",
    ),
}
WAYS = ("mail", "/slack", "/telegram", "/webhook")
each_language = pytest.mark.parametrize("language", WORDS)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Inbox]:
    """Let an Alertmanager of each language tell everybody: of a lost session, a gateway, an unknown reason.

    Then the first two end.
    """
    inboxes = {language: Inbox() for language in WORDS}
    keep_secret("secret of a receiver", [SMTP_PASSWORD, WEBHOOK_TOKEN, BOT_TOKEN, SLACK_SECRET])
    with ExitStack() as stack:
        urls = [
            stack.enter_context(everybody(tmp_path_factory.mktemp(language), language, inbox))
            for language, inbox in inboxes.items()
        ]
        moments = {"startsAt": START.isoformat()}
        for url in urls:
            post_alert(url, LABELS, ANNOTATIONS, **moments)
            post_alert(url, GATEWAY, GATEWAY_SAYS, **moments)
            post_alert(url, LABELS | {"session": "billing"}, ANNOTATIONS | UNKNOWN, **moments)
        until(partial(all_have, inboxes, 3), what="three notices each")
        for url in urls:
            ends = moments | {"endsAt": datetime.now(UTC).isoformat()}
            # Prometheus sends the annotations of its last evaluation along.
            post_alert(url, LABELS, ANNOTATIONS | {"lasted": "12m 30s"}, **ends)
            post_alert(
                url, GATEWAY, GATEWAY_SAYS, **moments, endsAt=(START + timedelta(seconds=45)).isoformat()
            )
        until(partial(all_have, inboxes, 5), what="five notices each")
    for language, inbox in inboxes.items():
        inspect(f"notices in {language}", inbox.everything())
    return inboxes


@contextmanager
def everybody(folder: Path, language: str, inbox: Inbox) -> Iterator[str]:
    """Run an Alertmanager that pages by every receiver."""
    with (
        web_receiver(inbox) as web,
        mail_server(folder, partial(inbox.take, "mail")) as mail,
        alertmanager(folder, receiver=EVERYBODY, web_port=web, mail=mail, language=language) as url,
    ):
        yield url


def all_have(inboxes: dict[str, Inbox], number: int) -> bool:
    """Tell whether so many notices came by every way, in every language."""
    return all(len(inbox.of(way)) >= number for inbox in inboxes.values() for way in WAYS)


def mail_about(inbox: Inbox, subject: str) -> EmailMessage:
    """Return the one mail with a subject."""
    (found,) = (one for one in inbox.of("mail") if one["Subject"] == subject)
    assert isinstance(found, EmailMessage)
    return found


def body(mail: EmailMessage, kind: Literal["plain", "html"]) -> str:
    """Return one of the two bodies of a mail."""
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n").strip()


def attachment(inbox: Inbox, title: str) -> Any:
    """Return the one Slack message with a title."""
    (found,) = (
        message["attachments"][0]
        for message in inbox.of("/slack")
        if message["attachments"][0]["title"] == title
    )
    return found


@each_language
def test_mail_says_everything_and_how_long_it_lasted(language: str, told: dict[str, Inbox]) -> None:
    words = WORDS[language]

    lost, over = (mail_about(told[language], subject) for subject in (words.firing, words.over))

    assert (lost["To"], lost["From"]) == ("oncall@example.org", "alertmanager@example.org")
    assert body(lost, "plain") == words.lost
    assert body(over, "plain") == words.ended
    assert f'<html lang="{words.tag}">' in body(lost, "html")
    assert f">{words.button}</a>" in body(lost, "html")
    assert f">{words.button}</a>" in body(over, "html")
    for line in words.lost.splitlines()[:2]:
        assert f">{line}<" in body(lost, "html")
    assert "<b>2026-01-15 12:00:00 UTC (3m 5s)</b>" in body(lost, "html")
    assert "<b>12m 30s</b>" in body(over, "html")


@each_language
def test_slack_says_everything_and_how_long_it_lasted(language: str, told: dict[str, Inbox]) -> None:
    words = WORDS[language]

    lost, over = (attachment(told[language], title) for title in (words.firing, words.over))

    assert (lost["title_link"], lost["color"], over["color"]) == (LINK, "danger", "good")
    assert lost["fallback"] == words.firing  # what a phone shows before it is opened
    assert lost["text"].strip() == words.lost
    assert over["text"].strip() == words.ended


@each_language
def test_telegram_says_everything_and_how_long_it_lasted(language: str, told: dict[str, Inbox]) -> None:
    words = WORDS[language]

    messages = told[language].of(f"/telegram/bot{BOT_TOKEN}/sendMessage")

    assert {words.lost, words.ended} <= {one["text"].strip() for one in messages}
    assert {one.get("parse_mode", "") for one in messages} == {""}


def test_webhook_carries_the_annotations_and_proves_who_sends_it(told: dict[str, Inbox]) -> None:
    messages = [one for one in told["en"].of("/webhook") if one["groupLabels"].get("session") == "sales"]

    assert [one["status"] for one in messages] == ["firing", "resolved"]
    assert [alert["annotations"] for alert in messages[0]["alerts"]] == [ANNOTATIONS]
    assert set(told["en"].of("authorization")) == {f"Bearer {WEBHOOK_TOKEN}"}


@each_language
def test_what_is_not_known_is_said_once(language: str, told: dict[str, Inbox]) -> None:
    texts = [
        one["text"] for one in told[language].of("/telegram") if "billing" in one["text"].splitlines()[0]
    ]

    assert len(texts) == 1
    assert WORDS[language].unknown in texts[0]


def test_alert_that_tells_no_duration_shows_how_long_it_fired(told: dict[str, Inbox]) -> None:
    over = attachment(told["en"], "[OVER] other – WPPConnect Server does not answer")

    assert "It lasted 45s." in over["text"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mail_is_read_and_tapped_on_a_phone(
    scheme: Literal["light", "dark"], told: dict[str, Inbox], browser: Browser
) -> None:
    words = WORDS["pt_PT"]
    lost, over = (body(mail_about(told["pt_PT"], subject), "html") for subject in (words.firing, words.over))
    phone = browser.new_page(viewport=SIZES["phone"], is_mobile=True, has_touch=True, color_scheme=scheme)
    phone.route("https://ops.example.org/**", lambda route: route.fulfill(body="the page"))

    phone.set_content(over)
    troubles = [*phone.evaluate(SIDEWAYS), *kept_out(phone)]
    phone.set_content(lost)
    troubles += [*phone.evaluate(SIDEWAYS), *kept_out(phone)]
    letters = phone.eval_on_selector_all(
        "p, td, a, b, h1",
        "found => Math.min(...found.map(one => parseFloat(getComputedStyle(one).fontSize)))",
    )
    button = phone.get_by_role("link", name=words.button)
    place = button.bounding_box()
    button.tap()
    phone.wait_for_url(LINK)
    phone.close()

    assert troubles == []
    assert letters >= 16
    assert place is not None
    assert place["height"] >= 44  # for a thumb
    assert place["y"] + place["height"] < SIZES["phone"]["height"] / 2  # seen without scrolling
