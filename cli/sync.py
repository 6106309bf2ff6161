"""`wppconnect-ops sync`: write keys to files and containers, from the command line."""

from __future__ import annotations

import functools
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.signals import ending_with_zero

if TYPE_CHECKING:
    from cli.sync_parts import Parts
    from core.sync.progress import Done
    from core.sync.secret_values import Fresh

PROGRAM = "wppconnect-ops sync"
IN_SYNC = 0
FAILED = 1
CHANGES_PENDING = 2
INTERRUPTED = 130


class SyncGroup(click.Group):
    """Exit code 2 means that changes are pending, so every error exits with 1."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the command line."""
        with _usage_errors_exit_with_one():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run one of the commands and return the exit code."""
        from core.exceptions import ConfigurationError, WppconnectError

        try:
            with _usage_errors_exit_with_one(), ending_with_zero(signal.SIGTERM):
                return super().invoke(ctx)
        except ConfigurationError as error:
            sys.stderr.writelines(f"{PROGRAM}: {problem}\n" for problem in error.problems)
        except WppconnectError as error:
            sys.stderr.write(f"{PROGRAM}: {error}\n")
        except KeyboardInterrupt:
            sys.stderr.write(f"{PROGRAM}: stopped; what was begun was taken back\n")
            return INTERRUPTED
        return FAILED


@contextmanager
def _usage_errors_exit_with_one() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.show()
        raise click.exceptions.Exit(FAILED) from None


@click.group(
    cls=SyncGroup,
    epilog="WPPCONNECT_SYNC_FILE names the file that lists folders, targets and containers (docs/sync.md). "
    "Exit code: 0 in sync, 2 changes pending, 1 error. Values are never printed.",
)
def sync() -> None:
    """Write an API key, tokens and secret keys to files and containers: to all of them or to none.

    The files are .env files and compose files, the containers those that run with them.
    """


def _with_parts(command: Callable[..., int]) -> Callable[..., int]:
    """Decorate a command with the common options, and pass it the opened parts."""

    @click.option(
        "--file",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="The sync file (WPPCONNECT_SYNC_FILE).",
    )
    @click.option("--files-only", is_flag=True, help="Neither inspect nor recreate containers.")
    @click.pass_context
    @functools.wraps(command)
    def run(context: click.Context, /, file: Path | None, files_only: bool, **options: Any) -> int:
        from cli.sync_parts import open_parts

        parts = open_parts(context.obj, Path.cwd(), file=file, files_only=files_only)
        try:
            return command(parts, **options)
        finally:
            parts.core.stop()

    return run


def _choosing(command: Callable[..., int]) -> Callable[..., int]:
    """Decorate a command with the options that choose what to generate and what to leave out."""
    for option in (
        click.option(
            "--leave-out",
            metavar="NAME",
            multiple=True,
            help="Leave out this target or container (repeatable).",
        ),
        click.option("--target", metavar="NAME", multiple=True, help="Only this target (repeatable)."),
        click.option(
            "--generate",
            metavar="KIND",
            multiple=True,
            help="Generate a new api_key or secret_key (repeatable).",
        ),
    ):
        command = option(command)
    return command


ACCEPT_WAITING = click.option(
    "--accept-waiting",
    is_flag=True,
    help="Recreate containers even if that applies other pending changes of their files, too.",
)


@sync.command()
@_choosing
@_with_parts
def plan(parts: Parts, **chosen: Sequence[str]) -> int:
    """Show what would change; change nothing."""
    from cli.sync_parts import show_plan

    fresh, leave_out = _choices(parts, **chosen)
    plan = parts.sync.draft(fresh=fresh, leave_out=leave_out).plan
    show_plan(plan, sys.stdout)
    if fresh:
        print("\nThe key that was made for this plan is thrown away; `sync apply --generate` makes another.")
    if parts.sync.is_interrupted:
        sys.stderr.write(f"{PROGRAM}: a change was interrupted; the next apply finishes or undoes it first\n")
        return FAILED
    if plan.is_blocked:
        return FAILED
    return CHANGES_PENDING if plan.has_changes else IN_SYNC


@sync.command()
@_choosing
@ACCEPT_WAITING
@_with_parts
def apply(parts: Parts, accept_waiting: bool, **chosen: Sequence[str]) -> int:
    """Write the files and recreate containers."""
    from cli.environment import actor
    from cli.sync_parts import show_plan, show_step
    from core.sync.sync import PlanRefusedError

    fresh, leave_out = _choices(parts, **chosen)
    try:
        done = parts.sync.apply(
            fresh=fresh, leave_out=leave_out, accept_waiting=accept_waiting, actor=actor(), report=show_step
        )
    except PlanRefusedError as error:
        show_plan(error.plan, sys.stdout)
        print("\nTo leave that out:", " ".join(f"--leave-out {shlex.quote(name)}" for name in error.names))
        raise
    return _ended(parts, done)


@sync.command()
@click.argument("backup", required=False)
@click.option("--force", is_flag=True, help="Also overwrite files that were changed in another way since.")
@click.option(
    "--with-later",
    is_flag=True,
    help="Also undo later changes of the same files by this program.",
)
@ACCEPT_WAITING
@_with_parts
def restore(parts: Parts, backup: str | None, force: bool, with_later: bool, accept_waiting: bool) -> int:
    """Restore BACKUP; without BACKUP list the backups."""
    from cli.environment import actor
    from cli.sync_parts import show_backups, show_step

    if backup is None:
        show_backups(parts.sync.backups(), sys.stdout)
        return IN_SYNC
    done = parts.sync.restore(
        backup,
        force=force,
        with_later=with_later,
        accept_waiting=accept_waiting,
        actor=actor(),
        report=show_step,
    )
    return _ended(parts, done)


@sync.command()
@_with_parts
def adopt(parts: Parts) -> int:
    """Take over the API key that the files contain."""
    from cli.environment import actor

    places = parts.sync.adopt(actor=actor())
    print(f"Took over the API key that stands in {', '.join(places)}.")
    return IN_SYNC


@sync.command()
@_with_parts
def agent(parts: Parts) -> int:
    """Run in the background, and apply changes approved on the page."""
    from cli.sync_parts import run_agent

    return run_agent(parts)


def _ended(parts: Parts, done: Done) -> int:
    from cli.sync_parts import show_done

    unseen = [] if parts.containers else [one.name for one in parts.sync.settings.containers]
    show_done(done, sys.stdout, unseen=unseen)
    if done.lost_sessions:
        return FAILED
    return CHANGES_PENDING if done.by_hand else IN_SYNC


def _choices(
    parts: Parts, generate: Sequence[str], target: Sequence[str], leave_out: Sequence[str]
) -> tuple[Fresh, frozenset[str]]:
    """Return the keys to generate and the names to leave out. Raise ConfigurationError for unknown ones."""
    from core.exceptions import ConfigurationError, SettingProblem
    from core.messages import Message
    from core.sync.agent import kinds_of

    settings = parts.sync.settings
    kinds = {one.words: one for one in kinds_of(settings)}
    targets = [one.name for one in settings.targets]
    names = [*targets, *(one.name for one in settings.containers)]
    known = ", ".join(kinds)
    receiver = Message.of("sync_file.no_receiver", known=known) if kinds else Message.of("sync_file.no_kinds")
    problems = [SettingProblem(f"--generate {word}", receiver) for word in generate if word not in kinds]
    problems += [
        SettingProblem(f"{flag} {name}", Message.of("sync_file.not_a_name", known=", ".join(names)))
        for flag, chosen in (("--target", target), ("--leave-out", leave_out))
        for name in chosen
        if name not in names
    ]
    if problems:
        raise ConfigurationError(problems)
    left_out = set(leave_out)
    if target:
        left_out |= set(targets) - set(target)
    return {kinds[word]: parts.secret_values.generate(kinds[word]) for word in generate}, frozenset(left_out)
