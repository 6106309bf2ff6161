"""Frozen values that travel between the layers; their words are those of docs/design.md."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.messages import Message


class SessionState(StrEnum):
    """The gateway's own state words, as `status-session` spells them, and UNKNOWN for any other."""

    CLOSED = "CLOSED"
    INITIALIZING = "INITIALIZING"
    QRCODE = "QRCODE"
    PHONECODE = "PHONECODE"
    CONNECTED = "CONNECTED"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def parse(cls, word: object) -> SessionState:
        """Read the gateway's word; anything not met before is UNKNOWN, never connected."""
        return cls(word) if isinstance(word, str) and word in cls.__members__ else cls.UNKNOWN


class Verdict(StrEnum):
    """What we conclude about a session."""

    CONNECTED = "connected"
    WAITING_FOR_QR = "waiting_for_qr"
    WAITING_FOR_CODE = "waiting_for_code"
    LINKING = "linking"
    """The code was, or probably was, used on a phone, and the session is not linked yet."""
    STARTING = "starting"
    STUCK = "stuck"
    UNRESPONSIVE = "unresponsive"
    DISCONNECTED = "disconnected"
    PAUSED = "paused"
    UNAUTHORIZED = "unauthorized"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> Verdict | None:
        """Read the word of a later release as unknown: its Snapshot stays readable."""
        return cls.UNKNOWN if isinstance(value, str) else None


WAITS_FOR_A_PHONE = frozenset([Verdict.WAITING_FOR_QR, Verdict.WAITING_FOR_CODE, Verdict.LINKING])
"""Nothing that the gateway does ends these; a phone does, or time."""


class Reason(StrEnum):
    """Why a session is in its verdict or was lost, as far as can be known. Bounded: it is a metric label."""

    NONE = "none"
    GATEWAY_UNREACHABLE = "gateway_unreachable"
    GATEWAY_RESTARTED = "gateway_restarted"
    GATEWAY_TIMEOUT = "gateway_timeout"
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - a reason's name, not a password
    SECRET_REJECTED = "secret_rejected"  # noqa: S105 - a reason's name, not a password
    PAGE_NOT_ANSWERING = "page_not_answering"
    WHATSAPP_NOT_ANSWERING = "whatsapp_not_answering"
    """The page answers, but the end-to-end check got nothing from WhatsApp."""
    BROWSER_DEAD = "browser_dead"
    CLOSED_ON_GATEWAY = "closed_on_gateway"
    """Forgotten by the gateway while connected: removed on the phone, or closed by somebody else."""
    CLOSED_BY_OPERATOR = "closed_by_operator"
    CLOSED_BY_SELF_HEALING = "closed_by_self_healing"
    """To be started again at once."""
    LOGGED_OUT_BY_OPERATOR = "logged_out_by_operator"
    CODE_EXPIRED = "code_expired"
    """A QR or pairing code was shown and nobody used it before the gateway closed the session."""
    CODE_SCANNED = "code_scanned"
    """The webhook's `qrReadSuccess`: a phone accepted the code that is shown."""
    CODE_USED = "code_used"
    """The code has outlived its time without a new one, and its page answers: it was probably used."""
    LINK_NOT_COMPLETED = "link_not_completed"
    """A phone accepted the code, or probably did, and the session was not linked in time."""
    NEVER_STARTED = "never_started"
    START_TOO_SLOW = "start_too_slow"
    UNREADABLE_ANSWER = "unreadable_answer"
    STALE = "stale"

    @classmethod
    def _missing_(cls, value: object) -> Reason | None:
        """Read the word of a later release as no reason: its Snapshot stays readable."""
        return cls.NONE if isinstance(value, str) else None


class TokenSource(StrEnum):
    """Where a missing token comes from."""

    AUTO = "auto"
    LOCAL = "local"
    SERVER = "server"


class Frozen(BaseModel):
    """Base of all our values: immutable, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Stored(Frozen):
    """Base of stored settings: a field that is misspelt, or of a newer release, is refused, not dropped."""

    model_config = ConfigDict(extra="forbid")


class Problem(Frozen):
    """A `WppconnectError` as a value: what front doors show."""

    kind: str
    """The error class's name, for example "ConnectError"."""
    message: str
    """English, for the log."""
    at: AwareDatetime
    explanation: Message | None = None
    """What the page says; None in what an earlier release published."""
    retry_after_seconds: float | None = None
    """For so long the gateway, or a proxy before it, wants to be left alone; None: it asked for nothing."""


class Pause(Frozen):
    """Why a session or a gateway is not checked, and until when."""

    by: str
    """Who paused it: a user's name, or "cli"."""
    since: AwareDatetime
    reason: str = ""
    until: AwareDatetime | None = None
    """When it ends by itself; None: when somebody ends it."""


