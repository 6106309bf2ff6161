"""Images that cannot be pulled where tests run, made here under the names that the compose file asks for.

The base is Debian's own userland with its Python, packed from the packages that this machine has installed:
the files of what `python3-venv` and a shell depend on, down to the C library. Prometheus and Alertmanager are
Debian's programs with the libraries that they load; Grafana is a file that says that it is healthy; the
gateways are the simulator; one reads variables alone and one its command line alone, like the real ones.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import docker
from docker.errors import ImageNotFound

from tests.support.compose import compose_program

BASE = "python:3.11-slim-bookworm"
PROMETHEUS = "prom/prometheus:v3.5.0"
ALERTMANAGER = "prom/alertmanager:v0.28.1"
GRAFANA = "grafana/grafana:12.1.0"
GATEWAY = "wppconnect/wppconnect-server:2.10.4"
SERVER_CLI = "wppconnect/server-cli:1.3.18"
COMPOSE_BIN = "docker/compose-bin:v2.40.3"

WANTED = (
    *(
        "base-files",
        "bash",
        "coreutils",
        "dash",
        "findutils",
        "login",
        "passwd",
        "sed",
        "tar",
        "python3-venv",
    ),
    "libstdc++6",  # apt brings it into every Debian image
)
LEFT_OUT = re.compile(r"^/usr/share/(doc|man|locale|info|lintian|bug|i18n|zoneinfo)/")
LINKS = ("/bin", "/sbin", "/lib", "/lib64", "/usr/bin/sh")
"""Made by maintainer scripts, so no package lists them."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
NOBODY, GRAFANAS = 65534, 472
ACCOUNTS = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
}
GRAFANA_SERVER = "trap 'exit 0' TERM; httpd -f -p 3000 -h /www & wait"
"""A first process that has no handler does not hear SIGTERM, and Compose waits ten seconds for its end."""
GATEWAY_FOLDER = "usr/src/wpp-server"
READS_VARIABLES = """
secret_key, port = (os.environ.get(name) for name in ("SECRET_KEY", "PORT"))
"""
READS_COMMAND_LINE = """
parser = argparse.ArgumentParser(add_help=False)
for option in ("--secretKey", "--host", "--port"):
    parser.add_argument(option)
words = parser.parse_args()
secret_key, port = words.secretKey, words.port
"""
START_GATEWAY = """#!/opt/wppconnect-ops/bin/python
import argparse, os
{reads}
os.environ["SIMULATOR_SECRET_KEY"] = secret_key or "THISISMYSECURETOKEN"
os.execvp("wppconnect-simulator", [
    "wppconnect-simulator", "--listen-address", "0.0.0.0", "--gateway-port", port or "21465",
    "--state-dir", "/usr/src/wpp-server", "--time-scale", "0.2", "--auto-close", "300",
    # A code on the screen is compared with the phone's over several processes: it must not end meanwhile.
    "--qr-first", "60", "--qr-next", "60",
])
"""
GATEWAYS = {GATEWAY: READS_VARIABLES, SERVER_CLI: READS_COMMAND_LINE}
"""Each image, and how it comes to its secret key and port."""


