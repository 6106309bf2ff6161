"""`python3 -m cli.stack up|down|logs|link|backup|restore`: the commands of the Makefile."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from cli.stack.backups import Keys, backup, restore
from cli.stack.engine import StackError
from cli.stack.pause import resume_leftovers
from cli.stack.project import Project
from cli.stack.startup import RECOVERY_SECONDS, await_running, welcome
from core.console import ends_quietly

CHECKOUT = Path(__file__).parents[2]
HEALTHY_SECONDS = "180"
FAILED = 1
MISCONFIGURED = 2


@ends_quietly
def main(argv: list[str], environ: Mapping[str, str], directory: Path = CHECKOUT) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        project = Project(directory, environ)
        match arguments.command:
            case "up":
                return up(project, demo=arguments.demo)
            case "down":
                # Volumes stay: they are the settings, the history and the gateway's pairings.
                return project.compose().run("--profile", "*", "down", "--remove-orphans")
            case "link":
                return link(project)
            case "backup":
                keys = Keys(tuple(arguments.recipient), arguments.passphrase_file)
                return backup(project, to=arguments.to, keys=keys, prometheus=arguments.prometheus)
            case "restore":
                return restore(
                    project,
                    source=arguments.source,
                    keys=Keys((), arguments.passphrase_file, arguments.identity_file),
                    overwrite=arguments.overwrite,
                )
            case _:
                return project.compose().run("--profile", "*", "logs", "--tail", "100", "--follow")
    except StackError as error:
        sys.stderr.writelines(f"make {arguments.command}: {problem}\n" for problem in error.problems)
        return MISCONFIGURED
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stderr.write(f"make {arguments.command}: {error.filename}: {error.strerror}\n")
        return FAILED
    except KeyboardInterrupt:
        return 130


def up(project: Project, *, demo: bool) -> int:
    """Start the services, wait until they are healthy, and print their addresses."""
    gateway, ports = project.make_ready(demo=demo)
    if gateway.says:
        print(gateway.says, flush=True)
    compose = project.compose()
    resume_leftovers(compose, project.config)
    code = project.build() or compose.run(
        "up", "--detach", "--no-build", "--remove-orphans", "--wait", "--wait-timeout", HEALTHY_SECONDS
    )
    # For any exit code: a wrapper around Compose may hide that nothing was pulled or started.
    missing = await_running(compose, seconds=0 if code else RECOVERY_SECONDS)
    if code or missing:
        compose.run("ps", "--all")
        compose.run("logs", "--tail", "5")
        names = f" ({', '.join(missing)})" if missing else ""
        sys.stderr.write(
            f"make up: not everything became healthy{names}; "
            "`make logs` shows why, and `make up` tries again\n"
        )
        return FAILED
    print(welcome(project, gateway, ports))
    return 0


def link(project: Project) -> int:
    """Print the one-time link for the administrator to set a password."""
    done = project.compose().ask("exec", "-T", "page", "cat", "/data/first-sign-in-link")
    if done.returncode != 0:
        sys.stderr.write(
            "make link: there is none: the page does not run, or an administrator exists already\n"
        )
        return FAILED
    print(done.stdout.strip())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make", description="The product on Docker Compose.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser(
        "up", help="write .env if it does not exist, start everything, wait until healthy"
    )
    up.add_argument("--demo", action="store_true", help="with a simulated gateway")
    commands.add_parser("down", help="end and remove the containers; volumes stay")
    commands.add_parser("logs", help="follow the logs of the containers")
    backup = commands.add_parser("backup", help="write the whole installation to one file")
    backup.add_argument("--to", type=Path)
    backup.add_argument("--recipient", action="append", default=[])
    restore = commands.add_parser("restore", help="restore a backup, with everything stopped")
    restore.add_argument("source", type=Path, nargs="?")
    restore.add_argument("--identity-file", type=Path)
    restore.add_argument("--overwrite", action="store_true")
    backup.add_argument("--prometheus", action="store_true")
    for one in (backup, restore):
        one.add_argument("--passphrase-file", type=Path)
    commands.add_parser("link", help="print the link for the first sign-in")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
