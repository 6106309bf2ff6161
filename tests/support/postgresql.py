"""A real PostgreSQL on loopback, in a folder of its own, for the tests that ask for it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.plugins.system_tools import require
from tests.support.stack import free_port
from tests.support.waiting import until

if TYPE_CHECKING:
    import psycopg

ACCOUNT = "nobody"
"""PostgreSQL refuses to run as root."""
FOLDER = "/tmp"
"""Open to every account; the folder for temporary files of a test run is its own account's alone."""
ROLE = "ops"
PASSWORD = "password-of-the-store's-role"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "autovacuum": "off",
    "shared_buffers": "8MB",
    "max_connections": "60",
    "max_wal_senders": "2",
    "max_replication_slots": "0",
    "log_min_messages": "fatal",
}


class Server:
    """One server; each `url` leads to tables of its own."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._schemas = 0
        self._counting = threading.Lock()
        self._account: str | None = None
        self._group: int | None = None
        if os.geteuid() == 0:
            self._account, self._group = ACCOUNT, pwd.getpwnam(ACCOUNT).pw_gid
        self.port = free_port()

    def create(self) -> None:
        """Write an empty cluster."""
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        for path in (self._folder, secret):
            self.give(path)
        options = [f"--username={ROLE}", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8"]
        subprocess.run(
            [self._programs / "initdb", *options, "--locale=C", "--no-sync", self._data],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            user=self._account,
            group=self._group,
        )

    def start(self, **more: str) -> None:
        """Start it unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        settings = [word for name, value in (SETTINGS | more).items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            process = self.run(
                [self._programs / "postgres", "-D", self._data, "-p", str(self.port), *settings], log
            )
        self._process = process
        until(lambda: self.answers(self._url(), process, self._folder / "log"), what="PostgreSQL")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it, by default as a restart does: connections are cut."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def new_url(self, *ports: int) -> str:
        """Return an address whose tables nobody else has, of several servers if there are several ports."""
        with self._counting:
            self._schemas += 1
            schema = f"test_{self._schemas}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {schema}".encode())
        return self._url(f"?options={quote(f'-csearch_path={schema}')}", *ports)

    @contextmanager
    def standby(self) -> Iterator[Server]:
        """Run a copy of this server that receives what is written here; end both."""
        folder = Path(tempfile.mkdtemp(prefix="wppconnect-standby-", dir=FOLDER))
        copy = Server(self._programs, folder)
        self.give(folder)
        options = ["--write-recovery-conf", "--no-slot", "--checkpoint=fast", "--no-sync"]
        with (folder / "log").open("ab") as log:
            program = self._programs / "pg_basebackup"
            made = self.run([program, "-d", self._url(), "-D", copy._data, *options], log)
        assert made.wait(60) == 0, (folder / "log").read_text()
        try:
            copy.start()
            yield copy
        finally:
            self.stop(signal.SIGQUIT)
            copy.stop(signal.SIGQUIT)
            shutil.rmtree(folder)

    def promote(self) -> None:
        """Have a copy take writes."""
        with self.connect() as connection:
            connection.execute("SELECT pg_promote()")

    def connect(self, url: str = "") -> psycopg.Connection:
        """Connect as the owner; close it after use."""
        import psycopg

        return psycopg.connect(url or self._url(), autocommit=True, connect_timeout=30)

    def _url(self, more: str = "", *ports: int) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports or (self.port,))
        return f"postgresql://{ROLE}:{quote(PASSWORD)}@{hosts}/postgres{more}"

    def give(self, path: Path) -> None:
        """Give a file to the account that `run` uses."""
        if self._account is not None:
            shutil.chown(path, self._account, self._group)

    def run(self, command: list[str | Path], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a program that refuses to run as root."""
        return subprocess.Popen(
            command, stdout=log, stderr=log, cwd="/", user=self._account, group=self._group
        )

    def answers(self, url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
        """Return whether a server that was started takes connections."""
        import psycopg

        try:
            self.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            return False
        return True


@contextmanager
def running_server() -> Iterator[Server]:
    """Yield a server; ends with it, and leaves nothing behind."""
    require("/usr/share/doc/postgresql/copyright")
    (*_, programs) = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    # Not in a test's own folder, whose parents only root may enter.
    folder = Path(tempfile.mkdtemp(prefix="wppconnect-postgresql-", dir=FOLDER))
    server = Server(programs, folder)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextmanager
def transaction_pooler(server: Server, *, connections: int) -> Iterator[str]:
    """Run PgBouncer in transaction mode; yields an address through it, whose tables nobody else has."""
    require("/usr/sbin/pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="wppconnect-pgbouncer-", dir=FOLDER))
    port, database = free_port(), f"test_{free_port()}"
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE {database}".encode())
    lines = [
        "[databases]",
        f"{database} = host=127.0.0.1 port={server.port} dbname={database}",
        "[pgbouncer]",
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =",
        f"auth_type = scram-sha-256\nauth_file = {folder / 'users'}",
        f"pool_mode = transaction\ndefault_pool_size = {connections}",
    ]
    (folder / "pgbouncer.ini").write_text("\n".join(lines))
    (folder / "users").write_text(f'"{ROLE}" "{PASSWORD}"\n')
    for path in (folder, *folder.iterdir()):
        server.give(path)
    with (folder / "log").open("ab") as log:
        process = server.run(["/usr/sbin/pgbouncer", folder / "pgbouncer.ini"], log)
    url = f"postgresql://{ROLE}:{quote(PASSWORD)}@127.0.0.1:{port}/{database}"
    try:
        until(lambda: server.answers(url, process, folder / "log"), what="PgBouncer")
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for all tests of this process."""
    with running_server() as server:
        yield server
