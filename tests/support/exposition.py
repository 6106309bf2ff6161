"""What an exposition says, as values."""

from __future__ import annotations

OURS = ("wppconnect_", "probe_", "process_")


def samples(text: str) -> dict[str, float]:
    """Return the value of each sample by its name and labels as they are written; not other lines."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith(OURS))
    return {series: float(value) for series, _, value in lines}
