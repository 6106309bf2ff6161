"""Which form of the exposition a scraper asks for: its Accept and Accept-Encoding headers."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.lines import Format


def choose_format(accept: str) -> Format:
    """Choose the format that the scraper prefers; anybody who does not say gets the text format."""
    best, preferred = 0.0, Format.TEXT
    for media_type, parameters, weight in _choices(accept):
        form = _format(media_type, parameters.get("version", ""))
        if form is not None and weight > best:
            best, preferred = weight, form
    return preferred


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether the answer may be compressed."""
    return any(coding == "gzip" and weight > 0 for coding, _, weight in _choices(accept_encoding))


def _format(media_type: str, version: str) -> Format | None:
    # Prometheus asks for 1.0.0 and 0.0.1 of OpenMetrics, which do not differ in what we write; a later major
    # version may. It also asks for protobuf, which is not offered.
    if media_type == "application/openmetrics-text":
        return Format.OPENMETRICS if version in ("", "1.0.0", "0.0.1") else None
    if media_type in ("text/plain", "text/*", "*/*"):
        return Format.TEXT if version in ("", "0.0.4", "1.0.0") else None
    return None


def _choices(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for choice in header.split(","):
        name, *rest = (part.strip() for part in choice.split(";"))
        parameters = {
            key.strip().lower(): value.strip(' "') for key, _, value in (one.partition("=") for one in rest)
        }
        try:
            weight = float(parameters.get("q", "1"))
        except ValueError:
            weight = 0.0
        yield name.lower(), parameters, weight
