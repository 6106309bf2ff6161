from __future__ import annotations

import io

from cli.terminal import ENTER, LEAVE, Screen


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
