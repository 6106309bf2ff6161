"""The catalogue of all metrics that the exporter serves, in the order of the exposition.

A new metric is one row here. The row contains the function that computes its samples from a server or
session, or refers to `exporter.collector` if that takes more than one expression. Tests compare
docs/metrics.md, the rules and the panels with this list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from core.gateways.registry import kind_of
from core.models import ServerSnapshot, SessionSnapshot, Verdict
from core.monitor.self_healing import Healed
from core.reasons import Loss, ProbeFailure
from exporter import collector
from exporter.collector import AUTH_FAILURE_REASONS, Samples, counts, flag, histogram, info, moment, value

Subject = TypeVar("Subject")


class Kind(StrEnum):
    """Prometheus's metric types, as written in the exposition."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """A metric family. `labels` starts with the subject's labels: none, `server`, or `server, session`."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Measured(Metric, Generic[Subject]):
    """A metric of a server or session; `measure` receives the result of `server_at` or `session_at`."""

    measure: Callable[[Subject], Samples]
    changes_with_each_probe: bool = False


SERVER = ("server",)
SESSION = ("server", "session")

SERVER_METRICS: tuple[Measured[ServerSnapshot], ...] = (
    Measured(
        "wppconnect_up",
        Kind.GAUGE,
        "Whether a WPPConnect Server answers at its address; no sample if not known or in maintenance.",
        SERVER,
        lambda server: flag(server.up),
    ),
    Measured(
        "wppconnect_server_maintenance_end_timestamp_seconds",
        Kind.GAUGE,
        "When the open maintenance window of the whole gateway ends; no sample if none is open.",
        SERVER,
        lambda server: moment(server.maintenance_until),
    ),
    Measured(
        "wppconnect_probe_interval_seconds",
        Kind.GAUGE,
        "How often each session of the gateway is probed at present.",
        SERVER,
        lambda server: value(server.interval_seconds),
    ),
    Measured(
        "wppconnect_probe_duration_seconds",
        Kind.HISTOGRAM,
        "How long the probes of the gateway's sessions took.",
        SERVER,
        lambda server: histogram(server.probe_seconds),
    ),
    Measured(
        "wppconnect_probe_failures_total",
        Kind.COUNTER,
        "How many probes of the gateway's sessions failed.",
        (*SERVER, "reason"),
        lambda server: counts(server.probe_failures, ProbeFailure),
    ),
    Measured(
        "wppconnect_recovery_seconds",
        Kind.HISTOGRAM,
        "How long outages of the gateway's sessions lasted, from lost until connected again.",
        SERVER,
        lambda server: histogram(server.recovery_seconds),
    ),
    Measured(
        "wppconnect_secret_key_valid",
        Kind.GAUGE,
        "Whether the gateway accepts the configured secret key; no sample while that is not known.",
        SERVER,
        lambda server: flag(server.secret_key_valid),
    ),
    Measured(
        "wppconnect_server_default_secret",
        Kind.GAUGE,
        "Whether the gateway accepts the public default secret key, and so is open to everyone.",
        SERVER,
        lambda server: flag(server.default_secret),
    ),
    Measured(
        "wppconnect_server_info",
        Kind.GAUGE,
        "The gateway's kind and version, with the value 1; no sample while the version is not known.",
        (*SERVER, "kind", "version"),
        lambda server: info(server.kind, server.version),
    ),
    Measured(
        "wppconnect_server_web_version_expiry_timestamp_seconds",
        Kind.GAUGE,
        "When the WhatsApp Web that the gateway's release was built with expires; no sample if not known.",
        SERVER,
        lambda server: moment(kind_of(server.kind).expires_at(server.version)),
    ),
    Measured(
        "wppconnect_server_restarts_total",
        Kind.COUNTER,
        "How many restarts of the gateway were noticed by its shrinking uptime.",
        SERVER,
        lambda server: value(server.restarts),
    ),
    Measured(
        "wppconnect_server_links_not_completed_total",
        Kind.COUNTER,
        "How often a code of the gateway was used, or probably used, and the phone was not linked in time.",
        SERVER,
        lambda server: value(server.links_not_completed),
    ),
    Measured(
        "wppconnect_token_renewals_total",
        Kind.COUNTER,
        "How many tokens were obtained for the gateway's sessions, each first one included.",
        SERVER,
        lambda server: value(sum(session.token_renewals for session in server.sessions)),
    ),
    Measured(
        "wppconnect_server_end_to_end_offered",
        Kind.GAUGE,
        "Whether the gateway offers what the end-to-end check asks; no sample while the check is off.",
        SERVER,
        lambda server: flag(server.end_to_end_offered),
    ),
    Measured(
        "wppconnect_self_healing_total",
        Kind.COUNTER,
        "How often self-healing set out to restart a session of the gateway, by how that ended.",
        (*SERVER, "outcome"),
        lambda server: counts(server.self_healing, Healed),
    ),
)

