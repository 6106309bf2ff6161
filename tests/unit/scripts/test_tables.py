"""What `make texts` writes from the fields of the settings and the catalogue of metrics."""

from scripts.tables import COMPOSE, DOCS, METRICS, documented, passed_on, with_lines, with_metrics


def test_the_tables_of_this_checkout_say_what_the_fields_say() -> None:
    assert documented(DOCS.read_text()) == DOCS.read_text()
    assert passed_on(COMPOSE.read_text()) == COMPOSE.read_text()


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
