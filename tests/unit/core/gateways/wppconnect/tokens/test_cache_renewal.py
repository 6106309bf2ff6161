"""A refused token is renewed once, however many met the refusal."""

from __future__ import annotations

import pytest
from gateway_calls import OTHER, STRONG, MakeClient, failures, run_in_threads

from core.exceptions import (
    AuthenticationError,
)
from core.gateways.wppconnect.client import GatewayClient
from core.models import TokenSource
from tests.fakes import FakeClock, MemoryStore
from tests.token_gateway import TokenGateway


class TestRenewing:
    def test_a_refused_token_is_renewed_and_the_request_repeated_once(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client()
        refuse_present_token(token_gateway, client)

        client.read_status("sales")

        assert token_gateway.count("status-session", 401) == 1
        assert token_gateway.count("status-session", 200) == 1
        assert failures(client) == (1, 0)

    def test_a_post_is_repeated_too(self, make_client: MakeClient, token_gateway: TokenGateway) -> None:
        client = make_client()
        refuse_present_token(token_gateway, client)

        client.start_session("sales", None)

        assert token_gateway.count("start-session") == 2

    def test_two_processes_with_twenty_threads_renew_and_count_once(
        self, make_client: MakeClient, token_gateway: TokenGateway, memory_store: MemoryStore
    ) -> None:
        here, there = make_client(), make_client()
        refuse_present_token(token_gateway, here)
        refuse_present_token(token_gateway, there)
        before = here.tokens.renewals("sales")

        run_in_threads(20, lambda: here.read_status("sales"), lambda: there.read_status("sales"))

        assert token_gateway.count("status-session", 200) == 40
        assert token_gateway.count("generate-token") == 1
        assert here.tokens.renewals("sales") == before + 1
        assert failures(here) == failures(there) == (1, 0)

    def test_source_local_never_sends_the_secret(
        self, make_client: MakeClient, token_gateway: TokenGateway, memory_store: MemoryStore
    ) -> None:
        client = make_client(source=TokenSource.LOCAL)
        refuse_present_token(token_gateway, client)

        client.read_status("sales")

        assert token_gateway.count("generate-token") == 0
        assert not [target for target in token_gateway.targets if STRONG in target]

    def test_a_token_refused_after_renewal_pauses_the_session(
        self, make_client: MakeClient, token_gateway: TokenGateway, fake_clock: FakeClock
    ) -> None:
        token_gateway.accepts_tokens = False
        client, other = make_client(), make_client()

        with pytest.raises(AuthenticationError) as first:
            client.read_status("sales")
        asked = len(token_gateway.calls)
        with pytest.raises(AuthenticationError):
            client.read_status("sales")
        with pytest.raises(AuthenticationError):
            other.read_status("sales")

        assert (first.value.status_code, first.value.session) == (401, "sales")
        assert len(token_gateway.calls) == asked
        assert failures(client) == (1, 0)

        token_gateway.accepts_tokens = True
        fake_clock.advance(5.1)
        client.read_status("sales")

    def test_a_paused_session_leaves_the_others_alone(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client(sessions=("sales", "support"))
        token_gateway.accepts_tokens = False
        with pytest.raises(AuthenticationError):
            client.read_status("sales")
        token_gateway.accepts_tokens = True

        client.read_status("support")


class TestFallingBack:
    def test_auto_asks_the_gateway_when_a_minted_token_is_refused(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        token_gateway.accepts_minted = False
        client = make_client()

        client.read_status("sales")

        assert token_gateway.calls == [
            ("status-session", 401),
            ("generate-token", 201),
            ("status-session", 200),
        ]
        assert failures(client) == (1, 0)

    def test_it_is_remembered_for_all_sessions_and_processes(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        token_gateway.accepts_minted = False
        make_client().read_status("sales")
        token_gateway.calls.clear()

        make_client(sessions=("support",)).read_status("support")

        assert token_gateway.calls == [("generate-token", 201), ("status-session", 200)]

    def test_it_is_forgotten_with_the_secret(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        token_gateway.accepts_minted = False
        make_client().read_status("sales")
        token_gateway.accepts_minted = True
        token_gateway.secret = OTHER
        token_gateway.calls.clear()

        make_client(OTHER).read_status("sales")

        assert token_gateway.calls == [("status-session", 200)]

    def test_it_is_not_remembered_when_the_generated_token_is_refused_too(
        self, make_client: MakeClient, token_gateway: TokenGateway, fake_clock: FakeClock
    ) -> None:
        token_gateway.accepts_tokens = False
        client = make_client()
        with pytest.raises(AuthenticationError):
            client.read_status("sales")
        token_gateway.accepts_tokens = True
        token_gateway.calls.clear()
        fake_clock.advance(5.1)

        client.read_status("sales")

        assert token_gateway.calls == [("status-session", 200)]

    def test_source_local_does_not(self, make_client: MakeClient, token_gateway: TokenGateway) -> None:
        token_gateway.accepts_minted = False
        client = make_client(source=TokenSource.LOCAL)

        with pytest.raises(AuthenticationError, match="secret key"):
            client.read_status("sales")

        assert token_gateway.count("generate-token") == 0
        assert failures(client) == (1, 0)

    def test_a_gateway_that_makes_no_tokens_is_unauthorized(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        token_gateway.accepts_minted = False
        token_gateway.offers_generate = False

        with pytest.raises(AuthenticationError, match=r"makes none itself \(HTTP 404\)"):
            make_client().read_status("sales")


def refuse_present_token(token_gateway: TokenGateway, client: GatewayClient) -> None:
    """Have the gateway refuse the very token that the client holds."""
    token_gateway.refused.add(client.tokens.token("sales"))
