from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from exporter.cli import main
from exporter.listening import listen
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]
RUN = "import sys; from exporter.cli import main; sys.exit(main())"
SECRET = "a-secret-of-many-characters-9f3b7c"


@pytest.fixture
def environ(tmp_path):
    """Describe a gateway at which nobody listens."""
    with listen(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    return {
        "WPPCONNECT_URL": f"http://127.0.0.1:{port}",
        "WPPCONNECT_SECRET_KEY": SECRET,
        "WPPCONNECT_SESSIONS": "sales",
        "WPPCONNECT_DATA_DIR": str(tmp_path / "data"),
        "EXPORTER_WEB_LISTEN_ADDRESS": "127.0.0.1:0",
    }


@pytest.fixture
def gateway(environ):
    """Let a gateway answer that knows no session; it needs no token for that."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield environ | {"WPPCONNECT_URL": f"http://127.0.0.1:{server.server_address[1]}"}
    server.shutdown()
    server.server_close()
    thread.join(timeout=60)


class Gateway(BaseHTTPRequestHandler):
    def do_GET(self):
        bodies = {"/healthz": b'{"uptime":12.5,"message":"OK","timestamp":1}'}
        body = bodies.get(self.path, b'{"status":"CLOSED","qrcode":null}')
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        """Stay silent."""


@pytest.fixture
def spawn():
    """Start the exporter as a process of its own; what is still running at the end is killed."""
    started = []

    def start(environ, *flags):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, *flags],
            cwd=ROOT,
            env=environ | {"PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def listening_address(process) -> tuple[str, int]:
    """Read the log until it says where the exporter listens."""
    for line in process.stderr:
        found = re.search(r"exporter_started .*address=(\S+):(\d+)", line)
        if found:
            return found[1], int(found[2])
    raise AssertionError("the exporter ended before it listened")


def get(address, path) -> tuple[int, str]:
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_help_names_every_flag(capsys):
    assert main(["--help"], {}) == 0

    text = capsys.readouterr().out
    for flag in (
        "--web.listen-address",
        "--web.config.file",
        "--web.enable-lifecycle",
        "--log.level",
        "--log.format",
        "--config.check",
        "--once",
        "--version",
    ):
        assert flag in text
    assert "EXPORTER_WEB_LISTEN_ADDRESS" in text


def test_version_is_one_line(capsys):
    assert main(["--version"], {}) == 0
    assert re.fullmatch(r"wppconnect-exporter \S+ \(Python 3\.\d+\.\d+\S*\)\n", capsys.readouterr().out)


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_nothing_slow_is_imported_to_answer(flag):
    code = (
        "import sys; from exporter.cli import main\n"
        f"main(['{flag}'])\n"
        "sys.exit(bool({'pydantic', 'uvicorn', 'prometheus_client', 'requests'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)

    assert done.returncode == 0


def test_all_mistakes_are_told_at_once(capsys, environ):
    environ |= {
        "EXPORTER_LOG_FORMAT": "xml",
        "WPPCONNECT_URL": "ftp://gateway",
        "WPPCONNECT_INTERVAL_SECONDS": "often",
    }

    code = main(["--web.listen-address", "here", "--log.levle=debug", "--config.check"], environ)

    lines = capsys.readouterr().err.splitlines()
    assert code == 2
    assert sorted(line.removeprefix("wppconnect-exporter: ").partition(":")[0] for line in lines) == [
        "--log.levle",
        "--web.listen-address",
        "EXPORTER_LOG_FORMAT",
        "WPPCONNECT_INTERVAL_SECONDS",
        "WPPCONNECT_URL",
    ]


@pytest.mark.parametrize("flags", [["--config.check"], []], ids=["checked", "started"])
def test_mistake_in_the_web_configuration_is_one_of_the_configuration(capsys, environ, tmp_path, flags):
    path = tmp_path / "web.yml"
    path.write_text("basic_auth_user: {}\n")

    code = main(["--web.config.file", str(path), *flags], environ)

    assert code == 2
    assert "web.yml: basic_auth_user: is not a setting; did you mean" in capsys.readouterr().err


def test_saved_settings_and_web_configuration_are_checked_together(capsys, environ, tmp_path):
    (tmp_path / "web.yml").write_text("basic_auth_user: {}\n")
    (tmp_path / "store").mkdir()
    record = {"key": "saved", "version": 1, "value": {"saved": {"intervall_seconds": 3}}}
    (tmp_path / "store" / "settings.json").write_text(json.dumps({"schema": 1, "records": {"1": record}}))

    code = main(
        ["--web.config.file", str(tmp_path / "web.yml"), "--config.check"],
        environ | {"WPPCONNECT_DATA_DIR": str(tmp_path)},
    )

    printed = capsys.readouterr().err
    assert code == 2
    assert ": The saved settings are not valid: intervall_seconds: is not a setting; remove it\n" in printed
    assert "web.yml: basic_auth_user: is not a setting; did you mean" in printed


@pytest.mark.parametrize("token", ["too-short", "with/a/slash-in-it-and-long", "x" * 129])
def test_webhook_token_must_be_hard_to_guess_and_fit_an_address(capsys, environ, token):
    code = main(["--config.check"], environ | {"EXPORTER_WEBHOOK_TOKEN": token})

    printed = capsys.readouterr().err
    assert code == 2
    assert "EXPORTER_WEBHOOK_TOKEN: must be 16 to 128 letters" in printed
    assert token not in printed


def test_webhook_token_can_come_from_a_file(spawn, gateway, tmp_path):
    (tmp_path / "token").write_text("a-token-of-the-webhook-4f1d\n")
    address = listening_address(spawn(gateway | {"EXPORTER_WEBHOOK_TOKEN_FILE": str(tmp_path / "token")}))

    assert get(address, "/webhook/a-token-of-the-webhook-4f1d")[0] == 405
    assert get(address, "/webhook/another-token-of-it-4f1d")[0] == 404


def test_value_of_an_unknown_flag_is_not_repeated(capsys, environ):
    assert main([f"--secret={SECRET}", "--config.check"], environ) == 2
    assert SECRET not in capsys.readouterr().err


def test_words_without_a_flag_are_a_mistake(capsys, environ):
    assert main(["serve", "--config.check"], environ) == 2
    assert "belong to no flag" in capsys.readouterr().err


def test_exporter_without_a_gateway_says_what_to_set(spawn, tmp_path):
    process = spawn({"EXPORTER_WEB_LISTEN_ADDRESS": "127.0.0.1:0", "WPPCONNECT_DATA_DIR": str(tmp_path)})

    listening_address(process)

    assert "nothing_to_watch remedy='set WPPCONNECT_URL, or add a gateway" in process.stderr.readline()


def test_flag_wins_over_the_variable(capsys, environ):
    code = main(["--log.level", "error", "--config.check"], environ | {"EXPORTER_LOG_LEVEL": "loud"})

    assert (code, capsys.readouterr().out) == (0, "The configuration is valid.\n")


def test_taken_port_is_a_mistake_that_names_the_setting(spawn, environ):
    with listen(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = spawn(environ, "--web.listen-address", f"127.0.0.1:{port}")
        _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert f"127.0.0.1:{port} is taken by another program" in err
    assert "EXPORTER_WEB_LISTEN_ADDRESS" in err


def test_once_prints_the_metrics_and_fails_when_no_gateway_answers(spawn, environ):
    process = spawn(environ, "--once")

    out, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert 'wppconnect_up{server="main"} 0.0\n' in out
    assert 'wppconnect_session_connected{server="main",session="sales"} 0.0\n' in out
    assert "no gateway answered" in err
    assert SECRET not in out + err


def test_once_ends_with_zero_when_the_gateway_answers(spawn, gateway):
    process = spawn(gateway, "--once")

    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert 'wppconnect_up{server="main"} 1.0\n' in out
    assert 'wppconnect_session_state{server="main",session="sales",state="disconnected"} 1.0\n' in out


def test_once_without_a_gateway_says_what_to_set(spawn, environ):
    process = spawn({"WPPCONNECT_DATA_DIR": environ["WPPCONNECT_DATA_DIR"]}, "--once")

    _, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "WPPCONNECT_URL" in err


def test_exporter_serves_what_it_probes(spawn, gateway):
    address = listening_address(spawn(gateway))

    ready = until(lambda: get(address, "/-/ready")[0] == 200)
    _, text = get(address, "/metrics")

    assert ready
    assert 'wppconnect_up{server="main"} 1.0\n' in text
    assert 'wppconnect_session_connected{server="main",session="sales"} 0.0\n' in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_stop_ends_with_zero_although_connections_are_open(spawn, environ, number):
    process = spawn(environ)
    address = listening_address(process)
    idle = http.client.HTTPConnection(*address, timeout=60)
    idle.request("GET", "/metrics")
    idle.getresponse().read()
    with socket.create_connection(address, timeout=60) as unfinished:
        unfinished.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    idle.close()

    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_stop_while_starting_ends_with_zero(spawn, environ):
    process = spawn(environ | {"PYTHONUNBUFFERED": "1"})
    # The first thing that a started exporter makes is its data directory.
    until(lambda: Path(environ["WPPCONNECT_DATA_DIR"]).exists() or process.poll() is not None)

    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 0, err


def test_a_database_that_is_away_ends_the_start_with_one_sentence(capsys, caplog, environ):
    with listen(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    code = main([], environ | {"WPPCONNECT_STORE_URL": f"postgresql://ops:hidden@127.0.0.1:{port}/ops"})

    told = capsys.readouterr().err
    assert code == 1
    assert "WPPCONNECT_STORE_URL does not answer" in told
    assert "Traceback" not in told + caplog.text
    assert "hidden" not in told + caplog.text
