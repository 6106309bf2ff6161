"""Containers are replaced on a real Docker Engine: what must change, and nothing else."""

from __future__ import annotations

import copy
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from core.exceptions import ContainerError, EngineUnreachableError
from core.propagation.reach import ContainerAction, StepEvent
from tests.support.containers import (
    KEY,
    NEW,
    OLD,
    SERVES,
    ImpatientSessions,
    Playground,
    Progress,
    RememberedSessions,
    containers,
    expectation,
)
from tests.support.docker_engine import Engine
from tests.support.engine_proxy import engine_proxy
from tests.support.waiting import until

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def playground(docker_engine: Engine) -> Iterator[Playground]:
    pool = docker.types.IPAMPool(subnet="10.213.77.0/24")
    network = docker_engine.client.networks.create(
        docker_engine.name("net"), ipam=docker.types.IPAMConfig(pool_configs=[pool])
    )
    yield Playground(docker_engine, str(network.name))
    docker_engine.remove_own()


def rich(playground: Playground, folder: Path) -> str:
    """A container with nearly everything that one can have."""
    engine = playground.engine
    second = engine.client.networks.create(engine.name("second-net"))
    (folder / "file").write_text("of the host")
    name = playground.run(
        "rich",
        Env=["FIRST=1", f"{KEY}={OLD}", "LAST=a=b c"],
        Labels={"com.example.owner": "somebody"},
        ExposedPorts={"80/tcp": {}},
        Volumes={"/of-the-image": {}},
        User="0",
        WorkingDir="/tmp",
        StopSignal="SIGTERM",
        Healthcheck={
            "Test": ["CMD-SHELL", "wget -q -O /dev/null localhost/key"],
            "Interval": SECOND // 4,
            "Timeout": SECOND,
        },
        HostConfig={
            "Binds": [f"{folder}:/of-the-host:ro", f"{engine.name('volume')}:/named", "/old-style"],
            "Mounts": [
                {"Type": "volume", "Target": "/anonymous"},
                {"Type": "tmpfs", "Target": "/in-memory"},
            ],
            "Tmpfs": {"/in-memory-too": "size=1m"},
            "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(free_port())}]},
            "RestartPolicy": {"Name": "unless-stopped"},
            "Memory": 64 * 2**20,
            "NanoCpus": SECOND // 2,
            "PidsLimit": 50,
            "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}],
            "CapAdd": ["NET_ADMIN"],
            "CapDrop": ["MKNOD"],
            "SecurityOpt": ["no-new-privileges"],
            "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/nil", "CgroupPermissions": "r"}],
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
            "ExtraHosts": ["elsewhere:192.0.2.1"],
            "Dns": ["192.0.2.53"],
            "ShmSize": 2**20,
            "Sysctls": {"net.core.somaxconn": "100"},
        },
        NetworkingConfig={
            "EndpointsConfig": {
                playground.network: {
                    "IPAMConfig": {"IPv4Address": "10.213.77.77"},
                    "Aliases": ["web", "gateway"],
                }
            }
        },
    )
    second.connect(name, aliases=["other-side"])
    return name


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def comparable(seen: dict[str, Any]) -> dict[str, Any]:
    """Leave out of an inspection what belongs to this one container's life, and sort what has no order."""
    seen = copy.deepcopy(seen)
    by_the_engine = {seen["Id"][:12], seen["Config"]["Hostname"]}
    for key in (
        "Id",
        "Created",
        "HostnamePath",
        "HostsPath",
        "ResolvConfPath",
        "LogPath",
        "State",
        "ExecIDs",
        "GraphDriver",  # where the engine keeps this container's own layer
    ):
        del seen[key]
    for key in ("SandboxID", "SandboxKey"):
        del seen["NetworkSettings"][key]
    for one in seen["NetworkSettings"]["Networks"].values():
        del one["EndpointID"]
        if not one["IPAMConfig"]:
            del one["IPAddress"], one["MacAddress"]  # the engine chose them, and may choose others
        one["Aliases"] = sorted(alias for alias in one["Aliases"] if alias not in by_the_engine)
    seen["Mounts"] = sorted(seen["Mounts"], key=lambda one: one["Destination"])
    for one in seen["Mounts"]:
        del one["Mode"]  # "z" once a volume was named, and without SELinux of no effect
    return seen


