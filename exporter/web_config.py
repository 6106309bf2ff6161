"""Read `web.yml`, the Prometheus project's format for TLS and basic authentication; create TLS contexts.

The format is that of its exporter-toolkit. Unsupported settings are rejected by name, never silently ignored:
a file that demands a check of client names must not lead to a server without one.
"""

from __future__ import annotations

import difflib
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from core.exceptions import ConfigurationError
from core.password_hashes import hash_cost

FILE_LIMIT_BYTES = 65_536
HIGHEST_COST = 16
"""A check at cost 16 takes four seconds; a scrape must not take longer."""

SECTIONS = ("tls_server_config", "http_server_config", "basic_auth_users")
TLS_KEYS = ("cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version", "max_version")
HTTP_KEYS = ("http2", "headers")
NOT_OFFERED = {
    "rate_limit": "limits requests before they are authenticated, which is not offered here; remove it",
    "tls_server_config.cert": "is not offered here; write it to a file and name that in cert_file",
    "tls_server_config.key": "is not offered here; write it to a file and name that in key_file",
    "tls_server_config.client_ca": "is not offered here; write it to a file and name that in client_ca_file",
    "tls_server_config.client_allowed_sans": "is not offered here; sign the clients with a CA of their own",
    "tls_server_config.cipher_suites": "is not offered here; OpenSSL's defaults are used, remove it",
    "tls_server_config.prefer_server_cipher_suites": "is not offered here; remove it",
    "tls_server_config.curve_preferences": "is not offered here; OpenSSL's defaults are used, remove it",
}
HEADERS = {
    "strict-transport-security": None,
    "content-security-policy": None,
    "x-xss-protection": None,
    "x-frame-options": ("deny", "sameorigin"),
    "x-content-type-options": ("nosniff",),
}
"""The headers of the format with their allowed values; None: any value."""

CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
"""Modes that accept unverified client certificates; Python's OpenSSL always verifies them."""

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
BROKEN_VERSIONS = ("TLS10", "TLS11")

KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class WebConfig:
    """The web configuration; by default plain HTTP without authentication."""

    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """User names with the bcrypt hashes of their passwords; empty: no authentication."""
    tls: ssl.SSLContext | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """Headers added to every response."""
    files: tuple[Path, ...] = ()
    """All files read, to be watched for changes."""


def read_web_config(path: Path | None) -> WebConfig:
    """Read a file and the files it names; raise ConfigurationError with all mistakes by key."""
    if path is None:
        return WebConfig()
    document = _Document(path, _load(path))
    config = document.config()
    if document.problems:
        raise ConfigurationError(document.problems)
    return config


