"""A ticket's way to a draft: retrieve, abstain or fit, stream, cite, verify, keep."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from ingest.access import Scope
from ingest.db import Database
from ingest.query_encoder import QueryEncoder
from rag import budget, extractive, guard, ledger, prompt, records
from rag.breaker import Breakers
from rag.budget import Prompt, Question
from rag.chain import Chain
from rag.cite import CitedClaim, markers_in, normalise
from rag.conflicts import conflicting, report
from rag.errors import ModelUnavailableError, RagError
from rag.finding import Finder, public
from rag.house import House
from rag.mending import Mended, mended
from rag.missing import with_missing
from rag.models import Model
from rag.outgoing import outgoing
from rag.prompt import Style
from rag.questions import Asked, asked
from rag.records import LEFT_TO_PEOPLE, Facts, Finished, said
from rag.replies import remembered
from rag.retrieve import Hit, Retriever
from rag.spending import may_spend
from rag.tables import DraftStatus
from rag.tokens import counter
from rag.topics import blocked
from rag.verify import Verifier, customers_words
from rag.voice import Voice, dress, instructions
from rag.writing import ROOMY_TOKENS, Brief, Call, Writer, Writing, reserved_tokens

SHOWN_WHEN_ABSTAINING = 3
MAX_NOTED = 10
STOP_SECONDS = 5.0
# A source in another language must be so much closer before it is what was missing.
CLEARLY = 0.1
NO_SOURCE, OTHER_LANGUAGE, MODEL_DECLINED = "no_source", "other_language", "model_declined"


def plain_house(_: Session) -> House:
    """Return the rules of a desk that has made none."""
    return House(Voice())


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent wants beside a reply.

    `language` is that of the reply, "" for the customer's; `afresh` means another than before.
    """

    instruction: str = ""
    language: str = ""
    afresh: bool = False


NO_WISH = Wish()


@dataclass(frozen=True)
class Drafter:
    """Makes drafts; `abstain_below` is the probability of an answer under which none is.

    `mask` tells to which routes personal data is sent masked: "hosted" ones, "always", "never".
    Beyond `spending_limit_usd` a month the embedded drafter takes over; 0 is no limit. `house`
    reads the desk's own rules.
    """

    database: Database
    retriever: Retriever
    encoder: QueryEncoder
    verifier: Verifier
    abstain_below: float
    reply_tokens: int
    mask: str = "hosted"
    spending_limit_usd: float = 0.0
    house: Callable[[Session], House] = plain_house
    breakers: Breakers = field(default_factory=Breakers)

    def masks(self, route: Model) -> bool:
        """Tell whether personal data is masked on the way to a route."""
        return self.mask == "always" or (self.mask == "hosted" and route.hosted)

    def may_pay(self, route: Model) -> bool:
        """Tell whether a call to a route is within the month's limit."""
        with self.database.read() as session:
            return may_spend(session, route, self.spending_limit_usd)

    def draft(
        self,
        ticket_id: str,
        actor: str,
        scope: Scope,
        writer: Writer | None,
        wish: Wish = NO_WISH,
    ) -> "DraftStream":
        """Begin a draft, by the embedded drafter where no writer is given or may be asked.

        The stream that is returned finishes and keeps it.
        """
        with self.database.read() as session:
            facts = records.facts(session, ticket_id, actor)
        return DraftStream(self, facts, scope, writer, wish)


