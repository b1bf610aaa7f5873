"""Fits thread and passages into the model's window, and keeps a ledger of what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import ContextOverflowError
from rag.models import Model
from rag.prompt import MARK_CUT, MARK_LEFT_OUT, ThreadMessage, message, messages, passage
from rag.retrieve import Hit
from rag.tokens import ChatMessageDict, TokenCounter

# Of what the instructions leave free, the thread may take this share before passages are fitted.
THREAD_SHARE = 0.4
SUBJECT_CHARACTERS = 300
# Joining texts can cost a token more than the texts by themselves.
JOIN_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that fits; `ledger` says of every candidate passage whether it is in, and why."""

    messages: list[ChatMessageDict]
    hits: list[Hit]
    tokens: int
    budget_tokens: int
    exact: bool
    ledger: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the ticket's subject, its thread (oldest first) and its language."""

    subject: str
    thread: Sequence[ThreadMessage]
    language: str


def fit(
    question: Question, hits: Sequence[Hit], model: Model, counter: TokenCounter, reply_tokens: int
) -> Prompt:
    """Build the fullest prompt within the window: whole passages, best first.

    Raises:
        ContextOverflowError: The window does not even take the instructions.
    """
    budget = model.window_tokens - reply_tokens
    subject = question.subject[:SUBJECT_CHARACTERS]
    empty = counter.count(messages([], subject, [], question.language))
    if empty > budget:
        needed = empty + reply_tokens
        raise ContextOverflowError(model=model.name, needed=needed, window=model.window_tokens)
    thread = fit_thread(question.thread, counter, int(THREAD_SHARE * (budget - empty)))
    costs = [
        counter.count_text(passage(number, hit)) + JOIN_TOKENS
        for number, hit in enumerate(hits, start=1)
    ]
    taken = _take(costs, budget - empty - sum(counter.count_text(part) for part in thread))
    # The estimate adds up parts; the model counts the whole. The whole decides.
    while True:
        built = messages([hits[index] for index in taken], subject, thread, question.language)
        tokens = counter.count(built)
        if tokens <= budget or not taken:
            break
        taken.pop()
    if tokens > budget:
        raise ContextOverflowError(
            model=model.name, needed=tokens + reply_tokens, window=model.window_tokens
        )
    ledger = [_entry(hit, costs[i], fits=i in taken) for i, hit in enumerate(hits)]
    return Prompt(built, [hits[i] for i in taken], tokens, budget, counter.exact, ledger)


def fit_thread(
    thread: Sequence[ThreadMessage], counter: TokenCounter, max_tokens: int
) -> list[str]:
    """Return the newest messages that fit, rendered, with a visible mark where any are missing."""
    mark = MARK_LEFT_OUT.format(count=len(thread))
    room = max_tokens - counter.count_text(mark) - JOIN_TOKENS
    kept: list[str] = []
    for entry in reversed(thread):
        rendered = message(entry)
        cost = counter.count_text(rendered) + JOIN_TOKENS
        if cost > room:
            if not kept:
                kept.append(_cut(entry, counter, room))
            break
        room -= cost
        kept.append(rendered)
    left_out = len(thread) - len(kept)
    marks = [MARK_LEFT_OUT.format(count=left_out)] if left_out else []
    return [*marks, *reversed(kept)]


def _cut(entry: ThreadMessage, counter: TokenCounter, max_tokens: int) -> str:
    """Keep the beginning and the end of a message too long, by bisection on its length."""
    low, high = 0, len(entry.body) // 2
    while low < high:
        middle = (low + high + 1) // 2
        if counter.count_text(_shortened(entry, middle)) + JOIN_TOKENS <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return _shortened(entry, low)


def _shortened(entry: ThreadMessage, characters: int) -> str:
    # Three quarters from the beginning, where the question usually is.
    head, tail = characters * 3 // 2, characters // 2
    end = entry.body[len(entry.body) - tail :] if tail else ""
    return message(ThreadMessage(entry.author, f"{entry.body[:head]}\n{MARK_CUT}\n{end}"))


def _take(costs: Sequence[int], room: int) -> list[int]:
    taken = []
    for index, cost in enumerate(costs):
        if cost <= room:
            taken.append(index)
            room -= cost
    return taken


def _entry(hit: Hit, tokens: int, *, fits: bool) -> dict[str, Any]:
    return {
        "passage_id": hit.passage.id,
        "title": hit.version.title,
        "page": hit.passage.first_page,
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "tokens": tokens,
        "included": fits,
        "reason": hit.why if fits else "no room left in the context window",
    }
