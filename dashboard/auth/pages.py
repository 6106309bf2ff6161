"""HTML pages for requests that Streamlit does not serve, such as the sign-in, rendered from templates."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboard.auth.forms import TOKEN_FIELD
from dashboard.auth.passwords import MAX_LENGTH, MIN_LENGTH
from dashboard.auth.sub_path import published
from dashboard.i18n import translator
from dashboard.theme.theme import MARK, NAME

ASSETS = "/sign-in/assets"

_TEMPLATES = Environment(
    loader=PackageLoader("dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals |= {
    "assets": ASSETS,
    "mark": MARK,
    "max_password": MAX_LENGTH,
    "min_password": MIN_LENGTH,
    "product": NAME,
    "published": published,
    "token_field": TOKEN_FIELD,
}


@dataclass(frozen=True)
class Note:
    """A sentence above the form, which screen readers announce at once."""

    text: str
    is_good: bool = False


def render(template: str, locale: str, **values: object) -> str:
    """Return the page of a template in `dashboard/templates`; texts are translated and values escaped."""
    page = _TEMPLATES.get_template(template)
    return page.render(_=translator(locale), lang=locale.replace("_", "-"), **values)
