"""`wppconnect-ops`: parse the command line and hand over to one sub-command.

A sub-command's module is imported when it is asked for, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

PROGRAM = "wppconnect-ops"
FAILED = 1
MISCONFIGURED = 2

FRONT_DOORS = {
    "exporter": "serve the sessions' state to Prometheus",
    "dashboard": "serve the page",
    "simulator": "play a gateway and its phones",
}
"""The parts that `run` starts together, each alone in the foreground; they read their own flags."""

RUN_HELP = """Start everything in the foreground: the exporter and the page, and a simulated
gateway as long as WPPCONNECT_URL is not set. Ctrl-C ends all of it."""
RUN_EPILOG = """Addresses: DASHBOARD_LISTEN_ADDRESS, EXPORTER_WEB_LISTEN_ADDRESS, and for the demo
SIMULATOR_GATEWAY_PORT and SIMULATOR_PHONE_PORT. Exit code: 0 after Ctrl-C or SIGTERM, 1 when one
part ended by itself, 2 for configuration mistakes and taken ports."""
PAIR_HELP = """Bring a session to a live QR code (or, with --phone, to a pairing code), show it in the
terminal and renew it until the phone is connected."""
PAIR_EPILOG = """Exit code: 0 when the session is connected (or after SIGTERM), 1 when it is not, 2 for
configuration mistakes, 130 after Ctrl-C."""
DOCTOR_HELP = """Ask the gateway one question after the other until the cause is found, and print it with
the next step. Without SESSION the gateways are examined. The output holds no secret: copy it anywhere."""
DOCTOR_EPILOG = """Exit code: 0 when nothing is wrong, 1 when something is, 2 for configuration mistakes."""
RULES_HELP = """Write the alert rules, Alertmanager's configuration and the Grafana dashboards with the links
of this installation. Without --output the alert rules go to standard output."""
RULES_EPILOG = "alertmanager/alertmanager.yml is where you fill in receivers: one that exists is left alone."
USERS_HELP = """List, add and change the page's users, in the data directory of WPPCONNECT_DATA_DIR. A
running page follows within a second."""
USERS_EPILOG = "Exit code: 0 when done, 1 when not, 2 for configuration mistakes."
USER_ROLES = ("viewer", "operator", "administrator")
USER_ACTIONS = {
    "add": "add a user and print the one-time link with which they set their password",
    "reset": "print a one-time link with which a user sets a new password",
    "role": "give a user another role",
    "disable": "switch an account off and end its sign-ins at once",
    "enable": "switch an account on again",
    "remove": "remove a user and end their sign-ins at once",
}
TEST_PAGER_HELP = """Fire a harmless alert on the route that a lost session takes, wait until Alertmanager has
notified, end it again, and print how long each leg took."""
TEST_PAGER_EPILOG = """ALERTMANAGER_URL: where Alertmanager is, for example http://127.0.0.1:9093. Exit
code: 0 when both notices went out, 1 when not, 2 for configuration mistakes, 130 after Ctrl-C."""

IMPORT_HELP = """Read an older panel's .env, .env.docker and docker-compose.yml, say what they mean, and what
is wrong and why. Nothing in that folder is changed. With --write our settings go into .env of the working
directory, unless there is one."""
BACKUP_HELP = """Write the data folder (WPPCONNECT_DATA_DIR) into one file while everything runs:
settings, users, tokens, history, of one moment. Without a key or passphrase whoever gets hold of the file can
read it."""
RESTORE_HELP = """Unpack a backup beside the present state, check it, and exchange both. Exporter and page
must not run. Nothing is changed unless all of it can be."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in FRONT_DOORS:
        from cli.front_doors import front_door

        return front_door(argv[0], argv[1:], os.environ)
    if argv and argv[0] == "sync":
        from cli.sync import main as sync

        return sync(argv[1:], os.environ)
    arguments = _parser().parse_args(argv)
    if arguments.version:
        return _print_version()
    match arguments.command:
        case "run":
            from cli.run import run

            return run(os.environ)
        case "pair":
            from cli.pair import pair

            return pair(os.environ, session=arguments.session, server=arguments.server, phone=arguments.phone)
        case "doctor":
            from cli.doctor import doctor

            return doctor(
                os.environ,
                session=arguments.session,
                server=arguments.server,
                asks_whatsapp=arguments.end_to_end,
            )
        case "rules":
            from cli.rules import rules

            return rules(
                external_url=arguments.external_url,
                runbooks_url=arguments.runbooks_url,
                grace=arguments.grace,
                language=arguments.language,
                output=arguments.output,
            )
        case "users":
            from cli.users import Asked, users

            name, role = getattr(arguments, "name", ""), getattr(arguments, "role", "")
            return users(os.environ, Asked(arguments.action, name, role))
        case "test-pager":
            from cli.test_pager import test_pager

            return test_pager(os.environ, timeout_seconds=arguments.timeout)
        case "import":
            from cli.importing.command import import_folder

            return import_folder(arguments.folder, write=arguments.write, target=Path.cwd() / ".env")
        case "backup":
            from cli.backup.commands import backup

            return backup(
                os.environ,
                file=arguments.file,
                recipients=arguments.recipient,
                recipients_file=arguments.recipients_file,
                passphrase_file=arguments.passphrase_file,
                also=arguments.also,
            )
        case "restore":
            from cli.backup.commands import restore

            return restore(
                os.environ,
                file=arguments.file,
                identity_file=arguments.identity_file,
                passphrase_file=arguments.passphrase_file,
                overwrite=arguments.overwrite,
                also=arguments.also,
            )
        case "healthy":
            from cli.healthy import healthy

            return healthy(os.environ, arguments.part)
        case _:
            _parser().print_help(sys.stderr)
            return MISCONFIGURED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        allow_abbrev=False,
        description="Operate WPPConnect sessions.",
        epilog="Settings come from the environment, and from a file named .env in the working directory.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser(
        "run",
        help="start the exporter, the page and, without WPPCONNECT_URL, a simulated gateway",
        description=RUN_HELP,
        epilog=RUN_EPILOG,
        allow_abbrev=False,
    )
    for name, what in FRONT_DOORS.items():
        commands.add_parser(name, help=f"{what} ({name} --help lists its flags)", add_help=False)
    commands.add_parser(
        "sync", help="bring keys into env files, compose files and containers (sync --help)", add_help=False
    )
    pair = commands.add_parser(
        "pair",
        help="link a phone to a session with a QR code in the terminal",
        description=PAIR_HELP,
        epilog=PAIR_EPILOG,
        allow_abbrev=False,
    )
    pair.add_argument("session", metavar="SESSION", help="the session's name")
    pair.add_argument(
        "--server", metavar="NAME", help="the server's name; needed when several know the session"
    )
    pair.add_argument(
        "--phone",
        metavar="NUMBER",
        help="show a pairing code for this number (country code first) instead of a QR code",
    )
    doctor = commands.add_parser(
        "doctor",
        help="find out what is wrong with a gateway or a session",
        description=DOCTOR_HELP,
        epilog=DOCTOR_EPILOG,
        allow_abbrev=False,
    )
    doctor.add_argument("session", metavar="SESSION", nargs="?", help="the session's name")
    doctor.add_argument("--server", metavar="NAME", help="the server's name")
    doctor.add_argument(
        "--end-to-end",
        action="store_true",
        help="also have WhatsApp itself asked, by looking up a number that belongs to nobody",
    )
    rules = commands.add_parser(
        "rules",
        help="write alert rules, notifications and dashboards with your links",
        description=RULES_HELP,
        epilog=RULES_EPILOG,
        allow_abbrev=False,
    )
    rules.add_argument(
        "--external-url", metavar="URL", required=True, help="the page's address, as people open it"
    )
    rules.add_argument(
        "--runbooks-url", metavar="URL", help="where runbooks/*.md are published, if not on the page"
    )
    rules.add_argument(
        "--grace", metavar="DURATION", help="how long a session may be lost before somebody is paged (3m)"
    )
    rules.add_argument(
        "--language",
        choices=("en", "pt_PT", "pt_BR"),
        default="en",
        help="of the notifications (default en); goes into alertmanager/alertmanager.yml",
    )
    rules.add_argument("--output", metavar="DIR", type=Path, help="write all files into this folder")
    _add_users(commands)
    test_pager = commands.add_parser(
        "test-pager",
        help="fire a harmless alert through Alertmanager and print how long each leg took",
        description=TEST_PAGER_HELP,
        epilog=TEST_PAGER_EPILOG,
        allow_abbrev=False,
    )
    test_pager.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=300.0,
        help="how long to wait for each notice (default 300)",
    )
    bring_over = commands.add_parser(
        "import",
        help="say what an older panel's .env and docker-compose.yml mean and what is wrong with them",
        description=IMPORT_HELP,
        allow_abbrev=False,
    )
    bring_over.add_argument("folder", metavar="FOLDER", type=Path, help="where these files are")
    bring_over.add_argument("--write", action="store_true", help="write .env in the working directory")
    _add_backup_parsers(commands)
    healthy = commands.add_parser(
        "healthy",
        help="tell whether the part that runs here answers, as a container's health check",
        allow_abbrev=False,
    )
    healthy.add_argument("part", nargs="?", choices=sorted(FRONT_DOORS), help="without it: any of them")
    return parser


