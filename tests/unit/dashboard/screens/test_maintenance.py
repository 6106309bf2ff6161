"""Maintenance windows on the page: planned, shown, ended, deleted, and what the other screens say of them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from page_world import NOW, FakeCore, FakeSignIns, ago, open_page, session, shown
from streamlit.testing.v1 import AppTest

from core.settings import maintaining
from core.settings.maintenance import Once, Target, Weekly, Window
from dashboard.auth.users import Role, User

UNTIL = NOW + timedelta(hours=2)
NEXT_YEAR = datetime.now(UTC).year + 1
"""The widget offers ten years."""
MAINTAINED: dict[str, Any] = {"maintenance_until": UNTIL}
OPERATOR = Role.OPERATOR


def local(year: int, rest: str) -> datetime:
    """A date and time as a field holds it."""
    return datetime.fromisoformat(f"{year}-{rest}")


def window(since: float, until: float, *targets: Target, **fields: Any) -> Window:
    """A window of so many hours from now."""
    now = datetime.now(UTC)
    once = Once(since=now + timedelta(hours=since), until=now + timedelta(hours=until))
    known = {"id": "w1", "targets": targets or (Target(),), "schedule": once, "by": "rui"}
    return Window(**(known | fields))


EVERY_DAY = Weekly(weekdays=tuple(range(7)), at="00:00", minutes=1440, zone="UTC")


def keys(app: AppTest) -> set[str]:
    return {str(one.key) for one in app.button}


@pytest.fixture
def page(core: FakeCore, sign_ins: FakeSignIns) -> FakeCore:
    core.shows(session("sales", "connected"), session("support", "connected"))
    sign_ins.user = User(name="ana", role=OPERATOR)
    return core


def plan(core: FakeCore, *windows: Window) -> None:
    for one in windows:
        maintaining.add(core.settings, one, now=datetime.now(UTC))


def saved(core: FakeCore) -> tuple[Window, ...]:
    return core.settings.current().maintenance


class TestList:
    def test_without_windows_it_says_so(self, page: FakeCore) -> None:
        app = open_page("alerts")

        assert "No maintenance is planned." in shown(app)
        assert "plan-maintenance" in keys(app)

    def test_the_next_one_comes_first_with_who_and_why(self, page: FakeCore) -> None:
        plan(
            page,
            window(5, 6, Target(server="main"), id="later"),
            window(-1, 2, Target(server="main", session="sales"), reason="new SIM"),
        )

        app = open_page("alerts")

        text = shown(app)
        assert text.index("sales (main)") < text.index("Gateway main")
        assert "Planned by rui: new SIM" in text
        assert {"maintenance-end-w1", "maintenance-delete-w1", "maintenance-delete-later"} <= keys(app)
        assert "maintenance-end-later" not in keys(app)

    def test_one_that_is_over_is_not_shown(self, page: FakeCore) -> None:
        plan(page, window(-2, -1))

        assert "No maintenance is planned." in shown(open_page("alerts"))

    def test_a_viewer_sees_them_and_changes_none(self, page: FakeCore, sign_ins: FakeSignIns) -> None:
        plan(page, window(-1, 2))
        sign_ins.user = User(name="eva", role=Role.VIEWER)

        app = open_page("alerts")

        assert "Everything" in shown(app)
        assert not {one for one in keys(app) if "maintenance" in one}

    def test_a_planned_one_that_is_ended_is_gone(self, page: FakeCore) -> None:
        plan(page, window(-1, 2))

        open_page("alerts").button("maintenance-end-w1").click().run()

        assert saved(page) == ()

    def test_a_recurring_one_that_is_ended_opens_again(self, page: FakeCore) -> None:
        plan(page, window(0, 1, schedule=EVERY_DAY))

        app = open_page("alerts").button("maintenance-end-w1").click().run()

        (left,) = saved(page)
        assert left.current(datetime.now(UTC)) is None
        assert "maintenance-end-w1" not in keys(app)

    def test_deleting_asks_first(self, page: FakeCore) -> None:
        plan(page, window(0, 1, schedule=EVERY_DAY))

        asked = open_page("alerts").button("maintenance-delete-w1").click().run()
        before = saved(page)
        asked.button("maintenance-delete-yes-w1").click().run()

        assert (len(before), saved(page)) == (1, ())


def _form() -> None:
    from datetime import UTC, datetime

    import streamlit as st

    from dashboard.maintenance import actions, form

    form.draw_form(datetime.now(UTC))
    st.button("Plan", key="maintenance-yes", on_click=actions.plan)


class TestPlanning:
    def form(self) -> AppTest:
        """The form alone: a test's run of the page would close the dialog."""
        app = AppTest.from_function(_form, default_timeout=60)
        app.context["locale"], app.context["timezone"] = "en-GB", "Europe/Lisbon"
        return app.run()

    def test_nothing_can_be_saved_before_it_is_said_for_what(self, page: FakeCore) -> None:
        app = open_page("alerts").button("plan-maintenance").click().run()

        assert app.button("maintenance-yes").disabled
        assert "Choose gateways, tags or sessions." in shown(app)

    def test_a_planned_one_has_the_reader_s_local_times(self, page: FakeCore) -> None:
        app = self.form()
        app.multiselect("maintenance-targets").set_value(["main/sales", "main/"]).run()
        app.datetime_input("maintenance-since").set_value(local(NEXT_YEAR, "07-01 02:00")).run()
        app.datetime_input("maintenance-until").set_value(local(NEXT_YEAR, "07-01 04:00")).run()
        app.text_input("maintenance-reason").set_value(" new  SIM ").run()
        app.button("maintenance-yes").click().run()

        (found,) = saved(page)
        assert found.targets == (Target(server="main", session="sales"), Target(server="main"))
        assert found.schedule == Once(
            since=datetime(NEXT_YEAR, 7, 1, 1, tzinfo=UTC), until=datetime(NEXT_YEAR, 7, 1, 3, tzinfo=UTC)
        )
        assert (found.by, found.reason) == ("ana", "new SIM")

    def test_one_for_a_tag_is_named_by_it(self, page: FakeCore) -> None:
        page.settings.edit(lambda saved: saved.with_session("main", "sales", tags="Norte"), actor="rui")
        app = self.form()

        app.multiselect("maintenance-targets").set_value(["tag:Norte"]).run()
        app.button("maintenance-yes").click().run()

        (found,) = saved(page)
        assert found.targets == (Target.of_tag("Norte"),)
        assert "Tag Norte" in shown(open_page("alerts"))

    def test_a_recurring_one_has_days_time_length_and_zone(self, page: FakeCore) -> None:
        app = self.form()
        app.multiselect("maintenance-targets").set_value(["/"]).run()
        app.pills("maintenance-repeat").set_value("weekly").run()
        assert "Choose at least one day." in shown(app)
        app.pills("maintenance-days").set_value(["6", "2"]).run()
        app.time_input("maintenance-at").set_value(time(3, 30)).run()
        app.pills("maintenance-span").set_value("2h").run()
        app.button("maintenance-yes").click().run()

        (found,) = saved(page)
        assert found.targets == (Target(),)
        assert found.schedule == Weekly(weekdays=(2, 6), at="03:30", minutes=120, zone="Europe/Lisbon")

    @pytest.mark.parametrize(
        ("since", "until", "problem"),
        [
            (
                local(NEXT_YEAR, "07-01 02:00"),
                local(NEXT_YEAR, "07-01 02:00"),
                "The end must be after the start.",
            ),
            (
                local(NEXT_YEAR - 2, "01-01 02:00"),
                local(NEXT_YEAR - 2, "01-01 04:00"),
                "The end is in the past.",
            ),
        ],
        ids=["no time at all", "over already"],
    )
    def test_what_cannot_be_is_not_saved(
        self, page: FakeCore, since: datetime, until: datetime, problem: str
    ) -> None:
        app = self.form()
        app.multiselect("maintenance-targets").set_value(["/"]).run()
        app.datetime_input("maintenance-since").set_value(since).run()
        app.datetime_input("maintenance-until").set_value(until).run()

        app.button("maintenance-yes").click().run()

        assert problem in shown(app)
        assert saved(page) == ()


