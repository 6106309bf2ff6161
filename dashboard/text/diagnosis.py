"""A diagnosis in words, for the page and for `wppconnect-ops doctor`; pure."""

from __future__ import annotations

from core.doctor.diagnosis import Cause, Check, CheckResult, Diagnosis, Result
from core.messages import render
from core.models import utc
from dashboard import formatting
from dashboard.i18n import N_, Translate
from dashboard.text.diagnosis_words import CAUSES, CHECKS, NO_SECRET_KEY, OF_THE_GATEWAY

TONES = {Result.PASSED: "good", Result.FAILED: "bad", Result.SKIPPED: "idle"}
TOLD_BY_THE_ERROR = frozenset({Cause.UNREACHABLE, Cause.NOT_A_GATEWAY, Cause.NO_ANSWER_IN_TIME})
"""What came instead of an answer says more than the cause: a fault of the network, or who answers."""
SAYS_NO_MORE = frozenset({"transport.timeout", "plain"})
"""Of a gateway that hangs, the cause says more than the error."""

MARKS = {Result.PASSED: N_("ok"), Result.FAILED: N_("not ok"), Result.SKIPPED: N_("not asked")}


def answer(_: Translate, one: CheckResult) -> str:
    """Tell one answer with what more is known of it: the state word, the release, the error, the time."""
    well, ill, unknown = CHECKS[one.check]
    if one.check is Check.SECRET_ACCEPTED and not one.error:
        unknown = NO_SECRET_KEY
    words = {Result.PASSED: well, Result.FAILED: ill, Result.SKIPPED: unknown}[one.result]
    more = [one.detail]
    if one.error and one.check is not Check.REACHABLE:
        # Why it does not answer at all is the sentence at the end.
        more.append(formatting.cause(_, one.error).removesuffix("."))
    if one.seconds:
        # A no-break space: on a phone the unit would stand alone in the next line.
        more.append(
            f"{1000 * one.seconds:.0f}\N{NO-BREAK SPACE}ms"
            if one.seconds < 1
            else f"{one.seconds:.1f}\N{NO-BREAK SPACE}s"
        )
    told = ", ".join(text for text in more if text)
    words = _(words)
    return f"{words} ({told})" if told else words


def sentence(_: Translate, diagnosis: Diagnosis) -> str:
    """Say the cause and the next step; empty while questions are open."""
    if diagnosis.cause is None:
        return ""
    explained = next((one.explanation for one in diagnosis.results if one.explanation is not None), None)
    if diagnosis.cause in TOLD_BY_THE_ERROR and explained is not None and explained.id not in SAYS_NO_MORE:
        return render(explained, _)
    if diagnosis.session is None and diagnosis.cause in OF_THE_GATEWAY:
        return _(OF_THE_GATEWAY[diagnosis.cause])
    return _(CAUSES[diagnosis.cause])


def report(_: Translate, diagnosis: Diagnosis, version: str) -> str:
    """Write the whole diagnosis as plain text that may be copied anywhere: it holds no secret."""
    about = f"{diagnosis.server} / {diagnosis.session}" if diagnosis.session else diagnosis.server
    marks = {result: _(mark) for result, mark in MARKS.items()}
    width = max(len(mark) for mark in marks.values())
    lines = [f"wppconnect-ops {version}  {utc(diagnosis.began_at)}  {about}", ""]
    lines += [f"{marks[one.result]:<{width}}  {answer(_, one)}" for one in diagnosis.results]
    lines += ["", render(diagnosis.hint, _)] if diagnosis.hint is not None else []
    return "\n".join([*lines, "", sentence(_, diagnosis)])
