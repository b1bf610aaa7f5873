"""What a scan finds: a stretch of text that speaks to a language model, or hides from people."""

from dataclasses import dataclass
from enum import StrEnum


class SignKind(StrEnum):
    """Why a stretch of text is suspicious."""

    HIDDEN = "hidden"  # characters that nobody sees, and what they spell
    OVERRIDE = "override"  # earlier instructions are to be dropped
    ADDRESS = "address"  # a language model is spoken to
    PROMPT = "prompt"  # its instructions are asked for
    SECRECY = "secrecy"  # people are not to know
    TURN = "turn"  # what marks the border between speakers of a chat
    LINK = "link"  # a link or picture that hides where it leads
    ORDER = "order"  # how an answer is to be written, or what it is to hold
    LIKENESS = "likeness"  # it reads like known attacks


@dataclass(frozen=True, slots=True, order=True)
class Sign:
    """A suspicious stretch; offsets are code points of the text that was scanned.

    `hidden` is what invisible characters spell, where that is the matter.
    """

    start: int
    end: int
    kind: SignKind
    hidden: str = ""
