"""Where things stand on a PDF page as it is shown: cropped, and turned by quarters."""

from dataclasses import dataclass, field
from math import isfinite

import pypdfium2 as pdfium
from pypdfium2 import raw

# (left, bottom, right, top) in points from the lower left corner of the page as it is shown.
Box = tuple[float, float, float, float]
Fractions = tuple[float, float, float, float]
NOWHERE: Box = (0.0, 0.0, 0.0, 0.0)
_STEPS = 10_000  # of a page's width or height: the precision of a place


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a page that is shown, in points of the page, and how it is turned by quarters.

    Its shown width and height are those of the page as it is read, with its text upright.
    """

    left: float
    bottom: float
    width: float
    height: float
    turns: int = 0  # to the right, before it is shown
    tilt: int = 0  # to the left, after that, to make the picture of a page upright
    shown_width: float = field(init=False)
    shown_height: float = field(init=False)

    def __post_init__(self) -> None:
        sides = (self.width, self.height)
        width, height = sides[::-1] if (self.turns + self.tilt) % 2 else sides
        object.__setattr__(self, "shown_width", width)
        object.__setattr__(self, "shown_height", height)

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """Turn a rectangle of the page into one of what is shown; `NOWHERE` if it is absurd."""
        if not isfinite(left + bottom + right + top):
            return NOWHERE
        if not self.turns and left <= right and bottom <= top:
            return left - self.left, bottom - self.bottom, right - self.left, top - self.bottom
        first = self.point(left, bottom)
        second = self.point(right, top)
        return (
            min(first[0], second[0]),
            min(first[1], second[1]),
            max(first[0], second[0]),
            max(first[1], second[1]),
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Turn a point of the page into one of what is shown."""
        x, y = x - self.left, y - self.bottom
        if self.turns == 0:
            return x, y
        if self.turns == 1:
            return y, self.width - x
        if self.turns == 2:
            return self.width - x, self.height - y
        return self.height - y, x

    def fractions(self, box: Box) -> Fractions | None:
        """Return (left, top, right, bottom) as shares of what is shown, from its upper left corner.

        None: the box has no area, or none that is shown.
        """
        height = self.shown_height
        across, down = _STEPS / self.shown_width, _STEPS / height
        left, right = int(box[0] * across + 0.5), int(box[2] * across + 0.5)
        top, bottom = int((height - box[3]) * down + 0.5), int((height - box[1]) * down + 0.5)
        if not (0 <= left < right <= _STEPS and 0 <= top < bottom <= _STEPS):
            left, right = _within(left), _within(right)
            top, bottom = _within(top), _within(bottom)
            if left >= right or top >= bottom:
                return None
        for _ in range(self.tilt):
            left, top, right, bottom = _STEPS - bottom, left, _STEPS - top, right
        return left / _STEPS, top / _STEPS, right / _STEPS, bottom / _STEPS


def _within(steps: int) -> int:
    return max(0, min(_STEPS, steps))


def frame_of(page: pdfium.PdfPage) -> Frame:
    """Return what a page shows of itself."""
    rectangle = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page, rectangle)
    width, height = rectangle.right - rectangle.left, rectangle.top - rectangle.bottom
    if not (isfinite(width) and isfinite(height) and width > 0 and height > 0):
        return Frame(0, 0, 1, 1)
    turns = raw.FPDFPage_GetRotation(page) % 4
    return Frame(rectangle.left, rectangle.bottom, width, height, turns)
