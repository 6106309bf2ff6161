"""`wppconnect-ops completion SHELL`: what a shell needs to complete commands, flags and files."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(
    epilog="\b\n"
    'bash  eval "$(wppconnect-ops completion bash)"  in ~/.bashrc\n'
    'zsh   eval "$(wppconnect-ops completion zsh)"   in ~/.zshrc, behind compinit\n'
    "fish  wppconnect-ops completion fish > ~/.config/fish/completions/wppconnect-ops.fish"
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion(shell: str) -> None:
    """Print the script with which SHELL completes commands, flags and files."""
    from cli.main import COMPLETION_VARIABLE, PROGRAM, commands

    kind = SHELLS[shell]
    # The template alone: `source()` would start a bash to ask for its version.
    click.echo(kind.source_template % kind(commands, {}, PROGRAM, COMPLETION_VARIABLE).source_vars())
