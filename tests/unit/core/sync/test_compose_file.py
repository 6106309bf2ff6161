"""What is refused in compose files, options of commands, and how far one value reaches."""

from __future__ import annotations

import pytest

from core.sync.compose_file import ComposeFile
from core.sync.value_span import NotParseableError, RefusedError

HEAD = "services:\n  a:\n    image: x\n"


@pytest.mark.parametrize(
    "text",
    ["- a\n", "volumes: {}\n", "services: [a]\n", "services:\n  a: x\n", "services: {a: {environment: x}}\n"],
)
def test_file_that_has_no_service_to_read_has_no_value(text: str) -> None:
    assert ComposeFile(text).spans("KEY") == []


def test_service_in_several_documents_has_the_values_of_all() -> None:
    text = "services: {a: {environment: {KEY: 1}}}\n---\nservices: {a: {environment: {KEY: 2}}}\n"

    assert [one.value for one in ComposeFile(text).spans("KEY")] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: b: c\n", "line 1: it is no YAML", id="no YAML"),
        pytest.param("services:\n\ta: {}\n", "line 2: it is no YAML", id="tab as indentation"),
        pytest.param(HEAD + "    image: y\n", "line 4 has a key a second time", id="duplicate key"),
        pytest.param("x: *nowhere\n", "it is no YAML", id="unknown alias"),
        pytest.param("services: " + "[" * 2000, "^it is nested too deeply$", id="nested too deeply"),
    ],
)
def test_file_that_cannot_be_understood_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotParseableError, match=said):
        ComposeFile(text)


def test_mappings_that_are_merged_again_and_again_cost_one_pass() -> None:
    bomb = "a0: &a0 {K: v}\n" + "".join(
        f"a{number}: &a{number} {{<<: [{', '.join([f'*a{number - 1}'] * 4)}]}}\n" for number in range(1, 60)
    )
    file = ComposeFile(f"{bomb}services: {{s: {{environment: {{<<: *a59}}}}}}\n")

    assert [one.value for one in file.spans("K")] == ["v"]
    assert len(file.flattened()) == 61


def test_an_anchor_that_holds_itself_is_refused() -> None:
    with pytest.raises(NotParseableError, match="contains itself"):
        ComposeFile("services: &s {a: *s}\n").flattened()


def test_aliases_that_unfold_without_end_are_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 9)
    )

    with pytest.raises(NotParseableError, match="unfold to too many values"):
        ComposeFile(bomb + HEAD).flattened()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            HEAD + "    environment:\n      KEY: |-\n        old\n", "as a block", id="literal block"
        ),
        pytest.param(
            HEAD + "    environment:\n      KEY: >-\n        old\n", "as a block", id="folded block"
        ),
        pytest.param(
            HEAD + "    environment:\n      - |-\n        KEY=old\n", "as a block", id="block in a list"
        ),
        pytest.param(
            HEAD + "    environment:\n      OTHER: &v old\n      KEY: *v\n",
            "shared with services.a.environment.OTHER",
            id="shared with another variable",
        ),
        pytest.param(
            HEAD + "    labels: {l: &v old}\n    environment:\n      KEY: *v\n",
            "shared with services.a.labels.l",
            id="shared with a label",
        ),
    ],
)
def test_value_that_cannot_be_replaced_alone_is_refused_by_name(text: str, said: str) -> None:
    file = ComposeFile(text)

    with pytest.raises(RefusedError, match=said):
        file.edited(file.spans("KEY"), "new")


COMMANDS = {
    "words": ("command: serve --secretKey OLD --port 21465\n", "OLD"),
    "words with equals": ("command: --secretKey=OLD --port 21465\n", "OLD"),
    "quoted words": ("command: '--secretKey OLD'\n", "OLD"),
    "double quoted words": ('command: "--secretKey OLD --port 1"\n', "OLD"),
    "shell quotes inside": ('command: serve --secretKey "OLD"\n', "OLD"),
    "folded": ("command: >\n      --secretKey OLD\n      --port 21465\n", "OLD"),
    "over two lines": ("command:\n      --secretKey OLD\n      --port 21465\n", "OLD"),
    "list": ("command: [--secretKey, OLD, --port, '21465']\n", "OLD"),
    "list with equals": ('command:\n      - "--secretKey=OLD"\n', "OLD"),
    "block list": ("command:\n      - --secretKey\n      - OLD\n      - --port\n", "OLD"),
    "shell": ("command: sh -c 'serve --secretKey OLD'\n", "OLD"),
    "shell in a list": ("command: [sh, -c, 'serve --secretKey OLD']\n", "OLD"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_option_of_a_command_is_replaced_and_nothing_else(name: str) -> None:
    command, old = COMMANDS[name]
    text = f"{HEAD}    {command}"
    file = ComposeFile(text)
    spans = file.spans("--secretKey", "a")

    assert [one.value for one in spans] == [old]
    assert file.edited(spans, "new-1").text == text.replace(old, "new-1")


def test_option_in_a_shell_takes_no_dollar_signs() -> None:
    file = ComposeFile(f"{HEAD}    command: sh -c 'serve --secretKey OLD'\n")

    with pytest.raises(RefusedError, match="line 4 is a shell's command"):
        file.edited(file.spans("--secretKey"), "a$b")


def test_option_without_value_has_no_place() -> None:
    text = f"{HEAD}    command: [--secretKey, --port, '1']\n"

    assert ComposeFile(text).spans("--secretKey") == []


@pytest.mark.parametrize(
    ("line", "followed"),
    [
        ("KEY: ${OTHER}", "OTHER"),
        ("KEY: $OTHER", "OTHER"),
        ("KEY: '${OTHER:-old}'", "OTHER"),
        ("KEY:", "KEY"),
        ("KEY: ~", "KEY"),
        ("KEY: $${OTHER}", None),
        ("KEY: $$OTHER", None),
        ("KEY: ''", None),
    ],
)
def test_reference_is_told_from_a_value(line: str, followed: str | None) -> None:
    (span,) = ComposeFile(f"{HEAD}    environment:\n      {line}\n").spans("KEY")

    assert span.follows == followed


def test_bare_name_in_a_list_follows_the_environment() -> None:
    (span,) = ComposeFile(f"{HEAD}    environment:\n      - KEY\n").spans("KEY")

    assert span.follows == "KEY"


def test_value_names_every_service_that_it_reaches() -> None:
    text = (
        "x-env: &env\n  KEY: old\nservices:\n  a: {image: x, environment: *env}\n"
        "  b: {image: x, environment: {<<: *env}}\n"
        "  d: {image: x, environment: {KEY: own}}\n"
    )

    (span,) = ComposeFile(text).spans("KEY", "b")

    assert span.services == ("a", "b")


def test_refusals_repeat_nothing_of_the_file() -> None:
    with pytest.raises(NotParseableError) as refusal:
        ComposeFile("services: {a: tell-nobody: x}\n")

    assert "tell-nobody" not in str(refusal.value)
