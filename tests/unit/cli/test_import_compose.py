"""What the import reads of Compose projects, compared with what a real Compose says of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.importing.files import read_folder
from cli.importing.services import Service
from cli.importing.texts import UnusableFileError
from tests.support.compose import compose_program

PROJECTS: dict[str, dict[str, str]] = {
    "anchors and merge keys": {
        "compose.yml": """
x-env: &env {A: one, B: two}
x-more: &more {B: other, C: three}
x-base: &base
  image: base:1
  environment: &own {<<: [*env, *more], D: four}
services:
  one: {<<: *base, command: [run, "a b"]}
  two:
    <<: *base
    image: own:2
    environment: {<<: *own, A: mine}
""",
    },
    "references with defaults": {
        ".env": "A=va\nEMPTY=\nQUOTED='$A'\nREF=${A}-x\n",
        "compose.yml": """
services:
  one:
    image: ${NONE:-img}:${A}
    hostname: ${EMPTY-kept}${EMPTY:-filled}
    command: run --a=$A --b=$$A "${NONE:-x $A}"
    environment: {Q: "${QUOTED}", R: $REF, S: "${A:+set}${NONE+unset}", T: "${NONE-${EMPTY:-deep}}"}
""",
    },
    "env files": {
        ".env": "K=outer\nPASSED=on\n",
        "one.env": "\ufeffA=1\nB=\"two $K\"\nC='three $K'\nexport D=4 # comment\r\nE=\n",
        "sub/two.env": "A=2\nF=${B}/${K}\n",
        "raw.env": "G='$K'\n",
        "compose.yml": """
services:
  one:
    image: a
    env_file: [one.env, {path: sub/two.env}, {path: gone.env, required: false}, {path: raw.env, format: raw}]
    environment: [PASSED, NOT_SET, "E=own=${K}"]
  two: {image: b, env_file: ./one.env, environment: {D: , N: 5, Y: true}}
""",
    },
    "references of env files": {
        ".env": "P=project\n",
        "a.env": "A=a\nP=ignored\nX=$P-$A-$S-$B\n",
        "b.env": "A=b\nB=b\nY=$A-$S-$X\nS=s\nZ=$S\n",
        "compose.yml": "services: {one: {image: x, env_file: [a.env, b.env], environment: {S: s1, A: a1}}}",
    },
    "ports": {
        "compose.yml": """
services:
  one:
    image: a
    ports:
      - "1:2"
      - "127.0.0.1:3:4/tcp"
      - "[::1]:5:6"
      - "7"
      - "8-9:18-19"
      - "8000-8010:20"
      - "127.0.0.1::21"
      - {target: 22, published: "2200", host_ip: 127.0.0.1}
      - {target: 23}
""",
    },
    "mounts": {
        "compose.yml": """
services:
  one:
    image: a
    volumes: ["vol:/a", "./b:/b:ro", "/abs:/c/", /anonymous, {type: tmpfs, target: /t}]
  two:
    image: b
    volumes: [{type: bind, source: ./x, target: /x, read_only: true}, {type: volume, source: vol, target: /y}]
volumes: {vol: }
""",
    },
    "an override that replaces and adds": {
        "docker-compose.yml": """
services:
  one:
    image: a:1
    command: [old]
    entrypoint: [old, entry]
    env_file: a.env
    environment: {A: base, B: base}
    ports: ["1:1"]
    volumes: ["vol:/a", "vol:/b"]
volumes: {vol: , vol2: }
""",
        "docker-compose.yaml": "services: {never: {image: read}}\n",
        "compose.override.yaml": """
services:
  one:
    image: a:2
    command: new words
    env_file: [b.env]
    environment: [B=over, C=over]
    ports: ["2:2"]
    volumes: ["vol2:/b"]
  added: {image: b}
""",
        "a.env": "X=a\nY=a\n",
        "b.env": "Y=b\n",
    },
    "reset and override": {
        "compose.yml": """
services:
  one: {image: a, command: [x], ports: ["1:1"], environment: {A: a, B: b}, volumes: ["vol:/a"]}
volumes: {vol: }
""",
        "compose.override.yml": """
services:
  one:
    command: !reset null
    ports: !override ["2:2"]
    environment: !override {C: c}
    volumes: !reset []
""",
    },
    "bases in this and other files": {
        "sub/base.yml": """
services:
  root: {image: root:1, environment: {A: root, B: root}, env_file: base.env, command: [root]}
  middle:
    extends: root
    environment: {B: middle, C: middle}
    ports: ["1:1"]
    volumes: ["vol:/a"]
""",
        "sub/base.env": "F=file\n",
        "compose.yml": """
services:
  one:
    extends: {file: sub/base.yml, service: middle}
    environment: [C=one]
    ports: ["2:2"]
  two: {extends: {service: one}, image: two:2, command: two}
volumes: {vol: }
""",
    },
    "includes with folders and env files of their own": {
        ".env": "OUT=outer\n",
        "compose.yml": """
include:
  - sub/compose.yml
  - path: [other/a.yml, other/b.yml]
    env_file: chosen.env
services:
  main: {image: "main:${OUT}"}
