"""Ten old installations, each with the faults that people really had, and the sentences they get."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from cli.environment import read_environment
from cli.main import main
from core.settings.environment import load_environment
from tests.plugins.leaks import inspect, keep_secret

DATA = Path(__file__).parents[2] / "data" / "import"
OLD = sorted(path.name for path in DATA.iterdir())
SECRETS = (
    "5f2d8c1e9b7a4063",
    "leguas-wpp-2024-secret",
    "chave-do-servidor-9f8e7d6c5b4a",
    "chave/do#servidor",
    "$2b$10$N9qo8uLOickgx2ZMRZoMye",
    "0123456789abcdef",
    "django-insecure",
    "first-5f2d",
    "second-0c9b",
    "never closed",
    "painel.example.net",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the command is typed."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def old(name: str, tmp_path: Path) -> Path:
    """Copy an old installation, its files readable by their owner only."""
    folder = tmp_path / name
    shutil.copytree(DATA / name, folder)
    for path in folder.iterdir():
        path.chmod(0o600)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", OLD)
def test_an_old_installation_gets_the_right_sentences(
    name: str, tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = old(name, tmp_path)
    before = content(folder)

    main(["import", str(folder)])

    said = "".join(capsys.readouterr()).replace(str(tmp_path), "")
    assert said == (folder / "expected.txt").read_text()
    assert content(folder) == before
    assert list(here.iterdir()) == []
    keep_secret("old installation's secret", SECRETS)
    inspect(name, said)


WRITTEN = {
    "01-secret-key-ignored": {
        "WPPCONNECT_URL": "http://127.0.0.1:21465",
        "WPPCONNECT_SECRET_KEY": "THISISMYSECURETOKEN",
        "WPPCONNECT_SESSIONS": "leguas_wppconnect",
    },
    "02-raw-key-as-token": {
        "WPPCONNECT_URL": "http://127.0.0.1:21465",
        "WPPCONNECT_SECRET_KEY": "chave-do-servidor-9f8e7d6c5b4a",
        "WPPCONNECT_SESSIONS": "leguas_wppconnect",
    },
    "07-keys-that-differ": {
        "WPPCONNECT_URL": "https://wpp.example.net/gw",
        "WPPCONNECT_SECRET_KEY": "curta",
        "WPPCONNECT_SESSIONS": "leguas_wppconnect",
        "WPPCONNECT_WEBHOOK": "https://painel.example.net/webhook",
    },
    "08-secret-that-starts-nothing": {
        "WPPCONNECT_URL": "http://127.0.0.1:8021",
        "WPPCONNECT_SECRET_KEY": "chave/do#servidor?9f8e7d6c5b4a",
        "WPPCONNECT_SESSIONS": "leguas_wppconnect",
        "OPS_GATEWAY_CONTAINER": "wpp_da_empresa",
    },
}


@pytest.mark.parametrize(("name", "settings"), WRITTEN.items(), ids=WRITTEN)
def test_what_is_written_are_settings_that_we_accept(
    name: str, settings: dict[str, str], tmp_path: Path, here: Path
) -> None:
    assert main(["import", str(old(name, tmp_path)), "--write"]) == 0

    written = read_environment({}, here)
    assert written == settings
    assert stat.S_IMODE((here / ".env").stat().st_mode) == 0o600
    environment = load_environment(written)
    assert environment.server is not None
    assert environment.server.url == settings["WPPCONNECT_URL"]


def test_a_token_is_taken_over_where_no_secret_key_is_known(tmp_path: Path, here: Path) -> None:
    token = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
    (tmp_path / ".env").write_text(f"WPPCONNECT_URL=http://gw:21465\nWPPCONNECT_TOKEN='{token}'\n")

    assert main(["import", str(tmp_path), "--write"]) == 0
    assert read_environment({}, here)["WPPCONNECT_TOKEN"] == token


def test_a_file_of_ours_is_never_overwritten(
    tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / ".env").write_text("MINE=1\n")

    assert main(["import", str(old("02-raw-key-as-token", tmp_path)), "--write"]) == 1

    assert (here / ".env").read_text() == "MINE=1\n"
    said = capsys.readouterr().err
    assert "is there already and was not touched; set in it: WPPCONNECT_URL, WPPCONNECT_SECRET_KEY" in said


def test_the_older_panels_own_folder_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old("02-raw-key-as-token", tmp_path)
    before = content(folder)
    monkeypatch.chdir(folder)

    assert main(["import", ".", "--write"]) == 1
    assert content(folder) == before


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("01-secret-key-ignored", [".env", ".env.docker"]),
        ("05-no-volumes-no-host-name", ["docker-compose.yml"]),
    ],
    ids=["a reference is no secret", "a secret on a command line"],
)
def test_files_whose_secrets_everybody_can_read_are_named(
    name: str, named: list[str], tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = old(name, tmp_path)
    for path in folder.iterdir():
        path.chmod(0o644)

    main(["import", str(folder)])

    said = capsys.readouterr().out
    assert [line.rpartition(" ")[2] for line in said.splitlines() if "chmod 600" in line] == named


COMPOSE = "docker-compose.yml"
SERVICE = "services: {a: {image: x}}\n"
UNUSABLE = {
    "an env file that is a folder": ({".env": None}, ".env: cannot be read (Is a directory)"),
    "an env file with open quotes": ({".env": b"A=1\nB='x\n"}, ".env: line 2 opens quotes"),
    "an env file of another encoding": ({".env": b"A=1\nB=n\xe3o\n"}, ".env: line 2 is not UTF-8 text"),
    "a second env file": ({".env.docker": b'A="x\n'}, ".env.docker: line 1 opens quotes"),
    "a compose file that is a folder": ({COMPOSE: None}, f"{COMPOSE}: cannot be read (Is a directory)"),
    "a compose file that is no YAML": ({COMPOSE: b"services:\n  a: [\n"}, f"{COMPOSE}: line 3 is no valid"),
    "a compose file of another encoding": ({COMPOSE: b"# \xe3\n"}, f"{COMPOSE}: line 1 is not UTF-8 text"),
    "a compose file that is a list": ({COMPOSE: b"- a\n"}, f"{COMPOSE}: line 1 is no mapping"),
    "services as a list": ({COMPOSE: b"services:\n  - a\n"}, f"{COMPOSE}: line 2 gives services as"),
    "a service that is a word": ({COMPOSE: b"services:\n  a: b\n"}, f"{COMPOSE}: line 2 gives the service a"),
    "a key twice": ({COMPOSE: b"services:\n  a: {}\n  a: {}\n"}, f"{COMPOSE}: line 3 has a key a second"),
    "services at the top": ({COMPOSE: b"gw:\n  image: x\n"}, f"{COMPOSE}: line 1 has a key that belongs"),
    "an alias of itself": ({COMPOSE: b"services: &a\n  b: *a\n"}, f"{COMPOSE}: line 1 contains itself"),
    "an alias of nothing": ({COMPOSE: b"services:\n  b: *a\n"}, f"{COMPOSE}: line 2 is no valid YAML"),
    "an override": (
        {COMPOSE: SERVICE.encode(), "compose.override.yml": b"\tx"},
        "compose.override.yml: line 1 is no valid YAML",
    ),
    "an env file of a service": (
        {COMPOSE: b"services: {a: {image: x, env_file: gw.env}}\n", "gw.env": b"\nA='\n"},
        "gw.env: line 2 opens quotes",
    ),
    "an included file that is not there": ({COMPOSE: b"include: [sub.yml]\n"}, "sub.yml: is named by this"),
    "a file that includes itself": (
        {COMPOSE: f"include: [{COMPOSE}]\n".encode()},
        f"{COMPOSE}: it includes itself",
    ),
    "a base that is not there": (
        {COMPOSE: b"services: {a: {extends: b}}\n"},
        f"{COMPOSE}: it has no service b, which the service a extends",
    ),
}


@pytest.mark.parametrize(("files", "problem"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_used_ends_the_import(
    files: dict[str, bytes | None],
    problem: str,
    tmp_path: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    for name, content_ in files.items():
        (folder / name).mkdir() if content_ is None else (folder / name).write_bytes(content_)

    assert main(["import", str(folder), "--write"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert f"wppconnect-ops import: {problem}" in err
    assert "; " in err
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("WPPCONNECT_URL=http://gw:99999", "WPPCONNECT_URL has no valid host and port"),
        ("WPPCONNECT_HOST=a b", "WPPCONNECT_HOST has a blank"),
        ("WPPCONNECT_API_URL=http://me:pass-word@gw", "WPPCONNECT_API_URL contains a user name or password"),
        ("WPPCONNECT_URL=http://gw\nWPPCONNECT_PORT=tcp", "WPPCONNECT_PORT has no valid host and port"),
        ("WPPCONNECT_WEBHOOK_URL=app/hook", "WPPCONNECT_WEBHOOK_URL has no scheme"),
        ("WPPCONNECT_SECRET='s3\u200bcret'", "WPPCONNECT_SECRET has a line break or an invisible character"),
    ],
)
def test_a_value_that_is_no_setting_is_named_with_its_remedy_and_not_taken_over(
    line: str, problem: str, tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / ".env").write_text(f"{line}\n")
    (folder / "compose.yml").write_text("services: {wppconnect: {image: x, ports: ['127.0.0.1:1:21465']}}\n")

    assert main(["import", str(folder), "--write"]) == 0

    out = capsys.readouterr().out
    assert f".env: {problem}" in out
    assert "; it was not taken over" in out
    assert "pass-word" not in out
    assert "WPPCONNECT_URL='http://127.0.0.1:1'" in (here / ".env").read_text()


def test_a_volume_whose_variable_is_not_set_hides_nothing_else(
    tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "docker-compose.yml").write_text(
        "services:\n  wppconnect:\n    image: wppconnect/server-cli:1.3.18\n    volumes: ['${NOT_SET}']\n"
    )

    main(["import", str(folder)])

    assert "old-wppconnect-1 (wppconnect/server-cli:1.3.18)" in capsys.readouterr().out


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_without_a_gateway_is_code_2(
    exists: bool, tmp_path: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(tmp_path if exists else tmp_path / "none")]) == 2
    assert ("names no WPPConnect gateway" if exists else "is no folder") in capsys.readouterr().err
