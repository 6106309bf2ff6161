"""The actions of the hand-off's buttons."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from page_world import FakeCore, FakeSignIns
from streamlit.testing.v1 import AppTest

from core.handoffs import Handoffs
from core.store import FileStore
from dashboard.auth import identity
from dashboard.auth.user_admin import UserAdmin
from dashboard.auth.users import AuthMethod, Users


def make_a_link_twice() -> None:
    """What Streamlit does with one click whose run a timer interrupts."""
    from dashboard.handoff import actions

    actions.make_link("main", "sales")
    actions.make_link("main", "sales")


def test_one_click_makes_one_link_however_often_its_callback_runs(
    core: FakeCore, sign_ins: FakeSignIns, tmp_path: Path
) -> None:
    administration = identity.Administration(
        user_admin=UserAdmin(Users(FileStore(tmp_path / "users")), core.history),
        last_used=lambda _account: None,
        methods=(AuthMethod.PASSWORD,),
        groups_decide=False,
        external_url="https://ops.example.org",
    )
    identity.install(sign_ins, administration)
    core.handoffs = Handoffs(core.store, core.history.append, now=lambda: datetime.now(UTC))

    app = AppTest.from_function(make_a_link_twice).run()

    assert not app.exception
    assert [entry.data["event"] for entry in core.history.read()] == ["made"]
