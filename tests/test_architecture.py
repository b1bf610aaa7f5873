"""The arrow app → rag → ingest, one owner for each vendor package, and a fast start."""

import ast
import fnmatch
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {"ingest": {"ingest"}, "rag": {"rag", "ingest"}, "app": {"app", "rag", "ingest"}}
OWNERS = {
    "alembic": ["app/schema.py", "app/migrations/*"],
    "PIL": ["ingest/parse/formats/pdf/pages.py"],
    "chromadb": ["ingest/index/chroma.py"],
    "cv2": ["ingest/parse/formats/pdf/recognise.py"],
    "docutils": ["ingest/parse/formats/rst/*"],
    "litellm": ["rag/provider.py"],
    "lxml": ["ingest/parse/formats/*/*", "ingest/parse/office/xml.py"],
    "mailparser_reply": ["rag/letters.py"],
    "markdown_it": ["ingest/parse/formats/markdown.py"],
    "mistral_common": ["rag/tokens.py"],
    "opentelemetry": ["app/telemetry.py"],
    "pgvector": ["ingest/index/pgvector.py"],
    "pypdf": ["ingest/parse/formats/pdf/*"],
    "pypdfium2": ["ingest/parse/formats/pdf/*"],
    "selectolax": ["ingest/parse/formats/html/*"],
    "rapidocr": ["ingest/parse/formats/pdf/recognise.py"],
    "safetensors": ["ingest/bert.py"],
    "sentence_transformers": ["ingest/backbone.py"],
    "sklearn": ["rag/spelling.py"],
    "streamlit": [
        *("app/session.py", "app/resources.py", "app/main.py", "app/pages.py"),
        *("app/views/*", "app/components/*"),
    ],
    "torch": [
        *("ingest/backbone.py", "ingest/bert.py", "ingest/tuner.py", "ingest/index/sketch.py"),
        "rag/training.py",
    ],
}
# Each takes 0.2 to 7 seconds to import.
# `ingest/bert.py` is such a package of our own: it is one with PyTorch.
HEAVY = {
    "alembic",
    "chromadb",
    "litellm",
    "mistral_common",
    "opentelemetry",
    "sentence_transformers",
    "sklearn",
    "torch",
}
# What may touch the environment: the settings read it, processes are started with what they need
# of it, and libraries have switches that can be set nowhere else.
READS_ENVIRONMENT = ["app/settings.py"]
HANDS_ON_ENVIRONMENT = ["app/supervisor.py", "ingest/parse/sandbox.py"]
WRITES_ENVIRONMENT = ["app/console.py", "rag/provider.py"]

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for package in MAY_IMPORT
    for path in (ROOT / package).rglob("*.py")
)


def parse(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def imported(nodes: Iterator[ast.AST]) -> set[str]:
    """Return the top-level packages that import statements name."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def executed_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when a module is imported: not functions, not `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not is_function and not for_types:
            yield child
            yield from executed_on_import(child)


def is_owned(file: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(file, pattern) for pattern in patterns)


@pytest.mark.parametrize("file", FILES)
def test_imports_point_one_way_and_vendors_have_one_owner(file: str) -> None:
    names = imported(ast.walk(parse(file)))

    assert (names & set(MAY_IMPORT)) - MAY_IMPORT[file.partition("/")[0]] == set()
    assert {name for name in names if not is_owned(file, OWNERS.get(name, [file]))} == set()


@pytest.mark.parametrize("file", [file for file in FILES if "/migrations/" not in file])
def test_heavy_packages_are_imported_where_they_are_used(file: str) -> None:
    if file == "ingest/bert.py":
        return
    nodes = list(executed_on_import(parse(file)))
    assert imported(iter(nodes)) & HEAVY == set()
    assert not any(
        isinstance(node, ast.ImportFrom) and node.module == "ingest.bert" for node in nodes
    )


@pytest.mark.parametrize("file", FILES)
def test_only_the_settings_read_the_environment(file: str) -> None:
    tree = parse(file)
    nodes = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    uses = sum(node in {"os.environ", "os.environb", "os.getenv"} for node in nodes)
    written = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == "setdefault")
        or (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store))
    ]
    writes = sum(text.startswith("os.environ") for text in written)

    if is_owned(file, WRITES_ENVIRONMENT):
        assert uses == writes
    elif not is_owned(file, READS_ENVIRONMENT + HANDS_ON_ENVIRONMENT):
        assert uses == 0


def test_every_owner_is_there() -> None:
    present = {name: [file for file in FILES if is_owned(file, OWNERS[name])] for name in OWNERS}

    used = {name for file in FILES for name in imported(ast.walk(parse(file)))} & set(OWNERS)
    assert {name for name in used if not present[name]} == set()
    assert set(OWNERS) - used <= {"streamlit"}


def modules_after(*arguments: str) -> set[str]:
    """Run the command line and return the top-level packages that it imported."""
    code = (
        "import json, sys\n"
        f"sys.argv = ['support-copilot', *{list(arguments)!r}]\n"
        "from app.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    status = end.code\n"
        "print(json.dumps([status, sorted({m.partition('.')[0] for m in sys.modules})]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, names = json.loads(done.stdout.splitlines()[-1])
    assert not status, done.stderr
    return set(names)


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = {*HEAVY, "streamlit", "sqlalchemy", "transformers", "numpy"}

    assert modules_after(*arguments) & heavy == set()


def test_search_does_without_what_writes_drafts_and_trains_encoders(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("The zebra pump is loud.")
    home = f"--home={tmp_path / 'home'}"
    modules_after("ingest", str(tmp_path / "a.md"), home)

    names = modules_after("search", "zebra", home)

    assert "sqlalchemy" in names
    unwanted = {"litellm", "sentence_transformers", "transformers", "alembic", "streamlit"}
    assert names & {*unwanted, "mistral_common"} == set()
