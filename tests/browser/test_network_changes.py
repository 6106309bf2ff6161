"""A container that comes or goes beside the suite takes no connection from a browser."""

from __future__ import annotations

import errno
import platform
import subprocess
import sys

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import new_tab
from tests.support.processes import ROOT
from tests.support.steady_chromium import MACHINES

ASK_FOR_SOCKETS = """
import platform, socket
from tests.support.steady_chromium import MACHINES, refuse_netlink

refuse_netlink(*MACHINES[platform.machine()])
for family in (socket.AF_INET, socket.AF_UNIX, socket.AF_NETLINK):
    try:
        socket.socket(family, socket.SOCK_STREAM if family != socket.AF_NETLINK else socket.SOCK_RAW).close()
        print("given")
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.skipif(platform.machine() not in MACHINES, reason="no filter for this machine")
def test_kernel_tells_nothing_of_network_interfaces_and_gives_all_other_sockets() -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK_FOR_SOCKETS], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert asked.stdout.split() == ["given", "given", str(errno.EAFNOSUPPORT)]


@pytest.mark.browser
def test_browser_without_that_news_takes_itself_for_online(browser: Browser) -> None:
    tab = new_tab(browser)

    assert tab.evaluate("navigator.onLine")
    tab.context.close()
