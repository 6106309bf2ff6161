"""Words of a command line, as a shell splits them, and the values of options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cli.importing.references import interpolate

SHELLS = frozenset({"sh", "bash", "ash", "dash", "busybox"})
OPERATORS = frozenset(";&|()<>\n")
_PROGRAM = re.compile(r"(?:^|/)(?:node|npm|npx|yarn|pnpm|wpp[^/]*|server(?:\.js)?)$")
_QUOTED = re.compile(r"'[^']*'")


class Word(NamedTuple):
    """One word and its compose file."""

    text: str
    file: str


def split_words(text: str) -> list[str]:
    """Return the words of a command in one string, as Compose splits it; one word if Compose refuses it."""
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def shell_words(words: Sequence[Word], variables: Mapping[str, str]) -> list[Word]:
    """Return the words with `sh -c SCRIPT` expanded, with the container's variables."""
    found: list[Word] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        found.append(word)
        if word.text.rpartition("/")[2] not in SHELLS:
            continue
        if rest and rest[0].text in SHELLS:
            found.append(rest.pop(0))
        while rest and re.fullmatch(r"[-+][A-Za-z]+", rest[0].text):
            flag = rest.pop(0)
            found.append(flag)
            if "c" in flag.text and rest:
                script = rest.pop(0)
                inner = [Word(text, script.file) for text in _script_words(script.text, variables)]
                found += shell_words(inner, variables)
                break
    return found


def program_words(words: Sequence[Word]) -> list[Word]:
    """Return the words of the one command that runs the gateway, of a script with several."""
    commands: list[list[Word]] = [[]]
    for word in words:
        if word.text and OPERATORS.issuperset(word.text):
            commands.append([])
        else:
            commands[-1].append(word)
    running = [one for one in commands if any(_PROGRAM.search(word.text) for word in one)]
    return (running or [one for one in commands if one] or [[]])[-1]


def option(words: Sequence[Word], long: str, short: str) -> Word | None:
    """Return an option's value, in any of its forms; the last occurrence counts."""
    found = None
    for number, (text, file) in enumerate(words):
        if text in (long, short):
            found = words[number + 1] if number + 1 < len(words) else found
        elif text.startswith(f"{long}="):
            found = Word(text.partition("=")[2], file)
        elif re.match(rf"{short}[^-]", text):
            found = Word(text[len(short) :], file)
    return found


def _script_words(script: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the words of a script. Text in single quotes is literal."""
    script = script.replace("\\\n", " ")
    at, text = 0, ""
    for quoted in _QUOTED.finditer(script):
        text += interpolate(script[at : quoted.start()], variables) + quoted[0]
        at = quoted.end()
    text += interpolate(script[at:], variables)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()<>\n")
    lexer.whitespace = " \t\r"
    lexer.commenters = ""
    lexer.whitespace_split = True
    try:
        yield from list(lexer)
    except ValueError:
        yield from text.split()
