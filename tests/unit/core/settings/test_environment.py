"""The WPPCONNECT_* variables: defaults, one mistake per row with its exact text, and the data folder."""

import os
from pathlib import Path

import pytest

from core.exceptions import ConfigurationError
from core.models import TokenSource
from core.settings.environment import CoreEnvironment, load_environment, prepare_data_dir
from core.settings.loader import load_settings
from core.settings.values import ServerSettings, SessionSettings, Settings, Timeouts

URL = "http://127.0.0.1:21465"
BCRYPT = "$2b$10$" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"
NAME_RULE = "use 1 to 71 letters, digits, '_' or '-'"


def test_empty_environment_is_valid_and_means_no_server() -> None:
    environment = load_environment({})

    assert environment.server is None
    assert environment.interval_seconds == 5.0
    assert environment.timeouts == Timeouts()
    assert (environment.log_level, environment.log_format) == ("INFO", "text")
    assert environment.data_dir == Path("data")


def test_time_outs_by_default_are_those_of_the_contract() -> None:
    assert Timeouts().model_dump() == {
        "connect_seconds": 3.0,
        "healthz_seconds": 5.0,
        "show_all_seconds": 5.0,
        "status_seconds": 10.0,
        "check_connection_seconds": 10.0,
        "end_to_end_seconds": 15.0,
        "close_seconds": 15.0,
        "logout_seconds": 30.0,
        "start_seconds": 10.0,
        "start_waiting_seconds": 60.0,
        "generate_token_seconds": 10.0,
    }


