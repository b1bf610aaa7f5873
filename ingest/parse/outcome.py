"""What a child process sends back: plain JSON, so that nothing it sends can run here."""

import json
from dataclasses import astuple

from ingest.errors import IngestError
from ingest.parse.parsed import Block, BlockKind, PageSpan, ParsedDocument

Outcome = ParsedDocument | IngestError


def encode(outcome: Outcome) -> bytes:
    """Write a document or an error as JSON."""
    if isinstance(outcome, IngestError):
        content: dict[str, object] = {"code": outcome.code, "fields": outcome.fields}
    else:
        content = {
            **{key: getattr(outcome, key) for key in ("title", "text", "media_type", "parser")},
            "blocks": [astuple(block) for block in outcome.blocks],
            "pages": [astuple(page) for page in outcome.pages],
        }
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def decode(message: bytes) -> Outcome:
    """Read what `encode` wrote.

    Raises:
        ValueError: The message is cut off or not ours.
    """
    try:
        content = json.loads(message)
        return _error(**content) if "code" in content else _document(**content)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("not an outcome") from error


def _error(code: str, fields: dict[str, object]) -> IngestError:
    kinds = {kind.code: kind for kind in IngestError.__subclasses__()}
    return kinds[code](**fields)


def _document(
    blocks: list[tuple[str, int, int, int]], pages: list[tuple[int, int, int]], **texts: str
) -> ParsedDocument:
    return ParsedDocument(
        blocks=tuple(Block(BlockKind(kind), *span) for kind, *span in blocks),
        pages=tuple(PageSpan(*span) for span in pages),
        **texts,
    )