SESSION_METRICS: tuple[Measured[SessionSnapshot], ...] = (
    Measured(
        "wppconnect_session_connected",
        Kind.GAUGE,
        "Whether the session is connected, by a fresh probe; no sample while it is paused or in maintenance.",
        SESSION,
        collector.connected,
    ),
    Measured(
        "wppconnect_session_state",
        Kind.GAUGE,
        "The verdict on the session: 1 for the state that holds, 0 for every other.",
        (*SESSION, "state"),
        collector.state,
    ),
    Measured(
        "wppconnect_session_enabled",
        Kind.GAUGE,
        "Whether the session is monitored: 0 when the session or its server is paused.",
        SESSION,
        lambda session: flag(session.verdict is not Verdict.PAUSED),
    ),
    Measured(
        "wppconnect_session_maintenance_end_timestamp_seconds",
        Kind.GAUGE,
        "When the session's open maintenance window ends; no sample if none is open.",
        SESSION,
        lambda session: moment(session.maintenance_until),
    ),
    Measured(
        "wppconnect_session_state_since_timestamp_seconds",
        Kind.GAUGE,
        "When the session entered its present state.",
        SESSION,
        lambda session: moment(session.since),
    ),
    Measured(
        "wppconnect_session_last_connected_timestamp_seconds",
        Kind.GAUGE,
        "When the session was last seen connected; no sample if it never was.",
        SESSION,
        lambda session: moment(session.last_connected),
        changes_with_each_probe=True,
    ),
    Measured(
        "wppconnect_session_last_probe_timestamp_seconds",
        Kind.GAUGE,
        "When the latest probe of the session ended, whatever it saw; no sample if paused or in maintenance.",
        SESSION,
        collector.last_probe,
        changes_with_each_probe=True,
    ),
    Measured(
        "wppconnect_session_ever_connected",
        Kind.GAUGE,
        "Whether the session was ever seen connected: one that never was is not an outage.",
        SESSION,
        lambda session: flag(session.ever_connected),
    ),
    Measured(
        "wppconnect_session_disconnects_total",
        Kind.COUNTER,
        "How often the session was lost, by what ended the connection.",
        (*SESSION, "reason"),
        lambda session: counts(session.disconnects, Loss),
    ),
    Measured(
        "wppconnect_session_lost_reason",
        Kind.GAUGE,
        "Why the session's present outage began, with the value 1; no sample without an outage.",
        (*SESSION, "reason"),
        collector.lost_reason,
    ),
    Measured(
        "wppconnect_auth_failures_total",
        Kind.COUNTER,
        "How often the gateway refused the session's token or the secret key, each refusal once.",
        (*SESSION, "reason"),
        lambda session: counts(session.auth_failures, AUTH_FAILURE_REASONS),
    ),
    Measured(
        "wppconnect_session_end_to_end_possible",
        Kind.GAUGE,
        "Whether the session can be checked end to end: 0 when the gateway tells no number of its account.",
        SESSION,
        collector.end_to_end_possible,
    ),
    Measured(
        "wppconnect_session_end_to_end_success",
        Kind.GAUGE,
        "Whether WhatsApp answered the session's latest end-to-end check; no sample without one.",
        SESSION,
        collector.end_to_end_success,
    ),
    Measured(
        "wppconnect_session_end_to_end_last_success_timestamp_seconds",
        Kind.GAUGE,
        "When WhatsApp last answered an end-to-end check of the session; no sample if it never did.",
        SESSION,
        collector.end_to_end_last_success,
    ),
    Measured(
        "wppconnect_session_self_healing_tries",
        Kind.GAUGE,
        "How often self-healing tried to end the session's present outage; no sample without one.",
        SESSION,
        collector.self_healing_tries,
    ),
)

TAG_METRICS: tuple[Measured[tuple[str, ...]], ...] = (
    Measured(
        "wppconnect_session_tag",
        Kind.GAUGE,
        "The tags of EXPORTER_METRIC_TAGS that the session has, each with the value 1.",
        (*SESSION, "tag"),
        collector.listed,
    ),
)
"""What the settings say of a session."""

STEADY_FIELDS = (
    "verdict",
    "since",
    "ever_connected",
    "disconnects",
    "maintenance_until",
    "lost_at",
    "lost_reason",
    "auth_failures",
    "end_to_end",
    "healing",
)
"""What a session's metrics read, except for those that change with each probe."""

OWN_METRICS: tuple[Metric, ...] = (
    Metric(
        "wppconnect_exporter_build_info",
        Kind.GAUGE,
        "The exporter's own version and its Python's, with the value 1.",
        ("version", "python"),
    ),
    Metric(
        "wppconnect_exporter_settings_reload_success",
        Kind.GAUGE,
        "Whether the newest settings are in force: 0 when they were refused and the old ones stay.",
        (),
    ),
    Metric(
        "wppconnect_exporter_settings_reload_timestamp_seconds",
        Kind.GAUGE,
        "When settings were last read successfully.",
        (),
    ),
    Metric(
        "wppconnect_exporter_events_received_total",
        Kind.COUNTER,
        "How many events of gateways came to the webhook; of kind other nothing else was read.",
        ("kind",),
    ),
    Metric(
        "wppconnect_exporter_events_dropped_total",
        Kind.COUNTER,
        "How many requests to the webhook led to no probe although they were to be read.",
        ("reason",),
    ),
)
"""The exporter's metrics about itself, from `exporter.own_metrics`."""

CATALOGUE: tuple[Metric, ...] = (*SERVER_METRICS, *SESSION_METRICS, *TAG_METRICS, *OWN_METRICS)

PROCESS_METRICS: tuple[str, ...] = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
"""Standard process metrics, served by `prometheus_client`, only where /proc exists."""


def markdown_table() -> str:
    """Return the catalogue as the table of docs/metrics.md."""
    rows = []
    for metric in CATALOGUE:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(["| Metric | Type | Labels | Meaning |", "| --- | --- | --- | --- |", *rows]) + "\n"