def make_stand_ins(client: docker.DockerClient) -> None:
    """Import every image that needs nothing of ours, unless the engine has it; no container is started."""
    _import(
        client,
        BASE,
        debian_with_python,
        ['CMD ["python3"]', "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    )
    _import(
        client,
        PROMETHEUS,
        lambda: programs({"prometheus": "prometheus", "wget": "busybox"}, {"prometheus": NOBODY}),
        ['ENTRYPOINT ["/bin/prometheus"]', "USER nobody", "WORKDIR /prometheus", "ENV PATH=/bin"],
    )
    _import(
        client,
        ALERTMANAGER,
        lambda: programs(
            {"alertmanager": "prometheus-alertmanager", "wget": "busybox"},
            {"alertmanager": NOBODY},
            also=sorted(Path("/usr/share/prometheus/alertmanager").glob("*.tmpl")),
        ),
        ['ENTRYPOINT ["/bin/alertmanager"]', "USER nobody", "WORKDIR /alertmanager", "ENV PATH=/bin"],
    )
    _import(
        client,
        GRAFANA,
        lambda: programs(
            dict.fromkeys(("sh", "httpd", "wget", "cat"), "busybox"),
            {"var/lib/grafana": GRAFANAS},
            made={"www/api/health": b'{"database": "ok"}'},
        ),
        [f"ENTRYPOINT {json.dumps(['sh', '-c', GRAFANA_SERVER])}", "USER 472", "ENV PATH=/bin"],
    )
    _import(
        client,
        COMPOSE_BIN,
        lambda: programs({}, {}, made={"docker-compose": compose_program().read_bytes()}),
        ['ENTRYPOINT ["/docker-compose"]'],
    )


def gateway_build_context(reads: str) -> bytes:
    """Pack what makes a gateway's stand-in of our image: `docker build - < context`."""
    dockerfile = "\n".join(
        (
            "ARG OPS_IMAGE",
            "FROM ${OPS_IMAGE}",
            "USER 0",
            "COPY start-gateway wget /usr/local/bin/",
            f"WORKDIR /{GATEWAY_FOLDER}",
            'ENTRYPOINT ["start-gateway"]',
            "CMD []",
            "HEALTHCHECK NONE",
        )
    )
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        add_file(tar, "Dockerfile", dockerfile.encode())
        add_file(tar, "start-gateway", START_GATEWAY.format(reads=reads).encode(), 0o755)
        add_file(tar, "wget", Path(_path_of("busybox")).read_bytes(), 0o755)
    return packed.getvalue()


def programs(
    names: Mapping[str, str],
    folders: Mapping[str, int],
    *,
    also: Iterable[Path] = (),
    made: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """Pack programs of this machine under new names with what they load, and folders with their owners."""
    files: dict[str, bytes] = {**ACCOUNTS, **made}
    files |= {str(path).lstrip("/"): path.read_bytes() for path in also}
    for new, old in names.items():
        path = _path_of(old)
        files[f"bin/{new}"] = Path(path).read_bytes()
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            files[library.lstrip("/")] = Path(library).read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            add_file(tar, name, content, 0o755)
        for name, owner in {"tmp": 0, **folders}.items():
            add_folder(tar, name, owner, 0o1777 if name == "tmp" else 0o755)
    return packed.getvalue()


def debian_with_python() -> bytes:
    """Pack the machine's Debian as far as Python needs it, with the machine's way to the package index."""
    made = {**ACCOUNTS, "etc/pip.conf": _pip_settings().encode()}
    if CERTIFICATES.exists():
        made[str(CERTIFICATES).lstrip("/")] = CERTIFICATES.read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted({*_real_paths(_files_of(_closure(WANTED))), *map(Path, LINKS)}):
            name = str(path).lstrip("/")
            if not LEFT_OUT.match(str(path)) and name not in made and name not in ("tmp", "var/tmp"):
                tar.add(path, arcname=name, recursive=False)
        for name, content in made.items():
            add_file(tar, name, content)
        for name in ("tmp", "var/tmp"):
            add_folder(tar, name, 0, 0o1777)
    return packed.getvalue()


def add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    """Add one file with the given content."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def add_folder(tar: tarfile.TarFile, name: str, owner: int, mode: int) -> None:
    """Add an empty folder."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
    tar.addfile(entry)


def _import(client: docker.DockerClient, name: str, pack: object, changes: list[str]) -> None:
    try:
        client.images.get(name)
    except ImageNotFound:
        assert callable(pack)
        repository, _, tag = name.rpartition(":")
        client.api.import_image_from_data(pack(), repository=repository, tag=tag, changes=changes)


def _path_of(program: str) -> str:
    path = shutil.which(program)
    assert path is not None, program
    return path


def _closure(wanted: Iterable[str]) -> set[str]:
    """Follow the dependencies of installed packages; of alternatives the installed ones count."""
    form = "${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    needs: dict[str, set[str]] = {}
    providers: dict[str, str] = {}
    for line in _dpkg_query("--show", f"--showformat={form}"):
        package, depends, provides = line.split("\t")
        needs[package] = set(_names(depends))
        providers |= dict.fromkeys(_names(provides), package)
    found: set[str] = set()
    waiting = set(wanted)
    while waiting:
        name = waiting.pop()
        package = name if name in needs else providers.get(name, "")
        if package and package not in found:
            found.add(package)
            waiting |= needs[package]
    return found


def _names(relation: str) -> Iterator[str]:
    for part in re.split(r"[,|]", relation):
        name = part.strip().partition(" ")[0].partition(":")[0]
        if name:
            yield name


def _files_of(packages: Iterable[str]) -> list[str]:
    listed = _dpkg_query("--listfiles", *sorted(packages))
    return [line for line in listed if line.startswith("/") and line != "/."]


def _dpkg_query(*arguments: str) -> list[str]:
    answer = subprocess.run(["dpkg-query", *arguments], capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


def _real_paths(paths: Iterable[str]) -> Iterator[Path]:
    """Spell each path without links on the way (/bin leads to /usr/bin); leave out what is not there."""
    for path in map(Path, paths):
        real = path.parent.resolve() / path.name
        if real.exists() or real.is_symlink():
            yield real


def _pip_settings() -> str:
    """Give a build this machine's package index: what pip is told here, as far as it holds there."""
    lines = ["[global]"]
    if CERTIFICATES.exists():
        lines.append(f"cert = {CERTIFICATES}")
    for key in ("index-url", "proxy"):
        command = [sys.executable, "-m", "pip", "config", "get", f"global.{key}"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            lines.append(f"{key} = {answer.stdout.strip()}")
    return "\n".join([*lines, ""])
