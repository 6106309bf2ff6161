"""Finding Compose on this machine."""

from __future__ import annotations

from pathlib import Path

from core.containers.compose import finder

ENGINE = "unix:///var/run/docker.sock"


def test_compose_that_was_missing_at_first_is_found_later_and_then_kept(tmp_path: Path) -> None:
    find = finder(ENGINE, f"{tmp_path}:/bin")
    assert find() is None

    program = tmp_path / "docker-compose"
    program.write_text("#!/bin/sh\necho 2.40.3\n")
    program.chmod(0o755)
    found = find()
    assert found is not None
    assert found.program[-1] == "docker-compose"

    program.unlink()
    assert find() is found


def test_compose_of_another_machine_is_of_no_use(tmp_path: Path) -> None:
    assert finder("tcp://engine:2375", str(tmp_path))() is None
