"""A ticket's way to a draft: retrieve, abstain or fit, stream, cite, verify, keep."""

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from ingest.access import Scope
from ingest.db import Database
from ingest.query_encoder import QueryEncoder
from ingest.tables import Visibility
from rag import answerable, budget, extractive, prompt, records
from rag.budget import Prompt, Question
from rag.cite import cite, markers_in, normalise
from rag.errors import RagError
from rag.llm import ChatModel, Completion
from rag.mask import Masking, mask
from rag.models import Model
from rag.prompt import ThreadMessage
from rag.questions import Asked, asked
from rag.retrieve import Hit, Retriever
from rag.spending import may_spend
from rag.tables import DraftStatus
from rag.tokens import counter

CANDIDATES = 40
DESK_LANGUAGE = "en"
SHOWN_WHEN_ABSTAINING = 3
STOP_SECONDS = 5.0
# A source in another language must be so much closer before it is what was missing.
CLEARLY = 0.1
NO_SOURCE, OTHER_LANGUAGE, MODEL_DECLINED = "no_source", "other_language", "model_declined"
SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Writer:
    """A language model that writes drafts: its route and the connection to it."""

    route: Model
    chat: ChatModel


@dataclass(frozen=True)
class Drafter:
    """Makes drafts; `abstain_below` is the probability of an answer under which none is.

    `mask` tells to which routes personal data is sent masked: "hosted" ones, "always", "never".
    Beyond `spending_limit_usd` a month the embedded drafter takes over; 0 is no limit.
    """

    database: Database
    retriever: Retriever
    encoder: QueryEncoder
    abstain_below: float
    reply_tokens: int
    mask: str = "hosted"
    spending_limit_usd: float = 0.0

    def masks(self, route: Model) -> bool:
        """Tell whether personal data is masked on the way to a route."""
        return self.mask == "always" or (self.mask == "hosted" and route.hosted)

    def draft(
        self, ticket_id: str, actor: str, scope: Scope, writer: Writer | None
    ) -> "DraftStream":
        """Begin a draft, by the embedded drafter where no writer is given or may be paid.

        The stream that is returned finishes and keeps it.
        """
        if writer is not None and not self._may_ask(writer.route):
            return DraftStream(self, ticket_id, actor, scope, None, notice=SPENT)
        return DraftStream(self, ticket_id, actor, scope, writer)

    def _may_ask(self, route: Model) -> bool:
        with self.database.read() as session:
            return may_spend(session, route, self.spending_limit_usd)


