from __future__ import annotations

import pytest

from exporter.collector import Sample
from exporter.metrics import Kind, Metric
from exporter.rows import Rows

LENGTH = Metric("thing_length", Kind.GAUGE, "How long the thing is.", ("server",))
VOWEL = Metric("thing_vowels", Kind.GAUGE, "How many vowels it has.", ("server", "vowel"))


def test_lines_are_written_again_only_for_the_metric_that_changed():
    rows = Rows(
        (LENGTH, VOWEL),
        {
            "thing_length": lambda thing: (Sample(len(thing)),),
            "thing_vowels": lambda thing: (Sample(thing.count("a"), ("a",)),),
        },
    )
    rows.update([(("main",), "ab")])
    length, vowels = rows.lines["thing_length"], rows.lines["thing_vowels"]

    rows.update([(("main",), "aa")])

    assert rows.lines["thing_length"] is length
    assert vowels == 'thing_vowels{server="main",vowel="a"} 1\n'
    assert rows.lines["thing_vowels"] == 'thing_vowels{server="main",vowel="a"} 2\n'


def test_same_subject_is_not_measured_again():
    measured = []
    rows = Rows((LENGTH,), {"thing_length": lambda thing: (measured.append(thing), (Sample(1),))[1]})
    subject = "ab"

    rows.update([(("main",), subject)])
    rows.update([(("main",), subject)])

    assert measured == ["ab"]


def test_order_of_the_subjects_is_that_of_the_latest_update():
    rows = Rows((LENGTH,), {"thing_length": lambda thing: (Sample(len(thing)),)})
    rows.update([(("main",), "ab"), (("branch",), "abc")])

    rows.update([(("branch",), "abc"), (("main",), "ab")])

    assert rows.lines["thing_length"] == 'thing_length{server="branch"} 3\nthing_length{server="main"} 2\n'


def test_subject_named_twice_is_served_once():
    rows = Rows((LENGTH,), {"thing_length": lambda thing: (Sample(len(thing)),)})

    rows.update([(("main",), "ab"), (("main",), "abc")])

    assert rows.lines["thing_length"].count("\n") == 1


def test_failing_measure_leaves_nothing_behind():
    rows = Rows((LENGTH,), {"thing_length": lambda thing: (Sample(len(thing)),)})
    rows.update([(("main",), "ab")])
    with pytest.raises(TypeError):
        rows.update([(("main",), "abc"), (("branch",), 5)])

    rows.update([(("main",), "abc")])

    assert rows.lines["thing_length"] == 'thing_length{server="main"} 3\n'
