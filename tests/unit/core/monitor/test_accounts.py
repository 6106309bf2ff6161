"""Which account a session is linked to: asked once after each connection, and kept as last seen."""

from __future__ import annotations

from pathlib import Path

from watched_gateway import probing

from core.exceptions import ServerFailureError
from core.models import SessionState


def test_a_connected_session_is_asked_once(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")

    main.advance(1200)

    account = main.session().account
    assert account is not None
    assert (account.number, account.push_name) == ("5511900000000", "Front desk")
    assert main.client.calls["device sales"] == 1


def test_many_are_asked_one_after_the_other(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales", "support", "stock")
    main.advance(4)
    first = sum(one.account is not None for one in main.published().sessions)

    main.advance(20)

    assert first <= 1
    assert all(one.account is not None for one in main.published().sessions)


def test_it_is_known_after_the_session_was_lost_and_by_the_next_prober(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.advance(15)
    main.client.pages["sales"].state = SessionState.CLOSED
    main.advance(15)

    main.begin("tests[2]")
    main.advance(3)

    assert main.session().account is not None


def test_another_phone_is_seen_after_it_was_linked(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.advance(15)
    main.client.pages["sales"].state = SessionState.CLOSED
    main.advance(15)
    main.client.pages["sales"].state = SessionState.CONNECTED

    main.advance(620)

    assert main.client.calls["device sales"] == 2


def test_one_that_tells_nothing_is_left_alone_for_a_while(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.client.device_error = ServerFailureError("failed", status_code=500)

    main.advance(590)

    assert (main.session().account, main.client.calls["device sales"]) == (None, 1)


def test_no_number_is_in_what_is_printed_of_it(tmp_path: Path) -> None:
    main = probing(tmp_path, "sales")
    main.advance(15)

    assert "5511900000000" not in repr(main.published())
