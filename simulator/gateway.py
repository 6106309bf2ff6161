"""The gateway process without its HTTP: sessions, browsers, operations, events."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from simulator import answers, pictures
from simulator.answers import Answer
from simulator.browser import Browser, Profile
from simulator.pending import Pending
from simulator.sessions import ARRAY_LENGTH, SessionObject, SessionTable, TokenFiles
from simulator.timeline import Timeline
from simulator.times import Times

DEVICE_NUMBER = "5511900000000@c.us"
LID_ACCOUNT = "123456789012345@lid"
"""What an account is called that hides its telephone number."""


@dataclass(frozen=True)
class Event:
    """Something the gateway tells the world."""

    channel: Literal["webhook", "socket.io"]
    body: Any
    url: str | None = None
    """Where the webhook goes; None when no webhook is configured."""


class Gateway:
    """One server process and what its disk keeps. Callers `catch_up` before they ask."""

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

    # The process

    def catch_up(self) -> None:
        """Let everything happen that is due, so that an answer is of this moment."""
        self._timeline.advance()

    @property
    def now(self) -> float:
        """Seconds on the simulator's clock."""
        return self._timeline.now

    @property
    def uptime(self) -> float:
        """Seconds since the process started."""
        return self._timeline.now - self._started_at

    def start_process(self) -> None:
        """Start anew: memory is empty, and every session that has a token file is launched (section 6)."""
        self._started_at = self._timeline.now
        # The boot start calls its own URL with the raw secret in it, gets 404 for these and stays quiet.
        if not set("/#?") & set(self.secret_key):
            self._timeline.later(self._times.boot, self.start_all)

    def stop_process(self) -> None:
        """End the process and its browsers; token files and profiles stay."""
        for profile in self.profiles.values():
            if profile.holder is not None:
                profile.holder.end(None)
        self.table = SessionTable()
        self._timeline.clear()

    # Operations

    def start(self, name: str, body: dict[str, Any]) -> Pending[Answer]:
        """start-session: the answer tells the state before; with waitQrCode it may never come (H1 to H3)."""
        is_waiting = is_truthy(body.get("waitQrCode"))
        reply = Pending(answers.session_state(self.table.get(name), self.version, is_waiting=is_waiting))
        self._open(name, body, reply if is_waiting else None)
        return reply

    def start_all(self) -> None:
        """Launch every session that has a token file, paired or not."""
        for name in self.token_files.names():
            self._open(name, {}, None)

    def status(self, name: str, body: dict[str, Any]) -> Pending[Answer]:
        """status-session."""
        is_waiting = is_truthy(body.get("waitQrCode"))
        return Pending(answers.session_state(self.table.get(name), self.version, is_waiting=is_waiting))

    def check_connection(self, name: str) -> Pending[Answer]:
        """check-connection-session: true also without network, late when frozen (section 5)."""
        reply: Pending[Answer] = Pending()
        self._ask_page(name).when_given(
            lambda answered: reply.give(answers.CONNECTION_TRUE if answered else answers.CONNECTION_FALSE)
        )
        return reply

    def qr_picture(self, name: str) -> bytes | None:
        """The PNG of qrcode-session, also of a dead code; None when there never was one."""
        entry = self.table.get(name)
        return pictures.large_png(entry.urlcode) if entry is not None and entry.urlcode else None

    def read_device(self, name: str, found: Answer) -> Pending[Answer]:
        """Any route that needs a live page: `found` when the page answers, else the 404 of section 6."""
        reply: Pending[Answer] = Pending()
        self._ask_page(name).when_given(
            lambda answered: reply.give(found if answered else answers.NOT_ACTIVE)
        )
        return reply

    def identity(self, name: str) -> str:
        """What the gateway calls the account of a session."""
        return DEVICE_NUMBER if self.profile(name).has_number else LID_ACCOUNT

    def check_number(self, name: str, phone: str) -> Pending[Answer]:
        """check-number-status: no answer while the page cannot reach WhatsApp (section 8, H7).

        Nobody but the linked phone is registered here. The page knows its own number as a contact, and since
        2.10 tells about contacts without asking anybody (section 4).
        """
        number = "".join(one for one in phone.partition("@")[0] if one.isalnum() or one == "_")
        is_own = f"{number}@c.us" == DEVICE_NUMBER
        reply: Pending[Answer] = Pending()

        def ask(answered: bool) -> None:
            entry = self.table.get(name)
            if entry is None or entry.page is None or not answered:
                reply.give(answers.NOT_ACTIVE)
            elif is_own and self._keeps_contacts:
                reply.give(answers.number_status(number, exists=True))
            else:
                entry.page.ask_whatsapp().when_given(tell)

        def tell(answered: bool) -> None:
            known = answers.number_status(number, exists=is_own)
            reply.give(known if answered else answers.NUMBER_CHECK_FAILED)

        self._ask_page(name).when_given(ask)
        return reply

    def close(self, name: str) -> Pending[Answer]:
        """close-session: forgets first and closes then, so a failure forgets too (section 6)."""
        entry = self.table.get(name)
        if entry is None or name == ARRAY_LENGTH:
            return Pending(answers.CLOSE_FAILED)
        if entry.status is None:
            return Pending(answers.SESSION_CLOSED)
        self.table.put(name, SessionObject())
        if entry.page is None:
            return Pending(answers.CLOSE_FAILED)
        entry.page.end()
        reply: Pending[Answer] = Pending()
        self._timeline.later(self._times.close, lambda: self._closed(name, entry, reply))
        return reply

    def logout(self, name: str) -> Pending[Answer]:
        """logout-session: irreversible; the token file stays, the old browser lingers (T4)."""
        entry = self.table.get(name)
        reply: Pending[Answer] = Pending()

        def go_on(answered: bool) -> None:
            if entry is None or entry.page is None or not answered:
                reply.give(answers.NOT_ACTIVE)
                return
            profile = entry.page.profile
            if profile.is_paired:
                profile.is_paired = False
                entry.page.say_farewell_in(self._times.logout_browser_gone)
            self._timeline.later(self._times.logout_call, lambda: self.table.forget(name))
            self._timeline.later(self._times.logout_answer, lambda: self._logged_out(name, entry, reply))

        self._ask_page(name).when_given(go_on)
        return reply

    def clear_data(self, name: str) -> None:
        """clear-session-data: deletes the profile, also under a running browser (T6), which notices."""
        profile = self.profile(name)
        profile.is_paired = False
        if profile.holder is not None:
            profile.holder.unlinked()

    def close_every_browser(self) -> None:
        """What restore-sessions does before it unpacks, whatever the secret (T1)."""
        for _, entry in self.table.items():
            if entry.page is not None:
                entry.page.end()

    def emit(self, entry: SessionObject, event: str, fields: dict[str, Any]) -> None:
        """Send a webhook to the session's own URL or to the global one."""
        body = {"event": event} | answers.with_session(entry, {}) | fields
        self._announce(Event("webhook", body, entry.webhook or self._webhook_url))

    def remove(self, name: str) -> None:
        """Remove what is kept of a closed session: its token file and its profile."""
        self.token_files.remove(name)
        self.table.forget(name)
        profile = self.profile(name)
        profile.is_paired = False

    def broadcast(self, event: str, data: Any) -> None:
        """Tell every socket.io client."""
        self._announce(Event("socket.io", [event, data]))

    def profile(self, name: str) -> Profile:
        """The profile folder of a session, made when first used."""
        return self.profiles.setdefault(name, Profile())

    def _open(self, name: str, body: dict[str, Any], reply: Pending[Answer] | None) -> None:
        if name == ARRAY_LENGTH:
            return  # The length of an array cannot become an object: this name can never start (section 2).
        entry = self.table.obtain(name)
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
            return  # Too long a name: INITIALIZING for ever (section 2).
        entry.browser = Browser(
            self.profile(name),
            _Listener(self, name, entry, reply),
            self._timeline,
            self._times,
            # A number or a list is not looked at, and a QR code comes instead (section 4).
            phone=phone if isinstance(phone, str) and phone else None,
        )

    @property
    def speaks_manager(self) -> bool:
        """Whether this release offers the manager protocol (section 12)."""
        return self._release > (2, 10, 16)

    @property
    def _keeps_contacts(self) -> bool:
        return self._release >= (2, 10)

    @property
    def _release(self) -> tuple[int, ...]:
        return tuple(int(number) for number in re.findall(r"\d+", self.version)[:3])

    def _ask_page(self, name: str) -> Pending[bool]:
        entry = self.table.get(name)
        return Pending(False) if entry is None or entry.page is None else entry.page.ask()

    def _closed(self, name: str, entry: SessionObject, reply: Pending[Answer]) -> None:
        self.broadcast("whatsapp-status", False)
        self.emit(entry, "closesession", {"message": f"Session: {name} disconnected", "connected": False})
        reply.give(answers.SESSION_CLOSED)

    def _logged_out(self, name: str, entry: SessionObject, reply: Pending[Answer]) -> None:
        self.broadcast("whatsapp-status", False)
        self.emit(entry, "logoutsession", {"message": f"Session: {name} logged out", "connected": False})
        reply.give(answers.SESSION_CLOSED)


