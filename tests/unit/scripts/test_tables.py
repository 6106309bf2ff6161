"""What `make texts` writes from the fields of the settings, the catalogue of metrics and the rules."""

import json

from scripts.tables import (
    COMPOSE,
    DOCS,
    METRICS,
    RULES,
    SCHEMA,
    chart_rules,
    documented,
    passed_on,
    with_lines,
    with_metrics,
    with_settings,
)


def test_the_tables_of_this_checkout_say_what_the_fields_say() -> None:
    assert documented(DOCS.read_text()) == DOCS.read_text()
    assert passed_on(COMPOSE.read_text()) == COMPOSE.read_text()
    assert with_settings(SCHEMA.read_text()) == SCHEMA.read_text()
    assert chart_rules() == RULES.read_text()


def test_a_new_setting_gets_its_row_behind_the_one_before_it_and_a_changed_one_is_replaced() -> None:
    rows = DOCS.read_text().split("\n")
    [row] = [one for one in rows if one.startswith("| `WPPCONNECT_SELF_HEALING` |")]
    older = [one for one in rows if one != row]

    assert documented("\n".join(older)) == DOCS.read_text()
    assert (
        documented(DOCS.read_text().replace(row, "| `WPPCONNECT_SELF_HEALING` | `true` | |"))
        == DOCS.read_text()
    )


def test_the_table_of_metrics_is_written_anew() -> None:
    text = METRICS.read_text()
    rows = [one for one in text.split("\n") if not one.startswith("| `wppconnect_session_enabled` |")]
    older = "\n".join(rows).replace("| `wppconnect_up` | gauge |", "| `wppconnect_up` | counter |")

    assert older != text
    assert with_metrics(older) == text


def test_a_secret_is_passed_on_as_a_file_too() -> None:
    older = [one for one in COMPOSE.read_text().split("\n") if "  WPPCONNECT_TOKEN_FILE:" not in one]
    older.remove("  WPPCONNECT_TOKEN: ${WPPCONNECT_TOKEN:-}")

    assert passed_on("\n".join(older)) == COMPOSE.read_text()


def test_lines_that_are_there_stay_as_they_are() -> None:
    assert with_lines("b: own\nc: 3\n", {"a:": "a: 1", "b:": "b: 2", "d:": "d: 4"}) == (
        "a: 1\nb: own\nd: 4\nc: 3\n"
    )


def test_the_chart_takes_secrets_by_reference_and_not_what_it_sets_itself() -> None:
    tables = json.loads(with_settings(SCHEMA.read_text()))["properties"]
    settings, secrets = (set(tables[name]["properties"]) for name in ("settings", "secretSettings"))

    assert {"WPPCONNECT_SECRET_KEY", "WPPCONNECT_STORE_URL", "EXPORTER_WEBHOOK_TOKEN"} <= secrets
    assert settings & secrets == {"ALERTMANAGER_URL", "WPPCONNECT_PROXY"}
    assert settings.isdisjoint(
        {"WPPCONNECT_DATA_DIR", "DASHBOARD_LISTEN_ADDRESS", "EXPORTER_WEB_CONFIG_FILE"}
    )
