from base64 import b64encode
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from ingest.errors import EmptyDocumentError, PoisonDocumentError
from ingest.parse import registry
from ingest.parse.formats import eml
from ingest.parse.parsed import ParsedDocument

HEAD = b"From: Ada <ada@example.com>\nMIME-Version: 1.0\nSubject: Refund\n"


def compose(text: str = "Please refund me.") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Größe falsch"
    mail["From"] = "Ada <ada@example.com>"
    mail["To"] = "desk@example.com"
    mail["Date"] = "Mon, 03 Mar 2025 09:00:00 +0100"
    mail.set_content(text)
    return mail


def test_a_mail_is_its_subject_its_head_and_its_text(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    document = eml.parse(compose("Hello,\n\n- too small\n- too late\n").as_bytes(), "a.eml")

    assert document.title == "Größe falsch"
    assert blocks_of(document) == [
        ("heading1", "Größe falsch"),
        (
            "paragraph",
            "From: Ada <ada@example.com>\nTo: desk@example.com\n"
            "Date: Mon, 03 Mar 2025 09:00:00 +0100",
        ),
        ("paragraph", "Hello,"),
        ("list_item", "- too small"),
        ("list_item", "- too late"),
    ]


def test_of_two_forms_the_plain_one_is_read_and_the_page_if_that_is_blank() -> None:
    page = "<table><tr><td>Plan<td>Fee<tr><td>Pro<td>9</table>"
    both, blank = compose("In plain text."), compose(" ")
    both.add_alternative(page, subtype="html")
    blank.add_alternative(page, subtype="html")

    assert eml.parse(both.as_bytes(), "a.eml").text.endswith("\n\nIn plain text.")
    assert eml.parse(blank.as_bytes(), "a.eml").text.endswith("\n\nPlan | Fee\nPro | 9")


def test_attachments_are_named_and_pictures_of_the_page_are_not() -> None:
    mail = compose()
    mail.add_alternative("<p>Page <img src=cid:x>", subtype="html")
    page = mail.get_body(("html",))
    assert isinstance(page, EmailMessage)
    page.add_related(b"x", "image", "png", cid="<x>", filename="logo.png")
    mail.add_attachment(b"x", "application", "pdf", filename="Rechnung März.pdf")
    mail.add_attachment("secret text", filename="log.txt")

    text = eml.parse(mail.as_bytes(), "a.eml").text

    assert text.endswith("me.\n\nAttachments: Rechnung März.pdf, log.txt (not read)")
    assert "secret" not in text


def test_quoted_history_stays_with_one_mark_a_paragraph(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    body = b"Thanks.\nAnn wrote:\n> Do this:\n> - reset\n>\n> then wait\n> an hour\n>> Help!\nBye"

    document = eml.parse(HEAD + b"\n" + body, "a.eml")

    assert [text for _, text in blocks_of(document)[2:]] == [
        "Thanks.\nAnn wrote:",
        "> Do this:\n> - reset",
        "> then wait\nan hour",
        ">> Help!",
        "Bye",
    ]


def test_lines_that_flow_on_are_joined() -> None:
    head = HEAD + b"Content-Type: text/plain; format=flowed\n\n"

    document = eml.parse(head + b"One \nline.\n> and \n> another\n-- \nAda", "a.eml")

    assert document.text.endswith("One line.\n\n> and another\n\n--\nAda")


def test_mails_in_a_mail_are_read_below_it(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    inner, outer = compose("Inner."), compose("Outer.")
    inner.replace_header("Subject", "First question")
    outer.add_attachment(inner)

    blocks = blocks_of(eml.parse(outer.as_bytes(), "a.eml"))

    assert [blocks[0], blocks[2], blocks[3], blocks[5]] == [
        ("heading1", "Größe falsch"),
        ("paragraph", "Outer."),
        ("heading2", "First question"),
        ("paragraph", "Inner."),
    ]


@pytest.mark.parametrize(
    ("charset", "body", "expected"),
    [
        (b"utf-8", "цена".encode(), "цена"),
        (b"us-ascii", "цена".encode(), "цена"),
        (b"koi8-r", "цена".encode("koi8-r"), "цена"),
        (b"iso-8859-1", b"it\x92s", "it\u2019s"),
        (b"iso-2022-jp", "値段".encode("iso-2022-jp"), "値段"),
        (b"no-such", b"fee \xe9", "fee é"),
        (b'"a b\x00"', b"fee \xe9", "fee é"),
        (b"rot13", b"fee", "fee"),
    ],
)
def test_text_is_decoded_as_declared_unless_that_is_impossible(
    charset: bytes, body: bytes, expected: str
) -> None:
    data = HEAD + b"Content-Type: text/plain; charset=" + charset + b"\n\n" + body

    assert eml.parse(data, "a.eml").text.endswith(f"\n\n{expected}")


def test_what_is_left_of_broken_base64_is_read() -> None:
    encoded = b64encode(b"Refunds take five days.")
    head = HEAD + b"Content-Transfer-Encoding: base64\n\n"

    document = eml.parse(head + encoded[:-7] + b"\n", "a.eml")

    assert document.text.endswith("\n\nRefunds take five")


def test_a_part_without_declared_borders_is_text() -> None:
    assert eml.parse(HEAD + b"Content-Type: multipart/mixed\n\nHello", "a.eml").text.endswith(
        "\n\nHello"
    )


def test_a_mail_in_two_byte_characters_is_read() -> None:
    data = (HEAD + b"\nHello").decode().encode("utf-16")

    assert registry.parse(data, "a.eml").text.endswith("\n\nHello")


def test_headers_are_shown_in_plain_text_and_cut() -> None:
    subject = b"Subject: =?utf-8?q?caf=C3=A9?= =?utf-8?b?4oKs?= =?utf-8?b?x?=\n"
    recipients = b"To: " + b"a@example.com, (" * 100_000 + b"\n"

    document = eml.parse(b"MIME-Version: 1.0\n" + recipients + subject + b"\nHi", "a.eml")

    assert len(document.text) < 1_000
    assert "…" in document.text


def test_a_mail_that_says_nothing_is_empty_and_a_subject_is_something() -> None:
    with pytest.raises(EmptyDocumentError):
        registry.parse(b"MIME-Version: 1.0\nFrom: ada@example.com\n\n \n", "a.eml")

    assert registry.parse(HEAD + b"\n", "a.eml").title == "Refund"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Content-Type: message/rfc822\n\n" * 500 + b"Hi", "nested more than 20 deep"),
        (
            b"".join(
                b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number)
                for number in range(900)
            ),
            "nested more than 20 deep",
        ),
        (b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nHi\n" * 1_100, "many parts"),
        (b"Content-Type: multipart/mixed; boundary = b\n\n" * 1_100, "too many parts"),
        (b"X: boundary=\n" * 900 + b"\n" * 30_000, "too many parts"),
    ],
)
def test_parts_without_end_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(PoisonDocumentError, match=reason):
        registry.parse(HEAD + data, "a.eml")
