"""Update the page's catalogues from its code: `make texts`.

New texts get an empty translation, for which the page shows the English text; removed texts are deleted.
Nothing else changes.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.messages import SUBJECTS

DASHBOARD = Path(__file__).parents[1] / "dashboard"
UNBROKEN = 10_000


def main() -> int:
    """Update every catalogue and print the texts without a translation."""
    places = places_of_texts()
    for path in sorted(DASHBOARD.glob("locale/*/LC_MESSAGES/dashboard.po")):
        text, missing = updated(path.read_text(encoding="utf-8"), places)
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(DASHBOARD.parent)}: {len(missing)} texts want a translation")
        for one in missing:
            print(f"  {one}")
    return 0


def places_of_texts() -> dict[str, set[str]]:
    """Return the texts of the page and the messages of core, each with the files that contain it."""
    places: dict[str, set[str]] = {}
    for subject, templates in SUBJECTS.items():
        for template in templates.values():
            places.setdefault(template, set()).add(f"core/messages/{subject}.py")
    found = extract_from_dir(
        str(DASHBOARD),
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"templates/**.html": {"silent": "false"}},
    )
    for name, _, message, _, _ in found:
        places.setdefault(message if isinstance(message, str) else message[0], set()).add(f"dashboard/{name}")
    return places


def updated(text: str, places: dict[str, set[str]]) -> tuple[str, list[str]]:
    """Return a catalogue with exactly these texts, and those among them without a translation."""
    present = read_po(BytesIO(text.encode()))
    translations = {str(one.id): str(one.string) for one in present if one.id}
    catalogue = Catalog()
    for message in places:
        entry = catalogue.add(
            message, translations.get(message, ""), [(name, 0) for name in sorted(places[message])]
        )
        entry.flags.clear()
    body = BytesIO()
    write_po(body, catalogue, width=UNBROKEN, sort_output=True, omit_header=True, include_lineno=False)
    head = text.split("\n\n", 1)[0]
    missing = sorted(message for message in places if not translations.get(message))
    return f"{head}\n\n{body.getvalue().decode().strip()}\n", missing


if __name__ == "__main__":
    sys.exit(main())
