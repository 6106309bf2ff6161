"""What the terminal draws: the second screen, and QR codes that scanners read."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image

from cli.terminal import BLACK_ON_WHITE, ENTER, LEAVE, PLAIN, Screen, draw_qr


def test_what_was_shown_is_on_the_second_screen_only() -> None:
    out = io.StringIO()

    with Screen(out) as screen:
        screen.show(["a code"])

    assert out.getvalue().startswith(ENTER)
    assert out.getvalue().endswith(LEAVE)


def test_unchanged_frame_is_not_drawn_again() -> None:
    out = io.StringIO()
    screen = Screen(out)

    screen.show(["one", "two"])
    screen.show(["one", "two"])

    assert out.getvalue().count("one") == 1


def test_size_of_what_is_no_window_is_the_classical_one() -> None:
    assert tuple(Screen(io.StringIO()).size) == (80, 24)


PAYLOAD = "2@" + "q7Lk3+/=" * 28
HALVES = {" ": (255, 255), "▀": (0, 255), "▄": (255, 0), "█": (0, 0)}


def photograph(lines: list[str]) -> Image.Image:
    """Turn characters back into pixels, as a terminal shows them."""
    rows = [line.removeprefix(BLACK_ON_WHITE).removesuffix(PLAIN) for line in lines]
    pixels = [HALVES[character][half] for row in rows for half in (0, 1) for character in row]
    image = Image.new("L", (len(rows[0]), 2 * len(rows)))
    image.putdata(pixels)
    return image.resize((image.width * 4, image.height * 4), Image.Resampling.NEAREST)


def test_drawn_code_reads_as_its_payload() -> None:
    lines = draw_qr(PAYLOAD, columns=200, rows=100)

    assert [found.text for found in zxingcpp.read_barcodes(photograph(lines))] == [PAYLOAD]


def test_code_in_a_small_window_has_a_smaller_margin_and_reads_the_same() -> None:
    roomy = draw_qr(PAYLOAD, columns=200, rows=100)

    tight = draw_qr(PAYLOAD, columns=200, rows=len(roomy) - 1)

    assert len(tight) == len(roomy) - 2
    assert [found.text for found in zxingcpp.read_barcodes(photograph(tight))] == [PAYLOAD]


def test_window_that_is_too_small_is_told_what_it_takes_and_the_other_ways_in() -> None:
    lines = draw_qr(PAYLOAD, columns=80, rows=18)

    assert " ".join(lines) == (
        "The code needs 57 columns and 29 rows, and 80 and 18 are free: "
        "enlarge the window or make its letters smaller. Or scan the code on the page, "
        "or use --phone NUMBER for a pairing code to type."
    )
    assert max(map(len, lines)) <= 80
