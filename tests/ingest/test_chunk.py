import re

from hypothesis import given
from hypothesis import strategies as st

from ingest.chunk import Chunk, chunk
from ingest.parse.parsed import Block, BlockKind, PageSpan, ParsedDocument

MAX_TOKENS = 20
KINDS = st.sampled_from(list(BlockKind))
WORDS = st.lists(
    st.sampled_from(["tank", "lid.", "E17", "Wait!", "é", "日本", "a\nb", "1.", "Open"]),
    min_size=1,
    max_size=70,
).map(" ".join)
GAPS = st.sampled_from(["\n", "\n\n", "\n \n"])


def word_offsets(text: str) -> list[int]:
    """Count each word as a token; characters outside of Latin are a token each."""
    return [match.start() for match in re.finditer(r"[\w.!]+?(?=日|本|\W|$)|日|本", text)]


def assemble(parts: list[tuple[BlockKind, str, str, bool]]) -> ParsedDocument:
    """Build a document of (kind, text, gap after it, whether a page begins with it)."""
    text, blocks, page_starts = "", [], [0]
    for kind, content, gap, new_page in parts:
        if new_page and text:
            page_starts.append(len(text))
        level = 1 if kind is BlockKind.HEADING else 0
        blocks.append(Block(kind, len(text), len(text) + len(content), level))
        text += content + gap
    ends = [*page_starts[1:], len(text)]
    pages = [
        PageSpan(number, start, end)
        for number, (start, end) in enumerate(zip(page_starts, ends, strict=True), start=1)
    ]
    return ParsedDocument("T", text, tuple(blocks), tuple(pages), "text/plain", "test")


DOCUMENTS = st.lists(st.tuples(KINDS, WORDS, GAPS, st.booleans()), min_size=1, max_size=12).map(
    assemble
)


def texts(document: ParsedDocument, passages: list[Chunk]) -> list[str]:
    return [document.text[passage.start : passage.end] for passage in passages]


def paragraph(text: str) -> tuple[BlockKind, str, str, bool]:
    return BlockKind.PARAGRAPH, text, "\n\n", False


def heading(text: str) -> tuple[BlockKind, str, str, bool]:
    return BlockKind.HEADING, text, "\n\n", False


@given(DOCUMENTS)
def test_passages_join_back_to_the_text_exactly(document: ParsedDocument) -> None:
    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert "".join(texts(document, passages)) == document.text
    assert [passage.ordinal for passage in passages] == list(range(1, len(passages) + 1))


@given(DOCUMENTS)
def test_no_passage_is_longer_than_the_limit(document: ParsedDocument) -> None:
    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert max(len(word_offsets(text)) for text in texts(document, passages)) <= MAX_TOKENS


@given(DOCUMENTS)
def test_every_passage_has_visible_text(document: ParsedDocument) -> None:
    assert all(text.strip() for text in texts(document, chunk(document, word_offsets, MAX_TOKENS)))


@given(DOCUMENTS)
def test_a_passage_names_the_pages_that_its_visible_text_touches(document: ParsedDocument) -> None:
    for passage in chunk(document, word_offsets, MAX_TOKENS):
        touched = [
            page.number
            for page in document.pages
            if document.text[max(page.start, passage.start) : min(page.end, passage.end)].strip()
        ]
        assert (passage.first_page, passage.last_page) == (touched[0], touched[-1])


def test_a_document_without_blocks_has_no_passages() -> None:
    empty = ParsedDocument("T", " \n", (), (), "text/plain", "test")

    assert chunk(empty, word_offsets, MAX_TOKENS) == []


def test_a_format_without_pages_names_none() -> None:
    text = "Open the lid."
    block = Block(BlockKind.PARAGRAPH, 0, len(text))
    document = ParsedDocument("T", text, (block,), (), "text/plain", "test")

    assert chunk(document, word_offsets, MAX_TOKENS) == [Chunk(1, (), 0, len(text), None, None)]


def test_a_short_document_is_one_passage() -> None:
    document = assemble([heading("Descaling"), paragraph("Fill the tank.")])

    [passage] = chunk(document, word_offsets, MAX_TOKENS)

    assert passage == Chunk(1, ("Descaling",), 0, len(document.text), 1, 1)


def test_passages_begin_at_headings_and_carry_their_path() -> None:
    long = " ".join(["word"] * 15)
    text, blocks = "", []
    for level, content in [(1, "Manual"), (2, "Clean"), (0, long), (2, "Repair"), (0, long)]:
        kind = BlockKind.HEADING if level else BlockKind.PARAGRAPH
        blocks.append(Block(kind, len(text), len(text) + len(content), level))
        text += content + "\n\n"
    document = ParsedDocument("T", text, tuple(blocks), (), "text/plain", "test")

    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert [passage.heading_path for passage in passages] == [("Manual",), ("Manual", "Repair")]
    assert texts(document, passages)[1].startswith("Repair\n\nword")


