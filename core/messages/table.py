"""The table of message ids with their English templates, collected from one file per subject.

An id consists of its subject and a name: "transport.unresolved". `scripts/texts.py` adds the templates to
the page's catalogues; `tests/meta/test_messages.py` checks ids and placeholders against their uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.messages import (
    changes,
    containers,
    field,
    files,
    gateway,
    operation,
    setting,
    store,
    sync_file,
    transport,
)

SUBJECTS: Final[Mapping[str, Mapping[str, str]]] = {
    "changes": changes.TEMPLATES,
    "containers": containers.TEMPLATES,
    "field": field.TEMPLATES,
    "files": files.TEMPLATES,
    "gateway": gateway.TEMPLATES,
    "operation": operation.TEMPLATES,
    "setting": setting.TEMPLATES,
    "store": store.TEMPLATES,
    "sync_file": sync_file.TEMPLATES,
    "transport": transport.TEMPLATES,
}
"""By subject (a file of `core/messages`), the English templates by name."""

PLAIN: Final = "plain"
"""Id of English text without an id of its own."""

JOINED: Final = "joined"
"""Id of two joined messages."""

TEMPLATES: Final[Mapping[str, str]] = {PLAIN: "{text}", JOINED: "{first}; {second}"} | {
    f"{subject}.{name}": template
    for subject, templates in SUBJECTS.items()
    for name, template in templates.items()
}
"""English templates by message id."""