class _Listener:
    """Ties a browser to the session object it was launched for, also after the table forgot that object."""

    def __init__(
        self, gateway: Gateway, name: str, entry: SessionObject, reply: Pending[Answer] | None
    ) -> None:
        self._gateway = gateway
        self._name = name
        self._entry = entry
        self._reply = reply

    def status_found(self, word: str) -> None:
        entry = self._entry
        if word in ("autocloseCalled", "disconnectedMobile"):
            entry.status = "CLOSED"
            if entry.page is None:
                # The server calls close() on an object that has none yet; the exception swallows the webhook.
                # Hence autocloseCalled never arrives and a wrong disconnectedMobile shows CLOSED (section 6).
                return
            self._gateway.table.forget(self._name)
        self._gateway.emit(entry, "status-find", {"status": word})

    def qr_shown(self, urlcode: str) -> None:
        entry = self._entry
        entry.status, entry.urlcode = "QRCODE", urlcode
        picture = pictures.base64_picture(urlcode)
        self._gateway.broadcast(
            "qrCode", answers.with_session(entry, {"data": f"data:image/png;base64,{picture}"})
        )
        self._gateway.emit(entry, "qrcode", {"qrcode": picture, "urlcode": urlcode})
        self._answer(entry, {"status": "qrcode", "qrcode": picture, "urlcode": urlcode})

    def code_shown(self, code: str) -> None:
        entry = self._entry
        entry.status = "PHONECODE"
        phone = entry.browser.phone if entry.browser is not None else None
        self._gateway.broadcast("phoneCode", answers.with_session(entry, {"data": code, "phone": phone}))
        self._gateway.emit(entry, "phoneCode", {"phoneCode": code, "phone": phone})
        self._answer(entry, {"status": "phoneCode", "phone": phone, "phoneCode": code})

    def chat_opened(self, browser: Browser) -> None:
        entry = self._entry
        entry.page, entry.name, entry.status = browser, self._name, "CONNECTED"
        self._gateway.table.put(self._name, entry)
        self._gateway.broadcast("session-logged", {"status": True, "session": self._name})

    def launch_failed(self, *, by_timeout: bool) -> None:
        if by_timeout:
            self._gateway.table.obtain(self._name).status = "CLOSED"

    def _answer(self, entry: SessionObject, body: dict[str, Any]) -> None:
        if self._reply is not None:
            self._reply.give((200, answers.with_session(entry, body)))


def is_truthy(value: Any) -> bool:
    """JavaScript's truth: the string "false" and empty lists are true (section 4)."""
    return not (
        value is None or value is False or value == "" or (isinstance(value, int | float) and not value)
    )
