"""Which passages a draft may rest on, and whether they answer the question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from ingest.access import Scope
from ingest.query_encoder import QueryEncoder
from ingest.tables import Visibility
from rag import answerable
from rag.questions import Asked
from rag.retrieve import Hit, Retriever

CANDIDATES = 40
DESK_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Finder:
    """Searches for one ticket, with the eyes of one person.

    Below the probability `abstain_below` the documents do not answer.
    """

    retriever: Retriever
    encoder: QueryEncoder
    abstain_below: float
    scope: Scope
    language: str
    product: str | None

    def search(self, question: Asked, language: str | None = None) -> list[Hit]:
        """Search for all that is asked; several questions take turns."""
        rankings = [
            self.retriever.search(text, CANDIDATES, self.scope, language, self.product)
            for text in question.parts or (question.text,)
        ]
        turns = [hit for turn in zip_longest(*rankings) for hit in turn if hit is not None]
        first = {hit.passage.id: hit for hit in reversed(turns)}
        order = dict.fromkeys(hit.passage.id for hit in turns)
        found = [first[passage_id] for passage_id in order][:CANDIDATES]
        return [replace(hit, rank=rank) for rank, hit in enumerate(found, start=1)]

    def candidates(self, question: Asked, *, to_quote: bool) -> list[Hit]:
        """Search; what staff alone may see is used only where nothing public answers.

        To be quoted word for word, sources in the customer's language come first, then those in
        the desk's, to be shown: the small encoder hardly compares across other languages.
        """
        hits = self.search(question)
        if to_quote:
            for language in dict.fromkeys([self.language, DESK_LANGUAGE]):
                own = self.search(question, language)
                if self.may_answer(question, own):
                    hits = own
                    break
        seen_by_all = public(hits)
        return seen_by_all if self.may_answer(question, seen_by_all) else hits

    def may_answer(self, question: Asked, hits: Sequence[Hit]) -> bool:
        """Tell whether the hits answer the question likely enough to try."""
        found = answerable.probability(question.text, hits, encoder=self.encoder)
        return found >= self.abstain_below


def public(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits that customers may see."""
    return [hit for hit in hits if hit.document.visibility == Visibility.PUBLIC]
