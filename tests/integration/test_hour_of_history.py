"""A scripted hour in a real Prometheus: every expression of rules and panels returns what is right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytest

from tests.integration.hour_answers import Answers, of_a_session, of_the_fleet, of_the_rules
from tests.integration.hour_oracles import (
    RULES_PHASE,
    RULES_SECONDS,
    SUMS_SECONDS,
    Oracle,
    Oracles,
    Series,
    labels,
)
from tests.integration.scripted_hour import SECONDS, Hour
from tests.plugins.system_tools import require
from tests.support.monitoring import expressions, rules
from tests.support.prometheus import Prometheus, create_blocks, prometheus
from tests.support.stack import free_port

require("prometheus", "promtool")

pytestmark = pytest.mark.prometheus

FLAGS = ("--query.lookback-delta=7s", "--storage.tsdb.retention.time=10y")
"""What is written afterwards bears no mark of a series' end, as a scrape sets it: each ends by itself."""
MINUTES = [60.0 * number + 5 for number in range(6, 61)]
"""When one asks: five seconds after each full minute, from the first whole five minutes on."""
KEPT = {"server", "session", "state", "reason", "version"}
"""Labels that tell what an answer is about; that of a variable also bears the target's."""
VARIABLES = {"$__interval": "5m", "$__rate_interval": "1m", "$__range": "1h"}
NOTHING = "vector(0) > 0"
RECORDED = {
    # How often, and how many seconds after a full minute, each kind of rule is evaluated.
    "sum5m": (SUMS_SECONDS, 4.3),
    "ratio": (60.0, 4.4),
    "last": (RULES_SECONDS, RULES_PHASE),
}


class Asked(NamedTuple):
    """An expression with everything filled in, and what has to come out of it."""

    place: str
    text: str
    oracle: Oracle


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Oracles:
    return Oracles(Hour(tmp_path_factory.mktemp("hour")))


