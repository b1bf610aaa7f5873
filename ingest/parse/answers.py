"""What a child does with a document, task by task."""

import time
from collections.abc import Iterator

from ingest.parse import outcome, registry
from ingest.parse.formats import pdf
from ingest.parse.formats.pdf import pages as pdf_pages
from ingest.parse.limits import Limits
from ingest.parse.parsed import ParsedDocument
from ingest.parse.wire import Frame, Kind, Request, Task, page_frame

_SHARE_OF_LIMIT = 0.3  # after which no other page is begun, so that the slowest still fits


def answer(data: bytes, request: Request, limits: Limits) -> Iterator[Frame]:
    """Do a task.

    Raises:
        IngestError: The document is not fit for it.
    """
    if request.task is Task.RECOGNISE:
        yield from _recognise(data, request, limits)
    elif request.task is Task.DRAW:
        picture = pdf_pages.draw(
            data, request.name, request.pages[0], request.boxes, request.width_pixels
        )
        yield Frame(Kind.PICTURE, picture)
    else:
        yield Frame(Kind.OUTCOME, outcome.encode(_parse(data, request)))


def _parse(data: bytes, request: Request) -> ParsedDocument:
    if request.scans:
        return registry.checked(pdf.parse(data, request.name, request.scans), request.name)
    return registry.parse(data, request.name)


def _recognise(data: bytes, request: Request, limits: Limits) -> Iterator[Frame]:
    """Read the pictures of pages one by one, as many as the limits leave time for."""
    from ingest.parse.formats.pdf import recognise as pdf_recognise

    started = time.monotonic()
    for number, scan in pdf_recognise.recognise(data, request.pages):
        yield page_frame(number, scan)
        if (
            time.process_time() > _SHARE_OF_LIMIT * limits.cpu_seconds
            or time.monotonic() - started > _SHARE_OF_LIMIT * limits.wall_seconds
        ):
            break
    yield Frame(Kind.DONE)
