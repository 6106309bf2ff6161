"""What administrators keep: a way in that nobody can spend, no click after their role, keys that stay."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from cli.users import users
from core.handoffs import Handoffs
from core.operations.record import read_status
from core.store import FileStore
from dashboard.auth.users import open_users
from simulator import Simulator
from tests.support.gate_server import (
    PASSWORD,
    add_user,
    cookie_of,
    create_administrator,
    hidden_fields,
    serving,
    set_first_password,
    sign_in,
)
from tests.support.live_core import FAST
from tests.support.page_stream import PageStream
from tests.support.stack import SECRET, Stack, stack
from tests.support.waiting import until

CHANGES = {"demoted": ("role", "viewer"), "disabled": ("disable", ""), "removed": ("remove", "")}
"""What happens to who clicks, as it is typed in a shell."""
SESSIONS = [
    f"{action}-{change}"
    for action in ("pairing", "hand-off")
    for change in ("unchanged", "foreign", *CHANGES)
]
"""One for each click: a session that is being paired offers other buttons."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Simulator]:
    with Simulator(secret_key=SECRET, times=FAST, sessions=SESSIONS) as running:
        yield running


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, gateway: Simulator) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("administrators")
    with stack(gateway, folder, WPPCONNECT_SESSIONS=",".join(SESSIONS)) as running:
        set_first_password(running.first_link(running.start_page()))
        until(lambda: all(running.seen(session) for session in SESSIONS), what="the sessions")
        yield running


@contextmanager
def tab_of(product: Stack, name: str) -> Iterator[PageStream]:
    """Open a tab in which a user is signed in."""
    url = product.page_url
    visitor = requests.Session()
    visitor.headers.update({"Accept": "text/html", "Origin": url})
    form = hidden_fields(visitor.get(f"{url}/sign-in", timeout=60).text)
    fields = {"name": name, "password": PASSWORD}
    visitor.post(f"{url}/sign-in", form | fields, allow_redirects=False, timeout=60)
    with connect(
        f"{url.replace('http', 'ws')}/_stcore/stream",
        origin=Origin(url),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": f"wppconnect_sign_in={cookie_of(visitor)}"},
        proxy=None,
    ) as stream:
        yield PageStream(stream)


def type_command(data: Path, action: str, name: str, role: str = "") -> None:
    """Type `wppconnect-ops users` in a shell on the page's machine."""
    environ = {"WPPCONNECT_DATA_DIR": str(data), "DASHBOARD_EXTERNAL_URL": "http://127.0.0.1:8501"}
    users.main([action, name, *filter(None, [role])], obj=environ, standalone_mode=False)


@dataclass(frozen=True)
class Action:
    """What an administrator does: the page, its button, what is typed, and whether it was done."""

    page: str
    button: str
    is_done: Callable[[Stack, str], bool]
    typed: dict[str, str] = field(default_factory=dict)


def is_paired(product: Stack, session: str) -> bool:
    return read_status(FileStore(product.data / "store"), "main", session) is not None


def is_handed_off(product: Stack, session: str) -> bool:
    return Handoffs(FileStore(product.data / "store"), print).newest("main", session) is not None


def is_session_added(product: Stack, session: str) -> bool:
    return f"session-of-{session}" in stored(product)


def is_user_added(product: Stack, session: str) -> bool:
    return open_users(FileStore(product.data / "store"), product.data).find(f"user-of-{session}") is not None


def stored(product: Stack) -> str:
    """Return everything that the page has saved of settings."""
    records = FileStore(product.data / "store").read_all("settings")
    return str([record.value for record in records.values()])


ACTIONS = {
    "pairing": Action("session", "repair-main-{}", is_paired),
    "hand-off": Action("session", "handoff-main-{}", is_handed_off),
    "settings": Action(
        "settings",
        "add-main",
        is_session_added,
        {"add-session-main-name": "session-of-{}"},
    ),
    "users": Action("users", "save-add-user", is_user_added, {"add-user-name": "user-of-{}"}),
}


def clicked(product: Stack, action: str, change: str, then: Callable[[str], None]) -> bool:
    """Do an action as an administrator to whom something happens before the click; was it done?"""
    does, name = ACTIONS[action], f"{action}-{change}"
    add_user(product.data, name)
    with tab_of(product, name) as tab:
        tab.open(does.page, server="main", session=name)
        then(name)
        tab.press(does.button.format(name), {key: text.format(name) for key, text in does.typed.items()})
        tab.read()
    return does.is_done(product, name)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("change", CHANGES)
def test_click_in_the_second_in_which_its_user_is_removed_or_demoted_does_nothing(
    product: Stack, action: str, change: str
) -> None:
    what, role = CHANGES[change]

    assert not clicked(product, action, change, lambda name: type_command(product.data, what, name, role))