def test_every_variable_is_read() -> None:
    environment = load_environment(
        {
            "WPPCONNECT_URL": f"{URL}/gateway/",
            "WPPCONNECT_SERVER_NAME": "second",
            "WPPCONNECT_SECRET_KEY": "k3y",
            "WPPCONNECT_TOKEN": BCRYPT,
            "WPPCONNECT_TOKEN_SOURCE": "LOCAL",
            "WPPCONNECT_SESSIONS": "sales,support",
            "WPPCONNECT_WEBHOOK": "https://app.example.org/hook",
            "WPPCONNECT_ENABLED": "false",
            "WPPCONNECT_DATA_DIR": "/srv/wppconnect",
            "WPPCONNECT_END_TO_END_MINUTES": "15",
            "WPPCONNECT_SELF_HEALING": "true",
            "WPPCONNECT_INTERVAL_SECONDS": "2.5",
            "WPPCONNECT_TIMEOUT_STATUS_SECONDS": "4",
            "WPPCONNECT_PROXY": "http://user:pw@proxy:3128/",
            "WPPCONNECT_LOG_LEVEL": "debug",
            "WPPCONNECT_LOG_FORMAT": "JSON",
        }
    )

    server = environment.server
    assert server is not None
    assert server.secret_key is not None
    assert server.token is not None
    assert environment.proxy is not None
    assert (server.name, server.url, server.enabled) == ("second", f"{URL}/gateway", False)
    assert (server.end_to_end_minutes, server.self_healing) == (15, True)
    assert (server.secret_key.get_secret_value(), server.token.get_secret_value()) == ("k3y", BCRYPT)
    assert server.token_source is TokenSource.LOCAL
    assert server.sessions == (
        SessionSettings(name="sales", webhook="https://app.example.org/hook"),
        SessionSettings(name="support", webhook="https://app.example.org/hook"),
    )
    assert (environment.interval_seconds, environment.timeouts.status_seconds) == (2.5, 4.0)
    assert environment.proxy.get_secret_value() == "http://user:pw@proxy:3128"
    assert environment.data_dir == Path("/srv/wppconnect")
    assert (environment.log_level, environment.log_format) == ("DEBUG", "json")


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        pytest.param(
            {"WPPCONNECT_URL": "localhost:21465"},
            "WPPCONNECT_URL: has no scheme; add http:// (or https://) in front",
            id="address without a scheme",
        ),
        pytest.param(
            {"WPPCONNECT_SERVER_NAME": "a/b"},
            "WPPCONNECT_SERVER_NAME: must be 1 to 40 letters, digits, '_' or '-'; choose such a name",
            id="server name",
        ),
        pytest.param(
            {"WPPCONNECT_TOKEN_SOURCE": "cloud"},
            "WPPCONNECT_TOKEN_SOURCE: must be auto, local or server",
            id="token source",
        ),
        pytest.param(
            {"WPPCONNECT_SESSIONS": "a b"},
            f"WPPCONNECT_SESSIONS: session name 'a b': {NAME_RULE}",
            id="no session with a name that can be used",
        ),
        pytest.param(
            {"WPPCONNECT_WEBHOOK": "app.example.org"},
            "WPPCONNECT_WEBHOOK: has no scheme; add http:// (or https://) in front",
            id="webhook",
        ),
        pytest.param(
            {"WPPCONNECT_ENABLED": "perhaps"}, "WPPCONNECT_ENABLED: must be true or false", id="boolean"
        ),
        pytest.param(
            {"WPPCONNECT_INTERVAL_SECONDS": "0.5"},
            "WPPCONNECT_INTERVAL_SECONDS: must be at least 1 and at most 300",
            id="interval too short",
        ),
        pytest.param(
            {"WPPCONNECT_INTERVAL_SECONDS": "301"},
            "WPPCONNECT_INTERVAL_SECONDS: must be at least 1 and at most 300",
            id="interval too long",
        ),
        *(
            pytest.param(
                {"WPPCONNECT_END_TO_END_MINUTES": minutes},
                "WPPCONNECT_END_TO_END_MINUTES: must be 0 (off), or 5 to 1440 minutes",
                id=f"end-to-end check every {minutes} minutes",
            )
            for minutes in ("4.9", "-5", "1441")
        ),
        pytest.param(
            {"WPPCONNECT_TIMEOUT_LOGOUT_SECONDS": "0"},
            "WPPCONNECT_TIMEOUT_LOGOUT_SECONDS: must be at least 0.1 and at most 300",
            id="time-out",
        ),
        pytest.param(
            {"WPPCONNECT_PROXY": "http://user:s3cretpw@proxy:3128/path"},
            "WPPCONNECT_PROXY: has a path; write only scheme, host and port, for example http://proxy:3128",
            id="proxy",
        ),
        pytest.param(
            {"WPPCONNECT_LOG_LEVEL": "loud"},
            "WPPCONNECT_LOG_LEVEL: must be DEBUG, INFO, WARNING or ERROR",
            id="log level",
        ),
        pytest.param(
            {"WPPCONNECT_LOG_FORMAT": "xml"}, "WPPCONNECT_LOG_FORMAT: must be text or json", id="log format"
        ),
        pytest.param(
            {"WPPCONNECT_TOKEN": "an-older-panels-api-key"},
            "WPPCONNECT_TOKEN: is a raw key and no bcrypt token, so the gateway refuses it; "
            "set the secret key instead",
            id="raw key without the secret key",
        ),
        pytest.param(
            {"WPPCONNECT_TOKEN": "$2b$10"},
            "WPPCONNECT_TOKEN: is a bcrypt token cut short, as Docker Compose does at a '$'; "
            "put the whole token in single quotes, or set the secret key",
            id="token cut by Docker Compose",
        ),
        pytest.param(
            {"WPPCONNECT_TOKEN": BCRYPT, "WPPCONNECT_SESSIONS": "sales,support"},
            "WPPCONNECT_TOKEN: serves one session only, and 2 are configured; set the secret key, "
            "or keep one session in the list of sessions",
            id="one token for two sessions",
        ),
        pytest.param(
            {"WPPCONNECT_TOKEN": f"support:{BCRYPT}", "WPPCONNECT_SESSIONS": "sales"},
            "WPPCONNECT_TOKEN: belongs to another session than the one in the list of sessions; "
            "correct either of them",
            id="token of another session",
        ),
    ],
)
def test_one_mistake_is_told_with_its_variable_and_remedy(environ: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_environment({"WPPCONNECT_URL": URL} | environ)

    assert caught.value.problems == (problem,)


@pytest.mark.parametrize(
    "environ",
    [
        {"WPPCONNECT_TOKEN": BCRYPT, "WPPCONNECT_SESSIONS": "sales"},
        {"WPPCONNECT_TOKEN": f"sales:{BCRYPT}", "WPPCONNECT_SESSIONS": "sales"},
        {"WPPCONNECT_TOKEN": BCRYPT, "WPPCONNECT_SECRET_KEY": "k3y", "WPPCONNECT_SESSIONS": "sales,support"},
        {"WPPCONNECT_SECRET_KEY": "k" * 67, "WPPCONNECT_SESSIONS": "sales"},
    ],
    ids=["token of one session", "full form", "token and secret key", "72 bytes exactly"],
)
def test_fitting_settings_raise_no_problem_and_no_warning(environ: dict[str, str]) -> None:
    loaded = load_settings(CoreEnvironment, {"WPPCONNECT_URL": URL} | environ)

    assert loaded.problems == ()
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("environ", "warning"),
    [
        (
            {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRETKEY": "k3y", "WPPCONNECT_TOKEN": BCRYPT},
            "WPPCONNECT_SECRETKEY: is not a setting of ours and is ignored; "
            "did you mean WPPCONNECT_SECRET_KEY?",
        ),
        (
            {"WPPCONNECT_SESSIONS": "sales"},
            "WPPCONNECT_URL: is not set; sessions wait for an address from the page, "
            "which gets no key or token",
        ),
        (
            {"WPPCONNECT_URL": URL},
            "WPPCONNECT_SECRET_KEY: is not set, and neither is WPPCONNECT_TOKEN; "
            "no session can be read until one is given",
        ),
        (
            {"WPPCONNECT_URL": f"{URL}/api", "WPPCONNECT_SECRET_KEY": "k3y"},
            "WPPCONNECT_URL: ends in /api, which is added to every call; leave it out",
        ),
        (
            {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRET_KEY": "THISISMYSECURETOKEN"},
            "WPPCONNECT_SECRET_KEY: is the gateway's public default, which everyone knows; "
            "set another one there and here",
        ),
        (
            {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRET_KEY": "a/b"},
            "WPPCONNECT_SECRET_KEY: holds '/', '#' or '?', and then a gateway starts no session at boot; "
            "use letters and digits",
        ),
        (
            {"WPPCONNECT_URL": URL, "WPPCONNECT_SECRET_KEY": "k3y", "WPPCONNECT_TOKEN": "rawkey"},
            "WPPCONNECT_TOKEN: is not a bcrypt token and is not used, since the secret key is set; remove it",
        ),
    ],
)
def test_doubtful_setting_is_a_warning(environ: dict[str, str], warning: str) -> None:
    loaded = load_settings(CoreEnvironment, environ)

    assert loaded.problems == ()
    assert loaded.warnings == (warning,)


def test_misspelt_secret_key_stands_beside_the_mistake_that_it_causes() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_environment({"WPPCONNECT_TOKEN": "rawkey", "WPPCONNECT_SECRETKEY": "k3y", "WPPCONNECT_URL": URL})

    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "WPPCONNECT_TOKEN",
        "also noticed",
        "  WPPCONNECT_SECRETKEY",
    ]


def test_unreadable_secret_file_is_not_also_called_a_missing_secret() -> None:
    loaded = load_settings(
        CoreEnvironment,
        {"WPPCONNECT_URL": URL, "WPPCONNECT_TOKEN": "rawkey", "WPPCONNECT_SECRET_KEY_FILE": "/nowhere/key"},
    )

    assert [problem.split(":")[0] for problem in loaded.problems] == ["WPPCONNECT_SECRET_KEY_FILE"]


def test_no_secret_is_seen_in_a_representation() -> None:
    server = ServerSettings(name="main", url=URL, secret_key="k3y-value", token="t0ken-value")  # type: ignore[arg-type]
    session = SessionSettings(name="sales", webhook="https://app/?key=hook-value")
    settings = Settings(revision=1, servers=(server,), proxy="http://u:proxy-value@p:1")

    shown = f"{server!r} {server} {session!r} {settings!r} {settings.model_dump_json(exclude={'proxy'})}"
    assert "-value" not in shown


def test_servers_and_sessions_are_found_by_name() -> None:
    session = SessionSettings(name="sales")
    server = ServerSettings(name="main", url=URL, sessions=(session,))
    settings = Settings(revision=0, servers=(server,))

    assert settings.server("main") is server
    assert settings.server("other") is None
    assert server.session("sales") is session
    assert server.session("other") is None


def test_data_folder_is_created_closed_to_others(tmp_path: Path) -> None:
    path = prepare_data_dir(CoreEnvironment(data_dir=tmp_path / "new" / "data"))

    assert path == tmp_path / "new" / "data"
    assert path.stat().st_mode & 0o777 == 0o700
    assert list(path.iterdir()) == []


def test_empty_data_folder_of_ours_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)

    path = prepare_data_dir(CoreEnvironment(data_dir=tmp_path / "data"))

    assert path.stat().st_mode & 0o777 == 0o700


def test_filled_folder_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o755)
    (tmp_path / "home" / "letter.txt").touch()

    path = prepare_data_dir(CoreEnvironment(data_dir=tmp_path / "home"))

    assert path.stat().st_mode & 0o777 == 0o755


