"""Generated files: the value changes, every other byte stays, and independent readers read the value.

The files are put together from pieces, so that what an edit has to produce is known without parsing anything.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import yaml
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sync.editing import edit
from core.sync.targets import State
from tests.support.sync import target

values = st.text("ABCXYZabcxyz019._$-", min_size=1, max_size=40)
words = st.text("abcXYZ019_-./:@,", min_size=1, max_size=12)
texts = st.text(st.characters(exclude_characters="'\"\\\r\n\0$", codec="utf-8"), max_size=12)
names = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "KEY")


@dataclass(frozen=True)
class Piece:
    """A part of a file; of the value itself also the quotes in which it stands."""

    before: str
    raw: str = ""
    after: str = ""
    is_value: bool = False

    @property
    def text(self) -> str:
        return self.before + self.raw + self.after


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def quoted(text: str, quote: str) -> str:
    return f"{quote}{text}{quote}"


def text_without_end(draw: st.DrawFn) -> str:
    # What Python takes for a line end may stand in a value, but not what ends a line for Compose.
    return draw(texts).replace("\x85", "").replace("\u2028", "").replace("\u2029", "")


@st.composite
def env_pieces(draw: st.DrawFn) -> list[Piece]:
    """An env file: neighbours of every kind, and KEY one to three times."""

    def neighbour() -> Piece:
        # A control character, of which nobody knows what a reader makes, is refused (test_forms.py).
        name, text = draw(names), CONTROL.sub("", text_without_end(draw))
        lines = [
            "",
            f"# KEY={text}",
            f"{name}={draw(words)}",
            f"{name}='{text}'",
            f'{name}="{text}"',
            f"{name}='{text}\nKEY=inside\n'",
            f'export {name}="a\nKEY=inside"',
            f"{name}=",
            f"#{name}",
        ]
        return Piece(draw(st.sampled_from(lines)))

    def value() -> Piece:
        head = draw(st.sampled_from(["KEY=", "export KEY=", "  KEY=", "KEY = ", "export\tKEY="]))
        quote = draw(st.sampled_from(["", "'", '"']))
        tail = draw(st.sampled_from(["", "  ", " # a note", " # KEY=note"]))
        return Piece(head, quoted("OLD-value", quote), tail, is_value=True)

    pieces = [neighbour() for _ in range(draw(st.integers(0, 5)))]
    for _ in range(draw(st.integers(1, 3))):
        pieces.insert(draw(st.integers(0, len(pieces))), value())
    return pieces


def joined(texts: list[str], end: str, *, mark: bool, closed: bool) -> str:
    body = end.join(texts) + (end if closed else "")
    return ("\ufeff" if mark else "") + body.replace("\r\n", "\n").replace("\n", end)


@given(env_pieces(), values, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
@settings(deadline=None)
def test_env_file_keeps_every_other_byte(
    pieces: list[Piece], value: str, end: str, mark: bool, closed: bool
) -> None:
    before = joined([piece.text for piece in pieces], end, mark=mark, closed=closed)
    wanted = joined(
        [
            piece.before
            + (quoted(value, "'" if "$" in value else piece.raw[: piece.raw.index("O")]) + piece.after)
            if piece.is_value
            else piece.text
            for piece in pieces
        ],
        end,
        mark=mark,
        closed=closed,
    )
    key = target(".env", "KEY")

    done = edit(before, {key: value})

    assert done.judged[key.name].state is State.WILL_CHANGE
    assert done.text == wanted
    read = dotenv_values(stream=io.StringIO(done.text.removeprefix("\ufeff")), interpolate=True)
    assert read["KEY"] == value
    assert edit(done.text, {key: value}).judged[key.name].state is State.IN_SYNC


@st.composite
def compose_pieces(draw: st.DrawFn) -> list[Piece]:
    """A compose file: services in every form, each with KEY and neighbours."""
    pieces = [Piece(draw(st.sampled_from(["", "# KEY: x\n", "---\n", "version: '3'\n"])) + "services:\n")]
    for number in range(draw(st.integers(1, 3))):
        pieces.append(Piece(f"  s{number}:\n    image: x{draw(st.sampled_from(['', '  # KEY: no']))}\n"))
        quote = draw(st.sampled_from(["", "'", '"']))
        noise = yaml.safe_dump(text_without_end(draw), allow_unicode=True, width=10_000).splitlines()[0]
        tail = draw(st.sampled_from(["\n", "  # a note\n", " \n"]))
        anchor = draw(st.sampled_from(["", f"&a{number} ", "!!str "]))
        if draw(st.booleans()):
            pieces.append(Piece("    environment:\n"))
            pieces.append(Piece(f"      A{number}: {noise}\n      'B': |\n        KEY: text\n"))
            pieces.append(Piece(f"      KEY: {anchor}", quoted("OLD-value", quote), tail, is_value=True))
        else:
            indent = draw(st.sampled_from(["    ", "      "]))
            pieces.append(Piece(f"    environment:\n{indent}- A\n{indent}- B=1\n"))
            pieces.append(Piece(f"{indent}- {quote}KEY=", "OLD-value", f"{quote}{tail}", is_value=True))
    return pieces


def with_value(piece: Piece, value: str, quote: str) -> str:
    """Write the value as Compose needs it, a whole value without quotes in the given ones."""
    escaped = value.replace("$", "$$")
    if not piece.is_value:
        return piece.text
    if piece.raw[0] in "'\"" or piece.before.endswith("="):
        return piece.before + piece.raw.replace("OLD-value", escaped) + piece.after
    return piece.before + quoted(escaped, quote) + piece.after


@given(compose_pieces(), values, st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(deadline=None)
def test_compose_file_keeps_every_other_byte(pieces: list[Piece], value: str, end: str, mark: bool) -> None:
    before = joined(["".join(piece.text for piece in pieces)], end, mark=mark, closed=False)
    # Whether a value without quotes needs some is for the reader below to judge.
    possible = [
        joined(["".join(with_value(piece, value, quote) for piece in pieces)], end, mark=mark, closed=False)
        for quote in ("", "'")
    ]
    key = target("compose.yml", "KEY")

    done = edit(before, {key: value})

    assert done.judged[key.name].state is State.WILL_CHANGE
    assert done.text in possible
    read = [
        service["environment"]["KEY"]
        if isinstance(service["environment"], dict)
        else next(one for one in service["environment"] if one.startswith("KEY=")).removeprefix("KEY=")
        for service in yaml.safe_load(done.text.removeprefix("\ufeff"))["services"].values()
    ]
    assert set(read) == {value.replace("$", "$$")}
    assert edit(done.text, {key: value}).judged[key.name].state is State.IN_SYNC
