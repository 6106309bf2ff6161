"""The variables of our processes: the environment, our own `.env` file, and the values of the demo.

The commands and `make up` read `.env` here, Compose reads it for the containers, and systemd as the units'
EnvironmentFile. Only the standard library is imported: `make up` runs with nothing else.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.env_forms import OWN_READERS
from core.env_lines import disagreements, env_values, in_words, read_env_lines
from core.exceptions import ConfigurationError

if TYPE_CHECKING:
    from core.settings.loader import Environment

DEMO_SESSION = "leguas_wppconnect"
DEMO_SECRET_FILE = "demo-secret"  # noqa: S105 - a file's name
DEMO_ADDRESS_FILE = "demo-gateway"
SYSTEM = re.compile(
    "PATH|HOME|USER|LOGNAME|SHELL|TERM|COLUMNS|LINES|TZ|TZDIR|TMPDIR|TEMP|TMP|LANG|LANGUAGE|LC_[A-Z]+|NO_COLOR"
    "|PYTHON[A-Z]+|VIRTUAL_ENV|LD_LIBRARY_PATH|LD_PRELOAD|SSL_CERT_FILE|SSL_CERT_DIR|XDG_[A-Z_]+"
    "|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY"
)
"""System variables that every program gets: paths, language, time zone, certificates and proxies."""
NO_SERVER = (
    "WPPCONNECT_URL: is not set here, and no server was saved on the page; set the gateway's address, or "
    "type this where the product runs: in its folder and with its variables, or after `docker exec -it "
    "wppconnect-ops-page-1`"
)
NEEDS_A_GATEWAY = (
    "WPPCONNECT_SECRET_KEY",
    "WPPCONNECT_SECRET_KEY_FILE",
    "WPPCONNECT_TOKEN",
    "WPPCONNECT_TOKEN_FILE",
)
"""Variables that make sense only with a gateway: if one is set, its address was forgotten."""


def read_environment(environ: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return the variables of the process and of the directory's `.env` file; those of the process win.

    Raise ConfigurationError with every line that readers of the file would read differently.
    """
    values, problems = read_own_env(directory / ".env")
    if problems:
        raise ConfigurationError(problems)
    return values | dict(environ)


def environment_of(environ: Mapping[str, str], *models: type[Environment]) -> dict[str, str]:
    """Return the environment of a program with these settings: its own variables and the system's.

    The rest is left out, such as other programs' secrets in a shared `.env`.
    """
    return {
        name: value
        for name, value in environ.items()
        if SYSTEM.fullmatch(name) or any(model.owns(name) for model in models)
    }


def actor() -> str:
    """Return the user's name for the history; "cli" for an account without a name, as in a container."""
    try:
        return f"cli ({getpass.getuser()})"
    except (KeyError, OSError):
        return "cli"


def has_gateway(environ: Mapping[str, str]) -> bool:
    """Return whether a gateway is configured. Without one the simulated gateway is used."""
    return bool(environ.get("WPPCONNECT_URL", "").strip())


def demo_problems(environ: Mapping[str, str]) -> list[str]:
    """Return a problem for each variable that contradicts the use of the simulated gateway."""
    return [
        f"WPPCONNECT_URL: is not set, but {name} is; set the gateway's address, or unset {name} for the demo"
        for name in NEEDS_A_GATEWAY
        if environ.get(name, "").strip()
    ]


def demo_environment(environ: Mapping[str, str], *, gateway: str, secret_file: Path) -> dict[str, str]:
    """Return the environment with the simulated gateway's address and secret, for the simulator, too."""
    return {
        "WPPCONNECT_SESSIONS": DEMO_SESSION,
        **{name: value for name, value in environ.items() if value.strip()},
        "WPPCONNECT_URL": gateway,
        "WPPCONNECT_SECRET_KEY_FILE": str(secret_file),
        "SIMULATOR_SECRET_KEY_FILE": str(secret_file),
    }


def note_demo_gateway(data_directory: Path, address: str) -> None:
    """Store the address of the simulated gateway of a `run`, for commands in another shell."""
    (data_directory / DEMO_ADDRESS_FILE).write_text(address + "\n", encoding="utf-8")


def noted_demo_gateway(data_directory: Path) -> str | None:
    """Return the address of the simulated gateway of the latest `run`; None if there was none."""
    try:
        return (data_directory / DEMO_ADDRESS_FILE).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def make_demo_secret(data_directory: Path) -> Path:
    """Return the file of the demo's random secret key; create it on first use, as tokens depend on it."""
    path = data_directory / DEMO_SECRET_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with os.fdopen(handle, "w") as file:
        # Letters and digits only: a gateway starts no session at boot if its secret contains '/', '#' or '?'.
        file.write(secrets.token_hex(16) + "\n")
    return path


OWN_NAME = re.compile(
    r"(?:WPPCONNECT|EXPORTER|DASHBOARD|ALERTMANAGER|SIMULATOR|OPS|EVOLUTION|COMPOSE|DOCKER)_\w+|TZ"
)


def read_own_env(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return the file's variables, as Compose reads them, and a problem for each line to correct.

    Lines of other programs' variables count only if they change ours. A missing file sets nothing.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return {}, []
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        return {}, [f"{path}: line {number} is not UTF-8 text; save the file as UTF-8"]
    except OSError as error:
        return {}, [f"{path}: cannot be read ({error.strerror}); correct or remove it"]
    lines = read_env_lines(text)
    found = disagreements(lines, OWN_READERS, concerns=lambda key: OWN_NAME.fullmatch(key) is not None)
    return env_values(lines), [f"{path}: {in_words(number, form)}" for number, form in found]
