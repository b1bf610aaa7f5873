"""E-mail: the subject, who wrote it when, the text, and the names of what is attached."""

import re
from email import message_from_bytes
from email.message import Message

from ingest.errors import EmptyDocumentError, PoisonDocumentError
from ingest.parse.builder import DocumentBuilder
from ingest.parse.clean import clean, one_line
from ingest.parse.formats.eml.headers import MailPolicy, is_mail, unwrapped, value
from ingest.parse.formats.eml.text import read_part
from ingest.parse.formats.epub.pages import append
from ingest.parse.parsed import BlockKind, ParsedDocument
from ingest.parse.sniff import suffix
from ingest.parse.titles import choose_title

NAME = "e-mail"
RANK = 30
MEDIA_TYPE = "message/rfc822"
MAX_PARTS = 1_000
MAX_DEPTH = 20
_MAX_COMPARED_LINES = 20_000_000
_BORDER = re.compile(rb"boundary\s{0,9}=", re.IGNORECASE)
_TEXT_TYPES = ("text/plain", "text/html")
_HEAD = ("From", "To", "Date")


def recognises(data: bytes, name: str) -> bool:
    """Tell whether it starts with the headers of a mail."""
    return is_mail(data, is_named_so=suffix(name) in {".eml", ".mht", ".mhtml"})


def parse(data: bytes, name: str) -> ParsedDocument:
    """Read a mail with the mails inside it."""
    data = unwrapped(data)
    # The library compares every line with the borders of all parts that are open.
    borders = sum(1 for _ in _BORDER.finditer(data))
    if borders > MAX_PARTS or borders * data.count(b"\n") > _MAX_COMPARED_LINES:
        raise PoisonDocumentError(title=name, reason="it has too many parts")
    reader = _Reader(name)
    try:
        mail = message_from_bytes(data, policy=MailPolicy())
        reader.read(mail)
    except RecursionError as error:
        raise _nested_too_deeply(name) from error
    title = choose_title(name, value(mail, "Subject"))
    return reader.finish().build(title, MEDIA_TYPE, "eml")


class _Reader:
    """Walks the parts in order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._builder = DocumentBuilder()
        self._attachments: list[str] = []
        self._parts = 0
        self._level = 0  # of mails in mails
        self._says_anything = False

    def read(self, mail: Message, depth: int = 0) -> None:
        """Read a mail: its subject, its head and its parts."""
        self._level += 1
        subject = value(mail, "Subject")
        head = [(name, value(mail, name)) for name in _HEAD]
        self._says_anything |= bool(subject)
        self._builder.add(BlockKind.HEADING, subject, self._level)
        self._builder.add(
            BlockKind.PARAGRAPH, "\n".join(f"{name}: {text}" for name, text in head if text)
        )
        self._part(mail, depth)
        self._level -= 1

    def finish(self) -> DocumentBuilder:
        """Name what was attached.

        Raises:
            EmptyDocumentError: There is nothing beside the head.
        """
        if self._attachments:
            names = ", ".join(self._attachments)
            self._builder.add(BlockKind.PARAGRAPH, f"Attachments: {names} (not read)")
        elif not self._says_anything:
            raise EmptyDocumentError(title=self._name)
        return self._builder

    def _part(self, part: Message, depth: int) -> None:
        self._count(depth)
        kind = part.get_content_type()
        inner = _inner(part)
        if kind == "message/delivery-status":
            self._name_attachments(part)
        elif kind.startswith("message/") and inner:
            self.read(inner[0], depth + 1)
        elif inner:
            self._parts_of(kind, inner, depth + 1)
        elif _is_text(kind) and part.get_content_disposition() != "attachment":
            self._text(part)
        elif not part.is_multipart():
            self._name_attachments(part)

    def _parts_of(self, kind: str, parts: list[Message], depth: int) -> None:
        if kind == "multipart/alternative":
            chosen = [_best(parts)]
        elif kind == "multipart/related":
            chosen = parts[:1]
        else:
            chosen = parts
        for part in parts:
            if part in chosen:
                self._part(part, depth)
            else:
                self._name_attachments(part)

    def _text(self, part: Message) -> None:
        document = read_part(part, self._name)
        self._says_anything |= bool(document.blocks)
        append(self._builder, document, deeper=self._level)

    def _name_attachments(self, part: Message) -> None:
        for inner in part.walk():
            is_text = inner.get_content_type() in _TEXT_TYPES
            # What a page shows inside of it is no attachment.
            is_picture = inner.get_content_maintype() == "image" and "Content-ID" in inner
            filename = one_line(clean(inner.get_filename() or ""))
            if not is_picture and (filename or not (is_text or inner.is_multipart())):
                self._attachments.append(filename or inner.get_content_type())

    def _count(self, depth: int) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise PoisonDocumentError(title=self._name, reason="it has too many parts")
        if depth > MAX_DEPTH:
            raise _nested_too_deeply(self._name)


def _is_text(kind: str) -> bool:
    # Parts whose borders are not declared are one text.
    return kind in _TEXT_TYPES or kind.startswith("multipart/")


def _inner(part: Message) -> list[Message]:
    payload = part.get_payload() if part.is_multipart() else []
    return [inner for inner in payload if isinstance(inner, Message)]


def _best(parts: list[Message]) -> Message:
    """Choose among forms of one text: plain text that says something, else what can be read."""
    for part in parts:
        if part.get_content_type() == "text/plain" and read_part(part, "").blocks:
            return part
    readable = [
        part for part in parts if part.is_multipart() or part.get_content_type() == "text/html"
    ]
    return (readable or parts)[0]


def _nested_too_deeply(name: str) -> PoisonDocumentError:
    reason = f"its parts are nested more than {MAX_DEPTH} deep"
    return PoisonDocumentError(title=name, reason=reason)
