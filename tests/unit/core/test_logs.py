"""One log format, and no secret in it, whoever logs and however deep it is buried."""

import base64
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import bcrypt
import pytest

from core import logs
from core.logs import JsonFormatter, RedactedRecord, TextFormatter, configure_logging, redact, register_secret
from tests.support.hostile import HOSTILE

BCRYPT = "$2b$10$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0"
QR = "2@Qx8d+Jk/3vT1=,aZ09kLmN==,pQrS/tUv,wXyZ12==,1"
LOGGER = logging.getLogger("core.test_logs")


@pytest.fixture(autouse=True)
def restored_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put everything back that configuring changes in the process."""
    root = logging.getLogger()
    factory, handlers, level = logging.getLogRecordFactory(), root.handlers[:], root.level
    names = ["uvicorn", "uvicorn.access", "streamlit", "streamlit.web", *logs.CHATTY_LOGGERS]
    kept = [(one, one.handlers[:], one.level, one.propagate) for one in map(logging.getLogger, names)]
    monkeypatch.setattr(logs, "_secrets", ())
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    with warnings.catch_warnings():
        yield
        logging.captureWarnings(False)
    logging.setLogRecordFactory(factory)
    root.handlers[:], root.level = handlers, level
    for logger, before, its_level, propagate in kept:
        logger.handlers[:], logger.propagate = before, propagate
        logger.setLevel(its_level)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> "Lines":
    """What was written since the last look."""
    return Lines(capsys)


class Lines:
    """Reads the lines on stderr."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def read(self) -> list[str]:
        """Return them, without their ends."""
        return self._capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        pytest.param(f"token {BCRYPT} refused", "token *** refused", id="bcrypt"),
        pytest.param(f"sales:{BCRYPT.replace('a', '/')}", "sales:***", id="bcrypt, standard alphabet"),
        pytest.param(f"sales:{BCRYPT.replace('a', '_')}", "sales:***", id="bcrypt, the gateway's alphabet"),
        pytest.param("/api/x:%242b%2410%24abc%2Fdef/status", "/api/x:***", id="bcrypt, percent-encoded"),
        pytest.param("cut $2b$10$abcdef", "cut ***", id="bcrypt, cut short"),
        pytest.param(f"code {QR} shown", "code *** shown", id="QR payload"),
        pytest.param(f"{{'urlcode': '{QR}'}}", "{'urlcode': ***}", id="QR payload in a dict"),
        pytest.param("q=2%40Qx8d%2BJk%2F3v&x=1", "q=***&x=1", id="QR payload, percent-encoded"),
        pytest.param("src=data:image/png;base64,iVBORw0KGgoAA+/= end", "src=*** end", id="QR picture"),
        pytest.param("body iVBORw0KGgoAAAANSUhEUg==", "body ***", id="bare base64 PNG"),
        pytest.param("Authorization: Bearer abcdefgh", "Authorization: ***", id="header"),
        pytest.param("{'Authorization': 'Anything x'}", "{'Authorization': '***'}", id="header in a dict"),
        pytest.param("(b'authorization', b'Anything x')", "(b'authorization', b'***')", id="ASGI header"),
        pytest.param("sent Bearer abc.def-ghi_jkl", "sent Bearer ***", id="bearer value"),
        pytest.param("Cookie: sid=abc; theme=dark", "Cookie: ***", id="cookie"),
        pytest.param("password=hunter2 user=anna", "password=*** user=anna", id="password"),
        pytest.param('{"password": "two words", "a": 1}', '{"password": ***, "a": 1}', id="password in JSON"),
        pytest.param("{'phoneCode': 'ABCD1234'}", "{'phoneCode': ***}", id="pairing code"),
        pytest.param("WPPCONNECT_SECRET_KEY=abc", "WPPCONNECT_SECRET_KEY=***", id="variable"),
        pytest.param("http://user:pw@proxy:3128/x", "http://***@proxy:3128/x", id="credentials in a URL"),
        pytest.param("sent to +55 11 91234-5678 now", "sent to *** now", id="written phone number"),
        pytest.param("from 5511912345678@c.us", "from ***@c.us", id="phone number"),
        pytest.param("/api/sales/K3y/generate-token", "/api/sales/***/generate-token", id="secret in a path"),
        pytest.param("/api/K3y/show-all-sessions", "/api/***/show-all-sessions", id="secret in a short path"),
    ],
)
def test_secret_of_known_look_is_redacted(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "probe finished server=main session=sales state=CONNECTED seconds=0.123456789",
        "request route=/api/{session}/{secretkey}/generate-token status=400",
        "request route=/api/{session}/status-session status=401 reason=token_rejected",
        "WPPCONNECT_TOKEN: is a raw key and no bcrypt token; set WPPCONNECT_SECRET_KEY instead",
        "listening address=127.0.0.1:21466 pid=1234567",
        "token_source=auto bearer token refused",
        "at 2026-11-23T20:28:21.123Z",
        "mail to team2@example.org",
    ],
)
def test_harmless_text_stays_readable(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "spelling",
    ["s3 cr/et&k\\y", "s3%20cr%2Fet%26k%5Cy", "s3%20cr/et%26k%5Cy", "s3+cr%2Fet%26k%5Cy", "s3 cr/et&k\\\\y"],
    ids=["plain", "one segment", "path", "form", "escaped"],
)
def test_registered_secret_is_redacted_in_every_spelling(spelling: str) -> None:
    register_secret("s3 cr/et&k\\y\n")

    assert redact(f"<{spelling}>") == "<***>"


