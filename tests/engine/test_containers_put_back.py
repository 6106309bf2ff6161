"""What happens when a recreated container is no good, or somebody leaves: one of that name runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import ContainerError, StoreError, SyncError
from core.messages import Message
from core.sync.progress import StepEvent, StepState
from core.sync.targets import ContainerSettings
from tests.support.containers import (
    COMPOSE,
    ENV,
    KEY,
    NEW,
    OLD,
    ImpatientSessions,
    MakeProject,
)
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy
from tests.support.mounts import small_disk

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BAD: list[Any] = [
    pytest.param(f'[ "$$API_KEY" = {OLD} ] || exit 3; sleep 1d', "", "exit code 3", id="exits at once"),
    pytest.param(
        f'[ "$$API_KEY" = {OLD} ] || exit 3; sleep 1d', "restart: always", "again", id="exits again and again"
    ),
    pytest.param(
        "sleep 1d",
        f"healthcheck: {{test: 'test $$API_KEY = {OLD}', interval: 0.2s, retries: 1, timeout: 2s}}",
        "is unhealthy",
        id="is unhealthy",
    ),
]


@pytest.mark.parametrize(("command", "more", "why"), BAD)
def test_everything_is_put_back_when_the_new_container_is_no_good(
    make_project: MakeProject, command: str, more: str, why: str
) -> None:
    project = make_project("bad")
    compose = COMPOSE.replace("sleep 1d", f"sh -c '{command}'") + f"    {more}\n"
    project.write(compose.replace("{test", "{{test").replace("2s}", "2s}}"))
    project.up()
    before = project.files()

    with pytest.raises(ContainerError, match=why) as caught:
        project.apply()

    assert "runs with what they hold" in str(caught.value)
    assert NEW not in str(caught.value)
    assert project.files() == before
    assert project.key() == OLD
    assert not project.installation.sync.is_interrupted


def test_who_leaves_in_the_middle_leaves_a_running_container(make_project: MakeProject) -> None:
    project = make_project("left")
    project.write()
    project.up()

    def leave(event: StepEvent) -> None:
        if event.step == "wait_healthy":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.apply(report=leave)

    assert project.key() == OLD
    assert project.files()[".env"] == ENV


def test_who_leaves_while_sessions_reconnect_leaves_the_new_container(make_project: MakeProject) -> None:
    project = make_project("waits", sessions=ImpatientSessions(known=("sales",)))
    project.listed = (ContainerSettings(name=project.name, folder="leguas", reads=(KEY,), gateway="main"),)
    project.write(COMPOSE + "    working_dir: /srv\n    volumes: ['./data:/srv']\n")
    project.up()

    done = project.apply()

    assert done.lost_sessions == ("main/sales",)
    assert project.key() == NEW


def test_one_that_cannot_be_put_back_does_not_stop_the_others(make_project: MakeProject) -> None:
    project = make_project("many")
    second = COMPOSE.replace("services:", "").replace("  app:", "  second:").replace("{name}", "{name}-2")
    bad = COMPOSE.replace("services:", "").replace("  app:", "  third:").replace("{name}", "{name}-3")
    bad = bad.replace("sleep 1d", f"sh -c '[ $$API_KEY = {OLD} ] && [ ! -e /gone/file ] || exit 3; sleep 1d'")
    (project.folder / "gone").mkdir(parents=True)
    project.write(COMPOSE + second + bad + "    volumes: ['./gone:/gone']\n")
    project.listed = tuple(
        ContainerSettings(name=f"{project.name}{one}", folder="leguas", reads=(KEY,))
        for one in ("", "-2", "-3")
    )
    project.up()
    project.expected = {one.name: "running" for one in project.listed}

    def spoil(event: StepEvent) -> None:
        if event.step == "put_back" and not event.subject:
            (project.folder / "gone" / "file").touch()

    with pytest.raises(SyncError, match="not everything could be put back") as caught:
        project.apply(report=spoil)
    held = {name: project.key(name) for name in (project.name, f"{project.name}-2")}
    (project.folder / "gone" / "file").unlink()
    mended = project.recover()

    assert f"; {project.name}-3 does not run; the new container ended at once" in str(caught.value)
    assert "--force-recreate third`" in str(caught.value)
    assert held == {project.name: OLD, f"{project.name}-2": OLD}
    assert mended is not None
    assert mended.code == "undone"
    assert project.key(f"{project.name}-3") == OLD


@pytest.mark.parametrize("call", ["/create", "/stop", "/rename", "/start"])
def test_engine_that_goes_away_half_way_is_mended_when_it_is_back(
    make_project: MakeProject, docker_engine: Engine, tmp_path: Path, call: str
) -> None:
    project = make_project("away")
    project.write()
    project.up()
    with engine_proxy(tmp_path, docker_engine.host) as proxy:
        proxy.passes = lambda asked: not asked.endswith(call)
        project.host = proxy.host

        with pytest.raises(SyncError, match="retries automatically"):
            project.apply()
        project.host = docker_engine.host
        mended = project.recover()

    assert mended is not None
    assert mended.code == "undone"
    assert project.key() == OLD
    assert project.files()[".env"] == ENV


def test_container_that_keeps_the_discarded_key_is_named_with_the_command(make_project: MakeProject) -> None:
    project = make_project("keeps")
    healthy = f"{{{{test: 'test $$API_KEY = {OLD}', interval: 0.2s, retries: 1, timeout: 2s}}}}"
    project.write(f"{COMPOSE}    healthcheck: {healthy}\n")
    project.up()
    file = project.folder / "docker-compose.yml"
    text = file.read_text()

    def spoil(event: StepEvent) -> None:
        if event.step == "put_back" and not event.subject:
            file.write_text("services: [\n")

    with pytest.raises(SyncError) as caught:
        project.apply(report=spoil)
    kept = project.key()
    file.write_text(text)
    mended = project.recover()

    assert kept == NEW
    assert f"; {project.name} still runs with the discarded values; " in str(caught.value)
    assert "--force-recreate app`" in str(caught.value)
    assert mended is not None
    assert project.key() == OLD


def test_of_two_administrators_at_once_the_second_changes_nothing(make_project: MakeProject) -> None:
    project = make_project("two")
    project.write()
    project.up()
    second: list[Message] = []

    def meanwhile(event: StepEvent) -> None:
        if (event.step, event.state) == ("recreate", StepState.RUNNING):
            with pytest.raises(SyncError) as busy:
                project.apply(f"{NEW}-of-another")
            second.append(busy.value.explanation)

    done = project.apply(report=meanwhile)

    assert [one.id for one in second] == ["changes.busy"]
    assert done.recreated == (project.name,)
    assert project.key() == NEW
    assert project.files()[".env"] == f"{KEY}={NEW}\n"


DISKS: list[Any] = [
    pytest.param("leguas", ("write", StepState.RUNNING), "sleep 1d", OLD, id="of the files"),
    pytest.param("data", ("write", StepState.RUNNING), "sleep 1d", OLD, id="ours, before a file is written"),
    pytest.param("data", ("write", StepState.DONE), "sleep 1d", OLD, id="ours, before the containers"),
    pytest.param(
        "data",
        ("recreate", StepState.RUNNING),
        f'sh -c "[ $$API_KEY = {OLD} ] || exit 3; sleep 1d"',
        OLD,
        id="ours, before a container that is no good",
    ),
]


@pytest.mark.parametrize(("folder", "step", "command", "key"), DISKS)
def test_disk_that_is_full_half_way_leaves_the_old_key_running(
    make_project: MakeProject, tmp_path: Path, folder: str, step: Any, command: str, key: str
) -> None:
    project = make_project("full")
    (tmp_path / folder).mkdir(exist_ok=True)
    with small_disk(tmp_path / folder, 256) as disk:
        project.write(COMPOSE.replace("sleep 1d", command))
        project.up()

        def fill(event: StepEvent) -> None:
            if (event.step, event.state) == step:
                fill_up(disk)

        with pytest.raises((SyncError, StoreError, ContainerError)):
            project.apply(report=fill)
        running, files = project.key(), project.files()
        (disk / "filler").unlink()
        project.recover()

        assert running == key
        assert files[".env"] == f"{KEY}={key}\n"
        assert project.key() == key
        assert project.installation.api_key() is None
        assert not project.installation.sync.is_interrupted


def fill_up(disk: Path) -> None:
    """Leave no byte free."""
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(bytes(4096)):
            pass
