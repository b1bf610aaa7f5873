"""Every error has its sentences, with exactly the fields that it carries."""

import importlib
import pkgutil
import re
from string import Formatter

import pytest

import app
import ingest
import rag
from ingest.errors import CopilotError
from ingest.messages import catalogue

PACKAGES = ("ingest", "rag", "app")


def _leaves() -> list[type[CopilotError]]:
    """Return every class of error that carries a code of its own."""
    for package in (ingest, rag, app):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".errors"):
                importlib.import_module(module.name)
    found: list[type[CopilotError]] = []
    waiting = [CopilotError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if "code" in vars(kind):
            found.append(kind)
    return sorted(found, key=lambda kind: kind.__name__)


def _named_fields(kind: type[CopilotError]) -> set[str]:
    text = (kind.__doc__ or "").splitlines()[0]
    if text.startswith("No fields"):
        return set()
    match = re.match(r"Fields: (.+)\.$", text)
    assert match is not None, f"{kind.__name__} does not name its fields"
    return set(match[1].split(", "))


def _placeholders(*texts: str) -> set[str]:
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


def _package(kind: type[CopilotError]) -> str:
    return kind.__module__.partition(".")[0]


@pytest.mark.parametrize("kind", _leaves(), ids=lambda kind: kind.__name__)
def test_an_errors_sentences_use_exactly_the_fields_that_its_class_names(
    kind: type[CopilotError],
) -> None:
    entry = catalogue(_package(kind), "en")[kind.code]

    assert set(entry) == {"message", "hint"}
    assert _placeholders(entry["message"], entry["hint"]) == _named_fields(kind)


@pytest.mark.parametrize("kind", _leaves(), ids=lambda kind: kind.__name__)
def test_an_error_says_what_happened_and_what_to_do(kind: type[CopilotError]) -> None:
    error = kind(**{name: f"<{name}>" for name in _named_fields(kind)})

    message, hint = error.describe()

    for sentence in (message, hint):
        assert sentence.endswith(".")
        assert sentence[0] == sentence[0].upper() or sentence[0] == "<"
        assert "{" not in sentence
    assert str(error) == f"{message} {hint}"
    assert error.describe("xx") == (message, hint)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_entry_of_a_catalogue_belongs_to_an_error(package: str) -> None:
    codes = {kind.code for kind in _leaves() if _package(kind) == package}

    assert set(catalogue(package, "en")) == codes


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in _leaves()]

    assert len(codes) == len(set(codes))


def test_every_error_stands_in_the_tree_that_its_module_draws() -> None:
    for kind in _leaves():
        tree = importlib.import_module(kind.__module__).__doc__ or ""
        assert re.search(rf"[├└]─ {kind.__name__}\b", tree), kind.__name__
