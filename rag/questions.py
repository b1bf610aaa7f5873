"""A ticket's thread → what the customer asks, short enough to be searched whole."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.language import detect
from ingest.sentences import sentence_spans
from rag.faults import FAULT, without_noise
from rag.letters import own_words
from rag.tables import Author
from rag.words import FOLLOWING, POINTING_BACK, asks, is_prose, telling

# About the encoder's window of 256 tokens.
BUDGET = 1_000
MAX_SUBJECT, MAX_SENTENCE, MAX_PART = 200, 400, 400
MAX_PARTS = 4
MAX_EARLIER = 5
# A message with fewer telling words leans on those before it; one that goes on from them, with
# fewer than the second.
OWN_WORDS, FOLLOWING_WORDS = 5, 12
# Questions that share so much of their telling words ask one thing twice.
SAME = 0.5
MIN_TELLING = 2
# People begin with what is wrong: the first sentence counts more, later ones less.
FIRST, LATER = 3, 2

_PREFIX = re.compile(
    r"""\s*(?:(?:re|aw|antw|fwd?|wg|rv|tr|r|i|enc)\s?:\s*
    |\[(?:ext(?:ern(?:al)?)?|spam|(?:(?:ticket|case|id)\s?[\#:]?|\#)\s?[\w-]{1,20})\]\s*){1,8}""",
    re.VERBOSE | re.IGNORECASE,
)
_SPACES = re.compile(r"\s+")
_PARAGRAPH_END = re.compile(r"\n\s*\n|(?<=[.!?:])\n")
_MARK = re.compile(r"(?:^|(?<=\s))\(?(\d|[a-h])[.)]\s+", re.IGNORECASE)
_BULLET = re.compile(r"^[-*•]\s+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a ticket asks: searched as a whole, and by its parts where it asks several things."""

    text: str
    parts: tuple[str, ...]
    language: str


def asked(subject: str, messages: Sequence[tuple[Author, str]]) -> Asked:
    """Reduce a thread, oldest message first, to what the customer asks now.

    Returns:
        A text of about a thousand characters, the subject first, and 2 to 4 parts or none.
    """
    title = _title(subject)
    bodies = [body for author, body in messages if author == Author.CUSTOMER]
    latest = _reduced(bodies[-1]) if bodies else ""
    pieces = [title, _select(latest, title, BUDGET - len(title))]
    if _leans(latest):
        earlier = bodies[-2::-1][:MAX_EARLIER]
        pieces += _earlier(earlier, title, BUDGET - sum(map(len, pieces)))
    text = "\n".join(filter(None, pieces))
    return Asked(text, _parts(title, latest), detect(text))


def _title(subject: str) -> str:
    start = subject[: 2 * MAX_SUBJECT]
    prefix = _PREFIX.match(start)
    named = start[prefix.end() :] if prefix else start
    kept = without_noise(named).strip() or named.strip() or start
    return _SPACES.sub(" ", kept).strip()[:MAX_SUBJECT]


def _reduced(body: str) -> str:
    own = own_words(body)
    return without_noise(own).strip() or own


def _leans(message: str) -> bool:
    """Tell whether a message is understood only with those before it."""
    for start, end in sentence_spans(message[:BUDGET]):
        sentence = message[start:end].strip()
        points = FOLLOWING.search(sentence) or POINTING_BACK.search(sentence)
        if asks(sentence) and len(telling(sentence)) >= MIN_TELLING and not points:
            return False
    said = len(telling(message[:BUDGET]))
    return said < OWN_WORDS or (said < FOLLOWING_WORDS and bool(FOLLOWING.search(message)))


def _earlier(bodies: Sequence[str], title: str, budget: int) -> Iterator[str]:
    for body in bodies:
        if budget <= 0:
            return
        piece = _select(_reduced(body), title, budget)
        budget -= len(piece) + 1
        yield piece


def _select(text: str, title: str, budget: int) -> str:
    """Return the sentences most like a question that fit, in their order."""
    if len(text) <= budget:
        return text
    subject = telling(title)
    spans = list(sentence_spans(text))
    sentences = [_SPACES.sub(" ", text[start:end]).strip()[:MAX_SENTENCE] for start, end in spans]
    weights = [
        _weight(sentence, subject) - min(LATER, LATER * start / BUDGET)
        for sentence, (start, _) in zip(sentences, spans, strict=True)
    ]
    weights[0] += FIRST
    chosen: set[int] = set()
    for at in sorted(range(len(sentences)), key=lambda at: -weights[at]):
        if len(sentences[at]) <= budget:
            chosen.add(at)
            budget -= len(sentences[at]) + 1
    return " ".join(sentences[at] for at in sorted(chosen)) or sentences[0][:budget]


def _weight(sentence: str, subject: set[str]) -> int:
    """Score how much a sentence tells of the question: it asks, names a fault or the subject."""
    fault = FAULT.search(sentence) is not None
    named = min(3, len(telling(sentence) & subject))
    return 3 * asks(sentence) + 2 * fault + named - 3 * (not is_prose(sentence))


def _parts(title: str, message: str) -> tuple[str, ...]:
    """Return the distinct questions of a message, each below the subject; none for fewer than 2."""
    named = telling(title)
    listed = [_question(item) for item in _items(message)]
    found = _distinct(listed, named, same=1.0)
    if len(found) < 2:
        paragraphs = [_question(part, whole=True) for part in _PARAGRAPH_END.split(message)]
        found = _distinct(paragraphs, named, same=SAME)
    if len(found) < 2:
        return ()
    return tuple("\n".join(filter(None, [title, part])) for part in found)


def _items(message: str) -> list[str]:
    """Return the items of a list that counts from 1 or a, or else of a list with bullets."""
    marks: list[re.Match[str]] = []
    for mark in _MARK.finditer(message):
        next_marks = "123456789"[len(marks) :][:1], "abcdefgh"[len(marks) :][:1]
        if mark.group(1).lower() in next_marks:
            marks.append(mark)
    if len(marks) < 2:
        marks = list(_BULLET.finditer(message))
    ends = [*(mark.start() for mark in marks[1:]), len(message)]
    return [
        _PARAGRAPH_END.split(message[mark.end() : end], maxsplit=1)[0]
        for mark, end in zip(marks, ends, strict=False)
    ]


def _question(paragraph: str, *, whole: bool = False) -> str:
    """Return a paragraph's first question after what leads to it; empty if it asks nothing.

    A question that must be `whole` in itself does not point back to another.
    """
    text = _SPACES.sub(" ", paragraph).strip()
    starts: deque[int] = deque()
    for start, end in sentence_spans(text):
        starts.append(start)
        while end - starts[0] > MAX_PART and len(starts) > 1:
            starts.popleft()
        sentence = text[start:end]
        if whole and POINTING_BACK.search(sentence):
            continue
        near = max(starts[0], end - MAX_PART)
        if asks(sentence) and len(telling(sentence if whole else text[near:end])) >= MIN_TELLING:
            return text[near:end].strip()
    return ""


def _distinct(questions: Sequence[str], named: set[str], *, same: float) -> list[str]:
    """Return the questions that no other before them asks already, at most as many as parts.

    The subject's words do not tell questions apart.
    """
    found: list[str] = []
    known: list[set[str]] = []
    for question in questions:
        about = telling(question) - named
        if about and all(_overlap(about, other) < same for other in known):
            found.append(question)
            known.append(about)
        if len(found) == MAX_PARTS:
            break
    return found


def _overlap(left: set[str], right: set[str]) -> float:
    return len(left & right) / min(len(left), len(right))
