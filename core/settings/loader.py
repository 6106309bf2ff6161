"""Read a program's settings from the environment: all mistakes together, by variable name, with the remedy.

A front door declares its own variables and has them checked together with the core's:

    class ExporterEnvironment(Environment):
        prefix: ClassVar[str] = "EXPORTER_"
        web_listen_address: ListenAddress = ("127.0.0.1", 21466)

    core = load_settings(CoreEnvironment)
    own = load_settings(ExporterEnvironment, flags={"web_listen_address": ("--web.listen-address", text)})
    require_all(core, own)              # raises one ConfigurationError that holds every mistake
    run(core.values, own.values)

Every field of type SecretStr can also be given as `<VARIABLE>_FILE`, the path of a file that holds it.
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
from typing import Any, ClassVar, Generic, TypeVar, get_args

from pydantic import PrivateAttr, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from core.exceptions import ConfigurationError
from core.logs import register_secret
from core.messages import Message
from core.settings.words import in_our_words

SECRET_FILE_LIMIT = 16_384
"""Bytes; no secret is longer, and a wrong path (a device, a log) must not fill the memory."""

NOTICED = "also noticed:"
"""Stands between mistakes and mere warnings."""

_VARIABLES: ContextVar[Mapping[str, Any] | None] = ContextVar("variables", default=None)
"""What `load_settings` reads instead of os.environ while it builds a model."""


@dataclass(frozen=True)
class Finding:
    """One mistake or remark about settings that do not fit together; `fields[0]` is the one to change."""

    fields: tuple[str, ...]
    """All fields it looks at: it is kept back while one of them is itself unreadable."""
    text: str | Message


class Environment(BaseSettings):
    """Base of all settings that come from environment variables: `<prefix><FIELD IN CAPITALS>`."""

    # No decoding: the library wants lists as JSON; ours are written with commas, and their fields read them.
    model_config = SettingsConfigDict(
        frozen=True, hide_input_in_errors=True, allow_inf_nan=False, enable_decoding=False
    )
    prefix: ClassVar[str]
    shared: ClassVar[Mapping[str, str]] = {}
    """Fields whose variable is named as everybody names it, without our prefix."""
    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what the constructor is given, then the variables that `load_settings` hands over."""
        # The library's own sources would read os.environ, and secrets from one folder instead of *_FILE.
        variables = EnvSettingsSource(settings_cls, env_prefix=cls.prefix)
        given = _VARIABLES.get() or {}
        # It looks for the prefix and the field's name in small letters, under whatever name we know it.
        variables.env_vars = {
            f"{cls.prefix}{name}".lower(): given[cls.variable(name)]
            for name in settings_cls.model_fields
            if cls.variable(name) in given
        }
        return init_settings, variables

    @classmethod
    def variable(cls, name: str) -> str:
        """Name the environment variable of a field."""
        return cls.shared.get(name) or f"{cls.prefix}{name.upper()}"

    @classmethod
    def owns(cls, variable: str) -> bool:
        """Return whether a variable is one of this model's, misspelt ones of its prefix included."""
        shared = {one for name in cls.shared.values() for one in (name, f"{name}_FILE")}
        return variable.upper().startswith(cls.prefix) or variable in shared

    def source(self, name: str) -> str:
        """Say where a field's value comes from: the variable, the flag, or "default"."""
        given = self.variable(name) if name in self.model_fields_set else "default"
        return self._sources.get(name, given)

    def mistakes(self) -> Iterable[Finding]:
        """Find settings that are readable alone but wrong together; a model overrides it."""
        return ()

    def remarks(self) -> Iterable[Finding]:
        """Find what is allowed but probably not meant; a model overrides it."""
        return ()


AnyEnvironment = TypeVar("AnyEnvironment", bound=Environment)


@dataclass(frozen=True)
class Loaded(Generic[AnyEnvironment]):
    """What came of reading one model's variables."""

    problems: tuple[str, ...]
    """One sentence a mistake: "VARIABLE: what is wrong; remedy"."""
    warnings: tuple[str, ...]
    """Of the same form: unknown variables and doubtful values. Log them after start."""
    found: AnyEnvironment | None = field(repr=False)

    @property
    def values(self) -> AnyEnvironment:
        """The settings; raises ConfigurationError when there are mistakes."""
        require_all(self)
        assert self.found is not None  # noqa: S101 - without problems there are values
        return self.found


