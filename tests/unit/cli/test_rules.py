from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from cli.main import main
from cli.monitoring_kit import MONITORING, Installation, adapt, parse_duration

URL = "https://wpp.example.com"
SHIPPED = (MONITORING / "rules" / "alerts.yml").read_text()
HERE = Installation(URL, f"{URL}/runbooks")


def changed_lines(installation: Installation) -> list[tuple[str, str]]:
    """Return the lines that differ from the shipped ones, as they were and as they are."""
    pairs = zip(SHIPPED.splitlines(), adapt(SHIPPED, installation).splitlines(), strict=True)
    return [(before.strip(), after.strip()) for before, after in pairs if before != after]


def test_rules_are_written_with_the_installations_links(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--external-url", f"{URL}/"]) == 0

    written = capsys.readouterr().out
    assert f"dashboard_url: {URL}/session?server={{{{ $labels.server | urlquery }}}}&session=" in written
    assert f"runbook_url: {URL}/runbooks#wppconnectsessiondisconnected" in written
    assert "example.org/" not in written


def test_links_lead_below_the_path_under_which_the_page_is_published(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rules", "--external-url", f"{URL}/wpp/"]) == 0

    written = capsys.readouterr().out
    assert f"dashboard_url: {URL}/wpp/session?server={{{{ $labels.server | urlquery }}}}&session=" in written
    assert f"runbook_url: {URL}/wpp/runbooks#wppconnectsessiondisconnected" in written


def test_nothing_but_links_changes() -> None:
    changes = changed_lines(HERE)

    assert changes
    assert [one for one in changes if not one[0].startswith(("dashboard_url: ", "runbook_url: "))] == []


def test_runbooks_may_be_published_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    wiki = "https://wiki.example.com/wppconnect/"

    assert main(["rules", "--external-url", URL, "--runbooks-url", wiki]) == 0
    assert "runbook_url: https://wiki.example.com/wppconnect#wppconnectwatchdog" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("grace", "expected"),
    [
        (300, {("for: 3m  # grace", "for: 300s  # grace")}),
        (90, {("for: 3m  # grace", "for: 90s  # grace"), ("for: 2m  # before", "for: 60s  # before")}),
        (45, {("for: 3m  # grace", "for: 45s  # grace"), ("for: 1m  # before", "for: 30s  # before")}),
    ],
    ids=["a longer one", "a shorter one", "one shorter than what comes before it"],
)
def test_grace_takes_along_what_has_to_fire_before_it(grace: int, expected: set[tuple[str, str]]) -> None:
    changes = changed_lines(
        Installation("https://ops.example.org", "https://ops.example.org/runbooks", grace)
    )

    short = {
        (before[: len("for: 2m  # before")], after[: len("for: 60s  # before")]) for before, after in changes
    }
    assert expected <= short


def test_output_folder_gets_all_files_but_the_tests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "--external-url", URL, "--output", str(tmp_path)]) == 0

    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"rules/alerts.yml", "rules/uptime.yml", "grafana/dashboards/fleet.json"} <= written
    assert {name for name in written if "tests" in name} == set()
    assert str(tmp_path / "rules" / "alerts.yml") in capsys.readouterr().out
    assert f'"query": "{URL}"' in (tmp_path / "grafana" / "dashboards" / "fleet.json").read_text()


def test_rules_about_an_objective_are_written_on_request_and_taken_away_without_it(tmp_path: Path) -> None:
    arguments = ["rules", "--external-url", URL, "--output", str(tmp_path)]
    path = tmp_path / "rules" / "error_budget.yml"

    assert main([*arguments, "--objective", "99.9"]) == 0
    assert "vector(0.999)  # objective" in path.read_text()
    assert f"runbook_url: {URL}/runbooks#wppconnectsessionerrorbudgetburning" in path.read_text()
    assert main(arguments) == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ([], ["alerts.yml", "uptime.yml"]),
        (["--grace", "90s"], ["alerts.yml", "uptime.yml"]),
        (["--objective", "99.9"], ["alerts.yml", "uptime.yml", "error_budget.yml"]),
    ],
)
def test_prometheus_rule_holds_the_groups_of_all_files(
    arguments: list[str], files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["rules", "--external-url", URL, *arguments, "--output", str(tmp_path)])
    capsys.readouterr()

    assert main(["rules", "--external-url", URL, *arguments, "--kubernetes"]) == 0

    written = [yaml.safe_load((tmp_path / "rules" / name).read_text()) for name in files]
    resource = yaml.safe_load(capsys.readouterr().out)
    assert resource["kind"] == "PrometheusRule"
    assert resource["spec"] == {"groups": [group for one in written for group in one["groups"]]}


