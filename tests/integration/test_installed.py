"""The built wheel, installed into an environment of its own and used from an empty folder.

What the wheel depends on is taken from the environment of the tests, so that nothing is downloaded. An audit
hook in the installed environment writes down every file of the checkout that one of our processes opens.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from packaging.metadata import Metadata
from playwright.sync_api import expect
from trove_classifiers import classifiers

from cli.main import COMMANDS
from tests.meta.source import PACKAGES, ROOT, own_files
from tests.plugins.system_tools import require
from tests.support.chromium import chromium, new_tab
from tests.support.stack import PAIRING_LINK, PASSWORD, SECRET, SESSION, free_port
from tests.support.terminal import TerminalCommand
from tests.support.waiting import until

OLDER = ROOT / "tests/data/import/01-secret-key-ignored"
MONITORING = ("rules", "alertmanager", "grafana", "prometheus", "runbooks")
WATCH = """
import os, sys
ours, theirs = {root!r}, {dependencies!r}
seen = os.open({seen!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
def watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str):
        path = os.path.join(os.getcwd(), arguments[0])
        if path.startswith(ours) and not path.startswith(theirs):
            os.write(seen, (path + "\\n").encode())
sys.addaudithook(watch)
"""
"""Milliseconds for the page's cold start on a machine that is busy."""


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and an empty folder to work in."""

    bin: Path
    folder: Path

    def call(self, *words: str, code: int = 0, **variables: str) -> str:
        """Run `wppconnect-ops` in the folder to its end, and return what it said."""
        done = subprocess.run(
            [self.bin / "wppconnect-ops", *words],
            cwd=self.folder,
            env=self._environ(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    @contextmanager
    def terminal(self, *words: str, **variables: str) -> Iterator[TerminalCommand]:
        """Start it in a terminal, and end it as an init system does."""
        environ = self._environ(variables) | {"PYTHONPATH": ""}
        program = [str(self.bin / "wppconnect-ops")]
        with TerminalCommand(program, *words, environ=environ, cwd=self.folder) as command:
            yield command
            command.process.terminate()
            assert command.process.wait(timeout=60) == 0, command.written
            assert "Traceback" not in command.written

    def _environ(self, variables: Mapping[str, str]) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), **variables}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution; it lies unpacked beside itself."""
    folder = tmp_path_factory.mktemp("built")
    _build(ROOT, "sdist", folder)
    [packed] = folder.glob("*.tar.gz")
    with tarfile.open(packed) as sources:
        sources.extractall(folder, filter="data")
    return packed


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """The wheel, built from what the source distribution holds."""
    _build(unpacked(sdist), "wheel", sdist.parent)
    return next(sdist.parent.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel in an environment of its own, as pipx makes it; nothing reads from the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--disable-pip-version-check", wheel], check=True)
    packages = Path(_printed(python, "import sysconfig; print(sysconfig.get_paths()['purelib'])"))
    # A folder that a .pth file names is searched; .pth files in it, such as the checkout's, are not read.
    dependencies = sysconfig.get_paths()["purelib"]
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    seen = folder / "seen"
    watch = WATCH.format(root=f"{ROOT}/", dependencies=dependencies, seen=str(seen))
    (packages / "sitecustomize.py").write_text(watch)
    (folder / "empty").mkdir()
    _printed(python, f"open({str(ROOT / 'README.md')!r})")
    assert seen.read_text() == f"{ROOT / 'README.md'}\n"
    seen.write_text("")

    yield Installed(folder / "venv" / "bin", folder / "empty")

    # What a test named on a command line is no find.
    opened = {Path(line) for line in seen.read_text().splitlines()}
    assert {path for path in opened if not path.is_relative_to(OLDER)} == set()


@pytest.fixture(scope="module")
def gateway(installed: Installed) -> Iterator[dict[str, str]]:
    """`wppconnect-ops simulator`, and the variables with which the other commands find it."""
    port, phones = free_port(), free_port()
    variables = {
        "SIMULATOR_GATEWAY_PORT": str(port),
        "SIMULATOR_PHONE_PORT": str(phones),
        "SIMULATOR_SECRET_KEY": SECRET,
        "SIMULATOR_TIME_SCALE": "0.2",
    }
    with installed.terminal("simulator", **variables) as simulator:
        until(lambda: "phone page" in simulator.written, what="the simulator")
        yield {
            "WPPCONNECT_URL": f"http://127.0.0.1:{port}",
            "WPPCONNECT_SECRET_KEY": SECRET,
            "WPPCONNECT_SESSIONS": SESSION,
            "PHONES": f"http://127.0.0.1:{phones}",
        }


def test_the_wheel_holds_every_file_of_our_packages_and_nothing_of_the_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if ".dist-info/" not in name}

    ours = {path.as_posix() for path in own_files() if path.parts[0] in (*PACKAGES, "monitoring")}
    pages = {name for name in packed if ".data/data/share/man/man1/" in name}

    assert packed - pages == ours
    assert {Path(page).name for page in pages} == {
        f"wppconnect-{program}.1" for program in ("ops", "exporter", "dashboard", "simulator")
    }


def test_the_source_distribution_holds_what_is_committed_and_nothing_else(sdist: Path) -> None:
    with tarfile.open(sdist) as sources:
        packed = {Path(*Path(one.name).parts[1:]) for one in sources.getmembers() if one.isfile()}

    assert packed - set(own_files()) == {Path("PKG-INFO")}
    assert {path for path in set(own_files()) - packed if path.name != ".gitignore"} == set()


@pytest.mark.parametrize(("target", "pattern"), [("sdist", "*.tar.gz"), ("wheel", "*.whl")])
def test_building_again_elsewhere_gives_the_same_bytes(
    sdist: Path, wheel: Path, tmp_path: Path, target: str, pattern: str
) -> None:
    first = {"sdist": sdist, "wheel": wheel}[target]
    copy = tmp_path / "elsewhere"
    committed = shutil.ignore_patterns("PKG-INFO")
    shutil.copytree(unpacked(sdist), copy, ignore=committed, copy_function=_copy_for_owner)

    _build(copy, target, tmp_path)

    assert next(tmp_path.glob(pattern)).read_bytes() == first.read_bytes()


def test_a_package_index_would_take_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        text = next(opened.read(name) for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Metadata.from_email(text, validate=True)

    assert set(metadata.classifiers or []) <= classifiers
    assert [one for one in metadata.classifiers or [] if one.startswith("Private ::")] == []
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.description_content_type == "text/markdown"
    assert metadata.description == (ROOT / "README.md").read_text()


def test_every_command_is_there_and_explains_itself(installed: Installed) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert installed.call("--version").startswith(f"wppconnect-ops {version} ")
    listed = installed.call("--help")
    assert [command for command in COMMANDS if f"\n  {command} " not in listed] == []
    for command in COMMANDS:
        assert installed.call(command, "--help").startswith(f"Usage: wppconnect-ops {command} ")


def test_the_demo_runs_and_its_page_has_its_texts_styles_and_runbooks(
    installed: Installed, tmp_path: Path
) -> None:
    require("chromium")
    page, exporter, port, phones = (free_port() for _ in range(4))
    variables = {
        "DASHBOARD_LISTEN_ADDRESS": f"127.0.0.1:{page}",
        "EXPORTER_WEB_LISTEN_ADDRESS": f"127.0.0.1:{exporter}",
        "SIMULATOR_GATEWAY_PORT": str(port),
        "SIMULATOR_PHONE_PORT": str(phones),
        "WPPCONNECT_DATA_DIR": str(tmp_path),
    }
    with installed.terminal("run", **variables) as demo, chromium() as browser:
        link = until(lambda: PAIRING_LINK.search(demo.written), what="the one-time link")
        assert link is not None
        tab = new_tab(browser, locale="pt-PT")
        missing: list[str] = []
        tab.on("response", lambda one: missing.append(one.url) if one.status >= 400 else None)
        tab.goto(link.group().strip())
        tab.fill("input[name=password]", PASSWORD)
        tab.fill("input[name=repeated]", PASSWORD)
        tab.click("button")
        expect(tab.locator("body")).to_contain_text(f"Emparelhar {SESSION}")
        tab.goto(f"http://127.0.0.1:{page}/runbooks")
        expect(tab.locator("body")).to_contain_text("WppconnectSessionDisconnected")
        exposition = requests.get(f"http://127.0.0.1:{exporter}/metrics", timeout=60).text

    assert missing == []
    assert "wppconnect_up" in exposition


def test_a_phone_is_paired_and_the_doctor_asked(installed: Installed, gateway: dict[str, str]) -> None:
    with installed.terminal("pair", SESSION, **gateway) as pairing:
        until(lambda: "\u2580" in pairing.written, what="a QR code")
        requests.post(f"{gateway['PHONES']}/control/sessions/{SESSION}/scan", timeout=60).raise_for_status()
        until(lambda: pairing.process.poll() is not None, what="the end of the pairing")

    assert "No problem found" in installed.call("doctor", SESSION, **gateway)


def test_a_backup_is_given_back_elsewhere(
    installed: Installed, gateway: dict[str, str], tmp_path: Path
) -> None:
    here, elsewhere = ({"WPPCONNECT_DATA_DIR": str(tmp_path / name)} for name in ("here", "elsewhere"))
    installed.call("users", "add", "maria", "--role", "administrator", **gateway, **here)

    installed.call("backup", str(tmp_path / "saved"), **here)
    installed.call("restore", str(tmp_path / "saved"), **elsewhere)

    assert "maria" in installed.call("users", "list", **elsewhere)


def test_rules_are_written_and_files_of_others_read(installed: Installed) -> None:
    written = installed.folder / "monitoring"
    installed.call("rules", "--external-url", "https://ops.example.net", "--output", str(written))
    assert {path.name for path in written.iterdir()} == set(MONITORING)

    read = installed.call("import", str(OLDER))
    assert "SECRET_KEY is set, but the image server-cli reads no variable" in read

    sync = installed.folder / "sync.yml"
    (installed.folder / "keys.env").write_text("API_KEY=old\n")
    targets = "targets: [{file: keys.env, key: API_KEY, receives: api_key}]"
    sync.write_text(f"folders: {{here: {installed.folder}}}\n{targets}\n")
    planned = installed.call("sync", "plan", "--generate", "api_key", code=2, WPPCONNECT_SYNC_FILE=str(sync))
    assert "keys.env" in planned


def unpacked(sdist: Path) -> Path:
    """Return the folder in which the source distribution lies unpacked."""
    return next(sdist.parent.glob("*/pyproject.toml")).parent


def _copy_for_owner(source: str, target: str) -> None:
    """Copy a file as a clone under umask 077 does: with a new time, and nothing for other accounts."""
    shutil.copy(source, target)
    Path(target).chmod(Path(source).stat().st_mode & 0o700)


def _build(folder: Path, target: str, into: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _printed(python: Path, code: str) -> str:
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
