"""Forms that Compose, python-dotenv and a shell read differently are refused by name; nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.sync.targets import State
from tests.support.sync import KEY, install, read_files, target

NO_BREAK, IDEOGRAPHIC = "\u00a0", "\u3000"
REFUSED = {
    "tab before a comment": (f"{KEY}=old\t# main\n", "line 1 has a tab before its '#'"),
    "colon for the key": (f"{KEY}: old\n", "line 1 has ':' behind its name"),
    "colon behind a line with equals": (f"{KEY}=old\n{KEY}: old\n", "line 2 has ':'"),
    "colon before equals": (f"{KEY}:=old\n", "line 1 has ':'"),
    "colon behind export": (f"A=1\nexport {KEY}: old\n", "line 2 has ':'"),
    "plus before equals": (f"{KEY}=old\n{KEY}+=more\n", "line 2 is no KEY='value'"),
    "comment glued to a quote": (f"{KEY}='old'#x\n", "line 1"),
    "no-break space behind the value": (f"A=1\n{KEY}=old{NO_BREAK}\n", "line 2 contains a blank"),
    "no-break space before equals": (f"{KEY}{NO_BREAK}=old\n", "line 1"),
    "ideographic space": (f"{KEY}={IDEOGRAPHIC}old\n", "line 1 contains a blank"),
    "form feed before the key": (f"\f{KEY}=old\n", "line 1 is no KEY='value'"),
    "vertical tab before a comment": (f"{KEY}=old\v# x\n", "line 1 contains a control character"),
    "apostrophe in a neighbour": (f"NOTE=it's fine\n{KEY}=old\n", "line 1 has a quote inside"),
    "Latin-1": (f"# Liga\u00e7\u00e3o \u00e0 API\n{KEY}=old\n".encode("latin-1"), "UTF-8"),
}
UNTOUCHED = {
    "colon for another key": f"OTHER: x\n{KEY}=old\n",
    "comment with a blank": f"{KEY}=old # main\n",
    "blanks around equals": f"{KEY} = old\n",
    "CRLF": f"{KEY}=old\r\n",
    "reference in another key": f"{KEY}=old\nURL=http://${{HOST}}/\n",
}


@pytest.mark.parametrize("name", REFUSED)
def test_form_that_is_read_differently_is_refused(tmp_path: Path, name: str) -> None:
    text, why = REFUSED[name]
    installation = install(tmp_path, {".env": text}, target(".env"))
    installation.keep("value-1")
    before = read_files(installation.folder)

    (found,) = installation.sync.draft().plan.targets

    assert found.state is State.NOT_PARSEABLE
    assert why in str(found.why)
    assert read_files(installation.folder) == before


@pytest.mark.parametrize("name", UNTOUCHED)
def test_form_on_which_the_readers_of_the_key_agree_is_edited(tmp_path: Path, name: str) -> None:
    installation = install(tmp_path, {".env": UNTOUCHED[name]}, target(".env"))

    installation.apply("value-1")

    assert read_files(installation.folder) == {".env": UNTOUCHED[name].replace("old", "value-1").encode()}


def test_merge_key_twice_is_refused_as_compose_refuses_it(tmp_path: Path) -> None:
    text = (
        f"x-a: &a {{{KEY}: old}}\nx-b: &b {{B: '2'}}\nservices:\n  a:\n    image: x\n    environment:\n"
        "      <<: *a\n      <<: *b\n"
    )
    installation = install(tmp_path, {"c.yml": text}, target("c.yml"))
    installation.keep("value-1")

    (found,) = installation.sync.draft().plan.targets

    assert found.state is State.NOT_PARSEABLE
    assert "line 8 has a key a second time" in str(found.why)
