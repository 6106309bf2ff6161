"""Hard forms of env and compose files: written where every reader gets the value, else refused, untouched.

Judged by the real Compose, python-dotenv, a shell, and a check that nothing else changed.
K is the key of service `a`, `OLD` its
value.
"""

from __future__ import annotations

import io
import json
import stat
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest
from dotenv import dotenv_values

from core.exceptions import SyncError
from core.sync.sync import PlanRefusedError
from tests.support.compose import compose_config, environments
from tests.support.sync import install, read_files, target

TOKEN = "$2b$10$Q9wErTyUiOpAsDfGhJkLz.x1C2v3B4n5M6q7W8e9R0tYuIoPaSdF_"
CASES: dict[str, tuple[dict[str, str], str, str, str]] = {
    name: tuple(rest)
    for name, *rest in json.loads((Path(__file__).parents[3] / "data/sync/hard_forms.json").read_text())
}
"""Files, the target's file (and option), the state where it is not written, and the id of the message."""


def variables(folder: Path) -> dict[str, dict[str, str]] | None:
    """Return what Compose gives each service; None where it refuses the project."""
    try:
        return environments(compose_config(folder))
    except AssertionError:
        return None


def as_dotenv_reads(file: Path) -> dict[str, str | None]:
    """Return what python-dotenv reads."""
    return dict(dotenv_values(stream=io.StringIO(file.read_text("utf-8-sig")), interpolate=False))


def as_shell_reads(folder: Path, file: str) -> str:
    """Return K as a shell reads it."""
    command = ["/bin/sh", "-c", f'. "./{file}" 2>/dev/null; printf %s "$K"']
    done = subprocess.run(command, cwd=folder, env={"PATH": "/nowhere"}, capture_output=True, check=False)
    return done.stdout.decode(errors="replace")


def is_ours(before: str | None, after: str | None) -> bool:
    """Whether a variable is as it was, or has the new value in the place of another."""
    return before == after or TOKEN in (after or "")


LINKS: dict[str, tuple[dict[str, str], dict[str, str], str, str]] = {
    "into a folder below": ({"real/k.env": "K=OLD\n"}, {".env": "real/k.env"}, "", ""),
    "to a link": ({"k.env": "K=OLD\n"}, {"l": "k.env", ".env": "l"}, "", ""),
    "out of the folder": ({"../k.env": "K=OLD\n"}, {".env": "../k.env"}, "unreadable", "files.link_outside"),
    "through a folder outside": (
        {"../d/k.env": "K=OLD\n"},
        {"d": "../d", ".env": "d/k.env"},
        "unreadable",
        "files.link_outside",
    ),
    "to nothing": ({}, {".env": "gone"}, "file_missing", "files.file_missing"),
    "to itself": ({}, {".env": ".env"}, "unreadable", "files.unreadable"),
    "to a folder": ({"d/k": ""}, {".env": "d"}, "unreadable", "files.not_regular"),
}
"""Files, links, the state where nothing is written, and the id of the message; `.env` is the target."""


@pytest.mark.parametrize("name", LINKS)
def test_link_is_written_through_or_refused(tmp_path: Path, name: str) -> None:
    files, links, state, why = LINKS[name]
    installation = install(tmp_path, files, target(".env", "K"), containers=())
    for one, to in links.items():
        (installation.folder / one).symlink_to(to)
    installation.asks_compose = True
    installation.keep(TOKEN)

    with pytest.raises(SyncError) if state else nullcontext():
        installation.apply()

    (found,) = installation.plans[-1].targets
    assert (str(found.state), found.why.id if found.why else "") == (state or "will_change", why)
    assert {one: str((installation.folder / one).readlink()) for one in links} == links
    after = files if state else {one: text.replace("OLD", f"'{TOKEN}'") for one, text in files.items()}
    assert {one: (installation.folder / one).read_text() for one in files} == after


def test_file_that_nobody_may_write_is_replaced_by_root_and_keeps_its_mode(tmp_path: Path) -> None:
    installation = install(tmp_path, {".env": "K=OLD\n"}, target(".env", "K"), containers=())
    file = installation.folder / ".env"
    file.chmod(0o444)
    installation.keep(TOKEN)

    installation.apply()

    assert file.read_text() == f"K='{TOKEN}'\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o444


@pytest.mark.parametrize("name", [name for name, (_, _, state, _) in CASES.items() if state])
def test_form_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    files, place, state, why = CASES[name]
    file, _, key = place.partition(":")
    installation = install(tmp_path, files, target(file, key or "K"), containers=())
    installation.asks_compose = True
    installation.keep(TOKEN)
    before = read_files(installation.folder)

    with pytest.raises(PlanRefusedError) as refusal:
        installation.apply(TOKEN)

    (found,) = refusal.value.plan.targets
    assert (str(found.state), found.why and found.why.id) == (state, why)
    assert read_files(installation.folder) == before


@pytest.mark.parametrize("name", [name for name, (_, _, state, _) in CASES.items() if not state])
def test_form_is_written_and_every_reader_gets_the_value(tmp_path: Path, name: str) -> None:
    files, place, _, why = CASES[name]
    file, _, key = place.partition(":")
    installation = install(tmp_path, files, target(file, key or "K"), containers=())
    installation.asks_compose = True
    folder, path = installation.folder, installation.folder / file
    before, services = read_files(folder), variables(folder)
    is_env = file.endswith(".env")
    names = as_dotenv_reads(path) if is_env else {}
    shell = as_shell_reads(folder, file)

    installation.keep(TOKEN)
    installation.apply(TOKEN)

    (found,) = installation.plans[-1].targets
    assert (found.why.id if found.why else "") == why
    assert {one for one, content in read_files(folder).items() if content != before[one]} == {file}
    after = variables(folder)
    assert (after is None) == (services is None)
    for service, given in (after or {}).items():
        old = (services or {})[service]
        assert {
            one for one in given.keys() | old.keys() if not is_ours(old.get(one), given.get(one))
        } == set()
    read = as_dotenv_reads(path) if is_env else {}
    assert {one for one in read.keys() | names.keys() if read.get(one) != names.get(one)} <= {"K"}
    assert not is_env or read["K"] == TOKEN
    assert shell != "OLD" or as_shell_reads(folder, file) == TOKEN
