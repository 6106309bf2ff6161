"""The answer to `/probe`: the outcome, and what is known of that one session."""

from __future__ import annotations

from exporter.collector import SESSION_METRICS
from exporter.lines import Family, Format, end_text, family_text, label_pairs, sample_line
from exporter.metrics import CATALOGUE, Kind
from exporter.probing import ProbeResult

SUCCESS = "probe_success"
DURATION = "probe_duration_seconds"


def probe_body(result: ProbeResult, form: Format) -> bytes:
    """Write the families. The samples bear no `server` and `session`: those are labels of the target."""
    success = result.is_success
    lines = "" if success is None else sample_line(SUCCESS, "", float(success))
    text = "Whether the session is connected, by this probe; no sample while it is paused."
    families = [Family(SUCCESS, Kind.GAUGE, text, lines)]
    lines = sample_line(DURATION, "", round(result.seconds, 6))
    families.append(Family(DURATION, Kind.GAUGE, "How long the probe took.", lines))
    for metric in CATALOGUE:
        measure = SESSION_METRICS.get(metric.name)
        if measure is not None:
            lines = "".join(
                sample_line(
                    metric.name + sample.suffix,
                    label_pairs(metric.labels[-len(sample.labels) :], sample.labels) if sample.labels else "",
                    sample.value,
                )
                for sample in measure(result.session)
            )
            families.append(Family(metric.name, metric.kind, metric.help, lines))
    return ("".join(family_text(family, form) for family in families) + end_text(form)).encode()
