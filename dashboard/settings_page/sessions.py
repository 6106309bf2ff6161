"""Draw the sessions of one gateway on the settings page."""

from __future__ import annotations

import streamlit as st

from core.gateways.wppconnect.contract.session_names import unchecked_bytes
from core.settings.saved import LONGEST_LABEL, LONGEST_NOTE
from core.settings.values import ServerSettings, SessionSettings, Settings
from dashboard import components, state
from dashboard.formatting import plain
from dashboard.i18n import gettext as _
from dashboard.settings_page import actions as settings_actions
from dashboard.settings_page.fields import WEBHOOK_NONE, WEBHOOK_UNKNOWN, WEBHOOK_URL, session_fields
from dashboard.settings_page.form import draw_notice, field_key, label, open_form


def draw_sessions(settings: Settings, server: ServerSettings) -> None:
    """Draw the selection of a session, its form, and the form that adds a session."""
    components.subtitle(_("Sessions of {server}").format(server=server.name), level=3)
    names = [session.name for session in server.sessions]
    secret = server.secret_key.get_secret_value() if server.secret_key else ""
    longest = max(names, key=lambda name: unchecked_bytes(name, secret), default="")
    if cut := unchecked_bytes(longest, secret):
        text = _(
            "The gateway reads 72 bytes of session name and secret key together: the last {count} of the key "
            "are not checked for {session}. All works, and a shorter key is as safe."
        )
        components.note("warn", text.format(count=cut, session=longest), icon="warning")
    if names:
        chosen = st.selectbox(
            _("Session to change on {server}").format(server=plain(server.name)),
            names,
            format_func=lambda name: describe(server.session(name)),
            key=f"choose-{server.name}",
        )
        session = server.session(chosen) if chosen else None
        if session is not None:
            draw_session_form(settings, server.name, session)
    form = settings_actions.add_session_form(server.name)
    open_form(form, {"name": ""})
    with st.form(form, border=False):
        st.text_input(
            _("New session on {server}").format(server=plain(server.name)),
            key=field_key(form, "name"),
            autocomplete="off",
            max_chars=71,
            help=_("1 to 71 letters, digits, _ or -"),
        )
        draw_notice(form)
        st.form_submit_button(
            _("Add the session"),
            key=f"add-{server.name}",
            on_click=settings_actions.add_session,
            args=(server.name,),
        )


def describe(session: SessionSettings | None) -> str:
    """Return a session's settings as one line."""
    if session is None:
        return ""
    checked = _("checked") if session.enabled else _("paused")
    if session.webhook is None:
        webhook = _("webhook not known")
    else:
        webhook = _("webhook known") if session.webhook else _("no webhook")
    return f"{session.name} ({checked}, {webhook})"


def draw_session_form(settings: Settings, server: str, session: SessionSettings) -> None:
    """Draw the form of one session."""
    form = settings_actions.session_form(server, session.name)
    path = f"servers.{server}.sessions.{session.name}"
    kinds = {
        WEBHOOK_UNKNOWN: _("Not known here: the gateway may have one"),
        WEBHOOK_NONE: _("It has none"),
        WEBHOOK_URL: _("It has this one:"),
    }
    fields = session_fields(settings, server, session.name) or {}
    open_form(form, {name: field.drawn for name, field in fields.items()}, fields)
    with st.form(form, border=True):
        st.toggle(
            label(_("Check {session}").format(session=plain(session.name)), settings, f"{path}.enabled"),
            key=field_key(form, "enabled"),
        )
        st.radio(
            label(_("Webhook of {session}").format(session=plain(session.name)), settings, f"{path}.webhook"),
            list(kinds),
            format_func=lambda word: kinds[word],
            key=field_key(form, "webhook"),
            help=_(
                "The address to which the gateway sends this session's messages. Some pairings replace what "
                "the gateway has saved; a webhook that is known here is sent along and kept."
            ),
        )
        st.text_input(
            _("Address of the webhook"),
            key=field_key(form, "webhook_url"),
            autocomplete="off",
            placeholder="https://",
            label_visibility="collapsed",
        )
        st.text_input(
            label(_("What it is for"), settings, f"{path}.label"),
            key=field_key(form, "label"),
            autocomplete="off",
            max_chars=LONGEST_LABEL,
            help=_("Shown in lists, on the session's page and to whoever opens a hand-off link."),
        )
        st.text_input(
            label(_("Who has the phone"), settings, f"{path}.owner"),
            key=field_key(form, "owner"),
            autocomplete="off",
            max_chars=LONGEST_LABEL,
            help=_("Shown on the session's page and to whoever opens a hand-off link."),
        )
        st.text_input(
            label(_("Note"), settings, f"{path}.note"),
            key=field_key(form, "note"),
            autocomplete="off",
            max_chars=LONGEST_NOTE,
            help=_("Shown on the session's page, to people who are signed in."),
        )
        draw_notice(form, fields)
        with st.container(horizontal=True):
            st.form_submit_button(
                _("Save {session}").format(session=plain(session.name)),
                key=f"save-{server}-{session.name}",
                on_click=settings_actions.save_session,
                args=(server, session.name),
                type="primary",
            )
            remove = st.form_submit_button(
                _("Remove {session}").format(session=plain(session.name)),
                key=f"remove-{server}-{session.name}",
                type="tertiary",
            )
        if remove:
            ask_remove_session(server, session.name)
    gateway = state.snapshot().server(server)
    if gateway is not None and gateway.manager_offered:
        text = _("Remove {session} from the gateway").format(session=plain(session.name))
        if st.button(text, key=f"remove-from-gateway-{server}-{session.name}", type="tertiary"):
            ask_remove_from_gateway(server, session.name)


def ask_remove_from_gateway(server: str, name: str) -> None:
    """Open the dialog that confirms removing a session from the gateway by its typed name."""
    text = _(
        "The gateway {server} deletes the session's pairing and token, which cannot be undone: to use it "
        "again, it has to be paired anew. It is no longer started with the gateway, and leaves this page, "
        "too. Only a closed session can be removed."
    ).format(server=plain(server))
    key = field_key(settings_actions.session_form(server, name), settings_actions.REMOVAL)

    @st.dialog(_("Remove {session} from the gateway?").format(session=plain(name)))
    def ask() -> None:
        state.user()
        st.write(text)
        st.text_input(
            _("Type the session's name to confirm: {session}").format(session=plain(name)),
            key=key,
            autocomplete="off",
        )
        components.answers(
            _("Remove for good"),
            f"remove-from-gateway-yes-{server}-{name}",
            settings_actions.remove_from_gateway,
            (server, name),
        )

    ask()


def ask_remove_session(server: str, name: str) -> None:
    """Open the dialog that confirms removing a session."""
    yes = _("Remove {session}").format(session=plain(name))
    text = _("It is no longer checked or shown here. On the gateway it goes on as it is.")

    @st.dialog(_("Remove {session}?").format(session=plain(name)))
    def ask() -> None:
        state.user()
        st.write(text)
        components.answers(
            yes, f"remove-yes-{server}-{name}", settings_actions.remove_session, (server, name)
        )

    ask()
