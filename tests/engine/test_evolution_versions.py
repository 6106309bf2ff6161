"""Evolution API of docker-compose.yml on a real engine: each version with its own volumes."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.compose import compose_program
from tests.support.docker_engine import Engine

ROOT = Path(__file__).parents[2]
VERSION_1 = {"OPS_EVOLUTION_VOLUMES": "evolution", "OPS_EVOLUTION_DATABASES": "0"}
VERSION_2 = {"OPS_EVOLUTION_VOLUMES": "evolution2", "OPS_EVOLUTION_DATABASES": "1"}
DOCKERFILE = """
FROM {busybox}
RUN mkdir -p /etc /var/lib/postgresql/data && echo postgres:x:70:70::/: > /etc/passwd \\
 && printf '#!/bin/sh\\n' > /bin/pg_isready && chmod +x /bin/pg_isready
CMD ["sh", "-c", "trap 'exit 0' TERM; sleep 1000000 & wait"]
"""
"""A database and an Evolution API that do nothing but run."""

Up = Callable[[Mapping[str, str]], tuple[set[str], set[str]]]


@pytest.fixture
def up(docker_engine: Engine) -> Iterator[Up]:
    """Run `docker compose up` of the service and return the volumes of its container, and what else runs."""
    image = docker_engine.name("evolution")
    dockerfile = DOCKERFILE.format(busybox=docker_engine.busybox()).encode()
    docker_engine.client.images.build(fileobj=io.BytesIO(dockerfile), tag=image, rm=True, network_mode="none")
    name = docker_engine.name("versions")
    environ = {
        "PATH": os.environ["PATH"],
        "DOCKER_HOST": docker_engine.host,
        "COMPOSE_PROJECT_NAME": name,
        "COMPOSE_PROFILES": "evolution",
        "WPPCONNECT_SECRET_KEY": "k",
        "OPS_EVOLUTION_CONTAINER": f"{name}-evolution",
        "OPS_EVOLUTION_IMAGE": image,
        "OPS_EVOLUTION_DATABASE_IMAGE": image,
        "OPS_EVOLUTION_PORT": "0",
    }

    def compose(*words: str, **variables: str) -> str:
        command = [str(compose_program()), "--project-directory", str(ROOT), *words]
        done = subprocess.run(command, env=environ | variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(variables: Mapping[str, str]) -> tuple[set[str], set[str]]:
        compose("up", "--detach", "--wait", "evolution", **variables)
        mounts = docker_engine.client.containers.get(f"{name}-evolution").attrs["Mounts"]
        rows = map(json.loads, compose("ps", "--format", "json", **variables).splitlines())
        return {one["Name"].removeprefix(f"{name}_") for one in mounts}, {row["Service"] for row in rows}

    yield start
    compose("down", "--volumes")


def test_no_version_gets_the_volumes_of_the_other_and_version_1_no_database(up: Up) -> None:
    first = up(VERSION_1)
    second = up(VERSION_2)
    back = up(VERSION_1)

    assert first == back == ({"evolution-instances", "evolution-store"}, {"evolution"})
    assert second == ({"evolution2-instances", "evolution2-store"}, {"evolution", "evolution-database"})