class DraftStream:
    """A draft on its way: iterate for its text, then read `draft_id`.

    However the iteration ends, the draft is kept; one that is not whole cannot be approved so.
    """

    def __init__(
        self,
        drafter: Drafter,
        facts: Facts,
        scope: Scope,
        writer: Writer | None,
        wish: Wish,
    ) -> None:
        """Prepare a draft."""
        self._drafter = drafter
        self._wish = wish
        self._begun = time.perf_counter()
        self._facts = facts
        with drafter.database.read() as session:
            self._house = drafter.house(session)
        self._finder = Finder(
            *(drafter.retriever, drafter.encoder, drafter.abstain_below),
            *(scope, facts.language, facts.product),
        )
        regions = self._house.regions
        self._chain = Chain(writer, regions, drafter.may_pay, drafter.breakers)
        self.draft_id: str | None = None
        self._unanswered: dict[str, str] = {}
        self._removed: dict[str, str] = {}
        self._considered: Sequence[Hit] = ()
        self._stop = threading.Event()
        self._kept = threading.Event()

    def __iter__(self) -> Iterator[str]:
        """Yield the draft in pieces, as they come; an empty one says that it is waited for."""
        return self.pieces()

    def stop(self) -> None:
        """End the draft from another thread, and return when what came is kept."""
        self._stop.set()
        self._kept.wait(STOP_SECONDS)

    def pieces(self) -> Generator[str, None, None]:
        """Do as iteration does; closing this early keeps the draft as one that is not whole."""
        facts, finder = self._facts, self._finder
        question = asked(facts.subject, facts.messages)
        hits = finder.candidates(question, to_quote=self._chain.writer is None)
        self._considered = hits
        topic = blocked(said(facts), self._house.topics)
        if topic is not None:
            self._chain.notes = {"topic": topic.name, "hand_over": topic.hand_over}
            self._abstain(hits, LEFT_TO_PEOPLE)
        elif not finder.may_answer(question, hits):
            self._abstain(hits, NO_SOURCE)
        else:
            self._note_unanswered(question)
            yield from self._drafted(question, hits)

    def _drafted(self, question: Asked, hits: Sequence[Hit]) -> Generator[str, None, None]:
        if self._chain.writer is None:
            yield from self._quote(question, hits)
        elif not (yield from self._written(hits)):
            yield from self._quote_instead(question)

    def _note_unanswered(self, question: Asked) -> None:
        """Note which of several questions the documents do not answer, for the agent to know."""
        finder = self._finder
        parts = [replace(question, text=part, parts=()) for part in question.parts]
        unanswered = [
            part.text for part in parts if not finder.may_answer(part, finder.search(part))
        ]
        if unanswered:
            self._unanswered = {"unanswered": " · ".join(unanswered)}

    def _quote_instead(self, question: Asked) -> Iterator[str]:
        """Quote where no model could be asked."""
        hits = self._finder.candidates(question, to_quote=True)
        if self._finder.may_answer(question, hits):
            yield from self._quote(question, hits)
        else:
            self._abstain(hits, NO_SOURCE)

    def _quote(self, question: Asked, hits: Sequence[Hit]) -> Iterator[str]:
        language, encoder = self._facts.language, self._drafter.encoder
        own = [hit for hit in hits if hit.version.language == language]
        if not own or language not in extractive.FRAMES:
            self._abstain(hits, OTHER_LANGUAGE)
            return
        text = extractive.compose(question.text, language, own, encoder)
        if not text:
            elsewhere = self._finder.search(question)
            closest = max(elsewhere, key=lambda hit: hit.score)
            near = max(hit.score for hit in own)
            foreign = closest.version.language != language and closest.score > near + CLEARLY
            self._abstain(elsewhere, OTHER_LANGUAGE if foreign else NO_SOURCE)
            return
        text = with_missing(text, said(self._facts), language)
        used = own[: extractive.MAX_PASSAGES]
        ledger = [_quoted(hit, used=hit in used) for hit in hits]
        # Kept first: it is whole before the first piece, whether or not anybody listens.
        kept = self._save(text, DraftStatus.READY, None, _prompt(used, ledger))
        yield from kept.splitlines(keepends=True)

    def _written(self, hits: Sequence[Hit]) -> Generator[str, None, bool]:
        """Let the models write in turn; return whether one did."""
        chain = self._chain
        for writer in chain:
            try:
                yield from self._generate(writer, hits)
            except RagError as error:
                chain.failed(writer.route, error)
                if chain.is_strict:
                    self._kept.set()
                    raise
            else:
                return True
        return False

    def _generate(self, writer: Writer, hits: Sequence[Hit]) -> Generator[str, None, None]:
        brief, question = self._brief(writer.route, hits)
        looks = brief.search is not None
        reserved = reserved_tokens(writer.route, brief.reply_tokens, looks=looks)
        kept_free = brief.reply_tokens + reserved
        fitted = budget.fit(question, hits, writer.route, brief.counter, kept_free)
        writing = Writing(writer, fitted, brief, self._stop)
        try:
            with closing(writing.pieces()) as pieces:
                yield from pieces
            if not self._chain.is_strict:
                _require_words(writing)
        except RagError:
            self._record_calls(writing.calls)
            raise
        except BaseException:
            # Whoever leaves, or whatever breaks, what came is kept, and what was paid is counted.
            self._keep(writing)
            raise
        self._keep(writing)

    def _brief(self, route: Model, hits: Sequence[Hit]) -> tuple[Brief, Question]:
        """Return how a route is asked, and what: without personal data where that is not to go."""
        facts, drafter = self._facts, self._drafter
        ticket = outgoing(facts, masked=drafter.masks(route), instruction=self._wish.instruction)
        language = self._wish.language or facts.language
        style = Style(
            house=instructions(self._house.voice, language),
            instruction=ticket.instruction,
            as_json=route.json_mode,
            masked=bool(ticket.masking and ticket.masking.values),
        )
        brief = Brief(
            *(drafter.reply_tokens, style, ticket.masking, drafter.encoder, counter(route)),
            supports=drafter.verifier.supports,
            recall=self._recall,
            search=self._search_again(hits) if _may_look(route) else None,
        )
        return brief, Question(ticket.subject, ticket.thread, language, style)

    def _search_again(self, hits: Sequence[Hit]) -> Callable[[str], Sequence[Hit]]:
        """Return a search that finds what staff alone may see only where that is in use already."""
        is_public = len(public(hits)) == len(hits)

        def search(query: str) -> Sequence[Hit]:
            found = self._finder.search(asked(query, []))
            return public(found) if is_public else found

        return search

    def _recall(self, request_hash: str) -> str | None:
        if self._wish.afresh:
            return None
        with self._drafter.database.read() as session:
            return remembered(session, request_hash)

    def _abstain(self, hits: Sequence[Hit], reason: str) -> None:
        nearest = list(hits[:SHOWN_WHEN_ABSTAINING])
        ledger = [_quoted(hit, used=False) for hit in nearest]
        self._save("", DraftStatus.ABSTAINED, reason, _prompt([], ledger))

    def _keep(self, writing: Writing) -> None:
        text = writing.text
        if writing.was_asked:
            broke_off = writing.incomplete in {"cut", "stalled"}
            self._chain.answered(writing.route, broke_off=broke_off)
        if writing.incomplete is not None:
            status, reason = DraftStatus.INCOMPLETE, writing.incomplete
        elif declines(text):
            text, status, reason = "", DraftStatus.ABSTAINED, MODEL_DECLINED
        else:
            # A model that answers and says the phrase as well has answered.
            text, status, reason = text.replace(prompt.NO_ANSWER, ""), DraftStatus.READY, None
        self._save(text, status, reason, writing.prompt, writing)

    def _save(
        self,
        text: str,
        status: DraftStatus,
        reason: str | None,
        fitted: Prompt,
        writing: Writing | None = None,
    ) -> str:
        reply = self._cleaned(normalise(text, len(fitted.hits)).strip(), fitted.hits)
        # The embedded drafter quotes in the customer's language, whatever is wished.
        wished = self._wish.language if writing else ""
        language = wished or self._facts.language
        if status == DraftStatus.READY:
            name = next(iter(self._facts.names), None)
            reply = dress(reply, self._house.voice, language, name)
        checked = self._checked(reply, fitted.hits, language, status)
        finished = Finished(
            text=checked.text,
            status=status,
            reason=reason or self._chain.reason,
            claims=checked.claims,
            prompt=fitted,
            seconds=time.perf_counter() - self._begun,
            index_fingerprint=self._drafter.retriever.fingerprint,
            writing=writing,
            instruction=self._wish.instruction if writing else "",
            notes=self._notes(wished) | checked.notes,
        )
        self._record(finished)
        self._kept.set()
        return checked.text

    def _record(self, finished: Finished) -> None:
        with self._drafter.database.write() as session:
            self.draft_id = records.keep(session, self._facts, finished)
            model = self._drafter.encoder.fingerprint
            found = conflicting(session, model, finished.claims, self._considered)
            report(session, found)

    def _record_calls(self, calls: Sequence[Call]) -> None:
        with self._drafter.database.write() as session:
            records.add_calls(session, calls)

    def _cleaned(self, reply: str, hits: Sequence[Hit]) -> str:
        """Take out of a reply what may not stand in it, and note what that was."""
        written = [body for _, body in self._facts.messages]
        known = guard.known(reply, hits, written, self._house.voice)
        reply, removed = guard.sanitise(reply, known)
        if removed:
            self._removed = {"removed": " · ".join(removed[:MAX_NOTED])}
        return reply

    def _checked(
        self, reply: str, hits: Sequence[Hit], language: str, status: DraftStatus
    ) -> Mended:
        """Check a reply; only one that is whole is mended."""
        verifier, customer = self._drafter.verifier, customers_words(self._facts.messages)

        def check(text: str) -> list[CitedClaim]:
            return verifier.check(self._house.claims(text, hits, language), customer)

        if status != DraftStatus.READY:
            return Mended(reply, check(reply), {})
        return mended(reply, hits, check, lambda pairs: verifier.judge(pairs, customer))

    def _notes(self, language: str) -> dict[str, str]:
        notes = self._chain.notes | self._unanswered | self._removed
        return notes | ({"reply_language": language} if language else {})


def declines(text: str) -> bool:
    """Tell whether a whole reply says that the passages do not answer."""
    return not text.strip() or (prompt.NO_ANSWER in text and not markers_in(text))


def _require_words(writing: Writing) -> None:
    """Raise where a model ended without a word, so that another can write."""
    if writing.incomplete == "empty":
        raise ModelUnavailableError(model=writing.route.name, reason="it answered nothing")


def _may_look(route: Model) -> bool:
    return route.tools and route.window_tokens >= ROOMY_TOKENS


def _prompt(used: list[Hit], ledger: list[dict[str, Any]]) -> Prompt:
    return Prompt([], used, 0, 0, exact=True, ledger=ledger)


def _quoted(hit: Hit, *, used: bool) -> dict[str, Any]:
    return ledger.entry(hit, hit.why if used else "not needed for the quotes", included=used)
