"""Build the documentation as a site of static files in build/docs/site.

The files are copied first, into the folders in which they lie in the checkout, so that links between them
lead somewhere in both. A link that leads nowhere fails the build.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from cli.monitoring_kit import PLACEHOLDER

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "docs"
CONFIGURATION = "zensical.toml"
SHOWN = ("*.md", "*.yml", "LICENSE", "docs/**/*", "monitoring/**/*", "deploy/**/*")


def main() -> int:
    """Build the site, and print where it is."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    code = build(OUTPUT)
    print(f"{(OUTPUT / 'site' / 'index.html').relative_to(ROOT)}")
    return code


def build(folder: Path) -> int:
    """Build the site in `site` of a new folder, and return the exit code."""
    for pattern in SHOWN:
        for source in filter(Path.is_file, ROOT.glob(pattern)):
            target = folder / "docs" / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for runbooks in folder.glob("docs/monitoring/runbooks/*.md"):
        # They lead to the operations page, of which the site is no part.
        runbooks.write_text(runbooks.read_text().replace("](/", f"]({PLACEHOLDER}/"))
    shutil.copyfile(ROOT / CONFIGURATION, folder / CONFIGURATION)
    program = Path(sys.executable).with_name("zensical")
    return subprocess.run([program, "build", "--strict"], cwd=folder, check=False).returncode  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
