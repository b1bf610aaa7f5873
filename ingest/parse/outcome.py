"""What a child process sends back: plain JSON, so that nothing it sends can run here."""

import json
from collections.abc import Sequence
from dataclasses import astuple

from ingest.errors import IngestError
from ingest.parse.parsed import Block, BlockKind, PageSpan, ParsedDocument, Word

Outcome = ParsedDocument | IngestError

_STEPS = 10_000  # of a page's width or height, so that places are whole numbers
_WORD_NUMBERS = 6
_TEXTS = ("title", "text", "media_type", "parser")


def encode(outcome: Outcome) -> bytes:
    """Write a document or an error as JSON."""
    if isinstance(outcome, IngestError):
        content: dict[str, object] = {"code": outcome.code, "fields": outcome.fields}
    else:
        content = {
            "texts": {key: getattr(outcome, key) for key in _TEXTS},
            "blocks": [astuple(block) for block in outcome.blocks],
            "pages": [[page.number, page.start, page.end] for page in outcome.pages],
            "words": [_flat(page.words) for page in outcome.pages],
            "unread_pages": outcome.unread_pages,
            "hidden": outcome.hidden,
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
    blocks: list[tuple[str, int, int, int]],
    pages: list[tuple[int, int, int]],
    words: list[list[int]],
    unread_pages: list[int],
    hidden: list[str],
    texts: dict[str, str],
) -> ParsedDocument:
    return ParsedDocument(
        blocks=tuple(Block(BlockKind(kind), *span) for kind, *span in blocks),
        pages=tuple(PageSpan(*span, _words(flat)) for span, flat in zip(pages, words, strict=True)),
        unread_pages=tuple(unread_pages),
        hidden=tuple(hidden),
        **texts,
    )


def _flat(words: Sequence[Word]) -> list[int]:
    flat: list[int] = []
    for word in words:
        flat += (
            word.start,
            word.end,
            round(word.left * _STEPS),
            round(word.top * _STEPS),
            round(word.right * _STEPS),
            round(word.bottom * _STEPS),
        )
    return flat


def _words(flat: list[int]) -> tuple[Word, ...]:
    numbers = [iter(flat)] * _WORD_NUMBERS
    return tuple(
        Word(start, end, left / _STEPS, top / _STEPS, right / _STEPS, bottom / _STEPS)
        for start, end, left, top, right, bottom in zip(*numbers, strict=True)
    )
