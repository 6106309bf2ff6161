"""`wppconnect-ops import`: report the settings and problems of an older panel's folder; write our `.env`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cli.importing.gateway import GatewayFound
    from cli.importing.model import OlderPanel
    from cli.importing.services import Service
    from cli.importing.values import Value

COMMENTS = (
    "Taken over from an older panel by `wppconnect-ops import`. Whoever can read this file commands the "
    "gateway.",
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Write .env to the working directory.")
def import_folder(folder: Path, write: bool) -> None:
    """Explain the files of an older panel, what is wrong with them and why.

    Reads .env, .env.docker and docker-compose.yml in FOLDER, and changes nothing there. With --write our
    settings are written to .env in the working directory, unless it exists.
    """
    from cli.importing.files import ENV_FILES, read_folder
    from cli.importing.model import interpret
    from cli.stack.files import write_private
    from core.exceptions import ConfigurationError, WppconnectError

    if not folder.is_dir():
        raise ConfigurationError([f"{folder}: is no folder; name the one that holds the older panel's .env"])
    found = interpret(read_folder(folder))
    print("\n".join(report(found)))
    if found.is_empty:
        names = f"{', '.join(ENV_FILES)} and {', '.join(found.folder.compose_files) or 'docker-compose.yml'}"
        raise ConfigurationError([f"{folder}: names no WPPConnect gateway; looked into {names}"])
    target = Path.cwd() / ".env"
    if not write:
        how = "With --write (make import: WRITE=1)"
        print(f"\nNothing was written. {how} these settings go into {target.name} of this folder.")
        return
    try:
        write_private(target, found.settings(), COMMENTS, replace=False)
    except FileExistsError:
        names = ", ".join(found.settings())
        raise WppconnectError(f"{target}: is there already and was not touched; set in it: {names}") from None
    except ValueError as error:
        raise WppconnectError(f"WPPCONNECT_SECRET_KEY: {error}; enter it on the page instead") from None
    except OSError as error:
        raise WppconnectError(f"{target}: cannot be written ({error.strerror})") from None
    print(
        f"\nWritten: {target.name}, readable by you only. Nothing else was changed. `make up` or `make "
        "run` goes on."
    )


def report(found: OlderPanel) -> Iterator[str]:
    """Yield the lines of the report, without secrets."""
    from cli.importing.checks import find_problems

    yield "Understood:"
    for name, text in _described(found):
        yield f"  {name:<12} {text}"
    wrong = list(find_problems(found))
    yield ""
    yield f"Wrong ({len(wrong)}):" if wrong else "Nothing is wrong."
    for number, sentence in enumerate(wrong, 1):
        yield f"  {number:>2}. {sentence}"


def _described(found: OlderPanel) -> Iterator[tuple[str, str]]:
    yield "gateway", f"{found.url} ({found.url_from})" if found.url else "not found"
    yield "secret key", _secret(found.secret, found.gateway)
    for other in found.gateways:
        if other is not found.gateway:
            yield (
                "gateway",
                f"{other.address} (the service {other.service.name} in {other.file}), not taken over",
            )
            yield "secret key", _secret(other.secret, other)
    if found.token:
        yield (
            "token",
            f"a bcrypt token ({found.token.name} in {found.token.file}); not needed with the secret key",
        )
    yield "sessions", f"{', '.join(found.sessions) or 'none'} ({found.sessions_from})"
    yield (
        "webhook",
        "known, and kept" if found.webhook else "not known; set WPPCONNECT_WEBHOOK if there is one",
    )
    for value in found.api_keys():
        yield "API key", f"{value.name} in {value.file}, for Evolution API; WPPConnect does not know it"
    for service in found.folder.services:
        yield "container", f"{service.container} ({_image(service)})"


def _secret(secret: Value | None, gateway: GatewayFound | None) -> str:
    if secret is None:
        return "not found"
    if gateway and gateway.is_default:
        return "the public default, which everybody knows"
    return f"{len(secret.arrives)} characters ({secret.name} in {secret.file})"


def _image(service: Service) -> str:
    return service.image or ("built here" if service.build else "no image")
