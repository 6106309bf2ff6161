"""`wppconnect-ops`: a table of commands, each imported on demand."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import click

from core.commands import run_command, version_option
from core.console import ends_quietly

PROGRAM = "wppconnect-ops"
COMPLETION_VARIABLE = "_WPPCONNECT_OPS_COMPLETE"
"""The variable by which the completion script requests candidates; click defines its name."""
PARTS = ("exporter", "dashboard", "simulator")
COMMANDS = {
    "run": ("cli.run:run", "Start exporter and page; without WPPCONNECT_URL a simulated gateway, too."),
    "exporter": ("exporter.cli:command", "Serve the sessions' state to Prometheus."),
    "dashboard": ("dashboard.cli:command", "Serve the page."),
    "simulator": ("simulator.cli:command", "Simulate a gateway and its phones."),
    "sync": ("cli.sync:sync", "Write keys to env files, compose files and containers."),
    "pair": ("cli.pair:pair", "Link a phone to a session with a QR code in the terminal."),
    "remove": ("cli.remove:remove", "Remove a closed session from its gateway for good."),
    "maintenance": ("cli.maintenance:maintenance", "Plan times in which nothing counts as down."),
    "doctor": ("cli.doctor:doctor", "Find out what is wrong with a gateway or a session."),
    "rules": ("cli.rules:rules", "Write alert rules, notifications and dashboards with your links."),
    "users": ("cli.users:users", "List, add and change the page's users, also after a lost password."),
    "test-pager": ("cli.pager_check:check_pager", "Fire a harmless alert and measure its delivery."),
    "import": ("cli.importing.command:import_folder", "Explain an older panel's .env and compose file."),
    "backup": ("cli.backup.commands:backup", "Write settings, users, tokens and history to one file."),
    "restore": ("cli.backup.commands:restore", "Restore a backup, completely or not at all."),
    "store": ("cli.store:store", "Move settings, users, tokens and history to PostgreSQL, or back."),
    "healthy": ("cli.healthcheck:healthy", "Check that the part running here responds."),
    "completion": ("cli.completion:completion", "Print the completion script for a shell."),
}
"""Of each command: module and function, and its line in the list."""


class Commands(click.Group):
    """The table as a group. Printing the list imports none of the commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command, importing its module; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        place, short_help = COMMANDS[cmd_name]
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        if cmd_name in PARTS:
            from cli.launch import launched

            command = launched(command)
        command.short_help = short_help
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short_help) for name, (_, short_help) in COMMANDS.items()])


@click.group(
    cls=Commands,
    epilog="Settings come from the environment, and from a file named .env in the working directory.",
)
@version_option(PROGRAM)
def commands() -> None:
    """Operate WPPConnect sessions."""


@ends_quietly
def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command and return its exit code."""
    environ = os.environ if environ is None else environ
    if instruction := environ.get(COMPLETION_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(commands, {}, PROGRAM, COMPLETION_VARIABLE, instruction)
    return run_command(commands, argv, program=PROGRAM, environ=environ)


if __name__ == "__main__":
    sys.exit(main())
