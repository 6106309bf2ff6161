"""Click commands as processes: what goes wrong becomes text on the error output and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from core.console import FAILED, INTERRUPTED, MISCONFIGURED


def run_command(
    command: click.Command, argv: Sequence[str] | None, *, program: str, environ: Mapping[str, str] | None
) -> int:
    """Parse, run, and return the exit code; the callbacks get `environ` by `click.pass_obj`.

    Click's own `main` would answer a closed pipe and Ctrl-C in its way. A mistake in the settings is code 2,
    any other error of ours 1, each problem on a line of its own.
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
    except Exception as error:  # noqa: BLE001 - what is not ours is raised again
        return _report(error, name)


def version_option(program: str) -> Callable[[Any], Any]:
    """Add `--version`, which looks nothing up until it is asked for."""

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
