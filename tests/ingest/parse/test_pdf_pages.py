from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ingest.errors import CorruptDocumentError
from ingest.parse import sandbox
from ingest.places import Box

Draw = Callable[..., object]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "a.pdf") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


def colour(picture: Image.Image, place: tuple[int, int]) -> list[int]:
    return [
        picture.getchannel(channel).tobytes()[place[1] * picture.width + place[0]]
        for channel in "RGB"
    ]


def test_a_page_is_drawn_with_its_places_highlighted(
    file: Callable[..., Path], make_pdf: Callable[..., bytes], write_lines: Callable[..., Draw]
) -> None:
    path = file(make_pdf(write_lines("First page."), write_lines("Second", size=40)), "a.pdf")
    (word,) = sandbox.parse_file(path, "a.pdf").pages[1].words
    box = Box(word.left, word.top, word.right, word.bottom)

    plain = opened(sandbox.render_page(path, "a.pdf", 2, [], 600))
    marked = opened(sandbox.render_page(path, "a.pdf", 2, [box], 600))

    assert plain.size == marked.size == (600, 849)
    within = round(word.left * 600) + 3, round(word.top * 849) + 3
    outside = within[0], within[1] - 20
    white = [255, 255, 255]
    assert [colour(plain, within), colour(plain, outside), colour(marked, outside)] == [white] * 3
    red, green, blue = colour(marked, within)
    assert min(red, green) > 200 > blue
    # Text stays as dark as it was.
    assert marked.convert("L").tobytes().count(0) >= plain.convert("L").tobytes().count(0) > 0


@pytest.mark.parametrize("size", [(595, 842), (842, 595), (14_400, 20)])
def test_pictures_of_pages_hold_four_million_pixels_at_most(
    file: Callable[..., Path], make_pdf: Callable[..., bytes], size: tuple[int, int]
) -> None:
    data = make_pdf(lambda canvas: canvas.setPageSize(size))

    picture = opened(sandbox.render_page(file(data, "a.pdf"), "a.pdf", 1, [], 1 << 30))

    assert 3_900_000 < picture.width * picture.height < 4_100_000
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.02)


@pytest.mark.parametrize(
    "box", [(float("nan"), 0, 1, 1), (0.9, 0.9, 0.1, 0.1), (-5, -5, -1, -1), (-1e30, 0, 1e30, 2)]
)
def test_absurd_boxes_do_not_hinder_a_picture(
    file: Callable[..., Path], make_pdf: Callable[..., bytes], box: tuple[float, ...]
) -> None:
    path = file(make_pdf(lambda canvas: None), "a.pdf")

    picture = opened(sandbox.render_page(path, "a.pdf", 1, [Box(*box)], 100))

    assert picture.width == 100


def test_what_cannot_be_drawn_is_refused_with_the_reason(
    file: Callable[..., Path], make_pdf: Callable[..., bytes]
) -> None:
    pdf = file(make_pdf(lambda canvas: None), "a.pdf")

    for number in (0, 2, -1, 10**12):
        with pytest.raises(CorruptDocumentError, match=rf"it has no page {number}\)"):
            sandbox.render_page(pdf, "a.pdf", number, [], 100)
    with pytest.raises(CorruptDocumentError, match="cannot be shown"):
        sandbox.render_page(file(b"# Title"), "a.md", 1, [], 100)
