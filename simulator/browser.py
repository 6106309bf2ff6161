"""A browser with a WhatsApp page, from launch to exit. Independent of sessions and HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol

from simulator.pending import Pending
from simulator.pictures import new_pairing_code, new_urlcode
from simulator.timeline import Timeline, Timer
from simulator.times import Times

_MAX_CODE_RENEWALS = 5


class Phase(StrEnum):
    """The state of a browser in its life cycle."""

    LAUNCHING = "launching"
    WAITING = "waiting"
    SYNCING = "syncing"
    RESUMING = "resuming"
    IN_CHAT = "in_chat"
    GONE = "gone"


class Launch(StrEnum):
    """How a launch ends."""

    WORKS = "works"
    FAILS = "fails"
    TIMES_OUT = "times_out"


@dataclass(eq=False)
class Profile:
    """The profile folder of one session: the pairing, and the lock that only one browser holds at a time."""

    is_paired: bool = False
    holder: "Browser | None" = None
    has_network: bool = True
    fails_to_sync: bool = False
    """Whether the link fails after the phone accepted the code."""
    asks_for_passkey: bool = False
    """Whether linking stops after the code was used, without an event to the server or another code."""
    rotates_silently: bool = False
    """Whether a pairing code is replaced without an event to the server (wppconnect #2836)."""
    is_spurious: bool = False
    """Whether a first pairing reports a wrong disconnectedMobile (section 6)."""
    has_number: bool = True
    """Whether the account has a telephone number in the gateway's responses."""
    launch: Launch = Launch.WORKS
    browsers_started: int = 0


class BrowserListener(Protocol):
    """Events that the driver library reports to the server."""

    def status_found(self, word: str) -> None:
        """Handle a `status-find` word."""

    def qr_shown(self, urlcode: str) -> None:
        """Handle a new QR code on the page."""

    def code_shown(self, code: str) -> None:
        """Handle a new pairing code on the page."""

    def chat_opened(self, browser: "Browser") -> None:
        """Handle the connection of the session."""

    def launch_failed(self, *, by_timeout: bool) -> None:
        """Handle a failed launch: there will be no page."""


class Browser:
    """One browser process. Reports its events to `listener` until it has ended."""

    def __init__(
        self,
        profile: Profile,
        listener: BrowserListener,
        timeline: Timeline,
        times: Times,
        *,
        phone: str | None = None,
    ) -> None:
        self.profile = profile
        self.phase = Phase.LAUNCHING
        self.urlcode: str | None = None
        self.pairing_code: str | None = None
        self.is_frozen = False
        self.is_crashed = False
        self._listener = listener
        self._timeline = timeline
        self._times = times
        self.phone = phone
        self._timers: list[Timer] = []
        self._renewals = 0
        self._is_code_used = False
        self._queries: list[Pending[bool]] = []
        self._unsent_queries: list[Pending[bool]] = []
        """Queries to send to WhatsApp once the page reaches it again."""
        profile.browsers_started += 1
        # Two browsers cannot share a profile: the second fails, and not by timeout (trap T4, section 6).
        is_busy = profile.launch is Launch.WORKS and profile.holder is not None
        match Launch.FAILS if is_busy else profile.launch:
            case Launch.WORKS:
                profile.holder = self
                self._later(times.browser_start, self._page_loaded)
            case Launch.FAILS:
                self._later(times.browser_start, lambda: self._fail_launch(by_timeout=False))
            case Launch.TIMES_OUT:
                self._later(times.launch_timeout, lambda: self._fail_launch(by_timeout=True))

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.phase is not Phase.GONE

    @property
    def is_page_responsive(self) -> bool:
        """Whether the page would answer a query now, which does not depend on the network (section 5)."""
        return self.is_alive and not self.is_crashed and not self.is_frozen

    def accept(self) -> None:
        """Start the synchronisation after the user scanned the QR code or typed the pairing code."""
        if self.profile.asks_for_passkey:
            self._is_code_used = True
            return
        self._cancel_timers()
        self.phase = Phase.SYNCING
        self.profile.is_paired = True
        self._listener.status_found("qrReadSuccess")
        self._later(self._times.sync_limit, self._sync_failed)
        fails = self.profile.fails_to_sync
        self._later(self._times.sync, self._sync_failed if fails else self._chat_opened)

    def query_connection(self) -> Pending[bool]:
        """Query whether the page is connected; of a frozen page the result stays pending (H6)."""
        if not (self.is_alive and self.is_frozen and not self.is_crashed):
            return Pending(self.is_page_responsive)
        query: Pending[bool] = Pending()
        self._queries.append(query)
        self._timeline.later(self._times.frozen_pend, lambda: query.set(False))
        return query

    def query_whatsapp(self) -> Pending[bool]:
        """Query WhatsApp's servers through the page; False if the page is gone.

        Without network the query stays pending until the network returns, without an event or a timeout.
        """
        query: Pending[bool] = Pending()
        if not self.is_alive or self.is_crashed:
            return Pending(False)
        self._unsent_queries.append(query)
        self._send_queries()
        return query

    def freeze(self) -> None:
        """Stop the page from answering, without an event to the server."""
        self.is_frozen = True

    def unfreeze(self) -> None:
        """Let the page answer again, including pending queries."""
        self.is_frozen = False
        self._resolve_queries()
        self.resume()

    def crash(self) -> None:
        """Crash the page while the process lives on, without an event to the server."""
        self.is_crashed = True
        self._resolve_queries()

    def open_chat_now(self) -> None:
        """Connect at once, without launch and synchronisation."""
        self.profile.is_paired = True
        self._listener.status_found("isLogged")
        self._chat_opened()

    def resume(self) -> None:
        """Continue after a lost network or a freeze."""
        self._send_queries()
        if self.phase is Phase.SYNCING:
            self._later(self._times.sync, self._chat_opened)
        elif self.phase is Phase.RESUMING:
            self._later(self._times.resume, self._chat_opened)
        elif self.phase is Phase.IN_CHAT and not self.profile.is_paired:
            self.unlinked()

    def unlinked(self) -> None:
        """Handle the removal of the device on the phone. The page notices it a moment later, if it can."""
        self._later(self._times.unlink, self._notice_unlink)

    def schedule_logout_report(self, seconds: float) -> None:
        """Report the logout and end the browser after a delay (section 7, 1 to 2 s after the response)."""
        self._later(seconds, self._report_logout)

    def end(self, word: str | None = "browserClose") -> None:
        """End the process. `word` is what the driver reports; None if the driver has ended, too."""
        if not self.is_alive:
            return
        self._cancel_timers()
        self.phase = Phase.GONE
        self.urlcode = self.pairing_code = None
        if self.profile.holder is self:
            self.profile.holder = None
        self._resolve_queries()
        for query in self._unsent_queries:
            query.set(False)
        self._unsent_queries.clear()
        if word is not None:
            self._listener.status_found(word)

    def _page_loaded(self) -> None:
        if self.profile.is_paired:
            self.phase = Phase.RESUMING
            self._listener.status_found("isLogged")
            self._later(self._times.resume, self._chat_opened)
            return
        self.phase = Phase.WAITING
        self._listener.status_found("notLogged")
        # Set before the first code, so that it runs first of two timers due together: 60 s give one code.
        self._later(self._times.auto_close, self._auto_close)
        if self.profile.is_spurious:
            self._later(self._times.spurious_disconnect, self._report_spurious_disconnect)
        self._renew_code() if self.phone is not None else self._renew_qr()

    def _renew_qr(self) -> None:
        is_first = self.urlcode is None
        if self.is_page_responsive and self.profile.has_network and not self._is_code_used:
            self.urlcode = new_urlcode()
            self._listener.qr_shown(self.urlcode)
        self._later(self._times.qr_first if is_first else self._times.qr_next, self._renew_qr)

    def _renew_code(self) -> None:
        if self._renewals > _MAX_CODE_RENEWALS:
            return
        self._renewals += 1
        if self.is_page_responsive and self.profile.has_network and not self._is_code_used:
            self.pairing_code = new_pairing_code()
            if self._renewals == 1 or not self.profile.rotates_silently:
                self._listener.code_shown(self.pairing_code)
        self._later(self._times.code_life, self._renew_code)

    def _report_spurious_disconnect(self) -> None:
        self._listener.status_found("disconnectedMobile")

    def _auto_close(self) -> None:
        had_qr = self.urlcode is not None
        self._listener.status_found("autocloseCalled")
        self.end()
        if had_qr:
            self._listener.status_found("qrReadError")

    def _sync_failed(self) -> None:
        if self.profile.fails_to_sync:
            # The phone drops the incomplete link. After a lost network it keeps the link, as recorded.
            self.profile.is_paired = False
        self._listener.status_found("phoneNotConnected")
        self._listener.status_found("autocloseCalled")
        self.end()

    def _chat_opened(self) -> None:
        if not (self.is_page_responsive and self.profile.has_network):
            return
        self._cancel_timers()
        self.phase = Phase.IN_CHAT
        self.urlcode = self.pairing_code = None
        self._listener.status_found("inChat")
        self._listener.chat_opened(self)

    def _notice_unlink(self) -> None:
        if self.is_page_responsive and self.profile.has_network and not self.profile.is_paired:
            self._report_logout()

    def _report_logout(self) -> None:
        self._listener.status_found("disconnectedMobile")
        self.end()

    def _fail_launch(self, *, by_timeout: bool) -> None:
        self._cancel_timers()
        self.phase = Phase.GONE
        self._listener.launch_failed(by_timeout=by_timeout)

    def _send_queries(self) -> None:
        if not (self.is_page_responsive and self.profile.has_network):
            return
        sent, self._unsent_queries = self._unsent_queries, []
        for query in sent:
            self._timeline.later(self._times.whatsapp, partial(query.set, True))

    def _resolve_queries(self) -> None:
        for query in self._queries:
            query.set(self.is_page_responsive)
        self._queries.clear()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers.append(self._timeline.later(seconds, action))

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
