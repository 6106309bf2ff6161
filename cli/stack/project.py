"""One checkout as a Compose project: its settings, its files, its commands."""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.environment import read_own_env
from cli.stack.checks import (
    evolution_problems,
    grace_problems,
    notes_on_settings,
    objective_problems,
    port_problems,
    ports_of,
    settings_to_move,
    warnings,
)
from cli.stack.engine import Compose, StackError, find_compose, find_engine
from cli.stack.files import (
    EVOLUTION_DATABASE_PASSWORD,
    GRAFANA_PASSWORD,
    SECRET_KEY,
    fresh_secret,
    prepare,
    quoted,
    read_secret,
    write_config,
    write_private,
    write_secret,
)
from cli.stack.gateway import Gateway, choose_gateway
from cli.stack.images import choose_images, notes_on_evolution
from cli.stack.sync_agent import FOLDER as SYNC_FOLDER
from cli.stack.sync_agent import PROFILE as SYNC_PROFILE
from cli.stack.sync_agent import SERVICE as SYNC_SERVICE
from cli.stack.sync_agent import SyncAgent, choose_sync_agent

PROJECT = "wppconnect-ops"
ENV_COMMENTS = (
    "Written once by `make up`, and yours then. Settings: docs/settings.md, docs/deployment.md",
    "Whoever can read this file commands the gateway.",
)
FOUND_COMMENTS = (
    "Written by each `make up`: what it found. Do not edit; .env is the place for that. By hand:",
    "docker compose --env-file .env --env-file config/compose.env ps",
)


