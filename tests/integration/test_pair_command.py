"""`wppconnect-ops pair` in a terminal, against the simulated gateway."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from cli.terminal import BLACK_ON_WHITE, HALVES, PLAIN
from simulator import Simulator
from tests.support.live_core import FAST, NUMBER, SECRET, SESSION, environment
from tests.support.terminal import TerminalCommand
from tests.support.waiting import until

ENTRY = "cli.main:main"
PIXELS = {character: tuple(0 if dark else 255 for dark in halves) for halves, character in HALVES.items()}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    # Codes live long enough to be seen on a busy machine.
    times = replace(FAST, qr_first=6.0, qr_next=6.0, auto_close=40.0)
    with Simulator(secret_key=SECRET, times=times, sessions=[SESSION]) as running:
        yield running


@pytest.fixture
def environ(simulator: Simulator, tmp_path: Path) -> dict[str, str]:
    return environment(simulator, tmp_path)


def scanned(command: TerminalCommand) -> str | None:
    """Read the QR code on the screen as a phone's camera does."""
    rows = [line.removeprefix(BLACK_ON_WHITE).removesuffix(PLAIN) for line in command.screen]
    rows = [row for row in rows if row and set(row) <= set(PIXELS)]
    if not rows:
        return None
    image = Image.new("L", (len(rows[0]), 2 * len(rows)))
    image.putdata([PIXELS[character][half] for row in rows for half in (0, 1) for character in row])
    image = image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST)
    found = zxingcpp.read_barcodes(image)
    return found[0].text if found else None


def await_live_code(command: TerminalCommand, simulator: Simulator) -> str:
    """Wait until the code on the screen is the one that the gateway would take now."""

    def code() -> str | None:
        seen = scanned(command)
        return seen if seen is not None and seen == simulator.urlcode(SESSION) else None

    found = until(code, what="the live code on the screen")
    assert found is not None
    return found


@pytest.mark.both_generations
def test_code_on_the_screen_is_the_live_one_also_after_a_rotation_and_links_the_phone(
    simulator: Simulator, environ: dict[str, str]
) -> None:
    with TerminalCommand(ENTRY, "pair", SESSION, environ=environ) as command:
        first = await_live_code(command, simulator)
        until(lambda: simulator.urlcode(SESSION) != first, what="a new code")
        second = await_live_code(command, simulator)

        simulator.scan(SESSION, second)

        assert command.process.wait(timeout=60) == 0
        until(lambda: command.written.endswith("The session is connected.\r\n"), what="the last line")
        assert first not in command.written
        assert second not in command.written


@pytest.mark.both_generations
def test_pairing_code_is_shown_and_links_the_phone(simulator: Simulator, environ: dict[str, str]) -> None:
    environ["WPPCONNECT_WEBHOOK"] = "http://127.0.0.1:9/webhook"
    with TerminalCommand(ENTRY, "pair", SESSION, "--phone", NUMBER, environ=environ) as command:
        code = until(lambda: simulator.pairing_code(SESSION), what="a pairing code")
        assert code is not None
        until(
            lambda: f"Enter this code:  {code[:4]}-{code[4:]}" in command.screen,
            what="the code on the screen",
        )

        simulator.enter_code(SESSION, code)

        assert command.process.wait(timeout=60) == 0


def test_unknown_webhook_is_lost_only_when_the_session_is_typed(
    simulator: Simulator, environ: dict[str, str]
) -> None:
    with TerminalCommand(ENTRY, "pair", SESSION, "--phone", NUMBER, environ=environ) as command:
        until(lambda: command.written.endswith("to pair without a webhook: "), what="the question")

        command.type(f"{SESSION}\n")

        until(lambda: simulator.pairing_code(SESSION), what="a pairing code")


def test_ctrl_c_leaves_with_the_second_screen_closed(simulator: Simulator, environ: dict[str, str]) -> None:
    with TerminalCommand(ENTRY, "pair", SESSION, environ=environ) as command:
        await_live_code(command, simulator)

        command.process.send_signal(signal.SIGINT)

        assert command.process.wait(timeout=60) == 130
        until(lambda: "\x1b[?1049l" in command.written, what="the first screen")
        assert "Traceback" not in command.written


def test_sigterm_ends_with_code_0_in_two_seconds(simulator: Simulator, environ: dict[str, str]) -> None:
    with TerminalCommand(ENTRY, "pair", SESSION, environ=environ) as command:
        await_live_code(command, simulator)

        command.process.send_signal(signal.SIGTERM)

        assert command.process.wait(timeout=60) == 0


def test_unknown_session_is_code_2_and_names_those_that_there_are(environ: dict[str, str]) -> None:
    with TerminalCommand(ENTRY, "pair", "support", environ=environ) as command:
        assert command.process.wait(timeout=60) == 2

        until(lambda: "configured are: main: sales" in command.written, what="the sessions")
