"""The simulated gateway as a container of a Compose project, under the name and command line of server-cli.

Its image holds nothing but a start script: Python, packages and the simulator are this machine's, mounted
read-only. Like Chromium, the script refuses browser profiles that another host name has locked: their
sessions are lost.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.meta.source import ROOT
from tests.support.compose import compose_program
from tests.support.docker_engine import Engine

HOME = "/usr/src/wpp-server"
START = f"""#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in --secretKey) key=$2; shift;; --port) port=$2; shift;; esac
    shift
done
lock={HOME}/userDataDir/SingletonLock
[ ! -e $lock ] || [ "$(cat $lock)" = "$(uname -n)" ] || rm -f {HOME}/userDataDir/*/paired
uname -n > $lock
exec {sys.executable} -m simulator.cli --listen-address 0.0.0.0 --gateway-port "$port" --secret-key "$key" \\
    --state-dir {HOME} --time-scale 0.2
"""
COMPOSE = """
services:
  wppconnect:
    image: {image}
    container_name: {name}
    command: ["--secretKey", {key}, "--port", "21465"]
    environment: {{PYTHONPATH: {root}, PYTHONDONTWRITEBYTECODE: "1"}}
    ports: ["127.0.0.1:{port}:21465"]
    volumes:
      - ./tokens:{home}/tokens
      - ./userDataDir:{home}/userDataDir
{mounts}
    restart: unless-stopped
    stop_grace_period: 3s
"""


class GatewayProject:
    """A project folder with one gateway in it, and its sessions paired."""

    def __init__(self, engine: Engine, folder: Path, *, port: int, key: str, sessions: list[str]) -> None:
        self.engine = engine
        self.folder = folder
        self.name = engine.name("wppconnect")
        self.url = f"http://127.0.0.1:{port}"
        for session in sessions:
            (folder / "userDataDir" / session).mkdir(parents=True)
            (folder / "userDataDir" / session / "paired").touch()
            (folder / "tokens").mkdir(exist_ok=True)
            (folder / "tokens" / f"{session}.data.json").write_text("{}")
        self.file = folder / "docker-compose.yml"
        mounts = "\n".join(f"      - {path}:{path}:ro" for path in _this_machine())
        self.file.write_text(
            COMPOSE.format(
                image=_image(engine),
                name=self.name,
                key=key,
                root=ROOT,
                port=port,
                home=HOME,
                mounts=mounts,
            )
        )

    def up(self) -> None:
        """Start it, as the administrator does."""
        environ = {"DOCKER_HOST": self.engine.host}
        command = [str(compose_program()), "--project-name", self.name, "up", "--detach"]
        subprocess.run(command, cwd=self.folder, env=environ, check=True, capture_output=True)


def _this_machine() -> list[Path]:
    """List the folders in which Python, our packages and the simulator lie, none inside another."""
    # Not the whole of /usr: the gateway's home lies there.
    programs = [Path("/usr") / one for one in ("bin", "lib", "lib64", "local", "share")]
    wanted = {*filter(Path.is_dir, programs), ROOT, Path(sys.prefix), Path(sys.base_prefix).resolve()}
    return sorted(one for one in wanted if not any(other in one.parents for other in wanted))


def _image(engine: Engine) -> str:
    """Import an image whose name ends as that of the real one."""
    repository = engine.name("mirror/wppconnect/server-cli")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("usr", "etc", "tmp", "run"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for link in ("bin", "sbin", "lib", "lib64"):
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, f"usr/{link}"
            tar.addfile(entry)
        entry = tarfile.TarInfo("start")
        entry.size, entry.mode = len(START), 0o755
        tar.addfile(entry, io.BytesIO(START.encode()))
    changes = [f"WORKDIR {HOME}", 'ENTRYPOINT ["/start"]']
    engine.client.api.import_image_from_data(packed.getvalue(), repository=repository, changes=changes)
    return f"{repository}:latest"
