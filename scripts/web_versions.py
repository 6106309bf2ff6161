"""Write which WhatsApp Web each gateway release pins, and until when WhatsApp serves it. Run occasionally.

    .venv/bin/python scripts/web_versions.py SERVER LIBRARY WA_VERSION

The arguments are clones, with history and tags, of the public repositories wppconnect-server, wppconnect and
wa-version. A release of the server requires a range of library versions. The version in its lock file counts,
else the newest version of the range on the release day, which an image built on that day contains.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = ROOT / "core" / "gateways" / "wppconnect" / "contract" / "web_versions.json"
PINS = ROOT / "tests" / "data" / "web_version_pins.json"
"""Data of the test that checks how often a pin was renewed before it expired."""
LIBRARY = "@wppconnect-team/wppconnect"
CONFIG = "src/config/create-config.ts"
PIN = re.compile(r"^\+?\s*whatsappVersion: '([^']+)'")
OLDEST_RELEASE = (2, 5, 0)
"""Older releases pin expired versions with another numbering."""


def git(clone: Path, *arguments: str) -> str:
    """Return git's output in a clone; empty if it fails, as for a file that a release does not contain."""
    command = ["git", "-C", str(clone), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - clones of ours
    return done.stdout


def numbers(version: str) -> tuple[int, ...]:
    """Return a version's numbers, for comparison."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def expiries(wa_version: Path) -> dict[str, str]:
    """Return when each version of WhatsApp Web expires, from the whole history of versions.json."""
    found: dict[str, str] = {}
    version = None
    for line in git(wa_version, "log", "--reverse", "-p", "-U4", "--", "versions.json").splitlines():
        if line.startswith("@@"):
            version = None
        elif told := re.match(r'[+ ]\s+"version": "([^"]+)"', line):
            version = told[1]
        elif version and (told := re.match(r'[+ ]\s+"expire": "([^".]+)', line)):
            found[version] = f"{told[1]}Z"
    return found


def expiry(pin: str, known: dict[str, str]) -> str | None:
    """Return when the newest version that matches a pin expires. Matches pins as the library does."""
    wanted = re.compile("^" + pin.replace(".", r"\.", 1).replace("x", r"\d+", 1))
    return max((at for version, at in known.items() if wanted.match(version)), default=None)


def pins(library: Path) -> Iterator[tuple[str, str]]:
    """Yield the pinned versions with the day of the pin, the oldest first."""
    day = ""
    log = git(library, "log", "--reverse", "--format=day %cs", "-p", "-G", "whatsappVersion:", "--", CONFIG)
    for line in log.splitlines():
        if line.startswith("day "):
            day = line.removeprefix("day ")
        elif line.startswith("+") and (told := PIN.match(line)):
            yield told[1], day


def tags(clone: Path) -> dict[str, str]:
    """Return the releases of a clone with their days, without pre-releases, the oldest first."""
    dated = git(clone, "for-each-ref", "--format=%(refname:short) %(creatordate:short)", "refs/tags")
    found = dict(line.split(" ") for line in dated.splitlines())
    released = [tag for tag in found if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    return {tag: found[tag] for tag in sorted(released, key=numbers)}


def library_of(server: Path, tag: str, day: str, libraries: dict[str, str]) -> str | None:
    """Return the version of the library that a release of the server contains."""
    locked = re.search(
        rf'"{LIBRARY}@[^\n]*\n\s+version:? "?([\d.]+)', git(server, "show", f"{tag}:yarn.lock")
    )
    if locked:
        return f"v{locked[1]}"
    wanted = json.loads(git(server, "show", f"{tag}:package.json"))["dependencies"][LIBRARY]
    least = numbers(wanted)
    fitting = [
        one
        for one, released in libraries.items()
        if released <= day and numbers(one)[0] == least[0] and numbers(one) >= least
    ]
    return fitting[-1] if fitting else None


def main(server: Path, library: Path, wa_version: Path) -> None:
    """Write the data file."""
    known, libraries = expiries(wa_version), tags(library)
    releases = {}
    for tag, day in tags(server).items():
        built_in = library_of(server, tag, day, libraries) if numbers(tag) >= OLDEST_RELEASE else None
        told = re.search(r"whatsappVersion: '([^']+)'", git(library, "show", f"{built_in}:{CONFIG}"))
        expires_at = expiry(told[1], known) if told else None
        if built_in and told and expires_at:
            releases[tag.removeprefix("v")] = {
                "library": built_in.removeprefix("v"),
                "web_version": told[1],
                "expires_at": expires_at,
            }
    history = [
        {"web_version": pin, "pinned_on": day, "expires_at": at}
        for pin, day in pins(library)
        if (at := expiry(pin, known))
    ]
    made_on = max(git(clone, "log", "-1", "--format=%cs").strip() for clone in (server, library, wa_version))
    for path, content in ((DATA, {"releases": releases}), (PINS, {"pins": history})):
        path.write_text(json.dumps({"made_on": made_on} | content, indent=1) + "\n", encoding="utf-8")
    print(f"{DATA.name}: {len(releases)} releases, {len(history)} pins, as of {made_on}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
