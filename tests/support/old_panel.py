"""An older panel with its gateway, as a Compose project of its own that has been running for long."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from tests.support.deployed import COMPOSE, ask_phone, inspected
from tests.support.docker_engine import Engine
from tests.support.stack import SESSION

GATEWAY, EVOLUTION, PANEL = "leguas_wppconnect", "leguas_whatsapp_evolution", "leguas_panel"
SECRET = "chave-do-servidor-9f8e7d6c5b4a"
API_KEY = "uma-chave-de-api-de-2024"
COMPOSE_FILE = """
services:
  wppconnect:
    image: wppconnect/server-cli:1.3.18
    container_name: leguas_wppconnect
    hostname: wppconnect
    command: --secretKey ${{WPPCONNECT_SECRET}} --host 0.0.0.0 --port 21465
    environment: {{TOKEN: "${{WPPCONNECT_TOKEN}}"}}
    restart: unless-stopped
    ports: ["127.0.0.1:{port}:21465"]
    volumes:
      - tokens:/usr/src/wpp-server/tokens
      - profiles:/usr/src/wpp-server/userDataDir
    networks: [leguas]
  evolution:
    image: {busybox}
    container_name: leguas_whatsapp_evolution
    command: httpd -f -p 8080
    environment: {{AUTHENTICATION_API_KEY: "${{AUTHENTICATION_API_KEY}}"}}
    restart: unless-stopped
    networks: [leguas]
  panel:
    image: {busybox}
    container_name: leguas_panel
    command: httpd -f -p 8000
    env_file: .env
    volumes: [".:/app:ro"]
    restart: unless-stopped
    networks: [leguas]
networks: {{leguas: {{}}}}
volumes: {{tokens: {{}}, profiles: {{}}}}
"""
ENV = f"""WPPCONNECT_URL=http://wppconnect:21465/api
WPPCONNECT_SECRET={SECRET}
WPPCONNECT_SESSION={SESSION}
WPPCONNECT_TOKEN={API_KEY}
AUTHENTICATION_API_KEY={API_KEY}
"""


@dataclass(frozen=True)
class OldPanel:
    """Its folder, and what the engine runs of it."""

    engine: Engine
    folder: Path
    project: str

    @classmethod
    def start(cls, engine: Engine, folder: Path, port: int) -> OldPanel:
        """Start it, its session paired long ago."""
        folder.mkdir()
        text = COMPOSE_FILE.format(busybox=engine.busybox(), port=port)
        (folder / "docker-compose.yml").write_text(text)
        (folder / ".env").write_text(ENV)
        there = cls(engine, folder, engine.name("leguas"))
        there._compose("up", "--detach")
        ask_phone(there.container(GATEWAY), "POST", f"/control/sessions/{SESSION}/pair")
        return there

    def container(self, name: str) -> Container:
        """One of its containers."""
        return self.engine.client.containers.get(name)

    def state(self) -> dict[str, Any]:
        """Everything of it that must not change: containers, networks, volumes, files."""
        label: dict[str, str | list[str] | bool] = {"label": f"com.docker.compose.project={self.project}"}
        containers = self.engine.client.containers.list(all=True, filters=label)
        # Only one by one are they told with the containers that are in them.
        networks = [
            self.engine.client.networks.get(str(one.id))
            for one in self.engine.client.networks.list(filters=label)
        ]
        return {
            "containers": {str(one.name): inspected(one.attrs) for one in containers},
            "networks": {str(one.name): dict(one.attrs) for one in networks},
            # The engine reads CreatedAt from a folder that the containers write to.
            "volumes": {
                one.name: {key: value for key, value in one.attrs.items() if key != "CreatedAt"}
                for one in self.engine.client.volumes.list(filters=label)
            },
            "files": {
                path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
                for path in self.folder.iterdir()
            },
        }

    def stop(self) -> None:
        """Remove it, volumes included."""
        self._compose("down", "--volumes", "--timeout", "1")

    def _compose(self, *words: str) -> None:
        environ = {"PATH": os.environ["PATH"], "DOCKER_HOST": self.engine.host}
        command = [str(COMPOSE), "--project-name", self.project, *words]
        done = subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
