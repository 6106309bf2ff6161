"""The settings, each declared once: type, default, bounds, and what people read about it.

Derived from these fields: the variables (`CoreEnvironment`), the saved settings (`core.settings.saved`), the
merge of both (`core.settings.overlay`), the forms of the settings page, and the tables of docs/settings.md.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from core.gateways.protocol import Capability
from core.models import Frozen, TokenSource
from core.settings.fields import (
    AlertmanagerAddress,
    EndToEndMinutes,
    GatewayUrl,
    Interval,
    OneLineSecret,
    TokenSourceWord,
    WebhookUrl,
)
from core.settings.setting import Setting

LONGEST_LABEL = 80
LONGEST_NOTE = 300
LONGEST_TAGS = 120


class ServerFields(Frozen):
    """The settings of a gateway."""

    url: Annotated[
        GatewayUrl | None,
        Setting(
            "field.url",
            label="field.url",
            placeholder="http://127.0.0.1:21465",
            needs_step_up=True,
            meaning="the gateway's address; a sub-path is allowed",
        ),
    ] = None
    secret_key: Annotated[
        OneLineSecret | None,
        Setting(
            "field.secret_key",
            label="field.secret_key_label",
            unset_label="field.secret_key_unset",
            forget_label="field.secret_key_forget",
            help="field.secret_key_help",
            needs_step_up=True,
            sent_to="url",
            meaning="the gateway's secret key",
        ),
    ] = None
    token: Annotated[
        OneLineSecret | None,
        Setting(
            "field.token",
            sent_to="url",
            meaning="one session's bcrypt token, where the secret key may not be known here",
        ),
    ] = None
    token_source: Annotated[
        TokenSourceWord,
        Setting(
            "field.token_source",
            label="field.token_source",
            capability=Capability.TOKENS,
            choices={
                TokenSource.AUTO: "field.token_source_auto",
                TokenSource.LOCAL: "field.token_source_local",
                TokenSource.SERVER: "field.token_source_server",
            },
            meaning="`auto`: made here, or by the gateway if it refuses those; `local`; `server`",
        ),
    ] = TokenSource.AUTO
    enabled: Annotated[
        bool,
        Setting("field.enabled", label="field.enabled_label", meaning="`false`: the gateway is paused"),
    ] = True
    end_to_end_minutes: Annotated[
        EndToEndMinutes,
        Setting(
            "field.end_to_end_minutes",
            label="field.end_to_end_minutes_label",
            capability=Capability.END_TO_END,
            help="field.end_to_end_minutes_note",
            step=5.0,
            default="`0`: off",
            meaning="every so many minutes, 5 to 1440, WhatsApp is asked about each session "
            "([cost and risk](exporter.md#the-end-to-end-check))",
        ),
    ] = 0.0
    """Interval of each session's end-to-end check; 0: never."""
    self_healing: Annotated[
        bool,
        Setting(
            "field.self_healing",
            label="field.self_healing_label",
            help="field.self_healing_note",
            meaning="`true`: sessions that do not respond are [restarted](self-healing.md)",
        ),
    ] = False
    """Restart sessions that do not respond."""


class SessionFields(Frozen):
    """The settings of a session that the page saves."""

    enabled: Annotated[bool, Setting("field.enabled", label="field.session_enabled_label")] = True
    """False: paused, not probed."""
    webhook: Annotated[
        WebhookUrl | None,
        Setting(
            "field.webhook",
            label="field.webhook_label",
            help="field.webhook_help",
            default="not known",
            meaning="the application behind these sessions; `none` when there is none. Known here, a "
            "pairing cannot lose it",
        ),
    ] = Field(default=None, repr=False)
    """Address of the customer's application: None if unknown, "" if there is none."""
    label: Annotated[
        str,
        Setting("field.label", label="field.label", help="field.label_help", longest=LONGEST_LABEL),
    ] = Field(default="", repr=False)
    """Purpose of the session, entered by an administrator."""
    owner: Annotated[
        str,
        Setting("field.owner", label="field.owner", help="field.owner_help", longest=LONGEST_LABEL),
    ] = Field(default="", repr=False)
    """Who holds the phone."""
    note: Annotated[
        str,
        Setting("field.note", label="field.note", help="field.note_help", longest=LONGEST_NOTE),
    ] = Field(default="", repr=False)
    """Further notes for pairing the session again; shown only to signed-in users."""
    tags: Annotated[
        str,
        Setting(
            "field.tags",
            label="field.tags",
            help="field.tags_help",
            placeholder="norte, retail",
            longest=LONGEST_TAGS,
        ),
    ] = Field(default="", repr=False)
    """Words to find and select the session by, separated by commas."""


class ProgramFields(Frozen):
    """The settings of the whole program that the page saves."""

    interval_seconds: Annotated[
        Interval,
        Setting(
            "field.interval_seconds",
            label="field.interval_seconds_label",
            meaning="how often each session is probed, 1 to 300",
        ),
    ] = 5.0
    alertmanager_url: Annotated[
        AlertmanagerAddress | None,
        Setting(
            "field.alertmanager_url",
            meaning="Alertmanager, for acknowledging a session and for testing the pager; may hold "
            "`user:password@`",
        ),
    ] = None
    """Secret, since it can contain a password."""
    alertmanager_bearer_token: Annotated[
        SecretStr | None,
        Setting(
            "field.alertmanager_bearer_token",
            sent_to="alertmanager_url",
            meaning="what Alertmanager wants instead of a password",
        ),
    ] = None
    grafana_url: Annotated[
        GatewayUrl | None,
        Setting(
            "field.grafana_url",
            meaning="Grafana as browsers reach it: each session's page links to its dashboard there",
        ),
    ] = None
