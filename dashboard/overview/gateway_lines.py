"""The gateways below the list: which program checks each one, how often, and a button that pauses it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.gateways.protocol import Capability
from core.gateways.registry import offers
from core.models import ServerSnapshot
from dashboard import components, formatting, session_state, state
from dashboard.auth.users import Role
from dashboard.dialogs import opened
from dashboard.formatting import LocaleFormatter, plain
from dashboard.i18n import gettext as _
from dashboard.session import actions


def draw_gateways(formatter: LocaleFormatter, servers: Sequence[ServerSnapshot]) -> None:
    """Draw a line for each gateway."""
    settings = state.settings()
    with st.container(key="gateways"):
        for one in sorted(servers, key=lambda server: formatting.by_name(server.server)):
            configured = settings.server(one.server)
            is_paused = configured is not None and not configured.enabled
            with st.container(key=f"gateway-{one.server}", horizontal=True, vertical_alignment="center"):
                if not is_paused:
                    words = _checked(one, settings.interval_seconds)
                elif configured is not None and configured.pause is not None:
                    words = f"{one.server}: {formatting.pause(formatter, configured.pause)}"
                else:
                    words = _("{server}: paused.").format(server=one.server)
                components.soft(words)
                if state.may(Role.OPERATOR):
                    _draw_button(one.server, is_paused=is_paused)
            components.draw_notice(session_state.notice(actions.place(one.server, "")))


def _draw_button(server: str, *, is_paused: bool) -> None:
    if is_paused:
        label = _("Resume the gateway {server}").format(server=plain(server))
        st.button(label, key=f"resume-gateway-{server}", on_click=actions.resume_gateway, args=(server,))
        return
    label = _("Pause the gateway {server}").format(server=plain(server))
    if st.button(label, key=f"pause-gateway-{server}", type="tertiary"):
        opened.ask("pause-gateway", server)


def _checked(server: ServerSnapshot, configured_interval_seconds: float) -> str:
    """Return which program probes a gateway, how often, and why less often than configured."""
    if not server.holder:
        return _("{server}: not checked yet.").format(server=server.server)
    interval, wanted = map(formatting.duration, (server.interval_seconds, configured_interval_seconds))
    told = _("{server}: checked every {interval} by {program}.").format(
        server=server.server, interval=interval, program=formatting.program(_, server.holder)
    )
    if not server.interval_reason or interval == wanted:
        return told
    if server.interval_reason == "own_processor":
        why = _(
            "The configured interval is {wanted}, but checking all sessions that often would take this "
            "program more than one processor core."
        )
    elif offers(server, Capability.ALL_STATES) and server.secret_key_valid:
        why = _(
            "The gateway's list of states is read every {wanted}; the WhatsApp page of each session is "
            "checked less often, because checking the tokens that often would overload the gateway. With a "
            "secret key of at least 128 random bits, tokens become cheap to check."
        )
    else:
        why = _(
            "The configured interval is {wanted}, but checking the tokens that often would overload the "
            "gateway. With a secret key of at least 128 random bits, tokens become cheap to check."
        )
    return f"{told} {why.format(wanted=wanted)}"
