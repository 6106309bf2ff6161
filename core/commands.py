"""Run Click commands as processes, with errors as messages on stderr and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from core.console import FAILED, INTERRUPTED, MISCONFIGURED


def run_command(
    command: click.Command, argv: Sequence[str] | None, *, program: str, environ: Mapping[str, str] | None
) -> int:
    """Parse and run a command; return the exit code. Callbacks get `environ` by `click.pass_obj`.

    Replaces Click's `main`, which handles a closed pipe and Ctrl-C differently. A ConfigurationError gives 2,
    any other WppconnectError 1, with one line per problem.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    name = program
    try:
        with command.make_context(program, words, obj=environ, help_option_names=["-h", "--help"]) as context:
            try:
                return int(command.invoke(context) or 0)
            finally:
                name = " ".join(filter(None, (program, context.invoked_subcommand)))
    except click.exceptions.Exit as left:
        return left.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - all but WppconnectError is raised again
        return _report(error, name)


def version_option(program: str) -> Callable[[Any], Any]:
    """Return a decorator that adds `--version`; the version is looked up only on use."""

    def show(context: click.Context, _: click.Parameter, is_wanted: bool) -> None:
        if is_wanted and not context.resilient_parsing:
            from core.version import version

            click.echo(f"{program} {version()} (Python {sys.version.split()[0]})")
            context.exit()

    return click.option(
        "--version",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="Print the version and exit.",
    )


def _report(error: Exception, name: str) -> int:
    from core.exceptions import ConfigurationError, WppconnectError

    match error:
        case ConfigurationError():
            problems, code = error.problems, MISCONFIGURED
        case WppconnectError():
            problems, code = tuple(str(error).splitlines()), FAILED
        case _:
            raise error
    sys.stderr.writelines(f"{name}: {problem}\n" for problem in problems)
    return code