def test_replaced_container_differs_in_nothing_but_the_key(playground: Playground, tmp_path: Path) -> None:
    name = rich(playground, tmp_path)
    for place in ("named", "old-style", "anonymous", "of-the-image"):
        playground.execute(name, f"echo in {place} > /{place}/file")
    until(lambda: playground.inspect(name)["State"]["Health"]["Status"] == "healthy", what="health")
    before = playground.inspect(name)

    done = containers(playground.engine.host, tmp_path).carry_out([expectation(name)], Progress())

    after = playground.inspect(name)
    changed = comparable(after)
    assert changed["Config"]["Env"] == ["FIRST=1", f"{KEY}={NEW}", "LAST=a=b c", "PATH=/bin"]
    changed["Config"]["Env"][1] = f"{KEY}={OLD}"
    expected = comparable(before)
    # Volumes that had no name are named now: their data would stay behind otherwise.
    volumes = {one["Destination"]: one.get("Name") for one in before["Mounts"]}
    expected["HostConfig"]["Binds"][2] = f"{volumes['/old-style']}:/old-style"
    expected["HostConfig"]["Mounts"][0]["Source"] = volumes["/anonymous"]
    of_the_image = {"Type": "volume", "Source": volumes["/of-the-image"], "Target": "/of-the-image"}
    expected["HostConfig"]["Mounts"].append(of_the_image)
    assert changed == expected
    assert done.recreated == (name,)
    assert playground.key_of(name) == NEW
    places = ("named", "old-style", "anonymous", "of-the-image", "of-the-host")
    said = playground.execute(name, "cat " + " ".join(f"/{place}/file" for place in places))
    assert said == "in named\nin old-style\nin anonymous\nin of-the-image\nof the host"
    assert playground.names("rich") == {name: "running"}
    port = after["HostConfig"]["PortBindings"]["80/tcp"][0]["HostPort"]
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/key").read().decode().strip() == NEW
    neighbour = playground.run("neighbour", "sleep 60")
    for host in (name, "web", "gateway", "10.213.77.77"):
        assert playground.execute(neighbour, f"wget -q -O- http://{host}/key").strip() == NEW


def test_container_that_has_the_values_is_left_alone(playground: Playground, tmp_path: Path) -> None:
    name = playground.run("settled")
    before = playground.inspect(name)["Id"]
    part = containers(playground.engine.host, tmp_path)

    told = part.consequences([expectation(name, value=OLD), expectation(name, reads=())])
    done = part.carry_out([expectation(name, value=OLD), expectation(name, reads=())], Progress())

    assert [one.action for one in told] == [ContainerAction.NOTHING, ContainerAction.NOT_READ]
    assert "no restart needed" in told[1].why
    assert done.recreated == ()
    assert playground.inspect(name)["Id"] == before


def test_option_of_the_command_is_replaced_where_it_stands(playground: Playground, tmp_path: Path) -> None:
    name = playground.run("option", Entrypoint=["sh", "-c", SERVES], Cmd=["--secretKey", "old", "--port=1"])
    expected = expectation(
        name, reads=("--secretKey", "--port"), arguments={"--secretKey": "k3y", "--port": "2"}
    )

    containers(playground.engine.host, tmp_path).carry_out([expected], Progress())

    assert playground.inspect(name)["Config"]["Cmd"] == ["--secretKey", "k3y", "--port=2"]
    assert playground.inspect(name)["Config"]["Entrypoint"] == ["sh", "-c", SERVES]


@pytest.mark.parametrize(
    ("command", "body", "why"),
    [
        (f'[ "$API_KEY" = {OLD} ] || {{ echo no such key; exit 3; }}; {SERVES}', {}, "exit code 3"),
        (
            f'[ "$API_KEY" = {OLD} ] || exit 3; {SERVES}',
            {"HostConfig": {"RestartPolicy": {"Name": "always"}}},
            "again",
        ),
        (
            SERVES,
            {
                "Healthcheck": {
                    "Test": ["CMD-SHELL", f"grep -q {OLD} /tmp/key || {{ echo wrong $API_KEY; exit 1; }}"],
                    "Interval": SECOND // 5,
                    "Timeout": SECOND,
                    "Retries": 1,
                }
            },
            "unhealthy; its check said: wrong ***",
        ),
    ],
    ids=["exits at once", "exits again and again", "is unhealthy"],
)
def test_old_container_is_put_back_when_the_new_one_is_no_good(
    playground: Playground, tmp_path: Path, command: str, body: dict[str, Any], why: str
) -> None:
    word = f"bad{len(why)}"
    name, other = playground.run(word, command, **body), playground.run(f"{word}-first")
    before = playground.inspect(name)
    other_before = playground.inspect(other)["Id"]
    if body.get("Healthcheck"):
        until(lambda: playground.inspect(name)["State"]["Health"]["Status"] == "healthy")
    progress = Progress()

    with pytest.raises(ContainerError) as caught:
        containers(playground.engine.host, tmp_path).carry_out(
            [expectation(other), expectation(name)], progress
        )

    assert why in str(caught.value)
    assert NEW not in str(caught.value)
    assert playground.inspect(name)["Id"] == before["Id"]
    assert playground.inspect(other)["Id"] == other_before
    assert playground.names(word) == {name: "running", other: "running"}
    assert playground.key_of(name) == OLD
    assert playground.key_of(other) == OLD
    neighbour = playground.run(f"{word}-neighbour", "sleep 60")
    assert playground.execute(neighbour, f"wget -q -O- http://{other}/key").strip() == OLD
    assert progress.words[-4:] == ["put_back running", "put_back done"] * 2
    assert not (tmp_path / "containers.json").exists()