@dataclass
class Project:
    """A checkout. `environ` is the environment of the process."""

    directory: Path
    environ: Mapping[str, str]

    def __post_init__(self) -> None:
        self.env_path = self.directory / ".env"
        self.written, self.env_problems = read_own_env(self.env_path)
        self.values = self.written | dict(self.environ)
        self.config = self.directory / (self.values.get("OPS_CONFIG_DIR") or "config")
        self.found_path = self.config / "compose.env"
        self.name = self.values.get("COMPOSE_PROJECT_NAME") or PROJECT

    def compose(self) -> Compose:
        """Return Compose with the existing env files."""
        files = tuple(path for path in (self.env_path, self.found_path) if path.exists())
        # Compose parses the gateway's service even if it is not started, and requires the variable.
        environ = {"WPPCONNECT_SECRET_KEY": self.values.get("WPPCONNECT_SECRET_KEY", ""), **self.environ}
        return Compose(find_compose(self.environ), self.directory, environ, files)

    def make_ready(self, *, demo: bool) -> tuple[Gateway, dict[str, str]]:
        """Check everything, write the containers' files, and return the gateway and the published ports."""
        if self.env_problems:
            raise StackError(*self.env_problems)
        engine = find_engine(self.environ)
        find_compose(self.environ)
        gateway = choose_gateway(self.values, engine, project=self.name, demo=demo)
        agent = choose_sync_agent(self.values, engine)
        found = read_own_env(self.found_path)[0]
        ports = ports_of(self.values, gateway)
        grace = self.values.get("OPS_ALERT_GRACE", "")
        objective = self.values.get("OPS_UPTIME_OBJECTIVE", "")
        problems = [
            *port_problems(ports, engine, self.name),
            *evolution_problems(self.values, engine, self.name),
            *grace_problems(grace),
            *objective_problems(objective),
            *settings_to_move(read_own_env(self.directory / "ops.env")[0]),
        ]
        if problems:
            raise StackError(*problems)
        secret = self._secret(gateway)
        prepare(self.config)
        write_secret(self.config, SECRET_KEY, secret)
        self._write_env(gateway, secret)
        has_override = (self.directory / "docker-compose.override.yml").exists()
        notes = notes_on_settings(self.written, has_override=has_override)
        images = choose_images(self.values, found, engine, self.name, gateway)
        about_evolution = notes_on_evolution(self.values, images, found)
        for warning in (*warnings(self.values, engine, gateway), *about_evolution, *notes):
            print(f"note: {warning}")
        for name in (GRAFANA_PASSWORD, EVOLUTION_DATABASE_PASSWORD):
            if not read_secret(self.config, name):
                write_secret(self.config, name, fresh_secret())
        page = f"http://127.0.0.1:{ports['OPS_PAGE_PORT']}"
        external_url = (self.values.get("DASHBOARD_EXTERNAL_URL") or page).rstrip("/")
        if agent:
            agent.write_starter(self.config)
        write_config(self.config, external_url, grace=grace, objective=objective)
        write_private(self.found_path, images | self._found(gateway, agent), FOUND_COMMENTS, replace=True)
        if not agent and engine.container(f"{self.name}-{SYNC_SERVICE}-1"):
            # Compose keeps containers of profiles no longer chosen. This one has the engine's socket.
            self.compose().run("--profile", SYNC_PROFILE, "rm", "--stop", "--force", SYNC_SERVICE)
        return gateway, ports

    def build(self) -> int:
        """Build the image, and the sync agent's if it is enabled, unless other images are configured."""
        code = 0 if self.values.get("OPS_IMAGE") else self.compose().run("build", "exporter")
        if code or not self.values.get(SYNC_FOLDER) or self.values.get("OPS_SYNC_IMAGE"):
            return code
        return self.compose().run("--profile", SYNC_PROFILE, "build", SYNC_SERVICE)

    def _secret(self, gateway: Gateway) -> str:
        """Return the gateway's secret key: found, generated or entered; "" if only a token is configured."""
        secret = self.values.get("WPPCONNECT_SECRET_KEY") or self._secret_of_file()
        has_token = self.values.get("WPPCONNECT_TOKEN") or self.values.get("WPPCONNECT_TOKEN_FILE")
        if not secret and gateway.is_adopted and has_token:
            return ""
        if not secret and gateway.is_adopted:
            secret = read_secret(self.config, SECRET_KEY) or _ask_for_secret()
        elif not secret and self.env_path.exists():
            raise StackError(
                f"WPPCONNECT_SECRET_KEY: is not in {self.env_path.name}, which is never changed here; add "
                "the line WPPCONNECT_SECRET_KEY='...' with what `openssl rand -hex 16` prints"
            )
        secret = secret or fresh_secret()
        try:
            quoted(secret)
        except ValueError as error:
            raise StackError(f"WPPCONNECT_SECRET_KEY: {error}; give the gateway another one") from None
        return secret

    def _write_env(self, gateway: Gateway, secret: str) -> None:
        """Write `.env` if it does not exist. An existing one is never changed."""
        self.values.setdefault("WPPCONNECT_SECRET_KEY", secret)
        if self.env_path.exists():
            return
        own = {"WPPCONNECT_SECRET_KEY": secret}
        if gateway.is_adopted and self.values.get("WPPCONNECT_URL"):
            own["WPPCONNECT_URL"] = self.values["WPPCONNECT_URL"]
        own["WPPCONNECT_SESSIONS"] = self.values.get("WPPCONNECT_SESSIONS") or "leguas_wppconnect"
        write_private(self.env_path, own, ENV_COMMENTS, replace=False)
        print("Written: .env, readable by you only.")

    def _secret_of_file(self) -> str:
        path = self.values.get("WPPCONNECT_SECRET_KEY_FILE")
        if not path:
            return ""
        try:
            return (self.directory / path).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise StackError(f"WPPCONNECT_SECRET_KEY_FILE: cannot be read ({reason})") from None

    def _found(self, gateway: Gateway, agent: SyncAgent | None) -> dict[str, str]:
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        found = {
            **gateway.told,
            "OPS_EVOLUTION_DATABASE_PASSWORD": read_secret(self.config, EVOLUTION_DATABASE_PASSWORD),
        }
        found |= {"OPS_REVISION": self._revision(), "OPS_CREATED": now}
        if digest := self.values.get("OPS_PYTHON_IMAGE", "").partition("@")[2]:
            found["OPS_BASE_DIGEST"] = digest
        if agent:
            found |= agent.told
        if not self.values.get("COMPOSE_PROFILES"):
            profiles = [gateway.profile, SYNC_PROFILE if agent else ""]
            found["COMPOSE_PROFILES"] = ",".join(filter(None, profiles))
        if not read_own_env(self.env_path)[0].get("WPPCONNECT_SECRET_KEY"):
            # For Compose called by hand, which requires the variable.
            found["WPPCONNECT_SECRET_KEY"] = ""
        if not read_secret(self.config, SECRET_KEY):
            found["OPS_SECRET_KEY_FILE"] = ""  # only a token: an empty file would be an error
        return found

    def _revision(self) -> str:
        command = ["git", "-C", str(self.directory), "rev-parse", "HEAD"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
        except OSError:
            return "unknown"
        return done.stdout.strip() or "unknown"


def _ask_for_secret() -> str:
    remedy = (
        "set WPPCONNECT_SECRET_KEY in .env, or take it from an older panel: make import FROM=FOLDER WRITE=1"
    )
    if not sys.stdin.isatty():
        raise StackError(f"WPPCONNECT_SECRET_KEY: the gateway's own secret key is needed; {remedy}")
    print(
        "The gateway's own secret key is needed (--secretKey or SECRET_KEY of its container; not an API key)."
    )
    try:
        secret = getpass.getpass("Secret key: ").strip()
    except EOFError:
        secret = ""
    if not secret:
        raise StackError(f"WPPCONNECT_SECRET_KEY: nothing was entered; {remedy}")
    return secret
