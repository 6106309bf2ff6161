"""The tags of sessions that become metric labels: those of a fixed list, so that series stay bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.settings.values import Settings

Tags = Mapping[tuple[str, str], tuple[str, ...]]
"""The listed tags of each session that has any, by server and session."""
NO_TAGS: Tags = {}


class TagLabels:
    """Finds the listed tags of sessions, once for each change of the settings."""

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._listed = {one.casefold(): one for one in listed}
        self._settings: Settings | None = None
        self._found = NO_TAGS

    def of(self, settings: Settings) -> Tags:
        """Return the listed tags; the same object until the settings change."""
        if self._listed and settings is not self._settings:
            self._settings, self._found = settings, self._find(settings)
        return self._found

    def _find(self, settings: Settings) -> Tags:
        found = {}
        for server in settings.servers:
            for session in server.sessions:
                own = {one.casefold() for one in session.tag_words}
                if tags := tuple(tag for key, tag in self._listed.items() if key in own):
                    found[server.name, session.name] = tags
        return found