class QrCode(Frozen):
    """A live QR payload. It links a phone to the account: never log it; `repr` hides it."""

    payload: str = Field(repr=False)
    first_seen: AwareDatetime
    generation: int = 1
    """1 for the first code of this start."""


def qr_life(generation: int) -> timedelta:
    """Tell how long WhatsApp lets a QR code live (contract, section 5)."""
    return timedelta(seconds=60 if generation == 1 else 20)


RENEWAL_SLACK = timedelta(seconds=10)
"""How much later than its life ends a QR code is renewed at the latest."""


def is_overdue(qr: QrCode, now: datetime) -> bool:
    """Return whether a code that the gateway still shows should have been renewed long ago."""
    return now - qr.first_seen > qr_life(qr.generation) + RENEWAL_SLACK


START_DOUBT = timedelta(minutes=1)
"""A browser that takes longer to start may never come up, and the gateway does not say so (section 6)."""

PAIRING_CODE_LIFE = timedelta(seconds=195)
"""After this time WhatsApp replaces a pairing code that is still waited for (contract, section 6)."""


class Observation(Frozen):
    """What one probe of one session saw. Everything that was not asked or not answered is None."""

    started_at: AwareDatetime
    observed_at: AwareDatetime
    state: SessionState | None = None
    has_session_object: bool | None = None
    """False when the answer lacks `version`: the gateway holds no object of that session."""
    has_browser: bool | None = None
    """False: an engine without a browser runs the session; None: not known."""
    urlcode: str | None = Field(default=None, repr=False)
    """Under CLOSED it may be live for a moment (contract, section 6), in any other state it is dead."""
    page_answers: bool | None = None
    """check-connection-session: True, False, or None when it was not asked or did not answer in time."""
    page_timed_out: bool = False
    """True when the page had its whole time budget and did not answer: it is frozen."""
    page_unproved: bool = False
    """Whether the page answers matters to the verdict, and is not known yet."""
    page_round_seconds: float = 0.0
    """How long it takes until the page is asked again: others that answer slowly are asked before it."""
    version: str | None = None
    problem: Problem | None = None


class EndToEnd(Frozen):
    """What the optional end-to-end check of one session found, as long as it is switched on."""

    checked_at: AwareDatetime | None = None
    """When WhatsApp last answered through this connection, or did not; None before the first check of it."""
    passed_at: AwareDatetime | None = None
    """When WhatsApp last answered, through this connection or an earlier one."""
    failures: int = 0
    """How often in a row it did not."""
    is_possible: bool | None = None
    """False: the gateway knows the account by no telephone number, so there is nothing to ask with; None: not
    known yet."""


class Healing(Frozen):
    """What self-healing tried in the present outage of one session, as long as it is switched on."""

    tries: int = 0
    tried_at: AwareDatetime | None = None
    """When the latest try began."""
    ended_at: AwareDatetime | None = None
    """When the latest try ended."""
    outcome: str = ""
    """How it ended; a word of `core.monitor.self_healing.Healed`."""

    @property
    def is_trying(self) -> bool:
        """Tell whether a try has begun and not ended."""
        return self.tried_at is not None and self.ended_at is None


class Account(Frozen):
    """The linked account as last seen: personal data, which goes to signed-in people alone."""

    seen_at: AwareDatetime
    number: str | None = Field(default=None, repr=False)
    """Digits with the country code; of a viewer's Snapshot the last four. None: the gateway tells none."""
    push_name: str | None = Field(default=None, repr=False)
    """The name that the account gave itself."""


class SessionSnapshot(Frozen):
    """One session as the monitor last saw it."""

    server: str
    session: str
    enabled: bool
    verdict: Verdict
    reason: Reason = Reason.NONE
    """Why the verdict is what it is."""
    since: AwareDatetime
    """Since when the verdict holds."""
    state: SessionState | None = None
    state_since: AwareDatetime | None = None
    """Since when the gateway has been saying this state."""
    has_session_object: bool | None = None
    has_browser: bool | None = None
    """False: an engine without a browser runs it; None: as far as is known, a browser."""
    is_listed: bool | None = None
    """Whether the gateway has kept anything of the session, its webhook included; None: not known."""
    ever_connected: bool = False
    last_connected: AwareDatetime | None = None
    connected_since: AwareDatetime | None = None
    """When the latest connection began, also one that has been lost since; None: not since this is kept."""
    """The latest moment at which it was seen connected."""
    lost_at: AwareDatetime | None = None
    """When the current outage began: it left `connected`; None while connected, paused or never connected."""
    lost_reason: Reason = Reason.NONE
    """Why the current outage began; kept whatever verdicts come until it is connected again."""
    outage_seconds: float | None = None
    """How long the latest outage lasted that ended with `connected`."""
    qr: QrCode | None = None
    """The gateway's code; it may be shown only while the verdict is `waiting_for_qr`."""
    code_overdue: bool = False
    """The gateway's code has outlived its time without a new one: it was used, or its page is frozen."""
    observed_at: AwareDatetime | None = None
    probe_started_at: AwareDatetime | None = None
    page_checked_at: AwareDatetime | None = None
    """When the page last answered, or had its whole time and did not."""
    page_answers: bool | None = None
    page_timed_out: bool = False
    page_round_seconds: float = 0.0
    """By so much later it may be asked again, since others answer slowly too."""
    end_to_end: EndToEnd | None = None
    """None: the check is switched off."""
    healing: Healing | None = None
    """None: self-healing is switched off."""
    account: Account | None = None
    """The account that is or was linked; None: not seen yet."""
    problem: Problem | None = None
    auth_failures: dict[str, int] = Field(default_factory=dict)
    """By reason: `token_rejected`, `secret_rejected`."""
    disconnects: dict[str, int] = Field(default_factory=dict)
    """How often it was lost, by `Loss`."""
    token_renewals: int = 0
    newer_words: dict[str, str] = Field(default_factory=dict)
    """As published: words that earlier releases cannot read, by the field in which they read another."""


