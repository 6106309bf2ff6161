"""Read the lines of an env file, and detect those that its readers read differently.

Docker Compose, python-dotenv, systemd and a shell agree on `KEY='value'` and differ on much else. Values are
read as Compose reads them; each form that another reader reads differently is reported by line, so that a
file is rejected instead of having several meanings.

Imports only the standard library, since `make up` runs with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.env_forms import RULES, Form, Reader

_BLANK_OR_COMMENT = re.compile(r"[ \t]*(?:#.*)?", re.DOTALL)
_ASSIGNMENT = re.compile(
    r"[ \t]*(?P<export>export[ \t]+)?(?P<key>[A-Za-z0-9_.-]+)"
    r"(?P<before>[ \t]*)(?P<sign>[=:])(?P<after>[ \t]*)"
)
_BARE = re.compile(r"[ \t]*(?:export[ \t]+)?[A-Za-z0-9_.-]+[ \t]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SINGLE = re.compile(r"'(?P<text>[^']*)'")
_DOUBLE = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"', re.DOTALL)
_COMMENT = re.compile(r"[ \t]#")
_BACKSLASHES_BEFORE_QUOTE = re.compile(r'\\\\+"|\\\\$')
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]")
_ODD_SPACE = re.compile(r"[^\S \t\r\n\x0b\x0c\x1c-\x1f]")
_SHELL_SIGN = re.compile(r"[\s;&|<>()`~]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class EnvLine:
    """A line that sets a variable, or that readers read differently; a quoted value may span several."""

    number: int
    key: str
    """"" if the line sets nothing, or nothing that can be determined."""
    value: str
    """The value as Compose reads it, references unresolved; other readers differ only by `forms`."""
    start: int
    """Offset of the value in the text, quotes included."""
    end: int
    quote: str
    """"'", '"' or "" for a plain value."""
    forms: frozenset[Form]

    def differences(self, readers: frozenset[Reader]) -> tuple[Form, ...]:
        """Return the forms that these readers read differently, in the order of the table."""
        return tuple(form for form, rule in RULES.items() if form in self.forms and rule.differs & readers)

    def spreads(self, readers: frozenset[Reader]) -> bool:
        """Return whether one of these readers may join other lines to this one, or reject the file."""
        return any(RULES[form].spreads for form in self.differences(readers))


def read_env_lines(text: str) -> tuple[EnvLine, ...]:
    """Return the lines of an env file, except blank ones and comments that all readers skip."""
    return tuple(_Scanner(text).lines())


def env_values(lines: Sequence[EnvLine]) -> dict[str, str]:
    """Return the variables that the lines set; the last line of a key counts, as for every reader."""
    return {line.key: line.value for line in lines if line.key and Form.BARE_NAME not in line.forms}


def disagreements(
    lines: Sequence[EnvLine],
    readers: frozenset[Reader],
    *,
    concerns: Callable[[str], bool] = lambda _key: True,
) -> Iterator[tuple[int, Form]]:
    """Yield line number and form of each line that these readers read differently.

    Lines of keys that do not concern the caller count only if they affect others.
    """
    for line in lines:
        forms = line.differences(readers)
        if forms and (line.spreads(readers) or concerns(line.key)):
            yield line.number, forms[0]


def in_words(number: int, form: Form) -> str:
    """Return the problem and remedy of a line as text, which never quotes the line."""
    return f"line {number} {RULES[form].words}"


class _Scanner:
    """Reads one text, statement by statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.number = 1

    def lines(self) -> Iterator[EnvLine]:
        text = self.text
        if text.startswith("\ufeff"):
            yield EnvLine(1, "", "", 0, 1, "", frozenset({Form.BYTE_ORDER_MARK}))
            self.at = 1
        for sign, form in (("\0", Form.NUL), ("\r(?!\n)", Form.CARRIAGE_RETURN)):
            if found := re.search(sign, text):
                number = text.count("\n", 0, found.start()) + 1
                yield EnvLine(number, "", "", found.start(), found.start(), "", frozenset({form}))
        while self.at < len(text):
            begin = self.at
            if line := self._statement():
                yield line
            self.number += text.count("\n", begin, self.at)

    def _statement(self) -> EnvLine | None:
        """Read the statement at `at` and advance behind it."""
        begin, end = self.at, self._line_end(self.at)
        self.at = end + 1
        line = self.text[begin:end].removesuffix("\r")
        if _BLANK_OR_COMMENT.fullmatch(line):
            if line.endswith("\\"):  # systemd up to version 253 continues a comment in the next line
                return self._line("", begin, begin, Form.BACKSLASH_AT_END)
            is_empty_with_return = not line.strip() and self.text[begin:end].endswith("\r")
            return self._line("", begin, begin, Form.CRLF) if is_empty_with_return else None
        found = _ASSIGNMENT.match(self.text, begin, end)
        if found is None or (found["key"] == "export" and found["before"]):
            if _BARE.fullmatch(line) and line.strip() != "export":
                return self._line(line.split()[-1], begin, begin, Form.BARE_NAME)
            odd = [Form.ODD_SPACE] if _ODD_SPACE.search(line) else []
            return self._line("", begin, begin, Form.NOT_AN_ASSIGNMENT, *odd)
        forms = {
            Form.EXPORT: bool(found["export"]),
            Form.COLON: found["sign"] == ":",
            Form.KEY_NAME: not _NAME.fullmatch(found["key"]),
            Form.BLANK_AT_EQUALS: bool(found["before"] or found["after"]),
            Form.CRLF: self.text[end - 1 : end] == "\r",
        }
        given = [form for form, is_there in forms.items() if is_there]
        if found["sign"] == ":" and "=" in line and ("'" in line or '"' in line):
            given.append(Form.NOT_AN_ASSIGNMENT)  # systemd reads the value, and its quotes, behind the '='
        start = found.end()
        match self.text[start : start + 1]:
            case "'":
                return self._quoted(found["key"], start, _SINGLE, given)
            case '"':
                return self._quoted(found["key"], start, _DOUBLE, given)
        return self._plain(
            found["key"], start, self.text[start:end].removesuffix("\r"), found["after"], given
        )

    def _plain(self, key: str, start: int, raw: str, blank: str, given: list[Form]) -> EnvLine:
        value, is_comment, _ = raw.partition(" #")
        comment = _COMMENT.search(raw)
        value = value.rstrip(" \t")
        forms = {
            Form.HASH_FIRST: bool(blank) and raw.startswith("#"),
            Form.COMMENT_BEHIND: bool(is_comment),
            Form.TAB_BEFORE_COMMENT: comment is not None and comment[0] == "\t#",
            Form.BACKSLASH_AT_END: raw.endswith("\\"),
            Form.BACKSLASH: "\\" in value,
            Form.DOLLAR: "$" in value,
            Form.QUOTE_INSIDE: "'" in value or '"' in value,
            Form.SHELL_SIGN: bool(_SHELL_SIGN.search(value)),
            **_characters(value),
        }
        given += [form for form, is_there in forms.items() if is_there]
        return self._line(key, start, start + len(value), *given, value=value)

    def _quoted(self, key: str, start: int, pattern: re.Pattern[str], given: list[Form]) -> EnvLine:
        found = pattern.match(self.text, start)
        quote = self.text[start]
        if found is None:
            return self._line(key, start, start, *given, Form.UNCLOSED_QUOTE, quote=quote)
        content = found["text"]
        end = self._line_end(found.end())
        self.at = end + 1
        rest = self.text[found.end() : end].removesuffix("\r")
        is_double = quote == '"'
        without_escaped_quotes = content.replace('\\"', "")
        forms = {
            Form.BACKSLASH_BEFORE_QUOTE: bool(_BACKSLASHES_BEFORE_QUOTE.search(content))
            if is_double
            else content.endswith("\\"),
            Form.BACKSLASH: is_double and "\\" in without_escaped_quotes,
            Form.DOUBLE_BACKSLASH: not is_double and "\\\\" in content,
            Form.DOLLAR: is_double and "$" in content,
            Form.SHELL_SIGN: is_double and "`" in content,
            Form.CRLF_IN_QUOTES: "\r" in content,
            Form.CONTROL_CHARACTER: _characters(content)[Form.CONTROL_CHARACTER],
            Form.COMMENT_AT_QUOTE: rest.startswith("#"),
            Form.COMMENT_BEHIND: rest.startswith((" ", "\t")) and rest.lstrip(" \t").startswith("#"),
            Form.TEXT_BEHIND_QUOTE: not _BLANK_OR_COMMENT.fullmatch(rest),
            Form.BACKSLASH_AT_END: rest.endswith("\\"),
            Form.NOT_AN_ASSIGNMENT: Form.COLON in given and "\n" in content,
        }
        given += [form for form, is_there in forms.items() if is_there]
        value = content.replace("\r\n", "\n")
        if is_double:
            value = _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[1]), value)
        return self._line(key, start, found.end(), *given, value=value, quote=quote)

    def _line(
        self, key: str, start: int, end: int, *forms: Form, value: str = "", quote: str = ""
    ) -> EnvLine:
        return EnvLine(self.number, key, value, start, end, quote, frozenset(forms))

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end


def _characters(text: str) -> dict[Form, bool]:
    return {
        Form.CONTROL_CHARACTER: bool(_CONTROL.search(text.replace("\r\n", "\n"))),
        Form.ODD_SPACE: bool(_ODD_SPACE.search(text)),
    }
