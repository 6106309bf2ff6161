"""Who hangs on a container, by what the engine says of it."""

from __future__ import annotations

from typing import Any

import pytest

from core.sync.assessment import dependants

OWNER = {"Id": "a" * 64, "Name": "/owner", "HostConfig": {}}
KINDS: list[Any] = [
    pytest.param({"NetworkMode": "container:owner"}, "network", id="network by name"),
    pytest.param({"NetworkMode": f"container:{'a' * 64}"}, "network", id="network by id"),
    pytest.param({"PidMode": "container:owner"}, "process space", id="pid"),
    pytest.param({"IpcMode": f"container:{'a' * 12}"}, "memory", id="ipc by short id"),
    pytest.param({"Links": ["/owner:/other/alias"]}, "links", id="link"),
    pytest.param({"VolumesFrom": ["owner:ro"]}, "volumes", id="volumes, read-only"),
]


@pytest.mark.parametrize(("host", "what"), KINDS)
@pytest.mark.parametrize("name", ["owner", "owner-2"])
def test_only_who_shares_with_it_hangs_on_it(host: dict[str, Any], what: str, name: str) -> None:
    other = {"Id": "b" * 64, "Name": "/other", "HostConfig": host}
    owner = {**OWNER, "Name": f"/{name}", "Id": ("a" if name == "owner" else "c") * 64}

    assert dependants(owner, [owner, other]) == ({"other": what} if name == "owner" else {})
