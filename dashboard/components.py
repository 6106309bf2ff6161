"""Components shared by pages: badges, notes, banners, the live QR code. Text is always escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.exceptions import NotAGatewayError, StoreError
from core.gateways.registry import kind_of
from core.messages import render
from core.models import HistoryEntry, ServerSnapshot, SessionSnapshot, Verdict
from core.reasons import gateway_fault
from core.settings.pauses import pause_of
from core.settings.values import SessionSettings
from dashboard import formatting, state
from dashboard.auth.users import Role, User
from dashboard.auth.words import ROLES
from dashboard.formatting import LocaleFormatter
from dashboard.i18n import gettext as _
from dashboard.navigation import PAGES
from dashboard.session_state import Notice
from dashboard.text import about as about_text
from dashboard.text import history as history_text
from dashboard.theme.qr import qr_data_uri
from dashboard.theme.theme import NAME, style, tab_icon
from dashboard.words import look


def frame(user: User, url_path: str) -> None:
    """Draw the frame of every page: style sheet, name, navigation, account and sign-out links."""
    here = next((one.parent or one.name for one in PAGES if one.name == url_path), PAGES[0].name)
    st.html(style(_("The connection to this page was lost. Reconnecting.")))
    with st.container(key="ops-top", horizontal=True, vertical_alignment="center"):
        st.html(f'<div class="ops-brand"><span class="ops-mark"></span><b>{NAME}</b></div>', width="content")
        with st.container(key="ops-nav", horizontal=True, width="content"):
            for one in PAGES:
                if not one.parent and user.role.covers(one.role):
                    # The style sheet and page.js mark the current page by this key.
                    place = "here" if one.name == here else "there"
                    with st.container(key=f"nav-{one.name}-{place}", width="content"):
                        st.page_link(one.script, label=_(one.title))
        account, leave = _("My account ({name})").format(name=user.name), _("Sign out")
        st.html(
            f'<a class="ops-out ops-who" href="account" target="_self" title="{escape(account)}"'
            f' aria-label="{escape(account)}">{escape(user.name)}</a>'
            f'<a class="ops-out" href="sign-out" target="_self">{escape(leave)}</a>',
            width="content",
        )


def only_for(role: Role) -> None:
    """End the page run with a note, unless the user has the role."""
    user = state.user()
    if user.role.covers(role):
        return
    text = _("This page is for the role {needed}; you are signed in as {name} with the role {role}.")
    note("idle", text.format(needed=_(ROLES[role]), name=user.name, role=_(ROLES[user.role])), icon="lock")
    st.stop()


def heading(title: str, beside: str = "") -> str:
    """Return a page's heading with a short text beside it."""
    more = f'<span class="ops-soft">{escape(beside)}</span>' if beside else ""
    return f'<div class="ops-line ops-heading"><h1 class="ops-title">{escape(title)}</h1>{more}</div>'


def session_link(server: str, session: str) -> str:
    """Return a link to a session's page as HTML."""
    query = escape(urlencode({"server": server, "session": session}), quote=True)
    return f'<a class="ops-anchor" href="session?{query}" target="_self">{escape(session)}</a>'


def new_tab_link(address: str, label: str) -> str:
    """Return a link that opens in a new tab, as HTML."""
    return (
        f'<a class="ops-anchor" href="{escape(address, quote=True)}" target="_blank" rel="noopener">'
        f"{escape(label)}</a>"
    )


def tab_state(title: str, tone: str) -> str:
    """Return the mark from which `page.js` sets title and icon of the browser's tab."""
    icon = escape(tab_icon(tone), quote=True)
    return f'<span hidden data-ops-tab="{escape(title, quote=True)}" data-ops-icon="{icon}"></span>'


def subtitle(text: str, level: int = 2) -> None:
    """Draw the heading of a section."""
    st.html(f'<h{level} class="ops-subtitle">{escape(text)}</h{level}>')


def subheading(title: str, beside: str) -> str:
    """Return the heading of a section with a short text beside it."""
    return (
        f'<div class="ops-line ops-heading"><h2 class="ops-subtitle">{escape(title)}</h2>'
        f'<span class="ops-soft">{escape(beside)}</span></div>'
    )


def prose(text: str) -> str:
    """Return a sentence as HTML, with text between backticks as `<code>`."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))


def draw(html: str) -> None:
    """Draw HTML, unless it is empty."""
    if html:
        st.html(html)


def soft(text: str) -> None:
    """Draw a line of secondary text."""
    st.html(f'<div class="ops-soft">{escape(text)}</div>')


def shape(name: str) -> str:
    """Return an icon in the colour of the text around it. It is decorative: the text repeats its meaning."""
    return f'<span class="ops-shape ops-shape-{name}" aria-hidden="true"></span>'


def badge(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return the verdict as a pill: shape, label, colour."""
    found = look(session)
    label = escape(formatter.translate(found.label))
    return f'<span class="ops-badge ops-{found.tone}" role="status">{shape(found.shape)}{label}</span>'


