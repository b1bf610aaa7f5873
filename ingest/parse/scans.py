"""Has scanned pages recognised by children and the document parsed once more with their text."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

from ingest.errors import NoTextError
from ingest.parse.children import Children
from ingest.parse.outcome import Outcome
from ingest.parse.parsed import ParsedDocument
from ingest.parse.wire import Inbox, Kind, Request, ScannedPage, Task, read_page

_ENGINE_PACKAGES = ("rapidocr", "onnxruntime", "cv2")
_PAGES_PER_CHILD = 10
_MAX_PAGES = 2_000  # that are looked at in a document without text
_MAX_FAILURES = 3  # of children, before the rest is left unread


def unread_pages(result: Outcome) -> tuple[int, ...]:
    """List the pages that may be scans."""
    if isinstance(result, ParsedDocument):
        return result.unread_pages
    count = result.fields["pages"] if isinstance(result, NoTextError) else 0
    return tuple(range(1, min(count, _MAX_PAGES) + 1)) if isinstance(count, int) else ()


def can_be_read() -> bool:
    """Tell whether the engine that reads scans is installed."""
    return all(find_spec(package) is not None for package in _ENGINE_PACKAGES)


def parse_with_scans(
    children: Children, name: str, first: Outcome, wanted: Sequence[int]
) -> Outcome:
    """Parse once more, with scanned pages recognised; what came of it without them is `first`."""
    scans = _recognise(children, name, wanted)
    if any(scan.lines for scan in scans.values()):
        second = children.outcome(Request(name, scans=scans), len(wanted), len(wanted))
        return second if isinstance(second, ParsedDocument) and second.blocks else first
    if isinstance(first, ParsedDocument):
        # Pages that were looked at and hold no text are not unread.
        return replace(first, unread_pages=tuple(page for page in wanted if page not in scans))
    return first


def _recognise(children: Children, name: str, wanted: Sequence[int]) -> dict[int, ScannedPage]:
    """Read scanned pages, a few in each child; a page that ends its child is left out."""
    scans: dict[int, ScannedPage] = {}
    waiting, failures = list(wanted), 0
    while waiting and failures < _MAX_FAILURES:
        batch = waiting[:_PAGES_PER_CHILD]
        request = Request(name, Task.RECOGNISE, tuple(batch))
        inbox = children.ask(request, len(wanted) - len(waiting), len(wanted))
        pages = _pages(inbox, batch)
        scans |= pages
        is_failure = not (pages and inbox.last and inbox.last.kind == Kind.DONE)
        failures += is_failure
        waiting = waiting[len(pages) + is_failure :]
    return scans


def _pages(inbox: Inbox, batch: Sequence[int]) -> dict[int, ScannedPage]:
    try:
        pages = dict(map(read_page, inbox.pages))
    except ValueError:
        return {}
    return {number: page for number, page in pages.items() if number in batch}
