"""The token that an application is given: it works with every route, and stays the same."""

from __future__ import annotations

import bcrypt
import pytest
from gateway_calls import OTHER, STRONG, MakeClient
from pydantic import SecretStr

from core.gateways.wppconnect.contract.token_format import encode_salt, parse_token
from core.gateways.wppconnect.tokens.cache import token_for_applications
from core.settings.values import ServerSettings
from simulator import auth
from tests.fakes import MemoryStore


def given(make_client: MakeClient, store: MemoryStore, secret: str = STRONG, session: str = "sales") -> str:
    client = make_client(secret, sessions=(session,), store=store)
    client.tokens.token(session)
    token = token_for_applications(client.server, session, store)
    assert token is not None
    return token


@pytest.mark.parametrize("secret", [STRONG, OTHER, "a weak one"])
@pytest.mark.parametrize("session", ["sales", "vendas-2"])
def test_it_has_the_cost_that_every_route_takes(
    make_client: MakeClient, memory_store: MemoryStore, secret: str, session: str
) -> None:
    token = given(make_client, memory_store, secret, session)

    assert parse_token(token).cost == 10
    assert auth.is_valid(session, secret, token)
    assert not auth.is_valid(session, secret + "x", token)


def test_it_stays_the_same_and_our_own_stays_cheap(
    make_client: MakeClient, memory_store: MemoryStore
) -> None:
    token = given(make_client, memory_store)

    assert given(make_client, memory_store) == token
    assert given(make_client, MemoryStore(), OTHER) != token
    assert make_client().tokens.cost("sales") == 4


def test_without_one_of_our_own_there_is_none_to_give(memory_store: MemoryStore) -> None:
    server = ServerSettings(name="main", url="http://gateway:21465", secret_key=SecretStr(STRONG))

    assert token_for_applications(server, "sales", memory_store) is None


def test_a_spelt_salt_is_one_that_bcrypt_takes_as_it_is() -> None:
    salt = b"$2b$04$" + encode_salt(bytes(range(16)))

    assert bcrypt.hashpw(b"x", salt).startswith(salt)