def since(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return the time in the verdict, "for 12 min", with the exact moment as its tooltip."""
    exact = escape(formatter.exactly(session.since), quote=True)
    words = escape(formatting.for_how_long(formatter, session.since))
    return f'<span class="ops-soft" title="{exact}">{words}</span>'


def facts(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return reason, last connection, last end-to-end answer and self-healing, one per line."""
    # While a phone is being linked, the panel below gives the reason.
    why = "" if session.verdict is Verdict.LINKING else formatting.reason(formatter, session)
    lines = [
        why,
        formatting.last_connected(formatter, session),
        formatting.last_answer(formatter, session),
        formatting.healing(formatter, session),
    ]
    exact = (
        f' title="{escape(formatter.exactly(session.last_connected), quote=True)}"'
        if session.last_connected
        else ""
    )
    told = [f"<div{exact if text == lines[1] else ''}>{escape(text)}</div>" for text in lines if text]
    return f'<div class="ops-facts ops-soft">{"".join(told)}</div>'


def about(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return label, owner and note from the settings, and the account as last seen."""
    told = about_text.lines(formatter, session, _settings_of(session))
    if not told:
        return ""
    return f'<div class="ops-facts ops-break">{"".join(f"<div>{escape(text)}</div>" for text in told)}</div>'


def about_briefly(session: SessionSnapshot) -> str:
    """Return the label and the last digits of the number, for a list."""
    told = about_text.brief(session, _settings_of(session))
    return f'<div class="ops-soft ops-break">{escape(told)}</div>' if told else ""


def _settings_of(session: SessionSnapshot) -> SessionSettings | None:
    return state.settings().session(session.server, session.session)


def pause_line(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return author, reason and end of a pause; empty if the session is not paused."""
    told = pause_of(state.settings(), session.server, session.session)
    return (
        f'<div class="ops-soft ops-break">{escape(formatting.pause(formatter, told))}</div>' if told else ""
    )


def maintenance_line(formatter: LocaleFormatter, session: SessionSnapshot) -> str:
    """Return until when a session is in maintenance as HTML; empty outside a window."""
    told = formatting.maintenance(formatter, session.maintenance_until)
    return f'<div class="ops-break"><b>{escape(told)}</b></div>' if told else ""


def note(tone: str, text: str, *, title: str = "", icon: str = "info", link: str = "") -> None:
    """Draw a coloured note. `text` and `title` are plain text, `link` is trusted HTML."""
    head = f"<b>{escape(title)}</b> " if title else ""
    body = f"<div>{head}{prose(text)}{link}</div>"
    st.html(f'<div class="ops-note ops-{tone}" role="status">{shape(icon)}{body}</div>')


def waiting(words: str, *more: str) -> None:
    """Draw a progress indicator with its text and further lines."""
    lines = "".join(f'<div class="ops-soft">{escape(line)}</div>' for line in more if line)
    st.html(
        '<div class="ops-waiting" role="status"><span class="ops-spin" aria-hidden="true"></span>'
        f'<div><div class="ops-big" data-ops="progress">{escape(words)}</div>{lines}</div></div>'
    )


def findings(lines: Sequence[tuple[str, str]]) -> None:
    """Draw results as a list, each with its tone."""
    icons = {"good": "check", "bad": "cross", "wait": "dots", "idle": "question"}
    items = "".join(
        f'<li class="ops-tone-{tone}">{shape(icons[tone])}<span>{prose(text)}</span></li>'
        for tone, text in lines
    )
    st.html(f'<ul class="ops-findings">{items}</ul>')


def consequences(lines: Sequence[tuple[str, str]]) -> None:
    """Draw the effects of an action as a list, each with its tone."""
    icons = {"warn": "warning", "bad": "cross", "idle": "info"}
    items = "".join(
        f'<li class="ops-tone-{tone}">{shape(icons[tone])}<span>{prose(text)}</span></li>'
        for tone, text in lines
    )
    st.html(f'<ul class="ops-findings">{items}</ul>')


def answers(
    label: str,
    key: str,
    action: Callable[..., None],
    arguments: tuple[str, ...],
    *,
    disabled: bool = False,
) -> None:
    """Draw a dialog's confirm and cancel buttons; either closes it."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        no = st.button(_("Cancel"), key=f"no-{key}")
        yes = st.button(label, key=key, on_click=action, args=arguments, type="primary", disabled=disabled)
    if yes or no:
        st.rerun()


def ask(label: str, text: str, key: str, action: Callable[..., None], arguments: tuple[str, ...]) -> None:
    """Open a dialog that confirms an action which is hard to undo."""

    @st.dialog(f"{label}?")
    def question() -> None:
        state.user()
        st.write(text)
        answers(label, key, action, arguments)

    question()


def draw_notice(notice: Notice | None) -> None:
    """Draw the notice of an action, if there is one."""
    if notice is not None:
        # In a new tab, so that the values typed here are kept.
        words = escape(_("Confirm your identity"))
        link = f' <a href="confirm" target="_blank" rel="noopener">{words}</a>'
        icon = "check" if notice.tone == "good" else "info"
        note(notice.tone, notice.text, icon=icon, link=link if notice.asks_to_confirm else "")


@contextmanager
def shows_store_errors() -> Iterator[None]:
    """Draw a note in place of the rest of a block that needs stored data which cannot be read."""
    try:
        yield
    except StoreError as error:
        note("bad", render(error.explanation, _), icon="warning")


def troubles() -> None:
    """Draw the problems that keep stored settings, users or tokens from taking effect, with the next step."""
    for trouble in state.troubles():
        note("bad", render(trouble, _), icon="warning")


def next_step(text: str) -> str:
    """Return a text whose next step is in the settings; users without access are told who can take it."""
    return text if state.may(Role.ADMINISTRATOR) else text + " " + _("Ask an administrator to do this.")


def banners(formatter: LocaleFormatter, server: ServerSnapshot, *, is_folded: bool = False) -> None:
    """Draw the maintenance or the problems of a gateway. Only one note explains why it does not answer.

    `is_folded`: a card in the list explains that already.
    """
    if not server.enabled:
        return
    if server.maintenance_until is not None:
        if is_folded:
            return
        title = _("Gateway {server}:").format(server=server.server)
        text = formatting.maintenance(formatter, server.maintenance_until)
        is_down = "" if server.up is not False else " " + _("The gateway does not answer.")
        note("idle", f"{text}.{is_down}", title=title)
        return
    default_secret(server)
    if kind_of(server.kind).expires_soon(server.version, server.published_at):
        web_version(server)
    fault = gateway_fault(server)
    if fault and not is_folded:
        title, text = fault_text(server)
        note("bad", text, title=title, icon="cut" if fault is Verdict.UNREACHABLE else "lock")


def fault_text(server: ServerSnapshot) -> tuple[str, str]:
    """Return the fault of a gateway that has one, and its cause with the next step."""
    if gateway_fault(server) is Verdict.UNREACHABLE:
        title = _("The gateway {server} does not answer.").format(server=server.server)
        if server.problem is not None and server.problem.kind == NotAGatewayError.__name__:
            title = _("Something other than {kind} answers at the address of the gateway {server}.").format(
                kind=kind_of(server.kind).title, server=server.server
            )
        text = _("Check that it is running and that its address is correct.")
        text = formatting.problem(_, server.problem) if server.problem else text
        return title, next_step(text)
    text = _(
        "Correct the key in the settings; until then the gateway's sessions cannot be checked. A "
        "gateway from the image wppconnect/server-cli ignores SECRET_KEY and needs --secretKey on its "
        "command line."
    )
    title = _("The gateway {server} does not accept the secret key.").format(server=server.server)
    return title, next_step(text)


def web_version(server: ServerSnapshot) -> None:
    """Draw a hint if the WhatsApp Web version of the gateway's release has expired or soon will."""
    notice = kind_of(server.kind).expiry_notice(server.version, server.published_at)
    if notice is not None:
        title = _("Gateway {server}:").format(server=server.server)
        note("idle", render(notice, _), title=title)


def default_secret(server: ServerSnapshot) -> None:
    """Draw a warning if the gateway accepts the public default secret."""
    if not server.default_secret or not server.enabled or server.up is False:
        return
    text = _(
        "Anyone who can reach the gateway can read and send messages. Give the gateway a secret key of its "
        "own and enter it in the settings."
    )
    title = _("The gateway {server} accepts the public default secret.").format(server=server.server)
    note("bad", next_step(text), title=title, icon="lock")


def history_table(formatter: LocaleFormatter, entries: Sequence[HistoryEntry]) -> str:
    """Return history entries as an HTML table, in the given order."""
    rows = []
    for entry in entries:
        exact = escape(formatter.exactly(entry.at), quote=True)
        by = escape(formatting.actor(formatter, entry.actor)) if entry.actor else ""
        actor = f' <span class="ops-soft">({by})</span>' if by else ""
        rows.append(
            f'<tr><td title="{exact}">{escape(formatter.moment(entry.at))}</td>'
            f"<td>{escape(history_text.line(formatter, entry))}{actor}</td></tr>"
        )
    return f'<table class="ops-history"><tbody>{"".join(rows)}</tbody></table>'


def live_code(formatter: LocaleFormatter, session: SessionSnapshot, *, attempt_left: int | None) -> None:
    """Draw the session's live QR code with its remaining seconds, limited by `attempt_left`."""
    if session.qr is None:
        return
    title = _("QR code that links a phone to {session}").format(session=session.session)
    source, name = qr_data_uri(session.qr.payload), escape(title, quote=True)
    st.html(f'<div class="ops-qr-frame"><img class="ops-qr" src="{source}" alt="{name}"></div>')
    left = formatting.code_seconds_left(formatter, session.qr)
    if attempt_left is not None:
        left = min(left, attempt_left)
    width = 100 * left // round(session.qr.life_seconds)
    words = (
        _("Code expires in {seconds} s").format(seconds=left)
        if left
        else _("Scanned? WhatsApp may be loading the chats. If not, a new code appears shortly.")
    )
    st.html(
        f'<div class="ops-center ops-big" data-ops="code-left">{escape(words)}</div>'
        f'<div class="ops-bar" aria-hidden="true"><i style="width:{width}%"></i></div>'
    )
