"""Silences of one session in a real Alertmanager."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import bcrypt
import pytest
from pydantic import SecretStr

from core.alertmanager.api import Alertmanager
from core.exceptions import AlertmanagerError
from core.settings.values import AlertmanagerSettings
from tests.plugins.system_tools import require
from tests.support.alertmanager import Inbox, alertmanager, web_receiver
from tests.support.waiting import until

require("prometheus-alertmanager")

PASSWORD = "p@ss/word"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


@pytest.fixture(scope="module")
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, inbox: Inbox) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("alertmanager")
    with (
        web_receiver(inbox) as web,
        alertmanager(folder, receiver="slack", web_port=web, password_hash=HASH) as address,
    ):
        yield address


@pytest.fixture
def asked(url: str) -> Iterator[Alertmanager]:
    settings = AlertmanagerSettings(url=SecretStr(url.replace("://", "://ops:p%40ss%2Fword@")))
    with closing(Alertmanager(settings)) as running:
        yield running


def silence(asked: Alertmanager, session: str) -> str:
    now = datetime.now(UTC)
    return asked.silence(
        "main", session, author="ana", comment="new SIM card", since=now, until=now + timedelta(hours=1)
    )


def test_a_silence_is_listed_with_who_why_and_until_when_and_can_be_ended(asked: Alertmanager) -> None:
    name = silence(asked, "sales")

    (found,) = [one for one in asked.silences() if one.covers("main", "sales")]
    asked.expire(name)
    asked.expire(name)

    assert (found.id, found.author, found.comment) == (name, "ana", "new SIM card")
    assert timedelta(minutes=59) < found.until - datetime.now(UTC) <= timedelta(hours=1)
    assert not found.covers("main", "support")
    assert not [one for one in asked.silences() if one.covers("main", "sales")]


def test_a_silenced_session_pages_nobody_and_others_do(
    asked: Alertmanager, url: str, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence(asked, "quiet")

    for session in ("quiet", "loud"):
        labels = {"alertname": "WppconnectSessionDisconnected", "severity": "critical", "server": "main"}
        asked.post({"labels": labels | {"session": session}, "annotations": {"summary": f"lost {session}"}})

    until(lambda: any("loud" in str(one) for one in inbox.of("/slack")), what="the other session's page")
    routed = asked.find("session", "quiet")
    assert routed is not None
    assert routed.is_suppressed
    assert not any("quiet" in str(one) for one in inbox.of("/slack"))


def test_without_the_password_it_says_that_it_was_refused(url: str) -> None:
    with (
        closing(Alertmanager(AlertmanagerSettings(url=SecretStr(url)))) as stranger,
        pytest.raises(AlertmanagerError, match=r"refused the request \(401\)") as raised,
    ):
        stranger.silences()

    assert raised.value.code == "refused"
