"""What tests of the sync share: a small installation, and the sync that works on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.clock import Now, now
from core.messages import Message
from core.models import HistoryEntry
from core.settings.environment import load_environment
from core.settings.source import SettingsSource
from core.store import FileStore
from core.sync.assessment import Assessor
from core.sync.compose import Compose
from core.sync.docker_containers import DockerContainers
from core.sync.plan import ContainerAction, ContainerChange, Draft, Plan, Project, Touch, Touched, Wanted
from core.sync.progress import Done, Report, StepEvent
from core.sync.projects import FindCompose, Projects
from core.sync.secret_values import SecretValues
from core.sync.sync import Sync
from core.sync.sync_file import leguas
from core.sync.targets import ContainerSettings, FileTarget, ReceivedKind, Receives, SyncSettings
from tests.support.compose import compose_program

API_KEY = Receives(kind=ReceivedKind.API_KEY)
KEY = "AUTHENTICATION_API_KEY"
BCRYPT_LIKE = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
MOMENT = datetime(2026, 11, 25, 10, 42, tzinfo=UTC)

DOTENV = "# Léguas\nDB_PASSWORD='segredo'\nAUTHENTICATION_API_KEY=present-key-1234\n"
DOTENV_DOCKER = 'AUTHENTICATION_API_KEY="present-key-1234"\nEVOLUTION_API_KEY=present-key-1234\n'
COMPOSE = """\
services:
  wppconnect:
    image: wppconnect/server-cli:1.3.18
    container_name: leguas_wppconnect
    environment:
      TOKEN: ${AUTHENTICATION_API_KEY}
  evolution:
    image: atendai/evolution-api:v2.1.1
    container_name: leguas_whatsapp_evolution
    env_file: .env.docker
    environment:
      - AUTHENTICATION_API_KEY=present-key-1234
"""
LEGUAS_FILES = {".env": DOTENV, ".env.docker": DOTENV_DOCKER, "docker-compose.yml": COMPOSE}


def target(file: str, key: str = KEY, *, service: str = "", receives: Receives = API_KEY) -> FileTarget:
    """Make a target in the folder `leguas`."""
    return FileTarget(folder="leguas", file=file, key=key, service=service, receives=receives)


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files byte for byte."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read_files(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@dataclass
class Installation:
    """A folder with files, and our data directory beside it."""

    root: Path
    settings: SyncSettings
    environ: Mapping[str, str] = field(default_factory=dict)
    containers: DockerContainers | None = None
    asks_compose: bool = False
    find_compose: FindCompose = lambda: None
    """Where the test has an engine: what finds its Compose."""
    clock: Now = now
    history: list[HistoryEntry] = field(default_factory=list)
    steps: list[StepEvent] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    """Each that was made, the last one last."""

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.root / "leguas"

    @property
    def data(self) -> Path:
        """Where we keep ours."""
        return self.root / "data"

    @property
    def store(self) -> FileStore:
        """The store, opened anew."""
        return FileStore(self.data / "store")

    @property
    def secret_values(self) -> SecretValues:
        """The values in force."""
        source = SettingsSource(load_environment(self.environ), self.store)
        return SecretValues(source, self.store)

    @property
    def sync(self) -> Sync:
        """A sync of a process of its own, as far as the files can tell."""
        return _Planning(
            self.plans,
            self.settings,
            self.secret_values,
            data_directory=self.data,
            environ={"PATH": "/usr/bin:/bin"},
            containers=self.containers,
            compose=self.compose,
            record=self.history.append,
            clock=self.clock,
        )

    def compose(self) -> Compose | None:
        """A real Compose, where the test wants one."""
        return real_compose(self.data) if self.asks_compose else self.find_compose()

    def keep(self, value: str) -> None:
        """Put an API key in force without touching files."""
        self.secret_values.put({API_KEY: SecretStr(value)}, actor="test")

    def api_key(self) -> str | None:
        """Return the API key in force."""
        return self.secret_values.values({API_KEY}).text(API_KEY)

    def apply(self, value: str | None = None) -> str:
        """Apply, with a fresh API key when one is given; returns what came of it."""
        fresh = {API_KEY: SecretStr(value)} if value else None
        return self.sync.apply(fresh=fresh, actor="ana", report=self.steps.append).code


class _Planning(Sync):
    """A sync that keeps its plans."""

    def __init__(self, plans: list[Plan], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._plans = plans

    def draft(self, **options: Any) -> Draft:
        made = super().draft(**options)
        self._plans.append(made.plan)
        return made


def install(
    root: Path, files: Mapping[str, str | bytes] | None = None, *targets: FileTarget, **settings: object
) -> Installation:
    """Write an installation's files; without targets they are those of the preset."""
    installation = Installation(root, SyncSettings())
    installation.folder.mkdir()
    write_files(installation.folder, LEGUAS_FILES if files is None else files)
    preset, containers = leguas("leguas")
    installation.settings = SyncSettings.model_validate(
        {
            "folders": {"leguas": installation.folder},
            "targets": targets or preset,
            "containers": () if targets else containers,
            **settings,
        }
    )
    return installation


def real_compose(directory: Path) -> Compose:
    """A real Compose, and no engine."""
    # One that lives for a moment has no garbage to collect: that would be a quarter of its processor time.
    program = ("env", "GOGC=off", str(compose_program()))
    return Compose(program, "", "unix:///nowhere", os.defpath, directory)


class ScriptedAssessor(Assessor):
    """Recreates every listed container."""

    def __init__(self, wanted: Wanted, known: tuple[Project, ...], waiting: tuple[str, ...]) -> None:
        self.wanted = wanted
        self._waiting = waiting
        self.made_by_compose = {str(number): (one, "") for number, one in enumerate(known)}

    def changes(self) -> tuple[ContainerChange, ...]:
        return tuple(
            ContainerChange(container=one.name, action=ContainerAction.RECREATE, waiting=self._waiting)
            for one in self.wanted.containers
        )


class ScriptedContainers(DockerContainers):
    """Containers that do what a test says."""

    def __init__(
        self,
        carry_out: Callable[[Wanted], Done] = lambda _wanted: Done(),
        known: tuple[Project, ...] = (),
        waiting: tuple[str, ...] = (),
    ) -> None:
        self._carry_out = carry_out
        self._known = known
        self._waiting = waiting
        self.standing = frozenset({("container", "image", "running")})
        self.restarted: list[str] = []

    def identities(self) -> frozenset[tuple[str, str, str]]:
        return self.standing

    @contextmanager
    def assessor(self, wanted: Wanted, projects: Projects) -> Iterator[Assessor]:
        yield ScriptedAssessor(wanted, self._known, self._waiting)

    def carry_out(
        self, wanted: Wanted, report: Report, touch: Touch, touched: Sequence[Touched] = ()
    ) -> Done:
        return self._carry_out(wanted)

    def put_back(
        self, wanted: Wanted, touched: Sequence[Touched], report: Report, *, after_crash: bool = False
    ) -> None:
        """Nothing was touched."""

    def restart(self, container: ContainerSettings, report: Report) -> Done:
        self.restarted.append(container.name)
        return Done(notes=(Message.plain("it keeps its environment"),))
