"""Actions of a person on the phone and events of its browser, for the phone page and for tests."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from simulator.browser import Browser, Launch, Phase, Profile
from simulator.gateway import DEVICE_NUMBER, Gateway


class RefusedError(Exception):
    """The action is not possible now; the message is the reason, for the user."""


class Phones:
    """Every session's phone and browser, by session name."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.actions: dict[str, Callable[[str], None]] = {
            "scan": self.scan,
            "unlink": self.unlink,
            "lose-network": self.lose_network,
            "restore-network": self.restore_network,
            "freeze": self.freeze,
            "unfreeze": self.unfreeze,
            "crash": self.crash,
            "kill-browser": self.kill_browser,
            "pair": self.pair,
            "link": self.link,
            "create": self.create,
            "message": self.message,
        }

    def names(self) -> list[str]:
        """Return all sessions with a token file, a profile or an entry in memory."""
        started = (name for name, _ in self._gateway.table.items())
        return sorted({*self._gateway.token_files.names(), *self._gateway.profiles, *started})

    def scan(self, name: str, urlcode: str | None = None) -> None:
        """Scan the QR code on the page, or the one of `urlcode`, which may have expired."""
        browser = self._waiting_browser(name)
        if browser.urlcode is None:
            raise RefusedError("There is no QR code on the page.")
        if urlcode is not None and urlcode != browser.urlcode:
            raise RefusedError("This QR code is no longer valid. Scan the current one.")
        browser.accept()

    def enter_code(self, name: str, code: str) -> None:
        """Type the pairing code."""
        browser = self._waiting_browser(name)
        if browser.pairing_code is None:
            raise RefusedError("The page does not wait for a pairing code.")
        if code.replace("-", "").strip().upper() != browser.pairing_code:
            raise RefusedError("This is not the code that the page shows.")
        browser.accept()

    def unlink(self, name: str) -> None:
        """Remove the linked device on the phone."""
        profile = self._gateway.profile(name)
        if not profile.is_paired:
            raise RefusedError("This phone is not linked.")
        profile.is_paired = False
        if profile.holder is not None:
            profile.holder.unlinked()

    def lose_network(self, name: str) -> None:
        """Cut the page's connection to WhatsApp; the gateway does not notice."""
        self._gateway.profile(name).has_network = False

    def restore_network(self, name: str) -> None:
        """Connect the page to WhatsApp again."""
        profile = self._gateway.profile(name)
        profile.has_network = True
        if profile.holder is not None:
            profile.holder.resume()

    def freeze(self, name: str) -> None:
        """Freeze the page."""
        self._living_browser(name).freeze()

    def unfreeze(self, name: str) -> None:
        """Undo `freeze`."""
        self._living_browser(name).unfreeze()

    def crash(self, name: str) -> None:
        """Crash the page; the browser process lives on."""
        self._living_browser(name).crash()

    def kill_browser(self, name: str) -> None:
        """End the browser process from outside."""
        self._living_browser(name).end()

    def pair(self, name: str) -> None:
        """Connect the session at once, in any state."""
        profile = self._gateway.profile(name)
        if profile.holder is not None:
            profile.holder.end(None)
        profile.launch = Launch.WORKS
        profile.has_network = True
        self._gateway.table.remove(name)
        self._gateway.start(name, {})
        entry = self._gateway.table.get(name)
        if entry is None or entry.browser is None:
            raise RefusedError("A session of this name cannot start.")
        entry.browser.open_chat_now()

    def link(self, name: str) -> None:
        """Store a pairing in the profile of a session that does not run, as left by an earlier process."""
        self._gateway.profile(name).is_paired = True

    def create(self, name: str) -> None:
        """Write a token file, as a session that was started once."""
        self._gateway.token_files.write(name, {})

    def message(self, name: str) -> None:
        """Deliver a message to the session."""
        entry = self._gateway.table.get(name)
        if entry is None or entry.page is None or not entry.page.is_page_responsive:
            raise RefusedError("The session is not connected.")
        sender = "5511911111111@c.us"
        message: dict[str, Any] = {
            "id": f"false_{sender}_{secrets.token_hex(8).upper()}",
            "type": "chat",
            "body": "hello",
            "from": sender,
            "to": DEVICE_NUMBER,
            "fromMe": False,
            "t": int(time.time()),
            "sender": {"id": sender},
        }
        self._gateway.emit(entry, "onmessage", message)
        self._gateway.broadcast("received-message", {"response": message | {"session": name}})

    def state(self, name: str) -> dict[str, Any]:
        """Return the state of one session, for the phone page and for tests."""
        entry = self._gateway.table.get(name)
        profile = self._gateway.profiles.get(name, Profile())
        holder = profile.holder
        is_waiting = holder is not None and holder.phase is Phase.WAITING
        page = entry.page if entry is not None else None
        return {
            "session": name,
            "status": entry.status if entry is not None and isinstance(entry.status, str) else "CLOSED",
            "check_connection": page is not None and page.is_page_responsive,
            "paired": profile.is_paired,
            "orphan": holder is not None and (entry is None or entry.browser is not holder),
            "browser_alive": holder is not None,
            "browsers_started": profile.browsers_started,
            "phase": holder.phase.value if holder is not None else None,
            "urlcode": holder.urlcode if holder is not None and is_waiting else None,
            "pairing_code": holder.pairing_code if holder is not None and is_waiting else None,
            "network": profile.has_network,
            "frozen": holder is not None and holder.is_frozen,
            "crashed": holder is not None and holder.is_crashed,
        }

    def _living_browser(self, name: str) -> Browser:
        holder = self._gateway.profile(name).holder
        if holder is None:
            raise RefusedError("No browser is running for this session.")
        return holder

    def _waiting_browser(self, name: str) -> Browser:
        browser = self._living_browser(name)
        if browser.phase is not Phase.WAITING:
            raise RefusedError("The page does not show a code now.")
        if not browser.is_page_responsive:
            raise RefusedError("The page does not react.")
        if not browser.profile.has_network:
            raise RefusedError("The page has no network, so WhatsApp does not know its code.")
        return browser
