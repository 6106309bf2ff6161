"""Files of the kinds that people have, read after an edit by real readers: Compose, python-dotenv, a shell.

In every file the key's value is OLD_KEY_9f8e7d, in whatever quotes. What an edit has to do is therefore known
without any parser: replace that text, and nothing else.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dotenv import dotenv_values
from pydantic import SecretStr

from core.sync.planner import make_draft
from core.sync.secret_values import Values
from core.sync.targets import State, SyncSettings
from tests.support.compose import compose_config, environments
from tests.support.sync import API_KEY, BCRYPT_LIKE, KEY, MOMENT, target

CORPUS = Path(__file__).parents[3] / "data" / "sync"
ENV_FILES = sorted((CORPUS / "env").glob("*.env"))
COMPOSE_FILES = sorted((CORPUS / "compose").glob("*.yml"))

OLD = b"OLD_KEY_9f8e7d"
PLAIN_VALUE = "403bff9cbe76fd96caeea0abeb0709e0"
NUMBER_LIKE = "0123456789"

NOT_FOR_A_SHELL = {
    "spaces_around_equals",
    "space_after_equals",
    "crlf",
    "crlf_quoted",
    "crlf_and_lf_mixed",
    "byte_order_mark_first_line",
}
"""A shell takes these lines for commands, or the CR for a part of the value; before the edit, too."""


def edit(file: Path, value: str, folder: Path) -> bytes:
    """Return what a file of the corpus becomes."""
    shutil.copy(file, folder / file.name)
    keys = [KEY, "TOKEN"] if b"TOKEN=OLD" in file.read_bytes() else [KEY]
    targets = tuple(target(file.name, key) for key in keys)
    draft = make_draft(
        SyncSettings(folders={"leguas": folder}, targets=targets),
        Values({API_KEY: SecretStr(value)}),
        at=MOMENT,
    )
    assert [one.state for one in draft.plan.targets] == [State.WILL_CHANGE] * len(keys)
    (found,) = draft.edits
    assert OLD.decode() not in draft.plan.files[0].diff
    assert value not in draft.plan.files[0].diff
    return found.after


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole corpus with a bcrypt-like value in it, one folder for each file."""
    root = tmp_path_factory.mktemp("corpus")
    for file in [*ENV_FILES, *COMPOSE_FILES]:
        folder = root / file.parent.name / file.stem
        folder.mkdir(parents=True)
        content = edit(file, BCRYPT_LIKE, folder)
        (folder / (".env" if file.suffix == ".env" else "compose.yml")).write_bytes(content)
    return root


def test_corpus_is_as_large_as_promised() -> None:
    assert len(ENV_FILES) + len(COMPOSE_FILES) >= 40


@pytest.mark.parametrize("file", ENV_FILES, ids=lambda path: path.stem)
def test_edit_of_an_env_file_changes_nothing_but_the_value(file: Path, edited: Path, tmp_path: Path) -> None:
    before = file.read_bytes()

    assert (edited / "env" / file.stem / ".env").read_bytes() == re.sub(
        rb"([\"']?)" + OLD + rb"\1", f"'{BCRYPT_LIKE}'".encode().replace(b"\\", b"\\\\"), before
    )
    assert edit(file, PLAIN_VALUE, tmp_path) == before.replace(OLD, PLAIN_VALUE.encode())


@pytest.mark.parametrize("file", ENV_FILES, ids=lambda path: path.stem)
def test_python_dotenv_reads_exactly_the_value_and_the_neighbours_as_before(file: Path, edited: Path) -> None:
    before = dotenv_values(stream=io.StringIO(file.read_bytes().decode("utf-8-sig")), interpolate=False)

    after = dotenv_values(edited / "env" / file.stem / ".env", encoding="utf-8-sig", interpolate=True)

    assert after[KEY] == BCRYPT_LIKE
    assert list(after) == list(before)


@pytest.mark.parametrize(
    "file", [file for file in ENV_FILES if file.stem not in NOT_FOR_A_SHELL], ids=lambda path: path.stem
)
def test_shell_reads_exactly_the_value(file: Path, edited: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'. ./.env 2>/dev/null; printf %s "${KEY}"'],
        cwd=edited / "env" / file.stem,
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
    )

    assert done.stdout == BCRYPT_LIKE


