"""A diff for people: where something changes, and no value at all."""

from __future__ import annotations

from core.propagation.masking import masked_diff

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


def test_compose_diff_shows_structure_and_names_but_no_value() -> None:
    diff = masked_diff(BEFORE, BEFORE.replace("tell-nobody-2", "new-value"), "compose.yml", keys=None)

    assert diff.splitlines() == [
        "--- a/compose.yml",
        "+++ b/compose.yml",
        "@@ -4,7 +4,7 @@",
        "     image: registry.example.org/a:1",
        "     container_name: a",
        "     environment: &env",
        "-      KEY: ‹present value›",
        "+      KEY: ‹new value›",
        "       URL: •••",
        "     command: •••",
        "     labels:",
    ]


def test_no_line_of_a_compose_file_shows_a_secret() -> None:
    every_line_changes = "".join(f"{line} \n" for line in BEFORE.splitlines())

    assert "tell-nobody" not in masked_diff(BEFORE, every_line_changes, "compose.yml", keys=None)


def test_env_diff_shows_names_but_no_value_and_no_line_of_a_key() -> None:
    before = "# old: tell-nobody-1\nCERT='-----BEGIN\ntellnobody2==\n'\nKEY=tell-nobody-3\nA=tell-nobody-4\n"

    diff = masked_diff(before, before.replace("tell-nobody-3", "new"), ".env", keys=["CERT", "KEY", "A"])

    assert diff.splitlines()[3:] == [
        " CERT=•••",
        " •••",
        " •••",
        "-KEY=‹present value›",
        "+KEY=‹new value›",
        " A=•••",
    ]