class TestOtherScreens:
    def test_a_session_in_maintenance_is_no_problem_of_the_list(self, page: FakeCore) -> None:
        page.shows(session("sales", "disconnected", **MAINTAINED), session("support", "connected"))

        text = shown(open_page("sessions"))

        assert "Maintenance until 16:00" in text
        assert "All 1 connected" in text
        assert 'data-ops-tab="Sessions"' in text
        assert "ops-badge ops-bad" not in text

    def test_its_page_says_until_when_and_still_offers_to_pair(self, page: FakeCore) -> None:
        page.shows(session("sales", "disconnected", **MAINTAINED))

        app = open_page("session", server="main", session="sales")

        assert "Maintenance until 16:00" in shown(app)
        assert any("pair" in key for key in keys(app))

    @pytest.mark.parametrize("is_up", [True, False])
    def test_a_gateway_that_is_down_in_maintenance_is_no_alarm(self, page: FakeCore, is_up: bool) -> None:
        verdict = "connected" if is_up else "unreachable"
        page.shows(session("sales", verdict, **MAINTAINED), up=is_up, **MAINTAINED)

        text = shown(open_page("sessions"))

        assert "Gateway main:" in text
        assert ("The gateway does not answer." in text) is not is_up
        assert "ops-note ops-bad" not in text

    @pytest.mark.parametrize(
        ("locale", "expected"), [("pt-PT", "Em manutenção até 16:00"), ("pt-BR", "Em manutenção até 16:00")]
    )
    def test_in_the_reader_s_language(self, page: FakeCore, locale: str, expected: str) -> None:
        page.shows(session("sales", "connected", since=ago(hours=1), **MAINTAINED))

        assert expected in shown(open_page("sessions", locale=locale))
