"""How much of a document's text ours and other extractors find, and in which order.

usage: python -m tests.bench.fidelity PYTHON_OF_THE_PEERS
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ingest.errors import IngestError
from ingest.parse.sandbox import parse_file
from tests.bench import fidelity_html, fidelity_office, fidelity_pdf
from tests.bench.fidelity_text import Closeness, Sample, compare, total

SHIPPED = Path(__file__).resolve().parents[3] / "shared" / "data" / "documents"
TOOLS = ("ours", "pypdf", "markitdown", "unstructured")
KINDS = (".pdf", ".docx", ".html", ".pptx", ".xlsx")
NOTES = """\
Each cell: recall and precision of words, then the share of word triples that stand out of order.
Running heads, page numbers, navigation and deleted text belong to no document: found, they cost
precision. Titles of pages and names of sheets cost nothing, found or not; neither do the marks,
link targets and comments of Markdown. "-": the tool does not read this kind, or failed on the file.
unstructured reads PDF only with its model libraries, which are not installed here.
"""


def main() -> None:
    """Write the files, read them with every tool, print the table."""
    samples = [
        *fidelity_pdf.samples(),
        *fidelity_office.docx_samples(),
        *fidelity_html.samples(),
        *fidelity_office.pptx_samples(),
        *fidelity_office.xlsx_samples(),
    ]
    shipped = list(_shipped())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for sample in [*samples, *shipped]:
            (folder / sample.name).write_bytes(sample.data)
        done = subprocess.run(
            [sys.argv[1], "-m", "tests.bench.fidelity_peers", name],
            check=True,
            env={**os.environ, "UNSTRUCTURED_DISABLE_NOTICE": "1"},
            stdout=subprocess.PIPE,
        )
        texts = {"ours": {sample.name: _ours(folder / sample.name) for sample in samples + shipped}}
    texts |= json.loads(done.stdout)
    lines = [_line("", TOOLS)]
    for kind in KINDS:
        lines += _rows(
            f"all made {kind}", [one for one in samples if one.name.endswith(kind)], texts
        )
    lines += _rows("all shipped with a text", shipped, texts) if shipped else [_absent()]
    sys.stdout.write("\n".join(lines) + f"\n\n{NOTES}")


def _shipped() -> Iterator[Sample]:
    """Find documents of other projects that lie beside their expected text in Markdown."""
    for file in sorted(SHIPPED.glob("*")):
        beside = [file.with_suffix(".md"), file.with_name(f"{file.name}.md")]
        text = next((one for one in beside if one.is_file()), None)
        if file.suffix in KINDS and text is not None:
            yield Sample(file.name, file.read_bytes(), text.read_text(encoding="utf-8"))


def _absent() -> str:
    return f"No documents with an expected text are at {SHIPPED}; these rows are left out."


def _ours(file: Path) -> str | None:
    try:
        return parse_file(file, file.name).text
    except IngestError as error:
        sys.stderr.write(f"ours: {error}\n")
        return None


def _rows(
    title: str, samples: Sequence[Sample], texts: Mapping[str, Mapping[str, str | None]]
) -> Iterator[str]:
    """Yield a line for each file and one for all of them."""
    found: dict[str, list[Closeness]] = {tool: [] for tool in TOOLS}
    for sample in samples:
        cells = []
        for tool in TOOLS:
            text = texts[tool].get(sample.name)
            if text is not None:
                found[tool].append(compare(sample, text))
            cells.append(_cell(found[tool][-1:] if text is not None else []))
        yield _line(sample.name, cells)
    yield _line(title, [_cell(found[tool]) for tool in TOOLS])


def _cell(parts: Sequence[Closeness]) -> str:
    if not parts:
        return "-"
    sum_ = total(parts)
    return f"{sum_.recall:.3f} {sum_.precision:.3f} {sum_.order_error:.3f}"


def _line(title: str, cells: Sequence[str]) -> str:
    short = re.sub(r"^\w+?__", "", title)
    return f"{short[:28]:<28}" + "".join(f"{cell:>20}" for cell in cells)


if __name__ == "__main__":
    main()
