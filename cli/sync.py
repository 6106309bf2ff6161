"""`wppconnect-ops sync`: bring keys into files and containers, from the command line."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from cli.environment import actor
from core.signals import ending_with_zero

if TYPE_CHECKING:
    from cli.sync_parts import Parts
    from core.sync.plan import Plan
    from core.sync.secret_values import Fresh
    from core.sync.sync import Done

PROGRAM = "wppconnect-ops sync"
IN_SYNC = 0
FAILED = 1
CHANGES_PENDING = 2
INTERRUPTED = 130

DESCRIPTION = """Bring an API key, tokens and secret keys into .env files, compose files and the containers
that run with them: wholly or not at all."""
EPILOG = """WPPCONNECT_SYNC_FILE names the file that lists folders, targets and containers (docs/sync.md).
Exit code: 0 in sync, 2 changes pending, 1 error. Values are never printed."""


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one of its commands and return the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.command is None:
        _parser().print_help(sys.stderr)
        return FAILED
    from core.exceptions import ConfigurationError, WppconnectError

    try:
        with ending_with_zero(signal.SIGTERM):
            return _run(arguments, environ)
    except ConfigurationError as error:
        sys.stderr.writelines(f"{PROGRAM}: {problem}\n" for problem in error.problems)
    except WppconnectError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
    except KeyboardInterrupt:
        sys.stderr.write(f"{PROGRAM}: stopped; what was begun was taken back\n")
        return INTERRUPTED
    return FAILED


def _run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from cli.sync_parts import open_parts

    parts = open_parts(environ, Path.cwd(), file=arguments.file, files_only=arguments.files_only)
    try:
        return _command(parts, arguments)
    finally:
        parts.core.stop()


def _command(parts: Parts, arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "plan":
            return _plan(parts, arguments)
        case "apply":
            return _apply(parts, arguments)
        case "restore":
            return _restore(parts, arguments)
        case "adopt":
            return _adopt(parts)
        case _:
            from cli.sync_agent import run_agent

            return run_agent(parts)


def _plan(parts: Parts, arguments: argparse.Namespace) -> int:
    from cli.sync_view import show_plan

    fresh, leave_out = _choices(parts, arguments)
    plan = parts.sync.draft(fresh=fresh, leave_out=leave_out).plan
    show_plan(plan, sys.stdout)
    if fresh:
        print("\nThe key that was made for this plan is thrown away; `sync apply --generate` makes another.")
    if parts.sync.is_interrupted:
        sys.stderr.write(f"{PROGRAM}: a change was interrupted; the next apply finishes or undoes it first\n")
        return FAILED
    return _exit_code(plan)


def _apply(parts: Parts, arguments: argparse.Namespace) -> int:
    from cli.sync_view import show_plan, show_step
    from core.sync.sync import PlanBlockedError, WaitingChangesError

    fresh, leave_out = _choices(parts, arguments)
    try:
        done = parts.sync.apply(
            fresh=fresh,
            leave_out=leave_out,
            accept_waiting=arguments.accept_waiting,
            actor=actor(),
            report=show_step,
        )
    except (PlanBlockedError, WaitingChangesError) as error:
        show_plan(error.plan, sys.stdout)
        print("\nTo leave that out:", " ".join(f"--leave-out {shlex.quote(name)}" for name in error.names))
        raise
    return _ended(parts, arguments, done)


def _restore(parts: Parts, arguments: argparse.Namespace) -> int:
    from cli.sync_view import show_backups, show_step

    if arguments.backup is None:
        show_backups(parts.sync.backups(), sys.stdout)
        return IN_SYNC
    done = parts.sync.restore(
        arguments.backup,
        force=arguments.force,
        accept_waiting=arguments.accept_waiting,
        with_later=arguments.with_later,
        actor=actor(),
        report=show_step,
    )
    return _ended(parts, arguments, done)


def _ended(parts: Parts, arguments: argparse.Namespace, done: Done) -> int:
    from cli.sync_view import show_done

    unseen = [one.name for one in parts.sync.settings.containers] if arguments.files_only else []
    show_done(done, sys.stdout, unseen=unseen)
    if done.lost_sessions:
        return FAILED
    return CHANGES_PENDING if done.by_hand else IN_SYNC


def _adopt(parts: Parts) -> int:
    places = parts.sync.adopt(actor=actor())
    print(f"Took over the API key that stands in {', '.join(places)}.")
    return IN_SYNC


def _choices(parts: Parts, arguments: argparse.Namespace) -> tuple[Fresh, frozenset[str]]:
    """Return what is to be generated and what is to be left out; raises ConfigurationError."""
    from core.exceptions import ConfigurationError
    from core.sync.agent import kinds_of

    settings = parts.sync.settings
    kinds = {one.words: one for one in kinds_of(settings)}
    targets = [one.name for one in settings.targets]
    names = [*targets, *(one.name for one in settings.containers)]
    problems = [
        f"--generate {word}: no target receives it; write {' or '.join(kinds) or 'nothing'}"
        for word in arguments.generate
        if word not in kinds
    ]
    problems += [
        f"{flag} {name}: is not in the sync file; known are {', '.join(names)}"
        for flag, chosen in (("--target", arguments.target), ("--leave-out", arguments.leave_out))
        for name in chosen
        if name not in names
    ]
    if problems:
        raise ConfigurationError(problems)
    left_out = set(arguments.leave_out)
    if arguments.target:
        left_out |= set(targets) - set(arguments.target)
    return {kinds[word]: parts.keeper.generate(kinds[word]) for word in arguments.generate}, frozenset(
        left_out
    )


def _exit_code(plan: Plan) -> int:
    if plan.is_blocked:
        return FAILED
    return CHANGES_PENDING if plan.has_changes else IN_SYNC


class _Parser(argparse.ArgumentParser):
    """Exit code 2 says that changes are pending, so a mistake on the command line exits with 1."""

    def error(self, message: str) -> NoReturn:
        """Print the mistake and leave."""
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    common = _Parser(add_help=False)
    common.add_argument("--file", metavar="PATH", type=Path, help="the sync file (WPPCONNECT_SYNC_FILE)")
    common.add_argument(
        "--files-only", action="store_true", help="do not look at containers, and recreate none"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    plan = commands.add_parser("plan", parents=[common], help="show what would change; changes nothing")
    apply = commands.add_parser("apply", parents=[common], help="write the files and recreate containers")
    for one in (plan, apply):
        one.add_argument(
            "--generate", metavar="KIND", action="append", default=[], help="make a new api_key or secret_key"
        )
        one.add_argument(
            "--target", metavar="NAME", action="append", default=[], help="only this target (repeatable)"
        )
        one.add_argument(
            "--leave-out",
            metavar="NAME",
            action="append",
            default=[],
            help="all but this target or container (repeatable)",
        )
    restore = commands.add_parser("restore", parents=[common], help="list backups, or go back to one")
    restore.add_argument("backup", metavar="BACKUP", nargs="?", help="its name; without one they are listed")
    restore.add_argument(
        "--force", action="store_true", help="also over a file that was changed since in another way"
    )
    restore.add_argument(
        "--with-later",
        action="store_true",
        help="also take back the later changes that were made by this program, of the same files",
    )
    for one in (apply, restore):
        one.add_argument(
            "--accept-waiting",
            action="store_true",
            help="recreate containers also where other changes that wait in their files come along",
        )
    commands.add_parser(
        "adopt", parents=[common], help="take over the API key that stands in the files, instead of a new one"
    )
    commands.add_parser(
        "agent", parents=[common], help="stay, and carry out what the page's administrators approve"
    )
    return parser
