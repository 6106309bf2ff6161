"""`wppconnect-ops rules`: the monitoring kit with the links of an installation."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(
    epilog="Receivers are configured in alertmanager/alertmanager.yml: an existing one is not overwritten."
)
@click.option("--external-url", metavar="URL", required=True, help="The page's public URL.")
@click.option("--runbooks-url", metavar="URL", help="Where runbooks/*.md are published, if not on the page.")
@click.option(
    "--grace", metavar="DURATION", help="How long a session may be lost before its alert fires (3m)."
)
@click.option(
    "--objective",
    metavar="PERCENT",
    type=click.FloatRange(50, 100, min_open=True, max_open=True),
    help="Warn of sessions that lose too much time for this uptime in 30 days, such as 99.5 (off).",
)
@click.option(
    "--language",
    type=click.Choice(("en", "pt_PT", "pt_BR")),
    default="en",
    show_default=True,
    help="Language of the notifications, set in alertmanager/alertmanager.yml.",
)
@click.option(
    "--output", metavar="DIR", type=click.Path(path_type=Path), help="Write all files to this folder."
)
@click.option(
    "--kubernetes",
    is_flag=True,
    help="Print all rules as one PrometheusRule, for the Prometheus Operator; nothing else is written.",
)
def rules(
    external_url: str,
    runbooks_url: str | None,
    grace: str | None,
    objective: float | None,
    language: str,
    output: Path | None,
    kubernetes: bool,
) -> int:
    """Write the alert rules, Alertmanager's configuration and the Grafana dashboards.

    The files contain the links of this installation. Without --output only the alert rules are written, to
    standard output; with --kubernetes, all rules as a resource for kubectl.
    """
    from urllib.parse import urlsplit

    from cli.monitoring_kit import (
        MONITORING,
        RULES,
        SHORTEST_GRACE_SECONDS,
        Installation,
        adapt,
        parse_duration,
        prometheus_rule,
        write,
    )
    from core.exceptions import ConfigurationError, WppconnectError
    from dashboard.settings import check_external_url

    problems = []
    try:
        external_url = check_external_url(external_url)
    except ValueError as error:
        problems.append(f"--external-url: {error}")
    if runbooks_url is not None and urlsplit(runbooks_url).scheme not in ("http", "https"):
        problems.append("--runbooks-url: must begin with https:// or http://")
    grace_seconds = parse_duration(grace) if grace else None
    if grace and grace_seconds is None:
        problems.append("--grace: write a duration like 90s or 3m")
    elif grace_seconds is not None and grace_seconds < SHORTEST_GRACE_SECONDS:
        problems.append(f"--grace: would page for nothing; choose {SHORTEST_GRACE_SECONDS}s or more")
    if kubernetes and output is not None:
        problems.append("--kubernetes: prints one resource; leave out --output")
    elif objective is not None and output is None and not kubernetes:
        problems.append("--objective: its rules are a file of their own; name a folder with --output")
    if problems:
        raise ConfigurationError(problems)
    host = urlsplit(external_url).hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        sys.stderr.write("wppconnect-ops rules: these links work on this machine only\n")
    runbooks_url = (runbooks_url or f"{external_url}/runbooks").rstrip("/")
    here = Installation(external_url, runbooks_url, grace_seconds, language, objective)
    if kubernetes:
        sys.stdout.write(prometheus_rule(here))
        return 0
    if output is None:
        sys.stdout.write(adapt((MONITORING / RULES).read_text(encoding="utf-8"), here))
        return 0
    try:
        written = write(here, output)
    except OSError as error:
        raise WppconnectError(f"{output}: cannot be written ({error.strerror})") from None
    print("\n".join(str(path) for path in written))
    return 0
