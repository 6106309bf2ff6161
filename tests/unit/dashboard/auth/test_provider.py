"""An OpenID Connect provider, honest and otherwise."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from typing import Any

import pytest
from openid_world import (
    ISSUER,
    OTHER_KEY,
    World,
    dripping,
    flooding,
    form_of,
    nesting,
    packing,
    query_of,
    redirecting,
    saying,
    shared_key,
)

from dashboard.auth.external_accounts import Identity
from dashboard.auth.provider import MAX_WAITING
from dashboard.auth.provider_claims import ProviderError, ProviderProblem
from dashboard.auth.users import AuthMethod

DISCOVERY = "/.well-known/openid-configuration"


def test_person_is_sent_there_with_state_nonce_and_challenge() -> None:
    world = World()

    urls = [world.begin(), world.begin()]

    one, another = map(query_of, urls)
    assert urls[0].startswith(f"{ISSUER}/auth?")
    assert one["response_type"] == ["code"]
    assert one["code_challenge_method"] == ["S256"]
    assert one["redirect_uri"] == ["https://ops.test/sign-in/provider/callback"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name][0]) >= 20
        assert one[name] != another[name]


def test_code_is_worth_something_only_to_who_has_the_verifier() -> None:
    world = World()

    world.identify()

    (request,) = [one for one in world.requests if one.url.path == "/token"]
    verifier = form_of(request)["code_verifier"]
    digest = hashlib.sha256(verifier.encode()).digest()
    assert world.sent["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert verifier not in str(world.sent)


def test_person_who_confirms_is_asked_anew() -> None:
    world = World()
    urls = [world.begin(confirms=confirms) for confirms in (False, True)]

    assert [query_of(url).get("max_age") for url in urls] == [None, ["0"]]


@pytest.mark.parametrize(
    ("asked_seconds_ago", "outcome"),
    [(0, "ana"), (-30, "ana"), (30, "ana"), (120, "untrusted"), (86_400, "untrusted"), (None, "untrusted")],
)
def test_old_sign_in_at_the_provider_confirms_nothing(asked_seconds_ago: int | None, outcome: str) -> None:
    world = World()
    begun_at = int(time.time())
    world.claims = {"auth_time": None if asked_seconds_ago is None else begun_at - asked_seconds_ago}

    assert world.outcome(asked_after=begun_at) == outcome


def test_person_who_comes_back_is_known() -> None:
    assert World().identify() == Identity(
        name="ana",
        method=AuthMethod.PROVIDER,
        groups=frozenset({"wpp"}),
        subject=f"{ISSUER} 17",
        verified_email="Ana@example.org",
    )


def test_code_is_exchanged_with_the_secret() -> None:
    world = World(secret="a+b %/:")

    world.identify()

    (request,) = [one for one in world.requests if one.url.path == "/token"]
    encoded = base64.b64encode(b"wppconnect-ops:a%2Bb%20%25%2F%3A").decode()
    assert request.headers["authorization"] == f"Basic {encoded}"
    form = form_of(request)
    assert (form["grant_type"], form["code"]) == ("authorization_code", "the-code")


@pytest.mark.parametrize(
    ("secret", "offered", "sent"),
    [
        pytest.param(None, ["client_secret_basic"], {"client_id": "wppconnect-ops"}, id="public client"),
        pytest.param("s", ["client_secret_post"], {"client_secret": "s"}, id="in the form"),
    ],
)
def test_client_shows_itself_as_the_provider_wants(
    secret: str | None, offered: list[str], sent: dict[str, str]
) -> None:
    world = World(secret=secret)
    world.description["token_endpoint_auth_methods_supported"] = offered

    world.identify()

    (request,) = [one for one in world.requests if one.url.path == "/token"]
    assert "authorization" not in request.headers
    assert form_of(request).items() >= sent.items()


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"nonce": "of another sign-in"}, id="nonce of another sign-in"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"iss": "https://evil.test"}, id="another issuer"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": "another-client"}, id="for another client"),
        pytest.param({"aud": ["another-client"]}, id="for other clients"),
        pytest.param({"aud": "another-client", "azp": "wppconnect-ops"}, id="for another, azp is ours"),
        pytest.param({"aud": ["wppconnect-ops", "another"]}, id="for two clients, without azp"),
        pytest.param({"aud": ["wppconnect-ops", "another"], "azp": "another"}, id="azp of another client"),
        pytest.param({"aud": None}, id="for nobody"),
        pytest.param({"exp": int(time.time()) - 120}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"exp": "soon"}, id="expiry is no number"),
        pytest.param({"iat": int(time.time()) + 3600}, id="issued in the future"),
        pytest.param({"nbf": int(time.time()) + 3600}, id="not valid yet"),
        pytest.param({"sub": None}, id="of nobody"),
        pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, id="of another access token"),
    ],
)
def test_token_that_does_not_stand_a_check_signs_nobody_in(claims: dict[str, Any]) -> None:
    assert World(claims=claims).trouble() == "untrusted"


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        pytest.param("none", None, id="not signed"),
        pytest.param("HS256", shared_key(), id="signed with the client's secret"),
        pytest.param("RS256", OTHER_KEY, id="signed with a key that is not the provider's"),
    ],
)
def test_token_that_the_provider_has_not_signed_signs_nobody_in(algorithm: str, key: Any) -> None:
    assert World(algorithm=algorithm, key=key).trouble() == "untrusted"


def test_changed_signature_signs_nobody_in() -> None:
    world = World()
    token = world.id_token()
    forged = f"{token[:-8]}{'A' * 8}"
    world.answers["/token"] = saying(200, {"access_token": "a", "token_type": "Bearer", "id_token": forged})

    assert world.trouble() == "untrusted"


def test_new_key_of_the_provider_is_fetched_when_a_token_names_it() -> None:
    world = World()
    provider = world.provider
    world.identify(provider)
    world.keys, world.key = [OTHER_KEY], OTHER_KEY
    early = world.trouble(provider)
    world.clock.advance(seconds=61)

    assert early == "untrusted"
    assert world.identify(provider).name == "ana"


def test_strange_keys_do_not_make_us_ask_again_and_again() -> None:
    world = World(key=OTHER_KEY)
    provider = world.provider

    for _ in range(3):
        world.trouble(provider)

    assert len([one for one in world.requests if one.url.path == "/keys"]) == 1


def test_what_is_missing_is_asked_for_at_userinfo_and_the_token_wins() -> None:
    world = World(claims={"groups": None, "preferred_username": None})
    world.userinfo = {"sub": "17", "groups": ["wpp-admins"], "preferred_username": "ana2", "email": "x@y.z"}

    found = world.identify()

    assert (found.name, found.groups, found.verified_email) == (
        "ana2",
        frozenset({"wpp-admins"}),
        "Ana@example.org",
    )
    assert world.requests[-1].headers["authorization"] == "Bearer access"


def test_userinfo_of_somebody_else_signs_nobody_in() -> None:
    assert World(claims={"groups": None}, userinfo={"sub": "18"}).trouble() == "untrusted"


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        pytest.param({"issuer": "https://evil.test"}, "settings", id="names another issuer"),
        pytest.param({"issuer": f"{ISSUER}/"}, "settings", id="differs by a slash"),
        pytest.param({"token_endpoint": "http://sso.test/token"}, "settings", id="token over http"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, "settings", id="keys from a file"),
        pytest.param({"authorization_endpoint": None}, "settings", id="nowhere to go"),
        pytest.param(
            {"authorization_response_iss_parameter_supported": True}, "untrusted", id="iss promised, not sent"
        ),
    ],
)
def test_description_that_cannot_be_right_is_not_followed(change: dict[str, Any], trouble: str) -> None:
    world = World()
    world.description |= change

    assert world.trouble() == trouble


def test_answer_of_another_provider_is_refused() -> None:
    assert World().trouble(iss="https://evil.test") == "untrusted"
    assert World().identify(iss=ISSUER).name == "ana"


@pytest.mark.parametrize(
    ("params", "trouble"),
    [
        pytest.param({"error": "access_denied"}, "cancelled", id="person turned back"),
        pytest.param({"error": "unauthorized_client"}, "settings", id="client not known"),
        pytest.param({"code": ""}, "untrusted", id="no code"),
    ],
)
def test_return_without_a_code_is_explained(params: dict[str, str], trouble: str) -> None:
    assert World().trouble(**params) == trouble


@pytest.mark.parametrize(
    ("path", "answer", "trouble"),
    [
        pytest.param(DISCOVERY, saying(500, {}), "down", id="description: 500"),
        pytest.param(DISCOVERY, saying(404, {}), "settings", id="description: 404"),
        pytest.param(DISCOVERY, saying(200, []), "settings", id="description: a list"),
        pytest.param(DISCOVERY, flooding, "down", id="description: too large"),
        pytest.param(DISCOVERY, packing, "down", id="description: too large once unpacked"),
        pytest.param(DISCOVERY, nesting, "settings", id="description: nested without end"),
        pytest.param("/token", nesting, "settings", id="token: nested without end"),
        pytest.param("/keys", nesting, "settings", id="keys: nested without end"),
        pytest.param(DISCOVERY, dripping, "down", id="description: never ends"),
        pytest.param("/token", saying(400, {"error": "invalid_grant"}), "stale", id="code was used"),
        pytest.param("/token", saying(401, {"error": "invalid_client"}), "settings", id="wrong secret"),
        pytest.param("/token", saying(200, {"access_token": "a"}), "settings", id="no ID token"),
        pytest.param("/token", saying(200, "text"), "settings", id="token: a text"),
        pytest.param("/token", saying(200, {"id_token": 1}), "settings", id="token: a number"),
        pytest.param("/token", saying(500, {}), "down", id="token: 500"),
        pytest.param("/token", dripping, "down", id="token: never ends"),
        pytest.param("/keys", saying(200, {"keys": "x"}), "untrusted", id="keys: a text"),
        pytest.param("/keys", saying(200, {"keys": []}), "untrusted", id="keys: none"),
        pytest.param("/keys", redirecting, "settings", id="keys: elsewhere"),
    ],
)
def test_every_failure_of_the_provider_has_a_name_and_an_end(path: str, answer: Any, trouble: str) -> None:
    world = World(max_seconds=0.5)
    world.answers[path] = answer

    assert world.trouble() == trouble


def test_provider_that_is_down_is_not_asked_with_every_click() -> None:
    world = World()
    world.answers[DISCOVERY] = saying(503, {})
    provider = world.provider

    told = [world.trouble(provider) for _ in range(3)]
    asked = len(world.requests)
    world.clock.advance(seconds=6)
    world.answers.clear()

    assert told == ["down"] * 3
    assert asked == 1
    assert world.identify(provider).name == "ana"


def test_flood_of_returns_to_a_slow_provider_is_turned_away() -> None:
    world = World(max_seconds=0.5)
    world.answers[DISCOVERY] = dripping
    provider = world.provider

    async def flood() -> list[Any]:
        returns = [provider.identify(world.request(code="x")) for _ in range(MAX_WAITING + 5)]
        return await asyncio.gather(*returns, return_exceptions=True)

    told = [error.why for error in asyncio.run(flood()) if isinstance(error, ProviderError)]

    assert told.count(ProviderProblem.BUSY) == 5
    assert told.count(ProviderProblem.DOWN) == MAX_WAITING


def test_sign_out_leads_to_the_provider_and_back() -> None:
    world = World()

    url = asyncio.run(world.provider.sign_out_url("https://ops.test/sign-in"))

    assert url is not None
    assert url.startswith(f"{ISSUER}/leave?tenant=1&")
    assert query_of(url)["client_id"] == ["wppconnect-ops"]
    assert query_of(url)["post_logout_redirect_uri"] == ["https://ops.test/sign-in"]


@pytest.mark.parametrize("endpoint", [None, "javascript:alert(1)", "http://sso.test/leave", 7])
def test_sign_out_leads_nowhere_strange(endpoint: object) -> None:
    world = World()
    world.description["end_session_endpoint"] = endpoint

    assert asyncio.run(world.provider.sign_out_url("https://ops.test/sign-in")) is None


@pytest.mark.parametrize("state", ["", "of another sign-in"])
def test_return_of_another_sign_in_signs_nobody_in(state: str) -> None:
    world = World()

    assert world.trouble(state=state) == "stale"
    assert [one for one in world.requests if one.url.path == "/token"] == []


def test_key_that_the_provider_no_longer_has_signs_nobody_in_after_an_hour() -> None:
    world = World()
    provider = world.provider
    world.identify(provider)
    world.keys = [OTHER_KEY]

    world.clock.advance(hours=1, seconds=1)

    assert world.trouble(provider) == "untrusted"


def test_description_does_not_set_up_our_client() -> None:
    world = World()
    world.description |= {"follow_redirects": True, "base_url": "https://evil.test", "response_type": "token"}
    world.answers["/token"] = redirecting

    trouble = world.trouble()

    assert trouble == "settings"
    assert world.sent["response_type"] == ["code"]
    assert {request.url.host for request in world.requests} == {"sso.test"}


def test_keys_come_from_the_address_of_the_keys_only() -> None:
    world = World(key=OTHER_KEY)
    world.description["jwks"] = {"keys": [OTHER_KEY.as_dict(private=False)]}

    assert world.trouble() == "untrusted"


def test_claims_count_only_if_they_are_signed() -> None:
    world = World(scopes="email")
    signed_by_nobody = {"sub": "17", "preferred_username": "ana", "groups": ["wpp"]}
    world.answers["/token"] = lambda _request: saying(
        200, {"access_token": "a", "id_token": world.id_token(), "userinfo": signed_by_nobody}
    )(_request)

    assert world.trouble() == "untrusted"
