"""Reads every file of a folder with other extractors and prints their texts as JSON.

usage: python -m tests.bench.fidelity_peers FOLDER
"""

# The extractors are not installed where types are checked.
# mypy: disable-error-code="import-not-found, import-untyped"

import json
import sys
from collections.abc import Callable
from pathlib import Path

import spacy
import unstructured.nlp.tokenize
from markitdown import MarkItDown
from pypdf import PdfReader
from unstructured.partition.docx import partition_docx
from unstructured.partition.html import partition_html
from unstructured.partition.pptx import partition_pptx
from unstructured.partition.xlsx import partition_xlsx

PARTITIONS = {
    ".docx": partition_docx,
    ".html": partition_html,
    ".pptx": partition_pptx,
    ".xlsx": partition_xlsx,
}


def main() -> None:
    """Read with each extractor what it can read."""
    _blank_language()
    tools: dict[str, Callable[[Path], str | None]] = {
        "pypdf": _pypdf,
        "markitdown": _markitdown,
        "unstructured": _unstructured,
    }
    files = sorted(Path(sys.argv[1]).iterdir())
    texts = {name: {file.name: _text(tool, file) for file in files} for name, tool in tools.items()}
    sys.stdout.write(json.dumps(texts) + "\n")


def _text(tool: Callable[[Path], str | None], file: Path) -> str | None:
    """Read a file; a tool that fails on it says so and has no text."""
    try:
        return tool(file)
    except Exception as error:
        sys.stderr.write(f"{tool.__name__}: {file.name}: {error}\n")
        return None


def _pypdf(file: Path) -> str | None:
    if file.suffix != ".pdf":
        return None
    return "\n".join(page.extract_text() for page in PdfReader(file).pages)


def _markitdown(file: Path) -> str:
    return str(MarkItDown().convert(str(file)).text_content)


def _unstructured(file: Path) -> str | None:
    partition = PARTITIONS.get(file.suffix)
    if partition is None:
        return None
    # Notes of slides are found in its answer only if asked for.
    options = {"include_slide_notes": True} if file.suffix == ".pptx" else {}
    return "\n".join(element.text for element in partition(filename=str(file), **options))


def _blank_language() -> None:
    """Stand in for the language model that unstructured fetches from the web on first use.

    With it a paragraph's kind is guessed; its text is the same without.
    """

    def blank() -> spacy.language.Language:
        language = spacy.blank("en")
        language.add_pipe("sentencizer")
        return language

    unstructured.nlp.tokenize._load_spacy_model = blank


if __name__ == "__main__":
    main()
