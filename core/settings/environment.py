"""The WPPCONNECT_* variables, which describe the first server, and the data folder."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr

from core.disk import SET_ASIDE_BY_RESTORE
from core.exceptions import ConfigurationError
from core.gateways.registry import kind_of
from core.messages import Message
from core.settings.fields import (
    AllowedHosts,
    DockerHost,
    LogFormat,
    LogLevel,
    ProxyAddress,
    Seconds,
    ServerName,
    SessionNames,
    StoreUrl,
    WebhookUrl,
    is_allowed_host,
    name_problem,
)
from core.settings.loader import Environment, Finding, load_settings
from core.settings.model import ProgramFields, ServerFields
from core.settings.values import ServerSettings, SessionSettings, Timeouts

NOT_ALLOWED = Message("setting.host_not_allowed")


class CoreEnvironment(ServerFields, ProgramFields, Environment):
    """All WPPCONNECT_* variables, Alertmanager's and Grafana's; secrets also as ..._FILE."""

    model_config = Environment.model_config
    prefix: ClassVar[str] = "WPPCONNECT_"
    shared: ClassVar[Mapping[str, str]] = {
        "alertmanager_url": "ALERTMANAGER_URL",
        "alertmanager_bearer_token": "ALERTMANAGER_BEARER_TOKEN",
        "grafana_url": "GRAFANA_URL",
    }

    server_name: ServerName = "main"
    sessions: SessionNames = ()
    webhook: WebhookUrl | None = Field(default=None, repr=False)
    timeout_connect_seconds: Seconds = 3.0
    timeout_healthz_seconds: Seconds = 5.0
    timeout_show_all_seconds: Seconds = 5.0
    timeout_status_seconds: Seconds = 10.0
    timeout_check_connection_seconds: Seconds = 10.0
    timeout_end_to_end_seconds: Seconds = 15.0
    timeout_close_seconds: Seconds = 15.0
    timeout_logout_seconds: Seconds = 30.0
    timeout_start_seconds: Seconds = 10.0
    timeout_start_waiting_seconds: Seconds = 60.0
    timeout_generate_token_seconds: Seconds = 10.0
    proxy: ProxyAddress | None = None
    """Secret, since it can contain a password."""
    allowed_hosts: AllowedHosts = ()
    """Hosts allowed for gateways and Alertmanager; empty: any host."""
    data_dir: Path = Path("data")
    store_url: StoreUrl | None = None
    """The PostgreSQL database that holds the store; None: files in the data folder."""
    sync_file: Path | None = None
    docker_host: DockerHost = "unix:///var/run/docker.sock"
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "text"

    @property
    def database(self) -> str | None:
        """The address of the store's database, with its password; None for a store in files."""
        return _clear(self.store_url) or None

    @property
    def timeouts(self) -> Timeouts:
        """The timeouts as one value."""
        return Timeouts(**{name: getattr(self, f"timeout_{name}") for name in Timeouts.model_fields})

    @property
    def server(self) -> ServerSettings | None:
        """The server described by the environment; None without an address."""
        if self.url is None:
            return None
        sessions = tuple(SessionSettings(name=name, webhook=self.webhook) for name in self.usable_sessions)
        values = {name: getattr(self, name) for name in ServerFields.model_fields}
        return ServerSettings(name=self.server_name, sessions=sessions, **values)

    @property
    def usable_sessions(self) -> tuple[str, ...]:
        """The sessions with usable names; `remarks` reports the others."""
        return tuple(name for name in self.sessions if name_problem(name) is None)

    def mistakes(self) -> Iterable[Finding]:
        """Yield settings that cannot work together, and addresses that are not allowed."""
        alertmanager = self.alertmanager_url.get_secret_value() if self.alertmanager_url else None
        for field, url in (("url", self.url), ("alertmanager_url", alertmanager)):
            if url and not is_allowed_host(url, self.allowed_hosts):
                yield Finding((field, "allowed_hosts"), NOT_ALLOWED)
        if self.sessions and not self.usable_sessions:
            yield from (Finding(("sessions",), problem) for problem in self._name_problems())
        yield from find_mistakes(self.secret_key, self.token, self.usable_sessions)

    def _name_problems(self) -> Iterator[Message]:
        problems = (name_problem(name, place) for place, name in enumerate(self.sessions, 1))
        return (problem for problem in problems if problem)

    def remarks(self) -> Iterator[Finding]:
        """Yield settings that are valid but probably not intended."""
        secret = _clear(self.secret_key)
        if self.url is None and (secret or self.token or self.sessions):
            text = "is not set; sessions wait for an address from the page, which gets no key or token"
            yield Finding(("url",), text)
        if self.url and not secret and not self.token:
            text = "is not set, and neither is WPPCONNECT_TOKEN; no session can be read until one is given"
            yield Finding(("secret_key", "token", "url"), text)
        if self.url and self.url.endswith("/api"):
            yield Finding(("url",), "ends in /api, which is added to every call; leave it out")
        for problem in self._name_problems():
            yield Finding(("sessions",), f"{problem}; it is left out, and the others are watched")
        yield from kind_of().credential_remarks(secret, _clear(self.token), self.usable_sessions)


def find_mistakes(
    secret_key: SecretStr | None,
    token: SecretStr | None,
    sessions: Sequence[str],
) -> Iterator[Finding]:
    """Yield the mistakes that make a server's sessions unusable."""
    for name in sessions:
        if problem := name_problem(name):
            yield Finding(("sessions",), problem)
    yield from kind_of().credential_mistakes(_clear(secret_key), _clear(token), sessions)


def load_environment(environ: Mapping[str, str] | None = None) -> CoreEnvironment:
    """Return the WPPCONNECT_* settings; raise ConfigurationError with all mistakes.

    A program with its own variables calls `load_settings` for each model, then `require_all`.
    """
    return load_settings(CoreEnvironment, environ).values


def prepare_data_dir(environment: CoreEnvironment) -> Path:
    """Create the data folder with mode 0700 and return its path; raise ConfigurationError if not writable.

    A folder that is not empty keeps its mode: it may be a user's home directory.
    """
    path = environment.data_dir.expanduser().absolute()
    remedy = "name a folder that this user can write to"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_root_among_others(path)
        _refuse_half_restored(path)
        if path.stat().st_uid == os.geteuid() and not any(path.iterdir()):
            path.chmod(0o700)
        with tempfile.TemporaryFile(dir=path):
            pass
    except FileExistsError:
        raise ConfigurationError([f"WPPCONNECT_DATA_DIR: {path} is not a folder; {remedy}"]) from None
    except OSError as error:
        text = f"WPPCONNECT_DATA_DIR: {path} cannot be used ({error.strerror}); {remedy}"
        raise ConfigurationError([text]) from None
    return path


def _refuse_root_among_others(path: Path) -> None:
    """Raise if root runs in another account's folder: that account could not read root's files."""
    owner = path.stat().st_uid
    if os.geteuid() != 0 or owner == 0:
        return
    try:
        account = pwd.getpwuid(owner).pw_name
    except KeyError:
        account = f"account {owner}"
    text = f"{path} belongs to {account}, who could not read what root writes there"
    raise ConfigurationError([f"WPPCONNECT_DATA_DIR: {text}; run this as that account"])


def _refuse_half_restored(path: Path) -> None:
    """Raise after an interrupted restoration: the next one would discard what is written now."""
    if (path / SET_ASIDE_BY_RESTORE).exists():
        text = f"a restoration into {path} is under way or was cut off; if it was cut off, restore once more"
        raise ConfigurationError([f"WPPCONNECT_DATA_DIR: {text}"])


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