@pytest.mark.parametrize("name", ["fleet.json", "session.json"])
def test_dashboard_to_import_asks_for_the_page_and_is_otherwise_the_provisioned_one(
    tmp_path: Path, name: str
) -> None:
    assert main(["rules", "--external-url", URL, "--output", str(tmp_path)]) == 0
    provisioned, imported = (
        json.loads((tmp_path / "grafana" / folder / name).read_text()) for folder in ("dashboards", "import")
    )
    [asked] = imported["__inputs"]
    variables = {one["name"]: one for one in imported["templating"]["list"]}

    assert (asked["type"], asked["value"]) == ("constant", URL)
    assert variables["ops_url"]["query"] == f"${{{asked['name']}}}"
    assert URL not in json.dumps(imported["panels"]) + json.dumps(variables)
    assert imported["panels"] == provisioned["panels"]
    assert "__inputs" not in provisioned


def test_runbooks_that_are_published_elsewhere_lead_back_to_the_page(tmp_path: Path) -> None:
    assert main(["rules", "--external-url", URL, "--output", str(tmp_path)]) == 0

    for written in (tmp_path / "runbooks").iterdir():
        text = written.read_text()
        assert f"({URL}/settings)" in text
        assert "(/" not in text


@pytest.mark.parametrize(
    ("language", "loaded"),
    [
        ("en", ["templates/*.tmpl"]),
        ("pt_PT", ["templates/*.tmpl", "templates/languages/pt_PT.tmpl"]),
        ("pt_BR", ["templates/*.tmpl", "templates/languages/pt_BR.tmpl"]),
    ],
)
def test_notifications_speak_the_chosen_language(tmp_path: Path, language: str, loaded: list[str]) -> None:
    main(["rules", "--external-url", URL, "--language", language, "--output", str(tmp_path)])

    folder = tmp_path / "alertmanager"
    assert yaml.safe_load((folder / "alertmanager.yml").read_text())["templates"] == loaded
    assert all(list(folder.glob(pattern)) for pattern in loaded)


def test_receivers_that_were_filled_in_survive_the_next_time(tmp_path: Path) -> None:
    edited = tmp_path / "alertmanager" / "alertmanager.yml"
    main(["rules", "--external-url", URL, "--output", str(tmp_path)])
    edited.write_text("mine")

    assert main(["rules", "--external-url", URL, "--output", str(tmp_path)]) == 0
    assert edited.read_text() == "mine"


def test_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "file"
    taken.write_text("")

    assert main(["rules", "--external-url", URL, "--output", str(taken)]) == 1
    assert str(taken) in capsys.readouterr().err


def test_link_to_this_machine_is_written_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--external-url", "http://localhost:8501"]) == 0
    assert capsys.readouterr().err == "wppconnect-ops rules: these links work on this machine only\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--external-url", f"{URL}/a b"], "--external-url: has a blank"),
        (["--external-url", URL, "--grace", "3 minutes"], "--grace: write a duration like 90s or 3m"),
        (["--external-url", URL, "--grace", "5s"], "--grace: would page for nothing; choose 30s or more"),
        (["--external-url", URL, "--objective", "99.5"], "--objective: its rules are a file of their own"),
        (
            ["--external-url", URL, "--kubernetes", "--output", "here", "--objective", "99.5"],
            "--kubernetes: prints one resource; leave out --output",
        ),
        (
            ["--external-url", URL, "--runbooks-url", "docs"],
            "--runbooks-url: must begin with https:// or http://",
        ),
    ],
)
def test_mistake_is_explained(arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", *arguments]) == 2

    captured = capsys.readouterr()
    assert captured.err.startswith(f"wppconnect-ops rules: {problem}")
    assert captured.out == ""


def test_all_mistakes_are_told_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--external-url", "ops", "--grace", "soon"]) == 2
    assert capsys.readouterr().err.count("wppconnect-ops rules: ") == 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("3m", 180), ("1h30m", 5400), ("", None), ("3", None), ("1.5m", None)]
)
def test_duration_is_read_as_prometheus_writes_it(text: str, seconds: int | None) -> None:
    assert parse_duration(text) == seconds
