"""The text of an OpenDocument paragraph, with what is anchored in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.parse.formats.docx.xml import child, children, local_name
from ingest.parse.office.xml import descend, qualified

_WHITE_SPACE = re.compile(r"\s+")
_BREAKS = {"s": " ", "tab": " ", "line-break": "\n"}
# Comments, deleted text, readings beside characters, and words for pictures.
_SKIPPED = frozenset(
    {"annotation", "tracked-changes", "ruby-text", "hidden-text", "hidden-paragraph"}
    | {"title", "desc", "event-listeners", "change", "change-start", "change-end", "object"}
)
_SHAPES = frozenset({"text-box", "custom-shape", "rect", "ellipse", "polygon", "path"})
_HIDDEN = frozenset({"none", "condition"})


@dataclass(slots=True)
class Styles:
    """The names of styles that matter to the text."""

    hidden: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=lambda: {"Title"})


@dataclass(slots=True)
class Line:
    """What one paragraph says."""

    text: str = ""
    boxes: list[Any] = field(default_factory=list)
    notes: list[tuple[str, Any]] = field(default_factory=list)  # citation and body


def read_styles(*roots: Any) -> Styles:
    """Collect the styles that hide text and those of the document's title."""
    styles = Styles()
    for root in roots:
        for group in ("styles", "automatic-styles"):
            for style in children(child(root, group), "style"):
                name = qualified(style, "name")
                properties = child(style, "text-properties")
                if properties is not None and qualified(properties, "display") == "none":
                    styles.hidden.add(name)
                if qualified(style, "parent-style-name") in styles.titles:
                    styles.titles.add(name)
    return styles


def is_hidden(element: Any, styles: Styles) -> bool:
    """Tell a section or stretch of text that readers do not see."""
    return (
        qualified(element, "display") in _HIDDEN
        or qualified(element, "style-name") in styles.hidden
    )


def read_line(paragraph: Any, styles: Styles) -> Line:
    """Read a paragraph or heading; its text boxes and footnotes are left for after it."""
    line = Line()
    line.text = "".join(_pieces(paragraph, styles, line))
    return line


def _pieces(paragraph: Any, styles: Styles, line: Line) -> Iterator[str]:
    yield _collapsed(paragraph.text)
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if isinstance(element, str):
            yield element
            continue
        stack.append(_collapsed(element.tail))
        name = local_name(element)
        if name in _SKIPPED or name == "" or is_hidden(element, styles):
            continue
        if name in _BREAKS:
            yield _BREAKS[name]
        elif name in _SHAPES:
            line.boxes.append(element)
        elif name == "note":
            yield _mark(element, line)
        else:
            stack.extend(reversed(element))
            stack.append(_collapsed(element.text))


def _collapsed(text: str | None) -> str:
    """Make one space of all white space: line breaks and tabs are elements of their own."""
    return _WHITE_SPACE.sub(" ", text or "")


def _mark(note: Any, line: Line) -> str:
    citation = child(note, "note-citation")
    mark = "" if citation is None else "".join(citation.itertext()).strip()
    line.notes.append((mark, descend(note, "note-body")))
    return f"[{mark}]" if mark else ""
