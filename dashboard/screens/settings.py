"""Settings: gateways, their sessions and the interval, each value with its origin."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.gateways.protocol import Capability
from core.gateways.registry import kind_of, offers
from core.reasons import gateway_fault
from core.settings.model import ProgramFields, ServerFields
from core.settings.setting import setting_fields
from core.settings.values import ServerSettings, Settings
from dashboard import components, navigation, session_state, state, step_up
from dashboard.auth.users import Role
from dashboard.formatting import by_name, plain, summary, verdict_label
from dashboard.fragments import fragment
from dashboard.i18n import gettext as _
from dashboard.settings_page import actions as settings_actions
from dashboard.settings_page.alerting import draw_alerting
from dashboard.settings_page.check_results import draw_results
from dashboard.settings_page.fields import interval_fields, server_fields
from dashboard.settings_page.form import can_forget, draw_field, draw_notice, forget, open_form
from dashboard.settings_page.new_gateway import draw_add_server
from dashboard.settings_page.sessions import draw_sessions
from dashboard.settings_page.webhooks import draw_unknown_webhooks

WARNINGS_SECONDS = 2


def card(server: ServerSettings, *, is_open: bool) -> DeltaGenerator:
    """Return a gateway's card: with several gateways collapsed to its name and state."""
    title = _("Gateway {server}").format(server=plain(server.name))
    gateway = state.snapshot().server(server.name)
    formatter = state.formatter(state.snapshot().taken_at)
    if not server.enabled:
        told = _("paused")
    elif gateway is not None and (fault := gateway_fault(gateway)):
        told = verdict_label(formatter, fault)
    else:
        told = summary(formatter, gateway.sessions) if gateway is not None else ""
    words = " · ".join(text for text in (title, told) if text)
    return st.expander(words, expanded=is_open, key=f"card-settings-{server.name}")


def draw_server(settings: Settings, server: ServerSettings, *, is_open: bool) -> None:
    """Draw the form, the checks and the sessions of one gateway."""
    name = server.name
    with card(server, is_open=is_open):
        draw_server_form(settings, server)
        with st.container(horizontal=True):
            st.button(
                _("Look for sessions on {server}").format(server=plain(name)),
                key=f"discover-{name}",
                on_click=settings_actions.discover,
                args=(name,),
            )
            gateway = state.snapshot().server(name)
            if gateway is not None and offers(gateway, Capability.ADMIN_PAGE):
                st.link_button(
                    _("Open the gateway's own page"),
                    f"{server.url}{kind_of(server.kind).admin_path}",
                    help=_("It opens where your browser reaches the gateway's address."),
                    key=f"own-page-{name}",
                )
            remove = _("Remove {server}").format(server=plain(name))
            if st.button(remove, key=f"remove-server-{name}", type="tertiary"):
                ask_remove_server(name)
        draw_results(name, tuple(one.name for one in server.sessions))
        draw_unknown_webhooks(server)
        draw_sessions(settings, server)


def draw_server_form(settings: Settings, server: ServerSettings) -> None:
    """Draw a gateway's own settings."""
    form = settings_actions.server_form(server.name)
    fields = server_fields(settings, server.name) or {}
    drawn = [one for one in setting_fields(ServerFields) if one.name in fields]
    values = {name: field.drawn for name, field in fields.items()}
    boxes = {forget(one.name): False for one in drawn if can_forget(settings, one, fields[one.name])}
    open_form(form, values | boxes, fields)
    gateway = state.snapshot().server(server.name)
    with st.form(form, border=False):
        for one in drawn:
            draw_field(form, settings, one, fields[one.name])
            if one.name == "end_to_end_minutes" and gateway and gateway.end_to_end_offered is False:
                components.soft(_("This gateway does not support this check."))
        draw_notice(form, fields)
        with st.container(horizontal=True):
            st.form_submit_button(
                _("Save {server}").format(server=plain(server.name)),
                key=f"save-{server.name}",
                on_click=settings_actions.save_server,
                args=(server.name,),
                type="primary",
            )
            st.form_submit_button(
                _("Test the connection to {server}").format(server=plain(server.name)),
                key=f"test-{server.name}",
                on_click=settings_actions.test_server,
                args=(server.name,),
            )


def ask_remove_server(name: str) -> None:
    """Open the dialog that confirms removing a gateway."""
    yes = _("Remove {server}").format(server=plain(name))
    text = _("The gateway and its sessions are no longer checked or shown here. The gateway keeps running.")

    @st.dialog(_("Remove {server}?").format(server=plain(name)))
    def ask() -> None:
        state.user()
        st.write(text)
        components.answers(yes, f"remove-server-yes-{name}", settings_actions.remove_server, (name,))

    ask()


@fragment(run_every=WARNINGS_SECONDS)
def draw_warnings() -> None:
    """Draw the gateways that accept the default secret or whose WhatsApp Web expires. Reads memory only."""
    state.user()
    for server in state.snapshot().servers:
        components.default_secret(server)
        if server.enabled:
            components.web_version(server)


def draw_interval(settings: Settings) -> None:
    """Draw the form of the check interval."""
    form = settings_actions.INTERVAL
    fields = interval_fields(settings) or {}
    open_form(form, {name: field.drawn for name, field in fields.items()}, fields)
    with st.container(key="card-settings-interval"), st.form(form, border=False):
        components.subtitle(_("Interval"))
        for one in setting_fields(ProgramFields):
            if one.name in fields:
                draw_field(form, settings, one, fields[one.name])
        draw_notice(form, fields)
        st.form_submit_button(
            _("Save the interval"),
            key="save-interval",
            on_click=settings_actions.save_interval,
            type="primary",
        )


session_state.switch_to_requested_page()
st.html(components.heading(_("Settings")))
components.only_for(Role.ADMINISTRATOR)
current = state.settings()
components.troubles()
step_up.draw()
components.draw_notice(session_state.notice("settings"))
draw_warnings()
wanted = st.query_params.get("server")
for one in sorted(current.servers, key=lambda server: (server.name != wanted, by_name(server.name))):
    draw_server(current, one, is_open=one.name == wanted or len(current.servers) == 1)
draw_add_server(is_first=not current.servers)
draw_interval(current)
draw_alerting(current)
st.page_link(navigation.SYNC.script, label=_("Sync"))
