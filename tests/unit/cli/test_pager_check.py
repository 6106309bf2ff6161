from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cli.main import main
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore


@pytest.fixture(autouse=True)
def _folder_without_dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "set it to Alertmanager's address, for example http://127.0.0.1:9093"),
        ("127.0.0.1:9093", "has no scheme"),
        ("ftp://example.org", "must begin with http:// or https://"),
        ("http://", "has no valid host and port"),
        ("http://127.0.0.1:9093/?a=b", "has a '?' or '#'"),
    ],
)
def test_missing_or_wrong_address_is_a_configuration_mistake(
    url: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["test-pager", "--timeout", "1"], {"ALERTMANAGER_URL": url}) == 2
    assert f"ALERTMANAGER_URL: {problem}" in capsys.readouterr().err


def test_address_that_was_saved_on_the_page_wins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"ALERTMANAGER_URL": "http://127.0.0.1:1", "WPPCONNECT_DATA_DIR": str(tmp_path / "data")}
    source = SettingsSource(load_environment(environ), FileStore(tmp_path / "data" / "store"))
    saved = source.saved().with_program(alertmanager_url="http://127.0.0.1:2")
    source.save(saved, expected_revision=0, actor="ana")

    assert main(["test-pager", "--timeout", "1"], environ) == 1
    assert "http://127.0.0.1:2 cannot be reached" in capsys.readouterr().err


def test_address_may_stand_in_the_dotenv_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / ".env").write_text(f"ALERTMANAGER_URL=http://user:secret@127.0.0.1:{port}\n")

    assert main(["test-pager", "--timeout", "1"], {}) == 1

    told = capsys.readouterr().err
    assert f"http://127.0.0.1:{port} cannot be reached" in told
    assert "secret" not in told
