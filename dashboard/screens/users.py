"""Users: list, add, change and remove users and their roles."""

from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

import streamlit as st

from dashboard import components, formatting, session_state, state, step_up, user_actions
from dashboard.auth import links
from dashboard.auth.identity import Administration
from dashboard.auth.users import Account, AuthMethod, Role, User
from dashboard.auth.words import NEW_USER_METHODS, ROLES, ROLES_EXPLAINED
from dashboard.formatting import LocaleFormatter, by_name, plain
from dashboard.i18n import gettext as _
from dashboard.theme.link_box import link_box
from dashboard.theme.theme import NAME
from dashboard.user_actions import ADD, USERS, field_key

MOMENT_SECONDS = 60
ROLE_NAMES = [str(role) for role in Role]


def draw_link(known: Administration, place: str) -> None:
    """Draw the one-time link just created at a place. Its token is kept in the tab's session state only."""
    shown = session_state.shown_link(place)
    if shown is None:
        return
    name, link = shown
    with st.container(key="one-time-link"):
        text = _("Send {name} this link through a channel you trust. It works once.")
        components.note("good", text.format(name=name), icon="check")
        until = state.formatter(datetime.now(UTC)).moment(link.valid_until)
        message = _("Set your password for {page} with this link. It works once, until {moment}.")
        address = f"{own_address(known)}{links.PATH}#{link.token}"
        st.html(link_box(address, message.format(page=NAME, moment=until)))
        components.soft(_("It is shown only once and is valid until {moment}.").format(moment=until))
        st.button(_("Done, hide the link"), key="hide-link", on_click=user_actions.put_link_away)


def own_address(known: Administration) -> str:
    """Return the base URL for links: the configured external URL, else the URL of this request."""
    if known.external_url:
        return known.external_url
    here = urlsplit(st.context.url or "")
    return f"{here.scheme}://{here.netloc}"


def draw_add(known: Administration) -> None:
    """Draw the form that adds a user, and the link of the user added last."""
    with st.container(key="card-add-user"):
        draw_form(known)
        draw_link(known, ADD)


def draw_form(known: Administration) -> None:
    """Draw the fields of the form that adds a user."""
    with st.form(ADD, border=False):
        components.subtitle(_("Add a user"))
        st.text_input(
            _("Name"),
            key=field_key(ADD, "name"),
            max_chars=64,
            autocomplete="off",
            help=_("Letters, digits, '.', '_', '@', '+' and '-'; for single sign-on the e-mail address."),
        )
        st.radio(
            _("Role"),
            ROLE_NAMES,
            format_func=lambda word: _(ROLES[Role(word)]),
            captions=[_(ROLES_EXPLAINED[role]) for role in Role],
            key=field_key(ADD, "role"),
        )
        if len(known.methods) > 1:
            st.selectbox(
                _("Sign-in method"),
                [str(method) for method in known.methods],
                format_func=lambda word: _(NEW_USER_METHODS[AuthMethod(word)]),
                key=field_key(ADD, "way"),
            )
        components.draw_notice(session_state.notice(ADD))
        st.form_submit_button(
            _("Add the user"), key="save-add-user", on_click=user_actions.add_user, type="primary"
        )


def draw_user(formatter: LocaleFormatter, known: Administration, account: Account, reader: User) -> None:
    """Draw one user with the actions on the account."""
    name, key = account.name, account.key
    with st.container(key=f"card-user-{key}"):
        you = _("you")
        own = f' <span class="ops-soft">({escape(you)})</span>' if name == reader.name else ""
        role, told = _(ROLES[account.role]), status(formatter, known, account)
        st.html(
            f'<div class="ops-line"><b>{escape(name)}</b>{own}'
            f'<span class="ops-soft">{escape(role)}</span></div>'
            f'<div class="ops-soft">{escape(told)}</div>'
        )
        components.draw_notice(session_state.notice(user_actions.place(name)))
        draw_link(known, user_actions.place(name))
        with st.expander(_("Change {name}").format(name=plain(name)), key=f"change-{key}"):
            draw_role(known, account)
            draw_buttons(account)


