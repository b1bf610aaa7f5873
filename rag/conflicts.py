"""Where another document says another figure than the one that a reply cites."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.findings import settled_keys
from ingest.likeness import MIN_COSINE
from ingest.pairs import Meeting, Stretch, Text, conflicts
from ingest.quantities import read
from ingest.tables import Embedding, Finding, FindingKind, VersionStatus
from rag.cite import CitedClaim
from rag.editions import are_editions, changed_figures
from rag.retrieve import Hit

# A passage is read once, and asked while its reply is edited.
REMEMBERED = 1_024
Vectors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Side:
    """A sentence of a document; offsets count in its version's text."""

    hit: Hit
    start: int
    end: int
    text: str

    def figure(self, against: "Side") -> str:
        """Return its first figure of which another sentence has another value."""
        others = read(against.text).figures
        values = {(other.dimension, other.values) for other in others}
        dimensions = {other.dimension for other in others}
        for figure in read(self.text).figures:
            is_other = (figure.dimension, figure.values) not in values
            if figure.dimension in dimensions and is_other:
                return figure.text
        return ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A sentence that a claim cites, and one of another document with another figure."""

    cited: Side
    other: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Return both."""
        return self.cited, self.other


def conflicting(
    session: Session, model: str, claims: Sequence[CitedClaim], hits: Sequence[Hit]
) -> list[Conflict]:
    """Return where current documents among the hits contradict what claims cite.

    What an owner has settled is no conflict any more.

    Args:
        session: Knows the passages' vectors and what was settled.
        model: The fingerprint of the encoder whose vectors are compared.
        claims: With their citations.
        hits: All that was found for the ticket, cited or not.
    """
    cited = {each.hit.passage.id: each.hit for claim in claims for each in claim.evidence}
    quotes = {
        (each.hit.version.id, each.quote_start, each.quote_end)
        for claim in claims
        for each in claim.evidence
    }
    ours = [hit for hit in cited.values() if _is_current(hit) and _text(hit).statements]
    if not ours:
        return []
    theirs = [hit for hit in hits if _is_current(hit)]
    vectors = _vectors(session, model, [*ours, *theirs])
    touched = [
        conflict
        for conflict in _found(ours, theirs, vectors)
        if any(_touches(conflict.cited, quote) for quote in quotes)
    ]
    # Where both are cited, each contradicts the other.
    found = list({_key(each): each for each in reversed(touched)}.values())[::-1]
    documents = {side.hit.document.id for each in found for side in each.sides}
    settled = settled_keys(session, documents) if found else set()
    return [each for each in found if _key(each) not in settled]


def report(session: Session, found: Sequence[Conflict]) -> None:
    """Put conflicts on the list of findings that owners settle, each once.

    Documents that were not held against all others yet are left out: that will find it too.
    """
    for conflict in found:
        cited, other = conflict.sides
        is_compared = all(side.hit.version.compared_at for side in conflict.sides)
        if not is_compared or _is_known(session, conflict):
            continue
        finding = Finding(
            kind=FindingKind.NUMBER_CONFLICT,
            version_id=cited.hit.version.id,
            start=cited.start,
            end=cited.end,
            other_version_id=other.hit.version.id,
            other_start=other.start,
            other_end=other.end,
        )
        session.add(finding)
        session.flush()


def _found(ours: Sequence[Hit], theirs: Sequence[Hit], vectors: Vectors) -> Iterator[Conflict]:
    together: dict[tuple[str, str], list[tuple[Hit, Hit]]] = defaultdict(list)
    for one in ours:
        for other in theirs:
            if one.document.id != other.document.id:
                together[one.version.id, other.version.id].append((one, other))
    for pairs in together.values():
        cited, others = (
            [*{hit.passage.id: hit for hit in side}.values()] for side in zip(*pairs, strict=True)
        )
        for stretch, contrary in _stretches(pairs, cited, others, vectors):
            yield Conflict(_side(cited, stretch), _side(others, contrary))


def _stretches(
    pairs: Sequence[tuple[Hit, Hit]], cited: Sequence[Hit], others: Sequence[Hit], vectors: Vectors
) -> Iterator[tuple[Stretch, Stretch]]:
    closeness = ((one, other, _closeness(vectors, one, other)) for one, other in pairs)
    meetings = [
        Meeting(_text(one), _text(other), score)
        for one, other, score in closeness
        if score >= MIN_COSINE
    ]
    told = set()
    for stretch, contrary in conflicts(meetings):
        told.add(stretch.start)
        yield stretch, contrary
    if are_editions(cited[0].version.title, others[0].version.title):
        for stretch, contrary in changed_figures([*map(_text, cited)], [*map(_text, others)]):
            if stretch.start not in told:
                yield stretch, contrary


def _side(hits: Sequence[Hit], stretch: Stretch) -> Side:
    hit = next(hit for hit in hits if hit.passage.start <= stretch.start < hit.passage.end)
    return Side(hit, stretch.start, stretch.end, stretch.text)


def _text(hit: Hit) -> Text:
    context = " | ".join([hit.version.title, *hit.passage.heading_path])
    return _read(hit.passage.start, hit.passage.text, context)


@lru_cache(REMEMBERED)
def _read(start: int, text: str, context: str) -> Text:
    return Text(start, text, context)


def _is_current(hit: Hit) -> bool:
    return hit.version.status == VersionStatus.CURRENT


def _touches(side: Side, quote: tuple[str, int, int]) -> bool:
    version, start, end = quote
    return side.hit.version.id == version and side.start < end and side.end > start


def _vectors(session: Session, model: str, hits: Sequence[Hit]) -> Vectors:
    hashes = {hit.passage.content_hash for hit in hits}
    query = select(Embedding.content_hash, Embedding.vector).where(
        Embedding.content_hash.in_(hashes), Embedding.model == model
    )
    return {key: np.frombuffer(vector, dtype="<f4") for key, vector in session.execute(query)}


def _closeness(vectors: Vectors, one: Hit, other: Hit) -> float:
    ours, theirs = (vectors.get(hit.passage.content_hash) for hit in (one, other))
    return 0.0 if ours is None or theirs is None else float(ours @ theirs)


def _key(conflict: Conflict) -> frozenset[tuple[str, str]]:
    return frozenset((side.hit.document.id, side.text) for side in conflict.sides)


def _is_known(session: Session, conflict: Conflict) -> bool:
    cited, other = conflict.sides
    return any(_is_listed(session, *sides) for sides in ((cited, other), (other, cited)))


def _is_listed(session: Session, one: Side, other: Side) -> bool:
    query = select(Finding.id).where(
        Finding.kind == FindingKind.NUMBER_CONFLICT,
        Finding.version_id == one.hit.version.id,
        Finding.start == one.start,
        Finding.other_version_id == other.hit.version.id,
        Finding.other_start == other.start,
    )
    return session.scalar(query.limit(1)) is not None