def test_compose_reads_exactly_the_value_from_every_env_file(edited: Path) -> None:
    # One call for all of them: each as the `.env` of a project of its own, and as an `env_file`.
    names = [file.stem for file in ENV_FILES]
    root = edited / "env"
    include = "".join(f"  - path: {name}/all.yml\n    env_file: {name}/.env\n" for name in names)
    (root / "all.yml").write_text(f"include:\n{include}")
    for name in names:
        service = f"    image: x\n    env_file: .env\n    environment:\n      PUT_IN: ${{{KEY}}}\n"
        (root / name / "all.yml").write_text(f"services:\n  {name}:\n{service}")

    found = environments(compose_config(root, "all.yml"))

    assert {name: (found[name][KEY], found[name]["PUT_IN"]) for name in names} == dict.fromkeys(
        names, (BCRYPT_LIKE, BCRYPT_LIKE)
    )


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=lambda path: path.stem)
def test_edit_of_a_compose_file_changes_nothing_but_the_value(
    file: Path, edited: Path, tmp_path: Path
) -> None:
    before = file.read_bytes()

    assert (edited / "compose" / file.stem / "compose.yml").read_bytes() == before.replace(
        OLD, BCRYPT_LIKE.replace("$", "$$").encode()
    )
    # A whole value without quotes that YAML would take for a number gets quotes.
    assert edit(file, NUMBER_LIKE, tmp_path) == re.sub(
        rb"(?<==)" + OLD + rb"|([\"'])" + OLD + rb"\1|" + OLD,
        lambda found: (
            found[0].replace(OLD, NUMBER_LIKE.encode())
            if found[1] or before[found.start() - 1 : found.start()] == b"="
            else f"'{NUMBER_LIKE}'".encode()
        ),
        before,
    )


def test_compose_reads_exactly_the_value_from_every_compose_file(edited: Path) -> None:
    folders = [edited / "compose" / file.stem for file in COMPOSE_FILES]

    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda folder: compose_config(folder, "compose.yml"), folders))

    for file, services in zip(COMPOSE_FILES, read, strict=True):
        values = [
            value
            for variables in environments(services).values()
            for key, value in variables.items()
            if key in (KEY, "TOKEN")
        ]
        assert values, file
        assert set(values) == {BCRYPT_LIKE}, file


HEXADECIMAL = ("403bff9cbe76fd96", "0123456789abcdef", "12e4a", "9z", "7.5d", "1-2-b")
NUMBERS = ("0123456789", "1e5", "0x1f", "0b101", "0o17", "12.5", "1_000", "2026-11-25", "9e99")


def test_a_hexadecimal_key_without_quotes_is_in_sync_and_a_number_gets_quotes(tmp_path: Path) -> None:
    values = {f"V{number}": value for number, value in enumerate([*HEXADECIMAL, *NUMBERS])}
    lines = "".join(f"      {key}: {value}\n" for key, value in values.items())
    (tmp_path / "compose.yml").write_text(f"services:\n  a:\n    image: x\n    environment:\n{lines}")

    def states(key: str) -> State:
        draft = make_draft(
            SyncSettings(folders={"leguas": tmp_path}, targets=(target("compose.yml", key),)),
            Values({API_KEY: SecretStr(values[key])}),
            at=MOMENT,
        )
        return draft.plan.targets[0].state

    # The date it refuses.
    (tmp_path / "read.yml").write_text((tmp_path / "compose.yml").read_text().replace("2026-11-25", "x"))
    read = environments(compose_config(tmp_path, "read.yml"))["a"]
    assert {value: read[key] for key, value in values.items() if value in HEXADECIMAL} == dict(
        zip(HEXADECIMAL, HEXADECIMAL, strict=True)
    )
    assert {value: states(key) for key, value in values.items()} == dict.fromkeys(
        HEXADECIMAL, State.IN_SYNC
    ) | dict.fromkeys(NUMBERS, State.WILL_CHANGE)


def test_compose_reads_a_number_like_value_as_text(tmp_path: Path) -> None:
    file = CORPUS / "compose" / "mapping.yml"
    (tmp_path / "compose.yml").write_bytes(edit(file, NUMBER_LIKE, tmp_path))

    assert environments(compose_config(tmp_path, "compose.yml"))["evolution"][KEY] == NUMBER_LIKE


@pytest.mark.parametrize(
    "file", [*ENV_FILES, *COMPOSE_FILES], ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_edited_file_is_in_sync(file: Path, edited: Path) -> None:
    name = ".env" if file.suffix == ".env" else "compose.yml"
    draft = make_draft(
        SyncSettings(folders={"leguas": edited / file.parent.name / file.stem}, targets=(target(name),)),
        Values({API_KEY: SecretStr(BCRYPT_LIKE)}),
        at=MOMENT,
    )

    assert draft.plan.targets[0].state is State.IN_SYNC
    assert draft.edits == ()
