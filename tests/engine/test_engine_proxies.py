"""An engine behind a socket proxy: it works, or nothing is begun that the proxy would stop half-way."""

from __future__ import annotations

import re

import pytest

from cli.main import main
from core.sync.engine import COMPOSE_CALLS
from core.sync.sync import PlanRefusedError
from tests.support.containers import KEY, NEW, OLD, MakeProject
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy

pytestmark = pytest.mark.timeout(240)
REFUSED = {
    "no POST at all": (r"(?!GET|HEAD)", [one for one in COMPOSE_CALLS if not one.startswith("GET")]),
    "no DELETE": (r"DELETE ", ["DELETE /containers/{id}"]),
    "create and start alone": (
        r"(?!GET|HEAD|POST /containers/(create|\S+/start)$)",
        ["POST /containers/{id}/stop", "DELETE /containers/{id}", "POST /containers/{id}/rename"],
    ),
    "no networks, no volumes": (r"\w+ /(networks|volumes)", ["GET /networks/{id}", "GET /volumes/{id}"]),
}
"""What docker-socket-proxy's variables POST, CONTAINERS, ALLOW_..., NETWORKS and VOLUMES lead to."""


def test_key_arrives_through_a_proxy_on_a_tcp_port(make_project: MakeProject, docker_engine: Engine) -> None:
    project = make_project("tcp")
    project.write()
    project.up()
    with engine_proxy(None, docker_engine.host) as proxy:
        project.host = proxy.host
        done = project.apply()
        project.host = docker_engine.host

    assert proxy.host.startswith("tcp://127.0.0.1:")
    assert done.recreated == (project.name,)
    assert project.key() == NEW


@pytest.mark.parametrize("rules", REFUSED)
def test_proxy_that_refuses_what_compose_needs_is_named_before_anything_is_stopped(
    make_project: MakeProject, docker_engine: Engine, rules: str
) -> None:
    pattern, calls = REFUSED[rules]
    project = make_project("refusing")
    project.write()
    project.up()
    before, files = project.inspect()["Id"], project.files()
    with engine_proxy(None, docker_engine.host) as proxy:
        proxy.refuses = lambda call: re.match(pattern, call) is not None
        project.host = proxy.host
        with pytest.raises(PlanRefusedError) as refusal:
            project.apply()
        project.host = docker_engine.host

    assert f"{proxy.host} refuses calls that Compose needs: {', '.join(calls)}." in str(
        refusal.value.plan.containers[0].why
    )
    assert project.inspect()["Id"] == before
    assert project.files() == files


def test_agent_does_not_start_behind_such_a_proxy(
    make_project: MakeProject, docker_engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project("agent")
    project.write()
    project.up()
    listed = f"targets: [{{file: .env, key: {KEY}, receives: api_key}}]\n"
    sync_file = project.root / "sync.yml"
    sync_file.write_text(f"folders: {{leguas: {project.folder}}}\n{listed}")
    with engine_proxy(None, docker_engine.host) as proxy:
        proxy.refuses = lambda call: call.startswith("POST ")
        environ = {
            "WPPCONNECT_DATA_DIR": str(project.root / "data"),
            "WPPCONNECT_SYNC_FILE": str(sync_file),
            "WPPCONNECT_DOCKER_HOST": proxy.host,
        }
        code = main(["sync", "agent"], environ)

    assert code == 1
    assert f"WPPCONNECT_DOCKER_HOST: The proxy in front of the engine at {proxy.host} refuses" in (
        capsys.readouterr().err
    )
    assert project.key() == OLD
