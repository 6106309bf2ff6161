"""What can be typed behind `wppconnect-ops`: a table of sub-commands, and the parser made of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = "wppconnect-ops"


@dataclass(frozen=True)
class Argument:
    """One argument, by its name or flag, with what argparse takes besides."""

    name: str
    help: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A sub-command: its line in the list, its own help, its arguments."""

    help: str
    description: str = ""
    epilog: str = ""
    arguments: tuple[Argument, ...] = ()
    actions: Mapping[str, Command] = field(default_factory=dict)
    """Sub-commands of its own."""
    parses_itself: bool = False


def argument(name: str, help: str, **options: Any) -> Argument:
    """Write one line of the table."""
    return Argument(name, help, options)


FRONT_DOORS = {
    "exporter": "serve the sessions' state to Prometheus",
    "dashboard": "serve the page",
    "simulator": "play a gateway and its phones",
}
"""The parts that `run` starts together, each alone in the foreground; they read their own flags."""

SERVER = argument("--server", "the server's name; needed when several know the session", metavar="NAME")
ALSO = argument(
    "--also",
    "a further folder, such as the gateway's profiles",
    metavar="NAME=FOLDER",
    action="append",
    default=[],
)
ROLES = ("viewer", "operator", "administrator")
USER = argument("name", "the user's name", metavar="NAME")
USER_ACTIONS = {
    "list": Command("list all users"),
    "add": Command(
        "add a user and print the one-time link with which they set their password",
        arguments=(USER, argument("--role", "default: viewer", choices=ROLES, default=ROLES[0])),
    ),
    "reset": Command("print a one-time link with which a user sets a new password", arguments=(USER,)),
    "role": Command(
        "give a user another role", arguments=(USER, argument("role", "the new role", choices=ROLES))
    ),
    "disable": Command("switch an account off and end its sign-ins at once", arguments=(USER,)),
    "enable": Command("switch an account on again", arguments=(USER,)),
    "remove": Command("remove a user and end their sign-ins at once", arguments=(USER,)),
}
COMMANDS = {
    "run": Command(
        "start the exporter, the page and, without WPPCONNECT_URL, a simulated gateway",
        description="Start everything in the foreground: the exporter and the page, and a simulated gateway "
        "as long as WPPCONNECT_URL is not set. Ctrl-C ends all of it.",
        epilog="Addresses: DASHBOARD_LISTEN_ADDRESS, EXPORTER_WEB_LISTEN_ADDRESS, and for the demo "
        "SIMULATOR_GATEWAY_PORT and SIMULATOR_PHONE_PORT. Exit code: 0 after Ctrl-C or SIGTERM, "
        "1 when one part ended by itself, 2 for configuration mistakes and taken ports.",
    ),
    **{
        name: Command(f"{what} ({name} --help lists its flags)", parses_itself=True)
        for name, what in FRONT_DOORS.items()
    },
    "sync": Command(
        "bring keys into env files, compose files and containers (sync --help)", parses_itself=True
    ),
    "pair": Command(
        "link a phone to a session with a QR code in the terminal",
        description="Bring a session to a live QR code (or, with --phone, to a pairing code), show it in the "
        "terminal and renew it until the phone is connected.",
        epilog="Exit code: 0 when the session is connected (or after SIGTERM), 1 when it is not, 2 for "
        "configuration mistakes, 130 after Ctrl-C.",
        arguments=(
            argument("session", "the session's name", metavar="SESSION"),
            SERVER,
            argument(
                "--phone",
                "show a pairing code for this number (country code first) instead of a QR code",
                metavar="NUMBER",
            ),
        ),
    ),
    "doctor": Command(
        "find out what is wrong with a gateway or a session",
        description="Ask the gateway one question after the other until the cause is found, and print it "
        "with the next step. Without SESSION the gateways are examined. The output holds no "
        "secret: copy it anywhere.",
        epilog="Exit code: 0 when nothing is wrong, 1 when something is, 2 for configuration mistakes.",
        arguments=(
            argument("session", "the session's name", metavar="SESSION", nargs="?"),
            SERVER,
            argument(
                "--end-to-end",
                "also have WhatsApp itself asked, by looking up a number that belongs to nobody",
                action="store_true",
            ),
        ),
    ),
    "rules": Command(
        "write alert rules, notifications and dashboards with your links",
        description="Write the alert rules, Alertmanager's configuration and the Grafana dashboards with the "
        "links of this installation. Without --output the alert rules go to standard output.",
        epilog="alertmanager/alertmanager.yml is where you fill in receivers: one that exists is left alone.",
        arguments=(
            argument("--external-url", "the page's address, as people open it", metavar="URL", required=True),
            argument(
                "--runbooks-url", "where runbooks/*.md are published, if not on the page", metavar="URL"
            ),
            argument(
                "--grace",
                "how long a session may be lost before somebody is paged (3m)",
                metavar="DURATION",
            ),
            argument(
                "--language",
                "of the notifications (default en); goes into alertmanager/alertmanager.yml",
                choices=("en", "pt_PT", "pt_BR"),
                default="en",
            ),
            argument("--output", "write all files into this folder", metavar="DIR", type=Path),
        ),
    ),
    "users": Command(
        "list, add and change the page's users; also the way back in after a lost password",
        description="List, add and change the page's users, in the data directory of WPPCONNECT_DATA_DIR. A "
        "running page follows within a second.",
        epilog="Exit code: 0 when done, 1 when not, 2 for configuration mistakes.",
        actions=USER_ACTIONS,
    ),
    "test-pager": Command(
        "fire a harmless alert through Alertmanager and print how long each leg took",
        description="Fire a harmless alert on the route that a lost session takes, wait until Alertmanager "
        "has notified, end it again, and print how long each leg took.",
        epilog="ALERTMANAGER_URL: where Alertmanager is, for example http://127.0.0.1:9093. Exit code: "
        "0 when both notices went out, 1 when not, 2 for configuration mistakes, 130 after "
        "Ctrl-C.",
        arguments=(
            argument(
                "--timeout",
                "how long to wait for each notice (default 300)",
                metavar="SECONDS",
                type=float,
                default=300.0,
            ),
        ),
    ),
    "import": Command(
        "say what an older panel's .env and docker-compose.yml mean and what is wrong with them",
        description="Read an older panel's .env, .env.docker and docker-compose.yml, say what they mean, and "
        "what is wrong and why. Nothing in that folder is changed. With --write our settings go "
        "into .env of the working directory, unless there is one.",
        arguments=(
            argument("folder", "where these files are", metavar="FOLDER", type=Path),
            argument("--write", "write .env in the working directory", action="store_true"),
        ),
    ),
    "backup": Command(
        "write settings, users, tokens and history into one file, encrypted for an age key",
        description="Write the data folder (WPPCONNECT_DATA_DIR) into one file while everything runs: "
        "settings, users, tokens, history, of one moment. Without a key or passphrase whoever "
        "gets hold of the file can read it.",
        arguments=(
            argument("file", 'where to; "-" for standard output', metavar="FILE"),
            argument(
                "--recipient",
                "an age (age1...) or SSH public key",
                metavar="KEY",
                action="append",
                default=[],
            ),
            argument("--recipients-file", "such keys, one a line", metavar="FILE", type=Path),
            argument("--passphrase-file", "encrypt by a passphrase", metavar="FILE", type=Path),
            ALSO,
        ),
    ),
    "restore": Command(
        "put a backup in place, wholly or not at all",
        description="Unpack a backup beside the present state, check it, and exchange both. Exporter and "
        "page must not run. Nothing is changed unless all of it can be.",
        arguments=(
            argument("file", 'the backup; "-" for standard input', metavar="FILE"),
            argument("--identity-file", "age or SSH secret key", metavar="FILE", type=Path),
            argument("--passphrase-file", "the passphrase", metavar="FILE", type=Path),
            argument("--overwrite", "replace what is there", action="store_true"),
            argument("--check", "read all of it and change nothing", action="store_true"),
            ALSO,
        ),
    ),
    "healthy": Command(
        "tell whether the part that runs here answers, as a container's health check",
        arguments=(
            argument(
                "part",
                "without it: any of them but sync, the sync agent",
                nargs="?",
                choices=sorted([*FRONT_DOORS, "sync"]),
            ),
        ),
    ),
}


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of everything but what a sub-command parses itself."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        allow_abbrev=False,
        description="Operate WPPConnect sessions.",
        epilog="Settings come from the environment, and from a file named .env in the working directory.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    _add(parser.add_subparsers(dest="command", metavar="COMMAND"), COMMANDS)
    return parser


def _add(
    parsers: argparse._SubParsersAction[argparse.ArgumentParser], commands: Mapping[str, Command]
) -> None:
    for name, command in commands.items():
        parser = parsers.add_parser(
            name,
            help=command.help,
            description=command.description or f"{command.help.capitalize()}.",
            epilog=command.epilog,
            allow_abbrev=False,
            add_help=not command.parses_itself,
        )
        for one in command.arguments:
            parser.add_argument(one.name, help=one.help, **one.options)
        if command.actions:
            _add(parser.add_subparsers(dest="action", metavar="ACTION", required=True), command.actions)
