"""Passages found for a question, put in order with the help of what the desk remembers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.index.protocol import Neighbour
from ingest.index.resident import Compared
from rag import fusion
from rag.fusion import Candidates
from rag.memory import Floats, Memory, Question, Votes

# Passages of one document have so many others between them where documents compete.
SPACING = 4


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the cases say of a question; `words` tells how much of it passages say literally."""

    memory: Memory
    votes: Votes
    question: Question
    words: Mapping[str, float]

    def order(
        self,
        neighbours: Sequence[Neighbour],
        owners: Mapping[str, str],
        documents: Mapping[str, Compared],
    ) -> list[Neighbour]:
        """Order passages that come in the order which documents alone give them.

        Args:
            neighbours: Permitted passages.
            owners: The document of each passage.
            documents: All of these documents, compared with the question.
        """
        named = dict.fromkeys(owners[hit.passage_id] for hit in neighbours)
        names = list(named)
        literal = dict.fromkeys(names, 0.0)
        for hit in neighbours:
            owner, share = owners[hit.passage_id], self.words.get(hit.passage_id, 0.0)
            literal[owner] = max(literal[owner], share)
        words = np.array([literal[name] for name in names], np.float32)
        ranked = fusion.rank(self._candidates(names, documents, words))
        places = {names[index]: place for place, index in enumerate(ranked)}
        earlier: Counter[str] = Counter()
        keys: dict[str, int] = {}
        for hit in neighbours:
            owner = owners[hit.passage_id]
            keys[hit.passage_id] = places[owner] + SPACING * earlier[owner]
            earlier[owner] += 1
        return sorted(neighbours, key=lambda hit: keys[hit.passage_id])

    def _candidates(
        self, names: list[str], documents: Mapping[str, Compared], words: Floats
    ) -> Candidates:
        question, head = self.question, self.memory.head
        dense = np.array([documents[name].closeness for name in names], np.float32)
        shares = np.array([self.votes.shares.get(name, 0.0) for name in names], np.float32)
        learnt = None
        if head is not None and question.spelt is not None and names:
            means = np.concatenate([documents[name].document.mean for name in names])
            means = means.reshape(len(names), -1)
            learnt = head.ask(question.vector, question.spelt, names, means, dense)
        same = np.array(
            [documents[name].document.language == question.language for name in names], np.bool_
        )
        return Candidates(dense, words, shares, learnt, self.memory.count(names), same)
