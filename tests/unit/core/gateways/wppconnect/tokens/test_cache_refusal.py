"""A gateway that refuses has peace."""

from __future__ import annotations

import bcrypt
import pytest
from gateway_calls import OTHER, STRONG, MakeClient, failures, run_in_threads

from core.exceptions import (
    AuthenticationError,
    SecretKeyRejectedError,
)
from core.gateways.wppconnect.client import GatewayClient
from core.gateways.wppconnect.contract.token_format import parse_token
from tests.fakes import FakeClock
from tests.token_gateway import TokenGateway

CONFIGURED = bcrypt.hashpw(f"sales{STRONG}".encode(), bcrypt.gensalt(4)).decode()


class TestWrongSecret:
    def test_it_is_named_and_counted_once(self, make_client: MakeClient, token_gateway: TokenGateway) -> None:
        client = make_client(OTHER)

        with pytest.raises(SecretKeyRejectedError) as caught:
            client.read_status("sales")

        assert token_gateway.calls == [("status-session", 401), ("generate-token", 400)]
        assert failures(client) == (1, 1)
        assert (caught.value.operation, caught.value.session) == ("obtain a token", "sales")
        assert OTHER not in str(caught.value) + repr(vars(caught.value))

    def test_it_is_not_hammered(
        self, make_client: MakeClient, token_gateway: TokenGateway, fake_clock: FakeClock
    ) -> None:
        clients = [make_client(OTHER, sessions=("sales", "support")) for _ in range(2)]
        pauses = []
        for _ in range(9):
            with pytest.raises(SecretKeyRejectedError):
                clients[0].read_status("sales")
            asked, pause = token_gateway.count("generate-token"), 0
            while token_gateway.count("generate-token") == asked:
                fake_clock.advance(1)
                pause += 1
                for client in clients:
                    for session in ("sales", "support"):
                        with pytest.raises(SecretKeyRejectedError):
                            client.read_status(session)
            pauses.append(pause)

        assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]

    def test_forty_callers_meet_one_refusal(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        here, there = make_client(OTHER), make_client(OTHER)

        def call(client: GatewayClient) -> None:
            with pytest.raises(SecretKeyRejectedError):
                client.read_status("sales")

        run_in_threads(20, lambda: call(here), lambda: call(there))

        assert token_gateway.count("generate-token") == 1
        assert failures(here) == (1, 1)

    def test_a_secret_that_was_changed_there_is_asked_about_once_for_all_sessions(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        sessions = ("sales", "support", "billing")
        client = make_client(STRONG, sessions=sessions)
        for session in sessions:
            client.read_status(session)
        token_gateway.secret = OTHER

        for session in sessions:
            with pytest.raises(SecretKeyRejectedError):
                client.read_status(session)

        assert token_gateway.count("generate-token") == 1
        assert failures(client, "sales") == (1, 1)
        assert failures(client, "billing") == (1, 0)

    def test_a_corrected_secret_is_used_at_once(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        with pytest.raises(SecretKeyRejectedError):
            make_client(OTHER).read_status("sales")

        client = make_client(STRONG)
        client.read_status("sales")

        assert failures(client) == (1, 1)

    def test_a_gateway_that_takes_it_back_ends_the_pause_and_minting_goes_on(
        self, make_client: MakeClient, token_gateway: TokenGateway, fake_clock: FakeClock
    ) -> None:
        client = make_client(OTHER, sessions=("sales", "support"))
        for session in ("sales", "support"):
            with pytest.raises(SecretKeyRejectedError):
                client.read_status(session)
        token_gateway.secret = OTHER
        fake_clock.advance(5.1)
        token_gateway.calls.clear()

        client.read_status("sales")
        client.read_status("support")

        assert token_gateway.calls == [
            ("generate-token", 201),
            ("status-session", 200),
            ("status-session", 200),
        ]

    def test_listing_the_sessions_keeps_the_pause_and_begins_one(
        self, make_client: MakeClient, token_gateway: TokenGateway, fake_clock: FakeClock
    ) -> None:
        client = make_client(OTHER)
        with pytest.raises(SecretKeyRejectedError):
            client.list_sessions()

        with pytest.raises(SecretKeyRejectedError, match="asked again in 5 s"):
            client.list_sessions()
        with pytest.raises(SecretKeyRejectedError):
            client.read_status("sales")

        assert token_gateway.calls == [("show-all-sessions", 400)]
        assert failures(client) == (0, 1)
        token_gateway.secret = OTHER
        fake_clock.advance(5.1)
        assert client.list_sessions() == ("sales",)
        client.read_status("sales")
        assert token_gateway.count("generate-token") == 0

    def test_every_refusal_counts_once_by_whichever_call_it_comes(
        self, make_client: MakeClient, token_gateway: TokenGateway, fake_clock: FakeClock
    ) -> None:
        client = make_client(OTHER, sessions=("sales", "support"))
        for _ in range(3):
            with pytest.raises(SecretKeyRejectedError):
                client.list_sessions()
            for session in ("sales", "support"):
                with pytest.raises(SecretKeyRejectedError):
                    client.read_status(session)
            fake_clock.advance(100)

        refusals = token_gateway.count("show-all-sessions", 400) + token_gateway.count("generate-token", 400)
        counted = [failures(client, session)[1] for session in ("sales", "support")]
        assert (refusals, counted) == (3, [3, 0])

    def test_a_restart_ends_the_pause_and_minting_goes_on(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client(OTHER)
        with pytest.raises(SecretKeyRejectedError):
            client.read_status("sales")
        token_gateway.secret = OTHER
        client.tokens.end_pause()
        token_gateway.calls.clear()

        assert client.list_sessions() == ("sales",)
        client.read_status("sales")

        assert token_gateway.calls == [("show-all-sessions", 200), ("status-session", 200)]

    def test_testing_a_typed_secret_begins_no_pause(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client()

        assert [client.accepts_secret(typed) for typed in (OTHER, "", "..", STRONG)] == [
            False,
            False,
            False,
            True,
        ]
        client.list_sessions()
        client.read_status("sales")


class TestConfiguredToken:
    @pytest.mark.parametrize("token", [CONFIGURED, f"sales:{CONFIGURED}"], ids=["bare", "with its session"])
    def test_it_serves_its_one_session(
        self, make_client: MakeClient, token_gateway: TokenGateway, token: str
    ) -> None:
        client = make_client(None, token=token)

        client.read_status("sales")

        assert token_gateway.calls == [("status-session", 200)]
        assert client.tokens.cost("sales") == 4

    @pytest.mark.parametrize(
        ("token", "sessions"),
        [
            pytest.param(CONFIGURED, ("sales", "support"), id="two sessions, none named"),
            pytest.param(f"support:{CONFIGURED}", ("sales",), id="named for another"),
            pytest.param("raw-key", ("sales",), id="raw key"),
        ],
    )
    def test_it_serves_no_other(
        self, make_client: MakeClient, token_gateway: TokenGateway, token: str, sessions: tuple[str, ...]
    ) -> None:
        with pytest.raises(AuthenticationError, match="set WPPCONNECT_SECRET_KEY"):
            make_client(None, token=token, sessions=sessions).read_status("sales")
        assert token_gateway.calls == []

    def test_refused_it_is_counted_once_and_tried_again_after_a_pause(
        self, make_client: MakeClient, token_gateway: TokenGateway, fake_clock: FakeClock
    ) -> None:
        token_gateway.secret = OTHER
        here, there = make_client(None, token=CONFIGURED), make_client(None, token=CONFIGURED)

        def call(client: GatewayClient) -> None:
            with pytest.raises(AuthenticationError, match="new WPPCONNECT_TOKEN"):
                client.read_status("sales")

        run_in_threads(5, lambda: call(here), lambda: call(there))
        asked = len(token_gateway.calls)
        call(here)

        assert len(token_gateway.calls) == asked
        assert failures(here) == (1, 0)
        token_gateway.secret = STRONG
        fake_clock.advance(5.1)
        here.read_status("sales")

    def test_beside_a_secret_it_is_not_used(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client(token=CONFIGURED)

        client.read_status("sales")

        assert token_gateway.tokens != [parse_token(CONFIGURED).token]
