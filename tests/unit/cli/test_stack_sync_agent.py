"""`make up` and the sync agent: off by default, on where a folder is named, removed when it is not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.environment import read_own_env
from cli.stack.__main__ import main
from tests.fakes.docker import FakeDocker, container

Make = Callable[..., int]


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    """A machine with an engine and Compose."""
    (tmp_path / "machine").mkdir()
    (tmp_path / "checkout").mkdir()
    return FakeDocker(tmp_path / "machine")


@pytest.fixture
def engine_socket(tmp_path: Path) -> Iterator[Path]:
    """The engine's socket, for its group."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        path.chmod(0o660)
        yield path


@pytest.fixture
def make(tmp_path: Path, docker: FakeDocker, engine_socket: Path) -> Make:
    """Type `make up` in an empty checkout."""
    ports = ("PAGE", "EXPORTER", "PROMETHEUS", "ALERTMANAGER", "GRAFANA")
    environ = {f"OPS_{one}_PORT": str(free_port()) for one in ports}
    environ |= {"PATH": str(docker.path), "DOCKER_HOST": f"unix://{engine_socket}"}
    return lambda **variables: main(["up"], environ | variables, tmp_path / "checkout")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_is_off_by_default(make: Make, tmp_path: Path) -> None:
    assert make() == 0

    found = read_own_env(tmp_path / "checkout/config/compose.env")[0]
    assert found["COMPOSE_PROFILES"] == "gateway"
    assert "OPS_DOCKER_GID" not in found
    assert not (tmp_path / "checkout/config/sync").exists()


def test_naming_the_folder_starts_it_with_the_sockets_group(
    make: Make, tmp_path: Path, engine_socket: Path
) -> None:
    assert make(OPS_SYNC_FOLDER=str(tmp_path)) == 0

    found = read_own_env(tmp_path / "checkout/config/compose.env")[0]
    assert found["COMPOSE_PROFILES"] == "gateway,sync"
    assert found["OPS_DOCKER_GID"] == str(engine_socket.stat().st_gid)
    assert found["OPS_DOCKER_SOCKET"] == str(engine_socket)
    sync_file = tmp_path / "checkout/config/sync/sync.yml"
    assert f"project: {tmp_path}" in sync_file.read_text()
    assert sync_file.stat().st_mode & 0o004


def test_a_sync_file_that_is_there_is_never_changed(make: Make, tmp_path: Path) -> None:
    make(OPS_SYNC_FOLDER=str(tmp_path))
    sync_file = tmp_path / "checkout/config/sync/sync.yml"
    sync_file.write_text("folders: {mine: /srv/mine}\n")

    make(OPS_SYNC_FOLDER=str(tmp_path))

    assert sync_file.read_text() == "folders: {mine: /srv/mine}\n"


def test_an_agent_that_nobody_wants_any_more_is_removed(make: Make, docker: FakeDocker) -> None:
    docker.tell(containers={"wppconnect-ops-sync-agent-1": container("wppconnect-ops-sync-agent-1")})

    make()

    assert len(docker.calls("rm", "--stop", "--force", "sync-agent")) == 1


def test_an_agent_that_is_wanted_is_not_removed(make: Make, docker: FakeDocker, tmp_path: Path) -> None:
    docker.tell(containers={"wppconnect-ops-sync-agent-1": container("wppconnect-ops-sync-agent-1")})

    make(OPS_SYNC_FOLDER=str(tmp_path))

    assert docker.calls("rm") == []


REFUSED = [
    pytest.param(
        {"COMPOSE_PROFILES": "gateway,sync"},
        "OPS_SYNC_FOLDER: is not set, and COMPOSE_PROFILES asks for sync; name the folder whose files the "
        "sync agent may write (docs/sync.md)",
        id="no folder",
    ),
    pytest.param(
        {"OPS_SYNC_FOLDER": "leguas"},
        "OPS_SYNC_FOLDER: leguas is no folder here; write the absolute path of the one with the files",
        id="a relative folder",
    ),
    pytest.param(
        {"OPS_SYNC_FOLDER": "/", "COMPOSE_PROFILES": "gateway"},
        "COMPOSE_PROFILES: has no sync, and OPS_SYNC_FOLDER is set; add sync, or take OPS_SYNC_FOLDER out",
        id="profiles without it",
    ),
    pytest.param(
        {"OPS_SYNC_FOLDER": "/", "DOCKER_HOST": "ssh://elsewhere"},
        "OPS_SYNC_FOLDER: the engine is on another machine, and so are its folders; run `make up` there",
        id="an engine elsewhere",
    ),
    pytest.param(
        {"OPS_SYNC_FOLDER": "/", "OPS_DOCKER_SOCKET": "/nowhere/docker.sock"},
        "OPS_DOCKER_SOCKET: /nowhere/docker.sock cannot be looked at (no such file or directory); name the "
        "engine's socket",
        id="no socket",
    ),
]


@pytest.mark.parametrize(("variables", "sentence"), REFUSED)
def test_refuses_with_a_sentence_that_names_the_remedy(
    make: Make, variables: dict[str, str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(**variables) == 2

    assert capsys.readouterr().err == f"make up: {sentence}\n"


def test_a_socket_that_its_group_may_not_use_is_refused(
    make: Make, engine_socket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine_socket.chmod(0o600)

    assert make(OPS_SYNC_FOLDER="/") == 2

    assert f"the group of {engine_socket} may not use it" in capsys.readouterr().err
