"""`wppconnect-ops`: parse the command line and hand over to one sub-command.

A sub-command's module is imported when it is asked for, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.command_line import FRONT_DOORS, PROGRAM, make_parser
from core.console import ends_quietly

MISCONFIGURED = 2


@ends_quietly
def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in FRONT_DOORS:
        from cli.launch import launch

        return launch(argv[0], argv[1:], os.environ)
    if argv and argv[0] == "sync":
        from cli.sync import main as sync

        return sync(argv[1:], os.environ)
    arguments = make_parser().parse_args(argv)
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
            from cli.pager_check import check_pager

            return check_pager(os.environ, timeout_seconds=arguments.timeout)
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
                check=arguments.check,
                also=arguments.also,
            )
        case "healthy":
            from cli.healthcheck import healthy

            return healthy(os.environ, arguments.part)
        case _:
            make_parser().print_help(sys.stderr)
            return MISCONFIGURED


def _print_version() -> int:
    from core.version import version

    print(f"{PROGRAM} {version()} (Python {sys.version.split()[0]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
