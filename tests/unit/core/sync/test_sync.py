"""Apply and restore: everything or nothing, whatever goes wrong on the way."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.exceptions import ContainerError, SyncError
from core.locks import ProcessLock
from core.sync.plan import ContainerAction, Wanted
from core.sync.progress import Done, StepEvent
from core.sync.secret_values import SecretValues
from core.sync.sync import LOCK, PlanRefusedError
from core.sync.targets import ReceivedKind, Receives, State
from tests.support.mounts import read_only, small_disk
from tests.support.sync import (
    API_KEY,
    KEY,
    LEGUAS_FILES,
    ScriptedContainers,
    install,
    read_files,
    target,
)

OLD = {name: text.encode() for name, text in LEGUAS_FILES.items()}
NEW_KEY = "403bff9cbe76fd96caeea0abeb0709e0"
NEW = {name: content.replace(b"present-key-1234", NEW_KEY.encode()) for name, content in OLD.items()}


def test_new_key_reaches_every_file_and_the_store(tmp_path: Path) -> None:
    installation = install(tmp_path)

    assert installation.apply(NEW_KEY) == "applied"

    assert read_files(installation.folder) == NEW
    assert installation.api_key() == NEW_KEY
    assert not installation.sync.draft().plan.has_changes
    assert installation.history[0].data["outcome"] == "applied"
    assert "present-key" not in str(installation.history)


def test_apply_with_everything_in_sync_does_nothing(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.apply(NEW_KEY)

    assert installation.apply() == "nothing"
    assert len(installation.sync.backups()) == 1


def test_nothing_is_written_while_anything_is_wrong(tmp_path: Path) -> None:
    installation = install(tmp_path)
    (installation.folder / "docker-compose.yml").write_text("services: [\n")
    before = read_files(installation.folder)

    with pytest.raises(PlanRefusedError, match=r"fix leguas/docker-compose.yml:TOKEN") as refusal:
        installation.apply(NEW_KEY)

    assert {one.state for one in refusal.value.plan.wrong} == {State.NOT_PARSEABLE}
    assert read_files(installation.folder) == before
    assert installation.api_key() is None


def test_plan_that_changed_since_it_was_approved_is_not_carried_out(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep(NEW_KEY)
    approved = installation.sync.draft().plan.digest
    (installation.folder / ".env").write_bytes(OLD[".env"] + b"# a note\n")
    before = read_files(installation.folder)

    with pytest.raises(PlanRefusedError) as refusal:
        installation.sync.apply(approved=approved, actor="ana", report=installation.steps.append)

    assert read_files(installation.folder) == before
    assert refusal.value.explanation.id == "changes.plan_changed"
    assert refusal.value.plan.digest != approved
    installation.sync.apply(approved=refusal.value.plan.digest, actor="ana", report=installation.steps.append)
    assert (installation.folder / ".env").read_bytes() == NEW[".env"] + b"# a note\n"


def test_third_file_failing_brings_the_first_two_back(tmp_path: Path) -> None:
    files = {name: content for name, content in LEGUAS_FILES.items() if name != "docker-compose.yml"}
    installation = install(
        tmp_path,
        files | {"disk/compose.yml": ""},
        target(".env"),
        target(".env.docker"),
        target("disk/compose.yml"),
    )
    with small_disk(installation.folder / "disk", 64) as disk:
        padding = "#" * 36_000
        (disk / "compose.yml").write_text(
            f"services:\n  a:\n    image: x\n    environment:\n      {KEY}: old\n# {padding}\n"
        )
        before = read_files(installation.folder)

        with pytest.raises(SyncError, match=r"compose\.yml: no space left on device"):
            installation.apply(NEW_KEY)

        assert read_files(installation.folder) == before
    written = [one.subject.rpartition("/")[2] for one in installation.steps if one.step == "write"]
    assert written == [".env", ".env", ".env.docker", ".env.docker", "compose.yml", "compose.yml"]
    assert installation.api_key() is None
    assert installation.history[-1].data["outcome"] == "failed"


def test_read_only_folder_is_told_in_the_plan(tmp_path: Path) -> None:
    installation = install(tmp_path)
    with read_only(installation.folder), pytest.raises(PlanRefusedError) as refusal:
        installation.apply(NEW_KEY)

    assert {one.state for one in refusal.value.plan.wrong} == {State.UNWRITABLE}
    assert "mount its folder writable" in str(refusal.value.plan.wrong[0].why)


def test_full_data_directory_changes_nothing(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.data.mkdir()
    with small_disk(installation.data, 64) as disk:
        assert installation.sync.draft(fresh={API_KEY: SecretStr(NEW_KEY)}).plan.has_changes
        (disk / "filler").write_bytes(b"x" * (64 * 1024 - 5 * 4096))

        with pytest.raises(Exception, match="no space left on device"):
            installation.apply(NEW_KEY)

    assert read_files(installation.folder) == OLD


def test_containers_that_do_not_come_up_bring_files_and_key_back(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep("present-key-1234")

    def fail(_: Wanted) -> Done:
        assert read_files(installation.folder) == NEW
        assert installation.api_key() == NEW_KEY
        raise ContainerError("leguas_wppconnect exits at once; the old one runs again")

    installation.containers = ScriptedContainers(fail)

    with pytest.raises(ContainerError, match="exits at once"):
        installation.apply(NEW_KEY)

    assert read_files(installation.folder) == OLD
    assert installation.api_key() == "present-key-1234"


def test_containers_are_told_what_to_run_with(tmp_path: Path) -> None:
    seen: list[Wanted] = []

    def carry_out(wanted: Wanted) -> Done:
        seen.append(wanted)
        return Done(recreated=("leguas_wppconnect",), lost_sessions=("main/sales",))

    installation = install(tmp_path)
    installation.containers = ScriptedContainers(carry_out)

    done = installation.sync.apply(
        fresh={API_KEY: SecretStr(NEW_KEY)},
        leave_out={"leguas_whatsapp_evolution"},
        actor="ana",
        report=installation.steps.append,
    )

    (wanted,) = seen
    assert [one.name for one in wanted.containers] == ["leguas_wppconnect"]
    assert {one.value for one in wanted.values} == {NEW_KEY}
    assert wanted.changes == {}
    assert (done.recreated, done.lost_sessions) == (("leguas_wppconnect",), ("main/sales",))


def test_second_process_is_told_that_another_one_changes_files(tmp_path: Path) -> None:
    installation = install(tmp_path)
    with (
        ProcessLock(installation.data / "locks" / LOCK),
        pytest.raises(SyncError, match="another process is changing the files"),
    ):
        installation.apply(NEW_KEY)

    assert read_files(installation.folder) == OLD


def test_restore_brings_files_and_key_back_and_can_itself_be_taken_back(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep("present-key-1234")
    installation.apply(NEW_KEY)
    (backup,) = installation.sync.backups()

    done = installation.sync.restore(backup.id, actor="ana", report=installation.steps.append)

    assert done.code == "restored"
    assert read_files(installation.folder) == OLD
    assert installation.api_key() == "present-key-1234"
    installation.sync.restore(done.backup, actor="ana", report=installation.steps.append)
    assert read_files(installation.folder) == NEW
    assert installation.api_key() == NEW_KEY


def test_restore_does_not_overwrite_what_somebody_changed_since_unless_forced(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.apply(NEW_KEY)
    (backup,) = installation.sync.backups()
    (installation.folder / ".env").write_bytes(NEW[".env"] + b"ADDED=1\n")

    with pytest.raises(SyncError, match=r"\.env was changed since in another way"):
        installation.sync.restore(backup.id, actor="ana", report=installation.steps.append)
    assert read_files(installation.folder)["docker-compose.yml"] == NEW["docker-compose.yml"]

    installation.sync.restore(backup.id, force=True, actor="ana", report=installation.steps.append)
    assert read_files(installation.folder) == OLD


def test_backups_are_private_and_kept_to_a_number(tmp_path: Path) -> None:
    installation = install(tmp_path, backups=2)
    for value in ("key-one-1", "key-two-2", "key-three-3"):
        installation.apply(value)

    kept = installation.sync.backups()
    files = [path for path in (installation.data / "sync").rglob("*") if path.is_file()]

    assert len(kept) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((installation.data / "sync" / "backups").stat().st_mode) == 0o700


def test_damaged_backup_is_refused(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.apply(NEW_KEY)
    (backup,) = installation.sync.backups()
    (installation.data / "sync" / "backups" / backup.id / "0.content").write_bytes(b"KEY=other\n")

    with pytest.raises(SyncError, match="is damaged; choose another"):
        installation.sync.restore(backup.id, actor="ana", report=installation.steps.append)

    assert read_files(installation.folder) == NEW


@pytest.mark.parametrize("name", ["../../etc", "20261125T104200Z-abcdef", ""])
def test_backup_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SyncError, match="there is no backup"):
        install(tmp_path).sync.restore(name, actor="ana", report=print)


def test_present_key_is_taken_over_when_all_targets_agree(tmp_path: Path) -> None:
    installation = install(tmp_path)

    names = installation.sync.adopt(actor="ana")

    assert installation.api_key() == "present-key-1234"
    assert len(names) == 4
    assert installation.apply() == "nothing"


def test_present_key_is_not_taken_over_when_they_differ(tmp_path: Path) -> None:
    installation = install(tmp_path, LEGUAS_FILES | {".env": f"{KEY}=another-key\n"})

    with pytest.raises(SyncError, match="contain 2 different keys") as refusal:
        installation.sync.adopt(actor="ana")

    assert "another-key" not in str(refusal.value)


def test_secret_key_of_a_gateway_changes_in_files_and_settings_together(tmp_path: Path) -> None:
    secret = Receives(kind=ReceivedKind.SECRET_KEY)
    text = "services:\n  wpp:\n    image: x\n    command: --secretKey first-secret --port 21465\n"
    installation = install(tmp_path, {"c.yml": text}, target("c.yml", "--secretKey", receives=secret))
    installation.environ = {"WPPCONNECT_URL": "http://127.0.0.1:1", "WPPCONNECT_SECRET_KEY": "first-secret"}

    installation.sync.apply(
        fresh={secret: SecretStr("second$secret")}, actor="ana", report=installation.steps.append
    )

    assert "--secretKey second$$secret --port" in (installation.folder / "c.yml").read_text()
    assert installation.secret_values.values({secret}).text(secret) == "second$secret"
    (backup,) = installation.sync.backups()
    installation.sync.restore(backup.id, actor="ana", report=installation.steps.append)
    assert installation.secret_values.values({secret}).text(secret) == "first-secret"


def test_restart_is_a_choice_of_its_own_and_for_listed_containers_only(tmp_path: Path) -> None:
    engine = ScriptedContainers(lambda _: Done())
    installation = install(tmp_path)
    installation.containers = engine

    done = installation.sync.restart("leguas_wppconnect", actor="ana", report=installation.steps.append)

    assert (done.code, engine.restarted) == ("restarted", ["leguas_wppconnect"])
    assert installation.history[-1].data["containers"] == "leguas_wppconnect"
    with pytest.raises(SyncError, match="the container postgres is not in the sync file"):
        installation.sync.restart("postgres", actor="ana", report=installation.steps.append)
    assert engine.restarted == ["leguas_wppconnect"]


def test_apply_that_fails_over_containers_alone_leaves_no_empty_backup(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.apply(NEW_KEY)
    backups = installation.sync.backups()

    def fail(_: Wanted) -> Done:
        raise ContainerError("no")

    installation.containers = ScriptedContainers(fail)
    with pytest.raises(ContainerError):
        installation.apply()

    assert installation.sync.backups() == backups


def test_what_waits_in_a_containers_files_wants_consent(tmp_path: Path) -> None:
    installation = install(tmp_path)
    by_hand = Done(by_hand=("leguas_wppconnect",))
    installation.containers = ScriptedContainers(lambda _: by_hand, waiting=("image x",))

    with pytest.raises(PlanRefusedError) as refusal:
        installation.apply(NEW_KEY)
    assert read_files(installation.folder) == OLD
    approved = installation.sync.apply(
        fresh={API_KEY: SecretStr(NEW_KEY)},
        approved=installation.sync.draft(fresh={API_KEY: SecretStr(NEW_KEY)}).plan.digest,
        actor="ana",
        report=installation.steps.append,
    )

    assert refusal.value.explanation.id == "changes.waiting"
    assert refusal.value.names == ("leguas_wppconnect", "leguas_whatsapp_evolution")
    assert (approved.code, approved.by_hand) == ("by_hand", ("leguas_wppconnect",))
    assert {one.action for one in refusal.value.plan.containers} == {ContainerAction.RECREATE}


def test_file_changed_by_somebody_else_while_containers_fail_is_left_alone(tmp_path: Path) -> None:
    installation = install(tmp_path)

    def fail(_: Wanted) -> Done:
        (installation.folder / ".env").write_bytes(b"SOMEBODY=else\n")
        raise ContainerError("no")

    installation.containers = ScriptedContainers(fail)
    with pytest.raises(ContainerError):
        installation.apply(NEW_KEY)

    assert read_files(installation.folder) == OLD | {".env": b"SOMEBODY=else\n"}
    notes = [one.note for one in installation.steps if one.step == "put_back" and one.note]
    assert "was changed by someone else and was not overwritten" in str(notes[0])


def test_generated_keys_are_made_of_characters_that_everybody_takes(tmp_path: Path) -> None:
    secret_values: SecretValues = install(tmp_path).secret_values

    made = {secret_values.generate(API_KEY).get_secret_value() for _ in range(20)}

    assert len(made) == 20
    assert all(len(one) == 32 and one.isalnum() for one in made)
    with pytest.raises(SyncError, match="a token is made of the secret key"):
        secret_values.generate(Receives(kind=ReceivedKind.TOKEN, session="sales"))


def test_steps_and_history_hold_no_value(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.apply(NEW_KEY)
    told = json.dumps([one.model_dump(mode="json") for one in (*installation.steps, *installation.history)])

    assert NEW_KEY not in told
    assert isinstance(installation.steps[0], StepEvent)
