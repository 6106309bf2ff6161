"""A second kind of gateway in memory, with the shape of Evolution API v2.

One key for everything, the states of all in one call, no second proof, no close; QR and pairing code come in
the answer of connect.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.exceptions import ConnectError, NotOfferedError, SecretKeyRejectedError
from core.gateways.protocol import (
    OTHER_EVENT,
    AuthCounts,
    Capability,
    EndToEndResult,
    Event,
    EventFormat,
    GatewayKind,
    Health,
    LinkedAccount,
    Overview,
    Run,
    SessionStatus,
    SessionTimes,
)
from core.models import SessionState, Verdict
from core.operation_status import Step

CAPABILITIES = frozenset({Capability.ALL_STATES, Capability.PAIRING_CODE, Capability.REMOVE})
DEFAULT_KEY = "429683C4C977415CAAFCCE10F7D57E11"
STATES = {
    "close": SessionState.CLOSED,
    "connecting": SessionState.QRCODE,
    "open": SessionState.CONNECTED,
}


@dataclass
class Instance:
    """What the server keeps of a session."""

    word: str = "close"
    code: str | None = None
    owner: str | None = None


class EvolutionServer:
    """The server: its routes as methods, each of which wants the key."""

    def __init__(self, *names: str, key: str = "one-key-for-everything-of-it") -> None:
        self.key = key
        self.instances = {name: Instance() for name in names}
        self.is_down = False
        self.makes_pairing_codes = True
        self.calls: Counter[str] = Counter()
        self._lock = threading.RLock()

    def fetch_instances(self, key: str) -> dict[str, Instance]:
        """GET /instance/fetchInstances."""
        self._enter("fetchInstances", key)
        return dict(self.instances)

    def connect(self, key: str, name: str, number: str | None = None) -> dict[str, str]:
        """GET /instance/connect/{name}: QR and, with a number, pairing code in one answer."""
        self._enter("connect", key)
        with self._lock:
            one = self.instances.setdefault(name, Instance())
            if one.word == "open":
                return {"state": "open"}
            one.word, one.code = "connecting", one.code or f"2@code-of-{name}"
            return {"code": one.code} | ({"pairingCode": "WZYEH1YY"} if number else {})

    def restart(self, key: str, name: str) -> None:
        """POST /instance/restart/{name}."""
        self._enter("restart", key)

    def logout(self, key: str, name: str) -> None:
        """DELETE /instance/logout/{name}."""
        self._enter("logout", key)
        self.instances[name] = Instance()

    def delete(self, key: str, name: str) -> None:
        """DELETE /instance/delete/{name}."""
        self._enter("delete", key)
        self.instances.pop(name, None)

    def scan(self, name: str) -> None:
        """Link a phone."""
        self.instances[name] = Instance("open", owner="5511900000000@s.whatsapp.net")

    def _enter(self, route: str, key: str) -> None:
        self.calls[route] += 1
        if self.is_down:
            raise ConnectError("refused", operation=route)
        if key != self.key:
            raise SecretKeyRejectedError("Unauthorized", status_code=401, operation=route)


SERVERS: dict[str, EvolutionServer] = {}
"""By address, as on a network."""


class EvolutionGateway:
    """The server as a `Gateway`."""

    def __init__(self, url: str, key: str) -> None:
        self._server, self._key = SERVERS[url], key

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Return what the server offers."""
        return CAPABILITIES - (set() if self._server.makes_pairing_codes else {Capability.PAIRING_CODE})

    def read_health(self) -> Health:
        """Ask for the version, which needs no key; there is no uptime."""
        self._server._enter("/", self._server.key)
        return Health(uptime_seconds=None)

    def read_version(self) -> str | None:
        """Return the release."""
        return "2.3.6"

    def read_overview(self) -> Overview:
        """Return the states of all instances."""
        found = self._server.fetch_instances(self._key)
        return Overview(self.read_version(), {name: STATES[one.word] for name, one in found.items()})

    def list_sessions(self) -> tuple[str, ...] | None:
        """Return the names of all instances."""
        return tuple(self._server.fetch_instances(self._key))

    def check_secret(self) -> bool:
        """Return whether the key is accepted."""
        return self._accepts(self._key)

    def accepts_default_secret(self) -> bool:
        """Return whether the key of the example settings is accepted."""
        return self._accepts(DEFAULT_KEY)

    def forget(self) -> None:
        """Nothing was detected."""

    def shortest_interval_seconds(self, sessions: Collection[str], *, are_listed: bool) -> float:
        """Return 0: a key costs nothing to check."""
        del sessions, are_listed
        return 0.0

    def auth_counts(self, session: str) -> AuthCounts:
        """Return nothing: no session has credentials of its own."""
        del session
        return AuthCounts()

    def read_status(self, session: str) -> SessionStatus:
        """Return the state; while an instance connects, its QR code is in the answer of connect."""
        one = self._server.fetch_instances(self._key).get(session, Instance())
        code = self._server.connect(self._key, session).get("code") if one.word == "connecting" else None
        return SessionStatus(STATES[one.word], code, version=self.read_version())

    def check_connection(self, session: str, *, timeout_seconds: float | None = None) -> bool:
        """There is no second proof."""
        raise NotOfferedError("no such route", status_code=404, session=session)

    def read_account(self, session: str) -> LinkedAccount:
        """Return the owner."""
        owner = self._server.fetch_instances(self._key)[session].owner or ""
        return LinkedAccount(owner.partition("@")[0] or None, None)

    def check_whatsapp(self, session: str) -> EndToEndResult:
        """Offer no such lookup."""
        del session
        return EndToEndResult.NOT_OFFERED

    def start(self, run: Run) -> str:
        """Connect; without a pairing this makes a QR code."""
        return self._connect(run, shows_code=False)

    def restart(self, run: Run) -> str:
        """Restart the instance."""
        run.step(Step.STARTING)
        self._server.restart(self._key, run.session)
        run.acted()
        return self._connect(run, shows_code=False)

    def pair(self, run: Run, *, wipe_webhook: bool) -> str:
        """Connect, and wait for a phone."""
        del wipe_webhook  # Connecting does not touch the webhook.
        return self._connect(run, shows_code=True)

    def pair_by_code(self, run: Run, phone: str, *, wipe_webhook: bool) -> str:
        """Connect with a number, and wait until its code is entered."""
        del wipe_webhook
        code = self._server.connect(self._key, run.session, phone)["pairingCode"]
        run.acted()
        run.show_code(code, until=run.now() + timedelta(seconds=60))
        try:
            return self._follow(run)
        finally:
            run.show_code(None)

    def heal(self, run: Run, *, is_closed: bool) -> str:
        """Restart the instance."""
        del is_closed
        return self.restart(run)

    def stop(self, run: Run) -> str:
        """There is no close but an unlink."""
        raise NotOfferedError("no such route", status_code=404, session=run.session)

    def unlink(self, run: Run) -> str:
        """Log the instance out."""
        run.step(Step.LOGGING_OUT)
        self._server.logout(self._key, run.session)
        run.remember(logged_out_at=run.now())
        run.acted()
        return "logged_out"

    def remove(self, run: Run) -> str:
        """Delete the instance."""
        self._server.delete(self._key, run.session)
        return "removed"

    def close(self) -> None:
        """Hold no connection."""

    def _connect(self, run: Run, *, shows_code: bool) -> str:
        if run.look().verdict is Verdict.CONNECTED:
            return "already_connected"
        run.step(Step.WAITING_FOR_SCAN if shows_code else Step.STARTING)
        self._server.connect(self._key, run.session)
        run.acted()
        return self._follow(run, shows_code=shows_code)

    def _follow(self, run: Run, *, shows_code: bool = True) -> str:
        while (seen := run.look()).verdict is not Verdict.CONNECTED:
            if not shows_code:
                return "needs_pairing"
            run.await_change(seen, until=run.now() + timedelta(seconds=5))
        return "connected"

    def _accepts(self, key: str) -> bool:
        try:
            self._server.fetch_instances(key)
        except SecretKeyRejectedError:
            return False
        return True


def open_gateway(server: Any, **_parts: object) -> EvolutionGateway:
    """Return a gateway by its settings; it needs nothing but address and key."""
    return EvolutionGateway(server.url, server.secret_key.get_secret_value() if server.secret_key else "")


EVENTS = ("connection.update", "qrcode.updated")


def kind_at_beginning(beginning: bytes) -> str | None:
    """Return an event's kind: it is the body's first value."""
    word = beginning.decode(errors="replace").partition('"event":')[2].split('"')
    return None if len(word) < 3 else word[1] if word[1] in EVENTS else OTHER_EVENT


def parse_event(body: bytes) -> Event:
    """Parse an event, which calls the session an instance."""
    found = json.loads(body)
    kind = found["event"]
    return Event(kind if kind in EVENTS else OTHER_EVENT, found.get("instance"))


KIND = GatewayKind(
    name="evolution",
    title="Evolution API",
    open=open_gateway,
    capabilities=CAPABILITIES,
    default_secret=DEFAULT_KEY,
    events=EventFormat(EVENTS, kind_at_beginning, parse_event),
    session_times=SessionTimes(first_qr=timedelta(seconds=45), next_qr=timedelta(seconds=45)),
)