def require_all(*loaded: Loaded[Any]) -> None:
    """Raise one ConfigurationError for the mistakes of all the given models, if there is any.

    The warnings follow under a heading, since a misspelt variable is the likeliest cause of a mistake.
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
    """Read a model's variables; mistakes are returned, not raised, so that several models report together.

    `flags` maps a field to its command-line flag and what was given there, or None; a flag wins.
    An empty variable counts as not set, which is how Compose passes `${NAME:-}`.
    """
    environ = os.environ if environ is None else environ
    given = _Given(model, environ, flags or {})
    found = given.validate()
    unreadable = {name for name, _ in given.problems}
    if found is not None:
        mistakes = (one for one in found.mistakes() if unreadable.isdisjoint(one.fields))
        given.problems += [(one.fields[0], str(one.text)) for one in mistakes]
        # Beside mistakes they would only be noise.
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
    """What the operator gave for one model: the texts, where they stood, and what is wrong with them."""

    def __init__(
        self,
        model: type[AnyEnvironment],
        environ: Mapping[str, str],
        flags: Mapping[str, tuple[str, str | None]],
    ) -> None:
        self.model = model
        self.environ = environ
        # A variable that is not written in capitals is none of ours, and is told as unknown.
        self.variables: dict[str, Any] = {
            name: text.strip() for name, text in environ.items() if name.isupper() and text.strip()
        }
        self.sources: dict[str, str] = {}  # where a value stood, unless in its own variable
        self.secrets: list[str] = []
        self.problems: list[tuple[str, str]] = []
        self.remarks: list[tuple[str, str]] = []
        for name, (flag, text) in flags.items():
            if text is not None:
                self.variables[model.variable(name)] = text
                self.sources[name] = flag
        for name in _secrets(model):
            if name not in self.sources:
                self._take_secret(name)

    def sentence(self, name: str, text: str) -> str:
        """Put the variable's name before the text."""
        return f"{self.sources.get(name, self.model.variable(name))}: {text}"

    def validate(self) -> AnyEnvironment | None:
        """Build the model; with mistakes build it from the rest, so that the rest is looked at, too."""
        handed_over = _VARIABLES.set(self.variables)
        try:
            return self.model()
        except ValidationError as error:
            self._set_aside(error)
            with contextlib.suppress(ValidationError):  # what has to be set is still missing
                return self.model()
            return None
        finally:
            _VARIABLES.reset(handed_over)

    def _set_aside(self, error: ValidationError) -> None:
        for details in error.errors(include_url=False, include_input=False):
            name = str(details["loc"][0])
            self.variables.pop(self.model.variable(name), None)
            if details["type"] == "value_error":
                # A validator's own sentences; one of them may repeat what was given.
                self.problems += [(name, self._scrub(str(text))) for text in details["ctx"]["error"].args]
            else:
                self.problems.append((name, in_our_words(details, self.model.model_fields[name])))

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
        if text != text.strip() or text[:1] in ("'", '"'):
            self.remarks.append((name, "begins or ends with a blank or a quote, which counts as part of it"))
        # A SecretStr already here: the library logs what it reads where PYDANTIC_SETTINGS_DEBUG is set.
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
    """Tell text from bytes of another encoding, which Python carries in half surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_secret_file(path: Path) -> str:
    # The path is not repeated: people put the secret itself there.
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


def _secrets(model: type[Environment]) -> list[str]:
    return [name for name, info in model.model_fields.items() if _is_secret(info.annotation)]


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def _unknown_variables(model: type[Environment], environ: Mapping[str, str]) -> Iterator[str]:
    known = {model.variable(name) for name in model.model_fields}
    known |= {f"{model.variable(name)}_FILE" for name in _secrets(model)}
    for variable in sorted(environ):
        # Variables are spelt in capitals, but a person may not have done so.
        if variable.upper().startswith(model.prefix) and variable not in known:
            near = difflib.get_close_matches(variable.upper(), known, n=1, cutoff=0.8)
            hint = f"; did you mean {near[0]}?" if near else "; remove it"
            yield f"{variable}: is not a setting of ours and is ignored{hint}"
