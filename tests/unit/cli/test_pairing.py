from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cli.environment import NO_SERVER, make_demo_secret, note_demo_gateway
from cli.pairing import Pairing, find_server, pairing_environment
from core.exceptions import ConfigurationError
from core.messages.operation import OUTCOMES
from core.operation_status import Kind
from core.runtime import Core
from core.settings.values import ServerSettings, SessionSettings, Settings
from tests.fakes import FakeMonitor, FakeOperations


def pairing(
    *ends: str, answer: str = "", ask: Callable[[str], str] | None = None
) -> tuple[Pairing, FakeOperations, io.StringIO]:
    operations, out = FakeOperations(*ends), io.StringIO()
    core = cast(Core, SimpleNamespace(operations=operations, monitor=FakeMonitor()))
    return Pairing(core, "main", "sales", out=out, ask=ask or (lambda question: answer)), operations, out


def test_connected_session_is_success() -> None:
    command, _, out = pairing("connected")

    assert command.run(None) is True
    assert out.getvalue().endswith("The session is connected.\n")


def test_expired_code_is_told_with_what_to_do_next() -> None:
    command, _, out = pairing("code_expired")

    assert command.run(None) is False
    told = " ".join(out.getvalue().split())
    assert told.endswith(f"{OUTCOMES['code_expired']} For another try run this command again.")


def test_long_outcome_is_broken_between_words() -> None:
    command, _, out = pairing("code_not_visible")

    command.run(None)

    told = out.getvalue().rpartition("\x1b[?1049l")[2].splitlines()
    assert max(map(len, told)) <= 80
    assert " ".join(told) == OUTCOMES["code_not_visible"]


def test_pairing_whose_process_died_is_told() -> None:
    command, _, out = pairing("interrupted")

    assert command.run(None) is False
    assert "ended in the middle" in out.getvalue()


def test_pairing_begins_after_somebody_elses_action_has_ended() -> None:
    command, operations, _ = pairing("closed", "connected")
    operations.begin("sales", kind=Kind.CLOSE)

    assert command.run(None) is True
    assert len(operations.calls) == 2


def test_unknown_webhook_is_lost_only_after_the_session_was_typed() -> None:
    command, operations, _ = pairing("needs_webhook_confirmation", "connected", answer="sales")

    assert command.run("351912345678") is True
    assert [how["wipe_webhook"] for *_, how in operations.calls] == [False, True]
    assert [how["phone"] for *_, how in operations.calls] == ["351912345678", "351912345678"]


@pytest.mark.parametrize("answer", ["", "yes", "Sales"])
def test_unknown_webhook_is_kept_after_any_other_answer(answer: str) -> None:
    command, operations, out = pairing("needs_webhook_confirmation", answer=answer)

    assert command.run(None) is False
    assert len(operations.calls) == 1
    assert "Nothing was changed." in out.getvalue()


def test_unknown_webhook_is_kept_where_nobody_answers() -> None:
    def end_of_input(_question: str) -> str:
        raise EOFError

    command, operations, out = pairing("needs_webhook_confirmation", ask=end_of_input)

    assert command.run(None) is False
    assert len(operations.calls) == 1
    assert out.getvalue().endswith("\nNothing was changed.\n")


def settings(**servers: list[str]) -> Settings:
    """Servers by name with their sessions."""
    return Settings(
        revision=0,
        servers=tuple(
            ServerSettings(
                name=name,
                url="http://gateway.example",
                sessions=tuple(SessionSettings(name=session) for session in sessions),
            )
            for name, sessions in servers.items()
        ),
    )


def test_only_server_with_the_session_is_found() -> None:
    assert find_server(settings(main=["sales"], other=["support"]), "support", None) == "other"


def test_named_server_is_taken() -> None:
    assert find_server(settings(main=["sales"], other=["sales"]), "sales", "other") == "other"


@pytest.mark.parametrize(
    ("found", "server", "problem"),
    [
        (
            settings(),
            None,
            NO_SERVER,
        ),
        (
            settings(main=["sales"]),
            None,
            "session 'support' is not configured on any server; configured are: main: sales; "
            "set the same WPPCONNECT_* variables or .env as the running product",
        ),
        (
            settings(main=[], other=["sales"]),
            "main",
            "session 'support' is not configured on server 'main'; configured are: other: sales; "
            "set the same WPPCONNECT_* variables or .env as the running product",
        ),
        (settings(main=["support"]), "foo", "there is no server 'foo'; servers: main"),
        (
            settings(main=["support"], other=["support"]),
            None,
            "session 'support' exists on main, other; choose one with --server",
        ),
    ],
    ids=["no server", "unknown session", "not on this server", "unknown server", "several servers"],
)
def test_session_that_cannot_be_chosen_is_explained(
    found: Settings, server: str | None, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_server(found, "support", server)

    assert caught.value.problems == (problem,)


def test_without_a_gateway_the_demo_that_runs_here_is_used(tmp_path: Path) -> None:
    make_demo_secret(tmp_path)
    note_demo_gateway(tmp_path, "http://127.0.0.1:12345")

    found = pairing_environment({"WPPCONNECT_DATA_DIR": str(tmp_path)}, tmp_path)

    assert found.url == "http://127.0.0.1:12345"
    assert found.sessions == ("leguas_wppconnect",)
    assert found.secret_key is not None


def test_where_the_product_never_ran_no_folder_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        pairing_environment({}, tmp_path)

    assert "type this where the product runs" in caught.value.problems[0]
    assert list(tmp_path.iterdir()) == []


def test_without_a_gateway_and_a_demo_nothing_is_made_up(tmp_path: Path) -> None:
    assert pairing_environment({"WPPCONNECT_DATA_DIR": str(tmp_path)}, tmp_path).url is None
