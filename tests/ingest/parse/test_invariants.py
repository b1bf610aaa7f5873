from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.parse import outcome
from ingest.parse.clean import clean
from ingest.parse.formats import html, markdown, text
from ingest.parse.parsed import Block, BlockKind, PageSpan, ParsedDocument, Word
from ingest.parse.wire import Frame, Inbox, Kind, Request, ScannedPage, Task, page_frame, read_page

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)
TRICKY = st.sampled_from(
    [
        "e\u0301",
        "\u0301",
        "ﬁ",
        "\u00ad",
        "\u200b",
        "\r\n",
        "\x85",
        "\u2028",
        "\U000e0041",
        "¶",
        " | ",
    ]
)
TAGS = st.sampled_from(
    ["p", "div", "h1", "h3", "ul", "ol", "li", "table", "tr", "td", "th", "pre", "br", "nav", "dt"]
)
MARKUP = st.one_of(
    TEXTS,
    TRICKY,
    TAGS.map("<{}>".format),
    TAGS.map("</{}>".format),
    st.sampled_from(
        ["<p hidden>", "<!-- x -->", "<li value=7>", "<ol start=-2>", "&nbsp;", "&#8203;"]
    ),
)
SIGNS = st.sampled_from(["# ", "\n\n", "\n- ", "\n1. ", "    ", "```\n", "> ", "**", "\\", "&amp;"])
BLOCKS = st.sampled_from(["\n| a | b |\n|---|---|\n| ", "---\n", "a: b\n", "[a](b)", "<b>", "<!--"])
MARKDOWN = st.one_of(TEXTS, TRICKY, SIGNS, BLOCKS, MARKUP)


CUT_WORDS = (
    b'{"texts": {"title": "", "text": "", "media_type": "", "parser": ""}, "blocks": [], '
    b'"pages": [[1, 0, 0]], "words": [[1, 2, 3]], "unread_pages": []}'
)


@given(st.lists(MARKUP, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_html_of_any_shape_keeps_the_invariants(
    check: Callable[[ParsedDocument], None], source: str
) -> None:
    check(html.parse(source.encode(), "a.html"))


@given(st.lists(MARKDOWN, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_markdown_of_any_shape_keeps_the_invariants(
    check: Callable[[ParsedDocument], None], source: str
) -> None:
    check(markdown.parse(source.encode(), "a.md"))


@given(
    st.lists(st.one_of(TEXTS, TRICKY, st.sampled_from(["\n", "\n\n", "- ", "1. "]))).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_plain_text_loses_no_visible_character(
    check: Callable[[ParsedDocument], None], source: str
) -> None:
    document = text.parse(source.encode(), "a.txt")

    check(document)
    assert "".join(document.text.split()) == "".join(clean(source).split())


@given(st.binary(max_size=200))
def test_bytes_in_no_encoding_keep_the_invariants(
    check: Callable[[ParsedDocument], None], data: bytes
) -> None:
    check(text.parse(data, "a.txt"))


@given(st.text())
def test_cleaning_twice_changes_nothing(source: str) -> None:
    assert clean(clean(source)) == clean(source)


@given(st.lists(MARKDOWN, max_size=20).map("".join))
@settings(deadline=None)
def test_documents_cross_the_process_border_unchanged(source: str) -> None:
    document = markdown.parse(source.encode(), "a.md")

    assert outcome.decode(outcome.encode(document)) == document


def test_words_and_unread_pages_cross_the_process_border_unchanged() -> None:
    words = (Word(0, 5, 0.0001, 0.2, 0.9999, 1.0), Word(6, 9, 0.1234, 0.5678, 0.3, 0.6))
    pages = (PageSpan(1, 0, 9, words), PageSpan(2, 9, 9))
    block = Block(BlockKind.PARAGRAPH, 0, 9)
    document = ParsedDocument("T", "Words are", (block,), pages, "application/pdf", "pdf", (2,))

    assert outcome.decode(outcome.encode(document)) == document


@pytest.mark.parametrize(
    "message",
    [b"", b"7", b"{", b"[]", b"{}", b'{"code": "x", "fields": {}}', b"[" * 100_000, CUT_WORDS],
)
def test_a_child_cannot_send_what_is_not_a_document(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        outcome.decode(message)


@given(st.lists(st.tuples(st.sampled_from([b"p", b"o", b"x"]), st.binary(max_size=40))), st.data())
def test_frames_are_the_same_however_they_are_cut(
    contents: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    frames = [Frame(kind, content) for kind, content in contents]
    message = b"".join(frame.to_bytes() for frame in frames)
    inbox = Inbox()

    at = 0
    while at < len(message):
        step = data.draw(st.integers(1, 30))
        inbox.take(message[at : at + step])
        at += step

    assert inbox.frames == frames
    assert inbox.pages == [frame for frame in frames if frame.kind == b"p"]


@given(TEXTS, st.booleans())
def test_requests_and_recognised_pages_cross_the_process_border_unchanged(
    word: str, is_turned: bool
) -> None:
    scan = ScannedPage([[(word, 0.1, 0.2, 0.3, 0.4)]], 3 if is_turned else 0)
    request = Request(word, Task.DRAW, (1, 7), {7: scan}, ((0.1, 0.2, 0.3, 0.4),), 900)

    assert Request.from_bytes(request.to_bytes()) == request
    assert read_page(page_frame(7, scan)) == (7, scan)


@pytest.mark.parametrize(
    "content", [b"", b"7", b"[]", b"{}", b'{"number": 1, "x": 2}', b"[" * 100_000]
)
def test_a_child_cannot_send_what_is_not_a_page(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_page(Frame(Kind.PAGE, content))
