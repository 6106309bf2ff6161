"""The gateway process without HTTP: sessions, browsers, operations, events."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from simulator import pictures, responses
from simulator.browser import Browser, Profile
from simulator.pending import Pending
from simulator.responses import JsonResponse
from simulator.sessions import ARRAY_LENGTH, SessionObject, SessionTable, TokenFiles
from simulator.timeline import Timeline
from simulator.times import Times

DEVICE_NUMBER = "5511900000000@c.us"
LID_ACCOUNT = "123456789012345@lid"
"""The identity of an account that hides its telephone number."""


@dataclass(frozen=True)
class Event:
    """An event that the gateway publishes."""

    channel: Literal["webhook", "socket.io"]
    body: Any
    url: str | None = None
    """The webhook's URL; None if no webhook is configured."""


class Gateway:
    """One server process and its data on disk. Callers must call `catch_up` before they read from it."""

    def __init__(
        self,
        timeline: Timeline,
        times: Times,
        announce: Callable[[Event], None],
        *,
        secret_key: str,
        version: str = "2.10.4",
        webhook_url: str | None = None,
    ) -> None:
        self.secret_key = secret_key
        self.version = version
        self.table = SessionTable()
        self.token_files = TokenFiles()
        self.profiles: dict[str, Profile] = {}
        self._timeline = timeline
        self._times = times
        self._announce = announce
        self._webhook_url = webhook_url
        self._started_at = timeline.now

    def catch_up(self) -> None:
        """Run the timers that are due, so that a response reflects the present moment."""
        self._timeline.advance()

    @property
    def now(self) -> float:
        """The simulator's clock in seconds."""
        return self._timeline.now

    @property
    def uptime(self) -> float:
        """The seconds since the process started."""
        return self._timeline.now - self._started_at

    def start_process(self) -> None:
        """Start with empty memory, and launch every session that has a token file (section 6)."""
        self._started_at = self._timeline.now
        # The boot start calls its own URL with the raw secret in it; these characters make that a silent 404.
        if not set("/#?") & set(self.secret_key):
            self._timeline.later(self._times.boot, self.start_all)

    def stop_process(self) -> None:
        """End the process and its browsers. Token files and profiles stay."""
        for profile in self.profiles.values():
            if profile.holder is not None:
                profile.holder.end(None)
        self.table = SessionTable()
        self._timeline.clear()

    def start(self, name: str, body: dict[str, Any]) -> Pending[JsonResponse]:
        """Run start-session, which returns the previous state; with waitQrCode it may hang (H1 to H3)."""
        is_waiting = is_truthy(body.get("waitQrCode"))
        response = Pending(responses.session_state(self.table.get(name), self.version, is_waiting=is_waiting))
        self._open(name, body, response if is_waiting else None)
        return response

    def start_all(self) -> None:
        """Launch every session that has a token file, paired or not."""
        for name in self.token_files.names():
            self._open(name, {}, None)

    def status(self, name: str, body: dict[str, Any]) -> Pending[JsonResponse]:
        """Run status-session."""
        is_waiting = is_truthy(body.get("waitQrCode"))
        return Pending(responses.session_state(self.table.get(name), self.version, is_waiting=is_waiting))

    def check_connection(self, name: str) -> Pending[JsonResponse]:
        """Run check-connection-session: true even without network, late if the page is frozen (section 5)."""
        response: Pending[JsonResponse] = Pending()
        self._query_page(name).add_listener(
            lambda is_responsive: response.set(
                responses.CONNECTION_TRUE if is_responsive else responses.CONNECTION_FALSE
            )
        )
        return response

    def qr_picture(self, name: str) -> bytes | None:
        """Return the PNG of qrcode-session, even of an expired code; None if there never was one."""
        entry = self.table.get(name)
        return pictures.large_png(entry.urlcode) if entry is not None and entry.urlcode else None

    def read_device(self, name: str, found: JsonResponse) -> Pending[JsonResponse]:
        """Run a route that needs a live page: `found` if the page answers, else the 404 of section 6."""
        response: Pending[JsonResponse] = Pending()
        self._query_page(name).add_listener(
            lambda is_responsive: response.set(found if is_responsive else responses.NOT_ACTIVE)
        )
        return response

    def identity(self, name: str) -> str:
        """Return the identity of a session's account."""
        return DEVICE_NUMBER if self.profile(name).has_number else LID_ACCOUNT

    def check_number(self, name: str, phone: str) -> Pending[JsonResponse]:
        """Run check-number-status: no response while the page cannot reach WhatsApp (section 8, H7).

        Only the linked phone's number is registered. It is a contact of the page, and since 2.10 contacts are
        answered without a query to WhatsApp (section 4).
        """
        number = "".join(one for one in phone.partition("@")[0] if one.isalnum() or one == "_")
        is_own = f"{number}@c.us" == DEVICE_NUMBER
        response: Pending[JsonResponse] = Pending()

        def query_number(is_responsive: bool) -> None:
            entry = self.table.get(name)
            if entry is None or entry.page is None or not is_responsive:
                response.set(responses.NOT_ACTIVE)
            elif is_own and self._keeps_contacts:
                response.set(responses.number_status(number, exists=True))
            else:
                entry.page.query_whatsapp().add_listener(report_result)

        def report_result(is_responsive: bool) -> None:
            known = responses.number_status(number, exists=is_own)
            response.set(known if is_responsive else responses.NUMBER_CHECK_FAILED)

        self._query_page(name).add_listener(query_number)
        return response

    def close(self, name: str) -> Pending[JsonResponse]:
        """Run close-session. It forgets the session before closing it, even if that fails (section 6)."""
        entry = self.table.get(name)
        if entry is None or name == ARRAY_LENGTH:
            return Pending(responses.CLOSE_FAILED)
        if entry.status is None:
            return Pending(responses.SESSION_CLOSED)
        self.table.put(name, SessionObject())
        if entry.page is None:
            return Pending(responses.CLOSE_FAILED)
        entry.page.end()
        response: Pending[JsonResponse] = Pending()
        self._timeline.later(self._times.close, lambda: self._finish_close(name, entry, response))
        return response

    def logout(self, name: str) -> Pending[JsonResponse]:
        """Run logout-session, which is irreversible. The token file stays, the old browser lingers (T4)."""
        entry = self.table.get(name)
        response: Pending[JsonResponse] = Pending()

        def log_out(is_responsive: bool) -> None:
            if entry is None or entry.page is None or not is_responsive:
                response.set(responses.NOT_ACTIVE)
                return
            profile = entry.page.profile
            if profile.is_paired:
                profile.is_paired = False
                entry.page.schedule_logout_report(self._times.logout_browser_gone)
            self._timeline.later(self._times.logout_call, lambda: self.table.remove(name))
            self._timeline.later(
                self._times.logout_response, lambda: self._finish_logout(name, entry, response)
            )

        self._query_page(name).add_listener(log_out)
        return response

    def clear_data(self, name: str) -> None:
        """Run clear-session-data, which deletes the profile, even of a running browser (T6)."""
        profile = self.profile(name)
        profile.is_paired = False
        if profile.holder is not None:
            profile.holder.unlinked()

    def close_every_browser(self) -> None:
        """End all browsers, as restore-sessions does before unpacking, even with a wrong secret (T1)."""
        for _, entry in self.table.items():
            if entry.page is not None:
                entry.page.end()

    def emit(self, entry: SessionObject, event: str, fields: dict[str, Any]) -> None:
        """Send a webhook to the session's own URL, else to the global one."""
        body = {"event": event} | responses.with_session(entry, {}) | fields
        self._announce(Event("webhook", body, entry.webhook or self._webhook_url))

    def remove(self, name: str) -> None:
        """Remove the token file and the pairing of a closed session."""
        self.token_files.remove(name)
        self.table.remove(name)
        profile = self.profile(name)
        profile.is_paired = False

    def broadcast(self, event: str, data: Any) -> None:
        """Send an event to all socket.io clients."""
        self._announce(Event("socket.io", [event, data]))

    def profile(self, name: str) -> Profile:
        """Return the profile folder of a session, created on first use."""
        return self.profiles.setdefault(name, Profile())

    def _open(self, name: str, body: dict[str, Any], response: Pending[JsonResponse] | None) -> None:
        if name == ARRAY_LENGTH:
            return  # An array's length cannot hold an object: this name never starts (section 2).
        entry = self.table.get_or_create(name)
        if isinstance(entry.status, str) and entry.status != "CLOSED":
            return
        entry.status = "INITIALIZING"
        # An empty body reuses the saved options, any key replaces them all (section 4).
        options = body or self.token_files.read(name)
        webhook, phone = options.get("webhook"), options.get("phone")
        entry.webhook = webhook if isinstance(webhook, str) and webhook else None
        try:
            self.token_files.write(name, options)
        except OSError:
            return  # The name is too long: INITIALIZING for ever (section 2).
        entry.browser = Browser(
            self.profile(name),
            _Listener(self, name, entry, response),
            self._timeline,
            self._times,
            # A number or a list is ignored, and a QR code is shown instead (section 4).
            phone=phone if isinstance(phone, str) and phone else None,
        )

    @property
    def offers_manager_api(self) -> bool:
        """Whether this release offers the manager protocol (section 12)."""
        return self._release > (2, 10, 16)

    @property
    def _keeps_contacts(self) -> bool:
        return self._release >= (2, 10)

    @property
    def _release(self) -> tuple[int, ...]:
        return tuple(int(number) for number in re.findall(r"\d+", self.version)[:3])

    def _query_page(self, name: str) -> Pending[bool]:
        entry = self.table.get(name)
        return Pending(False) if entry is None or entry.page is None else entry.page.query_connection()

    def _finish_close(self, name: str, entry: SessionObject, response: Pending[JsonResponse]) -> None:
        self.broadcast("whatsapp-status", False)
        self.emit(entry, "closesession", {"message": f"Session: {name} disconnected", "connected": False})
        response.set(responses.SESSION_CLOSED)

    def _finish_logout(self, name: str, entry: SessionObject, response: Pending[JsonResponse]) -> None:
        self.broadcast("whatsapp-status", False)
        self.emit(entry, "logoutsession", {"message": f"Session: {name} logged out", "connected": False})
        response.set(responses.SESSION_CLOSED)


