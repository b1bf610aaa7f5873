"""Reads pictures of pages with RapidOCR and the models of its package, an optional extra.

It takes half a second to import, so only the child that needs it does.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pypdfium2 as pdfium
from rapidocr import RapidOCR

from ingest.parse.formats.pdf.frame import frame_of
from ingest.parse.formats.pdf.scans import is_scan
from ingest.parse.wire import ScannedPage, ScannedWord

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Corners = np.ndarray[Any, np.dtype[np.float64]]  # [corner, (x, y)] of a box, in pixels

_SIDE_PIXELS = 1_800  # 154 dots an inch on A4: characters of 6 points are still 13 high
# The engine's own settings need twice the memory and find no more on a page.
_SETTINGS = {
    "Global.log_level": "critical",
    "Global.text_score": 0.0,
    "Det.limit_type": "max",
    "Det.limit_side_len": 1152,
    "Rec.rec_batch_num": 1,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}
_MIN_CONFIDENCE = 0.5
_REACH = 0.25  # of the height of a word
_UPRIGHT_CONFIDENCE = 0.85  # text upside down or on its side is read with about 0.65


def recognise(data: bytes, numbers: Iterable[int]) -> Iterator[tuple[int, ScannedPage]]:
    """Read pages that are scans, by number; others have no lines."""
    document = pdfium.PdfDocument(data)
    for number in numbers:
        page = document[number - 1]
        try:
            is_wanted = is_scan(page, frame_of(page))
            yield number, _read(_picture(page)) if is_wanted else ScannedPage([])
        finally:
            page.close()


@cache
def _engine() -> Callable[[Picture], Any]:
    cv2.setNumThreads(1)
    return partial(RapidOCR(params=_SETTINGS), use_cls=False, return_word_box=True)


def _picture(page: pdfium.PdfPage) -> Picture:
    scale = _SIDE_PIXELS / max(page.get_size())
    picture: Picture = page.render(scale=scale, draw_annots=False).to_numpy().copy()
    return picture


def _read(picture: Picture) -> ScannedPage:
    """Read a picture, held in the way that makes its text readable."""
    found = _engine()(picture)
    # The engine turns lines that stand on end by itself; how sure it is of them tells nothing.
    ways = [] if _stands_on_end(found) else [(found, 0)]
    for turns in (2,) if ways else (1, 3):
        if ways and _is_sure(ways[-1][0]):
            break
        ways.append((_engine()(np.ascontiguousarray(np.rot90(picture, turns))), turns))
    best, turns = max(ways, key=lambda way: _confidence(way[0]))
    height, width = picture.shape[:2] if turns % 2 == 0 else picture.shape[1::-1]
    return ScannedPage(list(_lines(best, width, height)), turns)


def _stands_on_end(found: Any) -> bool:
    if not _confidence(found):
        return False
    boxes = np.asarray(found.boxes)
    sides = boxes.max(axis=1) - boxes.min(axis=1)
    return bool(np.mean(sides[:, 1] > sides[:, 0]) > 0.5)


def _is_sure(found: Any) -> bool:
    """Tell whether there is nothing to read, or it was read the right way up."""
    return _confidence(found) == 0 or _confidence(found) >= _UPRIGHT_CONFIDENCE


def _confidence(found: Any) -> float:
    """Return how sure the engine is of a page's characters on average."""
    texts = getattr(found, "txts", None) or ()
    weights = [len(text) for text in texts]
    return float(np.average(found.scores, weights=weights)) if sum(weights) else 0.0


def _lines(found: Any, width: int, height: int) -> Iterator[list[ScannedWord]]:
    texts = getattr(found, "txts", None) or ()
    if not texts:
        return
    # The engine leaves lines without words out of the list of words.
    is_complete = len(getattr(found, "word_results", ())) == len(texts)
    parts = found.word_results if is_complete else [()] * len(texts)
    for text, score, box, line_parts in zip(texts, found.scores, found.boxes, parts, strict=True):
        if score >= _MIN_CONFIDENCE:
            line = np.asarray(box, dtype=np.float64)
            words = list(_words(text, line, [(part, np.asarray(at)) for part, _, at in line_parts]))
            yield [
                (word, left / width, top / height, right / width, bottom / height)
                for word, left, top, right, bottom in _widened(words, line)
            ]


def _words(text: str, line: Corners, parts: list[tuple[str, Corners]]) -> Iterator[ScannedWord]:
    """Give the words of a line their places: those of their parts, else their share of the line."""
    characters = [one for part, corners in parts for one in _characters(part, corners)]
    if "".join(one[0] for one in characters) != "".join(text.split()):
        characters = list(_characters(text, line))
    start = 0
    for word in text.split():
        _, left, top, right, bottom = zip(*characters[start : start + len(word)], strict=True)
        yield word, min(left), min(top), max(right), max(bottom)
        start += len(word)


def _characters(text: str, corners: Corners) -> Iterator[ScannedWord]:
    """Divide a stretch of a line as if its characters were as wide as each other."""
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    step = (right - left) / max(1, len(text))
    for at, sign in enumerate(text):
        if not sign.isspace():
            yield sign, left + at * step, top, left + (at + 1) * step, bottom


def _widened(words: list[ScannedWord], line: Corners) -> list[ScannedWord]:
    """Let words reach into the gaps around them: the engine places them up to that far aside."""
    wide = [list(word[1:]) for word in words]
    if wide:
        wide[0][0] = min(wide[0][0], float(line[:, 0].min()))
        wide[-1][2] = max(wide[-1][2], float(line[:, 0].max()))
    for before, word in pairwise(wide):
        reach = _REACH * (word[3] - word[1])
        middle = (before[2] + word[0]) / 2
        before[2] = min(middle, before[2] + reach)
        word[0] = max(middle, word[0] - reach)
    return [
        (text, left, top, right, bottom)
        for (text, *_), (left, top, right, bottom) in zip(words, wide, strict=True)
    ]
