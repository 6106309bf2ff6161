"""Tokens are obtained without being asked, and shared."""

from __future__ import annotations

import json

import pytest
from gateway_calls import OTHER, STRONG, MakeClient, failures, run_in_threads

from core.exceptions import (
    AuthenticationError,
    ConnectError,
    RequestTimeoutError,
    StoreError,
)
from core.gateways.wppconnect.contract.token_format import parse_token
from core.models import TokenSource
from core.store.protocol import Record
from tests.fakes import MemoryStore
from tests.token_gateway import TokenGateway


class TestObtaining:
    def test_a_token_is_minted_here_without_a_call(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client()

        client.read_status("sales")

        assert token_gateway.calls == [("status-session", 200)]
        assert failures(client) == (0, 0)

    @pytest.mark.parametrize(("secret", "cost"), [(STRONG, 4), ("THISISMYSECURETOKEN", 10)])
    def test_its_cost_follows_the_strength_of_the_secret(
        self, make_client: MakeClient, token_gateway: TokenGateway, secret: str, cost: int
    ) -> None:
        token_gateway.secret = secret
        client = make_client(secret)

        assert client.tokens.cost("sales") == cost
        assert parse_token(client.tokens.token("sales")).cost == cost
        assert client.tokens.cost("sales") == cost
        client.read_status("sales")

    def test_only_72_bytes_of_name_and_secret_count(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        # given: 5 + 67 bytes, the longest that is allowed, with a character of two bytes
        token_gateway.secret = "é" + "q8Zr4Tn0Xw2Lk9Pv6Ys3Hd" * 2 + "q8Zr4Tn0Xw2Lk9Pv6Ys3H"
        assert len(token_gateway.secret.encode()) == 67

        client = make_client(token_gateway.secret)

        client.read_status("sales")
        assert client.tokens.token("x" * 40)

    def test_source_server_asks_generate_token(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client(source=TokenSource.SERVER)

        client.read_status("sales")

        assert token_gateway.calls == [("generate-token", 201), ("status-session", 200)]

    def test_twenty_threads_obtain_one_token(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        client = make_client(source=TokenSource.SERVER)

        run_in_threads(20, lambda: client.read_status("sales"))

        assert token_gateway.count("generate-token") == 1
        assert token_gateway.count("status-session", 200) == 20
        assert client.tokens.renewals("sales") == 1

    def test_every_session_has_its_own(self, make_client: MakeClient, token_gateway: TokenGateway) -> None:
        client = make_client(sessions=("sales", "support"))

        client.read_status("sales")
        client.read_status("support")

        assert len(set(token_gateway.tokens)) == 2

    def test_another_process_uses_the_stored_one(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        make_client().read_status("sales")
        make_client().read_status("sales")

        assert len(set(token_gateway.tokens)) == 1

    def test_a_changed_secret_renews_at_once(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        make_client().read_status("sales")
        token_gateway.secret = OTHER
        client = make_client(OTHER)

        client.read_status("sales")

        assert token_gateway.count("status-session", 401) == 0
        assert failures(client) == (0, 0)

    def test_a_changed_source_renews_at_once(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        make_client().read_status("sales")

        make_client(source=TokenSource.SERVER).read_status("sales")

        assert token_gateway.count("generate-token", 201) == 1
        assert len(set(token_gateway.tokens)) == 2

    def test_without_secret_and_token_the_error_says_what_to_set(self, make_client: MakeClient) -> None:
        with pytest.raises(AuthenticationError, match="set WPPCONNECT_SECRET_KEY") as caught:
            make_client(None).read_status("sales")
        assert caught.value.session == "sales"

    def test_a_hanging_generate_token_is_not_waited_for_by_everybody_in_turn(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        token_gateway.hangs_up_on_generate = True
        client = make_client(source=TokenSource.SERVER)
        caught: list[Exception] = []

        def call() -> None:
            try:
                client.read_status("sales")
            except (ConnectError, RequestTimeoutError) as error:
                caught.append(error)

        run_in_threads(10, call)

        assert len(caught) == 10
        assert token_gateway.count("generate-token") < 10
        token_gateway.hangs_up_on_generate = False
        client.read_status("sales")


class TestStore:
    def test_the_secret_is_not_in_it(self, make_client: MakeClient, memory_store: MemoryStore) -> None:
        make_client().read_status("sales")

        stored = json.dumps(
            {key: record.value for key, record in memory_store.read_all("tokens.main").items()}
        )

        assert STRONG not in stored

    def test_what_is_unreadable_in_it_counts_as_nothing(
        self, make_client: MakeClient, memory_store: MemoryStore
    ) -> None:
        make_client().read_status("sales")
        for key, record in memory_store.read_all("tokens.main").items():
            if "entry" in record.value:
                memory_store.update(
                    "tokens.main", key, record.value | {"entry": {"odd": 1}}, expected_version=record.version
                )

        make_client().read_status("sales")

    def test_the_first_tokens_of_all_sessions_are_written_together(
        self, make_client: MakeClient, memory_store: MemoryStore, token_gateway: TokenGateway
    ) -> None:
        names = tuple(f"sales-{number}" for number in range(50))
        client = make_client(sessions=names)
        client.tokens.token("sales-0")
        written = memory_store.revision("tokens.main")

        for name in names:
            client.tokens.token(name)

        assert int(written) < 5
        assert memory_store.revision("tokens.main") == written
        assert [client.tokens.renewals(name) for name in names] == [1] * 50
        client.read_status("sales-49")
        assert token_gateway.calls == [("status-session", 200)]

    def test_expensive_tokens_are_not_all_made_before_the_first_is_used(
        self, make_client: MakeClient, memory_store: MemoryStore
    ) -> None:
        client = make_client(
            "THISISMYSECURETOKEN", sessions=tuple(f"sales-{number}" for number in range(200))
        )

        client.tokens.token("sales-0")

        made = len(memory_store.read_all("tokens.main"))
        assert 2 < made < 100

    def test_what_an_earlier_release_kept_of_all_gateways_is_taken_over(
        self, make_client: MakeClient, memory_store: MemoryStore
    ) -> None:
        # given: as that release wrote it, beside another gateway's
        before = make_client().tokens
        token = before.token("sales")
        before.renew("sales", token)
        kept = {key: record.value for key, record in memory_store.read_all("tokens.main").items()}
        memory_store.remove("tokens.main", kept)
        others = {"server:other": kept["session:main/sales"], "session:other/sales": {"renewals": 1}}
        memory_store.add("tokens", kept | others)

        after = make_client().tokens

        assert after.token("sales") == kept["session:main/sales"]["entry"]["token"] != token
        assert (after.renewals("sales"), after.failures("sales")["token_rejected"]) == (2, 1)
        assert set(memory_store.read_all("tokens")) == {"salt", *others}

    def test_counts_are_read_from_the_store_only_after_a_write(
        self, make_client: MakeClient, token_gateway: TokenGateway
    ) -> None:
        store = CountingStore()
        here, elsewhere = make_client(store=store), make_client(store=store)
        here.read_status("sales")
        here.tokens.renewals("sales")
        before = store.reads

        counts = [(here.tokens.renewals("sales"), here.tokens.failures("sales")) for _ in range(100)]
        reads = store.reads - before
        elsewhere.tokens.renew("sales", elsewhere.tokens.token("sales"))

        none = {"token_rejected": 0, "secret_rejected": 0}
        assert counts == [(1, none)] * 100
        assert reads == 0
        assert here.tokens.renewals("sales") == 2

    def test_a_store_that_fails_costs_nobody_a_token(self, make_client: MakeClient) -> None:
        client = make_client(store=BrokenStore())

        client.read_status("sales")
        client.read_status("sales")

        assert client.tokens.failures("sales") == {"token_rejected": 0, "secret_rejected": 0}
        assert client.tokens.renewals("sales") == 1


class CountingStore(MemoryStore):
    """Counts the reads of a whole subject, too."""

    def read_all(self, subject: str) -> dict[str, Record]:
        self.reads += 1
        return super().read_all(subject)


class BrokenStore(MemoryStore):
    """A full disk, and one that cannot be read either."""

    def read(self, subject: str, key: str) -> None:
        raise StoreError("the disk is gone", operation="read a record")

    def read_all(self, subject: str) -> dict[str, Record]:
        raise StoreError("the disk is gone", operation="read records")
