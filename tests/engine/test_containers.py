"""Keys brought into the containers of a real Compose project: after every test, one of that name runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core.exceptions import ContainerError
from core.sync.plan import ContainerAction
from core.sync.sync import PlanRefusedError
from core.sync.targets import ContainerSettings, State
from tests.meta.source import ROOT
from tests.support.containers import (
    BUSYBOX,
    COMPOSE,
    ENV,
    KEY,
    NEW,
    OLD,
    MakeProject,
    RememberedSessions,
)
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy
from tests.support.sync import target

pytestmark = pytest.mark.timeout(240)
WAITING = {
    "mem_limit: 64m": "settings of the service",
    "healthcheck: {test: 'true', interval: 30s}": "settings of the service",
    "cap_add: [NET_ADMIN]": "settings of the service",
    "restart: always": "settings of the service",
    "environment: {OTHER: '1', API_KEY: '${API_KEY}'}": "OTHER",
    "volumes: ['./data:/data']": "settings of the service",
}


def overriding(text: str) -> str:
    """An override file that adds to the service."""
    return f"services:\n  app:\n    {text}\n"


def test_key_arrives_and_compose_is_content_afterwards(make_project: MakeProject) -> None:
    project = make_project("plain")
    project.write(COMPOSE + "    volumes: ['/anonymous']\n")
    project.up()
    before = project.inspect()
    mounts = {one["Name"] for one in before["Mounts"]}

    planned = project.planned()
    done = project.apply()

    after = project.inspect()
    project.up()
    assert (planned.action, planned.waiting) == (ContainerAction.RECREATE, ())
    assert (done.code, done.recreated, done.by_hand) == ("applied", (project.name,), ())
    assert project.key() == NEW
    assert project.inspect()["Id"] == after["Id"] != before["Id"]
    assert {one["Name"] for one in after["Mounts"]} == mounts
    assert project.files()[".env"] == f"{KEY}={NEW}\n"
    assert project.planned().action is ContainerAction.NOTHING


ELSEWHERE = overriding(f"environment: {{API_KEY: {OLD}}}")
CHOSEN_FILES: list[Any] = [
    pytest.param("--env-file .env.prod", {}, {".env.prod": ENV}, id="another env file"),
    pytest.param("--env-file .env --env-file .env.prod", {}, {".env.prod": ENV}, id="two env files"),
    pytest.param("", {"COMPOSE_ENV_FILES": ".env.prod"}, {".env.prod": ENV}, id="COMPOSE_ENV_FILES"),
    pytest.param("--file docker-compose.yml --file prod.yml", {}, {"prod.yml": ELSEWHERE}, id="another file"),
    pytest.param("", {}, {"docker-compose.override.yml": ELSEWHERE}, id="an override file"),
]


@pytest.mark.parametrize(("options", "variables", "files"), CHOSEN_FILES)
def test_file_that_compose_does_not_take_the_key_from_is_refused(
    make_project: MakeProject, options: str, variables: dict[str, str], files: dict[str, str]
) -> None:
    project = make_project("elsewhere")
    project.write(**files)
    project.up(*options.split(), **variables)
    before, written = project.inspect()["Id"], project.files()

    with pytest.raises(PlanRefusedError) as refusal:
        project.apply()

    plan = refusal.value.plan
    reasons = [str(one.why) for one in (*plan.wrong, *plan.refused_containers)]
    assert any(all(name in why for name in files) for why in reasons)
    assert project.inspect()["Id"] == before
    assert project.files() == written


def test_override_that_wins_over_the_target_is_named(make_project: MakeProject) -> None:
    project = make_project("wins", targets=(target("docker-compose.yml", KEY),))
    project.write(COMPOSE.replace("${{API_KEY}}", OLD), **{"docker-compose.override.yml": ELSEWHERE})
    project.up()

    with pytest.raises(PlanRefusedError) as refusal:
        project.apply()

    assert "docker-compose.override.yml" in str(refusal.value.plan.wrong[0].why)
    assert project.key() == OLD


@pytest.mark.parametrize(
    "text", [f"{KEY}={OLD}\t# main\n", f"{KEY}={OLD}\n{KEY}: {OLD}\n"], ids=["tab before comment", "colon"]
)
def test_file_that_its_readers_take_differently_is_not_written(make_project: MakeProject, text: str) -> None:
    project = make_project("readers")
    project.write(**{".env": text})
    project.up()
    before = project.inspect()["Id"]

    with pytest.raises(PlanRefusedError) as refusal:
        project.apply()

    assert refusal.value.plan.targets[0].state is State.NOT_PARSEABLE
    assert project.inspect()["Id"] == before
    assert project.files()[".env"] == text


def test_file_that_compose_was_given_is_written_and_arrives(make_project: MakeProject) -> None:
    project = make_project("prod", targets=(target(".env.prod", KEY),))
    project.write(**{".env.prod": ENV})
    project.up("--env-file", ".env.prod")

    done = project.apply()

    assert done.recreated == (project.name,)
    assert project.key() == NEW
    assert project.files()[".env"] == ENV


def test_what_else_waits_in_the_files_is_named_before(make_project: MakeProject) -> None:
    project = make_project("waiting")
    (project.folder / "data").mkdir(parents=True)
    names = {f"{project.name}-{number}": part for number, part in enumerate(WAITING.values())}
    project.expected = dict.fromkeys(names, "running")
    project.listed = tuple(ContainerSettings(name=one, folder="leguas", reads=(KEY,)) for one in names)
    service = COMPOSE.partition("services:\n")[2]
    services = [
        service.replace("app:", f"app{number}:").replace("{name}", f"{{name}}-{number}")
        for number in range(len(WAITING))
    ]
    compose = "services:\n" + "".join(services)
    override = [f"  app{number}:\n    labels: {{a: b}}\n" for number in range(len(WAITING))]
    changed = [f"{one}    {text}\n" for one, text in zip(override, WAITING, strict=True)]
    project.write(compose, **{"docker-compose.override.yml": "services:\n" + "".join(override)})
    project.up()
    project.write(compose, **{"docker-compose.override.yml": "services:\n" + "".join(changed)})

    planned = project.plan().containers

    assert {one.container: names[one.container] in one.waiting for one in planned} == dict.fromkeys(
        names, True
    )
    assert {one.action for one in planned} == {ContainerAction.RECREATE}
    assert all(f"are applied too: {', '.join(one.waiting)}" in str(one.notes[0]) for one in planned)


def test_new_release_behind_the_tag_is_named_before(make_project: MakeProject, docker_engine: Engine) -> None:
    project = make_project("release")
    tag = f"{docker_engine.name('app')}:latest"
    docker_engine.client.images.get(BUSYBOX).tag(tag)
    project.write(COMPOSE.replace("{image}", tag))
    project.up()
    docker_engine.client.api.commit(project.name, repository=docker_engine.name("app"), tag="latest")

    assert project.planned().waiting == (f"image {tag}",)


DEPENDANTS = {
    "network": "network_mode: 'service:app'",
    "net-by-name": "network_mode: 'container:{name}'",
    "pid": "pid: 'service:app'",
    "ipc": "ipc: 'service:app'",
    "volumes": "volumes_from: [app]",
    "volumes-by-name": "volumes_from: ['container:{name}']",
}
SHARED = ["memory", "network", "network", "process space", "volumes", "volumes"]
SIDE = """
  {kind}:
    image: {{image}}
    container_name: {{name}}-{kind}
    {shares}
    depends_on: [app]
    init: true
    stop_grace_period: 1s
    command: sleep 1d
