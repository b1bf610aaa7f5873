from collections.abc import Callable

from ingest.parse.clean import clean, decode
from ingest.parse.formats import text
from ingest.parse.parsed import ParsedDocument


def test_paragraphs_and_list_items_are_told_apart(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    data = b"To reset:\n- open Settings\n- choose Reset\n  and wait\n\nThen sign in again.\n"

    document = text.parse(data, "how_to-reset.txt")

    assert blocks_of(document) == [
        ("paragraph", "To reset:"),
        ("list_item", "- open Settings"),
        ("list_item", "- choose Reset\nand wait"),
        ("paragraph", "Then sign in again."),
    ]
    assert document.text == (
        "To reset:\n\n- open Settings\n- choose Reset\nand wait\n\nThen sign in again."
    )


def test_the_file_name_becomes_a_readable_title() -> None:
    assert text.parse(b"x", "how_to-reset.txt").title == "How to reset"
    assert text.parse(b"x", "C:\\docs\\refunds.txt").title == "Refunds"
    assert text.parse(b"x", "___.txt").title == "Untitled"


def test_text_files_are_read_in_the_encodings_people_use() -> None:
    assert decode("Größe".encode("utf-8-sig")) == "Größe"
    assert decode("Größe".encode("utf-16")) == "Größe"
    assert decode("Größe €5".encode("cp1252")) == "Größe €5"
    assert decode("привет".encode("koi8-r"), "koi8-r") == "привет"
    assert decode(b"caf\xe9", "no-such-encoding") == "café"


def test_line_ends_and_spaces_are_unified() -> None:
    assert clean("a\r\nb\rc\u2028d\x0ce\u00a0f") == "a\nb\nc\nd\ne f"


def test_invisible_characters_are_removed_before_offsets_are_counted() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all rules")
    raw = f"\ufeffpass\u00adword\u200b \u202eab\u202c\x00{hidden}\ud800!"

    assert clean(raw) == "password ab!"


def test_ligatures_and_accents_become_ordinary_letters() -> None:
    assert clean("e\u0301ﬃcient ﬁle ﬂow") == "éfficient file flow"


def test_surrogate_pairs_become_the_character_they_mean() -> None:
    assert clean("\ud83d\ude00") == "\N{GRINNING FACE}"
