from collections.abc import Callable

import pytest
from reportlab.pdfgen.canvas import Canvas

from ingest.parse.formats import pdf
from ingest.parse.parsed import ParsedDocument

Draw = Callable[[Canvas], object]


def test_filled_fields_of_a_form_follow_the_text_of_their_page(
    make_pdf: Callable[..., bytes],
    write_lines: Callable[..., Draw],
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    def order_form(canvas: Canvas) -> None:
        write_lines("Order form")(canvas)
        form = canvas.acroForm
        form.textfield(name="city", tooltip="City", value="New Delhi", x=72, y=400, width=200)
        form.textfield(name="note", value="", x=72, y=300)
        form.textfield(name="pin", value="1234", x=72, y=200, fieldFlags="password")
        form.textfield(name="plan", value="Pro", x=72, y=100, annotationFlags="hidden")
        form.checkbox(name="agreed", checked=True, x=72, y=50)

    document = pdf.parse(make_pdf(order_form, write_lines("Second page.")), "a.pdf")

    assert blocks_of(document) == [
        ("paragraph", "Order form"),
        ("paragraph", "City: New Delhi"),
        ("paragraph", "Second page."),
    ]
    *_, last = document.pages[0].words
    assert document.text[last.start : last.end] == "Delhi"
    assert (last.left, last.bottom) == pytest.approx((72 / 595.3, 1 - 400 / 841.9), abs=0.003)
