"""Run one pairing in a terminal: show the current code, then print the outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from cli.environment import (
    DEMO_SECRET_FILE,
    NO_SERVER,
    actor,
    demo_environment,
    has_gateway,
    noted_demo_gateway,
    read_environment,
)
from cli.pairing_view import frame
from cli.terminal import Screen, wrap
from core.clock import Now, now
from core.exceptions import ConfigurationError
from core.operation_status import Kind, OperationStatus
from core.runtime import Core
from core.settings.environment import CoreEnvironment, load_environment
from core.settings.values import Settings

REFRESH_SECONDS = 0.5
SAME_AGAIN = {"code_expired", "timed_out", "stopped", "unreachable", "asked_to_wait"}
"""Outcomes after which a repetition of the command may succeed."""

SAME_SETTINGS = "set the same WPPCONNECT_* variables or .env as the running product"


def pairing_environment(environ: Mapping[str, str], directory: Path) -> CoreEnvironment:
    """Return the settings; without a gateway those of the demo, if `wppconnect-ops run` has created one here.

    Raise ConfigurationError for invalid settings, and for a missing data folder, which is not created.
    """
    environ = read_environment(environ, directory)
    environment = load_environment(environ)
    data = environment.data_dir.expanduser().absolute()
    if has_gateway(environ):
        return environment
    if not data.exists():
        raise ConfigurationError([NO_SERVER])
    secret_file, gateway = data / DEMO_SECRET_FILE, noted_demo_gateway(data)
    if gateway is None or not secret_file.exists():
        return environment
    return load_environment(demo_environment(environ, gateway=gateway, secret_file=secret_file))


def find_server(settings: Settings, session: str, server: str | None) -> str:
    """Return the session's server. Raise ConfigurationError with the known names unless one matches."""
    holders = [one.name for one in settings.servers if one.session(session) is not None]
    if server in holders:
        return str(server)
    if server is None and len(holders) == 1:
        return holders[0]
    if not settings.servers:
        problem = NO_SERVER
    elif server is not None and settings.server(server) is None:
        problem = f"there is no server {server!r}; servers: {', '.join(one.name for one in settings.servers)}"
    elif not holders or server is not None:
        known = ", ".join(f"{one.name}: {each.name}" for one in settings.servers for each in one.sessions)
        where = f"on server {server!r}" if server is not None else "on any server"
        problem = f"session {session!r} is not configured {where}; configured are: {known or 'none'}"
        problem += f"; {SAME_SETTINGS}"
    else:
        problem = f"session {session!r} exists on {', '.join(holders)}; choose one with --server"
    raise ConfigurationError([problem])


def confirms(session: str, action: str, out: TextIO, ask: Callable[[str], str] = input) -> bool:
    """Ask the user to type the session's name as a confirmation, and return whether they did."""
    try:
        return ask(f"Type {session} to {action}: ") == session
    except EOFError:
        out.write("\n")  # Ctrl-D, or no input: end the line of the prompt.
        return False


class Pairing:
    """One run of the command."""

    def __init__(
        self,
        core: Core,
        server: str,
        session: str,
        *,
        out: TextIO,
        ask: Callable[[str], str] = input,
        clock: Now = now,
    ) -> None:
        self._core = core
        self._server = server
        self._session = session
        self._out = out
        self._ask = ask
        self._clock = clock

    def run(self, phone: str | None) -> bool:
        """Pair, print the outcome, and return whether the session is connected."""
        status = self._attempt(phone, wipe_webhook=False)
        if status.outcome is not None and status.outcome.code == "needs_webhook_confirmation":
            self._say(status.outcome.message)
            if not confirms(self._session, "pair without a webhook", self._out, self._ask):
                self._say("Nothing was changed.")
                return False
            status = self._attempt(phone, wipe_webhook=True)
        if status.outcome is None:
            self._say(
                "The program that was pairing this session ended in the middle. Run this command again."
            )
            return False
        self._say(status.outcome.message)
        if status.outcome.code in SAME_AGAIN:
            self._say("For another try run this command again.")
        return status.outcome.ok

    def _attempt(self, phone: str | None, *, wipe_webhook: bool) -> OperationStatus:
        """Pair, once another operation on the session has ended."""
        while True:
            status = self._core.operations.pair(
                self._server,
                self._session,
                actor=actor(),
                phone=phone,
                wipe_webhook=wipe_webhook,
            )
            status = self._follow(status)
            if status.kind is Kind.PAIR:
                return status

    def _follow(self, status: OperationStatus) -> OperationStatus:
        with Screen(self._out) as screen:
            while status.is_running:
                self._core.monitor.watch(self._server, self._session)
                seen = self._core.monitor.snapshot().session(self._server, self._session)
                columns, rows = screen.size
                screen.show(frame(status, seen, self._clock(), columns=columns, rows=rows))
                time.sleep(REFRESH_SECONDS)
                status = self._core.operations.status(self._server, self._session) or status
        return status

    def _say(self, text: str) -> None:
        columns, _ = Screen(self._out).size
        self._out.write("\n".join(wrap(text, columns)) + "\n")
        self._out.flush()
