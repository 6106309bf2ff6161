"""Metadata of settings fields, from which page, saved settings and documentation are derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, SecretStr

from core.gateways.protocol import Capability

SAVED_ON_THE_PAGE = "saved on the page"
"""The origin of a saved value."""


@dataclass(frozen=True)
class Setting:
    """What people read about a field, given as `Annotated[type, Setting(...)]`; texts are message ids."""

    title: str
    """Its name, in errors and in the history."""
    label: str = ""
    """Its label in a form of the settings page; "" if no form has it. May use {session}."""
    unset_label: str = ""
    """The label of a secret that is not set."""
    forget_label: str = ""
    """The label of the box that resets a secret saved on the page."""
    help: str = ""
    """The tooltip of its label."""
    choices: Mapping[Enum, str] = field(default_factory=lambda: MappingProxyType({}))
    """The texts of an enumeration's values, in the form's order."""
    placeholder: str = ""
    step: float = 1.0
    """What one click adds to a number."""
    longest: int = 0
    """Characters that are kept of a text, which is stored as one line; 0: any text."""
    capability: Capability | None = None
    """What a kind of gateway has to offer for the field to mean anything; None: nothing."""
    needs_step_up: bool = False
    """Whether a change determines which server receives keys: users confirm who they are before it."""
    sent_to: str = ""
    """The field with the address of the only server that may be sent this secret."""
    meaning: str = ""
    """The description of its variable in docs/settings.md; "" if it has none."""
    default: str = ""
    """Its default there, where that is more than the value."""


@dataclass(frozen=True)
class SettingField:
    """A field of a settings model."""

    name: str
    type: type[Any]
    """bool, float, str, SecretStr or an enumeration."""
    default: Any
    setting: Setting

    @property
    def has_variable(self) -> bool:
        """Whether the environment has a variable for it."""
        return bool(self.setting.meaning)

    @property
    def is_secret(self) -> bool:
        """Whether its value must never be shown."""
        return self.type is SecretStr


@cache
def setting_fields(model: type[BaseModel]) -> tuple[SettingField, ...]:
    """Return the fields of a model that have a `Setting`, in the order of their declaration."""
    return tuple(
        SettingField(name, plain_type(info.annotation), info.default, setting)
        for name, info in model.model_fields.items()
        for setting in info.metadata
        if isinstance(setting, Setting)
    )


def plain_type(annotation: Any) -> Any:
    """Return the type of a field, without None and without the validators of `Annotated`."""
    if get_origin(annotation) is Annotated:
        return plain_type(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return plain_type(next(one for one in get_args(annotation) if one is not NoneType))
    return annotation


def saved_fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's settings as fields of the saved one: unchecked, and None if not saved.

    They are checked only where they take effect, so that stored settings with a mistake can be corrected.
    """
    return {
        one.name: (one.type | None, Field(default=None, repr=model.model_fields[one.name].repr))
        for one in setting_fields(model)
    }
