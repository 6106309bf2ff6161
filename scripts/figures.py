"""One line of the table that `make bench` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value, and its limit."""

    name: str
    measured: float
    limit: float
    unit: str

    def line(self) -> str:
        """Return the line."""
        verdict = "ok" if self.measured < self.limit else "MISSED"
        measured, limit = f"{self.measured:>8.1f} {self.unit:<2}", f"{self.limit:>6.0f} {self.unit:<2}"
        return f"{self.name:<54} {measured}   limit {limit}   {verdict}"
