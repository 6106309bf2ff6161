"""`make up`: what it checks, what it writes, what it starts, and what it leaves alone."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import pytest

from tests.fakes.docker import container
from tests.support.terminal import TerminalCommand
from tests.support.waiting import until
from tests.unit.cli.checkout import Checkout, mode


def test_from_nothing_a_gateway_with_a_fresh_secret_is_started(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkout.make("up") == 0

    secret = checkout.env["WPPCONNECT_SECRET_KEY"]
    assert len(secret) == 32
    assert checkout.secret() == secret
    assert checkout.env["WPPCONNECT_SESSIONS"] == "leguas_wppconnect"
    assert checkout.found["COMPOSE_PROFILES"] == "gateway"
    assert len(checkout.docker.calls("up", "--wait", "--no-build")) == 1
    said = capsys.readouterr().out
    assert f"http://127.0.0.1:{checkout.environ['OPS_PAGE_PORT']}" in said
    assert "ssh -L" in said
    assert secret not in said


def test_two_installations_have_different_secrets(checkout: Checkout) -> None:
    checkout.make("up")
    first = checkout.secret()
    (checkout.directory / ".env").unlink()
    (checkout.directory / "config/secrets/wppconnect_secret_key").unlink()

    checkout.make("up")

    assert checkout.secret() != first


def test_nobody_else_reaches_the_secrets_and_every_container_reads_its_files(checkout: Checkout) -> None:
    checkout.make("up")

    config = checkout.directory / "config"
    assert mode(checkout.directory / ".env") == 0o600
    assert mode(config) == 0o700
    assert mode(config / "compose.env") == 0o600
    assert mode(config / "secrets/wppconnect_secret_key") == 0o444
    readable = [path for path in config.rglob("*") if path.is_file() and path.name != "compose.env"]
    assert [path for path in readable if not mode(path) & 0o004] == []
    assert [path for path in config.rglob("*") if path.is_dir() and mode(path) != 0o755] == []


def test_a_second_time_nothing_of_the_administrators_changes(checkout: Checkout) -> None:
    checkout.make("up")
    receivers = checkout.directory / "config/alertmanager/alertmanager.yml"
    receivers.write_text("edited\n")
    before = (checkout.directory / ".env").read_bytes()

    assert checkout.make("up") == 0

    assert (checkout.directory / ".env").read_bytes() == before
    assert receivers.read_text() == "edited\n"


def test_the_links_of_the_alerts_lead_to_the_published_page(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.make("up", DASHBOARD_EXTERNAL_URL="https://ops.example.net/wpp/")

    assert "Page          https://ops.example.net/wpp/" in capsys.readouterr().out
    rules = (checkout.directory / "config/rules/alerts.yml").read_text()
    assert "https://ops.example.net/wpp/" in rules
    assert "//ops.example.org" not in rules
    assert "ssh -L" not in capsys.readouterr().out


def test_demo_starts_the_simulator(checkout: Checkout) -> None:
    assert checkout.make("up", "--demo") == 0
    assert checkout.found["COMPOSE_PROFILES"] == "demo"


def test_a_configured_gateway_is_adopted(checkout: Checkout) -> None:
    checkout.write("WPPCONNECT_URL='http://gateway.example.net:21465'\nWPPCONNECT_SECRET_KEY='their own'\n")

    assert checkout.make("up") == 0

    assert checkout.found["COMPOSE_PROFILES"] == ""
    assert checkout.found["OPS_GATEWAY_URL"] == "http://gateway.example.net:21465"
    assert checkout.secret() == "their own"


def test_a_gateway_on_this_host_is_reached_from_the_containers(checkout: Checkout) -> None:
    checkout.make("up", WPPCONNECT_URL="http://127.0.0.1:21465/sub", WPPCONNECT_SECRET_KEY="k")

    assert checkout.found["OPS_GATEWAY_URL"] == "http://host.docker.internal:21465/sub"


def test_a_running_container_is_adopted_through_its_network_and_left_alone(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.docker.tell(containers={"leguas_wppconnect": container(networks=["bridge", "leguas_default"])})

    assert checkout.make("up", WPPCONNECT_SECRET_KEY="their own") == 0

    assert checkout.found["COMPOSE_PROFILES"] == ""
    assert checkout.found["OPS_GATEWAY_URL"] == "http://leguas_wppconnect:21465"
    assert checkout.found["OPS_GATEWAY_NETWORK"] == "leguas_default"
    assert checkout.found["OPS_GATEWAY_NETWORK_EXTERNAL"] == "true"
    asked = {call[1] for call in checkout.docker.calls("docker")}
    assert asked <= {"info", "inspect", "ps", "compose"}
    assert "none is started" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("image", "config", "port"),
    [
        pytest.param("wppconnect/server-cli:1.3.18", {}, 21465, id="by default"),
        pytest.param("wppconnect/server-cli", {"Cmd": ["--port", "8021"]}, 8021, id="option"),
        pytest.param(
            "wppconnect/server-cli", {"Cmd": ["--port=8021", "-k", "x"]}, 8021, id="option, one word"
        ),
        pytest.param("wppconnect/server-cli", {"Env": ["PORT=3000"]}, 21465, id="variable that it reads not"),
        pytest.param("wppconnect/wppconnect-server", {"Env": ["PORT=8021"]}, 8021, id="variable"),
        pytest.param(
            "r:5000/wppconnect/wppconnect-server@sha256:a", {"Env": ["PORT=8021"]}, 8021, id="mirror"
        ),
        pytest.param("wppconnect/wppconnect-server", {"Env": ["PORT="]}, 21465, id="empty variable"),
        pytest.param(
            "sha256:0a", {"Entrypoint": ["node", "x", "-p", "8021"], "Cmd": None}, 8021, id="image id"
        ),
        pytest.param("acme/zap", {"ExposedPorts": {"8021/tcp": {}}}, 8021, id="own image"),
        pytest.param("acme/zap", {"ExposedPorts": {"8021/udp": {}, "8022/tcp": {}}}, 8022, id="udp, too"),
        pytest.param("acme/zap", {"ExposedPorts": {"1/tcp": {}, "2/tcp": {}}}, 21465, id="several"),
        pytest.param("acme/zap", {"ExposedPorts": None, "Env": None}, 21465, id="nothing said"),
    ],
)
def test_a_container_is_reached_at_the_port_on_which_it_listens(
    image: str, config: dict[str, Any], port: int, checkout: Checkout
) -> None:
    running = container(networks=["leguas_default"], image=image, config=config)
    checkout.docker.tell(containers={"leguas_wppconnect": running})

    checkout.make("up", WPPCONNECT_SECRET_KEY="their own")

    assert checkout.found["OPS_GATEWAY_URL"] == f"http://leguas_wppconnect:{port}"


def test_a_container_on_the_default_bridge_is_reached_by_its_published_port(checkout: Checkout) -> None:
    published = container(bindings={"21465/tcp": [{"HostIp": "", "HostPort": "3000"}]})
    checkout.docker.tell(containers={"leguas_wppconnect": published})

    checkout.make("up", WPPCONNECT_SECRET_KEY="k", WPPCONNECT_URL="http://127.0.0.1:3000")

    assert checkout.found["OPS_GATEWAY_URL"] == "http://host.docker.internal:3000"
    assert "OPS_GATEWAY_NETWORK" not in checkout.found


def test_our_own_gateway_is_not_adopted(checkout: Checkout) -> None:
    ours = container(
        labels={"com.docker.compose.project": "wppconnect-ops"}, networks=["wppconnect-ops-gateway"]
    )
    checkout.docker.tell(containers={"leguas_wppconnect": ours})

    checkout.make("up")

    assert checkout.found["COMPOSE_PROFILES"] == "gateway"


def test_a_secret_in_a_file_is_taken_from_there(checkout: Checkout) -> None:
    (checkout.directory / "key").write_text("from a file\n")
    checkout.write("WPPCONNECT_URL='http://gateway:1'\nWPPCONNECT_SECRET_KEY_FILE='key'\n")

    assert checkout.make("up") == 0
    assert checkout.secret() == "from a file"
    assert checkout.found["WPPCONNECT_SECRET_KEY"] == ""


UP = """
import os, sys
from pathlib import Path
from cli.stack.__main__ import main
sys.exit(main(["up"], os.environ, Path(sys.argv[1])))
"""


def test_the_secret_of_an_adopted_gateway_is_asked_for_at_a_terminal_and_not_shown(
    checkout: Checkout,
) -> None:
    checkout.docker.tell(containers={"leguas_wppconnect": container(networks=["old"])})
    command = [sys.executable, "-c", UP, str(checkout.directory)]
    path = {"PATH": f"{checkout.docker.path}{os.pathsep}{os.environ['PATH']}"}
    with TerminalCommand(command, environ=checkout.environ | path) as asking:
        until(lambda: "Secret key: " in asking.written, what="the question")
        asking.type("their own secret\n")

        assert asking.process.wait(timeout=60) == 0

    assert checkout.secret() == "their own secret"
    assert checkout.env["WPPCONNECT_SECRET_KEY"] == "their own secret"
    assert "their own secret" not in asking.written


def test_nothing_is_started_where_nobody_enters_the_secret(checkout: Checkout) -> None:
    checkout.docker.tell(containers={"leguas_wppconnect": container(networks=["old"])})
    command = [sys.executable, "-c", UP, str(checkout.directory)]
    path = {"PATH": f"{checkout.docker.path}{os.pathsep}{os.environ['PATH']}"}
    with TerminalCommand(command, environ=checkout.environ | path) as asking:
        until(lambda: "Secret key: " in asking.written, what="the question")
        asking.type("\x04")

        assert asking.process.wait(timeout=60) == 2

    assert "WPPCONNECT_SECRET_KEY: nothing was entered" in asking.written
    assert "Traceback" not in asking.written


REFUSED: list[Any] = [
    pytest.param(
        {"info_error": "Cannot connect to the Docker daemon", "info": ""},
        {},
        "docker: the engine does not answer (Cannot connect to the Docker daemon); "
        "start it: systemctl start docker",
        id="no engine",
    ),
    pytest.param(
        {"info_error": "permission denied while trying to connect", "info": ""},
        {},
        "docker: this account may not talk to the engine; use sudo, or add it to the group `docker` "
        "(which makes it as mighty as root) and sign in anew",
        id="no right",
    ),
    pytest.param(
        {"info": "19.3.1 17179869184"},
        {},
        "docker: engine 19.3.1 is too old; install 20.10 or later",
        id="old engine",
    ),
    pytest.param(
        {"compose": "2.5.0"},
        {},
        "docker compose: version 2.5.0 is too old; install 2.24 or later",
        id="old Compose",
    ),
    pytest.param(
        {"containers": {"leguas_wppconnect": container(networks=["old"])}},
        {},
        "WPPCONNECT_SECRET_KEY: the gateway's own secret key is needed; set WPPCONNECT_SECRET_KEY in .env, "
        "or take it from an older panel: make import FROM=FOLDER WRITE=1",
        id="adopted without its secret",
    ),
    pytest.param(
        {"containers": {"leguas_wppconnect": container()}},
        {"WPPCONNECT_SECRET_KEY": "k"},
        "leguas_wppconnect: is in no network of its own and publishes no port, so nobody but itself reaches "
        "it; connect it to one: docker network create gateway && "
        "docker network connect gateway leguas_wppconnect",
        id="out of reach",
    ),
    pytest.param(
        {"containers": {"leguas_wppconnect": container(networks=["old"])}},
        {"COMPOSE_PROFILES": "gateway,evolution"},
        "COMPOSE_PROFILES: asks for a gateway, but a container leguas_wppconnect is there already and is not "
        "of this stack; take `gateway` out to adopt that container, or name another in OPS_GATEWAY_CONTAINER",
        id="two gateways",
    ),
    pytest.param(
        {"containers": {"leguas_whatsapp_evolution": container("leguas_whatsapp_evolution")}},
        {"COMPOSE_PROFILES": "gateway,evolution"},
        "COMPOSE_PROFILES: asks for Evolution API, but a container leguas_whatsapp_evolution is there "
        "already and is not of this stack; take `evolution` out, or name another in OPS_EVOLUTION_CONTAINER",
        id="two Evolutions",
    ),
    pytest.param(
        {},
        {"WPPCONNECT_SECRET_KEY": "it's"},
        "WPPCONNECT_SECRET_KEY: holds a single quote, a line break or backslashes, which not every reader "
        "takes alike; give the gateway another one",
        id="a secret that no file can hold",
    ),
    pytest.param(
        {},
        {"OPS_UPTIME_OBJECTIVE": "high"},
        "OPS_UPTIME_OBJECTIVE: write a percentage between 50 and 100, like 99.5",
        id="an objective that is none",
    ),
    pytest.param(
        {},
        {"OPS_ALERT_GRACE": "soon"},
        "OPS_ALERT_GRACE: write a duration of 30s or more, like 90s or 3m",
        id="no duration",
    ),
    pytest.param(
        {},
        {"OPS_PAGE_PORT": "70000"},
        "OPS_PAGE_PORT: 70000 is no port; choose one from 1 to 65535",
        id="no port",
    ),
    pytest.param(
        {},
        {"OPS_PAGE_PORT": "19998", "OPS_GRAFANA_PORT": "19998"},
        "OPS_GRAFANA_PORT, OPS_PAGE_PORT: are both 19998; give each a port of its own",
        id="one port twice",
    ),
]


@pytest.mark.parametrize(("machine", "variables", "sentence"), REFUSED)
def test_refuses_with_a_sentence_that_names_the_remedy(
    checkout: Checkout,
    machine: dict[str, Any],
    variables: dict[str, str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkout.docker.tell(**machine)

    assert checkout.make("up", **variables) == 2

    assert capsys.readouterr().err == f"make up: {sentence}\n"
    assert checkout.docker.calls("up") == []
    assert list(checkout.directory.iterdir()) == []


def test_a_missing_docker_is_named(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.docker.remove("docker")

    assert checkout.make("up") == 2
    assert "docker: not found; install Docker Engine 20.10 or later" in capsys.readouterr().err


def test_a_missing_compose_is_named(checkout: Checkout, capsys: pytest.CaptureFixture[str]) -> None:
    checkout.docker.remove("docker-compose")

    assert checkout.make("up") == 2
    assert "docker compose: not found; install Compose 2.24 or later" in capsys.readouterr().err


def test_an_env_file_without_the_secret_is_not_changed(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.write("OPS_GRAFANA_IMAGE='grafana/grafana:12.0.0'\n")

    assert checkout.make("up") == 2

    assert "WPPCONNECT_SECRET_KEY: is not in .env, which is never changed here" in capsys.readouterr().err
    assert checkout.env == {"OPS_GRAFANA_IMAGE": "grafana/grafana:12.0.0"}


def test_a_taken_port_is_named_with_its_variable(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", int(checkout.environ["OPS_GRAFANA_PORT"]))):
        assert checkout.make("up") == 2

    assert "make up: OPS_GRAFANA_PORT: port " in capsys.readouterr().err


def test_ports_of_the_running_stack_are_its_own(checkout: Checkout) -> None:
    port = checkout.environ["OPS_GRAFANA_PORT"]
    checkout.docker.tell(ports=f"127.0.0.1:{port}->3000/tcp")
    with socket.create_server(("127.0.0.1", int(port))):
        assert checkout.make("up") == 0


def test_little_memory_is_a_note_and_no_obstacle(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.docker.tell(info="28.2.2 1073741824")

    assert checkout.make("up") == 0
    assert "note: memory: the engine has 1.0 GiB, and 4 GiB are advisable" in capsys.readouterr().out


def test_what_does_not_become_healthy_is_a_failure(
    checkout: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.docker.tell(up=1)

    assert checkout.make("up") == 1
    assert "`make logs` shows why" in capsys.readouterr().err


def test_down_keeps_the_volumes(checkout: Checkout) -> None:
    checkout.make("up")
    checkout.make("down")

    (call,) = checkout.docker.calls("down")
    assert not {"--volumes", "-v"} & set(call)
