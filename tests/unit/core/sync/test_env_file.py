"""What is refused in env files, and what their values mean (the corpus shows what is edited)."""

from __future__ import annotations

import pytest

from core.sync.env_file import EnvFile
from core.sync.value_span import NotParseableError, RefusedError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "A=1\nB='x\nKEY=1\n", "line 2 opens quotes that nothing closes", id="unclosed single quote"
        ),
        pytest.param('B="x\nKEY=1\n', "line 1 opens quotes that nothing closes", id="unclosed double quote"),
        pytest.param(
            "A='x\\'\nKEY='1'\n", "line 1 has backslashes before a quote", id="backslash, single quote"
        ),
        pytest.param(
            'A="x\\\\"\nKEY=1\n', "line 1 has backslashes before a quote", id="two backslashes, quote"
        ),
        pytest.param("A='x'y\nKEY=1\n", "line 1 goes on after its closing quote", id="text after the quote"),
        pytest.param("KEY=it's\n", "line 1 has a quote inside", id="apostrophe"),
        pytest.param("A=x\\\nKEY=1\n", "line 1 ends with a backslash", id="continued line"),
        pytest.param("if [ -f 'x' ]; then\nKEY=1\nfi\n", "line 1 is no KEY='value'", id="shell script"),
        pytest.param("A=1\rKEY=1\r", "CR alone", id="line ends of another age"),
    ],
)
def test_file_that_readers_would_cut_differently_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotParseableError, match=said):
        EnvFile(text)


@pytest.mark.parametrize(
    "value",
    ["two words", "a;b", "a&b", "`cmd`", "$(cmd)", "#comment", "a>b", "<your key>"],
)
def test_value_that_may_be_more_than_one_word_is_refused(value: str) -> None:
    file = EnvFile(f"KEY={value}\n")

    with pytest.raises(RefusedError, match="line 1 contains more than one plain word"):
        file.edited(file.spans("KEY"), "new")


def test_value_put_together_from_others_is_refused() -> None:
    (span,) = EnvFile("KEY=prefix-${OTHER}\n").spans("KEY")

    with pytest.raises(RefusedError, match="line 1 puts the value together from others"):
        _ = span.follows


@pytest.mark.parametrize(
    ("value", "followed"),
    [
        ("${OTHER}", "OTHER"),
        ("$OTHER", "OTHER"),
        ('"${OTHER}"', "OTHER"),
        ("${OTHER:-x}", "OTHER"),
        ("${OTHER:?is needed}", "OTHER"),
        ("'${OTHER}'", None),
        ("abc", None),
        ("$2b$10$abc", None),
    ],
)
def test_reference_to_another_name_is_told_from_a_value(value: str, followed: str | None) -> None:
    (span,) = EnvFile(f"KEY={value}\n").spans("KEY")

    assert span.follows == followed


@pytest.mark.parametrize(
    ("raw", "exact"),
    [("'$2b$10$abc'", True), ("$2b$10$abc", False), ('"$2b$10$abc"', False), ("'$2b$10$ab'", False)],
)
def test_value_with_dollar_signs_is_only_right_in_single_quotes(raw: str, exact: bool) -> None:
    (span,) = EnvFile(f"KEY={raw}\n").spans("KEY")

    assert span.is_exactly("$2b$10$abc") is exact


def test_refusals_repeat_nothing_of_the_file() -> None:
    with pytest.raises(NotParseableError) as refusal:
        EnvFile("PASSWORD='tell-nobody\n")

    assert "tell-nobody" not in str(refusal.value)