def test_new_release_under_the_same_name_is_not_taken_along(playground: Playground, tmp_path: Path) -> None:
    engine = playground.engine
    image = engine.client.images.get(engine.busybox())
    image.tag(engine.name("app"), "latest")
    name = playground.run("app", Image=f"{engine.name('app')}:latest")
    engine.client.api.commit(name, repository=engine.name("app"), tag="latest")

    containers(engine.host, tmp_path).carry_out([expectation(name)], Progress())

    assert playground.inspect(name)["Image"] == image.id
    assert playground.names("app") == {name: "running"}


def test_who_leaves_in_the_middle_leaves_the_old_container(playground: Playground, tmp_path: Path) -> None:
    name = playground.run("left")
    before = playground.inspect(name)["Id"]

    def leave(event: StepEvent) -> None:
        if event.step == "wait_healthy":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        containers(playground.engine.host, tmp_path).carry_out([expectation(name)], leave)

    assert playground.inspect(name)["Id"] == before
    assert playground.names("left") == {name: "running"}


def test_who_leaves_while_sessions_reconnect_leaves_the_new_container(
    playground: Playground, tmp_path: Path
) -> None:
    volume = {"Binds": [f"{playground.engine.name('profiles')}:/srv"]}
    name = playground.run("waiting", WorkingDir="/srv", HostConfig=volume)
    part = containers(playground.engine.host, tmp_path, sessions=ImpatientSessions(known=("sales",)))

    done = part.carry_out([expectation(name, gateway="main")], Progress())

    assert done.lost_sessions == ("main/sales",)
    assert playground.key_of(name) == NEW


# The library leaves the socket open on which it could not connect anew.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_engine_that_goes_away_half_way_leaves_a_repair(playground: Playground, tmp_path: Path) -> None:
    name = playground.run("abandoned")
    before = playground.inspect(name)["Id"]
    with engine_proxy(tmp_path, playground.engine.host) as proxy:
        proxy.passes = lambda call: not call.endswith("/start")
        part = containers(proxy.host, tmp_path)

        with pytest.raises(ContainerError, match="tries again by itself"):
            part.carry_out([expectation(name)], Progress())
        told = part.consequences([expectation(name)])
        with pytest.raises(EngineUnreachableError):
            part.repair(Progress())
        proxy.open()
        part.repair(Progress())

    assert told[0].action is ContainerAction.REFUSED
    assert "does not answer" in told[0].why
    assert playground.inspect(name)["Id"] == before
    assert playground.names("abandoned") == {name: "running"}
    assert not (tmp_path / "containers.json").exists()


def test_gateway_is_refused_while_its_profiles_are_on_no_volume(
    playground: Playground, tmp_path: Path
) -> None:
    bare = playground.run("bare-gateway", WorkingDir="/srv")
    kept = playground.run(
        "gateway",
        WorkingDir="/srv",
        HostConfig={"Binds": [f"{playground.engine.name('all')}:/srv"]},
    )
    sessions = RememberedSessions(known=("sales", "support"), lose=("support",))
    part = containers(playground.engine.host, tmp_path, sessions=sessions)
    expected = [expectation(one, gateway="main") for one in (bare, kept)]

    told = part.consequences(expected)
    with pytest.raises(ContainerError, match="is on no volume"):
        part.carry_out(expected, Progress())
    done = part.carry_out(expected[1:], Progress())

    assert [one.action for one in told] == [ContainerAction.REFUSED, ContainerAction.RECREATE]
    assert "/srv/tokens" in told[0].why
    assert told[1].sessions == ("main/sales", "main/support")
    assert done.lost_sessions == ("main/support",)
    assert playground.key_of(bare) == OLD
    assert playground.key_of(kept) == NEW
    assert sessions.waited_since != []


def test_container_whose_network_others_use_is_refused(playground: Playground, tmp_path: Path) -> None:
    name = playground.run("host-of-others")
    guest = playground.run("guest", "sleep 60", HostConfig={"NetworkMode": f"container:{name}"})

    told = containers(playground.engine.host, tmp_path).consequences([expectation(name)])

    assert told[0].action is ContainerAction.REFUSED
    assert f"{guest} lives in its network" in told[0].why


def test_plain_restart_keeps_the_container(playground: Playground, tmp_path: Path) -> None:
    name = playground.run("restarted")
    before = playground.inspect(name)

    containers(playground.engine.host, tmp_path).restart(expectation(name).container, Progress())

    after = playground.inspect(name)
    assert after["Id"] == before["Id"]
    assert after["State"]["StartedAt"] > before["State"]["StartedAt"]