class DraftStream:
    """A draft on its way: iterate for its text, then read `draft_id`.

    However the iteration ends, the draft is kept; one that is not whole cannot be approved so.
    """

    def __init__(
        self,
        drafter: Drafter,
        ticket_id: str,
        actor: str,
        scope: Scope,
        writer: Writer | None,
        *,
        notice: str | None = None,
    ) -> None:
        """Prepare a draft; `notice` is kept with one that is whole, for the agent to know."""
        self._drafter = drafter
        self._notice = notice
        self._writer = writer
        self._scope = scope
        self._begun = time.perf_counter()
        with drafter.database.read() as session:
            self._facts = records.facts(session, ticket_id, actor)
        self.draft_id: str | None = None
        self._completion = Completion()
        self._masking = Masking()
        self._kept = threading.Event()

    def __iter__(self) -> Iterator[str]:
        """Yield the draft in pieces, as they come."""
        return self.pieces()

    def stop(self) -> None:
        """End the draft from another thread, and return when what came is kept."""
        self._completion.stop.set()
        self._kept.wait(STOP_SECONDS)

    def pieces(self) -> Generator[str, None, None]:
        """Do as iteration does; closing this early keeps the draft as one that is not whole."""
        question = asked(self._facts.subject, self._facts.messages)
        hits = self._candidates(question)
        if not self._may_answer(question, hits):
            self._abstain(hits, NO_SOURCE)
            return
        if self._writer is None:
            yield from self._quote(question, hits)
        else:
            yield from self._generate(self._writer, hits)

    def _search(self, question: Asked, language: str | None = None) -> list[Hit]:
        """Search for all that is asked; several questions take turns."""
        rankings = [
            self._drafter.retriever.search(
                text, CANDIDATES, self._scope, language, self._facts.product
            )
            for text in question.parts or (question.text,)
        ]
        turns = [hit for turn in zip_longest(*rankings) for hit in turn if hit is not None]
        first = {hit.passage.id: hit for hit in reversed(turns)}
        order = dict.fromkeys(hit.passage.id for hit in turns)
        found = [first[passage_id] for passage_id in order][:CANDIDATES]
        return [replace(hit, rank=rank) for rank, hit in enumerate(found, start=1)]

    def _candidates(self, question: Asked) -> list[Hit]:
        """Search; what staff alone may see is used only where nothing public answers."""
        hits = self._search(question)
        if self._writer is None:
            # The embedded drafter cannot translate: sources in the customer's language first; else
            # in English, to be shown; the small encoder hardly compares across other languages.
            for language in dict.fromkeys([self._facts.language, DESK_LANGUAGE]):
                own = self._search(question, language)
                if self._may_answer(question, own):
                    hits = own
                    break
        public = [hit for hit in hits if hit.document.visibility == Visibility.PUBLIC]
        return public if self._may_answer(question, public) else hits

    def _may_answer(self, question: Asked, hits: Sequence[Hit]) -> bool:
        drafter = self._drafter
        found = answerable.probability(question.text, hits, encoder=drafter.encoder)
        return found >= drafter.abstain_below

    def _quote(self, question: Asked, hits: Sequence[Hit]) -> Iterator[str]:
        facts = self._facts
        own = [hit for hit in hits if hit.version.language == facts.language]
        if not own or facts.language not in extractive.FRAMES:
            self._abstain(hits, OTHER_LANGUAGE)
            return
        text = extractive.compose(question.text, facts.language, own, self._drafter.encoder)
        if not text:
            elsewhere = self._search(question)
            closest = max(elsewhere, key=lambda hit: hit.score)
            near = max(hit.score for hit in own)
            foreign = closest.version.language != facts.language and closest.score > near + CLEARLY
            self._abstain(elsewhere, OTHER_LANGUAGE if foreign else NO_SOURCE)
            return
        used = own[: extractive.MAX_PASSAGES]
        ledger = [_quoted(hit, used=hit in used) for hit in hits]
        fitted = Prompt([], used, 0, 0, exact=True, ledger=ledger)
        # Kept first: it is whole before the first piece, whether or not anybody listens.
        self._keep(text, fitted, Completion(incomplete=None))
        yield from text.splitlines(keepends=True)

    def _generate(self, writer: Writer, hits: Sequence[Hit]) -> Iterator[str]:
        route, reply_tokens = writer.route, self._drafter.reply_tokens
        fitted = budget.fit(self._question(route), hits, route, counter(route), reply_tokens)
        completion = self._completion
        unknown: list[str] = []
        pieces: list[str] = []
        try:
            sent = writer.chat.stream(fitted.messages, reply_tokens, completion)
            # Closed before the draft is kept: only then the usage is known.
            with closing(sent), closing(self._unmasked(route, sent, unknown)) as filled:
                for piece in filled:
                    pieces.append(piece)
                    yield piece
        except RagError as error:
            seconds = time.perf_counter() - self._begun
            with self._drafter.database.write() as session:
                records.add_failed_call(session, route, error, seconds)
            self._kept.set()
            raise
        finally:
            if unknown and completion.incomplete is None:
                completion.incomplete = "placeholder"
            if pieces:
                self._keep("".join(pieces), fitted, completion)
        if not pieces:
            self._keep("", fitted, completion)

    def _question(self, route: Model) -> Question:
        """Return what the model is asked, without personal data where that is not to leave."""
        facts = self._facts
        subject, bodies = facts.subject, [body for _, body in facts.messages]
        if self._drafter.masks(route):
            # Cleaned first: an invisible character within a value would hide it from the mask.
            texts = [prompt.clean(text) for text in (subject, *bodies)]
            masked = mask(texts, names=facts.names)
            self._masking = masked.masking
            subject, *bodies = masked.texts
        authors = [author for author, _ in facts.messages]
        thread = [ThreadMessage(*entry) for entry in zip(authors, bodies, strict=True)]
        return Question(subject, thread, facts.language)

    def _unmasked(
        self, route: Model, pieces: Iterator[str], unknown: list[str]
    ) -> Generator[str, None, None]:
        if self._drafter.masks(route):
            yield from self._masking.unmask_pieces(pieces, unknown)
        else:
            yield from pieces

    def _abstain(self, hits: Sequence[Hit], reason: str) -> None:
        nearest = list(hits[:SHOWN_WHEN_ABSTAINING])
        ledger = [_quoted(hit, used=False) for hit in nearest]
        fitted = Prompt([], [], 0, 0, exact=True, ledger=ledger)
        self._save("", DraftStatus.ABSTAINED, reason, fitted, Completion(incomplete=None))

    def _keep(self, text: str, fitted: Prompt, completion: Completion) -> None:
        if completion.incomplete is not None:
            self._save(text, DraftStatus.INCOMPLETE, completion.incomplete, fitted, completion)
        elif prompt.NO_ANSWER in text and not markers_in(text):
            self._save("", DraftStatus.ABSTAINED, MODEL_DECLINED, fitted, completion)
        else:
            # A model that answers and says the phrase as well has answered.
            answer = text.replace(prompt.NO_ANSWER, "")
            self._save(answer, DraftStatus.READY, None, fitted, completion)

    def _save(
        self,
        text: str,
        status: DraftStatus,
        reason: str | None,
        fitted: Prompt,
        completion: Completion,
    ) -> None:
        reply = normalise(text, len(fitted.hits)).strip()
        finished = records.Finished(
            text=reply,
            status=status,
            reason=reason or self._notice,
            claims=cite(reply, fitted.hits),
            prompt=fitted,
            usage=completion.usage,
            seconds=time.perf_counter() - self._begun,
            index_fingerprint=self._drafter.retriever.fingerprint,
            masked={str(kind): count for kind, count in self._masking.counts().items()},
        )
        route = self._writer.route if self._writer else None
        with self._drafter.database.write() as session:
            self.draft_id = records.keep(session, self._facts, route, finished)
        self._kept.set()


def _quoted(hit: Hit, *, used: bool) -> dict[str, Any]:
    return {
        "passage_id": hit.passage.id,
        "title": hit.version.title,
        "page": hit.passage.first_page,
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "tokens": None,
        "included": used,
        "reason": hit.why if used else "not needed for the quotes",
    }
