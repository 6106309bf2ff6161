from tests.support.deployed import inspected

DATA, CACHE = ({"Type": "volume", "Destination": path} for path in ("/data", "/cache"))
CONTAINER = {"Id": "1", "Image": "2", "Config": {}, "HostConfig": {}, "RestartCount": 0}


def test_mounts_in_another_order_are_no_change_but_another_mount_is_one() -> None:
    before, shuffled, moved = (
        inspected({**CONTAINER, "State": {"StartedAt": "now"}, "Mounts": mounts})
        for mounts in ([DATA, CACHE], [CACHE, DATA], [DATA, {**CACHE, "Type": "tmpfs"}])
    )

    assert shuffled == before
    assert moved != before
