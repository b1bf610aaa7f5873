import copy
import io
from collections.abc import Callable
from typing import Any, TypeAlias
from zipfile import ZipFile

import pytest
from pptx.chart import data as chart_data
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches, Pt

from ingest.errors import (
    CorruptDocumentError,
    EncryptedDocumentError,
    IngestError,
    NoTextError,
    PoisonDocumentError,
)
from ingest.parse import registry
from ingest.parse.formats import pptx
from ingest.parse.parsed import ParsedDocument

# The library's type information is incomplete.
Deck: TypeAlias = Any
Slide: TypeAlias = Any
CategoryChartData: Any = chart_data.CategoryChartData
XyChartData: Any = chart_data.XyChartData
SLIDE = "ppt/slides/slide1.xml"
PLACE = (Inches(1), Inches(1), Inches(4), Inches(3))
Blocks = Callable[[ParsedDocument], list[tuple[str, str]]]
Change = Callable[[bytes, dict[str, Callable[[bytes], bytes]]], bytes]


def add_slide(deck: Deck, title: str | None, *body: str) -> Slide:
    slide = deck.slides.add_slide(deck.slide_layouts[6 if title is None else 1])
    if title is not None:
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(body)
    return slide


def add_box(slide: Slide, text: str, left: float, top: float) -> None:
    box = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(0.5))
    box.text_frame.text = text


def test_a_slide_is_a_page_with_its_title_as_heading(
    make_pptx: Callable[..., bytes], blocks_of: Blocks
) -> None:
    def fill(deck: Deck) -> None:
        cover = deck.slides.add_slide(deck.slide_layouts[0])
        cover.shapes.title.text = "Pump\vtraining"
        cover.placeholders[1].text = "Spring 2026"
        add_slide(deck, "Safety", "Switch off first.", "Wear gloves.")

    document = pptx.parse(make_pptx(fill), "a.pptx")

    assert blocks_of(document) == [
        ("heading1", "Pump training"),
        ("paragraph", "Spring 2026"),
        ("heading1", "Safety"),
        ("list_item", "Switch off first."),
        ("list_item", "Wear gloves."),
    ]
    assert [document.text[page.start : page.end].strip() for page in document.pages] == [
        "Pump training\n\nSpring 2026",
        "Safety\n\nSwitch off first.\nWear gloves.",
    ]


def test_hidden_slides_keep_their_number_and_hidden_shapes_are_not_read(
    make_pptx: Callable[..., bytes], check: Callable[[ParsedDocument], None]
) -> None:
    def fill(deck: Deck) -> None:
        add_slide(deck, "One").shapes.add_textbox(*PLACE).text_frame.text = "ghost"
        deck.slides[0].shapes[-1]._element.nvSpPr.cNvPr.set("hidden", "1")
        deck.slides[0].notes_slide._element.remove(deck.slides[0].notes_slide._element[0])
        add_slide(deck, "Secret")._element.set("show", "0")
        add_slide(deck, "Three")

    document = pptx.parse(make_pptx(fill), "a.pptx")

    check(document)
    assert [document.text[page.start : page.end].strip() for page in document.pages] == [
        "One", "", "Three",
    ]  # fmt: skip


def test_shapes_are_read_by_line_and_from_the_left_after_the_title(
    make_pptx: Callable[..., bytes], blocks_of: Blocks
) -> None:
    def fill(deck: Deck) -> None:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        add_box(slide, "lower", 1, 4)
        add_box(slide, "right", 5, 1.9)
        add_box(slide, "left", 1, 2)
        add_box(slide, "above the title", 1, 0)
        group = slide.shapes.add_group_shape()
        for text, top in [("second in group", 6), ("first in group", 5)]:
            box = group.shapes.add_textbox(Inches(1), Inches(top), Inches(2), Inches(0.5))
            box.text_frame.text = text
        slide.shapes.title.text = "Title"

    document = pptx.parse(make_pptx(fill), "a.pptx")

    assert [text for _, text in blocks_of(document)] == [
        "Title", "above the title", "left", "right", "lower", "first in group", "second in group",
    ]  # fmt: skip


def test_the_largest_line_on_top_is_the_title_where_no_placeholder_is(
    make_pptx: Callable[..., bytes], blocks_of: Blocks
) -> None:
    def fill(deck: Deck) -> None:
        for size in (40, 20):
            slide = add_slide(deck, None)
            add_box(slide, "Safety", 1, 1)
            add_box(slide, "Switch off first.", 1, 3)
            for shape, points in zip(slide.shapes, (size, 20), strict=True):
                shape.text_frame.paragraphs[0].runs[0].font.size = Pt(points)

    document = pptx.parse(make_pptx(fill), "a.pptx")

    assert blocks_of(document) == [
        ("heading1", "Safety"),
        ("paragraph", "Switch off first."),
        ("paragraph", "Safety"),
        ("paragraph", "Switch off first."),
    ]


