"""Learning from the desk's history: a head is trained, judged on later tickets, and promoted."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ingest.db import Database, now
from ingest.embed import Embedder
from ingest.events import record, take_turn
from ingest.index.keeper import HoldingsKeeper
from ingest.index.resident import Resident
from ingest.tables import Version, VersionStatus
from rag import cases, heads, trial
from rag.errors import TooFewCasesError
from rag.memory import Memory
from rag.spelling import Spelling
from rag.tables import Case, Head, HeadState
from rag.training import Examples, train
from rag.trial import Trial, Turn
from rag.votes import read_with_questions

# Below this, cases vote by themselves, and there is nothing sure to learn.
MIN_CASES = 300
# The newest cases, and documents that none of them points to, up to these numbers.
MOST_CASES, MOST_DOCUMENTS = 10_000, 3_000
# The newest cases are held back in turns of so many, or this share. A desk's questions drift, and a
# head that is judged far from what it was trained on is judged for another desk.
TURNS, HELD_BACK, HELD_BACK_SHARE = 3, 50, 0.05
# The space of spellings stays while the desk knows at most so many times the cases it was made of:
# all cases have to be spelt anew in another.
SPELLING_LASTS = 1.5
# The desk learns by itself when it knows so many more cases, once a day at most.
MORE_CASES, MORE_SHARE, DAY_SECONDS, LOOK_SECONDS = 20, 0.02, 86_400.0, 600.0
ACTOR = "worker"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of learning; `card` is as in `rag.tables.Head`."""

    head_id: str
    promoted: bool
    card: dict[str, Any]


class Learner:
    """Learns for one desk and one encoder."""

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder
        self._seen: object = None
        self._next_look = 0.0

    def learn(self, actor: str, on_progress: Callable[[int, int], None] | None = None) -> Lesson:
        """Train a head on the earlier cases, judge it on the later ones, promote it if it helps.

        Raises:
            TooFewCasesError: There is not enough history yet.
        """
        begun = time.perf_counter()
        model = self._embedder.fingerprint
        cases.complete(self._database, self._embedder, on_progress)
        with self._database.read() as session:
            everything, questions = read_with_questions(session, model)
            memory, asked = everything.newest(MOST_CASES), questions[-MOST_CASES:]
            names = _documents(session, memory)
        documents = HoldingsKeeper(self._database, model).of(names)
        count, known = len(memory.vectors), len(everything.vectors)
        if count < MIN_CASES or not documents:
            raise TooFewCasesError(count=count if documents else 0, needed=MIN_CASES)
        turns = _turns(count)
        present, spelt_from = self._spelling(known)
        # What is tried must not know the tickets that it is tried on, not even their spelling.
        tried = present or Spelling.fit(asked[: turns[0][0]])
        judged = trial.judge(_tried(memory, asked, documents, tried, turns), documents)
        spelling = present or Spelling.fit(asked)
        weights = b""
        if judged.is_better:
            examples = _examples(memory, spelling.vectors(asked), documents)
            weights = train(examples, spelling).to_bytes()
        card = {
            **_card(memory, judged, len(documents), time.perf_counter() - begun),
            "spelling": spelling.fingerprint,
            "spelt_from": spelt_from,
        }
        lesson = self._keep(weights, card, judged, actor)
        heads.spell(self._database, model)
        return lesson

    def _spelling(self, known: int) -> tuple[Spelling | None, int]:
        """Return the space that serves, if it lasts, and of how many cases it was made."""
        with self._database.read() as session:
            model = self._embedder.fingerprint
            head, weights = heads.serving_head(session, model), heads.weights(session, model)
        if head is None or weights is None:
            return None, known
        made_of = int(head.card.get("spelt_from", 0))
        return (weights.spelling, made_of) if known <= SPELLING_LASTS * made_of else (None, known)

    def catch_up(self) -> bool:
        """Complete cases that came in or changed since the last time; tell if there were any.

        Of many only some are completed at a time: uploads must not wait for all of a long history.
        """
        model = self._embedder.fingerprint
        with self._database.read() as session:
            head = heads.serving_head(session, model)
            newest = (session.scalar(select(func.max(Case.changed_at))), head and head.id)
        if newest == self._seen:
            return False
        completed = cases.complete(self._database, self._embedder, at_most=cases.BATCH)
        spelt = heads.spell(self._database, model, at_most=cases.BATCH)
        if max(completed, spelt) < cases.BATCH:
            self._seen = newest
        return completed + spelt > 0

    def learn_if_due(self) -> bool:
        """Learn when so much has come in since the last lesson that another may pay."""
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + LOOK_SECONDS
        if not self._is_due():
            return False
        self.learn(ACTOR)
        return True

    def _is_due(self) -> bool:
        with self._database.read() as session:
            known = session.scalar(select(func.count()).select_from(cases.joined(now()).subquery()))
            last = session.scalar(
                select(Head)
                .where(Head.encoder == self._embedder.fingerprint)
                .order_by(Head.created_at.desc())
                .limit(1)
            )
        count = known or 0
        if last is None:
            return count >= MIN_CASES
        if (now() - last.created_at).total_seconds() < DAY_SECONDS:
            return False
        before = int(last.card.get("cases", 0))
        return count - before >= max(MORE_CASES, MORE_SHARE * before)

    def _keep(self, weights: bytes, card: dict[str, Any], judged: Trial, actor: str) -> Lesson:
        model = self._embedder.fingerprint
        with self._database.write() as session:
            state = HeadState.SERVING if judged.is_better else HeadState.REFUSED
            take_turn(session)
            if judged.is_better:
                heads.retire(session, model)
            head = Head(encoder=model, state=state, weights=weights, card=card)
            session.add(head)
            session.flush()
            heads.prune(session, model)
            record(session, actor, f"head:{state}", head.id, {"reason": card["reason"]})
            return Lesson(head.id, judged.is_better, card)


