"""The bill of materials and the table of licences, as made from the lock file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.sbom import LICENCES, UnknownLicenceError, bill_of_materials, licence_of, licence_table, packages
from tests.meta.source import project

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def text() -> str:
    return bill_of_materials(project()["project"], MOMENT)


@pytest.fixture(scope="module")
def bill(text: str) -> dict[str, Any]:
    return json.loads(text)  # type: ignore[no-any-return]


def test_the_bill_is_valid(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_same_lock_file_gives_the_same_bill(text: str) -> None:
    assert bill_of_materials(project()["project"], MOMENT) == text


def test_each_package_of_the_lock_is_named_with_version_and_licence(bill: dict[str, Any]) -> None:
    assert {part["purl"] for part in bill["components"]} == {
        f"pkg:pypi/{package.name}@{package.version}" for package in packages()
    }
    assert [part["name"] for part in bill["components"] if not part["licenses"]] == []


def test_each_package_is_needed_by_ours(bill: dict[str, Any]) -> None:
    needed = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    reached, left = set[str](), ["wppconnect-ops"]
    while left:
        name = left.pop()
        left += [other for other in needed[name] if other not in reached]
        reached.add(name)

    assert reached == set(needed)


def test_the_table_of_licences_is_that_of_the_lock_file() -> None:
    assert LICENCES.read_text() == licence_table()


@pytest.mark.parametrize(
    ("name", "metadata", "classifiers", "licence"),
    [
        ("new", {"License-Expression": "MIT OR Apache-2.0", "License": "other"}, [], "MIT OR Apache-2.0"),
        ("older", {"License": "BSD-3-Clause"}, ["License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
        ("words", {"License": "Apache License 2.0"}, [], "Apache-2.0"),
        ("text", {"License": "Copyright 2020\n..."}, ["License :: OSI Approved :: MIT License"], "MIT"),
        ("segno", {}, ["License :: OSI Approved :: BSD License"], "BSD-3-Clause"),
    ],
)
def test_licence_is_read_from_metadata(
    name: str, metadata: dict[str, str], classifiers: list[str], licence: str
) -> None:
    assert licence_of(name, metadata, classifiers) == licence


@pytest.mark.parametrize("stated", ["", "BSD License", "see LICENSE"])
def test_licence_that_is_not_known_is_named_and_not_guessed(stated: str) -> None:
    with pytest.raises(UnknownLicenceError, match=r"^strange: "):
        licence_of("strange", {"License": stated}, [])
