"""How every target stands, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.sync.plan import ContainerAction, TargetPlan
from core.sync.targets import CommandTarget, ReceivedKind, Receives, State
from tests.support.sync import API_KEY, KEY, install, target

SERVICE = "services:\n  a:\n    image: x\n    environment:\n"


def only(plan_targets: tuple[TargetPlan, ...]) -> TargetPlan:
    """Return the only target of a plan."""
    (found,) = plan_targets
    return found


@pytest.mark.parametrize(
    ("files", "file", "state", "why"),
    [
        pytest.param({".env": f"{KEY}=value-1\n"}, ".env", State.IN_SYNC, "", id="in sync"),
        pytest.param({".env": f"{KEY}=old\n"}, ".env", State.WILL_CHANGE, "", id="will change"),
        pytest.param({".env": "A=1\n"}, ".env", State.KEY_MISSING, f"add the line {KEY}=", id="key missing"),
        pytest.param({}, ".env", State.FILE_MISSING, "is not there; create it", id="file missing"),
        pytest.param({".env/x": "A=1\n"}, ".env", State.UNREADABLE, "no regular file", id="a folder"),
        pytest.param({".env": "A='1\n"}, ".env", State.NOT_PARSEABLE, "line 1 opens quotes", id="broken"),
        pytest.param({".env": b"A=\0\n"}, ".env", State.NOT_PARSEABLE, "no UTF-8 text", id="binary"),
        pytest.param({".env": b"\xff\xfeA\0"}, ".env", State.NOT_PARSEABLE, "save it as UTF-8", id="UTF-16"),
        pytest.param(
            {".env": f"{KEY}=a b\n"}, ".env", State.REFUSED, "more than one plain word", id="refused"
        ),
        pytest.param({".env": "#" * 600_000}, ".env", State.UNREADABLE, "larger than", id="too large"),
        pytest.param(
            {".env": f"{KEY}=${{A}}\nA=value-1\n"},
            ".env",
            State.REFUSED,
            "line 1 takes the value from A, which does not hold it; list A as a target too",
            id="follows a name that comes later",
        ),
        pytest.param(
            {".env": f"A=value-1\n{KEY}=${{A}}\n"},
            ".env",
            State.FOLLOWS,
            "from A",
            id="follows in the same file",
        ),
        pytest.param(
            {"c.yml": f"{SERVICE}      B: 1\n"},
            "c.yml",
            State.KEY_MISSING,
            "no `environment`",
            id="not in compose",
        ),
        pytest.param(
            {"c.yml": "services:\n  a: {image: x, env_file: .env.a}\n"},
            "c.yml",
            State.KEY_MISSING,
            "list the file that sets it",
            id="comes from an env file",
        ),
        pytest.param(
            {"c.yml": "services:\n  a: {extends: {file: base.yml, service: b}}\n"},
            "c.yml",
            State.KEY_MISSING,
            "list the file that sets it",
            id="comes from another compose file",
        ),
        pytest.param(
            {"c.yml": f"{SERVICE}      {KEY}: ${{{KEY}}}\n", ".env": f"{KEY}=value-1\n"},
            "c.yml",
            State.FOLLOWS,
            f"from {KEY}",
            id="follows .env",
        ),
        pytest.param(
            {"c.yml": f"{SERVICE}      {KEY}:\n", ".env": f"{KEY}=value-1\n"},
            "c.yml",
            State.FOLLOWS,
            f"from {KEY}",
            id="has no value and takes that of .env",
        ),
        pytest.param(
            {"c.yml": f"{SERVICE}      {KEY}: ${{{KEY}:-value-1}}\n"},
            "c.yml",
            State.FOLLOWS,
            f"from {KEY}",
            id="holds it as the default",
        ),
        pytest.param(
            {"c.yml": f"{SERVICE}      {KEY}: ${{{KEY}}}\n", ".env": f"{KEY}=old\n"},
            "c.yml",
            State.REFUSED,
            f"list {KEY} as a target too",
            id="follows a name that is no target",
        ),
        pytest.param(
            {"c.yml": f"{SERVICE}      {KEY}: 'a-${{X}}'\n"},
            "c.yml",
            State.REFUSED,
            "from others",
            id="mixture",
        ),
    ],
)
def test_target_stands_as_its_file_says(
    tmp_path: Path, files: dict[str, str | bytes], file: str, state: State, why: str
) -> None:
    installation = install(tmp_path, files, target(file))
    installation.asks_compose = True
    installation.keep("value-1")

    found = only(installation.sync.draft().plan.targets)

    assert found.state is state
    assert why in str(found.why or "")


def test_absent_file_of_a_preset_is_named_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    installation = install(tmp_path)
    (installation.folder / ".env.docker").unlink()
    installation.keep("value-1")

    plan = installation.sync.draft().plan
    installation.apply()

    (absent,) = [one for one in plan.targets if one.state is State.NOT_HERE]
    assert (absent.target, plan.is_blocked) == ("leguas/.env.docker:AUTHENTICATION_API_KEY", False)
    assert ".env.docker is not there" in str(absent.why)
    assert {one.state.is_settled for one in installation.sync.draft().plan.targets} == {True}


def test_preset_of_which_no_file_is_there_is_no_installation(tmp_path: Path) -> None:
    installation = install(tmp_path, {})
    installation.keep("value-1")

    assert installation.sync.draft().plan.is_blocked


def test_fingerprint_tells_values_apart_and_is_not_shown_of_a_value_that_could_be_guessed(
    tmp_path: Path,
) -> None:
    installation = install(tmp_path, {".env": f"{KEY}=old\n"}, target(".env"))

    def shown(value: str) -> str:
        installation.keep(value)
        return only(installation.sync.draft().plan.targets).fingerprint

    assert shown("403bff9cbe76fd96caeea0abeb0709e0") == "720407cb"
    assert shown("a-short-one") == ""


def test_reference_is_never_replaced_by_a_literal_and_follows_the_new_value(tmp_path: Path) -> None:
    compose = f"{SERVICE}      TOKEN: ${{{KEY}}}\n"
    installation = install(
        tmp_path, {".env": f"{KEY}=old\n", "c.yml": compose}, target(".env"), target("c.yml", "TOKEN")
    )

    installation.apply("value-1")

    assert (installation.folder / "c.yml").read_text() == compose
    assert {one.state for one in installation.sync.draft().plan.targets} == {State.IN_SYNC, State.FOLLOWS}


@pytest.mark.parametrize("is_listed", [True, False])
def test_reference_is_taken_on_trust_without_compose_only_where_its_name_is_a_target(
    tmp_path: Path, is_listed: bool
) -> None:
    files = {".env": f"{KEY}=old\n", "c.yml": f"{SERVICE}      TOKEN: ${{{KEY}}}\n"}
    targets = [target("c.yml", "TOKEN"), *([target(".env")] if is_listed else [])]
    installation = install(tmp_path, files, *targets)
    installation.keep("value-1")

    found = installation.sync.draft().plan.targets[0]

    assert found.state is (State.FOLLOWS if is_listed else State.REFUSED)


def test_service_that_is_not_there_is_named(tmp_path: Path) -> None:
    installation = install(tmp_path, {"c.yml": f"{SERVICE}      {KEY}: x\n"}, target("c.yml", service="b"))
    installation.keep("value-1")

    found = only(installation.sync.draft().plan.targets)

    assert (found.state, str(found.why)) == (State.KEY_MISSING, "c.yml has no service b; correct the target")


def test_plan_names_all_services_that_a_shared_value_reaches(tmp_path: Path) -> None:
    services = "services:\n  a: {image: x, environment: *e}\n  b: {image: x, environment: *e}\n"
    text = f"x-e: &e\n  {KEY}: old\n{services}"
    installation = install(tmp_path, {"c.yml": text}, target("c.yml", service="a"))
    installation.keep("value-1")

    found = only(installation.sync.draft().plan.targets)

    assert (found.state, found.services) == (State.WILL_CHANGE, ("a", "b"))


def test_link_that_leads_out_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    installation = install(tmp_path, {}, target(".env"))
    outside = tmp_path / "outside.env"
    outside.write_text(f"{KEY}=old\n")
    (installation.folder / ".env").symlink_to(outside)
    installation.keep("value-1")

    found = only(installation.sync.draft().plan.targets)

    assert found.state is State.UNREADABLE
    assert "leads out of the folder" in str(found.why)


def test_target_left_out_keeps_nothing_from_being_written(tmp_path: Path) -> None:
    installation = install(tmp_path, {".env": f"{KEY}=old\n"}, target(".env"), target("missing.env"))
    installation.keep("value-1")

    assert installation.sync.draft().plan.is_blocked
    plan = installation.sync.draft(leave_out={"leguas/missing.env:AUTHENTICATION_API_KEY"}).plan

    assert not plan.is_blocked
    assert [one.state for one in plan.targets] == [State.WILL_CHANGE, State.LEFT_OUT]


def test_target_without_value_says_what_to_do(tmp_path: Path) -> None:
    secret = Receives(kind=ReceivedKind.SECRET_KEY)
    token = Receives(kind=ReceivedKind.TOKEN, session="sales")
    installation = install(
        tmp_path,
        {".env": "A=1\nB=1\nC=1\n"},
        target(".env", "A"),
        target(".env", "B", receives=secret),
        target(".env", "C", receives=token),
        environ={},
    )
    installation.environ = {"WPPCONNECT_URL": "http://127.0.0.1:1", "WPPCONNECT_SECRET_KEY": "has a blank/"}

    found = installation.sync.draft().plan.targets

    assert [one.state for one in found] == [State.NO_VALUE] * 3
    assert "sync adopt" in str(found[0].why)
    assert "secret_key has other characters in it" in str(found[1].why)
    assert "no token of sales is stored yet" in str(found[2].why)
    assert "has a blank/" not in str(found)


def test_two_targets_that_want_different_values_in_one_place_are_refused(tmp_path: Path) -> None:
    secret = Receives(kind=ReceivedKind.SECRET_KEY)
    text = f"{SERVICE}      {KEY}: old\n"
    installation = install(
        tmp_path, {"c.yml": text}, target("c.yml"), target("c.yml", service="a", receives=secret)
    )
    installation.environ = {"WPPCONNECT_URL": "http://127.0.0.1:1", "WPPCONNECT_SECRET_KEY": "other-value-2"}
    installation.keep("value-1")

    plan = installation.sync.draft().plan

    assert [one.state for one in plan.targets] == [State.REFUSED, State.WILL_CHANGE]
    assert "another target writes another value" in str(plan.targets[0].why)


def test_plan_changes_its_digest_with_every_file_and_value(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep("value-1")
    first = installation.sync.draft().plan.digest

    assert installation.sync.draft().plan.digest == first
    (installation.folder / ".env").write_text(f"# touched\n{KEY}=present-key-1234\n")
    second = installation.sync.draft().plan.digest
    installation.keep("value-2")

    assert len({first, second, installation.sync.draft().plan.digest}) == 3


def test_plan_shows_no_secret_of_the_installation(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep("value-1")

    shown = installation.sync.draft().plan.model_dump_json()

    assert [word for word in ("segredo", "present-key-1234", "value-1") if word in shown] == []
    assert "DB_PASSWORD" not in shown
    assert "+ AUTHENTICATION_API_KEY: ‹new value›" in shown


def test_containers_are_unmanaged_where_nobody_looks_at_them(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep("value-1")

    plan = installation.sync.draft().plan

    assert {one.action for one in plan.containers} == {ContainerAction.UNMANAGED}


def test_containers_are_asked_about_with_the_files_as_the_plan_leaves_them(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.keep("value-1")

    wanted = installation.sync.draft(leave_out={"leguas_wppconnect"}).wanted

    assert wanted is not None
    assert [one.name for one in wanted.containers] == ["leguas_whatsapp_evolution"]
    assert {path.name for path in wanted.changes} == {".env", ".env.docker", "docker-compose.yml"}
    assert {(one.key, one.value) for one in wanted.values} == {
        (KEY, "value-1"),
        ("EVOLUTION_API_KEY", "value-1"),
        ("TOKEN", "value-1"),
    }
    assert "value-1" not in repr(wanted)


def test_command_runs_until_it_took_the_value(tmp_path: Path) -> None:
    command = CommandTarget(label="django", folder="leguas", command=("true",), receives=API_KEY)
    installation = install(tmp_path, {}, targets=(command,), containers=())
    installation.settings = installation.settings.model_copy(update={"targets": (command,)})
    installation.keep("value-1")

    assert only(installation.sync.draft().plan.targets).state is State.WILL_RUN
    installation.apply()

    assert only(installation.sync.draft().plan.targets).state is State.IN_SYNC