""",
        "chosen.env": "IN=chosen\n",
        "sub/.env": "IN=inner\nOUT=hidden\n",
        "sub/own.env": "X=${IN}\n",
        "sub/compose.yml": "services:\n"
        "  inner: {image: '${IN}:${OUT}', env_file: own.env, environment: [OUT]}\n"
        "  passed: {image: x, env_file: own.env, environment: [IN]}\n",
        "other/a.yml": "services: {other: {image: '${IN}', command: [a]}}\n",
        "other/b.yml": "services: {other: {command: [b]}}\n",
    },
    "files named in .env": {
        ".env": "COMPOSE_FILE=deploy/a.yml:deploy/b.yml\nTAG=outer\nONLY=here\n",
        "deploy/.env": "TAG=inner\n",
        "deploy/a.yml": "services: {one: {image: 'a:${TAG}', env_file: x.env}}\n",
        "deploy/b.yml": "services: {one: {command: ['${ONLY}']}}\n",
        "deploy/x.env": "X=1\n",
    },
    "several documents, tabs and comments": {
        "compose.yml": "services:\n  one:\n    image: a\t# comment\n    command: [x]\n---\n"
        "services:\n  one:\n    command: [y]\n",
    },
    "profiles, scripts and odd types": {
        "compose.yml": """
services:
  one:
    image: a
    profiles: [debug]
    entrypoint: sh -c "run --key $$KEY && sleep 1"
    environment: {KEY: 0123abc, PORT: 21465, OFF: false}
    working_dir: /srv
    network_mode: host
""",
    },
}


@pytest.mark.parametrize("files", PROJECTS.values(), ids=PROJECTS)
def test_services_are_read_as_compose_reads_them(files: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())

    read = {service.name: _as_read(service) for service in read_folder(tmp_path).services}

    assert read == {name: _as_compose_says(fields) for name, fields in _config(tmp_path).items()}


TYPES = [
    "image: [a]",
    "image: 5",
    "image: 2026-01-01",
    "container_name: true",
    "hostname: 1.5",
    "network_mode: {a: b}",
    "working_dir: 5",
    "command: [1]",
    "command: {a: b}",
    "entrypoint: true",
    "environment: {A: true, B: 5, C: }",
    "environment: {A: [x]}",
    "environment: [5]",
    "environment: text",
    "env_file: {path: x}",
    "ports: 80",
    "ports: [80, {target: 81, published: '82'}]",
    "ports: {a: b}",
    "ports: [{target: [1]}]",
    "volumes: a:/b",
    "volumes: [5]",
    "volumes: [{type: bind, source: [x], target: /a}]",
    "volumes_from: a",
    "tmpfs: {a: b}",
    "tmpfs: [/x]",
    "networks: text",
    "networks: [5]",
    "networks: {default: text}",
    "networks: {default: {aliases: text}}",
    "networks: {default: {aliases: [text]}}",
    "build: [a]",
    "build: {context: 5}",
    "extends: {service: [b]}",
]


@pytest.mark.parametrize("field", TYPES)
def test_field_of_a_type_that_compose_refuses_is_named_with_file_and_line(field: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text(
        f"services:\n  a:\n    <<: {{image: x}}\n    {field}\n  b: {{image: x}}\n"
    )
    command = [str(compose_program()), "--project-name", "test", "config", "--quiet"]
    by_compose = subprocess.run(
        command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False
    )

    refusals = refusals_of(tmp_path)

    name = field.partition(":")[0]
    assert len(refusals) == bool(by_compose.returncode)
    assert all(one.startswith(f"compose.yml: line 4 gives {name} of the service a as ") for one in refusals)


def refusals_of(folder: Path) -> tuple[str, ...]:
    """Return why the import refuses a folder."""
    try:
        read_folder(folder)
    except UnusableFileError as error:
        return error.problems
    return ()


def _config(folder: Path) -> dict[str, Any]:
    command = [str(compose_program()), "--profile", "*", "config", "--format", "json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout.replace("$$", "$"))["services"]
    assert isinstance(services, dict)
    return services


def _as_read(service: Service) -> dict[str, Any]:
    return {
        "image": service.image,
        "hostname": service.hostname,
        "network_mode": service.network_mode,
        "working_dir": service.working_directory,
        "environment": service.variables,
        "ports": {(port.address, port.published, port.target) for port in service.ports},
        "mounts": {mount.target for mount in service.mounts},
        "kept": {mount.target for mount in service.mounts if mount.is_kept},
        "words": [word.text for word in service.entrypoint + service.command],
    }


def _as_compose_says(fields: dict[str, Any]) -> dict[str, Any]:
    environment = fields.get("environment") or {}
    volumes = [{**one, "target": one["target"].rstrip("/")} for one in fields.get("volumes", ())]
    return {
        "image": fields["image"],
        "hostname": fields.get("hostname", ""),
        "network_mode": fields.get("network_mode", ""),
        "working_dir": fields.get("working_dir", ""),
        "environment": {name: value for name, value in environment.items() if value is not None},
        "ports": {
            (port.get("host_ip", ""), port.get("published", ""), str(port["target"]))
            for port in fields.get("ports", ())
        },
        "mounts": {one["target"] for one in volumes},
        "kept": {
            one["target"]
            for one in volumes
            if one["type"] != "tmpfs" and "source" in one and not one.get("read_only")
        },
        "words": [*(fields["entrypoint"] or ()), *(fields["command"] or ())],
    }
