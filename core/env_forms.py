"""Forms of lines in env files that Docker Compose, python-dotenv, systemd and a shell read differently.

Tests check the table against the programs themselves. Imports only the standard library.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reader(StrEnum):
    """A program that reads env files."""

    COMPOSE = "Docker Compose"
    DOTENV = "python-dotenv"
    SHELL = "a shell"
    SYSTEMD = "systemd"


COMPOSE, DOTENV, SHELL, SYSTEMD = Reader
OWN_READERS = frozenset({COMPOSE, DOTENV, SYSTEMD})
"""Readers of the product's `.env`: Compose (containers), python-dotenv (commands), systemd (units)."""
ALL_READERS = frozenset(Reader)


class Form(StrEnum):
    """A form of a line that readers read differently; the value is a stable code."""

    NUL = "nul"
    BYTE_ORDER_MARK = "byte_order_mark"
    CARRIAGE_RETURN = "carriage_return"
    CRLF = "crlf"
    CRLF_IN_QUOTES = "crlf_in_quotes"
    CONTROL_CHARACTER = "control_character"
    ODD_SPACE = "odd_space"
    NOT_AN_ASSIGNMENT = "not_an_assignment"
    EXPORT = "export"
    COLON = "colon"
    KEY_NAME = "key_name"
    BARE_NAME = "bare_name"
    BLANK_AT_EQUALS = "blank_at_equals"
    UNCLOSED_QUOTE = "unclosed_quote"
    TEXT_BEHIND_QUOTE = "text_behind_quote"
    BACKSLASH_BEFORE_QUOTE = "backslash_before_quote"
    BACKSLASH_AT_END = "backslash_at_end"
    BACKSLASH = "backslash"
    DOUBLE_BACKSLASH = "double_backslash"
    DOLLAR = "dollar"
    HASH_FIRST = "hash_first"
    COMMENT_BEHIND = "comment_behind"
    COMMENT_AT_QUOTE = "comment_at_quote"
    TAB_BEFORE_COMMENT = "tab_before_comment"
    QUOTE_INSIDE = "quote_inside"
    SHELL_SIGN = "shell_sign"


@dataclass(frozen=True)
class FormRule:
    """Effect of a form on readers, and the remedy."""

    differs: frozenset[Reader]
    """Readers that read another value than Compose; all of them if Compose rejects the file."""
    spreads: bool
    """Whether a reader may join following lines to this one, or reject the whole file."""
    words: str
    """The problem and the remedy, as a phrase that follows "line N "."""


def _rule(words: str, *differs: Reader, spreads: bool = False) -> FormRule:
    return FormRule(frozenset(differs), spreads, words)


RULES = {
    Form.NUL: _rule("holds a NUL byte; save the file as UTF-8 text", *Reader, spreads=True),
    Form.BYTE_ORDER_MARK: _rule(
        "begins with a byte order mark, which only Docker Compose skips; save the file as UTF-8 without one",
        DOTENV,
        SHELL,
        SYSTEMD,
        spreads=True,
    ),
    Form.CARRIAGE_RETURN: _rule(
        "has a carriage return that ends no line for Docker Compose; save the file with plain line ends",
        *Reader,
        spreads=True,
    ),
    Form.CRLF: _rule("ends with a carriage return, which a shell keeps; save with plain line ends", SHELL),
    Form.CRLF_IN_QUOTES: _rule(
        "has a carriage return inside its quotes, which systemd keeps; save the file with plain line ends",
        SHELL,
        SYSTEMD,
    ),
    Form.CONTROL_CHARACTER: _rule("holds a control character; remove it", *Reader, spreads=True),
    Form.ODD_SPACE: _rule(
        "holds a blank that is no plain space, such as a no-break space; write a plain one, or put the value "
        "in single quotes",
        *Reader,
    ),
    Form.NOT_AN_ASSIGNMENT: _rule(
        "is no KEY='value'; correct it, or make it a comment with # in front", *Reader, spreads=True
    ),
    Form.EXPORT: _rule("begins with `export`, and systemd drops such lines; remove the word", SYSTEMD),
    Form.COLON: _rule(
        "has ':' behind its name, which only Docker Compose takes for '='; write KEY='value'",
        DOTENV,
        SHELL,
        SYSTEMD,
    ),
    Form.KEY_NAME: _rule(
        "sets a name with a sign that systemd and a shell refuse; use letters, digits and '_'", SHELL, SYSTEMD
    ),
    Form.BARE_NAME: _rule("is a name without a value, which a shell would start as a program", SHELL),
    Form.BLANK_AT_EQUALS: _rule("has a blank beside its '=', which a shell refuses; remove it", SHELL),
    Form.UNCLOSED_QUOTE: _rule("opens a quote that nothing closes; close it", *Reader, spreads=True),
    Form.TEXT_BEHIND_QUOTE: _rule(
        "goes on behind its closing quote; put the whole value in one pair of single quotes",
        *Reader,
        spreads=True,
    ),
    Form.BACKSLASH_BEFORE_QUOTE: _rule(
        "has a backslash before a quote, which ends the value for some readers; write a value without it",
        *Reader,
        spreads=True,
    ),
    Form.BACKSLASH_AT_END: _rule(
        "ends with a backslash, and systemd reads on in the next line; remove it",
        SHELL,
        SYSTEMD,
        spreads=True,
    ),
    Form.BACKSLASH: _rule(
        "holds a backslash, which not every reader keeps; put the value in single quotes",
        DOTENV,
        SHELL,
        SYSTEMD,
    ),
    Form.DOUBLE_BACKSLASH: _rule(
        "holds two backslashes in a row, and the commands read one; write a value without them", DOTENV
    ),
    Form.DOLLAR: _rule(
        "holds a '$', which only Docker Compose replaces ($NAME, ${NAME}, $$); write the value itself, in "
        "single quotes",
        *Reader,
    ),
    Form.HASH_FIRST: _rule(
        "has a comment where its value should be, and it is read as the value; give it a line of its own",
        *Reader,
    ),
    Form.COMMENT_BEHIND: _rule(
        "has a comment behind its value, which systemd keeps as part of it; give it a line of its own",
        SYSTEMD,
    ),
    Form.COMMENT_AT_QUOTE: _rule(
        "has a '#' right behind its closing quote; give the comment a line of its own", SHELL, SYSTEMD
    ),
    Form.TAB_BEFORE_COMMENT: _rule(
        "has a tab before its '#', where Docker Compose begins no comment; give it a line of its own",
        DOTENV,
        SHELL,
    ),
    Form.QUOTE_INSIDE: _rule(
        "has a quote inside its value, which a shell takes for an opening one; write a value without it",
        SHELL,
        spreads=True,
    ),
    Form.SHELL_SIGN: _rule(
        "holds a blank or sign that means something to a shell; put the value in single quotes", SHELL
    ),
}
"""In order of reporting: a form that hides others comes first."""
