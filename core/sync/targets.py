"""What goes where: the folders, targets and containers that the administrator listed.

These values come from the sync file alone (`sync_file.py`), which only the sync agent and the command line
read. The page cannot change them: it may ask for a new key, never for another file or another command.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from core.messages import Message
from core.models import Frozen

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
ENVIRONMENT_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
OPTION_KEY = re.compile(r"--[A-Za-z][A-Za-z0-9-]{0,62}")
RECEIVES = re.compile(
    r"(?P<kind>api_key|secret_key|token)(?:\s+of\s+(?:(?P<server>[A-Za-z0-9_-]+)/)?(?P<name>[A-Za-z0-9_-]+))?"
)
ARGUMENT = re.compile(r"[^\x00-\x1f\x7f]+")


class ReceivedKind(StrEnum):
    """The three kinds of secret; docs/design.md keeps them apart."""

    API_KEY = "api_key"
    """Raw, generated here, of the older panel's kind."""
    TOKEN = "token"  # noqa: S105 - a kind's name, not a password
    """The stored bcrypt token of one session; never minted for a target."""
    SECRET_KEY = "secret_key"  # noqa: S105 - a kind's name, not a password
    """A gateway's own."""


class Receives(Frozen):
    """Which secret a target receives."""

    kind: ReceivedKind
    server: str = ""
    """"": the only server."""
    session: str = ""

    @classmethod
    def parse(cls, text: str) -> Receives:
        """Read "api_key", "token of [SERVER/]SESSION" or "secret_key [of SERVER]"; raises ValueError."""
        found = RECEIVES.fullmatch(text.strip())
        kind = ReceivedKind(found["kind"]) if found else None
        if found and kind is ReceivedKind.TOKEN and found["name"]:
            return cls(kind=kind, server=found["server"] or "", session=found["name"])
        if found and kind is ReceivedKind.SECRET_KEY and not found["server"]:
            return cls(kind=kind, server=found["name"] or "")
        if found and kind is ReceivedKind.API_KEY and not found["name"]:
            return cls(kind=kind)
        raise ValueError("sync_file.receives")

    @property
    def message(self) -> Message:
        """Its name for a person."""
        if self.kind is ReceivedKind.TOKEN:
            return Message.of("files.token_of", name=self.session)
        if self.kind is ReceivedKind.SECRET_KEY and self.server:
            return Message.of("files.secret_key_of", name=self.server)
        return Message.of("files.api_key" if self.kind is ReceivedKind.API_KEY else "files.secret_key")

    @property
    def words(self) -> str:
        """Its name as the sync file spells it."""
        if self.kind is ReceivedKind.TOKEN:
            return f"token of {self.server}/{self.session}" if self.server else f"token of {self.session}"
        if self.kind is ReceivedKind.SECRET_KEY and self.server:
            return f"secret_key of {self.server}"
        return self.kind.value


class State(StrEnum):
    """How a target stands."""

    IN_SYNC = "in_sync"
    FOLLOWS = "follows"
    """It takes the value over from another name, which holds it."""
    WILL_CHANGE = "will_change"
    WILL_RUN = "will_run"
    """A command that has not had this value yet."""
    LEFT_OUT = "left_out"
    KEY_MISSING = "key_missing"
    FILE_MISSING = "file_missing"
    NOT_HERE = "not_here"
    """A file of a preset that this installation does not have; its other targets stand alone."""
    UNREADABLE = "unreadable"
    UNWRITABLE = "unwritable"
    NOT_PARSEABLE = "not_parseable"
    REFUSED = "refused"
    """It could be written, but not safely."""
    NO_VALUE = "no_value"
    """There is nothing to write: no key was generated yet, or the secret has other characters."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing has to be done."""
        return self in (State.IN_SYNC, State.FOLLOWS, State.LEFT_OUT, State.NOT_HERE)

    @property
    def is_change(self) -> bool:
        """Whether something will be done."""
        return self in (State.WILL_CHANGE, State.WILL_RUN)

    @property
    def is_wrong(self) -> bool:
        """Whether it keeps everything from being written, unless the target is left out."""
        return not self.is_settled and not self.is_change