def test_columns_of_a_comparison_are_read_one_after_the_other(
    make_pptx: Callable[..., bytes], blocks_of: Blocks
) -> None:
    def fill(deck: Deck) -> None:
        slide = deck.slides.add_slide(deck.slide_layouts[4])
        texts = ["Models", "Old", "is loud", "New", "is quiet"]
        for placeholder, text in zip(slide.placeholders, texts, strict=False):
            placeholder.text = text

    document = pptx.parse(make_pptx(fill), "a.pptx")

    assert blocks_of(document) == [
        ("heading1", "Models"),
        ("paragraph", "Old"),
        ("list_item", "is loud"),
        ("paragraph", "New"),
        ("list_item", "is quiet"),
    ]


def test_bullets_and_numbers_are_told_from_plain_paragraphs(
    make_pptx: Callable[..., bytes], replace_parts: Change, blocks_of: Blocks
) -> None:
    bullets = [
        "",
        "<a:buNone/>",
        '<a:buAutoNum type="arabicPeriod"/>',
        '<a:buAutoNum type="arabicPeriod"/>',
        '<a:buAutoNum type="alphaLcParenBoth" startAt="3"/>',
    ]
    body = "".join(
        f'<a:p><a:pPr lvl="{int("alpha" in bullet)}">{bullet}</a:pPr>'
        f"<a:r><a:t>text {number}</a:t></a:r></a:p>"
        for number, bullet in enumerate(bullets)
    )
    data = replace_parts(
        make_pptx(lambda deck: add_slide(deck, "T", "BODY")),
        {SLIDE: lambda xml: xml.replace(b"<a:p><a:r><a:t>BODY</a:t></a:r></a:p>", body.encode())},
    )

    document = pptx.parse(data, "a.pptx")

    assert blocks_of(document)[1:] == [
        ("list_item", "text 0"),
        ("paragraph", "text 1"),
        ("list_item", "1. text 2"),
        ("list_item", "2. text 3"),
        ("list_item", "(c) text 4"),
    ]


def test_tables_are_read_row_by_row(make_pptx: Callable[..., bytes], blocks_of: Blocks) -> None:
    def fill(deck: Deck) -> None:
        slide = add_slide(deck, None)
        for top in (1, 4):
            table = slide.shapes.add_table(2, 3, Inches(1), Inches(top), *PLACE[2:]).table
            for place, text in enumerate(["Part", "", "Price", "pump", "B\n2", "3"]):
                table.cell(place // 3, place % 3).text = text
            table.cell(0, 0).merge(table.cell(0, 1))

    document = pptx.parse(make_pptx(fill), "a.pptx")

    rows = ["Part | | Price", "pump | B 2 | 3"]
    assert document.text == "\n".join(rows) + "\n\n" + "\n".join(rows)
    assert {kind for kind, _ in blocks_of(document)} == {"table_row"}


def test_the_figures_of_charts_are_read(make_pptx: Callable[..., bytes], blocks_of: Blocks) -> None:
    def fill(deck: Deck) -> None:
        slide = add_slide(deck, None)
        sales = CategoryChartData(number_format="0%")
        sales.categories = ["Q1", "Q2"]
        sales.add_series("Pumps", (0.25, None))
        sales.add_series("Hoses", (0.5, 1))
        chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *PLACE, sales).chart
        chart.chart_title.text_frame.text = "Share of sales"
        points = XyChartData()
        points.add_series("Noise").add_data_point(1.5, 60)
        slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, Inches(1), Inches(5), *PLACE[2:], points)

    document = pptx.parse(make_pptx(fill), "a.pptx")

    assert blocks_of(document) == [
        ("paragraph", "Share of sales"),
        ("table_row", "| Pumps | Hoses"),
        ("table_row", "Q1 | 25% | 50%"),
        ("table_row", "Q2 | | 100%"),
        ("table_row", "| Noise"),
        ("table_row", "1.5 | 60"),
    ]


