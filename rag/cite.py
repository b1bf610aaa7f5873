"""A reply's markers → claims with offsets, each pointing at the words that support it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, utils

from ingest.sentences import sentence_spans
from rag.blanks import within_blank
from rag.commitments import kind_of
from rag.judgement import Finding
from rag.retrieve import Hit
from rag.tables import ClaimKind

# Weak models write [1, 2], [^1], 【1】 or [Passage 1] where [1][2] was asked for.
MARKER = re.compile(
    r"[\[【](?:passages?|sources?|quelles?)?\s*\^?#?\s*(?P<numbers>\d{1,3}(?:\s*(?:,|;|and|und|et)\s*\d{1,3})*)\s*[\]】]",
    re.IGNORECASE,
)
_SPACEDMARKER = re.compile(r"(?P<blank>[ \t]*)" + MARKER.pattern, re.IGNORECASE)
MARKER_WITH_BLANK = re.compile(rf"[ \t]*(?:{MARKER.pattern})", re.IGNORECASE)
"""What a customer does not see: a marker and the blank before it."""
_NUMBER = re.compile(r"\d+")
_GREETING = re.compile(
    r"(?:hello|hi|hey|dear|good (?:morning|day|afternoon)|hallo|guten (?:tag|morgen)|sehr geehrte|"
    r"bonjour|cher|chère|madame|monsieur|buongiorno|gentile|salve|hola|buenos días|estimad[oa]|"
    r"beste|geachte|goedendag)\b(?:[^.!?]|\b(?:dr|mrs?|ms|prof)\.){0,60}[,.!:]?$",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"(?:thank|thanks|kind regards|best regards|regards|sincerely|yours|sorry|we are sorry|"
    r"i am sorry|vielen dank|danke|mit freundlichen|freundliche grüße|viele grüße|es tut uns leid|"
    r"merci|cordialement|bien à vous|nous sommes désolés|grazie|cordiali saluti|"
    r"distinti saluti|ci dispiace|gracias|un saludo|saludos|atentamente|lo sentimos|"
    r"bedankt|dank|met vriendelijke groet|het spijt ons|please let (?:me|us) know|"
    r"i hope this helps|let me know)\b",
    re.IGNORECASE,
)
MIN_CLAIM_WORDS = 3
MAX_COURTESY_WORDS = 10
# A second sentence joins the quote only if the claim fits clearly better to both.
JOIN_GAIN = 5.0
# A document can say what the desk grants, but not what it did for this customer.
_DOCUMENTED = frozenset({ClaimKind.PROMISE, ClaimKind.DEADLINE, ClaimKind.CONCESSION})


@dataclass(frozen=True, slots=True)
class Evidence:
    """A citation before it is stored; quote offsets are code points in the version's text."""

    marker: int
    hit: Hit
    quote: str
    quote_start: int
    quote_end: int
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class CitedClaim:
    """A sentence that states something; offsets count in the reply, markers included.

    `finding` is what the machine says of it and all that it cites, once it was asked.
    """

    text: str
    start: int
    end: int
    evidence: tuple[Evidence, ...]
    kind: ClaimKind = ClaimKind.FACT
    finding: Finding | None = None

    @property
    def needs_confirmation(self) -> bool:
        """Tell whether it binds the desk in words of its own, so that a person must stand by it."""
        if self.kind == ClaimKind.FACT:
            return False
        return self.kind not in _DOCUMENTED or not self._stands_in_a_source()

    def _stands_in_a_source(self) -> bool:
        stated = _folded(bare_text(self.text))
        return any(
            stated == _folded(text[start:end])
            for text in {evidence.hit.passage.text for evidence in self.evidence}
            for start, end in sentence_spans(text)
        )


def normalise(text: str, passages: int) -> str:
    """Write markers as [1][2] and remove those that name no passage."""

    def rewrite(match: re.Match[str]) -> str:
        numbers = dict.fromkeys(int(number) for number in _NUMBER.findall(match.group("numbers")))
        kept = "".join(f"[{number}]" for number in numbers if 1 <= number <= passages)
        # A marker that goes takes the blank before it along.
        return match.group("blank") + kept if kept else ""

    return _SPACEDMARKER.sub(rewrite, text)


