"""Our own `.env`: what it sets, and the lines that its readers would take differently.

Compose reads it for the containers, the commands and `make up` read it here, and systemd as the units'
EnvironmentFile. Only the standard library is imported.
"""

from __future__ import annotations

import re
from pathlib import Path

from core.env_forms import OWN_READERS
from core.env_lines import disagreements, env_values, in_words, read_env_lines

OWN_NAME = re.compile(
    r"(?:WPPCONNECT|EXPORTER|DASHBOARD|ALERTMANAGER|SIMULATOR|OPS|EVOLUTION|COMPOSE|DOCKER)_\w+|TZ"
)


def read_own_env(path: Path) -> tuple[dict[str, str], list[str]]:
    """Return what the file sets, as Compose reads it, and a sentence for each line to be corrected.

    Lines of other programs' variables count only where they spoil ours. A missing file sets nothing.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return {}, []
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        return {}, [f"{path}: line {number} is not UTF-8 text; save the file as UTF-8"]
    except OSError as error:
        return {}, [f"{path}: cannot be read ({error.strerror}); correct or remove it"]
    lines = read_env_lines(text)
    found = disagreements(lines, OWN_READERS, concerns=lambda key: OWN_NAME.fullmatch(key) is not None)
    return env_values(lines), [f"{path}: {in_words(number, form)}" for number, form in found]
