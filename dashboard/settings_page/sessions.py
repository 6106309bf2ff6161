"""Draw the sessions of one gateway on the settings page."""

from __future__ import annotations

import streamlit as st

from core.gateways.protocol import Capability
from core.gateways.registry import kind_of, offers
from core.settings.model import SessionFields
from core.settings.setting import SettingField, setting_fields
from core.settings.values import ServerSettings, SessionSettings, Settings
from dashboard import components, state
from dashboard.formatting import by_name, plain
from dashboard.i18n import gettext as _
from dashboard.settings_page import actions as settings_actions
from dashboard.settings_page.fields import (
    WEBHOOK_NONE,
    WEBHOOK_UNKNOWN,
    WEBHOOK_URL,
    FieldNow,
    session_fields,
    text,
)
from dashboard.settings_page.form import draw_field, draw_notice, field_key, label, open_form


def draw_sessions(settings: Settings, server: ServerSettings) -> None:
    """Draw the selection of a session, its form, and the form that adds a session."""
    components.subtitle(_("Sessions of {server}").format(server=server.name), level=3)
    names = sorted((session.name for session in server.sessions), key=by_name)
    secret = server.secret_key.get_secret_value() if server.secret_key else ""
    kind = kind_of(server.kind)
    longest = max(names, key=lambda name: kind.unchecked_bytes(name, secret), default="")
    if cut := kind.unchecked_bytes(longest, secret):
        text = _(
            "The gateway uses only 72 bytes of session name and secret key together: the last {count} of "
            "the key are not checked for {session}. Everything works, and a shorter key is equally safe."
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
        webhook = _("webhook unknown")
    else:
        webhook = _("webhook known") if session.webhook else _("no webhook")
    return f"{session.name} ({checked}, {webhook})"


def draw_session_form(settings: Settings, server: str, session: SessionSettings) -> None:
    """Draw the form of one session."""
    form = settings_actions.session_form(server, session.name)
    fields = session_fields(settings, server, session.name) or {}
    open_form(form, {name: field.drawn for name, field in fields.items()}, fields)
    with st.form(form, border=True):
        for one in setting_fields(SessionFields):
            if one.name == "webhook":
                draw_webhook(form, settings, one, fields["webhook"], session.name)
            else:
                draw_field(form, settings, one, fields[one.name], session=plain(session.name))
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
    if gateway is not None and offers(gateway, Capability.REMOVE):
        text = _("Remove {session} from the gateway").format(session=plain(session.name))
        if st.button(text, key=f"remove-from-gateway-{server}-{session.name}", type="tertiary"):
            ask_remove_from_gateway(server, session.name)


def draw_webhook(form: str, settings: Settings, one: SettingField, field: FieldNow, session: str) -> None:
    """Draw the choice whether the webhook is known, and its address."""
    kinds = {
        WEBHOOK_UNKNOWN: _("Unknown: the gateway may have one"),
        WEBHOOK_NONE: _("There is no webhook"),
        WEBHOOK_URL: _("The webhook is:"),
    }
    st.radio(
        label(text(one.setting.label, session=plain(session)), settings, field.path),
        list(kinds),
        format_func=lambda word: kinds[word],
        key=field_key(form, "webhook"),
        help=text(one.setting.help),
    )
    st.text_input(
        _("Address of the webhook"),
        key=field_key(form, "webhook_url"),
        autocomplete="off",
        placeholder="https://",
        label_visibility="collapsed",
    )


def ask_remove_from_gateway(server: str, name: str) -> None:
    """Open the dialog that confirms removing a session from the gateway by its typed name."""
    text = _(
        "The gateway {server} deletes the session's pairing and token. This cannot be undone: to use the "
        "session again, it has to be paired again. It no longer starts with the gateway and is also "
        "removed from this page. Only a closed session can be removed."
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
    text = _("The session is no longer checked or shown here. It keeps running on the gateway.")

    @st.dialog(_("Remove {session}?").format(session=plain(name)))
    def ask() -> None:
        state.user()
        st.write(text)
        components.answers(
            yes, f"remove-yes-{server}-{name}", settings_actions.remove_session, (server, name)
        )

    ask()