def cite(text: str, hits: Sequence[Hit]) -> list[CitedClaim]:
    """Split a normalised reply into claims, and find for each marker the words it points at.

    Greetings, courtesies, questions and lead-ins state nothing and are left out, unless they carry
    a marker or bind the desk.
    """
    claims = []
    for start, end in _sentences(text):
        sentence = text[start:end]
        markers = markers_in(sentence)
        bare = bare_text(sentence)
        kind = kind_of(bare)
        if not markers and kind == ClaimKind.FACT and not _states_something(bare):
            continue
        evidence = tuple(
            quote(bare, marker, hits[marker - 1]) for marker in markers if 1 <= marker <= len(hits)
        )
        claims.append(CitedClaim(sentence, start, end, evidence, kind))
    return claims


def markers_in(text: str) -> list[int]:
    """Return the markers of a text in order, each once."""
    found = (
        int(number)
        for match in MARKER.finditer(text)
        for number in _NUMBER.findall(match.group("numbers"))
    )
    return list(dict.fromkeys(found))


def bare_text(text: str) -> str:
    """Return a sentence without its markers."""
    return " ".join(MARKER.sub(" ", text).split()).replace(" .", ".").replace(" ,", ",")


def quote(claim: str, marker: int, hit: Hit) -> Evidence:
    """Find the shortest run of a passage's sentences that fits a claim best."""
    text = hit.passage.text
    start, end = _exact(claim, text) or _best_run(claim, text)
    start, end = trim(text, start, end)
    offset = hit.passage.start
    return Evidence(marker, hit, text[start:end], offset + start, offset + end)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .-\u2013•*")


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    for start, end in _unbroken(text):
        trimmed = trim(text, start, end)
        if trimmed[0] < trimmed[1]:
            yield trimmed


def _unbroken(text: str) -> Iterator[tuple[int, int]]:
    """Yield sentences; the question mark of a blank ends none."""
    begun = 0
    for _, end in sentence_spans(text):
        if end < len(text) and within_blank(text, end):
            continue
        yield begun, end
        begun = end


def _states_something(sentence: str) -> bool:
    if len(sentence.split()) < MIN_CLAIM_WORDS or sentence.endswith(("?", ":")):
        return False
    # “Sorry, the pump costs 99 euros” is a courtesy that states something.
    is_short = len(sentence.split()) <= MAX_COURTESY_WORDS and not _NUMBER.search(sentence)
    return not (_GREETING.match(sentence) or (is_short and _COURTESY.match(sentence)))


def _exact(claim: str, text: str) -> tuple[int, int] | None:
    """Return where the claim stands word for word, whatever the white space."""
    words = claim.strip(" .„“”\"'»«").split()
    if not words:
        return None
    match = re.search(r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)", text)
    return (match.start(), _with_full_stop(text, match.end())) if match else None


def _with_full_stop(text: str, end: int) -> int:
    return end + 1 if text[end : end + 1] in {".", "!", "?"} else end


def _best_run(claim: str, text: str) -> tuple[int, int]:
    spans = list(sentence_spans(text)) or [(0, len(text))]
    best = max(range(len(spans)), key=lambda index: _fitness(claim, text, spans[index]))
    run = spans[best]
    for neighbour in (best - 1, best + 1):
        if 0 <= neighbour < len(spans):
            both = (min(run[0], spans[neighbour][0]), max(run[1], spans[neighbour][1]))
            if _fitness(claim, text, both) > _fitness(claim, text, run) + JOIN_GAIN:
                return both
    return run


def _fitness(claim: str, text: str, span: tuple[int, int]) -> float:
    """Return how alike the words of the claim and of a stretch are, in any order, 0 to 100."""
    # Not token_set_ratio: there a heading of one word of the claim is a perfect match.
    return fuzz.token_sort_ratio(claim, text[span[0] : span[1]], processor=utils.default_process)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