@pytest.mark.parametrize("action", ACTIONS)
def test_same_click_of_who_stays_is_done(product: Stack, action: str) -> None:
    assert clicked(product, action, "unchanged", lambda _name: None)


@pytest.mark.parametrize("action", ACTIONS)
def test_button_that_a_viewer_is_not_offered_does_nothing_though_its_id_is_known(
    product: Stack, action: str
) -> None:
    does, name = ACTIONS[action], f"{action}-foreign"
    add_user(product.data, name)
    with tab_of(product, "admin") as tab:
        offered = tab.open(does.page, server="main", session=name).widgets
    type_command(product.data, "role", name, "viewer")

    with tab_of(product, name) as tab:
        tab.open(does.page, server="main", session=name)
        assert does.button.format(name) not in tab.widgets
        tab.widgets |= offered
        tab.press(does.button.format(name), {key: text.format(name) for key, text in does.typed.items()})
        tab.read()

    assert not does.is_done(product, name)


@dataclass
class Elsewhere:
    """Another server, which notes whether anybody connects to it."""

    listening: socket.socket

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def was_called(self) -> bool:
        try:
            self.listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield Elsewhere(listening)


ADDRESSES = {
    "gateway": ("save-main", "server-main-url", "server-main-secret_key"),
    "Alertmanager": ("save-alertmanager", "alertmanager-url", "alertmanager-bearer_token"),
}


@pytest.fixture
def moved(gateway: Simulator, tmp_path: Path) -> Iterator[Stack]:
    """A page of its own, whose addresses are changed."""
    with stack(
        gateway, tmp_path, WPPCONNECT_SESSIONS=SESSIONS[0], WPPCONNECT_INTERVAL_SECONDS="1"
    ) as running:
        set_first_password(running.first_link(running.start_page()))
        yield running


@pytest.mark.parametrize("kind", ADDRESSES)
def test_stored_key_goes_to_no_other_server_before_it_is_typed_again(
    moved: Stack, gateway: Simulator, elsewhere: Elsewhere, kind: str
) -> None:
    button, address, key = ADDRESSES[kind]
    with tab_of(moved, "admin") as tab:
        tab.open("settings")
        # Alertmanager has no address and no token yet; the gateway's stay as they are.
        tab.press(button, {address: gateway.url, key: SECRET})
        tab.read().open("settings")
        tab.press(button, {address: elsewhere.url})
        refused = tab.read().text
        await_probes(gateway)
        kept = not elsewhere.was_called()

        tab.press(button, {address: elsewhere.url, key: SECRET})
        tab.read()

    assert "This address is a different server" in refused
    assert kept
    until(lambda: elsewhere.url in stored(moved), what="the address, once the key is typed again")


def await_probes(gateway: Simulator) -> None:
    """Wait until the page has looked at its gateway again."""
    gateway.reset_requests()
    until(lambda: len(gateway.requests()["recent"]) > 3, what="probes")


@pytest.mark.parametrize(("allowed", "is_saved"), [("", True), ("127.0.0.0/30", True), ("127.0.0.1", False)])
def test_addresses_lead_only_where_the_operator_of_the_page_allows_it(
    gateway: Simulator, tmp_path: Path, allowed: str, is_saved: bool
) -> None:
    settings = {"WPPCONNECT_ALLOWED_HOSTS": allowed} if allowed else {}
    with stack(gateway, tmp_path, WPPCONNECT_SESSIONS=SESSIONS[0], **settings) as product:
        set_first_password(product.first_link(product.start_page()))
        with tab_of(product, "admin") as tab:
            tab.open("settings")
            tab.press(
                "save-main", {"server-main-url": "http://127.0.0.2:9", "server-main-secret_key": SECRET}
            )
            tab.read()

        assert ("http://127.0.0.2:9" in stored(product)) == is_saved


def test_administrator_whom_strangers_keep_out_gets_in_by_a_link_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path, DASHBOARD_TRUSTED_PROXIES="127.0.0.1") as server:
        create_administrator(server)
        for number in range(12):
            sign_in(server, "a guess", **{"X-Forwarded-For": f"203.0.113.{number}"})
        own = {"X-Forwarded-For": "198.51.100.7"}

        visitor = sign_in(server, **own)
        form = hidden_fields(visitor.get(f"{server.url}/sign-in").text)
        fields = {"name": "admin", "password": PASSWORD}
        answer = visitor.post(f"{server.url}/sign-in", form | fields, allow_redirects=False)
        type_command(tmp_path, "reset", "admin")
        link = capsys.readouterr().out.partition("#")[2].split()[0]
        response = set_first_password(f"{server.url}/sign-in/link#{link}")

    assert (answer.status_code, "wppconnect_sign_in" in visitor.cookies) == (429, False)
    assert "wppconnect-ops users reset NAME" in answer.text
    assert cookie_of(response)
