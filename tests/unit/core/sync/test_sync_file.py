"""One mistake of the sync file per row, with the exact message."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.exceptions import ConfigurationError
from core.sync.sync_file import read_sync_file
from core.sync.targets import CommandTarget, FileTarget, ReceivedKind, Receives

FOLDER = "folders:\n  leguas: /srv/leguas\n"
TARGET = "targets:\n  - {file: .env, key: KEY, receives: api_key}\n"


def read(tmp_path: Path, text: str) -> object:
    """Read a sync file of this text."""
    path = tmp_path / "sync.yml"
    path.write_text(text)
    return read_sync_file(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "folders: there is none; write for example leguas: /srv/leguas"),
        ("[]", "must be a mapping of names to values"),
        (FOLDER, "targets: there is none; list one, or write preset: leguas"),
        (f"{FOLDER}{TARGET}target: 1\n", "target: is not known; did you mean targets?"),
        (
            f"{FOLDER}targets: [{{file: .env, key: A, receives: api_key, folder: [leguas]}}]\n",
            "targets[0].folder: is not listed under folders; write leguas",
        ),
        ("folders: {leguas: srv}\n", "folders.leguas: must be an absolute path without '..'"),
        ("folders: {leguas: /srv/../etc}\n", "folders.leguas: must be an absolute path without '..'"),
        ("folders: {leguas: /}\n", "folders.leguas: must be the project's own folder, not the root"),
        (
            "folders: {'a b': /srv}\n",
            "folders: has a name that is none; use letters, digits, '_', '.' or '-'",
        ),
        (f"{FOLDER}preset: evolution\n", "preset: must be leguas"),
        (f"{FOLDER}preset: [leguas]\n", "preset: must be leguas"),
        (
            "folders: {a: /a, b: /b}\npreset: leguas\n",
            "preset: wants a folder of the name leguas, or only one folder",
        ),
        (f"{FOLDER}targets: {{}}\n", "targets: must be a list"),
        (f"{FOLDER}targets: [.env]\n", "targets[0]: must be a mapping of names to values"),
        (
            f"{FOLDER}targets: [{{file: ../x, key: K, receives: api_key}}]\n",
            "targets[0].file: write a path below the folder, without '..', such as docker-compose.yml",
        ),
        (
            f"{FOLDER}targets: [{{file: /etc/x, key: K, receives: api_key}}]\n",
            "targets[0].file: write a path below the folder, without '..', such as docker-compose.yml",
        ),
        (
            f"{FOLDER}targets: [{{file: .env, key: 'A B', receives: api_key}}]\n",
            "targets[0].key: write a variable's name, such as TOKEN, or an option's, such as --secretKey",
        ),
        (f"{FOLDER}targets: [{{file: .env, key: K}}]\n", "targets[0].receives: is not set; set it"),
        (
            f"{FOLDER}targets: [{{file: .env, key: K, receives: token}}]\n",
            "targets[0].receives: must be api_key, token of SESSION, token of SERVER/SESSION, "
            "or secret_key of SERVER",
        ),
        (
            f"{FOLDER}targets: [{{file: .env, key: K, receives: api_key, service: a}}]\n",
            "targets[0]: has a service or an option, which only compose files (.yml, .yaml) have",
        ),
        (
            f"{FOLDER}targets: [{{folder: x, file: .env, key: K, receives: api_key}}]\n",
            "targets[0].folder: is not listed under folders; write leguas",
        ),
        (
            f"{FOLDER}targets: [{{folder: [leguas], file: .env, key: K, receives: api_key}}]\n",
            "targets[0].folder: is not listed under folders; write leguas",
        ),
        (
            "folders: {a: /a, b: /b}\ntargets: [{file: .env, key: K, receives: api_key}]\n",
            "targets[0].folder: say which: a, b",
        ),
        (
            f"{FOLDER}targets: [{{command: [], label: x, receives: api_key}}]\n",
            "targets[0].command: is not valid",
        ),
        (
            f"{FOLDER}{TARGET}  - {{file: .env, key: KEY, receives: secret_key}}\n",
            "targets: leguas/.env:KEY is listed twice; remove one of them",
        ),
        (f"{FOLDER}{TARGET}containers: [a, a]\n", "containers[1]: a is listed twice; remove one of them"),
        (
            f"{FOLDER}{TARGET}containers: ['a b']\n",
            "containers[0].name: use letters, digits, '_', '.' or '-'",
        ),
        (f"{FOLDER}{TARGET}backups: 0\n", "backups: must be a whole number from 1 to 1000"),
        (f"{FOLDER}{TARGET}backups: true\n", "backups: must be a whole number from 1 to 1000"),
    ],
)
def test_mistake_is_told_by_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, text)

    assert refusal.value.problems[0] == f"sync.yml: {problem}"


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(tmp_path, "folders: {a: x}\npreset: y\nbackups: z\n")

    assert len(refusal.value.problems) >= 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (no such file or directory); correct the path or its mode"),
        (b"a: b: c", "is no YAML (line 1); correct it"),
        (b"\xff", "is no YAML; correct it"),
        (b"#" * 300_000, "is larger than 262144 bytes; it is no sync file"),
    ],
)
def test_unreadable_file_says_what_to_do(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "sync.yml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError) as refusal:
        read_sync_file(path)

    assert refusal.value.problems == (f"{path}: {said}",)


def test_preset_lists_what_the_older_panel_wrote(tmp_path: Path) -> None:
    (tmp_path / "sync.yml").write_text("folders: {f: /srv/leguas}\npreset: leguas\n")

    settings = read_sync_file(tmp_path / "sync.yml")

    assert [one.name for one in settings.targets] == [
        "f/.env:AUTHENTICATION_API_KEY",
        "f/.env.docker:AUTHENTICATION_API_KEY",
        "f/.env.docker:EVOLUTION_API_KEY",
        "f/docker-compose.yml:TOKEN",
        "f/docker-compose.yml:AUTHENTICATION_API_KEY",
    ]
    assert [one.name for one in settings.containers] == ["leguas_wppconnect", "leguas_whatsapp_evolution"]


def test_what_of_a_preset_is_not_here_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "sync.yml").write_text(
        f"{FOLDER}preset: leguas\nnot_here: [.env.docker, leguas_wppconnect]\n"
    )

    settings = read_sync_file(tmp_path / "sync.yml")

    assert {one.file for one in settings.targets if isinstance(one, FileTarget)} == {
        ".env",
        "docker-compose.yml",
    }
    assert [one.name for one in settings.containers] == ["leguas_whatsapp_evolution"]


def test_everything_that_can_be_said_is_read(tmp_path: Path) -> None:
    (tmp_path / "sync.yml").write_text(
        f"{FOLDER}preset: leguas\nbackups: 3\n"
        "targets:\n"
        "  - {file: deploy/c.yaml, service: wpp, key: --secretKey, receives: secret_key of main}\n"
        "  - {command: [python3, manage.py], label: django, variable: KEY, receives: token of main/sales}\n"
        "containers:\n"
        "  - {name: leguas_wppconnect, gateway: main, compose_files: [a.yml, b.yml], reads: [TOKEN]}\n"
        "  - {name: plain, env_files: [.env.prod]}\n"
    )

    settings = read_sync_file(tmp_path / "sync.yml")

    option, command = settings.targets[-2:]
    assert isinstance(option, FileTarget)
    assert option.receives == Receives(kind=ReceivedKind.SECRET_KEY, server="main")
    assert isinstance(command, CommandTarget)
    assert (command.name, command.variable, command.receives.words) == (
        "command:django",
        "KEY",
        "token of main/sales",
    )
    container = settings.container("leguas_wppconnect")
    assert container is not None
    assert (container.gateway, container.reads) == ("main", ("TOKEN",))
    assert [one.name for one in settings.containers][-1] == "plain"
    assert settings.backups == 3


@pytest.mark.parametrize(
    "words", ["api_key", "token of sales", "token of main/sales", "secret_key", "secret_key of main"]
)
def test_what_a_target_receives_is_spelt_as_it_is_read(words: str) -> None:
    assert Receives.parse(words).words == words
