"""A `docker` and a `docker-compose` that answer from a JSON file and write down what they were asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PROGRAM = """#!{python} -SE
import json, os, sys
words = sys.argv[1:]
name = os.path.basename(sys.argv[0])
told = json.load(open({answers!r}))
with open({calls!r}, "a") as calls:
    calls.write(json.dumps([name, *words]) + "\\n")
if name == "docker-compose":
    if words == ["version", "--short"]:
        print(told["compose"])
        sys.exit(0)
    if words[-3:] == ["config", "--format", "json"]:
        print(told["config"] or json.dumps({{"services": {{name: {{}} for name in told["services"]}}}}))
        sys.exit(0)
    if words[-3:] == ["--all", "--format", "json"]:
        print(told["containers_json"])
        sys.exit(0)
    if "ps" in words:
        print(*told[words[-1]], sep=" ")
        sys.exit(0)
    if "pause" in words and "--profile" in words:
        sys.exit(0)
    if "unpause" in words:
        sys.exit(told["unpause"])
    if "up" in words:
        sys.exit(told["up"])
    if "run" in words:
        if told["run"] == "kill who asks":
            os.kill(os.getppid(), 9)
        sys.exit(told["check"] if "--check" in words else told["run"])
    sys.exit(0 if "build" in words else 1)
if words[:1] == ["info"]:
    sys.stderr.write(told["info_error"])
    print(told["info"])
    sys.exit(1 if told["info_error"] else 0)
if words[:1] == ["inspect"]:
    found = told["containers"].get(words[-1])
    print(json.dumps([found] if found else []))
    sys.exit(0 if found else 1)
if words[:2] == ["volume", "inspect"]:
    sys.exit(0 if words[-1] in told["volumes"] else 1)
if words[:1] == ["ps"]:
    print(told["ports"])
    sys.exit(0)
sys.exit(1)
"""


def as_json(**services: str) -> str:
    """Write what `docker compose ps --all --format json` tells: a line for each service's container."""
    rows = [
        {
            "Service": name,
            "State": state if state == "exited" else "running",
            "Health": "" if state in ("exited", "running") else state,
        }
        for name, state in services.items()
    ]
    return "\n".join(map(json.dumps, rows))


class FakeDocker:
    """Programs on a PATH of their own."""

    def __init__(self, directory: Path) -> None:
        self._answers = directory / "answers.json"
        self._calls = directory / "calls"
        self.path = directory / "bin"
        self.path.mkdir()
        text = PROGRAM.format(python=sys.executable, answers=str(self._answers), calls=str(self._calls))
        for name in ("docker", "docker-compose"):
            (self.path / name).write_text(text)
            (self.path / name).chmod(0o755)
        self._told: dict[str, Any] = {
            "compose": "2.40.3",
            "up": 0,
            "run": 0,
            "check": 0,
            "unpause": 0,
            "services": ["exporter", "page"],
            "config": "",
            "volumes": [],
            "containers_json": as_json(exporter="healthy", page="healthy"),
            "running": [],
            "paused": [],
            "info": "28.2.2 17179869184",
            "info_error": "",
            "containers": {},
            "ports": "",
        }
        self.tell()

    def tell(self, **changes: Any) -> None:
        """Change what the programs answer."""
        self._told |= changes
        self._answers.write_text(json.dumps(self._told))

    def remove(self, name: str) -> None:
        """Take a program away."""
        (self.path / name).unlink()

    def calls(self, *words: str) -> list[list[str]]:
        """Return the calls that hold all the words."""
        lines = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [call for call in map(json.loads, lines) if set(words) <= set(call)]


def container(name: str = "leguas_wppconnect", **changes: Any) -> dict[str, Any]:
    """Make what `docker inspect` tells of a container."""
    return {
        "Name": f"/{name}",
        "Config": {
            "Image": changes.get("image", "wppconnect/server-cli:1.3.18"),
            "Labels": changes.get("labels", {}),
            "ExposedPorts": {"21465/tcp": {}},
        },
        "Mounts": [{"Name": name} for name in changes.get("volumes", [])],
        "HostConfig": {
            "NetworkMode": changes.get("mode", "bridge"),
            "PortBindings": changes.get("bindings", {}),
        },
        "NetworkSettings": {"Networks": {name: {} for name in changes.get("networks", ["bridge"])}},
    }
