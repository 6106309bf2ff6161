"""What no file of ours may hold, and how large it may be."""

from __future__ import annotations

import re

from tests.meta.source import own_files, project, text_of

LONGEST_FILE = 400
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
REGISTRY = re.compile(r"(?:extra-)?index-url\s*=|https?://\S+/simple\b|https?://\S+[.](?:whl|tgz|tar[.]gz)\b")
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock")
REQUIREMENT = re.compile(r"^([a-z0-9.-]+)==(\S+)(.*)$", re.MULTILINE)


def pins(lock: str) -> set[tuple[str, str]]:
    """Return name and version of everything that a lock file pins."""
    return {(name, version) for name, version, _ in REQUIREMENT.findall(text_of_lock(lock))}


def text_of_lock(lock: str) -> str:
    """Read a lock file."""
    return next(text_of(path) for path in own_files() if path.as_posix() == lock)


def test_no_python_file_is_too_long_to_be_read_at_once() -> None:
    lengths = {str(path): text_of(path).count("\n") for path in own_files() if path.suffix == ".py"}

    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = [str(path) for path in own_files() if MACHINE_PATH.search(text_of(path))]

    assert found == []


def test_no_file_names_a_package_index() -> None:
    found = [
        str(path) for path in own_files() if REGISTRY.search(text_of(path)) and path.name != "test_files.py"
    ]

    assert found == []


def test_lock_files_name_no_host_and_hash_everything() -> None:
    for lock in LOCKS:
        text = text_of_lock(lock)
        assert "://" not in text
        assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:])


def test_lock_holds_every_declared_dependency() -> None:
    dependencies = project()["project"]["dependencies"]
    declared = {re.split(r"\[|>=", dependency)[0].replace(".", "-") for dependency in dependencies}

    assert declared <= {name for name, _ in pins("requirements.lock")}


def test_what_is_tested_is_what_runs() -> None:
    assert pins("requirements.lock") | pins("requirements-build.lock") <= pins("requirements-dev.lock")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make --no-print-directory test" in next(
        text_of(path) for path in own_files() if path.as_posix() == ".ci/run"
    )
