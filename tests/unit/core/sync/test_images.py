"""Which of our keys an image reads, and which folders of a gateway must be on a volume."""

from __future__ import annotations

import pytest

from core.sync.images import known_image, precious_folders


@pytest.mark.parametrize(
    ("reference", "reads"),
    [
        ("wppconnect/server-cli", {"--secretKey"}),
        ("wppconnect/server-cli:latest", {"--secretKey"}),
        ("registry.example.org:5000/mirror/wppconnect/server-cli:1.3.18", {"--secretKey"}),
        ("wppconnect/wppconnect-server@sha256:" + 64 * "a", {"SECRET_KEY"}),
        ("atendai/evolution-api:v2.1.1", {"AUTHENTICATION_API_KEY", "AUTHENTICATION_JWT_SECRET"}),
    ],
)
def test_known_images_are_known_by_the_end_of_their_name(reference: str, reads: set[str]) -> None:
    image = known_image(reference)

    assert image is not None
    assert image.reads == reads
    assert "TOKEN" not in image.reads


@pytest.mark.parametrize("reference", ["postgres:16", "my-evolution-api:1", "sha256:" + 64 * "a"])
def test_other_images_are_not(reference: str) -> None:
    assert known_image(reference) is None


SERVER = "wppconnect/wppconnect-server"
FOLDER = "/usr/src/wpp-server"


@pytest.mark.parametrize(
    ("reference", "environment", "folders"),
    [
        (SERVER, {}, [f"{FOLDER}/tokens", f"{FOLDER}/userDataDir"]),
        (SERVER, {"TOKEN_STORE_TYPE": "redis"}, [f"{FOLDER}/userDataDir"]),
        (SERVER, {"CUSTOM_USER_DATA_DIR": "/profiles/"}, [f"{FOLDER}/tokens", "/profiles"]),
        ("wppconnect/server-cli", {"TOKEN_STORE_TYPE": "redis", "CUSTOM_USER_DATA_DIR": "/profiles"}, None),
        ("my/own", {}, None),
    ],
    ids=["default", "tokens elsewhere", "profiles elsewhere", "server-cli reads no variables", "unknown"],
)
def test_gateway_keeps_tokens_and_profiles(
    reference: str, environment: dict[str, str], folders: list[str] | None
) -> None:
    expected = folders or [f"{FOLDER}/tokens", f"{FOLDER}/userDataDir"]

    assert precious_folders(known_image(reference), FOLDER, environment) == expected