def _add_backup_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    also = {
        "action": "append",
        "default": [],
        "metavar": "NAME=FOLDER",
        "help": "a further folder, such as the gateway's profiles",
    }
    backup = commands.add_parser(
        "backup",
        help="write settings, users, tokens and history into one file, encrypted for an age key",
        description=BACKUP_HELP,
        allow_abbrev=False,
    )
    backup.add_argument("file", metavar="FILE", help='where to; "-" for standard output')
    backup.add_argument(
        "--recipient", metavar="KEY", action="append", default=[], help="an age (age1...) or SSH public key"
    )
    backup.add_argument("--recipients-file", metavar="FILE", type=Path, help="such keys, one a line")
    backup.add_argument("--passphrase-file", metavar="FILE", type=Path, help="encrypt by a passphrase")
    backup.add_argument("--also", **also)  # type: ignore[arg-type]
    restore = commands.add_parser(
        "restore",
        help="put a backup in place, wholly or not at all",
        description=RESTORE_HELP,
        allow_abbrev=False,
    )
    restore.add_argument("file", metavar="FILE", help='the backup; "-" for standard input')
    restore.add_argument("--identity-file", metavar="FILE", type=Path, help="age or SSH secret key")
    restore.add_argument("--passphrase-file", metavar="FILE", type=Path, help="the passphrase")
    restore.add_argument("--overwrite", action="store_true", help="replace what is there")
    restore.add_argument("--also", **also)  # type: ignore[arg-type]


def _add_users(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    users = commands.add_parser(
        "users",
        help="list, add and change the page's users; also the way back in after a lost password",
        description=USERS_HELP,
        epilog=USERS_EPILOG,
        allow_abbrev=False,
    )
    actions = users.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="list all users", allow_abbrev=False)
    for action, what in USER_ACTIONS.items():
        one = actions.add_parser(action, help=what, description=f"{what.capitalize()}.", allow_abbrev=False)
        one.add_argument("name", metavar="NAME", help="the user's name")
        if action == "add":
            one.add_argument("--role", choices=USER_ROLES, default=USER_ROLES[0], help="default: viewer")
        if action == "role":
            one.add_argument("role", choices=USER_ROLES, help="the new role")


def _print_version() -> int:
    from core.version import version

    print(f"{PROGRAM} {version()} (Python {sys.version.split()[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
