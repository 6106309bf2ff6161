"""Values of env files and of `environment`: their file, as written, and as they arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cli.importing.references import interpolate
from cli.importing.texts import UnusableFileError
from core.env_forms import COMPOSE
from core.sync.env_file import EnvFile
from core.sync.value_span import NotParseableError, Style


@dataclass(frozen=True)
class Value:
    """One value: its file and name, as written, and as it arrives in the container."""

    file: str
    name: str
    written: str = field(repr=False)
    arrives: str = field(repr=False)

    @property
    def is_cut(self) -> bool:
        """Whether Compose replaced a part of a bcrypt token as a variable that does not exist."""
        return "$2" in self.written and len(self.arrives) < len(self.written.replace("$$", "$"))


def env_values(
    name: str, text: str, names: Mapping[str, str] | None = None, before: Mapping[str, str] | None = None
) -> dict[str, Value]:
    """Return the values of an env file as Compose reads it. Raise UnusableFileError.

    In references `names` take precedence over lines above, and these over the env files read `before`.
    """
    try:
        parsed = EnvFile(text, readers=frozenset({COMPOSE}))
    except NotParseableError as error:
        raise UnusableFileError(
            f"{name}: {error.why}; write the value in single quotes on one line"
        ) from None
    found: dict[str, Value] = {}
    for place in parsed.values:
        above = {one: value.arrives for one, value in found.items()}
        known = dict(before or {}) | above | dict(names or {})
        # A value in single quotes is literal.
        arrives = place.value if place.style is Style.SINGLE else interpolate(place.value, known)
        found[place.key] = Value(name, place.key, place.value, arrives)
    return found


def raw_env_values(name: str, text: str) -> dict[str, Value]:
    """Return the values of an env file with `format: raw`."""
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip() and line[0] != "#"]
    pairs = [(key.strip(), value) for key, equals, value in (line.partition("=") for line in lines) if equals]
    return {key: Value(name, key, value, value) for key, value in pairs}