def test_secret_that_contains_another_is_redacted_whole() -> None:
    register_secret("juniper")
    register_secret("juniper-berry")

    assert redact("a juniper-berry, a juniper") == "a ***, a ***"


def test_too_short_secret_does_not_make_logs_unreadable() -> None:
    register_secret("a")
    register_secret("")

    assert redact("a banana") == "a banana"


def test_real_token_is_redacted() -> None:
    token = bcrypt.hashpw(b"saless3cret", bcrypt.gensalt(4)).decode()

    assert redact(f"x {token} y {token.replace('/', '_')}") == "x *** y ***"


def test_message_is_one_line_with_moment_level_and_logger(lines: Lines) -> None:
    configure_logging("INFO", "text")

    LOGGER.info("probe finished server=%s session=%s", "main", "sales")

    (line,) = lines.read()
    moment, rest = line.split(" ", 1)
    assert rest == "INFO core.test_logs probe finished server=main session=sales"
    assert (len(moment), moment[-1]) == (len("2026-11-23T20:28:21.123Z"), "Z")


def test_logged_line_end_cannot_fake_a_line(lines: Lines) -> None:
    configure_logging("INFO", "text")

    LOGGER.info("got %s", "x\r\n2026-11-23T20:28:21.123Z INFO core signed in")

    assert len(lines.read()) == 1


def test_json_line_holds_event_and_exception(lines: Lines) -> None:
    configure_logging("INFO", "json")
    register_secret('quo"ted')

    try:
        raise ValueError('quo"ted')
    except ValueError:
        LOGGER.exception("probe failed key=%s", 'quo"ted')

    (line,) = lines.read()
    entry = json.loads(line)
    assert list(entry) == ["at", "level", "logger", "event", "key", "exception"]
    assert (entry["level"], entry["logger"], entry["event"], entry["key"]) == (
        "ERROR",
        "core.test_logs",
        "probe failed",
        "***",
    )
    assert entry["exception"].endswith("ValueError: ***")


@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_in_arguments_and_nested_exceptions_are_redacted(lines: Lines, style: str) -> None:
    configure_logging("DEBUG", style)
    register_secret("juniper-berry")

    try:
        try:
            raise KeyError("juniper-berry")
        except KeyError as first:
            error = RuntimeError(f"Max retries: /api/sales/other-key/generate-token {BCRYPT}")
            error.add_note("note: juniper-berry")
            raise error from first
    except RuntimeError as error:
        LOGGER.warning(
            "failed %s %r", {"key": "juniper-berry"}, error, exc_info=ExceptionGroup("5511912345678", [error])
        )
        LOGGER.debug("%(key)s", {"key": "juniper-berry"}, stack_info=True)

    text = "\n".join(lines.read())
    assert "RuntimeError: Max retries: /api/sales/***/generate-token ***" in text
    assert "KeyError: '***'" in text
    assert "note: ***" in text
    assert "Stack (most recent call last)" in text
    assert "juniper" not in text.replace('"juniper-berry"', "").replace('\\"juniper-berry\\"', "")
    assert "other-key" not in text.replace("/api/sales/other-key", "")
    assert "5511912345678" not in text.replace('"5511912345678"', "").replace('\\"5511912345678\\"', "")


def test_arguments_that_do_not_fit_are_not_printed(lines: Lines) -> None:
    configure_logging("INFO", "text")
    register_secret("juniper-berry")

    LOGGER.info("one %s two %s", "juniper-berry")
    LOGGER.info("number %d", "hunter2")

    written = lines.read()
    assert [line.split(" ", 3)[3] for line in written] == [
        "one %s two %s (its arguments do not fit)",
        "number %d (its arguments do not fit)",
    ]


def test_argument_that_cannot_be_shown_is_left_out(lines: Lines) -> None:
    class Unshowable:
        """Fails when it is written."""

        def __str__(self) -> str:
            raise RuntimeError("hunter2")

    configure_logging("INFO", "text")

    LOGGER.info("got %s", Unshowable())

    (line,) = lines.read()
    assert line.endswith("got %s (its arguments do not fit)")


def test_access_line_loses_its_query(lines: Lines) -> None:
    configure_logging("INFO", "text")

    logging.getLogger("uvicorn.access").info(
        '%s - "%s %s HTTP/%s" %d', "127.0.0.1:5000", "GET", "/session?code=ABCD1234&x=1", "1.1", 200
    )

    (line,) = lines.read()
    assert line.endswith('uvicorn.access 127.0.0.1:5000 - "GET /session?*** HTTP/1.1" 200')


