"""An inspection becomes an order: what the engine would lose or refuse is mended (real ones: integration)."""

from __future__ import annotations

from typing import Any

import pytest

from core.containers.blueprint import (
    CannotCopyError,
    argument_of,
    blueprint,
    with_arguments,
    with_environment,
)

ID = "0123456789abcdef" * 4


def seen(config: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    """What the engine tells of a small container."""
    host = {"NetworkMode": "net"} | parts.pop("HostConfig", {})
    networks = parts.pop("Networks", {"net": {"NetworkID": "f00", "IPAMConfig": None, "Aliases": None}})
    return {
        "Id": ID,
        "Name": "/app",
        "Config": {"Image": "app", "Hostname": ID[:12], "Env": ["A=1"], "Cmd": ["run"]} | (config or {}),
        "HostConfig": host,
        "Mounts": [],
        "NetworkSettings": {"Networks": networks},
    } | parts


def volume(name: str, destination: str, *, writable: bool = True) -> dict[str, Any]:
    """A mounted volume as it is told."""
    return {"Type": "volume", "Name": name, "Destination": destination, "RW": writable}


@pytest.mark.parametrize(
    ("lines", "changes", "after"),
    [
        (["A=1", "B=2"], {"B": "3"}, ["A=1", "B=3"]),
        (["A=1"], {"B": "a=b$c"}, ["A=1", "B=a=b$c"]),
        (["AB=1", "A=1"], {"A": "2"}, ["AB=1", "A=2"]),
    ],
    ids=["in its place", "new at the end", "whole names only"],
)
def test_variables_are_set(lines: list[str], changes: dict[str, str], after: list[str]) -> None:
    assert with_environment(lines, changes) == after


@pytest.mark.parametrize(
    ("words", "after"),
    [
        (["--secretKey", "old", "--port", "1"], ["--secretKey", "new", "--port", "1"]),
        (["--secretKey=old", "--port", "1"], ["--secretKey=new", "--port", "1"]),
        (["--secretKeyFile", "old"], ["--secretKeyFile", "old"]),
        (["--port", "--secretKey"], ["--port", "--secretKey"]),
        (["--secretKey", "--secretKey"], ["--secretKey", "new"]),
    ],
    ids=["next word", "after an equals sign", "another option", "without a value", "value like an option"],
)
def test_options_are_set_where_they_stand(words: list[str], after: list[str]) -> None:
    assert with_arguments(words, {"--secretKey": "new"}) == after


def test_option_is_read_across_entrypoint_and_command() -> None:
    container = seen({"Entrypoint": ["server", "--secretKey"], "Cmd": ["k3y", "--port=1"]})

    assert argument_of(container, "--secretKey") == "k3y"
    assert argument_of(container, "--port") == "1"
    assert argument_of(container, "--host") is None
    assert blueprint(container, arguments={"--secretKey": "new"}).body["Cmd"] == ["new", "--port=1"]


def test_missing_entrypoint_stays_missing() -> None:
    assert blueprint(seen({"Entrypoint": None})).body["Entrypoint"] == [""]


def test_image_may_be_named_by_its_id() -> None:
    assert blueprint(seen()).with_image("sha256:1").body["Image"] == "sha256:1"


def test_short_id_is_no_alias_of_the_next_container() -> None:
    networks = {
        "net": {"NetworkID": "f00", "IPAMConfig": {"IPv4Address": "10.0.0.9"}, "Aliases": ["web", ID[:12]]},
        "other": {"NetworkID": "f01", "IPAMConfig": None, "Aliases": []},
    }

    drawn = blueprint(seen(Networks=networks))

    assert drawn.body["NetworkingConfig"]["EndpointsConfig"] == {
        "net": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}, "Aliases": ["web"]}
    }
    assert drawn.networks == {"other": {"Aliases": []}}


@pytest.mark.parametrize("mode", ["host", "none", "container:abc"])
def test_networks_that_are_none_are_not_asked_for(mode: str) -> None:
    networks = {mode: {"NetworkID": "f00"}} if mode != "container:abc" else {}

    drawn = blueprint(seen(HostConfig={"NetworkMode": mode}, Networks=networks))

    assert drawn.body["NetworkingConfig"]["EndpointsConfig"] == {}


def test_name_and_ports_belong_to_the_other_container_in_a_shared_network() -> None:
    body = blueprint(
        seen({"ExposedPorts": {"80/tcp": {}}}, HostConfig={"NetworkMode": "container:abc"}, Networks={})
    ).body

    assert not {"Hostname", "ExposedPorts"} & set(body)


def test_host_name_is_kept_else() -> None:
    assert blueprint(seen()).body["Hostname"] == ID[:12]
    assert "Hostname" not in blueprint(seen(HostConfig={"UTSMode": "host"})).body


@pytest.mark.parametrize("mode", ["net", "f00", "default"])
def test_first_network_is_found_by_name_id_or_default(mode: str) -> None:
    name = "bridge" if mode == "default" else "net"
    networks = {name: {"NetworkID": "f00d", "IPAMConfig": None}}

    body = blueprint(seen(HostConfig={"NetworkMode": mode}, Networks=networks)).body

    assert list(body["NetworkingConfig"]["EndpointsConfig"]) == [name]


def test_container_taken_out_of_its_network_cannot_be_made_anew() -> None:
    with pytest.raises(CannotCopyError, match="taken out of it"):
        blueprint(seen(Networks={"other": {"NetworkID": "1"}}))


def test_links_are_asked_for_as_they_were() -> None:
    host = {"Links": ["/db:/app/store", "/cache:/app/cache"]}

    assert blueprint(seen(HostConfig=host)).body["HostConfig"]["Links"] == ["db:store", "cache:cache"]


def test_read_only_anonymous_volume_stays_read_only() -> None:
    drawn = blueprint(seen(Mounts=[volume("v1", "/data", writable=False)]))

    assert drawn.body["HostConfig"]["Mounts"] == [
        {"Type": "volume", "Source": "v1", "Target": "/data", "ReadOnly": True}
    ]


def test_volume_that_is_bound_under_another_spelling_is_not_mounted_twice() -> None:
    drawn = blueprint(
        seen(HostConfig={"Binds": ["v1:/data/:rw", "/srv:/srv"]}, Mounts=[volume("v1", "/data")])
    )

    assert drawn.body["HostConfig"]["Binds"] == ["v1:/data/:rw", "/srv:/srv"]
    assert drawn.body["HostConfig"]["Mounts"] is None


def test_inspection_itself_is_not_changed_and_a_text_shows_no_secret() -> None:
    container = seen({"Env": ["TOKEN=old-secret"]})

    drawn = blueprint(container, environment={"TOKEN": "new-secret"})

    assert container["Config"]["Env"] == ["TOKEN=old-secret"]
    assert "secret" not in f"{drawn} {drawn!r}"