class _Document:
    """Parser of one file; collects mistakes in `problems`."""

    def __init__(self, path: Path, content: Any) -> None:
        self._path = path
        self.problems: list[str] = []
        self._root = self._mapping("", content, SECTIONS)

    def config(self) -> WebConfig:
        """Return the parsed configuration."""
        files = self._tls_files()
        tls = None
        if files is not None and not self.problems:
            tls = make_context(files, report=lambda key, text: self._note(f"tls_server_config.{key}", text))
        return WebConfig(
            users=dict(self._users()),
            tls=tls,
            headers=tuple(self._headers()),
            files=(self._path, *(files.paths if files is not None else ())),
        )

    def _tls_files(self) -> TlsFiles | None:
        place = "tls_server_config"
        found = self._mapping(place, self._root.get(place), TLS_KEYS)
        texts = {key: self._text(f"{place}.{key}", value) for key, value in found.items()}
        given = {key: value for key, value in texts.items() if value}
        if not given.keys() - {"min_version", "max_version"}:
            return None
        for key in ("cert_file", "key_file"):
            if key not in given:
                self._note(f"{place}.{key}", "is missing; name the PEM file")
        paths = {key: self._path.parent / value for key, value in given.items() if key.endswith("_file")}
        verify = self._verify_mode(given)
        oldest, newest = (
            self._version(f"{place}.{key}", given.get(key, default))
            for key, default in (("min_version", "TLS12"), ("max_version", "TLS13"))
        )
        if oldest > newest:
            self._note(f"{place}.max_version", "is older than min_version; exchange them")
        if not paths.keys() >= {"cert_file", "key_file"}:
            return None
        ca = paths.get("client_ca_file")
        return TlsFiles(paths["cert_file"], paths["key_file"], ca, verify, oldest, newest)

    def _verify_mode(self, given: Mapping[str, str]) -> ssl.VerifyMode:
        place = "tls_server_config.client_auth_type"
        word = given.get("client_auth_type", "NoClientCert")
        if word in UNVERIFIED:
            text = "lets in certificates that nobody verified; use VerifyClientCertIfGiven or "
            self._note(place, f"{text}RequireAndVerifyClientCert")
        elif word not in CLIENT_AUTH:
            self._note(place, f"must be {', '.join(CLIENT_AUTH)}")
        mode = CLIENT_AUTH.get(word, ssl.CERT_NONE)
        if mode != ssl.CERT_NONE and "client_ca_file" not in given:
            self._note("tls_server_config.client_ca_file", f"is missing, and {word} verifies against it")
        if word == "NoClientCert" and "client_ca_file" in given:
            text = "is missing, so client_ca_file would not be used; set RequireAndVerifyClientCert"
            self._note(place, text)
        return mode

    def _version(self, place: str, word: str) -> ssl.TLSVersion:
        if word in BROKEN_VERSIONS:
            self._note(place, "is a version that is no longer safe; use TLS12 or TLS13")
        elif word not in VERSIONS:
            self._note(place, "must be TLS12 or TLS13")
        return VERSIONS.get(word, ssl.TLSVersion.TLSv1_2)

    def _headers(self) -> Iterator[tuple[str, str]]:
        place = "http_server_config"
        section = self._mapping(place, self._root.get(place), HTTP_KEYS)
        # Accept http2 without effect: a client that offers HTTP/2 gets HTTP/1.1.
        if not isinstance(section.get("http2", True), bool):
            self._note(f"{place}.http2", "must be true or false")
        for name, value in self._mapping(f"{place}.headers", section.get("headers")).items():
            text = self._text(f"{place}.headers.{name}", value)
            allowed = HEADERS.get(name.lower(), ())
            if name.lower() not in HEADERS:
                self._note(f"{place}.headers.{name}", f"must be one of {', '.join(sorted(HEADERS))}")
            elif not text.isprintable() or (allowed is not None and text and text.lower() not in allowed):
                hint = " or ".join(allowed or ()) or "one line of plain text"
                self._note(f"{place}.headers.{name}", f"must be {hint}")
            elif text:
                yield name.lower(), text

    def _users(self) -> Iterator[tuple[str, str]]:
        place = "basic_auth_users"
        for name, value in self._mapping(place, self._root.get(place)).items():
            cost = hash_cost(value) if isinstance(value, str) else None
            if ":" in name or not name.isprintable():
                self._note(place, "has a name with ':' or a control character, which no client can send")
            elif cost is None:
                text = "is not a bcrypt hash; make one with: htpasswd -nBC 10 '' | tr -d ':\\n'"
                self._note(f"{place}.{_shown(name)}", text)
            elif cost > HIGHEST_COST:
                text = f"has cost {cost}, and a check would take longer than a scrape; use 10"
                self._note(f"{place}.{_shown(name)}", text)
            else:
                yield name, str(value)

    def _mapping(self, place: str, value: Any, known: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return a mapping with text keys; with `known`, other keys are mistakes."""
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            self._note(place, "must be a mapping, one `name: value` a line")
            return {}
        prefix = f"{place}." if place else ""
        for key in [key for key in value if known and key not in known]:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
            hint = f"did you mean {near[0]}" if near else f"known are {', '.join(known)}"
            self._note(f"{prefix}{_shown(key)}", NOT_OFFERED.get(prefix + key, f"is not a setting; {hint}"))
        return {key: one for key, one in value.items() if not known or key in known}

    def _text(self, place: str, value: Any) -> str:
        if value is None or isinstance(value, str):
            return value or ""
        self._note(place, "must be text; put it in quotes")
        return ""

    def _note(self, place: str, text: str) -> None:
        self.problems.append(": ".join(part for part in (self._path.name, place, text) if part))


def _load(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_LIMIT_BYTES + 1)
    except OSError as error:
        text = f"cannot be read ({error.strerror}); name a file that this user can read"
        raise ConfigurationError([f"{path}: {text} with --web.config.file"]) from None
    if len(content) > FILE_LIMIT_BYTES:
        raise ConfigurationError([f"{path.name}: is too large for a web configuration; name another file"])
    try:
        return YAML(typ="safe", pure=True).load(content)
    except (YAMLError, ValueError, RecursionError) as error:
        # Report only the position: the parser's message repeats lines, which may contain a hash.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise ConfigurationError([f"{path.name}: is not valid YAML{where}; correct it"]) from None


def _shown(key: str) -> str:
    """Return a key if it is a plain name; otherwise a placeholder, since it may be a misplaced hash."""
    return key if KEY.fullmatch(key) else "(a name that is not shown)"


@dataclass(frozen=True)
class TlsFiles:
    """Files and options of a TLS context."""

    certificate: Path
    key: Path
    client_ca: Path | None
    verify: ssl.VerifyMode
    oldest: ssl.TLSVersion
    newest: ssl.TLSVersion

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files to watch for changes."""
        return tuple(one for one in (self.certificate, self.key, self.client_ca) if one is not None)


def make_context(files: TlsFiles, *, report: Callable[[str, str], None]) -> ssl.SSLContext | None:
    """Return a context with the files loaded; None after mistakes, reported by key of `tls_server_config`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = files.oldest, files.newest
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    unreadable = False
    for key, path in (
        ("cert_file", files.certificate),
        ("key_file", files.key),
        ("client_ca_file", files.client_ca),
    ):
        if path is not None and (reason := _why_unreadable(path)):
            report(key, f"{reason}; name a PEM file that this user can read")
            unreadable = True
    if unreadable:
        return None
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except _EncryptedKeyError:
        report("key_file", "is encrypted; write it without a passphrase, readable for this user alone")
        return None
    except (ssl.SSLError, ValueError):
        report("cert_file", "and key_file are not a PEM certificate and the key that belongs to it")
        return None
    if files.client_ca is not None:
        try:
            context.load_verify_locations(files.client_ca)
        except (ssl.SSLError, ValueError):
            report("client_ca_file", "holds no PEM certificate; name the CA that signs the clients")
            return None
    context.verify_mode = files.verify
    return context


class ExchangeableContext(ssl.SSLContext):
    """A context that delegates each new connection to the current one; open connections keep theirs.

    `sni_callback` could replace the certificate of a new connection, but neither the client CA nor the
    versions; asyncio calls only `wrap_bio`.
    """

    current: ssl.SSLContext

    def __new__(cls, current: ssl.SSLContext) -> ExchangeableContext:
        """Create the context with an initial delegate."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        context.current = current
        return context

    def wrap_bio(self, *args: Any, **options: Any) -> ssl.SSLObject:
        """Create the TLS object of a connection with the current context."""
        return self.current.wrap_bio(*args, **options)


class _EncryptedKeyError(Exception):
    pass


def _no_password() -> str:
    # Without a callback OpenSSL prompts for the passphrase at the terminal.
    raise _EncryptedKeyError


def _why_unreadable(path: Path) -> str | None:
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return f"cannot be read ({error.strerror})"
