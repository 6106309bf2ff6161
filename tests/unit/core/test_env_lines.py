"""A day of .env files: every form of a line, as Compose, python-dotenv, a shell, systemd and we read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.env_forms import ALL_READERS, OWN_READERS, RULES, SHELL, Form
from core.env_lines import disagreements, env_values, in_words, read_env_lines
from tests.plugins.system_tools import require
from tests.support.env_readers import (
    SYSTEMD_GENERATOR,
    as_compose_reads,
    as_dotenv_reads,
    as_shell_reads,
    as_systemd_prints,
    as_systemd_reads,
    readings,
)

TOKEN = "$2b$10$Q9wErTyUiOpAsDfGhJkLz.x1C2v3B4n5M6q7W8e9R0tYuIoPaSdF_"

READ_ALIKE = {
    "plain": ("A=b\n", {"A": "b"}),
    "no_line_end": ("A=b", {"A": "b"}),
    "empty": ("A=\nB=''\nC=\"\"\n", {"A": "", "B": "", "C": ""}),
    "nothing": ("", {}),
    "blank_lines_and_comments": ("\n  \n# A=b\n\t# it's $x ${y\nA=b\n", {"A": "b"}),
    "single_quotes": (f"A='{TOKEN}'\n", {"A": TOKEN}),
    "single_quotes_keep_everything": ("A='a #b \"c\" `d` ${e} \\f'\n", {"A": 'a #b "c" `d` ${e} \\f'}),
    "double_quotes": ('A="b c # d"\n', {"A": "b c # d"}),
    "escaped_double_quote": ('A="b \\"c\\" d"\n', {"A": 'b "c" d'}),
    "equals_in_the_value": ("A=b=c==\n", {"A": "b=c=="}),
    "hash_in_a_word": ("A=b#c\nB=#fff\n", {"A": "b#c", "B": "#fff"}),
    "last_one_counts": ("A=1\nB=2\nA=3\n", {"A": "3", "B": "2"}),
    "indented": ("  A=b\n\tB=c\n", {"A": "b", "B": "c"}),
    "blanks_behind_quotes": ("A='b'  \t\n", {"A": "b"}),
    "several_lines_in_quotes": ("A='b\nc=d'\nE=f\n", {"A": "b\nc=d", "E": "f"}),
    "no_break_space_in_quotes": ("A='b\u00a0c'\n", {"A": "b\u00a0c"}),
    "accents": ("A=São_Paulo\n", {"A": "São_Paulo"}),
    "address": ("A=https://u:p%40@h.example:8080/p?q=1,2\n", {"A": "https://u:p%40@h.example:8080/p?q=1,2"}),
}
"""All four readers get this."""

READ_ALIKE_BUT_BY_A_SHELL = {
    "blanks_beside_the_equals_sign": ("A = b\nB= c\n", {"A": "b", "B": "c"}, Form.BLANK_AT_EQUALS),
    "blank_in_a_plain_value": ("A=b c\n", {"A": "b c"}, Form.SHELL_SIGN),
    "blanks_behind_a_plain_value": ("A=b \t\nB=c\n", {"A": "b", "B": "c"}, None),
    "apostrophe": ("A=it's fine\nB=c\n", {"A": "it's fine", "B": "c"}, Form.QUOTE_INSIDE),
    "apostrophes": ("A=it's o'clock\n", {"A": "it's o'clock"}, Form.QUOTE_INSIDE),
    "quote_inside": ('A=5" pipe\n', {"A": '5" pipe'}, Form.QUOTE_INSIDE),
    "json": ('A={"b":"c"}\n', {"A": '{"b":"c"}'}, Form.QUOTE_INSIDE),
    "semicolon": ("A=b;c&d|e\n", {"A": "b;c&d|e"}, Form.SHELL_SIGN),
    "backtick": ('A="b`c`"\nB=`d`\n', {"A": "b`c`", "B": "`d`"}, Form.SHELL_SIGN),
    "tilde": ("A=~/b\n", {"A": "~/b"}, Form.SHELL_SIGN),
    "bare_name": ("A\nB=c\n", {"B": "c"}, Form.BARE_NAME),
    "windows_line_ends": ("A='b'\r\n\r\n# c\r\nD=e\r\n", {"A": "b", "D": "e"}, Form.CRLF),
}
"""Compose, python-dotenv and systemd get this."""

REFUSED = {
    "reference": ("A=b\nB=http://${A}:21465\n", 2, Form.DOLLAR),
    "bare_reference": ("B=$A\n", 1, Form.DOLLAR),
    "reference_with_default": ("B=${A:-x}\n", 1, Form.DOLLAR),
    "doubled_dollars": ("A=pa$$word\n", 1, Form.DOLLAR),
    "token_without_quotes": (f"A={TOKEN}\n", 1, Form.DOLLAR),
    "token_in_double_quotes": (f'A="{TOKEN}"\n', 1, Form.DOLLAR),
    "dollar_at_the_end": ("A=b$\n", 1, Form.DOLLAR),
    "comment_behind_a_quoted_value": ("A='b' # c\n", 1, Form.COMMENT_BEHIND),
    "comment_behind_a_double_quoted_value": ('A="b"\t# c\n', 1, Form.COMMENT_BEHIND),
    "comment_behind_a_plain_value": ("A=b # c\n", 1, Form.COMMENT_BEHIND),
    "comment_in_place_of_a_value": ("A= # c\n", 1, Form.HASH_FIRST),
    "comment_at_the_quote": ("A='b'#c\n", 1, Form.COMMENT_AT_QUOTE),
    "tab_before_a_comment": ("A=b\t# c\n", 1, Form.TAB_BEFORE_COMMENT),
    "export": ("export A=b\n", 1, Form.EXPORT),
    "byte_order_mark": ("\ufeffA=b\n", 1, Form.BYTE_ORDER_MARK),
    "old_mac_line_ends": ("A=b\rC=d\r", 1, Form.CARRIAGE_RETURN),
    "windows_line_end_in_quotes": ("A='b\r\nc'\r\n", 1, Form.CRLF_IN_QUOTES),
    "colon": ("A: b\n", 1, Form.COLON),
    "colon_and_blank_before_it": ("A : b\n", 1, Form.COLON),
    "colon_and_equals": ("A:=b\n", 1, Form.COLON),
    "colon_behind_another_line": ("A=b\nA: c\n", 2, Form.COLON),
    "export_and_colon": ("export A: b\n", 1, Form.EXPORT),
    "plus_equals": ("A+=b\n", 1, Form.NOT_AN_ASSIGNMENT),
    "dash_in_the_name": ("A-B=c\n", 1, Form.KEY_NAME),
    "digit_first": ("1A=b\n", 1, Form.KEY_NAME),
    "accent_in_the_name": ("É=b\n", 1, Form.NOT_AN_ASSIGNMENT),
    "two_words": ("export A B\n", 1, Form.NOT_AN_ASSIGNMENT),
    "command": ("echo 'a'\n", 1, Form.NOT_AN_ASSIGNMENT),
    "section": ("[section]\nA=b\n", 1, Form.NOT_AN_ASSIGNMENT),
    "semicolon_comment": ("; c\nA=b\n", 1, Form.NOT_AN_ASSIGNMENT),
    "form_feed_before_the_name": ("\fA=b\n", 1, Form.NOT_AN_ASSIGNMENT),
    "vertical_tab_in_the_value": ("A=b\v\n", 1, Form.CONTROL_CHARACTER),
    "no_break_space_before_the_equals_sign": ("A\u00a0=b\n", 1, Form.ODD_SPACE),
    "no_break_space_behind_the_value": ("A=b\u00a0\n", 1, Form.ODD_SPACE),
    "ideographic_space_before_a_comment": ("A=b\u3000# c\n", 1, Form.ODD_SPACE),
    "backslash": ("A=C:\\dir\n", 1, Form.BACKSLASH),
    "backslash_at_the_end": ("A=b\\\nC=d\n", 1, Form.BACKSLASH_AT_END),
    "comment_with_a_backslash_at_its_end": ("# b \\\nA=b\n", 1, Form.BACKSLASH_AT_END),
    "escapes_in_double_quotes": ('A="b\\nc"\n', 1, Form.BACKSLASH),
    "two_backslashes_in_single_quotes": ("A='b\\\\c'\n", 1, Form.DOUBLE_BACKSLASH),
    "escaped_single_quote": ("A='it\\'s'\n", 1, Form.TEXT_BEHIND_QUOTE),
    "backslash_before_the_closing_quote": ("A='b\\'\nC='d'\n", 1, Form.BACKSLASH_BEFORE_QUOTE),
    "open_single_quote": ("A='b\nC=d\n", 1, Form.UNCLOSED_QUOTE),
    "open_double_quote": ('A="b\nC=d\n', 1, Form.UNCLOSED_QUOTE),
    "text_behind_the_quotes": ("A='b'c\n", 1, Form.TEXT_BEHIND_QUOTE),
    "two_quoted_parts": ("A='b''c'\n", 1, Form.TEXT_BEHIND_QUOTE),
    "nul": ("A=b\0c\n", 1, Form.NUL),
}
"""One of the readers of our own file gets something else; the line that is refused, and why."""

REFUSED_ALTHOUGH_READ_ALIKE = {
    "comment_in_place_of_a_value",  # and not as it was meant
    "comment_with_a_backslash_at_its_end",  # by systemd since 254
    "dollar_at_the_end",  # which Compose takes for a mistake, and keeps
    "nul",  # no reader is asked
    "section",
}

SIGNS = [
    *[
        "A",
        "B",
        "KEY",
        "x",
        "a b",
        "é",
        "n",
        "1",
        "export ",
        "export",
        "=",
        "=",
        "=",
        ":",
        "'",
        '"',
        "'",
        '"',
    ],
    *[
        "\\",
        "$",
        "${A}",
        "$$",
        "#c",
        " # c",
        "#",
        " ",
        " ",
        "\t",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\u00a0",
        "\u3000",
    ],
    *[
        "\x0b",
        "\x0c",
        "\x1c",
        "\x85",
        "\u2028",
        "\ufeff",
        "`",
        "(",
        ";",
        "-",
        ".",
        "+",
        "~",
        "[",
        "!",
        "{",
        "%",
    ],
]
texts = st.lists(st.lists(st.sampled_from(SIGNS), max_size=14).map("".join), min_size=10, max_size=25)
by_many_files = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize(("text", "values"), READ_ALIKE.values(), ids=READ_ALIKE)
def test_form_is_read_alike_by_everybody(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    lines = read_env_lines(text)

    assert list(disagreements(lines, ALL_READERS)) == []
    assert env_values(lines) == values
    assert as_shell_reads(tmp_path, text) == values
    assert readings(tmp_path, text) == {"compose": values, "dotenv": values, "systemd": values}


@pytest.mark.parametrize(
    ("text", "values", "form"), READ_ALIKE_BUT_BY_A_SHELL.values(), ids=READ_ALIKE_BUT_BY_A_SHELL
)
def test_form_is_read_alike_by_the_readers_of_our_own_file(
    tmp_path: Path, text: str, values: dict[str, str], form: Form | None
) -> None:
    lines = read_env_lines(text)

    assert list(disagreements(lines, OWN_READERS)) == []
    assert next((found for _, found in disagreements(lines, frozenset({SHELL}))), None) == form
    assert env_values(lines) == values
    assert readings(tmp_path, text) == {"compose": values, "dotenv": values, "systemd": values}


@pytest.mark.parametrize(("text", "number", "form"), REFUSED.values(), ids=REFUSED)
def test_form_that_readers_take_differently_is_named_with_its_line(
    text: str, number: int, form: Form
) -> None:
    found = list(disagreements(read_env_lines(text), OWN_READERS))

    assert found[:1] == [(number, form)]


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - REFUSED_ALTHOUGH_READ_ALIKE))
def test_form_that_is_refused_is_really_read_in_several_ways(tmp_path: Path, name: str) -> None:
    found = readings(tmp_path, REFUSED[name][0])

    assert (
        found["compose"] is None or found["compose"] != found["dotenv"] or found["dotenv"] != found["systemd"]
    )


def test_every_form_has_its_case() -> None:
    named = {form for _, _, form in REFUSED.values()} | {
        form for _, _, form in READ_ALIKE_BUT_BY_A_SHELL.values() if form
    }

    assert named == set(Form) == set(RULES)


@given(texts)
@by_many_files
def test_what_is_called_read_alike_is(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("files")
    alike = [text for text in texts if not list(disagreements(read_env_lines(text), OWN_READERS))]
    values = [env_values(read_env_lines(text)) for text in alike]
    for_all = [text for text in alike if not list(disagreements(read_env_lines(text), ALL_READERS))]

    assert as_compose_reads(folder, alike) == values
    assert [as_dotenv_reads(text) for text in alike] == values
    assert [as_systemd_reads(text) for text in alike] == values
    assert [as_shell_reads(folder, text) for text in for_all] == [
        env_values(read_env_lines(text)) for text in for_all
    ]


@given(texts)
@by_many_files
def test_line_that_is_refused_leaves_its_neighbours_alone_unless_it_spreads(texts: list[str]) -> None:
    kept = [text for text in texts if not any(line.spreads(OWN_READERS) for line in read_env_lines(text))]

    for text in kept:
        lines = read_env_lines(text)
        parted = {line.key for line in lines if line.differences(OWN_READERS)}
        rest = {key: value for key, value in env_values(lines).items() if key not in parted}
        for values in (as_dotenv_reads(text), as_systemd_reads(text)):
            assert {key: value for key, value in values.items() if key not in parted} == rest


@given(texts)
@by_many_files
def test_systemd_reads_by_the_rules_that_are_written_down(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    require(SYSTEMD_GENERATOR)
    folder = tmp_path_factory.mktemp("systemd")
    literal = [text.replace("$", "S") for text in texts]

    printed = [as_systemd_prints(folder, text) for text in literal]

    assert printed == [as_systemd_reads(text, with_empty=False) for text in literal]


def test_words_name_the_line_and_never_repeat_it() -> None:
    [(number, form)] = disagreements(read_env_lines("A=b\nSECRET=pa$$word\n"), OWN_READERS)

    assert in_words(number, form).startswith("line 2 holds a '$'")
    assert "pa$" not in in_words(number, form)


def test_line_of_a_key_that_concerns_nobody_counts_only_where_it_spreads() -> None:
    lines = read_env_lines("OTHER=${X}\nOURS='a'\nOTHER='b\n")

    found = list(disagreements(lines, OWN_READERS, concerns=lambda key: key == "OURS"))

    assert found == [(3, Form.UNCLOSED_QUOTE)]


def test_byte_order_mark_counts_whatever_its_line_sets() -> None:
    found = list(disagreements(read_env_lines("\ufeffOURS='a'\n"), OWN_READERS, concerns=lambda _: False))

    assert found == [(1, Form.BYTE_ORDER_MARK)]