def _checked(pattern: re.Pattern[str], message_id: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(message_id)
        return text

    return AfterValidator(check)


def _check_key(text: str) -> str:
    if not (ENVIRONMENT_KEY.fullmatch(text) or OPTION_KEY.fullmatch(text)):
        raise ValueError("sync_file.key")
    return text


def _check_relative(text: str) -> str:
    path = Path(text)
    if not text or path.is_absolute() or ".." in path.parts or not ARGUMENT.fullmatch(text):
        raise ValueError("sync_file.path")
    return path.as_posix()


Name = Annotated[str, _checked(NAME, "sync_file.name")]
Key = Annotated[str, AfterValidator(_check_key)]
RelativePath = Annotated[str, AfterValidator(_check_relative)]
VariableName = Annotated[str, _checked(ENVIRONMENT_KEY, "sync_file.variable")]


def is_compose_file(name: str) -> bool:
    """Return whether a file of that name is a compose file, not an env file."""
    return name.endswith((".yml", ".yaml"))


class FileTarget(Frozen):
    """One key in one file."""

    folder: Name
    file: RelativePath
    key: Key
    """A variable, or an option such as `--secretKey` in a service's `command:`."""
    service: str = ""
    """Of a compose file; "": every service in which the key stands."""
    receives: Receives
    is_preset: bool = False
    """Its file may be absent: no installation has all that a preset lists."""

    @property
    def is_compose(self) -> bool:
        """Whether the file is a compose file, not an env file."""
        return is_compose_file(self.file)

    @property
    def is_option(self) -> bool:
        """Whether the key is an option of a command, not a variable."""
        return self.key.startswith("--")

    @property
    def name(self) -> str:
        """Name it for people and for `--target`: folder/file:service:KEY."""
        return ":".join(part for part in (f"{self.folder}/{self.file}", self.service, self.key) if part)


class CommandTarget(Frozen):
    """A program of the administrator's that takes the value, for example into an older panel's database.

    It is started without a shell; the value travels by standard input or by one variable, never on the
    command line, where every user of the machine could read it.
    """

    label: Name
    folder: Name
    """The folder in which it runs."""
    command: tuple[str, ...] = Field(min_length=1)
    variable: VariableName | None = None
    """The variable that holds the value; None: standard input."""
    timeout_seconds: float = Field(default=60.0, gt=0, le=600)
    receives: Receives

    @property
    def name(self) -> str:
        """Name it for people and for `--target`."""
        return f"command:{self.label}"


Target = FileTarget | CommandTarget


class ContainerSettings(Frozen):
    """One container that may be recreated or restarted; no other is ever touched."""

    name: Name
    folder: Name
    """Where its compose file or env file stands."""
    compose_files: tuple[RelativePath, ...] = ()
    """Its project's files, in the order of Compose's `--file`; (): those that Compose finds by itself.

    Used until there is a container, whose labels say it.
    """
    env_files: tuple[RelativePath, ...] = ()
    """Likewise, the files of Compose's `--env-file`."""
    reads: tuple[Key, ...] | None = None
    """The keys that its image reads; None: what is known of the image."""
    gateway: str | None = None
    """The server (by its name here) whose gateway it is; None: no gateway."""


class SyncSettings(Frozen):
    """Everything that the sync file says."""

    folders: dict[Name, Path] = Field(default_factory=dict)
    """Absolute paths by name."""
    targets: tuple[Target, ...] = ()
    containers: tuple[ContainerSettings, ...] = ()
    backups: int = Field(default=10, ge=1, le=1000)
    """How many backups are kept."""

    def target(self, name: str) -> Target | None:
        """Return the target with that name, if any."""
        return next((one for one in self.targets if one.name == name), None)

    def container(self, name: str) -> ContainerSettings | None:
        """Return the container with that name, if any."""
        return next((one for one in self.containers if one.name == name), None)
