"""The machine's clock as a test moves it on, also for the programs that it started."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


class MovedClock:
    """Runs like the machine's clock, ahead of it by the seconds that a file names."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        """Tell the time in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead())

    def advance(self, seconds: float) -> None:
        """Move it on at once, in every process that reads the file."""
        whole = self._file.with_suffix(".new")
        whole.write_text(str(self._ahead() + seconds))
        whole.replace(self._file)

    def _ahead(self) -> float:
        try:
            return float(self._file.read_text())
        except FileNotFoundError:
            return 0.0
