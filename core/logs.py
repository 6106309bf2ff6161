"""One log format for all processes, with secrets redacted in every record of every logger.

A line is an event, then key=value: `2026-11-23T20:28:21.123Z INFO core.monitor probe failed server=main`.

Redaction happens in the log record and not in a handler: libraries (uvicorn, Streamlit) install their own
handlers and formatters, and all of them read the record's text.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO
from urllib.parse import quote, quote_plus

REDACTED = "***"
LONGEST_TEXT = 20_000
"""Characters after which a text is cut, such as a gateway's HTML error page or a deep traceback."""
SHORTEST_SECRET = 4
"""Characters; redacting shorter texts would make log lines unreadable and protect nothing."""

CHATTY_LOGGERS = ("authlib", "urllib3", "filelock", "asyncio", "watchdog", "multipart", "PIL")
"""Loggers kept at INFO or above: their DEBUG lines are of no use here.

urllib3's contain whole paths, authlib's the secret of a sign-in under way.
"""
LIBRARY_LOGGERS = ("uvicorn", "streamlit", "urllib3", "websockets", "starlette", "asyncio", "py.warnings")

MOMENT = r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?!\d)"

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # The gateway's routes with the secret key in the path; templates such as {secretkey} stay readable.
    (
        re.compile(
            r"(/api/(?:[^/\s?{}]+/)?)[^/\s?{}]+(?=/(?:generate-token|show-all-sessions|start-all|"
            r"clear-session-data|backup-sessions|restore-sessions)\b)"
        ),
        rf"\1{REDACTED}",
    ),
    # Both bcrypt alphabets, also percent-encoded or truncated.
    (re.compile(r"(?:\$|%24)2[abxy]?(?:\$|%24)\d\d(?:\$|%24)[\w./%-]{4,}"), REDACTED),
    # QR payloads and images.
    (re.compile(r"(?<![\w.+-])[12](?:@|%40)[\w+/=,.%-]{8,}"), REDACTED),
    (re.compile(r"data:image/[\w.+-]+;base64,[\w+/=%-]+"), REDACTED),
    (re.compile(r"iVBORw0KGgo[\w+/=%-]*"), REDACTED),
    (
        re.compile(
            r"""(?i)\b(authorization|cookie|x-api-key)(["']\s*[:=,]\s*b?["']?|\s*[:=]\s*["']?)[^\r\n"'})]+"""
        ),
        rf"\1\2{REDACTED}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.$/+=~:%-]{8,}"), rf"\1 {REDACTED}"),
    (
        re.compile(
            r"""(?i)((?:password|passwd|secret|secret_?key|token|api_?key|phone_?code|pairing_?code|"""
            r"""phone_?number|phone|urlcode|qrcode)(?:=|["']\s*[:=]\s*))"""
            r"""(?:"[^"]*"|'[^']*'|[^\s"'&,})]+)"""
        ),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(://)[^/\s@]{1,256}@"), rf"\1{REDACTED}@"),
)

NUMBER_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Phone numbers: with a plus, or any run of eight digits that is neither a decimal fraction nor the date
    # of a timestamp, as in names of set-aside files (20261123T215955).
    (re.compile(r"\+\d[\d ().-]{6,20}\d"), REDACTED),
    (re.compile(rf"(?<!\d)(?<!\d\.)(?!{MOMENT})\d{{8,}}"), REDACTED),
)

CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that end a line or control a terminal: they could hide, colour or reverse the output."""

VALUE = re.compile(r" (\w+)=%")
"""A `key=value` placeholder in an event's template."""

_secrets: tuple[str, ...] = ()
_secrets_lock = threading.Lock()


def register_secret(value: str) -> None:
    """Redact this text, plain, percent-encoded or escaped, in all later log lines of this process."""
    global _secrets
    plain = value.strip()
    if len(plain) < SHORTEST_SECRET or plain in _secrets:
        return
    encoded = {quote(plain, safe=""), quote(plain), quote_plus(plain)}
    spellings = {plain, *encoded, repr(plain)[1:-1], json.dumps(plain)[1:-1]}
    with _secrets_lock:
        # Longest first: redacting a shorter secret inside a longer one would leave the rest of it.
        _secrets = tuple(sorted({*_secrets, *spellings}, key=lambda text: (-len(text), text)))


def redact(text: str) -> str:
    """Return the text without secrets and phone numbers, cut to a maximum length."""
    if len(text) > LONGEST_TEXT:
        # Cut between words: a truncated secret would not be recognised.
        end = max(text.rfind(" ", 0, LONGEST_TEXT), text.rfind("\n", 0, LONGEST_TEXT), 0)
        text = f"{text[:end]} ... (cut)"
    text = redact_secrets(text)
    for pattern, replacement in NUMBER_PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact_secrets(text: str) -> str:
    """Return the text without secrets, registered or by pattern. Numbers stay: a session name may be one."""
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def showable(text: str) -> str:
    """Return the text with lone surrogates, control characters and direction marks replaced.

    JSON can encode lone surrogates, but neither files nor the page can.
    """
    return CONTROLS.sub(
        lambda sign: " " if sign[0].isspace() else "?", text.encode(errors="replace").decode()
    )