class _Listener:
    """Binds a browser to the session object it was launched for, even after the table has forgotten it."""

    def __init__(
        self, gateway: Gateway, name: str, entry: SessionObject, response: Pending[JsonResponse] | None
    ) -> None:
        self._gateway = gateway
        self._name = name
        self._entry = entry
        self._response = response

    def status_found(self, word: str) -> None:
        entry = self._entry
        if word in ("autocloseCalled", "disconnectedMobile"):
            entry.status = "CLOSED"
            if entry.page is None:
                # The server calls close() on an object without a page, and the exception suppresses the
                # webhook. So autocloseCalled never arrives, and a wrong disconnectedMobile shows CLOSED
                # (section 6).
                return
            self._gateway.table.remove(self._name)
        self._gateway.emit(entry, "status-find", {"status": word})

    def qr_shown(self, urlcode: str) -> None:
        entry = self._entry
        entry.status, entry.urlcode = "QRCODE", urlcode
        picture = pictures.base64_picture(urlcode)
        self._gateway.broadcast(
            "qrCode", responses.with_session(entry, {"data": f"data:image/png;base64,{picture}"})
        )
        self._gateway.emit(entry, "qrcode", {"qrcode": picture, "urlcode": urlcode})
        self._respond(entry, {"status": "qrcode", "qrcode": picture, "urlcode": urlcode})

    def code_shown(self, code: str) -> None:
        entry = self._entry
        entry.status = "PHONECODE"
        phone = entry.browser.phone if entry.browser is not None else None
        self._gateway.broadcast("phoneCode", responses.with_session(entry, {"data": code, "phone": phone}))
        self._gateway.emit(entry, "phoneCode", {"phoneCode": code, "phone": phone})
        self._respond(entry, {"status": "phoneCode", "phone": phone, "phoneCode": code})

    def chat_opened(self, browser: Browser) -> None:
        entry = self._entry
        entry.page, entry.name, entry.status = browser, self._name, "CONNECTED"
        self._gateway.table.put(self._name, entry)
        self._gateway.broadcast("session-logged", {"status": True, "session": self._name})

    def launch_failed(self, *, by_timeout: bool) -> None:
        if by_timeout:
            self._gateway.table.get_or_create(self._name).status = "CLOSED"

    def _respond(self, entry: SessionObject, body: dict[str, Any]) -> None:
        if self._response is not None:
            self._response.set((200, responses.with_session(entry, body)))


def is_truthy(value: Any) -> bool:
    """Return whether the value is truthy in JavaScript: also "false" and empty lists (section 4)."""
    return not (
        value is None or value is False or value == "" or (isinstance(value, int | float) and not value)
    )