def test_a_heading_of_the_same_level_replaces_the_one_before() -> None:
    long = " ".join(["word"] * 15)
    document = assemble([heading("One"), paragraph(long), heading("Two"), paragraph(long)])

    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert [passage.heading_path for passage in passages] == [("One",), ("Two",)]


def test_a_heading_at_the_end_of_a_full_passage_goes_with_what_it_introduces() -> None:
    document = assemble([paragraph("a b c d"), heading("Next"), paragraph(" ".join(["word"] * 18))])

    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert texts(document, passages)[0] == "a b c d\n\n"
    assert passages[1].heading_path == ("Next",)


def test_a_long_block_is_cut_between_sentences() -> None:
    sentences = [f"Sentence {number} has exactly seven words here. " for number in range(6)]
    document = assemble([paragraph("".join(sentences).strip())])

    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert [text.strip() for text in texts(document, passages)] == [
        "".join(sentences[begin : begin + 2]).strip() for begin in (0, 2, 4)
    ]


def test_a_sentence_over_the_limit_is_cut_between_words() -> None:
    document = assemble([paragraph(" ".join(f"word{number}" for number in range(50)))])

    parts = texts(document, chunk(document, word_offsets, MAX_TOKENS))

    assert [len(word_offsets(part)) for part in parts] == [20, 20, 10]
    assert all(part.endswith((" ", "\n\n")) for part in parts)


def test_a_word_over_the_limit_is_cut_anyway() -> None:
    document = assemble([paragraph("日" * 50)])

    parts = texts(document, chunk(document, word_offsets, MAX_TOKENS))

    assert [part.strip() for part in parts] == ["日" * 20, "日" * 20, "日" * 10]


def test_the_rows_of_a_long_table_stay_whole() -> None:
    rows = [
        (BlockKind.TABLE_ROW, f"Part {number} | Price {number} | 3 days", "\n", False)
        for number in range(9)
    ]
    document = assemble(rows)

    parts = texts(document, chunk(document, word_offsets, MAX_TOKENS))

    assert len(parts) > 1
    assert all(part.startswith("Part ") and part.endswith("3 days\n") for part in parts)


def test_a_passage_over_a_page_border_names_both_pages() -> None:
    document = assemble(
        [
            (BlockKind.PARAGRAPH, "one two", "\n\n", False),
            (BlockKind.PARAGRAPH, "three four", "\n\n", True),
        ]
    )

    [passage] = chunk(document, word_offsets, MAX_TOKENS)

    assert (passage.first_page, passage.last_page) == (1, 2)


def test_a_heading_stays_behind_where_it_would_make_the_next_passage_too_long() -> None:
    document = assemble(
        [paragraph("a b c d"), heading("one two three four"), paragraph(" ".join(["word"] * 18))]
    )

    parts = texts(document, chunk(document, word_offsets, MAX_TOKENS))

    assert [len(word_offsets(part)) for part in parts] == [8, 18]


def row(text: str, gap: str = "\n") -> tuple[BlockKind, str, str, bool]:
    return BlockKind.TABLE_ROW, text, gap, False


def test_a_table_that_fits_is_not_begun_at_the_end_of_another_passage() -> None:
    table = [row("Part Price"), row("Lid 4"), row("Hose 9"), row("Tank 20", "\n\n")]
    document = assemble([paragraph("Open " * 14), *table])

    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert texts(document, passages)[1].strip() == "Part Price\nLid 4\nHose 9\nTank 20"
    assert [passage.table_header for passage in passages] == [None, None]


def test_a_long_table_is_split_between_rows_and_its_header_goes_along() -> None:
    rows = [row(f"Lid{number} 4 5 6") for number in range(12)]
    document = assemble([row("Part Price Weight Size"), *rows])

    passages = chunk(document, word_offsets, MAX_TOKENS)

    assert [passage.table_header for passage in passages] == [
        None,
        *["Part Price Weight Size"] * (len(passages) - 1),
    ]
    for passage, text in zip(passages, texts(document, passages), strict=True):
        assert text.strip().startswith(("Part", "Lid"))
        assert text.strip().endswith(("Size", "6"))
        header = len(word_offsets(passage.table_header or ""))
        assert header + len(word_offsets(text)) <= MAX_TOKENS


def test_a_new_table_does_not_inherit_the_header_of_the_one_before() -> None:
    first = [row("Part Price"), *[row("Lid 4 5 6 7") for _ in range(4)], row("Tank 20", "\n\n")]
    second = [row("Code Meaning"), *[row("E17 no water here now") for _ in range(5)]]
    document = assemble([*first, *second])

    passages = chunk(document, word_offsets, MAX_TOKENS)

    headers = [passage.table_header for passage in passages]
    assert headers[-1] == "Code Meaning"
    assert headers.count("Part Price") >= 1


@given(DOCUMENTS)
def test_with_its_repeated_header_no_passage_is_longer_than_the_limit(
    document: ParsedDocument,
) -> None:
    for passage in chunk(document, word_offsets, MAX_TOKENS):
        text = document.text[passage.start : passage.end]
        header = len(word_offsets(passage.table_header or ""))

        assert header + len(word_offsets(text)) <= MAX_TOKENS
