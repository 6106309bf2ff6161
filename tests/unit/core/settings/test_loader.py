"""Reading variables into a model: all mistakes at once, `_FILE` secrets, flags, unknown names."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, SecretStr

from core.exceptions import ConfigurationError
from core.logs import redact
from core.settings.fields import ListenAddress
from core.settings.loader import Environment, Finding, load_settings, require_all


class Shop(Environment):
    """A front door's settings."""

    prefix: ClassVar[str] = "SHOP_"

    listen_address: ListenAddress = ("127.0.0.1", 80)
    till: int = 1
    rate: Annotated[float, Field(ge=1, le=300)] = 5.0
    is_open: bool = False
    style: Literal["text", "json"] = "text"
    password: Annotated[SecretStr, Field(min_length=8)] | None = None

    def mistakes(self) -> Iterable[Finding]:
        """Find a till that the shop has not."""
        if self.is_open and self.till > 3:
            yield Finding(("till", "is_open"), "is above 3; choose one from 1 to 3")

    def remarks(self) -> Iterable[Finding]:
        """Find a slow rate."""
        if self.rate > 200:
            yield Finding(("rate",), "is slow")


class Owner(Environment):
    """A model with a setting that must be given."""

    prefix: ClassVar[str] = "OWNER_"

    name: str


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("SHOP_TILL", "two", "must be a whole number"),
        ("SHOP_RATE", "5s", "must be a number without a unit, for example 5 or 0.5"),
        ("SHOP_RATE", "nan", "must be a number without a unit, for example 5 or 0.5"),
        ("SHOP_RATE", "0.5", "must be at least 1 and at most 300"),
        ("SHOP_RATE", "301", "must be at least 1 and at most 300"),
        ("SHOP_IS_OPEN", "perhaps", "must be true or false"),
        ("SHOP_STYLE", "xml", "must be text or json"),
        (
            "SHOP_LISTEN_ADDRESS",
            "80",
            "must be HOST:PORT, for example 127.0.0.1:8080, or :8080 for every address",
        ),
        ("SHOP_PASSWORD", "short", "is too short; use at least 8 characters"),
        (
            "SHOP_PASSWORD",
            "two\nlines of text",
            "has a line break or control character in it; write it in one line",
        ),
    ],
)
def test_one_wrong_variable_is_named_with_its_remedy(variable: str, text: str, problem: str) -> None:
    loaded = load_settings(Shop, {variable: text})

    assert loaded.problems == (f"{variable}: {problem}",)


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "on"])
def test_words_for_true(text: str) -> None:
    assert load_settings(Shop, {"SHOP_IS_OPEN": text}).values.is_open is True


@pytest.mark.parametrize("text", ["false", "FALSE", "0", "no", "off"])
def test_words_for_false(text: str) -> None:
    assert load_settings(Shop, {"SHOP_IS_OPEN": text}).values.is_open is False


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_empty_variable_counts_as_not_set(text: str) -> None:
    loaded = load_settings(Shop, {"SHOP_RATE": text, "SHOP_PASSWORD": text, "SHOP_PASSWORD_FILE": text})

    assert loaded.values == Shop()
    assert loaded.values.source("rate") == "default"


def test_missing_variable_is_told() -> None:
    assert load_settings(Owner, {}).problems == ("OWNER_NAME: is not set; set it",)


def test_mistakes_of_all_models_are_raised_together_and_misspelt_variables_follow() -> None:
    shop = load_settings(Shop, {"SHOP_TILL": "two", "SHOP_RATE": "0", "SHOP_STILE": "text"})
    owner = load_settings(Owner, {})

    with pytest.raises(ConfigurationError) as caught:
        require_all(shop, owner)

    assert caught.value.problems == (
        "SHOP_TILL: must be a whole number",
        "SHOP_RATE: must be at least 1 and at most 300",
        "OWNER_NAME: is not set; set it",
        "also noticed:",
        "  SHOP_STILE: is not a setting of ours and is ignored; did you mean SHOP_STYLE?",
    )


