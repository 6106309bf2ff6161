"""A diff for people: which listed keys change, and nothing else of any line."""

from __future__ import annotations

import pytest

from core.sync.editing import masked_diff as diff_of
from tests.support.sync import target

BEFORE = """\
# token: tell-nobody-1
services:
  a:
    image: registry.example.org/a:1
    container_name: a
    environment: &env
      KEY: tell-nobody-2
      URL: http://user:tell-nobody-3@db/
    command: --secretKey tell-nobody-4
    labels:
      - "PASS=tell-nobody-5"
    healthcheck:
      test: |
        curl -H tell-nobody-6
    ports:
      - "80:80"
"""


def masked_diff(before: str, after: str, file: str) -> str:
    """Return the diff of a file with the keys K and KEY listed."""
    return diff_of(before, after, file, [target(file, "KEY"), target(file, "K")])


def test_compose_diff_shows_the_listed_key_and_nothing_else() -> None:
    after = BEFORE.replace("tell-nobody-2", "new-value").replace("tell-nobody-3", "other")

    assert masked_diff(BEFORE, after, "compose.yml").splitlines() == [
        "--- a/compose.yml",
        "+++ b/compose.yml",
        "@@ -7,2 +7,2 @@",
        "- KEY: ‹current value›",
        "- •••",
        "+ KEY: ‹new value›",
        "+ •••",
    ]


def test_no_line_of_a_compose_file_shows_a_secret() -> None:
    every_line_changes = "".join(f"{line} \n" for line in BEFORE.splitlines())

    assert "tell-nobody" not in masked_diff(BEFORE, every_line_changes, "compose.yml")


def test_env_diff_shows_the_listed_key_and_no_line_of_another() -> None:
    before = "# old: tell-nobody-1\nCERT='-----BEGIN\ntellnobody2==\n'\nKEY=tell-nobody-3\nA=tell-nobody-4\n"

    diff = masked_diff(before, before.replace("tell-nobody", "new").replace("2==", "3=="), ".env")

    assert diff.splitlines()[2:] == [
        "@@ -1,1 +1,1 @@",
        "- •••",
        "+ •••",
        "@@ -3,1 +3,1 @@",
        "- •••",
        "+ •••",
        "@@ -5,2 +5,2 @@",
        "- KEY: ‹current value›",
        "- •••",
        "+ KEY: ‹new value›",
        "+ •••",
    ]


HIDDEN = {
    "build argument": "services:\n  a:\n    build: {args: {HTTP: S3CRET}}\n    environment: {K: old}\n",
    "build arguments": "services:\n  a:\n    build:\n      args:\n        - T=S3CRET\n    K: old\n",
    "volume option": 'volumes: {n: {driver_opts: {o: "user=u,password=S3CRET"}}}\nservices: {a: {K: old}}\n',
    "block scalar": "services:\n  a:\n    command: |\n      S3CRET: S3CRET\n      - S3CRET=x\n    K: old\n",
    "folded text": 'services:\n  a:\n    label: "one\n      S3CRET: two"\n    K: old\n',
    "list item in base64": "services:\n  a:\n    labels:\n      - S3CRET==\n    K: old\n",
    "image": "services:\n  a:\n    image: r/S3CRET@sha256:S3CRET\n    K: old\n",
    "harmless word": "services:\n  a:\n    restart: S3CRET\n    hostname: S3CRET\n    K: old\n",
    "comment": "services:\n  a:\n    # S3CRET\n    K: old # S3CRET\n",
    "no YAML": "services: [\n  S3CRET: S3CRET\n  K: old\n",
    "dashes": "--S3CRET\nK: old\n",
    "variable like an alias": "services:\n  a:\n    environment:\n      - A=*S3CRET\n      - K=old\n",
    "odd line ends": "services:\n  a:\n    l: 'x\x85  y'\n    long_name: 1\n    p: S3CRET\n    K: old\n",
    "flow mapping over lines": "services: {a: {\n  p: S3CRET, q: S3CRET,\n  K: old}}\n",
}


CHANGES = {"the key": ("old", "new"), "the hidden value": ("S3CRET", "S3CRET2")}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", HIDDEN)
def test_no_value_is_shown_wherever_it_stands(name: str, change: str) -> None:
    before = HIDDEN[name]
    after = before.replace(*CHANGES[change])

    assert "S3CRET" not in masked_diff(before, after, "docker-compose.yml")
    assert "S3CRET" not in masked_diff(after, before, "docker-compose.yml")
    assert "S3CRET" not in masked_diff(before, "", "docker-compose.yml")


ENV_FILES = {
    "dashes": "--S3CRET\nK=old\n",
    "lines of a certificate": "CERT='S3CRET==\n--S3CRET\n'\nK=old\n",
    "another key": "A=S3CRET\nK=old\n",
    "like an alias": "A=*S3CRET\nB=&S3CRET\nK=old\n",
    "form feed": "LONG_NAME_OF_A_KEY=1\nA=x\fS3CRET\nB=S3CRET\nK=old\n",
}


@pytest.mark.parametrize("name", ENV_FILES)
def test_no_value_of_an_env_file_is_shown(name: str) -> None:
    text = ENV_FILES[name]

    assert "S3CRET" not in masked_diff(text, text.replace("old", "new"), ".env")
    assert "S3CRET" not in masked_diff(text, "", ".env")