@pytest.fixture(scope="module")
def server(known: Oracles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that holds the hour, with everything recorded that the rules record."""
    folder = tmp_path_factory.mktemp("prometheus")
    data, configuration = folder / "data", folder / "prometheus.yml"
    configuration.write_text("")
    create_blocks([*known.hour.open_metrics(), *alerts_of(known)], data)
    recording = [rule for rule in rules() if "record" in rule]
    second_hand = [rule for rule in recording if reads_others(rule)]
    for some in ([rule for rule in recording if rule not in second_hand], second_hand):
        with prometheus(configuration, data, *FLAGS, address=f"127.0.0.1:{free_port()}") as running:
            lines = [line for rule in some for line in record(running, rule, known)]
        create_blocks(lines, data)
    with prometheus(configuration, data, *FLAGS, address=f"127.0.0.1:{free_port()}") as running:
        yield running


def alerts_of(known: Oracles) -> Iterator[str]:
    """Write down which alerts fired: some expressions ask for it."""
    for second, firing in known.firing.items():
        for name, of in firing:
            own = {"alertname": name, "alertstate": "firing", "severity": "critical"} | dict(of)
            yield sample("ALERTS", own, 1.0, known.hour.at(second).timestamp())


def record(running: Prometheus, rule: dict[str, Any], known: Oracles) -> Iterator[str]:
    """Evaluate a recording rule over the whole hour as Prometheus would have."""
    step, phase = next(found for kind, found in RECORDED.items() if kind in rule["record"])
    start, end = (known.hour.at(second).timestamp() for second in (phase, SECONDS))
    if rule["record"] in rule["expr"]:
        moments = (start + step * number for number in range(int((end - start) / step) + 1))
        yield from record_step_by_step(running, rule, moments)
        return
    for named, samples in running.query_range(rule["expr"], start, end, step):
        for moment, value in samples:
            yield sample(rule["record"], named, value, moment)


def reads_others(rule: dict[str, Any]) -> bool:
    """Tell whether a rule reads what another one records."""
    return ":" in rule["expr"].replace("[5m:5s]", "").replace(rule["record"], "")


def record_step_by_step(running: Prometheus, rule: dict[str, Any], moments: Iterable[float]) -> Iterator[str]:
    """Evaluate a rule that reads what it said itself the time before."""
    before = NOTHING
    for moment in moments:
        found = running.query(rule["expr"].replace(rule["record"], f"({before})"), moment)
        before = " or ".join(literal(named, value) for named, value in found) or NOTHING
        for named, value in found:
            yield sample(rule["record"], named, value, moment)


def literal(named: dict[str, str], value: float) -> str:
    """Write a sample as an expression."""
    text = f"vector({value!r})"
    for key, label in named.items():
        text = f'label_replace({text}, "{key}", "{label}", "", "")'
    return text


def sample(name: str, labels: dict[str, str], value: float, moment: float) -> str:
    """Write a line of OpenMetrics."""
    pairs = ",".join(f'{key}="{text}"' for key, text in labels.items() if key != "__name__")
    return f"{name}{{{pairs}}} {value!r} {moment:.3f}\n"


def asked(known: Oracles) -> Iterator[Asked]:
    """Yield every expression of the kit, those of a session for each session."""
    whole = of_the_rules(known) | of_the_fleet(known)
    yield from filled(whole, {"$server": ".*", "$session": ".*"})
    for server, session in known.sessions:
        chosen = {"$server": server, "$session": session, 'server="x"': f'server="{server}"'}
        yield from filled(
            of_a_session(known, (server, session)), chosen | {'session="x"': f'session="{session}"'}
        )


def filled(answers: Answers, chosen: dict[str, str]) -> Iterator[Asked]:
    """Put an expression beside each answer."""
    texts: dict[str, list[str]] = defaultdict(list)
    for one in expressions():
        texts[one.place].append(one.text)
    for place, oracles in answers.items():
        for text, oracle in zip(texts[place], oracles, strict=True):
            for variable, value in (VARIABLES | chosen).items():
                text = text.replace(variable, value)
            yield Asked(place, text, oracle)


def test_every_expression_of_the_kit_has_an_answer(known: Oracles) -> None:
    known_places = {one.place for one in asked(known)}

    assert {one.place for one in expressions()} == known_places


def test_everything_happens_in_this_hour(known: Oracles) -> None:
    """An expression that never returns anything proves little."""
    places = {one.place for one in asked(known)}
    heard = {one.place for one in asked(known) if any(one.oracle.expected(second) for second in MINUTES)}

    assert places - heard == {
        "WppconnectProbeStale",
        "WppconnectSettingsRefused",
        "WppconnectSessionEndToEndFailing",
        "WppconnectSessionDisconnected, tried",
        "WppconnectWebVersionExpiresSoon",
    }


def test_every_expression_returns_what_is_right_at_every_minute(known: Oracles, server: Prometheus) -> None:
    start, end = (known.hour.at(second).timestamp() for second in (MINUTES[0], MINUTES[-1]))
    wrong = []
    for one in asked(known):
        answers: dict[float, Series] = defaultdict(dict)
        for named, samples in server.query_range(one.text, start, end, 60.0):
            pairs = frozenset((key, text) for key, text in named.items() if key in KEPT)
            for moment, value in samples:
                answers[moment][pairs] = value
        for second in MINUTES:
            found = answers[known.hour.at(second).timestamp()]
            wrong += [f"{one.place} {complaint}" for complaint in one.oracle.complaints(second, found)]

    assert wrong == []


def test_uptime_of_the_hour_is_that_of_the_page(known: Oracles, server: Prometheus) -> None:
    end = 60.0 * 60 + 5
    told = known.uptimes(end)
    answers = server.query("server_session:wppconnect_session_uptime:ratio1h", known.hour.at(end).timestamp())
    found = {labels(server=one["server"], session=one["session"]): share for one, share in answers}

    worst = max(abs(found[one] - told[one]) for one in told)
    print(f"uptime of {len(told)} sessions: the page and Prometheus differ by {worst:.3%} at most")
    assert found.keys() == told.keys()
    assert worst <= 0.001