def test_speaker_notes_follow_their_slide(
    make_pptx: Callable[..., bytes], blocks_of: Blocks
) -> None:
    def fill(deck: Deck) -> None:
        slide = add_slide(deck, "One", "point")
        slide.notes_slide.notes_text_frame.text = "Say hello.\nThen wait."
        add_slide(deck, "Two")

    document = pptx.parse(make_pptx(fill), "a.pptx")

    assert blocks_of(document)[2:] == [
        ("paragraph", "Say hello."),
        ("paragraph", "Then wait."),
        ("heading1", "Two"),
    ]


def test_diagrams_and_alternative_content_are_read_once(
    make_pptx: Callable[..., bytes], replace_parts: Change, make_zip: Callable[..., bytes]
) -> None:
    tree = (
        '<mc:AlternateContent xmlns:mc="x"><mc:Choice><p:sp><p:nvSpPr/><p:txBody><a:p><a:r>'
        "<a:t>newer</a:t></a:r></a:p></p:txBody></p:sp></mc:Choice><mc:Fallback><p:sp><p:nvSpPr/>"
        "<p:txBody><a:p><a:r><a:t>older</a:t></a:r></a:p></p:txBody></p:sp></mc:Fallback>"
        "</mc:AlternateContent><p:graphicFrame><p:nvGraphicFramePr/><a:graphic><a:graphicData>"
        '<d:relIds xmlns:d="d" r:dm="rId9"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    diagram = (
        '<d:dataModel xmlns:d="d" xmlns:a="a"><d:ptLst><d:pt type="doc"/><d:pt><d:t><a:p><a:r>'
        '<a:t>Plan</a:t></a:r></a:p></d:t></d:pt><d:pt type="pres"><d:t><a:p><a:r><a:t>Plan</a:t>'
        "</a:r></a:p></d:t></d:pt></d:ptLst></d:dataModel>"
    )
    data = replace_parts(
        make_pptx(lambda deck: add_slide(deck, "T")),
        {
            SLIDE: lambda xml: xml.replace(b"</p:spTree>", tree.encode() + b"</p:spTree>"),
            "ppt/slides/_rels/slide1.xml.rels": lambda xml: xml.replace(
                b"</Relationships>",
                b'<Relationship Id="rId9" Type="x/diagramData" Target="/data.xml"/>'
                b"</Relationships>",
            ),
            "docProps/thumbnail.jpeg": lambda _: b"",
        },
    )
    whole = add_part(data, "data.xml", diagram.encode(), make_zip)

    assert pptx.parse(whole, "a.pptx").text == "T\n\nnewer\n\nPlan"
    assert pptx.parse(data, "a.pptx").text == "T\n\nnewer"


def add_part(
    data: bytes, name: str, content: bytes, make_zip: Callable[[dict[str, bytes]], bytes]
) -> bytes:
    with ZipFile(io.BytesIO(data)) as archive:
        return make_zip({part: archive.read(part) for part in archive.namelist()} | {name: content})


def test_the_title_is_the_stated_one_then_the_first_heading_then_the_name(
    make_pptx: Callable[..., bytes],
) -> None:
    def fill(deck: Deck) -> None:
        add_slide(deck, "Pump training")

    assert pptx.parse(make_pptx(fill, "Pumps"), "a.pptx").title == "Pumps"
    for empty in ["", "PowerPoint Presentation", "Présentation PowerPoint", "Presentation1"]:
        assert pptx.parse(make_pptx(fill, empty), "a.pptx").title == "Pump training"
    bare = make_pptx(lambda deck: add_box(add_slide(deck, None), "text", 1, 1))
    assert pptx.parse(bare, "winter_course.pptx").title == "Winter course"


def test_slides_without_text_are_told_from_damage(make_pptx: Callable[..., bytes]) -> None:
    with pytest.raises(NoTextError, match="1 page"):
        registry.parse(make_pptx(lambda deck: add_slide(deck, None)), "a.pptx")


def test_groups_nested_too_deeply_are_refused(
    make_pptx: Callable[..., bytes], replace_parts: Change
) -> None:
    deep = b"<p:grpSp>" * 300 + b"</p:grpSp>" * 300
    data = replace_parts(
        make_pptx(lambda deck: add_slide(deck, "T")),
        {SLIDE: lambda xml: xml.replace(b"</p:spTree>", deep + b"</p:spTree>")},
    )

    with pytest.raises(CorruptDocumentError, match=r"slide1\.xml is damaged"):
        pptx.parse(data, "a.pptx")


