"""The words of the interface, by key."""

import tomllib
from functools import cache
from importlib import resources

LANGUAGE = "en"


def t(key: str, **fields: object) -> str:
    """Return a text of the interface, with its fields filled in; key is "<view>.<thing>"."""
    view, _, thing = key.partition(".")
    return _texts(LANGUAGE)[view][thing].format(**fields)


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    file = resources.files("app.messages") / f"interface.{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
