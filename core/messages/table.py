"""The one table of message ids: English templates, collected from one file for each subject.

An id is its subject and a name, "transport.unresolved". `scripts/texts.py` brings the templates into the
page's catalogues, `tests/meta/test_messages.py` holds ids and placeholders against the code that uses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.messages import changes, containers, files, gateway, setting, transport

SUBJECTS: Final[Mapping[str, Mapping[str, str]]] = {
    "changes": changes.TEMPLATES,
    "containers": containers.TEMPLATES,
    "files": files.TEMPLATES,
    "gateway": gateway.TEMPLATES,
    "setting": setting.TEMPLATES,
    "transport": transport.TEMPLATES,
}
"""By subject, the file of `core/messages` that holds them: the name within the subject, and the English."""

PLAIN: Final = "plain"
"""English that has no id of its own yet."""

JOINED: Final = "joined"
"""Two messages, one after the other."""

TEMPLATES: Final[Mapping[str, str]] = {PLAIN: "{text}", JOINED: "{first}; {second}"} | {
    f"{subject}.{name}": template
    for subject, templates in SUBJECTS.items()
    for name, template in templates.items()
}
"""Every message id with its English template."""
