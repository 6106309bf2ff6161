"""`wppconnect-ops completion SHELL`: completion of commands, flags and files in a shell."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(
    epilog="\b\n"
    'bash  eval "$(wppconnect-ops completion bash)"  in ~/.bashrc\n'
    'zsh   eval "$(wppconnect-ops completion zsh)"   in ~/.zshrc, after compinit\n'
    "fish  wppconnect-ops completion fish > ~/.config/fish/completions/wppconnect-ops.fish"
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion(shell: str) -> None:
    """Print the script that lets SHELL complete commands, flags and files."""
    from cli.main import COMPLETION_VARIABLE, PROGRAM, commands

    kind = SHELLS[shell]
    # Only the template: `source()` would start a bash to query its version.
    click.echo(kind.source_template % kind(commands, {}, PROGRAM, COMPLETION_VARIABLE).source_vars())
