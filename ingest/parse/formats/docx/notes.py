"""Footnotes and endnotes of a Word document, each handed out once."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from ingest.parse.formats.docx.xml import attribute, children, local_name

NOTE_PARTS = {"footnote": "word/footnotes.xml", "endnote": "word/endnotes.xml"}
_NOTE_OF_REFERENCE = {"footnoteReference": "footnote", "endnoteReference": "endnote"}


class Notes:
    """Hands out the notes that were referred to, in that order."""

    def __init__(self, roots: dict[str, Any]) -> None:
        self._notes = {
            (kind, attribute(note, "id")): note
            for kind, root in roots.items()
            for note in children(root, kind)
        }
        self._referred: deque[Any] = deque()

    def refer(self, references: list[Any]) -> None:
        """Remember what elements refer to; a second reference to a note counts for nothing."""
        for reference in references:
            key = (_NOTE_OF_REFERENCE[local_name(reference)], attribute(reference, "id"))
            note = self._notes.pop(key, None)
            if note is not None:
                self._referred.append(note)

    def take(self) -> Iterator[Any]:
        """Yield what was referred to since the last time, also by the notes themselves."""
        while self._referred:
            yield self._referred.popleft()


def is_reference(name: str) -> bool:
    """Tell whether elements of this name refer to a note."""
    return name in _NOTE_OF_REFERENCE