def _tried(
    memory: Memory,
    asked: list[str],
    documents: dict[str, Resident],
    spelling: Spelling,
    turns: list[tuple[int, int]],
) -> list[Turn]:
    """Train a head for each turn on what came before it."""
    spellings = spelling.vectors(asked)
    memory = replace(memory, spellings=spellings)
    examples = _examples(memory, spellings, documents)
    return [
        Turn(memory, examples, begin, end, train(examples.part(np.arange(begin)), spelling))
        for begin, end in turns
    ]


def _turns(count: int) -> list[tuple[int, int]]:
    """Return the first and the last but one case of each turn that is held back."""
    size = max(HELD_BACK, round(HELD_BACK_SHARE * count))
    return [(count - (left + 1) * size, count - left * size) for left in reversed(range(TURNS))]


def _documents(session: Session, memory: Memory) -> list[str]:
    """Return the documents that cases point to, then others, up to a number."""
    others = session.scalars(
        select(Version.document_id)
        .where(Version.status == VersionStatus.CURRENT)
        .order_by(Version.document_id)
    )
    names = dict.fromkeys([*memory.document_ids, *others])
    return list(names)[: max(MOST_DOCUMENTS, len(memory.document_ids))]


def _examples(
    memory: Memory, spellings: NDArray[np.float32], documents: dict[str, Resident]
) -> Examples:
    names = tuple(documents)
    place = {name: index for index, name in enumerate(names)}
    columns = np.array([place.get(name, -1) for name in memory.document_ids])[memory.documents]
    good = (memory.weights > 0) & (columns >= 0)
    solved = np.zeros((len(memory.vectors), len(names)), np.float32)
    solved[memory.rows[good], columns[good]] = memory.weights[good]
    weights = solved.sum(1)
    dense = np.stack([documents[name].closeness(memory.vectors) for name in names], axis=1)
    return Examples(
        memory.vectors,
        spellings,
        solved / np.where(weights, weights, 1.0)[:, None],
        weights,
        dense,
        np.stack([documents[name].mean for name in names]),
        names,
    )


def _card(memory: Memory, judged: Trial, documents: int, seconds: float) -> dict[str, Any]:
    first, last = memory.solved_at[0], memory.solved_at[-1]
    return {
        "trained_at": now().isoformat(timespec="seconds"),
        "cases": len(memory.vectors),
        "from": _date(first),
        "until": _date(last),
        "documents": documents,
        "seconds": round(seconds, 1),
        **judged.card(),
    }


def _date(moment: datetime) -> str:
    return moment.date().isoformat()
