"""A real Docker Engine, and names and an image for what a test makes on it.

`OPS_TEST_DOCKER_HOST` names an engine to use. Without it the first test that wants one starts `dockerd` as
root, with all that it keeps in one folder, and the last test process that uses it ends it. It leaves the
machine's firewall alone and has no bridge `docker0`: a container's network is one that the test creates,
the host's, or none. No image can be pulled: `busybox()` imports one that holds Debian's static busybox.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound, NotFound

from tests.plugins.system_tools import require
from tests.support.waiting import until

HOST_VARIABLE = "OPS_TEST_DOCKER_HOST"
BUSYBOX = "ops-test/busybox:latest"
IMPORT_LOCK = Path(tempfile.gettempdir()) / "wppconnect-ops-busybox.lock"
STATIC_BUSYBOX = "/usr/share/doc/busybox-static/copyright"


@dataclass(frozen=True)
class Engine:
    """A running engine, and one test process's share of it: all that bears its prefix."""

    host: str
    """Its address, as `DOCKER_HOST` takes it."""
    client: docker.DockerClient
    prefix: str

    def name(self, word: str) -> str:
        """Make a name for a container, network, volume, image or Compose project that nobody else uses."""
        return f"{self.prefix}-{word}"

    def busybox(self) -> str:
        """Return the name of an image with a shell and the usual small programs; it runs `sh`."""
        with IMPORT_LOCK.open("w") as lock:
            # Two that import it at once leave containers of one image under a name that means the other.
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                self.client.images.get(BUSYBOX)
            except ImageNotFound:
                self.client.api.import_image_from_data(
                    _busybox_files(), repository=BUSYBOX, changes=["ENV PATH=/bin", 'CMD ["sh"]']
                )
        return BUSYBOX

    def remove_own(self) -> None:
        """Remove every container, network, volume and image that bears this process's prefix."""
        mine: dict[str, str | list[str] | bool] = {"name": self.prefix}
        for container in self.client.containers.list(all=True, filters=mine, ignore_removed=True):
            with suppress(NotFound):
                container.remove(v=True, force=True)
        for network in self.client.networks.list(filters=mine):
            with suppress(NotFound):
                network.remove()
        for volume in self.client.volumes.list(filters=mine):
            with suppress(NotFound):
                volume.remove(force=True)
        # One question: the library's list asks for each image again, which others may have removed by then.
        tags = [tag for image in self.client.api.images() for tag in image["RepoTags"] or ()]
        for tag in tags:
            if tag.startswith(self.prefix):
                with suppress(NotFound):
                    self.client.images.remove(tag)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """Give this process an engine; what it made there is removed at the end."""
    with ExitStack() as stack:
        host = os.environ.get(HOST_VARIABLE) or stack.enter_context(_shared_engine())
        client = docker.DockerClient(base_url=host)
        stack.callback(client.close)
        engine = Engine(host, client, f"ops-{uuid.uuid4().hex[:8]}")
        stack.callback(engine.remove_own)
        yield engine


@contextmanager
def _shared_engine() -> Iterator[str]:
    """Start the machine's engine for tests, or join those who use it; whoever leaves last ends it."""
    require("dockerd", STATIC_BUSYBOX)
    if os.getuid() != 0:
        pytest.skip(f"a Docker Engine is started by root only; or name one with {HOST_VARIABLE}")
    folder = Path(tempfile.gettempdir()) / "wppconnect-ops-docker"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != 0:
        pytest.skip(f"{folder} belongs to somebody else")
    if _has_engine_of_its_own():
        pytest.skip(f"this machine has a Docker Engine of its own: name it in {HOST_VARIABLE}")
    host = f"unix://{folder / 'socket'}"
    with (folder / "users").open("a") as users, (folder / "turn").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if not _answers(host):
            _start(folder, host)
        fcntl.flock(turn, fcntl.LOCK_UN)
        try:
            yield host
        finally:
            fcntl.flock(turn, fcntl.LOCK_EX)
            with suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end(folder)


def _start(folder: Path, host: str) -> None:
    _remove_state(folder)
    command = [
        *("dockerd", "--host", host, "--pidfile", str(folder / "pid")),
        *("--data-root", str(folder / "state" / "data"), "--exec-root", str(folder / "state" / "exec")),
        # With the storage driver that it finds best: vfs, which works everywhere, copies each image whole for
        # every container.
        # Beside an engine that the machine may have for other things.
        *("--containerd-namespace", "ops-test", "--containerd-plugins-namespace", "ops-test-plugins"),
        *("--bridge", "none", "--iptables=false", "--ip-forward=false"),
    ]
    with (folder / "log").open("w") as log:
        # Not this process's child for long: another test process may be the one that ends it.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    until(lambda: _answers(host) or process.poll() is not None, what="the Docker Engine's readiness")
    if process.poll() is not None:
        last = (folder / "log").read_text().strip().rpartition("\n")[2]
        pytest.skip(f"dockerd cannot run here: {last}")
    # Reaped by whoever ends it, or by init: nothing to wait for here.
    process.returncode = 0


def _end(folder: Path) -> None:
    pid = int((folder / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    until(lambda: not _runs(pid), what="the Docker Engine's end")
    _remove_state(folder)


def _remove_state(folder: Path) -> None:
    """Remove what an engine kept, whatever it has left mounted.

    It leaves the host's network namespace, once a container used that, and the file system of a container
    whose end it did not see.
    """
    state = folder / "state"
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for path in reversed(mounted):
        if Path(path).is_relative_to(state):
            subprocess.run(["umount", "--lazy", path], check=True, capture_output=True)
    # Images are tens of thousands of files, which rmtree would look up three times each.
    subprocess.run(["rm", "-rf", "--one-file-system", state], check=True)


def _runs(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    with suppress(OSError):
        # A zombie has ended: the test process that started it reaps it when that ends itself.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _has_engine_of_its_own() -> bool:
    """Tell whether another engine is or was here: ours would take its bridge, its firewall our packets."""
    return "docker0" in {name for _number, name in socket.if_nameindex()}


def _answers(host: str) -> bool:
    # Without the Docker library, which leaves a socket open where nobody listens.
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        try:
            connection.connect(host.removeprefix("unix://"))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.0 200 ")
        except OSError:
            return False


def _busybox_files() -> bytes:
    """Make the image's files: busybox under all its names, and what programs expect to find."""
    program = shutil.which("busybox") or "busybox"
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("root", 0o700), ("tmp", 0o1777)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add_file(tar, "bin/busybox", Path(program).read_bytes(), 0o755)
        _add_file(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", 0o644)
        for applet in applets:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            if applet != "busybox":
                tar.addfile(link)
    return packed.getvalue()


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
