"""A key that the gateway refuses from the start: what one look of the exporter tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.gateways.wppconnect.contract.credentials import PUBLIC_DEFAULT_SECRET
from exporter.cli import main as exporter
from simulator import Simulator
from tests.support.exposition import samples

OURS = "a-secret-of-the-operator-0123456789abcdef"
THEIRS = "another-secret-of-the-gateway-0123456789"


def look(gateway: Simulator, directory: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    environ = {
        "WPPCONNECT_URL": gateway.url,
        "WPPCONNECT_SECRET_KEY": OURS,
        "WPPCONNECT_SESSIONS": "sales,support",
        "WPPCONNECT_DATA_DIR": str(directory / "data"),
    }
    assert exporter(["--once"], environ) == 0
    return samples(capsys.readouterr().out)


def refusals(metrics: dict[str, float], session: str) -> float:
    labels = f'reason="secret_rejected",server="main",session="{session}"'
    return metrics[f"wppconnect_auth_failures_total{{{labels}}}"]


@pytest.mark.parametrize(
    ("secret", "is_open"),
    [
        pytest.param(THEIRS, 0, id="another key"),
        pytest.param(PUBLIC_DEFAULT_SECRET, 1, id="the public default"),
    ],
)
def test_its_refusal_counts_once(
    secret: str, is_open: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Simulator(secret_key=secret, sessions=["sales", "support"]) as gateway:
        metrics = look(gateway, tmp_path, capsys)

    assert metrics['wppconnect_up{server="main"}'] == 1
    assert metrics['wppconnect_secret_key_valid{server="main"}'] == 0
    assert metrics['wppconnect_server_default_secret{server="main"}'] == is_open
    assert (refusals(metrics, "sales"), refusals(metrics, "support")) == (1, 0)


def test_a_key_that_is_accepted_is_refused_never(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(secret_key=OURS, sessions=["sales", "support"]) as gateway:
        metrics = look(gateway, tmp_path, capsys)

    assert metrics['wppconnect_secret_key_valid{server="main"}'] == 1
    assert (refusals(metrics, "sales"), refusals(metrics, "support")) == (0, 0)
