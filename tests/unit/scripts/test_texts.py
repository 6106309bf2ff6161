"""`make texts` changes in the catalogues what the code changed, and nothing else."""

from __future__ import annotations

from scripts.texts import DASHBOARD, places_of_texts, updated

HEAD = '# Texts of the page.\nmsgid ""\nmsgstr ""\n"Language: pt_PT\\n"\n'
OLD = HEAD + '\n#: dashboard/a.py\nmsgid "Gone"\nmsgstr "Foi-se"\n\n#: a.py\nmsgid "Stays"\nmsgstr "Fica"\n'


def translations(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line.startswith("msg"))


def test_catalogues_that_are_up_to_date_keep_every_translation() -> None:
    places = places_of_texts()
    catalogues = [path.read_text(encoding="utf-8") for path in DASHBOARD.glob("locale/*/*/*.po")]

    written = [updated(text, places) for text in catalogues]

    assert len(written) == 2
    assert [missing for _, missing in written] == [[], []]
    assert [translations(text) for text, _ in written] == [translations(text) for text in catalogues]


def test_a_new_text_comes_in_without_translation_and_one_that_is_gone_leaves() -> None:
    text, missing = updated(OLD, {"Stays": {"dashboard/b.py", "dashboard/a.py"}, "New": {"dashboard/b.py"}})

    assert missing == ["New"]
    assert text == (
        HEAD + '\n#: dashboard/b.py\nmsgid "New"\nmsgstr ""\n'
        '\n#: dashboard/a.py dashboard/b.py\nmsgid "Stays"\nmsgstr "Fica"\n'
    )
