"""One line of the table that `make bench` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, and the limit that it has to stay below."""

    name: str
    measured: float
    limit: float
    unit: str

    def line(self) -> str:
        """Write the line."""
        verdict = "ok" if self.measured < self.limit else "MISSED"
        measured, limit = f"{self.measured:>8.1f} {self.unit:<2}", f"{self.limit:>6.0f} {self.unit:<2}"
        return f"{self.name:<54} {measured}   limit {limit}   {verdict}"