class Histogram(Frozen):
    """Cumulative counts of durations, as Prometheus wants them. `bounds` in seconds, without +Inf."""

    bounds: tuple[float, ...]
    buckets: tuple[int, ...]
    """One count for each bound and a last one for +Inf; cumulative."""
    sum_seconds: float


class ServerSnapshot(Frozen):
    """One gateway and its sessions, as published by the holder of its prober lease."""

    schema_number: int = 1
    server: str
    enabled: bool
    up: bool | None
    """Did a WPPConnect Server answer the latest health check; None before the first."""
    hold_off_seconds: float = 0.0
    """By so much longer an observation counts, because the gateway wants to be left alone for so long."""
    secret_key_valid: bool | None = None
    version: str | None = None
    uptime_seconds: float | None = None
    """None before the first health check that tells it, and while a proxy hides it."""
    started_at: AwareDatetime | None = None
    """When the gateway's process started, as its uptime tells or told."""
    restarted_at: AwareDatetime | None = None
    """When a restart of the gateway was last noticed by its shrinking uptime."""
    problem: Problem | None = None
    interval_seconds: float
    interval_reason: str = ""
    """Why the interval is longer than the configured one, or ''."""
    holder: str
    """Who probes: program name and pid, for example "wppconnect-exporter[4711]"."""
    published_at: AwareDatetime
    settings_revision: int
    restarts: int = 0
    """How often a restart was noticed."""
    default_secret: bool | None = None
    """Does the gateway accept the public default secret; None before it was tried."""
    manager_offered: bool | None = None
    """Does the gateway offer the manager protocol; None while that is not known."""
    manager_page: bool | None = None
    """Does the gateway serve an administration page of its own; None while that is not known."""
    end_to_end_offered: bool | None = None
    """Does the gateway offer what the end-to-end check asks; None while that is off or not known."""
    probe_seconds: Histogram
    probe_failures: dict[str, int] = Field(default_factory=dict)
    """How often a probe brought no verdict of its own, by `ProbeFailure`."""
    self_healing: dict[str, int] = Field(default_factory=dict)
    """How often self-healing restarted a session, by how that ended."""
    links_not_completed: int = 0
    """How often a phone was not linked although it accepted the code, or probably did."""
    recovery_seconds: Histogram | None = None
    """How long outages lasted until the session was connected again."""
    sessions: tuple[SessionSnapshot, ...] = ()


class Snapshot(Frozen):
    """Everything that a front door may show, at one moment."""

    taken_at: AwareDatetime
    settings_revision: int
    servers: tuple[ServerSnapshot, ...] = ()

    def server(self, name: str) -> ServerSnapshot | None:
        """Find a server by name."""
        return next((server for server in self.servers if server.server == name), None)

    def session(self, server: str, name: str) -> SessionSnapshot | None:
        """Find a session by its server's and its own name."""
        found = self.server(server)
        return next((one for one in found.sessions if one.session == name), None) if found else None


class Outcome(Frozen):
    """The end of an operation, for a person. `code` is a stable word; the page translates it."""

    ok: bool
    code: str
    message: str
    """English sentence with the next step, safe to log."""
    explanation: Message | None = None
    """What the gateway, or the way to it, had to do with it, where that is known."""
    at: AwareDatetime


class HistoryEntry(Frozen):
    """One line of the history log."""

    at: AwareDatetime
    kind: str
    """transition | operation | monitoring | pause | alert | settings | sign_in | user | handoff"""
    server: str | None = None
    session: str | None = None
    actor: str | None = None
    """Who did it: a user name, "cli", or None for what happened by itself."""
    data: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


def utc(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with a Z, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