class RedactedRecord(logging.LogRecord):
    """A log record whose message, traceback and stack are redacted for every formatter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.name == "uvicorn.access" and isinstance(self.args, tuple):
            # uvicorn's formatter reads the arguments: address, method, path with query, version, status.
            self.args = tuple(
                redact(_without_query(one)) if isinstance(one, str) else one for one in self.args
            )
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = redact("".join(traceback.format_exception(*self.exc_info)).rstrip("\n"))
        if self.stack_info:
            self.stack_info = redact(self.stack_info)

    def getMessage(self) -> str:  # noqa: N802 - the standard library's name
        """Return the redacted message; arguments that do not fit the template are omitted, not printed."""
        try:
            message = super().getMessage()
        except Exception:  # noqa: BLE001 - logging must not fail, and what failed may hold a secret
            message = f"{self.msg} (its arguments do not fit)"
        return redact(message)


class TextFormatter(logging.Formatter):
    """One line per record, tracebacks indented, so that logged text cannot imitate a log line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text."""
        line = f"{_moment(record)} {record.levelname} {record.name} {_one_line(record.getMessage())}"
        details = [text for text in (record.exc_text, record.stack_info) if text]
        return "\n    ".join([line, *(_one_line(row) for text in details for row in text.splitlines())])


class JsonFormatter(logging.Formatter):
    """One JSON object per line, with a member for each `key=value` of the event."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        event, fields = _parts(record)
        entry = {"at": _moment(record), "level": record.levelname, "logger": record.name, "event": event}
        entry |= {name: value for name, value in fields.items() if name not in entry}
        if record.exc_text:
            entry["exception"] = record.exc_text
        if record.stack_info:
            entry["stack"] = record.stack_info
        text = json.dumps(entry, ensure_ascii=False)
        return CONTROLS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to the current sys.stderr, and never prints a record that it failed to write."""

    @property
    def stream(self) -> TextIO:
        """The current sys.stderr."""
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Ignore the base class's assignment: sys.stderr is looked up on each use."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Drop the record: the base class would print its raw arguments."""


def configure_logging(level: str, format: str) -> None:
    """Write all log lines of this process, redacted, to stderr in the given format ("text" or "json").

    Call it again after a library has installed handlers (Streamlit does so on import): they are removed.
    Start uvicorn with `log_config=None`. Uncaught exceptions, also in threads, and warnings are logged too.
    """
    logging.setLogRecordFactory(RedactedRecord)
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not _writes_to_terminal(other)] + [handler]
    root.setLevel(level.upper())
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.split(".")[0] in LIBRARY_LOGGERS:
            logger.handlers.clear()
            logger.propagate = True
            logger.setLevel(logging.NOTSET)
    for name in CHATTY_LOGGERS:
        logging.getLogger(name).setLevel(max(root.level, logging.INFO))
    logging.captureWarnings(True)
    _install_exception_hooks()


def _install_exception_hooks() -> None:
    """Log uncaught exceptions, unless another program (a test runner) has installed its own hooks."""
    logger = logging.getLogger(__name__)

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            logger.critical("uncaught exception", exc_info=(kind, error, trace))

    def uncaught_in_thread(failure: threading.ExceptHookArgs) -> None:
        if failure.exc_value is not None and not issubclass(failure.exc_type, SystemExit):
            info = (failure.exc_type, failure.exc_value, failure.exc_traceback)
            name = failure.thread.name if failure.thread else "?"
            logger.critical("uncaught exception thread=%s", name, exc_info=info)

    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = uncaught_in_thread


def _writes_to_terminal(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and handler.stream in (
        sys.stderr,
        sys.__stderr__,
        sys.stdout,
    )


def _without_query(text: str) -> str:
    path, mark, _ = text.partition("?")
    return f"{path}{mark}{REDACTED}" if mark else text


def _one_line(text: str) -> str:
    return CONTROLS.sub(lambda sign: repr(sign[0])[1:-1], text.rstrip("\r\n"))


def _parts(record: logging.LogRecord) -> tuple[str, dict[str, str]]:
    """Split a redacted message into the event and its values, by the names in its template."""
    message = record.getMessage()
    names = VALUE.findall(record.msg) if isinstance(record.msg, str) else []
    values = re.fullmatch("(.*?)" + "".join(f" {name}=(.*?)" for name in names), message, re.DOTALL)
    if not names or values is None:
        return message, {}
    return values[1], dict(zip(names, values.groups()[1:], strict=True))


def _moment(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
