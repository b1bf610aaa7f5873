"""PDF files too damaged for the fast engine: a slower reader that repairs more."""

from io import BytesIO
from itertools import islice

from pypdf import PdfReader
from pypdf.errors import (
    DependencyError,
    DeprecationError,
    FileNotDecryptedError,
    LimitReachedError,
    PyPdfError,
)

from ingest.errors import CorruptDocumentError, EncryptedDocumentError, PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.titles import choose_title

# The last ones are what the reader trips over where a file's objects are of the wrong kind.
_BROKEN = (
    PyPdfError,
    DeprecationError,
    OSError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def parse(data: bytes, name: str, media_type: str, max_pages: int) -> ParsedDocument:
    """Read what can be saved of a damaged PDF; its structure is lost."""
    try:
        reader = PdfReader(BytesIO(data))
        return _read(reader, name, media_type, max_pages)
    except LimitReachedError as error:
        raise PoisonDocumentError(title=name, reason="a part of it unpacks to too much") from error
    except (DependencyError, FileNotDecryptedError) as error:
        raise EncryptedDocumentError(title=name) from error
    except _BROKEN as error:
        reason = "its internal structure is broken"
        raise CorruptDocumentError(title=name, reason=reason) from error


def _read(reader: PdfReader, name: str, media_type: str, max_pages: int) -> ParsedDocument:
    builder = DocumentBuilder()
    pages = list(islice(reader.pages, max_pages + 1))
    if len(pages) > max_pages:
        raise PoisonDocumentError(title=name, reason=f"it has more than {max_pages:,} pages")
    for page in pages:
        builder.start_page()
        for paragraph in page.extract_text().split("\n\n"):
            builder.add(BlockKind.PARAGRAPH, paragraph)
    title = choose_title(name, reader.metadata.title if reader.metadata else None)
    return builder.build(title, media_type, "pdf")
