"""What the settings page asks a gateway."""

from __future__ import annotations

from datetime import timedelta

from page_world import NOW, FakeCore
from watched_gateway import FakeClient

from core.exceptions import SecretKeyRejectedError
from core.settings.values import ServerSettings
from dashboard.settings_page import checks


def test_discovered_sessions_arrive_paused(core: FakeCore) -> None:
    core.client = lambda server: FakeClient("sales", "new-one", "a:b")

    found = checks.discover(core, "main", actor="ana")

    assert found == checks.Discovery(added=("new-one",), known=("sales",), odd=("a:b",))
    server: ServerSettings | None = core.settings.current().server("main")
    assert server is not None
    added = server.session("new-one")
    assert added is not None
    assert not added.enabled


def test_session_that_somebody_adds_while_the_gateway_is_asked_stays_as_it_is(core: FakeCore) -> None:
    class Slow(FakeClient):
        def list_sessions(self) -> tuple[str, ...] | None:
            core.settings.edit(lambda saved: saved.with_session("main", "new-one", enabled=True), actor="rui")
            return super().list_sessions()

    core.client = lambda server: Slow("new-one", "other")

    checks.discover(core, "main", actor="ana")

    server = core.settings.current().server("main")
    assert server is not None
    found = {one.name: one.enabled for one in server.sessions}
    assert (found["new-one"], found["other"]) == (True, False)


def test_a_list_of_unknown_shape_is_not_taken_for_no_sessions(core: FakeCore) -> None:
    client = FakeClient()
    client.known = None
    core.client = lambda server: client

    assert checks.discover(core, "main", actor="ana") == checks.Discovery(problem="unreadable")


def test_a_refused_secret_key_is_told(core: FakeCore) -> None:
    client = FakeClient()
    client.listing_error = SecretKeyRejectedError("the secret key is not the gateway's", status_code=400)
    core.client = lambda server: client

    found = checks.discover(core, "main", actor="ana")

    assert found.problem == "SecretKeyRejectedError"


def test_a_gateway_that_tells_thousands_of_names_does_not_fill_the_page(core: FakeCore) -> None:
    many = tuple(f"name-{number}" for number in range(5000))
    core.client = lambda server: FakeClient(*many, *many, *(f"<{one}>" for one in many))

    found = checks.discover(core, "main", actor="ana")

    assert found.added == many[: checks.MOST_ADDED]
    assert len(found.odd) == checks.MOST_ODD_SHOWN


def test_an_answer_holds_for_two_minutes_of_an_unchanged_gateway(core: FakeCore) -> None:
    server = core.settings.current().server("main")
    assert server is not None
    asked = checks.Asked(checks.Discovery(), "ana", NOW, checks.without_sessions(server), up=True)
    moved = server.model_copy(update={"url": "http://10.0.0.9:21465"})

    assert asked.holds(server, up=True, now=NOW + timedelta(seconds=119))
    assert not asked.holds(server, up=True, now=NOW + timedelta(seconds=121))
    assert not asked.holds(server, up=False, now=NOW)
    assert not asked.holds(moved, up=True, now=NOW)
    assert not asked.holds(None, up=True, now=NOW)
