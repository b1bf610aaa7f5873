"""A page of a PDF as a picture, with places highlighted."""

from collections.abc import Iterable
from io import BytesIO
from math import isfinite, sqrt

import pypdfium2 as pdfium
from PIL import Image, ImageChops, ImageDraw

from ingest.errors import CorruptDocumentError, EncryptedDocumentError

_MAX_PIXELS = 4_000_000
_MIN_SIDE = 1.0
_HIGHLIGHT = (255, 236, 110)  # multiplied with the page, so that text stays as dark as it is
_OUTLINE = (214, 158, 0)
_OUTLINE_PIXELS = 2
_AROUND_PIXELS = 2  # between a word and the outline

Sides = tuple[float, ...]


def draw(data: bytes, name: str, number: int, boxes: Iterable[Sides], width_pixels: int) -> bytes:
    """Return a PNG file of a page; boxes are (left, top, right, bottom) in shares of it.

    It is narrower than asked for where it would hold more than four million pixels.

    Raises:
        EncryptedDocumentError: The file needs a password.
        CorruptDocumentError: It has no such page, or it cannot be shown.
    """
    try:
        document = pdfium.PdfDocument(data)
        count = len(document)
        if not 1 <= number <= count:
            raise CorruptDocumentError(title=name, reason=f"it has no page {number}")
        document.init_forms()
        picture = _render(document[number - 1], width_pixels)
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium.raw.FPDF_ERR_PASSWORD:
            raise EncryptedDocumentError(title=name) from error
        reason = f"page {number} cannot be shown"
        raise CorruptDocumentError(title=name, reason=reason) from error
    for box in boxes:
        _highlight(picture, box)
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _render(page: pdfium.PdfPage, width_pixels: int) -> Image.Image:
    width, height = (max(_MIN_SIDE, side) for side in page.get_size())
    scale = min(max(1, width_pixels) / width, sqrt(_MAX_PIXELS / (width * height)))
    picture: Image.Image = page.render(scale=scale).to_pil()
    return picture.convert("RGB")


def _highlight(picture: Image.Image, box: Sides) -> None:
    if not all(map(isfinite, box)):
        return
    left, top, right, bottom = (
        round(min(1.0, max(0.0, share)) * side)
        for share, side in zip(box, 2 * picture.size, strict=True)
    )
    if left >= right or top >= bottom:
        return
    area = (
        max(0, left - _AROUND_PIXELS),
        max(0, top - _AROUND_PIXELS),
        min(picture.width, right + _AROUND_PIXELS),
        min(picture.height, bottom + _AROUND_PIXELS),
    )
    part = picture.crop(area)
    part = ImageChops.multiply(part, Image.new("RGB", part.size, _HIGHLIGHT))
    outline = (0, 0, part.width - 1, part.height - 1)
    ImageDraw.Draw(part).rectangle(outline, outline=_OUTLINE, width=_OUTLINE_PIXELS)
    picture.paste(part, area)