def test_nothing_noticed_has_no_heading() -> None:
    with pytest.raises(ConfigurationError) as caught:
        require_all(load_settings(Owner, {}))

    assert caught.value.problems == ("OWNER_NAME: is not set; set it",)


def test_settings_that_do_not_fit_are_told_beside_unreadable_ones() -> None:
    loaded = load_settings(Shop, {"SHOP_TILL": "4", "SHOP_IS_OPEN": "yes", "SHOP_RATE": "x"})

    assert loaded.problems == (
        "SHOP_RATE: must be a number without a unit, for example 5 or 0.5",
        "SHOP_TILL: is above 3; choose one from 1 to 3",
    )


def test_settings_are_not_compared_with_an_unreadable_one() -> None:
    loaded = load_settings(Shop, {"SHOP_TILL": "4", "SHOP_IS_OPEN": "perhaps"})

    assert loaded.problems == ("SHOP_IS_OPEN: must be true or false",)


def test_values_of_wrong_settings_cannot_be_had() -> None:
    loaded = load_settings(Shop, {"SHOP_TILL": "two"})

    with pytest.raises(ConfigurationError, match="SHOP_TILL"):
        _ = loaded.values


def test_doubtful_and_unknown_variables_are_warnings() -> None:
    loaded = load_settings(
        Shop, {"SHOP_RATE": "250", "SHOP_COLOUR_OF_DOOR": "red", "shop_till": "2", "OTHER": "x"}
    )

    require_all(loaded)
    assert loaded.warnings == (
        "SHOP_COLOUR_OF_DOOR: is not a setting of ours and is ignored; remove it",
        "shop_till: is not a setting of ours and is ignored; did you mean SHOP_TILL?",
        "SHOP_RATE: is slow",
    )


def test_source_of_each_value_is_known() -> None:
    flags = {"till": ("--shop.till", "2"), "style": ("--shop.style", None)}
    shop = load_settings(Shop, {"SHOP_TILL": "1", "SHOP_RATE": "7"}, flags=flags).values

    assert (shop.till, shop.rate, shop.style) == (2, 7.0, "text")
    assert (shop.source("till"), shop.source("rate"), shop.source("style")) == (
        "--shop.till",
        "SHOP_RATE",
        "default",
    )


def test_mistake_in_a_flag_names_the_flag() -> None:
    loaded = load_settings(Shop, {"SHOP_TILL": "1"}, flags={"till": ("--shop.till", "two")})

    assert loaded.problems == ("--shop.till: must be a whole number",)


def test_directly_built_model_names_its_variable_as_source() -> None:
    assert Shop(till=2).source("till") == "SHOP_TILL"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"correct horse\n", "correct horse"),
        (b"correct horse\r\n", "correct horse"),
        (b"correct horse", "correct horse"),
        (b"\xef\xbb\xbfcorrect horse\n", "correct horse"),
        ("straße zu\n".encode(), "straße zu"),
    ],
    ids=["newline", "CRLF", "none", "BOM", "UTF-8"],
)
def test_secret_is_read_from_its_file_without_the_line_end(
    tmp_path: Path, content: bytes, secret: str
) -> None:
    (tmp_path / "password").write_bytes(content)

    shop = load_settings(Shop, {"SHOP_PASSWORD_FILE": str(tmp_path / "password")}).values

    assert shop.password is not None
    assert shop.password.get_secret_value() == secret
    assert shop.source("password") == "SHOP_PASSWORD_FILE"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "names an empty file; write the secret into it, or set SHOP_PASSWORD itself"),
        (b" \n", "names an empty file; write the secret into it, or set SHOP_PASSWORD itself"),
        (
            b"\xff\xfe\x00",
            "names a file that is not UTF-8 text; write only the secret into it, or set SHOP_PASSWORD itself",
        ),
        (
            b"x" * 20_000,
            "names a file too large to hold one secret; write nothing but the secret into it, "
            "or set SHOP_PASSWORD itself",
        ),
        (b"two\nlines of it", "has a line break or control character in it; write it in one line"),
    ],
    ids=["empty", "blank", "binary", "large", "two lines"],
)
def test_unusable_secret_file_is_told(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "password").write_bytes(content)

    loaded = load_settings(Shop, {"SHOP_PASSWORD_FILE": str(tmp_path / "password")})

    assert loaded.problems == (f"SHOP_PASSWORD_FILE: {problem}",)


