"""A `docker` and a `docker-compose` that answer from files and write down what they were asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PROGRAM = r"""#!/bin/sh
# A shell script, because a test starts it a dozen times.
cd '{answers}' || exit 1
name=${{0##*/}}
for last in "$@"; do :; done
printf '%s\t' "$name" "$@" >>calls
echo >>calls
answer() {{ while read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"; exit "${{2:-0}}"; }}
number() {{ read -r code <"$1"; exit "$code"; }}
case "$name $*" in
"docker-compose version --short") answer compose ;;
"docker-compose "*"config --format json") answer config ;;
"docker-compose "*"--all --format json") answer containers_json ;;
"docker-compose "*" ps "*) answer "$last" ;;
"docker-compose "*"--profile "*" pause "*) exit 0 ;;
"docker-compose "*" unpause "*) number unpause ;;
"docker-compose "*" up "* | "docker-compose "*" up") number up ;;
"docker-compose "*" run "*"--check"*) number check ;;
"docker-compose "*" run "*)
    read -r code <run
    [ "$code" = "kill who asks" ] && kill -9 "$PPID"
    exit "$code" ;;
"docker-compose "*" build"*) exit 0 ;;
"docker info"*)
    [ -s info_error ] || answer info
    answer info_error 1 >&2 ;;
"docker inspect "*) [ -e "container $last" ] && answer "container $last"; echo '[]'; exit 1 ;;
"docker volume inspect "*) [ -e "volume $last" ] ;;
"docker ps"*) answer ports ;;
*) exit 1 ;;
esac
"""


def as_json(**services: str) -> str:
    """Return what `docker compose ps --all --format json` prints: a line for each service's container."""
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
        self._answers = directory / "answers"
        self._answers.mkdir()
        self.path = directory / "bin"
        self.path.mkdir()
        for name in ("docker", "docker-compose"):
            (self.path / name).write_text(PROGRAM.format(answers=self._answers))
            (self.path / name).chmod(0o755)
        self.tell(
            compose="2.40.3",
            up=0,
            run=0,
            check=0,
            unpause=0,
            services=["exporter", "page"],
            containers_json=as_json(exporter="healthy", page="healthy"),
            running=[],
            paused=[],
            info="28.2.2 17179869184",
            info_error="",
            ports="",
        )

    def tell(self, **changes: Any) -> None:
        """Change what the programs answer."""
        for name in changes.pop("volumes", ()):
            self._write(f"volume {name}", "")
        for name, found in changes.pop("containers", {}).items():
            self._write(f"container {name}", json.dumps([found]))
        if "services" in changes:
            services: dict[str, Any] = {name: {} for name in changes.pop("services")}
            self._write("config", json.dumps({"services": services}))
        for name, value in changes.items():
            self._write(name, " ".join(value) if isinstance(value, list | tuple) else str(value))

    def remove(self, name: str) -> None:
        """Take a program away."""
        (self.path / name).unlink()

    def calls(self, *words: str) -> list[list[str]]:
        """Return the calls that hold all the words."""
        file = self._answers / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [call for call in (line.split("\t")[:-1] for line in lines) if set(words) <= set(call)]

    def _write(self, name: str, text: str) -> None:
        (self._answers / name).write_text(text)


def container(name: str = "leguas_wppconnect", **changes: Any) -> dict[str, Any]:
    """Return what `docker inspect` prints of a container."""
    return {
        "Name": f"/{name}",
        "Config": {
            "Image": changes.get("image", "wppconnect/server-cli:1.3.18"),
            "Labels": changes.get("labels", {}),
            "ExposedPorts": {"21465/tcp": {}},
            **changes.get("config", {}),
        },
        "Mounts": [{"Name": name} for name in changes.get("volumes", [])],
        "HostConfig": {
            "NetworkMode": changes.get("mode", "bridge"),
            "PortBindings": changes.get("bindings", {}),
        },
        "NetworkSettings": {"Networks": {name: {} for name in changes.get("networks", ["bridge"])}},
    }