def test_handlers_that_libraries_brought_are_replaced(lines: Lines) -> None:
    theirs = io.StringIO()
    for name in ("uvicorn", "streamlit.web"):
        logging.getLogger(name).addHandler(logging.StreamHandler(theirs))
        logging.getLogger(name).propagate = False

    configure_logging("INFO", "text")
    logging.getLogger("uvicorn").info("started")
    logging.getLogger("streamlit.web").info("served")

    assert theirs.getvalue() == ""
    assert [line.split(" ", 2)[2] for line in lines.read()] == ["uvicorn started", "streamlit.web served"]


def test_handler_added_by_a_library_later_writes_redacted_text() -> None:
    configure_logging("INFO", "text")
    register_secret("juniper-berry")
    theirs = io.StringIO()
    logging.getLogger("streamlit.web").addHandler(logging.StreamHandler(theirs))

    try:
        raise ValueError("juniper-berry")
    except ValueError:
        logging.getLogger("streamlit.web").exception("failed %s", "juniper-berry")

    assert theirs.getvalue().startswith("failed ***\nTraceback")
    assert theirs.getvalue().endswith("ValueError: ***\n")


def test_configuring_twice_writes_each_line_once(lines: Lines) -> None:
    configure_logging("INFO", "text")
    configure_logging("INFO", "text")

    LOGGER.info("started")

    assert len(lines.read()) == 1


def test_line_end_at_the_end_of_a_message_is_left_out(lines: Lines) -> None:
    configure_logging("INFO", "text")

    LOGGER.error("Exception in ASGI application\n")

    assert [line.split(" ", 3)[3] for line in lines.read()] == ["Exception in ASGI application"]


def test_level_is_obeyed(lines: Lines) -> None:
    configure_logging("WARNING", "text")

    LOGGER.info("started")
    LOGGER.warning("late")

    assert [line.split(" ", 3)[3] for line in lines.read()] == ["late"]


def test_debug_lines_with_whole_paths_stay_away(lines: Lines) -> None:
    configure_logging("DEBUG", "text")

    logging.getLogger("urllib3.util.retry").debug("GET /api/sales/key/generate-token")
    logging.getLogger("urllib3.util.retry").warning("Retrying /api/sales/key/generate-token")

    assert [line.split(" ", 3)[3] for line in lines.read()] == ["Retrying /api/sales/***/generate-token"]


def test_debug_lines_of_a_sign_in_under_way_stay_away(lines: Lines) -> None:
    configure_logging("DEBUG", "text")

    logging.getLogger("authlib.integrations.base_client.sync_app").debug("Using code_verifier: 'x'")

    assert lines.read() == []


def test_uncaught_exception_becomes_a_redacted_line(lines: Lines) -> None:
    configure_logging("INFO", "text")
    register_secret("juniper-berry")

    sys.excepthook(ValueError, ValueError("juniper-berry"), None)

    written = lines.read()
    assert written[0].endswith("CRITICAL core.logs uncaught exception")
    assert written[1:] == ["    ValueError: ***"]


def test_uncaught_exception_of_a_thread_becomes_a_redacted_line(lines: Lines) -> None:
    configure_logging("INFO", "text")
    register_secret("juniper-berry")
    thread = threading.Thread(target=int, args=("juniper-berry",), name="prober")

    thread.start()
    thread.join(60)

    written = lines.read()
    assert written[0].endswith("CRITICAL core.logs uncaught exception thread=prober")
    assert written[-1] == "    ValueError: invalid literal for int() with base 10: '***'"


def test_warning_becomes_a_line(lines: Lines) -> None:
    configure_logging("INFO", "text")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", stacklevel=1)

    (line,) = lines.read()
    assert "WARNING py.warnings" in line
    assert "old way" in line


def test_huge_text_is_cut_between_words() -> None:
    register_secret("juniper-berry")

    text = redact("word " * 3_999 + "juniper-berry " * 500)

    assert len(text) < 21_000
    assert text.endswith(" ... (cut)")
    assert "juniper" not in text
    assert redact("x" * 50_000) == " ... (cut)"


def test_formatters_accept_a_record_without_exception() -> None:
    record = RedactedRecord("core", logging.INFO, "f.py", 1, "event %s", ("a",), (None, None, None))

    assert TextFormatter().format(record).endswith("INFO core event a")
    assert json.loads(JsonFormatter().format(record))["event"] == "event a"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_redacted_in_the_end(text: str) -> None:
    # How soon is a figure of `make bench`; what goes back and forth for ever would outlast the test's time.
    assert len(redact(text)) <= len(text)


def test_picture_of_a_code_is_redacted_as_the_gateway_sends_it() -> None:
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256))).decode()

    assert redact(f'{{"qrcode":"{picture}"}}') == '{"qrcode":***}'
