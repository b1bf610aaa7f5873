"""The two shapes of a model's reply: text with markers, and JSON with a sentence an item.

Weak models break either. Whatever comes is turned into text with markers, as far as it can be.
"""

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

JSON_EXTRAS: Mapping[str, Any] = {"response_format": {"type": "json_object"}}
# A step of a list stands on a line of its own.
_STEP = re.compile(r"\s*(?:\d{1,2}[.)]|[-*•])(?:\s|$)")
_MAY_BE_STEP = re.compile(r"\s*(?:\d{0,2}[.)]?|[-*•])\s*")
_NUMBER = re.compile(r"\d{1,3}(?!\d)")
_END = re.compile(r"[\s`]*$")


def as_text(raw: str) -> str:
    """Return a whole reply as text with markers, whichever shape it has."""
    items = _whole(raw)
    if items is None:
        # Broken off, or JSON of another kind.
        items = (_items(raw, partial=True) or None) if _may_be_json(raw) else None
    return raw if items is None else _joined(items, open_end=False)


def is_broken(raw: str) -> bool:
    """Tell JSON that is no reply, or not to its end, from a reply in either shape."""
    return _may_be_json(raw) and _whole(raw) is None


def as_pieces(raw_pieces: Iterable[str], keep: Callable[[str], None]) -> Generator[str, None, None]:
    """Yield a reply in JSON as text with markers, sentence by sentence, while it comes.

    `keep` gets each piece as it was written.
    """
    raw = shown = ""
    for piece in raw_pieces:
        keep(piece)
        raw += piece
        text = _so_far(raw)
        if text.startswith(shown) and len(text) > len(shown):
            yield text[len(shown) :]
            shown = text
        else:
            # Still a sign that something comes.
            yield ""
    whole = as_text(raw)
    if whole.startswith(shown):
        yield whole[len(shown) :]


def _so_far(raw: str) -> str:
    if raw.strip() and not _may_be_json(raw):
        # It writes text in place of JSON.
        return raw
    items = _items(raw, partial=True)
    return "" if items is None else _joined(items, open_end=True)


def _may_be_json(raw: str) -> bool:
    return raw.lstrip().startswith(("{", "[", "`"))


def _whole(raw: str) -> list[tuple[str, list[int]]] | None:
    """Return the sentences of JSON that is closed, whatever stands behind it."""
    for mark in ("}", "]"):
        items = _items(raw[: raw.rfind(mark) + 1], partial=False)
        if items is not None:
            return items
    return None


def _items(raw: str, *, partial: bool) -> list[tuple[str, list[int]]] | None:
    """Return sentences with the numbers of their passages; None where it is no such JSON."""
    start = min((at for at in (raw.find("{"), raw.find("[")) if at >= 0), default=-1)
    if start < 0:
        return None
    text = _END.sub("", raw[start:])
    try:
        value = from_json(text, allow_partial="trailing-strings" if partial else "off")
    except ValueError:
        return None
    found = value.get("sentences") if isinstance(value, dict) else value
    # A marker of plain text is a list to JSON.
    is_other = isinstance(value, list) and not all(isinstance(entry, dict) for entry in value)
    if not isinstance(found, list) or is_other:
        return [] if partial else None
    return [_item(entry) for entry in found]


def _item(entry: object) -> tuple[str, list[int]]:
    if isinstance(entry, str):
        return entry, []
    if not isinstance(entry, dict):
        return "", []
    text, passages = entry.get("text"), entry.get("passages")
    return (text if isinstance(text, str) else ""), _numbers(passages)


def _numbers(passages: object) -> list[int]:
    listed = passages if isinstance(passages, list) else [passages]
    found = (_NUMBER.search(str(each)) for each in listed if each is not None)
    return [int(number.group()) for number in found if number]


def _joined(items: Sequence[tuple[str, list[int]]], *, open_end: bool) -> str:
    """Join sentences; while the last is still under way its passages are not known."""
    text = ""
    for number, (sentence, passages) in enumerate(items, start=1):
        is_open = open_end and number == len(items)
        if is_open and _MAY_BE_STEP.fullmatch(sentence):
            # Whether it begins a line is not known yet.
            break
        if text:
            text += "\n" if _STEP.match(sentence) else " "
        text += sentence.strip()
        if not is_open:
            text += "".join(f" [{passage}]" for passage in passages)
    return text