def test_groups_nested_deeply_are_read(
    make_pptx: Callable[..., bytes], replace_parts: Change
) -> None:
    inner = b"<p:sp><p:nvSpPr/><p:txBody><a:p><a:r><a:t>deep</a:t></a:r></a:p></p:txBody></p:sp>"
    deep = b"<p:grpSp><p:nvGrpSpPr/>" * 200 + inner + b"</p:grpSp>" * 200
    data = replace_parts(
        make_pptx(lambda deck: add_slide(deck, "T")),
        {SLIDE: lambda xml: xml.replace(b"</p:spTree>", deep + b"</p:spTree>")},
    )

    assert pptx.parse(data, "a.pptx").text == "T\n\ndeep"


def test_too_many_slides_are_refused_and_a_slide_listed_twice_is_read_once(
    make_pptx: Callable[..., bytes],
) -> None:
    def repeat(count: int) -> Callable[[Deck], None]:
        def fill(deck: Deck) -> None:
            add_slide(deck, "Same")
            entries = deck.slides._sldIdLst
            for _ in range(count - 1):
                entries.append(copy.deepcopy(entries[0]))

        return fill

    twice = pptx.parse(make_pptx(repeat(2)), "a.pptx")

    assert (twice.text, len(twice.pages)) == ("Same", 2)
    with pytest.raises(PoisonDocumentError, match="more than 2,000 slides"):
        pptx.parse(make_pptx(repeat(2_001)), "a.pptx")


def test_a_chart_of_scattered_points_is_refused(
    make_pptx: Callable[..., bytes], replace_parts: Change
) -> None:
    def fill(deck: Deck) -> None:
        data = CategoryChartData()
        data.categories = ["a"]
        data.add_series("s", (1,))
        add_slide(deck, None).shapes.add_chart(XL_CHART_TYPE.LINE, *PLACE, data)

    series = "".join(
        f'<c:ser><c:val><c:numLit><c:pt idx="{n}"><c:v>1</c:v></c:pt></c:numLit></c:val></c:ser>'
        for n in range(1_500)
    )
    whole = make_pptx(fill)
    bomb = replace_parts(
        whole,
        {chart_part(whole): lambda xml: xml.replace(b"<c:ser>", series.encode() + b"<c:ser>", 1)},
    )

    with pytest.raises(PoisonDocumentError, match="1,500 rows and 1,500 columns"):
        pptx.parse(bomb, "a.pptx")


def chart_part(data: bytes) -> str:
    with ZipFile(io.BytesIO(data)) as archive:
        return next(name for name in archive.namelist() if name.startswith("ppt/charts/chart"))


def test_entities_are_refused(make_pptx: Callable[..., bytes], replace_parts: Change) -> None:
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    data = replace_parts(make_pptx(lambda deck: add_slide(deck, "T")), {SLIDE: lambda _: laughs})

    with pytest.raises(PoisonDocumentError, match="defines XML entities"):
        pptx.parse(data, "a.pptx")


def test_missing_slides_are_named_and_missing_extras_are_not_needed(
    make_pptx: Callable[..., bytes], replace_parts: Change
) -> None:
    whole = make_pptx(lambda deck: add_slide(deck, "T", "body"))
    main, slide = "ppt/_rels/presentation.xml.rels", "ppt/slides/_rels/slide1.xml.rels"
    nowhere = replace_parts(whole, {main: lambda xml: xml.replace(b"slides/slide1", b"NULL")})
    unlisted = replace_parts(whole, {main: lambda _: b"<Relationships/>"})
    no_layout = replace_parts(whole, {slide: lambda xml: xml.replace(b"slideLayouts/", b"NULL/")})

    with pytest.raises(CorruptDocumentError, match=r"ppt/NULL\.xml is missing"):
        pptx.parse(nowhere, "a.pptx")
    with pytest.raises(CorruptDocumentError, match="its slide 1 is missing"):
        pptx.parse(unlisted, "a.pptx")
    assert pptx.parse(no_layout, "a.pptx").text == "T\n\nbody"


def test_encrypted_presentations_are_named_as_such(make_pptx: Callable[..., bytes]) -> None:
    flagged = bytearray(make_pptx(lambda deck: add_slide(deck, "T")))
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1

    with pytest.raises(EncryptedDocumentError, match="protected by a password"):
        registry.parse(bytes(flagged), "a.pptx")


def test_a_file_cut_anywhere_is_damaged(make_pptx: Callable[..., bytes]) -> None:
    whole = make_pptx(lambda deck: add_slide(deck, "T"))

    for length in range(4, len(whole), 2_000):
        with pytest.raises(IngestError):
            registry.parse(whole[:length], "a.pptx")
