from __future__ import annotations

import pytest

from core.gateways.protocol import OTHER_EVENT, Event
from core.gateways.wppconnect.contract.events import EventKind, kind_at_beginning, parse_event


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (
            b'{"event":"status-find","status":"inChat","session":"sales"}',
            Event(EventKind.STATUS_FIND, "sales"),
        ),
        (b'{"session":"sales","event":"qrcode"}', Event(EventKind.QRCODE, "sales")),
        (b'{"event":"phoneCode","session":""}', Event(EventKind.PHONE_CODE)),
        (b'{"event":"closesession","session":7}', Event(EventKind.CLOSE_SESSION)),
        (b'{"event":"logoutsession"}', Event(EventKind.LOGOUT_SESSION)),
        (b'{"event":"onmessage","session":"sales"}', Event(OTHER_EVENT, "sales")),
        (b'{"event":"OTHER","session":"sales"}', Event(OTHER_EVENT, "sales")),
    ],
)
def test_event_is_its_kind_and_its_session(body, event):
    assert parse_event(body) == event


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"status-find"',
        b'{"event":7}',
        b'{"session":"sales"}',
        b"\xff\xfe",
        b"[" * 99_999,
    ],
    ids=["empty", "cut", "list", "number", "text", "kind no text", "no kind", "no UTF-8", "nested"],
)
def test_what_is_no_event_is_refused(body):
    with pytest.raises(ValueError, match=r"\w"):
        parse_event(body)


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b'{"event":"onmessage","body":"', OTHER_EVENT),
        (b' {\n "event" : "status-find"', EventKind.STATUS_FIND),
        (b'{"event":"status-fi', None),
        (b'{"session":"sales","event":"onmessage"', None),
        (b"", None),
    ],
)
def test_kind_shows_in_the_first_bytes(beginning, kind):
    assert kind_at_beginning(beginning) == kind
