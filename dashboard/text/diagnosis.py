"""Texts of a diagnosis, for the page and for `wppconnect-ops doctor`. Pure functions."""

from __future__ import annotations

from core.doctor.diagnosis import Cause, Check, CheckResult, Diagnosis, Result
from core.messages import render
from core.models import utc
from dashboard import formatting
from dashboard.i18n import N_, Translate
from dashboard.text.diagnosis_words import CAUSES, CHECKS, NO_SECRET_KEY, OF_THE_GATEWAY

TONES = {Result.PASSED: "good", Result.FAILED: "bad", Result.SKIPPED: "idle"}
TOLD_BY_THE_ERROR = frozenset({Cause.UNREACHABLE, Cause.NOT_A_GATEWAY, Cause.NO_ANSWER_IN_TIME})
"""Causes for which the error is more specific: a network fault, or what answered instead."""
SAYS_NO_MORE = frozenset({"transport.timeout", "plain"})
"""Explanations of errors that are less specific than the cause, as of a gateway that hangs."""

MARKS = {Result.PASSED: N_("ok"), Result.FAILED: N_("fail"), Result.SKIPPED: N_("skipped")}


def answer(_: Translate, one: CheckResult) -> str:
    """Return one check's result with its details: the state word, the release, the error, the duration."""
    well, ill, unknown = CHECKS[one.check]
    if one.check is Check.SECRET_ACCEPTED and not one.error:
        unknown = NO_SECRET_KEY
    words = {Result.PASSED: well, Result.FAILED: ill, Result.SKIPPED: unknown}[one.result]
    more = [one.detail]
    if one.error and one.check is not Check.REACHABLE:
        # Why the gateway is unreachable is the closing sentence of the report.
        more.append(formatting.cause(_, one.error).removesuffix("."))
    if one.seconds:
        # A no-break space: on a phone the unit could wrap to a line of its own.
        more.append(
            f"{1000 * one.seconds:.0f}\N{NO-BREAK SPACE}ms"
            if one.seconds < 1
            else f"{one.seconds:.1f}\N{NO-BREAK SPACE}s"
        )
    told = ", ".join(text for text in more if text)
    words = _(words)
    return f"{words} ({told})" if told else words


def sentence(_: Translate, diagnosis: Diagnosis) -> str:
    """Return the cause and the next step; empty while the examination runs."""
    if diagnosis.cause is None:
        return ""
    explained = next((one.explanation for one in diagnosis.results if one.explanation is not None), None)
    if diagnosis.cause in TOLD_BY_THE_ERROR and explained is not None and explained.id not in SAYS_NO_MORE:
        return render(explained, _)
    if diagnosis.session is None and diagnosis.cause in OF_THE_GATEWAY:
        return _(OF_THE_GATEWAY[diagnosis.cause])
    return _(CAUSES[diagnosis.cause])


def report(_: Translate, diagnosis: Diagnosis, version: str) -> str:
    """Return the diagnosis as plain text, safe to share: it contains no secret."""
    about = f"{diagnosis.server} / {diagnosis.session}" if diagnosis.session else diagnosis.server
    marks = {result: _(mark) for result, mark in MARKS.items()}
    width = max(len(mark) for mark in marks.values())
    lines = [f"wppconnect-ops {version}  {utc(diagnosis.began_at)}  {about}", ""]
    lines += [f"{marks[one.result]:<{width}}  {answer(_, one)}" for one in diagnosis.results]
    lines += ["", render(diagnosis.hint, _)] if diagnosis.hint is not None else []
    return "\n".join([*lines, "", sentence(_, diagnosis)])