def test_relative_data_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert prepare_data_dir(CoreEnvironment()) == tmp_path / "data"


def test_file_in_place_of_the_data_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(ConfigurationError) as caught:
        prepare_data_dir(CoreEnvironment(data_dir=tmp_path / "data"))

    assert caught.value.problems == (
        f"WPPCONNECT_DATA_DIR: {tmp_path}/data is not a folder; name a folder that this user can write to",
    )


def test_root_writes_nothing_into_the_data_folder_of_another_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    if os.geteuid() == 0:
        os.chown(data, 54321, 54321)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(ConfigurationError, match="could not read what root writes there; run this as"):
        prepare_data_dir(CoreEnvironment(data_dir=data))

    assert list(data.iterdir()) == []


def test_unusable_data_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError) as caught:
        prepare_data_dir(CoreEnvironment(data_dir=tmp_path / "file" / "data"))

    assert caught.value.problems == (
        f"WPPCONNECT_DATA_DIR: {tmp_path}/file/data cannot be used (Not a directory); "
        "name a folder that this user can write to",
    )


def test_data_folder_that_cannot_be_written_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"^WPPCONNECT_DATA_DIR: /proc/self cannot be used"):
        prepare_data_dir(CoreEnvironment(data_dir=Path("/proc/self")))
