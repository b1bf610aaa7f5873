"""Follows the groups and control words of an RTF file to the text that a reader sees."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ingest.errors import PoisonDocumentError
from ingest.parse.formats.rtf import words
from ingest.parse.formats.rtf.blocks import Blocks, Paragraph, Style
from ingest.parse.formats.rtf.tokens import Token, TokenKind

MAX_DEPTH = 1_000
_MAX_CODE_POINT = 0x10FFFF
_CHARACTER_FLAGS = {"v": "is_hidden", "deleted": "is_deleted"}
_CHARACTER_NUMBERS = {"f": "font", "uc": "fallback_length"}
_PARAGRAPH_NUMBERS = {"s": "style", "outlinelevel": "outline_level"}


@dataclass(slots=True)
class _Group:
    """What the end of a group restores."""

    destination: str = words.TEXT
    outer_destination: str = words.TEXT
    is_starred: bool = False
    fallback_length: int = 1
    font: int | None = None
    is_hidden: bool = False
    is_deleted: bool = False
    paragraph: Paragraph = field(default_factory=Paragraph)


class Reader:
    """Takes the pieces of a file in order.

    Raises:
        PoisonDocumentError: Its groups are nested too deeply.
    """

    def __init__(self, name: str) -> None:
        self.blocks = Blocks()
        self._name = name
        self._group = _Group()
        self._open_groups: list[_Group] = []
        self._codec = "cp1252"
        self._default_font: int | None = None
        self._charsets: dict[int | None, int] = {}
        self._style = 0
        self._bytes = bytearray()  # not decoded yet: characters may be spread over pieces
        self._fallback_left = 0  # bytes to skip after a character that was given in Unicode
        self._title: list[str] = []
        self._note: list[str] = []
        self._actions = self._text_actions()

    @property
    def title(self) -> str:
        """The title among the document's properties."""
        return "".join(self._title)

    @property
    def is_finished(self) -> bool:
        """Whether the outermost group was closed."""
        return not self._open_groups

    def take(self, token: Token) -> None:
        """Take the next piece."""
        if token.kind is TokenKind.BYTES:
            self._take_bytes(token.data)
            return
        if token.kind is TokenKind.WORD:
            self._take_word(token.word, token.number)
            return
        self._flush()
        self._fallback_left = 0
        if token.kind is TokenKind.OPEN:
            self._open()
        else:
            self._close()

    def finish(self) -> None:
        """Write what is left."""
        self._flush()
        self.blocks.end_paragraph(Paragraph())

    def _open(self) -> None:
        if len(self._open_groups) >= MAX_DEPTH:
            reason = f"its groups are nested more than {MAX_DEPTH:,} deep"
            raise PoisonDocumentError(title=self._name, reason=reason)
        self._open_groups.append(self._group)
        self._group = replace(self._group, paragraph=replace(self._group.paragraph))

    def _close(self) -> None:
        ended = self._group
        if self._open_groups:
            self._group = self._open_groups.pop()
        if ended.destination == words.STYLES:
            self._style = 0
        elif ended.destination == words.NOTE != self._group.destination:
            self.blocks.add_note("".join(self._note))
            self._note.clear()

    def _take_bytes(self, data: bytes) -> None:
        skipped = min(self._fallback_left, len(data))
        self._fallback_left -= skipped
        if self._group.destination != words.SKIPPED:
            self._bytes += data[skipped:]

    def _flush(self) -> None:
        if self._bytes:
            charset = self._charsets.get(self._group.font)
            self._write(words.decode(bytes(self._bytes), charset, self._codec))
            self._bytes.clear()

    def _write(self, text: str) -> None:
        group = self._group
        if group.destination == words.STYLES:
            self._name_style(text)
        elif group.destination == words.TITLE:
            self._title.append(text)
        elif group.is_hidden or group.is_deleted:
            return
        elif group.destination == words.TEXT:
            self.blocks.write(text)
        elif group.destination == words.LABEL:
            self.blocks.write_label(text)
        elif group.destination == words.NOTE:
            self._note.append(text)

    def _take_word(self, word: str, number: int | None) -> None:
        self._flush()
        group = self._group
        if word == "*":
            group.is_starred = True
            return
        place = words.destination(word, group.destination, is_starred=group.is_starred)
        group.is_starred = False
        if place == words.OUTER:
            group.destination = group.outer_destination
        elif place is not None:
            group.outer_destination, group.destination = group.destination, place
        elif group.destination == words.FONTS:
            self._describe_font(word, number)
        elif group.destination == words.STYLES:
            self._describe_style(word, number)
        else:
            self._take_text_word(word, number)

    def _describe_font(self, word: str, number: int | None) -> None:
        if word == "f":
            self._group.font = number
        elif word == "fcharset" and number is not None:
            self._charsets[self._group.font] = number

    def _describe_style(self, word: str, number: int | None) -> None:
        if word == "s" and number:
            self._style = number
            self.blocks.styles[number] = Style()
        elif word == "outlinelevel" and number is not None and self._style:
            self.blocks.styles[self._style].outline_level = number

    def _name_style(self, text: str) -> None:
        if self._style:
            self.blocks.styles[self._style].name += text.partition(";")[0].strip()

    def _take_text_word(self, word: str, number: int | None) -> None:
        if word in words.SYMBOLS and self._fallback_left:
            self._fallback_left -= 1
            return
        self._fallback_left = 0
        if word in words.SYMBOLS:
            self._write(words.SYMBOLS[word])
        elif word in _CHARACTER_FLAGS:
            setattr(self._group, _CHARACTER_FLAGS[word], number != 0)
        elif word in _CHARACTER_NUMBERS:
            setattr(self._group, _CHARACTER_NUMBERS[word], number or 0)
        elif word in _PARAGRAPH_NUMBERS:
            setattr(self._group.paragraph, _PARAGRAPH_NUMBERS[word], number or 0)
        elif word in self._actions:
            self._actions[word](number)

    def _text_actions(self) -> dict[str, Callable[[int | None], None]]:
        return {
            **dict.fromkeys(words.PARAGRAPH_ENDS, self._end_paragraph),
            "ansicpg": self._set_code_page,
            "deff": self._set_default_font,
            "plain": self._reset_characters,
            "u": self._write_unicode,
            "pard": self._reset_paragraph,
            "intbl": self._enter_table,
            "cell": self._end_cell,
            "row": self._end_row,
        }

    def _set_code_page(self, number: int | None) -> None:
        self._codec = words.codec_of_page(number or 0) or self._codec

    def _set_default_font(self, number: int | None) -> None:
        self._default_font = self._group.font = number

    def _reset_characters(self, _number: int | None) -> None:
        group = self._group
        group.font, group.is_hidden, group.is_deleted = self._default_font, False, False

    def _write_unicode(self, number: int | None) -> None:
        code = number or 0
        code += 0x10000 if code < 0 else 0
        if 0 < code <= _MAX_CODE_POINT:
            self._write(chr(code))
        self._fallback_left = self._group.fallback_length

    def _reset_paragraph(self, _number: int | None) -> None:
        self._group.paragraph = Paragraph()

    def _enter_table(self, _number: int | None) -> None:
        self._group.paragraph.is_in_table = True

    def _end_paragraph(self, _number: int | None) -> None:
        if self._group.destination == words.TEXT:
            self.blocks.end_paragraph(self._group.paragraph)
        else:
            self._write("\n")

    def _end_cell(self, _number: int | None) -> None:
        if self._group.destination == words.TEXT:
            self.blocks.end_cell()

    def _end_row(self, _number: int | None) -> None:
        if self._group.destination == words.TEXT:
            self.blocks.end_row()
