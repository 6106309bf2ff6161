"""The documentation as a site: no warning, no link that leads nowhere, nothing from elsewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from scripts.site import CONFIGURATION, ROOT, build

LINK = re.compile(r"<(?:a|img|link|script)\b[^>]*? (?:href|src)=\"?([^\"\s>]+)")
LOADED = re.compile(r"<(?:img|link|script)\b[^>]*? (?:href|src)=\"?(https?:[^\"\s>]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    assert build(folder) == 0
    return folder / "site"


def pages(site: Path) -> list[Path]:
    """Return the pages but 404.html, whose links begin at the root of the host."""
    return sorted(path for path in site.rglob("*.html") if path.name != "404.html")


def dead_links(page: Path) -> Iterator[str]:
    """Yield links within the site that lead nowhere."""
    for link in LINK.findall(page.read_text()):
        path, _, _ = link.partition("#")
        target = page.parent / unquote(path)
        if path and ":" not in path and not (target.is_file() or (target / "index.html").is_file()):
            yield f"{page.parent.name}: {link}"


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    found = pages(site)

    assert len(found) > 20
    assert [link for page in found for link in dead_links(page)] == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    assert [link for page in pages(site) for link in LOADED.findall(page.read_text())] == []


def test_every_document_is_in_the_navigation() -> None:
    text = (ROOT / CONFIGURATION).read_text()
    assert tomllib.loads(text)
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("monitoring/runbooks/*.md")]

    assert [path.name for path in documents if f'"{path.relative_to(ROOT)}"' not in text] == []