def test_secret_in_another_encoding_is_told() -> None:
    loaded = load_settings(Shop, {"SHOP_PASSWORD": b"s\xe3o jo\xe3o".decode(errors="surrogateescape")})

    assert loaded.problems == ("SHOP_PASSWORD: is not UTF-8 text; write it in UTF-8",)


def test_secret_put_where_its_file_belongs_is_not_repeated() -> None:
    loaded = load_settings(Shop, {"SHOP_PASSWORD_FILE": "correct horse"})

    assert loaded.problems == (
        "SHOP_PASSWORD_FILE: names a file that does not exist; "
        "give the path of a file that this user can read, or set SHOP_PASSWORD itself",
    )


def test_folder_in_place_of_a_secret_file_is_told(tmp_path: Path) -> None:
    loaded = load_settings(Shop, {"SHOP_PASSWORD_FILE": str(tmp_path)})

    assert loaded.problems == (
        "SHOP_PASSWORD_FILE: names a file that cannot be read (Is a directory); "
        "give the path of a file that this user can read, or set SHOP_PASSWORD itself",
    )


def test_secret_given_twice_is_told(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse")
    environ = {"SHOP_PASSWORD": "battery staple", "SHOP_PASSWORD_FILE": str(tmp_path / "password")}

    loaded = load_settings(Shop, environ)

    assert loaded.problems == (
        "SHOP_PASSWORD_FILE: is given together with SHOP_PASSWORD; set only one of them",
    )


def test_quoted_secret_is_a_warning() -> None:
    loaded = load_settings(Shop, {"SHOP_PASSWORD": "'correct horse'"})

    assert loaded.warnings == (
        "SHOP_PASSWORD: begins or ends with a blank or a quote, which counts as part of it",
    )


def test_no_secret_stands_in_any_text(tmp_path: Path) -> None:
    environ = {"SHOP_PASSWORD": "hunter2", "SHOP_RATE": "hunter2", "SHOP_LISTEN_ADDRESS": "hunter2:x"}

    loaded = load_settings(Shop, environ)

    assert len(loaded.problems) == 3
    assert "hunter2" not in repr(loaded)
    assert "hunter2" not in str(loaded.problems)


def test_wrong_value_of_a_directly_built_model_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="rate") as caught:
        Shop(rate="hunter2")  # type: ignore[arg-type]

    assert "hunter2" not in str(caught.value)


def test_secret_that_was_read_is_redacted_in_logs() -> None:
    load_settings(Shop, {"SHOP_PASSWORD": "zanzibar-quince"})

    assert redact("sent zanzibar-quince") == "sent ***"


def test_process_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TILL", "3")

    assert load_settings(Shop).values.till == 3


def test_process_environment_is_not_read_when_another_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TILL", "3")

    assert load_settings(Shop, {}).values.till == 1


def test_directly_built_model_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TILL", "3")
    monkeypatch.setenv("TILL", "4")
    load_settings(Shop, {"SHOP_TILL": "5"})

    assert Shop().till == 1


def test_secret_is_masked_where_the_library_logs_what_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYDANTIC_SETTINGS_DEBUG", "true")
    (tmp_path / "password").write_text("correct horse")

    with caplog.at_level(logging.DEBUG):
        load_settings(Shop, {"SHOP_PASSWORD": "battery staple"})
        load_settings(Shop, {"SHOP_PASSWORD_FILE": str(tmp_path / "password")})

    assert "battery staple" not in caplog.text
    assert "correct horse" not in caplog.text


def test_settings_cannot_be_changed() -> None:
    shop = Shop()

    with pytest.raises(ValueError, match="frozen"):
        shop.till = 2


def test_misspelt_field_of_a_directly_built_model_is_refused() -> None:
    with pytest.raises(ValueError, match="tills"):
        Shop(tills=2)
