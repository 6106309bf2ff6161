"""Texts on which a search that goes back and forth would take very long."""

from __future__ import annotations

HOSTILE = {
    "word": "a" * 19_000,
    "URL": "://" + "a" * 19_000,
    "digits": "+1" + " 1" * 9_000,
    "codes": "2@" * 9_000,
    "dashes": "x-" * 9_000,
    "slashes": "/api/" * 4_000,
}
