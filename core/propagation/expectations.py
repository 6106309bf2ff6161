"""What the listed containers should run with, by the files as they are or as a plan would leave them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from core.propagation.env_file import EnvFile
from core.propagation.project import UNREADABLE, ReadText, compose_files, join, read_project
from core.propagation.reach import Expectation
from core.propagation.running import Environment, service_environment
from core.propagation.targets import ContainerSettings, FileTarget, SyncSettings
from core.propagation.values import Values


@dataclass
class _Found:
    """What the files say of one container."""

    environment: Environment
    service: str = ""
    files: tuple[str, ...] = ()


def expectations(
    settings: SyncSettings, values: Values, read: ReadText, *, good: Collection[str] = ()
) -> Iterator[Expectation]:
    """Yield one expectation for each listed container; `good` names the targets that get their value."""
    for container in settings.containers:
        targets = [
            one for one in settings.targets if isinstance(one, FileTarget) and one.folder == container.folder
        ]
        found = _find(container, settings, read)
        yield _expectation(container, settings, found, targets, values, good)


def _find(container: ContainerSettings, settings: SyncSettings, read: ReadText) -> _Found:
    if container.env_file:
        try:
            variables = EnvFile(read(container.folder, container.env_file)).values()
        except UNREADABLE as error:
            return _Found(Environment(unknown=str(error.args[0])))
        return _Found(Environment(variables))
    names = container.compose_files or compose_files(container.folder, settings, read)
    if not names:
        return _Found(Environment(unknown="the folder has no compose file; say `env_file:`"))
    try:
        project = read_project(container.folder, names, read)
    except UNREADABLE as error:
        return _Found(Environment(unknown=str(error.args[0])), files=names)
    place = project.find_service(container)
    if place is None:
        looked = ", ".join(name for group in project.groups for name in group.files)
        unknown = f"no service of it was found in {looked}; say `service:` or `compose_files:`"
        return _Found(Environment(unknown=unknown), files=names)
    group, service = place
    return _Found(service_environment(group, container.folder, service, read), service, names)


def _expectation(
    container: ContainerSettings,
    settings: SyncSettings,
    found: _Found,
    targets: list[FileTarget],
    values: Values,
    good: Collection[str],
) -> Expectation:
    written = {one.key for one in targets}
    secrets = {one.get_secret_value() for one in values.known.values()}
    environment = found.environment

    def chosen(values: dict[str, str]) -> dict[str, SecretStr]:
        # Also a variable of another name that takes over what a target writes.
        return {key: SecretStr(text) for key, text in values.items() if key in written or text in secrets}

    known = {*environment.variables, *environment.options}
    return Expectation(
        container=container,
        project_folder=settings.folders[container.folder],
        compose_files=found.files,
        service=found.service,
        environment=chosen(environment.variables),
        arguments=chosen(environment.options),
        unknown={key: environment.unknown for key in sorted(written - known) if environment.unknown},
        overridden=dict(_overridden(found, [one for one in targets if one.name in good], values)),
    )


def _overridden(found: _Found, targets: list[FileTarget], values: Values) -> Iterator[tuple[str, str]]:
    """Name the keys that targets give to the service and that something else wins over."""
    environment = found.environment
    for target in targets:
        file, key = join(".", target.file), target.key
        if target.service not in ("", found.service) or key not in environment.offers.get(file, ()):
            continue
        text = (environment.options if target.is_option else environment.variables).get(key)
        if text == values.text(target.receives):
            continue
        giver = environment.givers[key]
        if giver != file:
            yield (
                key,
                f"{giver} gives it another {key}, which wins over {target.file}; list it as a target too",
            )
        elif file in environment.raw_files:
            yield (
                key,
                f"{target.file} is read with `format: raw`, which keeps quotes in {key}; take that out",
            )
