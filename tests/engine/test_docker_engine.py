"""The engine that the tests of containers run on (tests/support/docker_engine.py)."""

from __future__ import annotations

import urllib.request

from tests.support.docker_engine import Engine
from tests.support.waiting import until

SERVE = "echo hello > /tmp/greeting; exec httpd -f -p 80 -h /tmp"


def test_neighbours_reach_a_container_by_name_and_the_host_by_its_published_port(
    docker_engine: Engine,
) -> None:
    engine = docker_engine
    network = engine.client.networks.create(engine.name("network"))
    server = engine.client.containers.run(
        engine.busybox(),
        ["sh", "-c", SERVE],
        name=engine.name("server"),
        network=network.name,
        ports={"80/tcp": ("127.0.0.1", None)},
        detach=True,
    )

    server.reload()
    port = server.ports["80/tcp"][0]["HostPort"]
    neighbour = engine.client.containers.run(
        engine.busybox(),
        ["sh", "-c", f"until wget -q -O- http://{server.name}/greeting; do sleep 0.1; done"],
        network=network.name,
        name=engine.name("neighbour"),
    )

    assert neighbour == b"hello\n"
    assert until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/greeting").read()) == b"hello\n"
