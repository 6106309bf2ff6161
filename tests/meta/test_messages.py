"""Message ids and their arguments agree with the one table (CONTRIBUTING.md, "A sentence from core")."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.messages import SUBJECTS, TEMPLATES, operation
from core.operation_status import SUCCESSES, Step
from tests.meta.source import modules, tree_of

TABLES = Path("core/messages")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
MESSAGE_ID = re.compile(rf"(?:{'|'.join(SUBJECTS)})\.[a-z0-9_]+")


def readers() -> list[Path]:
    """List the modules that make messages: all but those of the table itself."""
    return [path for path in modules() if TABLES not in path.parents]


def named_ids() -> dict[str, str]:
    """Map each id that the code names to one place of it."""
    return {
        node.value: f"{path}:{node.lineno}"
        for path in readers()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and MESSAGE_ID.fullmatch(node.value)
    }


def made_with_arguments() -> Iterator[tuple[str, str, set[str]]]:
    """Yield place, id and argument names of each `Message("...")` and `Message.of("...", ...)`."""
    for path in readers():
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in ("Message", "Message.of"):
                continue
            if node.args and isinstance(node.args[0], ast.Constant):
                names = {keyword.arg for keyword in node.keywords if keyword.arg}
                yield f"{path}:{node.lineno}", str(node.args[0].value), names


def test_every_id_that_the_code_names_has_its_english() -> None:
    unknown = {place: name for name, place in named_ids().items() if name not in TEMPLATES}

    assert unknown == {}


def test_every_template_is_used() -> None:
    unused = {
        f"{subject}.{name}"
        for subject, templates in SUBJECTS.items()
        for name in templates
        if subject != "operation"
    } - named_ids().keys()

    assert unused == set()


def test_every_code_of_an_operation_has_words() -> None:
    assert operation.STEPS.keys() == set(Step)
    assert operation.OUTCOMES.keys() > SUCCESSES


def test_a_message_has_the_arguments_of_its_template() -> None:
    wrong = {
        place: (name, given)
        for place, name, given in made_with_arguments()
        if name in TEMPLATES and given != set(PLACEHOLDER.findall(TEMPLATES[name]))
    }

    assert wrong == {}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_a_file_in_the_order_of_its_names(subject: str) -> None:
    assert (TABLES / f"{subject}.py").exists()
    assert list(SUBJECTS[subject]) == sorted(SUBJECTS[subject])


def test_placeholders_are_plain_names() -> None:
    odd = {name for name, text in TEMPLATES.items() if re.sub(PLACEHOLDER, "", text).count("{")}

    assert odd == set()
