"""The paragraphs of a shape, and which of them are items of a list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.parse.formats.docx.xml import child, children, local_name
from ingest.parse.formats.pptx.shapes import Layout, Shape
from ingest.parse.office.xml import descend, whole_number

_SKIPPED = frozenset({"pPr", "rPr", "endParaRPr", "Fallback"})
_BULLETS = ("buNone", "buChar", "buBlip", "buAutoNum")
_DEEPEST = 8
_LETTERS = 26
_MAX_TITLE_CHARACTERS = 100
_NO_SIZE = 1 << 30


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph as people see it, its number included."""

    text: str
    is_item: bool


def paragraphs(shape: Shape, layout: Layout) -> Iterator[Paragraph]:
    """Yield the paragraphs of a shape that have text."""
    body = child(shape.element, "txBody")
    styles = list(_styles(body, shape, layout))
    counts: dict[int, int] = {}
    for paragraph in children(body, "p"):
        text = text_of(paragraph)
        if not text.strip():
            continue
        properties = child(paragraph, "pPr")
        level = _level(properties)
        bullet = _bullet([properties, *(child(style, f"lvl{level + 1}pPr") for style in styles)])
        label = _count(bullet, level, counts)
        yield Paragraph(f"{label} {text}".strip(), bullet is not None)


def text_of(element: Any) -> str:
    """Join what is visible in a paragraph, equations included."""
    pieces: list[str] = []
    stack = list(reversed(element))
    while stack:
        inner = stack.pop()
        name = local_name(inner)
        if name == "t":
            pieces.append(inner.text or "")
        elif name == "br":
            pieces.append("\n")
        elif name not in _SKIPPED:
            stack.extend(reversed(inner))
    return "".join(pieces)


def all_text(element: Any) -> str:
    """Join the paragraphs anywhere below an element; empty for none."""
    if element is None:
        return ""
    return "\n".join(text_of(paragraph) for paragraph in element.iter("{*}p"))


def stands_out(shape: Shape, others: list[Shape]) -> bool:
    """Tell a title that is no placeholder: one short line, larger than all other text."""
    lines = [line for line in all_text(child(shape.element, "txBody")).split("\n") if line.strip()]
    return (
        len(lines) == 1
        and len(lines[0]) <= _MAX_TITLE_CHARACTERS
        and _font_size(shape) > max(map(_font_size, others), default=_NO_SIZE)
    )


def _font_size(shape: Shape) -> int:
    """Return the largest size stated in a shape, in hundredths of a point; 0 for none."""
    runs = shape.element.iter("{*}rPr", "{*}defRPr")
    return max((whole_number(run.get("sz")) for run in runs), default=0)


def _styles(body: Any, shape: Shape, layout: Layout) -> Iterator[Any]:
    """Yield what says how paragraphs look, the nearest first."""
    yield child(body, "lstStyle")
    for ancestor in layout.ancestors(shape.placeholder):
        yield descend(ancestor, "txBody", "lstStyle")
    if shape.placeholder is not None and not shape.is_title:
        yield descend(layout.master, "txStyles", "bodyStyle")


def _level(properties: Any) -> int:
    return 0 if properties is None else min(whole_number(properties.get("lvl")), _DEEPEST)


def _bullet(candidates: list[Any]) -> Any:
    """Return a paragraph's bullet from the nearest of its properties that decides; None: none."""
    for properties in candidates:
        for inner in () if properties is None else properties:
            if local_name(inner) in _BULLETS:
                return None if local_name(inner) == "buNone" else inner
    return None


def _count(bullet: Any, level: int, counts: dict[int, int]) -> str:
    """Count a numbered paragraph and return its number; the numbers are not in the text."""
    for deeper in [depth for depth in counts if depth > level]:
        del counts[deeper]
    if bullet is None or local_name(bullet) != "buAutoNum":
        counts.pop(level, None)
        return ""
    start = whole_number(bullet.get("startAt"), default=1)
    counts[level] = counts.get(level, start - 1) + 1
    kind = str(bullet.get("type") or "arabicPeriod")
    number = _written(counts[level], kind)
    return f"({number})" if kind.endswith("Both") else f"{number}{_mark(kind)}"


def _mark(kind: str) -> str:
    return ")" if kind.endswith("ParenR") else "." if kind.endswith("Period") else ""


def _written(number: int, kind: str) -> str:
    if not kind.startswith("alpha") or not 0 < number <= _LETTERS:
        return str(number)
    letter = chr(ord("a") + number - 1)
    return letter.upper() if kind.startswith("alphaUc") else letter
