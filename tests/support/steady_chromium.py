#!/usr/bin/env python3
"""Chromium that is not told when a network interface comes or goes: a program for Playwright to start.

Each container that starts or ends changes the machine's interfaces, and Chromium then gives up every request
that waits for a connection (ERR_NETWORK_CHANGED), also to loopback. No switch of its own turns that off. It
learns of a change by a netlink socket; this program has the kernel refuse it one, and becomes Chromium.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

PROGRAMS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
"""The first that is installed. Without a window around it a page takes half the processor time to begin."""
MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""How the kernel calls the machine (AUDIT_ARCH_*), and the number of the call `socket` on it."""
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
CALL, MACHINE, FIRST_ARGUMENT = 0, 4, 16
"""Where they stand in what a filter looks at."""
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000
AF_NETLINK = 16


class Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def refuse_netlink(machine: int, call: int) -> None:
    """Let every later `socket(AF_NETLINK, ...)` of this process and its children fail."""
    instructions = [
        (LOAD, 0, 0, MACHINE),
        (JUMP_IF_EQUAL, 0, 5, machine),
        (LOAD, 0, 0, CALL),
        (JUMP_IF_EQUAL, 0, 3, call),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_IF_EQUAL, 0, 1, AF_NETLINK),
        (RETURN, 0, 0, FAIL_WITH | errno.EAFNOSUPPORT),
        (RETURN, 0, 0, ALLOW),
    ]
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
    program = Filter(len(instructions), ctypes.addressof(packed))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0
    ):
        raise OSError(ctypes.get_errno(), "the kernel takes no seccomp filter")


if __name__ == "__main__":
    if platform.machine() in MACHINES:
        refuse_netlink(*MACHINES[platform.machine()])
    program = next(filter(os.path.exists, PROGRAMS))
    os.execv(program, [program, *sys.argv[1:]])  # noqa: S606  # no shell is wanted