def draw_role(known: Administration, account: Account) -> None:
    """Draw the role selection, unless groups of the single sign-on determine the role."""
    if known.groups_decide and account.way is not AuthMethod.PASSWORD:
        components.soft(_("The groups at the single sign-on decide the role."))
        return
    form = user_actions.place(account.name)
    with st.form(form, border=False):
        st.radio(
            _("Role of {name}").format(name=plain(account.name)),
            ROLE_NAMES,
            index=ROLE_NAMES.index(account.role),
            format_func=lambda word: _(ROLES[Role(word)]),
            key=field_key(form, "role"),
            horizontal=True,
        )
        st.form_submit_button(
            _("Save the role of {name}").format(name=plain(account.name)),
            key=f"role-{account.key}",
            on_click=user_actions.change_role,
            args=(account.name,),
        )


def draw_buttons(account: Account) -> None:
    """Draw the other actions on a user."""
    name, key = account.name, account.key
    with st.container(horizontal=True):
        if account.way is AuthMethod.PASSWORD and not account.disabled:
            label = _("New password link for {name}") if account.password_hash else _("New link for {name}")
            st.button(
                label.format(name=plain(name)),
                key=f"link-{key}",
                on_click=user_actions.make_link,
                args=(name,),
            )
        if account.disabled:
            label = _("Enable {name}").format(name=plain(name))
            st.button(label, key=f"enable-{key}", on_click=user_actions.enable, args=(name,))
        elif st.button(_("Disable {name}").format(name=plain(name)), key=f"disable-{key}"):
            text = _("Every sign-in of {name} ends at once, also in open tabs. The account stays.")
            told = text.format(name=plain(name))
            label = _("Disable {name}").format(name=plain(name))
            components.ask(label, told, f"disable-yes-{key}", user_actions.disable, (name,))
        if st.button(_("Remove {name}").format(name=plain(name)), key=f"remove-{key}", type="tertiary"):
            text = _("Every sign-in of {name} ends at once, also in open tabs. This cannot be undone.")
            told = text.format(name=plain(name))
            label = _("Remove {name}").format(name=plain(name))
            components.ask(label, told, f"remove-yes-{key}", user_actions.remove, (name,))


def status(formatter: LocaleFormatter, known: Administration, account: Account) -> str:
    """Return the status of the account as one line."""
    if account.disabled:
        return _("Disabled: cannot sign in.")
    parts = []
    if account.link and formatter.now < account.link.valid_until:
        text = _("Has a link to set a password, valid until {moment}.")
        parts.append(text.format(moment=formatter.moment(account.link.valid_until)))
    elif account.way is AuthMethod.PASSWORD and account.password_hash is None:
        parts.append(_("The link has expired before a password was set: make a new one."))
    if account.way is not AuthMethod.PASSWORD:
        parts.append(_(NEW_USER_METHODS[account.way]) + ".")
    if account.password_hash:
        parts.append(_("Passkeys: {count}.").format(count=len(account.passkeys)))
    used = known.last_used(account)
    if used is not None:
        seconds = formatter.seconds_since(used)
        text = _("Signed in, last active {duration} ago.").format(duration=formatting.duration(seconds))
        parts.append(text if seconds >= MOMENT_SECONDS else _("Signed in, active a moment ago."))
    elif account.password_hash or account.way is not AuthMethod.PASSWORD:
        parts.append(_("Not signed in at the moment."))
    return " ".join(parts)


session_state.switch_to_requested_page()
st.html(components.heading(_("Users")))
components.only_for(Role.ADMINISTRATOR)
components.troubles()
step_up.draw()
administration = state.administration()
components.draw_notice(session_state.notice(USERS))
now = state.formatter(datetime.now(UTC))
for one in sorted(administration.user_admin.all(), key=lambda account: by_name(account.name)):
    draw_user(now, administration, one, state.user())
draw_add(administration)
