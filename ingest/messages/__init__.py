"""Message catalogues: every sentence a person may read, by code and language."""

import tomllib
from functools import cache
from importlib import resources

FALLBACK_LANGUAGE = "en"


@cache
def catalogue(package: str, language: str) -> dict[str, dict[str, str]]:
    """Read the catalogue of one of our packages; English stands in for an unknown language."""
    folder = resources.files(f"{package}.messages")
    file = folder / f"{language}.toml"
    if not file.is_file():
        file = folder / f"{FALLBACK_LANGUAGE}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
