"""What `make up` does with the lines of `.env`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.environment import read_own_env
from cli.stack.files import quoted
from tests.unit.cli.checkout import Checkout

ROOT = Path(__file__).parents[3]


def test_make_up_needs_no_package() -> None:
    program = "import sys, cli.stack.__main__; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert (
        set(done.stdout.split()) - sys.stdlib_module_names
        == {"cli", "core", "__main__"} - sys.stdlib_module_names
    )


@pytest.mark.parametrize(
    "line",
    [
        "\ufeffWPPCONNECT_URL=http://127.0.0.1:21465",
        "WPPCONNECT_URL=http://${GATEWAY_HOST}:21465",
        "DASHBOARD_EXTERNAL_URL=https://ops.$DOMAIN",
        "WPPCONNECT_SECRET_KEY=pa$$wordpa$$word0123456789",
        "WPPCONNECT_SESSIONS='a' # the first",
        "WPPCONNECT_SESSIONS=a\t# the first",
        "export WPPCONNECT_SESSIONS='a'",
        "WPPCONNECT_SESSIONS: a",
        "OPS_PAGE_PORT+=1",
        "TZ='UTC",
    ],
)
def test_line_of_env_that_its_readers_take_differently_stops_make_up(
    checkout: Checkout, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = "" if line.startswith("\ufeff") else "DOMAIN=example.org\n"
    checkout.write(f"{before}{line}\nWPPCONNECT_LOG_LEVEL='INFO'\n")

    code = checkout.make("up")

    said = capsys.readouterr().err
    assert code == 2
    assert f".env: line {2 if before else 1} " in said
    assert "pa$$" not in said
    assert not (checkout.directory / "config").exists()
    assert checkout.docker.calls("up") == []


def test_line_of_another_program_in_env_stops_nothing(checkout: Checkout) -> None:
    checkout.write("OTHER=${X} # y\nWPPCONNECT_SECRET_KEY='0123456789abcdef0123456789abcdef'\n")

    assert checkout.make("up") == 0


def test_env_that_is_no_text_stops_make_up_by_its_name(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.directory / ".env").write_bytes(b"WPPCONNECT_SECRET_KEY='\xff'\n")

    assert checkout.make("up") == 2
    assert ".env: line 1 is not UTF-8 text" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["down", "logs"])
def test_line_that_stops_make_up_does_not_stop_what_ends_and_shows_the_containers(
    checkout: Checkout, command: str
) -> None:
    checkout.write("WPPCONNECT_SESSIONS='a' # the first\n")

    checkout.make(command)

    assert len(checkout.docker.calls(command)) == 1


@pytest.mark.parametrize("value", ["it's", "two\nlines", "two\\\\backslashes", "last\\"])
def test_value_that_no_env_file_can_hold_is_not_written(value: str) -> None:
    with pytest.raises(ValueError, match="not every reader"):
        quoted(value)


def test_a_quoted_value_is_read_back(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"A={quoted('$2b$10$abc#d e')}\n")

    assert read_own_env(tmp_path / ".env") == ({"A": "$2b$10$abc#d e"}, [])


SECRET = "WPPCONNECT_SECRET_KEY='0123456789abcdef0123456789abcdef'\n"


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("DASHBOARD_LISTEN_ADDRESS=':80'", "DASHBOARD_LISTEN_ADDRESS: is not passed on to the containers"),
        ("WPPCONNECT_DATA_DIR='/srv'", "WPPCONNECT_DATA_DIR: is not passed on to the containers"),
        ("WPPCONNECT_SELFHEALING='true'", "WPPCONNECT_SELFHEALING: is not passed on, since it is no setting"),
        ("EXPORTER_WEB_CONFIG_FILE='web.yml'", "EXPORTER_WEB_CONFIG_FILE: web.yml is looked for inside"),
    ],
)
def test_setting_that_no_container_gets_is_named(
    checkout: Checkout, line: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.write(f"{SECRET}{line}\n")

    assert checkout.make("up") == 0
    assert f"note: {note}" in capsys.readouterr().out


def test_settings_that_are_passed_on_are_passed_in_silence(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.write(f"{SECRET}WPPCONNECT_SELF_HEALING='true'\nOPS_ALERT_GRACE='2m'\nDASHBOARD_OIDC_NAME=''\n")

    assert checkout.make("up") == 0
    assert "note:" not in capsys.readouterr().out


def test_the_image_says_the_digest_of_its_base(checkout: Checkout) -> None:
    checkout.write("WPPCONNECT_SECRET_KEY='k'\nOPS_PYTHON_IMAGE='python:3.13-slim@sha256:abc'\n")

    assert checkout.make("up") == 0
    assert checkout.found["OPS_BASE_DIGEST"] == "sha256:abc"


def test_an_objective_adds_rules(checkout: Checkout) -> None:
    checkout.write("WPPCONNECT_SECRET_KEY='k'\nOPS_UPTIME_OBJECTIVE='99.9'\n")

    assert checkout.make("up") == 0
    written = checkout.directory / "config" / "rules" / "error_budget.yml"
    assert "vector(0.999)  # objective" in written.read_text()


def test_file_that_an_override_can_mount_is_no_matter(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.write(f"{SECRET}EXPORTER_WEB_CONFIG_FILE='/run/web.yml'\n")
    (checkout.directory / "docker-compose.override.yml").write_text("services: {}\n")

    assert checkout.make("up") == 0
    assert "note:" not in capsys.readouterr().out


def test_setting_in_ops_env_that_env_would_win_over_has_to_move(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.write(SECRET)
    (checkout.directory / "ops.env").write_text("WPPCONNECT_SELF_HEALING='true'\nHTTPS_PROXY='http://p:1'\n")

    assert checkout.make("up") == 2
    assert capsys.readouterr().err == (
        "make up: ops.env: WPPCONNECT_SELF_HEALING is taken from .env now, which wins; move the line there\n"
    )


def test_gateway_that_is_there_may_be_watched_with_one_sessions_token(checkout: Checkout) -> None:
    checkout.write("WPPCONNECT_URL='http://gateway.example:21465'\nWPPCONNECT_TOKEN='t'\n")

    assert checkout.make("up") == 0
    assert checkout.found["OPS_SECRET_KEY_FILE"] == ""
    assert checkout.secret() == ""