"""


@pytest.mark.parametrize("state", ["running", "exited"])
def test_container_on_which_others_hang_is_refused(
    make_project: MakeProject, docker_engine: Engine, state: str
) -> None:
    project = make_project("owner")
    sides = "".join(SIDE.format(kind=kind, shares=shares) for kind, shares in DEPENDANTS.items())
    project.write(COMPOSE + "    ipc: shareable\n" + sides)
    project.up()
    names = [f"{project.name}-{kind}" for kind in DEPENDANTS]
    project.expected |= dict.fromkeys(names, state)
    for name in names if state == "exited" else ():
        docker_engine.client.containers.get(name).kill()
    before = project.inspect()["Id"]

    with pytest.raises(PlanRefusedError) as refusal:
        project.apply()

    why = str(refusal.value.plan.containers[0].why)
    assert [name for name in names if f"{name} (" not in why] == []
    assert sorted(re.findall(r"\((.+?)\)", why)) == SHARED
    assert project.inspect()["Id"] == before


def test_what_finds_it_by_name_finds_the_new_one(make_project: MakeProject, docker_engine: Engine) -> None:
    project = make_project("linked")
    side = SIDE.format(kind="side", shares="links: ['app:friend']").replace(
        "depends_on: [app]", "networks: [a]"
    )
    waiting = SIDE.format(kind="after", shares="network_mode: none").replace(
        "depends_on: [app]", "depends_on: {{app: {{condition: service_started, restart: true}}}}"
    )
    compose = COMPOSE.replace("network_mode: none", "networks: [a]")
    project.write(f"{compose}{side}{waiting}networks: {{{{a: }}}}\n")
    project.up()
    project.expected |= {f"{project.name}-side": "running", f"{project.name}-after": "running"}

    done = project.apply()

    linked = docker_engine.client.containers.get(f"{project.name}-side")
    linked.restart(timeout=1)
    assert done.recreated == (project.name,)
    assert project.key() == NEW
    assert linked.exec_run(["nslookup", "friend"]).exit_code == 0


def test_container_whose_owner_is_gone_is_refused(make_project: MakeProject, docker_engine: Engine) -> None:
    project = make_project("guest")
    owner = "  owner:\n    image: {image}\n    container_name: {name}-owner\n    network_mode: none\n"
    compose = COMPOSE.replace("network_mode: none", "network_mode: 'service:owner'")
    project.write(compose + owner + "    init: true\n    command: sleep 1d\n")
    project.up()
    project.expected[f"{project.name}-owner"] = "exited"
    docker_engine.client.containers.get(f"{project.name}-owner").stop(timeout=1)
    before = project.inspect()["Id"]

    with pytest.raises(PlanRefusedError) as refusal:
        project.apply()

    assert "does not run" in str(refusal.value.plan.containers[0].why)
    assert project.inspect()["Id"] == before


def test_container_that_compose_did_not_make_is_left_to_its_owner(
    make_project: MakeProject, docker_engine: Engine
) -> None:
    project = make_project("foreign")
    project.write()
    docker_engine.client.containers.run(
        BUSYBOX, "sleep 1d", name=project.name, environment={KEY: OLD}, detach=True, network="none", init=True
    )

    done = project.apply()

    assert (done.recreated, done.by_hand) == ((), (project.name,))
    assert project.key() == OLD
    assert project.planned().action is ContainerAction.BY_HAND


@pytest.mark.parametrize("problem", ["no compose", "file gone", "file broken"])
def test_project_that_cannot_be_read_is_left_to_its_owner_with_the_command(
    make_project: MakeProject, problem: str
) -> None:
    project = make_project("unread")
    project.write()
    project.up()
    if problem == "no compose":
        project.programs = "/nowhere"
    elif problem == "file gone":
        (project.folder / "docker-compose.yml").unlink()
    else:
        (project.folder / "docker-compose.yml").write_text("services: {app: [SECRET-TEXT]}\n")
    before = project.inspect()["Id"]

    planned = project.planned()
    done = project.apply()

    file = project.folder / "docker-compose.yml"
    assert planned.action is ContainerAction.BY_HAND
    assert planned.command == (
        f"docker compose --project-directory {project.folder} --project-name {project.name} --file {file} "
        f"up -d --no-deps --force-recreate app"
    )
    assert "SECRET-TEXT" not in str(planned)
    assert done.by_hand == (project.name,)
    assert project.inspect()["Id"] == before


def test_gateway_keeps_its_host_name_and_is_refused_without_volumes(make_project: MakeProject) -> None:
    sessions = RememberedSessions(known=("sales", "support"), lose=("support",))
    project = make_project("gateway", sessions=sessions)
    project.listed = (ContainerSettings(name=project.name, folder="leguas", reads=(KEY,), gateway="main"),)
    compose = COMPOSE.replace("    network_mode: none\n", "    working_dir: /srv\n    networks: [a]\n")
    project.write(compose + "networks: {{a: }}\n")
    project.up()
    refused = project.planned()
    kept = compose + "    volumes: ['sessions:/srv']\nvolumes: {{sessions: }}\nnetworks: {{a: }}\n"
    project.write(kept)
    project.up()
    before = project.inspect()

    planned = project.planned()
    done = project.apply()
    again = project.apply(f"{NEW}-2")

    assert "/srv/tokens is on no volume" in str(refused.why)
    assert planned.sessions == ("main/sales", "main/support")
    assert "hostname: " in str(planned.notes[0])
    assert planned.waiting == ()
    assert done.lost_sessions == again.lost_sessions == ("main/support",)
    assert project.inspect()["Config"]["Hostname"] == before["Config"]["Hostname"]
    assert project.key() == f"{NEW}-2"


def test_no_call_is_made_that_the_documentation_does_not_list(
    make_project: MakeProject, docker_engine: Engine, tmp_path: Path
) -> None:
    listed = set(re.findall(r"^\| `(\w+ /\S+)` \|", (ROOT / "docs" / "sync.md").read_text(), re.MULTILINE))
    project = make_project("listed", compose_host=docker_engine.host)
    project.write(COMPOSE.replace("sleep 1d", f"sh -c '[ $$API_KEY != {NEW}-bad ] || exit 3; sleep 1d'"))
    project.up()
    with engine_proxy(tmp_path, docker_engine.host) as proxy:
        project.host = proxy.host
        project.apply()
        with pytest.raises(ContainerError, match="exit code 3"):
            project.apply(f"{NEW}-bad")
        project.installation.sync.restart(project.name, actor="ana", report=project.steps.append)
        project.host = docker_engine.host

    made = {re.sub(r"/(containers|images)/.+/(\w+)$", r"/\1/{id}/\2", call) for call in proxy.calls}
    assert {re.sub(r"/wppconnect-ops-\w+$", "/{id}", call) for call in made} == listed
    assert project.key() == NEW


def test_plain_restart_keeps_the_container(make_project: MakeProject) -> None:
    project = make_project("restarted")
    project.write()
    project.up()
    before = project.inspect()

    project.installation.sync.restart(project.name, actor="ana", report=project.steps.append)

    after = project.inspect()
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] > before["State"]["StartedAt"]
