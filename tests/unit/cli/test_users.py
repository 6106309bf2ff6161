"""`wppconnect-ops users`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.main import main
from core.store import FileStore, History
from dashboard.auth.links import SignInLinks, note_address
from dashboard.auth.users import Users

URL = "https://ops.example.org"


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WPPCONNECT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DASHBOARD_EXTERNAL_URL", URL)
    monkeypatch.chdir(tmp_path)


def users(tmp_path: Path) -> Users:
    return Users(FileStore(tmp_path / "data" / "store"))


def test_an_empty_installation_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "list"]) == 0

    assert "wppconnect-ops users add NAME --role administrator" in capsys.readouterr().out


def test_added_user_gets_a_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "add", "ana", "--role", "administrator"]) == 0

    link = capsys.readouterr().out.split()[-1]
    assert link.startswith(f"{URL}/sign-in/link#")
    assert SignInLinks(users(tmp_path), b"key").exchange(link.partition("#")[2])
    assert main(["users", "list"]) == 0
    assert capsys.readouterr().out.startswith("ana  administrator  password  has a link, valid until 20")


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_the_first_user_must_be_an_administrator(
    tmp_path: Path, role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["users", "add", "rui", "--role", role]) == 1

    assert capsys.readouterr().err == (
        "wppconnect-ops users: nobody could administer the page, and its first sign-in link would be gone; "
        "begin with an administrator: wppconnect-ops users add NAME --role administrator\n"
    )
    assert not users(tmp_path).exist
    assert main(["users", "add", "ana", "--role", "administrator"]) == 0
    assert main(["users", "add", "rui", "--role", role]) == 0


def test_lost_password_of_the_only_administrator_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users(tmp_path).create_first("ana", "forgotten")

    assert main(["users", "reset", "ANA"]) == 0

    links = SignInLinks(users(tmp_path), b"key")
    grant = links.of(links.exchange(capsys.readouterr().out.strip().partition("#")[2]))
    assert grant
    links.set_password(grant, "new")
    found = users(tmp_path).find("ana")
    assert found
    assert found.password_hash == "new"


def test_users_are_switched_off_and_on_changed_and_removed(tmp_path: Path) -> None:
    users(tmp_path).create_first("ana", "hash")
    main(["users", "add", "rui"])

    assert main(["users", "role", "rui", "operator"]) == 0
    assert main(["users", "disable", "rui"]) == 0
    disabled = users(tmp_path).find("rui")
    assert main(["users", "enable", "rui"]) == 0
    enabled = users(tmp_path).find("rui")
    assert main(["users", "remove", "rui"]) == 0

    assert disabled
    assert (disabled.role.value, disabled.disabled) == ("operator", True)
    assert enabled
    assert not enabled.disabled
    assert users(tmp_path).find("rui") is None
    changes = [entry.data["change"] for entry in History(tmp_path / "data" / "history").read()]
    assert changes == ["added", "role", "disabled", "enabled", "removed"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["remove", "ana"], "nobody would be left to administer the page", id="the last one"),
        pytest.param(["disable", "eve"], "there is no user eve; `wppconnect-ops users list`", id="unknown"),
        pytest.param(["add", "Ana"], "the name is taken", id="taken"),
        pytest.param(["add", "a b"], "the name must be 1 to 64 letters, digits", id="strange"),
    ],
)
def test_what_cannot_be_done_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    users(tmp_path).create_first("ana", "hash")

    assert main(["users", *arguments]) == 1

    assert told in capsys.readouterr().err


def test_wrong_settings_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DASHBOARD_UNKNOWN_USER_ROLE", "guest")

    assert main(["users", "list"]) == 2

    assert "DASHBOARD_UNKNOWN_USER_ROLE: must be none or a role" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("noted", "external", "address"),
    [
        ("http://127.0.0.1:9876", None, "http://127.0.0.1:9876"),
        ("http://127.0.0.1:9876", URL, URL),
        (None, None, "http://127.0.0.1:8501"),
    ],
    ids=["where the page listens", "the published address", "the default before the first start"],
)
def test_link_leads_to_where_the_page_really_is(
    noted: str | None,
    external: str | None,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DASHBOARD_EXTERNAL_URL")
    if external:
        monkeypatch.setenv("DASHBOARD_EXTERNAL_URL", external)
    (tmp_path / "data").mkdir(mode=0o700)
    if noted:
        note_address(tmp_path / "data", noted)

    main(["users", "add", "ana", "--role", "administrator"])

    assert capsys.readouterr().out.split()[-1].startswith(f"{address}/sign-in/link#")
