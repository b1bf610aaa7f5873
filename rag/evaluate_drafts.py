"""Drafts of tickets with a known verdict: are they made where they should be, and are they true?"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

from pydantic import Field

from ingest.access import Scope
from rag import alce
from rag.alce import ClaimScore
from rag.cite import CitedClaim, bare_text
from rag.evidence import evidence_text
from rag.models import EXTRACTIVE
from rag.pipeline import Drafter
from rag.quantified import missing_numbers
from rag.records import Finished
from rag.rehearsal import Rehearsal
from rag.tables import DraftStatus
from rag.tickets import StorableText, TicketLine
from rag.verify import Verifier
from rag.writing import Writer

# A fact of so many words is a statement, which a reply may make in other words.
STATEMENT_WORDS = 5
_LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+")


class JudgedTicket(TicketLine):
    """A ticket, whether the documents answer it, and what a reply must and must not say.

    One fact may be given in several wordings, as a list.
    """

    answerable: bool
    must: list[StorableText | Annotated[list[StorableText], Field(min_length=1)]] = Field(
        default_factory=list
    )
    must_not: list[StorableText] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a ticket; shares are None where there is nothing to take a share of.

    `prompt_version` is None where no model was asked.
    """

    ticket: str
    answerable: bool
    status: DraftStatus
    reason: str | None
    model: str
    prompt_version: str | None
    text: str
    claims: Sequence[CitedClaim]
    citation_precision: float | None
    citation_recall: float | None
    groundedness: float | None
    must_met: float | None
    missing: Sequence[str]
    forbidden: Sequence[str]
    numbers_wrong: Sequence[str]
    cost_usd: float | None
    seconds: float

    @property
    def is_drafted(self) -> bool:
        """Tell whether there is a whole draft."""
        return self.status == DraftStatus.READY

    @property
    def is_abstained(self) -> bool:
        """Tell whether no draft was made because nothing answers."""
        return self.status == DraftStatus.ABSTAINED


def evaluate(
    drafter: Drafter, ticket: JudgedTicket, scope: Scope, writer: Writer | None
) -> Outcome:
    """Draft a ticket as the desk would, keep nothing, and judge the draft.

    Raises:
        RagError: The one model that may write did not answer.
    """
    finished = Rehearsal(drafter, ticket, scope, writer).run()
    asked = writer.route.name if writer else EXTRACTIVE
    return judge(ticket, finished, asked, drafter.verifier)


def judge(ticket: JudgedTicket, finished: Finished, asked: str, verifier: Verifier) -> Outcome:
    """Judge a draft; what nobody wrote counts for the model that was to be asked."""
    writing = finished.writing
    # Where no model came to write, a draft is the embedded drafter's and an abstention the desk's.
    quoted = EXTRACTIVE if finished.text else asked
    is_whole = finished.status == DraftStatus.READY
    claims = finished.claims if is_whole else []
    scores = [alce.score(claim, verifier.supports) for claim in claims]
    reply = bare_text(finished.text) if is_whole else ""
    missing = [
        _wordings(fact)[0] for fact in ticket.must if reply and not _says(reply, fact, verifier)
    ]
    is_judged = bool(reply and ticket.must)
    return Outcome(
        ticket=ticket.id,
        answerable=ticket.answerable,
        status=finished.status,
        reason=finished.reason,
        model=writing.route.name if writing else quoted,
        prompt_version=writing.style.version if writing else None,
        text=finished.text,
        claims=claims,
        citation_precision=alce.precision(scores),
        citation_recall=alce.recall(scores),
        groundedness=_groundedness(claims, scores, finished, verifier),
        must_met=1 - len(missing) / len(ticket.must) if is_judged else None,
        missing=missing,
        forbidden=[words for words in ticket.must_not if reply and _contains(reply, words)],
        numbers_wrong=[number for claim in claims for number in _wrong_numbers(claim)],
        cost_usd=writing.cost_usd if writing else 0.0,
        seconds=finished.seconds,
    )


def _groundedness(
    claims: Sequence[CitedClaim],
    scores: Sequence[ClaimScore],
    finished: Finished,
    verifier: Verifier,
) -> float | None:
    """Return the share of claims that passages support which the drafter had, cited or not."""
    if not claims:
        return None
    passages = [evidence_text(hit) for hit in finished.prompt.hits]
    return fmean(
        score.supported
        or any(verifier.supports(bare_text(claim.text), [text]) for text in passages)
        for claim, score in zip(claims, scores, strict=True)
    )


def _wrong_numbers(claim: CitedClaim) -> list[str]:
    """Return the numbers of a claim that none of the passages it cites has."""
    stated = _LIST_MARK.sub("", bare_text(claim.text))
    return missing_numbers(stated, [evidence_text(evidence.hit) for evidence in claim.evidence])


def _wordings(fact: str | list[str]) -> list[str]:
    return [fact] if isinstance(fact, str) else fact


def _says(reply: str, fact: str | list[str], verifier: Verifier) -> bool:
    """Tell whether a reply has a fact: in these words, or as the judge reads it."""
    return any(
        _contains(reply, words)
        or (len(words.split()) >= STATEMENT_WORDS and verifier.supports(words, [reply]))
        for words in _wordings(fact)
    )


def _contains(reply: str, words: str) -> bool:
    """Tell whether words stand in a reply; 4 months do not stand in 24 months."""
    wanted = _folded(words)
    before = r"(?<![\d.,])" if wanted[:1].isdigit() else ""
    after = r"(?![.,]?\d)" if wanted[-1:].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, _folded(reply)) is not None


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return " ".join(plain.casefold().split())
