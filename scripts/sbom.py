"""Write what an installation from the lock file consists of: a bill of materials, and a table of licences.

    sbom.py                 dist/wppconnect-ops-<version>.cdx.json (CycloneDX)
    sbom.py --licences      docs/licences.md

Versions come from requirements.lock, licences and the graph of dependencies from the metadata of the packages
in this environment. With SOURCE_DATE_EPOCH the bill is the same, byte for byte, for the same lock file.
"""

from __future__ import annotations

import argparse
import os
import re
import time
import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
LICENCES = ROOT / "docs" / "licences.md"
PINNED = re.compile(r"^[a-z0-9.-]+==.*?(?= \\$)", re.MULTILINE)

SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What metadata calls a licence, by its identifier."""

READ = {
    "altair": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "pyrage": "MIT",
    "segno": "BSD-3-Clause",
}
"""Licences of packages whose metadata names none, or only "BSD"; taken from their licence files."""

HEADER = """# Licences

wppconnect-ops itself is under [Apache-2.0](../LICENSE). The packages that it installs are under these
licences; `make sbom` writes their versions, too, as a CycloneDX file. The image adds them to its base image.

| package | licence |
| --- | --- |
"""


class UnknownLicenceError(Exception):
    """The metadata of a package names no licence that is known here: add it to `SPDX` or `READ`."""


@dataclass(frozen=True)
class Package:
    """A package of the lock file that is installed on this platform."""

    name: str
    version: str
    licence: str
    requires: frozenset[str]


def main() -> None:
    """Write the bill of materials, or the table of licences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--licences", action="store_true", help="write docs/licences.md")
    if parser.parse_args().licences:
        LICENCES.write_text(licence_table(), encoding="utf-8")
        print(f"Written: {LICENCES.relative_to(ROOT)}")
        return
    project = declared()
    path = ROOT / "dist" / f"{project['name']}-{project['version']}.cdx.json"
    path.parent.mkdir(exist_ok=True)
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())), UTC)
    path.write_text(bill_of_materials(project, moment), encoding="utf-8")
    print(f"Written: {path.relative_to(ROOT)}")


def packages() -> list[Package]:
    """Return the locked packages of this platform, by name."""
    pins = [Requirement(line) for line in PINNED.findall(LOCK.read_text())]
    here = {canonicalize_name(pin.name): pin for pin in pins if pin.marker is None or pin.marker.evaluate()}
    needed = [
        *declared()["dependencies"],
        *(text for name in here for text in distribution(name).requires or []),
    ]
    extras: dict[str, set[str]] = {name: {""} for name in here}
    for requirement in map(Requirement, needed):
        extras.get(canonicalize_name(requirement.name), set()).update(requirement.extras)
    return [_package(name, pin, here, extras[name]) for name, pin in sorted(here.items())]


def licence_table() -> str:
    """Return the text of docs/licences.md, without versions: it need not change with each update."""
    return HEADER + "".join(f"| {package.name} | {package.licence} |\n" for package in packages())


def bill_of_materials(project: Mapping[str, Any], moment: datetime) -> str:
    """Return the bill as CycloneDX 1.6 in JSON, dated with `moment`."""
    parts = {package.name: _component(package) for package in packages()}
    ours = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        licenses=[LicenseFactory().make_from_string(project["license"])],
    )
    bill = Bom(components=parts.values(), serial_number=uuid5(NAMESPACE_OID, LOCK.read_text()))
    bill.metadata.component = ours
    bill.metadata.timestamp = moment
    bill.register_dependency(ours, [parts[name] for name in _names(project["dependencies"], parts)])
    for package in packages():
        bill.register_dependency(parts[package.name], [parts[name] for name in sorted(package.requires)])
    return JsonV1Dot6(bill).output_as_string(indent=2)


def licence_of(name: str, metadata: Mapping[str, str], classifiers: list[str]) -> str:
    """Return a package's licence as an SPDX expression. Raise UnknownLicenceError if there is none."""
    if expression := READ.get(name) or metadata.get("License-Expression"):
        return expression
    stated = [metadata.get("License", ""), *(text.rpartition(" :: ")[2] for text in classifiers)]
    for text in stated:
        if re.fullmatch(r"[\w.+-]+", text):
            return text
        if text in SPDX:
            return SPDX[text]
    raise UnknownLicenceError(f"{name}: {', '.join(filter(None, stated)) or 'no licence in its metadata'}")


def declared() -> dict[str, Any]:
    """Return what pyproject.toml says of the project."""
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])


def _package(name: str, pin: Requirement, pins: Container[str], extras: Iterable[str]) -> Package:
    found: Distribution = distribution(name)
    metadata = {key: found.metadata[key] for key in found.metadata}
    classifiers = [text for text in found.metadata.get_all("Classifier", []) if text.startswith("License ::")]
    return Package(
        name=name,
        version=str(pin.specifier).removeprefix("=="),
        licence=licence_of(name, metadata, classifiers),
        requires=frozenset(_names(found.requires or [], pins, extras)),
    )


def _names(requirements: list[str], pins: Container[str], extras: Iterable[str] = ("",)) -> Iterator[str]:
    """Yield the pinned packages among requirements, in their order, with those of the chosen extras."""
    for requirement in map(Requirement, requirements):
        name = canonicalize_name(requirement.name)
        if name in pins and (
            requirement.marker is None
            or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
        ):
            yield name


def _component(package: Package) -> Component:
    return Component(
        name=package.name,
        version=package.version,
        bom_ref=package.name,
        purl=PackageURL("pypi", name=package.name, version=package.version),
        licenses=[LicenseFactory().make_from_string(package.licence)],
    )


if __name__ == "__main__":
    main()
