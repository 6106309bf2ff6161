"""Load a program's settings from the environment and report all mistakes together, by variable name.

A front door declares its own variables and checks them together with the core's:

    class ExporterEnvironment(Environment):
        prefix: ClassVar[str] = "EXPORTER_"
        web_listen_address: ListenAddress = ("127.0.0.1", 21466)

    core = load_settings(CoreEnvironment)
    own = load_settings(ExporterEnvironment, flags={"web_listen_address": ("--web.listen-address", text)})
    require_all(core, own)              # raises one ConfigurationError with all mistakes
    run(core.values, own.values)

Every field of type SecretStr can also be set by `<VARIABLE>_FILE`, the path of a file that contains it.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from core.exceptions import ConfigurationError
from core.logs import register_secret
from core.messages import Message
from core.settings.setting import plain_type
from core.settings.words import problems_of

SECRET_FILE_LIMIT = 16_384
"""Bytes; no secret is longer, and a wrong path (a device, a log file) must not exhaust memory."""

NOTICED = "also noticed:"
"""Heading between mistakes and warnings."""

_VARIABLES: ContextVar[Mapping[str, Any] | None] = ContextVar("variables", default=None)
"""Variables that replace os.environ while `load_settings` builds a model."""


@dataclass(frozen=True)
class Finding:
    """A mistake or remark about settings that do not fit together; `fields[0]` is the one to change."""

    fields: tuple[str, ...]
    """All fields involved; the finding is suppressed while one of them is itself invalid."""
    text: str | Message


class Environment(BaseSettings):
    """Base class of settings from environment variables named `<prefix><FIELD IN CAPITALS>`."""

    # No decoding: the library expects lists as JSON; ours are comma-separated and parsed by their fields.
    model_config = SettingsConfigDict(
        frozen=True, hide_input_in_errors=True, allow_inf_nan=False, enable_decoding=False
    )
    prefix: ClassVar[str]
    shared: ClassVar[Mapping[str, str]] = {}
    """Fields whose variable has a common name without our prefix."""
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: constructor arguments, then the variables that `load_settings` provides."""
        # The library's own sources would read os.environ, and secrets from one folder instead of *_FILE.
        variables = EnvSettingsSource(settings_cls, env_prefix=cls.prefix)
        given = _VARIABLES.get() or {}
        # The source looks for prefix and field name in lower case, whatever the variable's real name.
        variables.env_vars = {
            f"{cls.prefix}{name}".lower(): given[cls.variable(name)]
            for name in settings_cls.model_fields
            if cls.variable(name) in given
        }
        return init_settings, variables

    @classmethod
    def variable(cls, name: str) -> str:
        """Return the environment variable of a field."""
        return cls.shared.get(name) or f"{cls.prefix}{name.upper()}"

    @classmethod
    def owns(cls, variable: str) -> bool:
        """Return whether a variable belongs to this model, including misspelt ones with its prefix."""
        shared = {one for name in cls.shared.values() for one in (name, f"{name}_FILE")}
        return variable.upper().startswith(cls.prefix) or variable in shared

    def source(self, name: str) -> str:
        """Return the source of a field's value: the variable, the flag, or "default"."""
        given = self.variable(name) if name in self.model_fields_set else "default"
        return self._sources.get(name, given)

    def mistakes(self) -> Iterable[Finding]:
        """Yield settings that are valid separately but wrong together; overridden by models."""
        return ()

    def remarks(self) -> Iterable[Finding]:
        """Yield settings that are valid but probably not intended; overridden by models."""
        return ()


AnyEnvironment = TypeVar("AnyEnvironment", bound=Environment)


@dataclass(frozen=True)
class Loaded(Generic[AnyEnvironment]):
    """The result of loading one model."""

    problems: tuple[str, ...]
    """One sentence per mistake: "VARIABLE: what is wrong; remedy"."""
    warnings: tuple[str, ...]
    """Unknown variables and doubtful values, in the same form; to be logged after the start."""
    found: AnyEnvironment | None = field(repr=False)

    @property
    def values(self) -> AnyEnvironment:
        """The settings; raises ConfigurationError if there are mistakes."""
        require_all(self)
        assert self.found is not None  # noqa: S101 - without problems there are values
        return self.found


def require_all(*loaded: Loaded[Any]) -> None:
    """Raise one ConfigurationError with the mistakes of all models, if there are any.

    Warnings follow under a heading, since a misspelt variable is the most likely cause of a mistake.
    """
    problems = [problem for one in loaded for problem in one.problems]
    if problems:
        warnings = [f"  {warning}" for one in loaded for warning in one.warnings]
        raise ConfigurationError([*problems, *([NOTICED] if warnings else []), *warnings])


def load_settings(
    model: type[AnyEnvironment],
    environ: Mapping[str, str] | None = None,
    *,
    flags: Mapping[str, tuple[str, str | None]] | None = None,
) -> Loaded[AnyEnvironment]:
    """Load a model; mistakes are returned, not raised, so that several models can report together.

    `flags` maps a field to its command-line flag and the flag's value or None; flags override variables.
    An empty variable counts as unset, since Compose passes `${NAME:-}` that way.
    """
    environ = os.environ if environ is None else environ
    given = _Given(model, environ, flags or {})
    found = given.validate()
    unreadable = {name for name, _ in given.problems}
    if found is not None:
        mistakes = (one for one in found.mistakes() if unreadable.isdisjoint(one.fields))
        given.problems += [(one.fields[0], str(one.text)) for one in mistakes]
        # Remarks beside mistakes would only be noise.
        remarks = () if given.problems else found.remarks()
        given.remarks += [(one.fields[0], str(one.text)) for one in remarks]
        found._sources.update(given.sources)
    return Loaded(
        problems=tuple(given.sentence(name, text) for name, text in given.problems),
        warnings=(
            *_unknown_variables(model, environ),
            *(given.sentence(name, text) for name, text in given.remarks),
        ),
        found=None if given.problems else found,
    )


