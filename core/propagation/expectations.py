"""What the listed containers should run with, by the files as they are or as a plan would leave them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from core.propagation.compose_file import ComposeFile
from core.propagation.env_file import EnvFile
from core.propagation.project import (
    UNREADABLE,
    Environment,
    ReadText,
    compose_files_of,
    find_service,
    service_environment,
)
from core.propagation.reach import Expectation
from core.propagation.targets import ContainerSettings, FileTarget, SyncSettings
from core.propagation.values import Values


def expectations(settings: SyncSettings, values: Values, read: ReadText) -> Iterator[Expectation]:
    """Yield one expectation for each listed container."""
    for container in settings.containers:
        root = settings.folders[container.folder]
        environment, service, files = _environment(container, settings, read)
        yield _expectation(container, root, environment, service, files, settings, values)


def _environment(
    container: ContainerSettings, settings: SyncSettings, read: ReadText
) -> tuple[Environment, str, tuple[str, ...]]:
    if container.env_file:
        try:
            variables = EnvFile(read(container.folder, container.env_file)).values()
            return Environment(variables), "", ()
        except UNREADABLE as error:
            return Environment(unknown=str(error.args[0])), "", ()
    names = compose_files_of(container, settings, read)
    try:
        files = {name: ComposeFile(read(container.folder, name)) for name in names}
    except UNREADABLE as error:
        return Environment(unknown=str(error.args[0])), "", names
    service = find_service(container, files)
    if not service:
        looked = ", ".join(names) or "the folder, which has no compose file"
        return Environment(unknown=f"no service of it was found in {looked}; say `service:`"), "", names
    return service_environment(container, service, files, read), service, names


def _expectation(
    container: ContainerSettings,
    root: Path,
    environment: Environment,
    service: str,
    files: tuple[str, ...],
    settings: SyncSettings,
    values: Values,
) -> Expectation:
    targets = [
        one for one in settings.targets if isinstance(one, FileTarget) and one.folder == container.folder
    ]
    written = {one.key for one in targets}
    secrets = {one.get_secret_value() for one in values.known.values()}

    def chosen(found: dict[str, str]) -> dict[str, SecretStr]:
        # Also a variable of another name that takes over what a target writes.
        return {key: SecretStr(text) for key, text in found.items() if key in written or text in secrets}

    known = {*environment.variables, *environment.options}
    return Expectation(
        container=container,
        project_folder=root,
        compose_files=files,
        service=service,
        environment=chosen(environment.variables),
        arguments=chosen(environment.options),
        unknown={key: environment.unknown for key in sorted(written - known) if environment.unknown},
    )
