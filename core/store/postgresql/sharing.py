"""Divide the gateways among the processes that can probe them."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def assign(members: Mapping[str, Collection[str]], holders: Mapping[str, str]) -> dict[str, str]:
    """Return by gateway which member is to probe it.

    `members` are the gateways that each one knows, `holders` who holds a gateway now. Everybody who reads the
    same gets the same result. A gateway moves only where its holder has two more than another member.
    """
    shares: dict[str, set[str]] = {member: set() for member in sorted(members)}

    def least_of(gateway: str) -> str:
        return min((one for one in shares if gateway in members[one]), key=lambda one: len(shares[one]))

    free = []
    for gateway in sorted(set().union(*members.values())):
        holder = holders.get(gateway)
        if holder is not None and gateway in members.get(holder, ()):
            shares[holder].add(gateway)
        else:
            free.append(gateway)
    for gateway in free:
        shares[least_of(gateway)].add(gateway)
    while move := _next_move(shares, members):
        gateway, giver, taker = move
        shares[giver].remove(gateway)
        shares[taker].add(gateway)
    return {gateway: member for member, gateways in shares.items() for gateway in gateways}


def _next_move(
    shares: Mapping[str, set[str]], members: Mapping[str, Collection[str]]
) -> tuple[str, str, str] | None:
    by_load = sorted(shares, key=lambda one: len(shares[one]))
    for giver in reversed(by_load):
        for taker in by_load:
            if len(shares[giver]) - len(shares[taker]) < 2:
                break
            movable = shares[giver].intersection(members[taker])
            if movable:
                return max(movable), giver, taker
    return None