class _Given(Generic[AnyEnvironment]):
    """The input for one model: values, their sources, and the problems found."""

    def __init__(
        self,
        model: type[AnyEnvironment],
        environ: Mapping[str, str],
        flags: Mapping[str, tuple[str, str | None]],
    ) -> None:
        self.model = model
        self.environ = environ
        # A variable that is not in capitals is reported as unknown.
        self.variables: dict[str, Any] = {
            name: text.strip() for name, text in environ.items() if name.isupper() and text.strip()
        }
        self.sources: dict[str, str] = {}  # by field, where the source is not its own variable
        self.secrets: list[str] = []
        self.problems: list[tuple[str, str]] = []
        self.remarks: list[tuple[str, str]] = []
        for name, (flag, text) in flags.items():
            if text is not None:
                self.variables[model.variable(name)] = text
                self.sources[name] = flag
        for name in secret_fields(model):
            if name not in self.sources:
                self._take_secret(name)

    def sentence(self, name: str, text: str) -> str:
        """Return the text with the variable's name in front."""
        return f"{self.sources.get(name, self.model.variable(name))}: {text}"

    def validate(self) -> AnyEnvironment | None:
        """Build the model; after mistakes build it from the other values, so that these are checked, too."""
        handed_over = _VARIABLES.set(self.variables)
        try:
            return self.model()
        except ValidationError as error:
            self._set_aside(error)
            with contextlib.suppress(ValidationError):  # a required value is missing
                return self.model()
            return None
        finally:
            _VARIABLES.reset(handed_over)

    def _set_aside(self, error: ValidationError) -> None:
        for name, text in problems_of(error, self.model, self._scrub):
            self.variables.pop(self.model.variable(name), None)
            self.problems.append((name, str(text)))

    def _take_secret(self, name: str) -> None:
        variable = self.model.variable(name)
        self.variables.pop(variable, None)
        text = self.environ.get(variable, "").rstrip("\r\n")
        file = self.environ.get(f"{variable}_FILE", "").strip()
        if not _is_utf8(text):
            self.problems.append((name, "is not UTF-8 text; write it in UTF-8"))
            return
        self._hide(text)
        if file:
            self.sources[name] = f"{variable}_FILE"
        if text.strip() and file:
            self.problems.append((name, f"is given together with {variable}; set only one of them"))
        elif file:
            try:
                text = _read_secret_file(Path(file))
            except ValueError as error:
                self.problems.append((name, f"{error}, or set {variable} itself"))
                return
            self._hide(text)
        elif not text.strip():
            return
        if re.search(r"[\x00-\x1f\x7f]", text):
            self.problems.append((name, "has a line break or control character in it; write it in one line"))
            return
        if text != text.strip() or text[:1] in ("'", '"'):
            self.remarks.append((name, "begins or ends with a blank or a quote, which counts as part of it"))
        # Wrap it here already: with PYDANTIC_SETTINGS_DEBUG set, the library logs the values it reads.
        self.variables[variable] = SecretStr(text)

    def _scrub(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    def _hide(self, secret: str) -> None:
        register_secret(secret)
        if secret.strip():
            self.secrets.append(secret)


def _is_utf8(text: str) -> bool:
    """Return whether the text was UTF-8; Python carries other bytes as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_secret_file(path: Path) -> str:
    # Errors do not repeat the path: it may be the secret itself, set in the wrong variable.
    remedy = "give the path of a file that this user can read"
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_FILE_LIMIT + 1)
    except FileNotFoundError:
        raise ValueError(f"names a file that does not exist; {remedy}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ValueError(f"names a file that cannot be read ({reason}); {remedy}") from None
    if len(content) > SECRET_FILE_LIMIT:
        raise ValueError("names a file too large to hold one secret; write nothing but the secret into it")
    try:
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("names a file that is not UTF-8 text; write only the secret into it") from None
    if not text.strip():
        raise ValueError("names an empty file; write the secret into it")
    return text


def secret_fields(model: type[Environment]) -> list[str]:
    """Return the fields that may also come from a file."""
    return [name for name, info in model.model_fields.items() if plain_type(info.annotation) is SecretStr]


def _unknown_variables(model: type[Environment], environ: Mapping[str, str]) -> Iterator[str]:
    known = {model.variable(name) for name in model.model_fields}
    known |= {f"{model.variable(name)}_FILE" for name in secret_fields(model)}
    for variable in sorted(environ):
        # Compare in capitals, to report variables with the wrong case as well.
        if variable.upper().startswith(model.prefix) and variable not in known:
            near = difflib.get_close_matches(variable.upper(), known, n=1, cutoff=0.8)
            hint = f"; did you mean {near[0]}?" if near else "; remove it"
            yield f"{variable}: is not a setting of ours and is ignored{hint}"
