"""Fits thread and passages into the model's window, and keeps a ledger of what was left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from rag import ledger
from rag.errors import ContextOverflowError
from rag.models import Model
from rag.prompt import (
    MARK_CUT,
    MARK_LEFT_OUT,
    PLAIN,
    Style,
    ThreadMessage,
    clean,
    message,
    messages,
    passage,
)
from rag.retrieve import Hit
from rag.tokens import ChatMessageDict, TokenCounter

# Of what the instructions leave free, the thread may take this share, and all that passages leave.
THREAD_SHARE = 0.4
SUBJECT_CHARACTERS = 300
# A shorter piece of an earlier message would say nothing.
LEAST_CUT_TOKENS = 64
# Each step towards the longest cut costs a count: so close to it, the search ends.
CUT_SPARE_TOKENS = 8
CUT_INTERPOLATIONS = 8
GUESSED_CHARACTERS_PER_TOKEN = 3
# No token of Mixtral's is longer: what is too long by this measure need not be counted.
LONGEST_TOKEN_CHARACTERS = 16
# Parts of a prompt stand between blank lines.
SEAM = "\n\n"

Measure = Callable[[str], int]


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
    style: Style = PLAIN


@dataclass(frozen=True, slots=True)
class _Whole:
    """A prompt as it would be sent; `taken` are the indexes of its passages, in their order."""

    taken: list[int]
    thread: list[str]
    messages: list[ChatMessageDict]
    tokens: int


@dataclass(frozen=True, slots=True)
class _Fitting:
    """Builds prompts of one question; `added` tells the tokens that a part adds to them."""

    question: Question
    hits: Sequence[Hit]
    counter: TokenCounter
    added: Measure

    def build(self, taken: list[int], thread: list[str]) -> _Whole:
        subject = self.question.subject[:SUBJECT_CHARACTERS]
        chosen = [self.hits[index] for index in taken]
        built = messages(chosen, subject, thread, self.question.language, self.question.style)
        return _Whole(taken, thread, built, self.counter.count(built))

    def share_out(self, room: int) -> _Whole:
        """Give the thread its share and what passages leave, and passages all the rest."""
        wanted = self.cost(range(len(self.hits)))
        share = max(int(THREAD_SHARE * room), room - wanted)
        taken = self.take(room - _weight(self.question.thread, self.added, share))
        thread = _fit_thread(self.question.thread, self.added, room - self.cost(taken))
        return self.build(taken, thread)

    def take(self, room: int) -> list[int]:
        taken: list[int] = []
        for index, hit in enumerate(self.hits):
            cost = self.added(passage(len(taken) + 1, hit))
            if cost <= room:
                taken.append(index)
                room -= cost
        return taken

    def cost(self, taken: Sequence[int]) -> int:
        numbered = enumerate(taken, start=1)
        return sum(self.added(passage(number, self.hits[index])) for number, index in numbered)

    def top_up(self, whole: _Whole, budget: int) -> _Whole:
        """Add passages to what the thread did not use after all."""
        for index, hit in enumerate(self.hits):
            cost = self.added(passage(len(whole.taken) + 1, hit))
            if index not in whole.taken and cost <= budget - whole.tokens:
                fuller = self.build(sorted([*whole.taken, index]), whole.thread)
                whole = fuller if fuller.tokens <= budget else whole
        return whole

    def ledger(self, whole: _Whole, free: int) -> list[dict[str, Any]]:
        numbers = {index: number for number, index in enumerate(whole.taken, start=1)}
        entries = []
        for index, hit in enumerate(self.hits):
            tokens = self.added(passage(numbers.get(index, len(numbers) + 1), hit))
            entries.append(_entry(hit, tokens, None if index in numbers else max(1, tokens - free)))
        return entries


def fit(
    question: Question, hits: Sequence[Hit], model: Model, counter: TokenCounter, reply_tokens: int
) -> Prompt:
    """Build the fullest prompt within the window: whole passages, best first.

    Raises:
        ContextOverflowError: The window does not even take the instructions.
    """
    budget = model.window_tokens - reply_tokens
    fitting = _Fitting(question, hits, counter, _measure(counter))
    whole = fitting.build([], [])
    room = budget - whole.tokens
    while room >= 0:
        whole = fitting.share_out(room)
        if whole.tokens <= budget:
            break
        # A tokenizer may count the whole higher than its parts. The whole decides.
        room -= whole.tokens - budget
    else:
        needed = whole.tokens + reply_tokens
        raise ContextOverflowError(model=model.name, needed=needed, window=model.window_tokens)
    whole = fitting.top_up(whole, budget)
    taken = [hits[index] for index in whole.taken]
    ledger = fitting.ledger(whole, budget - whole.tokens)
    return Prompt(whole.messages, taken, whole.tokens, budget, counter.exact, ledger)


def fit_thread(
    thread: Sequence[ThreadMessage], counter: TokenCounter, max_tokens: int
) -> list[str]:
    """Return the newest messages that fit, rendered, with a visible mark where any are missing."""
    return _fit_thread(thread, _measure(counter), max_tokens)


def _measure(counter: TokenCounter) -> Measure:
    """Return what tells how many tokens a part adds where it stands in a prompt."""
    seam = counter.count_text(SEAM)

    @cache
    def added(part: str) -> int:
        return counter.count_text(f"{SEAM}{part}{SEAM}") - seam

    return added


def _fit_thread(thread: Sequence[ThreadMessage], added: Measure, max_tokens: int) -> list[str]:
    if _weight(thread, added, max_tokens + 1) <= max_tokens:
        return [message(entry) for entry in thread]
    kept: list[str] = []
    free = max_tokens
    for earlier in reversed(range(len(thread))):
        part, mark = message(thread[earlier]), _mark(earlier)
        room = free - sum(map(added, mark))
        if _exceeds(part, added, room):
            if kept and room < LEAST_CUT_TOKENS:
                break
            entry = replace(thread[earlier], body=clean(thread[earlier].body))
            return [*mark, _cut(entry, added, room), *kept]
        kept.insert(0, part)
        free -= added(part)
    return [*_mark(len(thread) - len(kept)), *kept]


def _mark(left_out: int) -> list[str]:
    return [MARK_LEFT_OUT.format(count=left_out)] if left_out else []


def _weight(thread: Sequence[ThreadMessage], added: Measure, most: int) -> int:
    """Return the tokens that a thread adds, or `most` if it would add more."""
    room = most
    for entry in reversed(thread):
        part = message(entry)
        if _exceeds(part, added, room):
            return most
        room -= added(part)
    return most - room


def _exceeds(part: str, added: Measure, room: int) -> bool:
    return len(part) > LONGEST_TOKEN_CHARACTERS * room or added(part) > room


def _cut(entry: ThreadMessage, added: Measure, max_tokens: int) -> str:
    """Keep the beginning and the end of a message too long: as much as fits, within a few tokens.

    The search interpolates between a length that fits and one that does not, since a text's tokens
    grow about evenly; where they do not, it ends by bisection.
    """
    low, fewest = 0, added(_shortened(entry, 0))
    high = min(len(entry.body), LONGEST_TOKEN_CHARACTERS * max_tokens) // 2
    most = max(2 * high // GUESSED_CHARACTERS_PER_TOKEN, max_tokens + 1)
    aim, steps = max_tokens - CUT_SPARE_TOKENS // 2, 0
    while high - low > 1 and max_tokens - fewest > CUT_SPARE_TOKENS:
        share = (aim - fewest) / (most - fewest) if steps < CUT_INTERPOLATIONS else 0.5
        middle = min(max(low + int(share * (high - low)), low + 1), high - 1)
        tokens = added(_shortened(entry, middle))
        if tokens <= max_tokens:
            low, fewest = middle, tokens
        else:
            high, most = middle, tokens
        steps += 1
    return _shortened(entry, low)


def _shortened(entry: ThreadMessage, characters: int) -> str:
    # Three quarters from the beginning, where the question usually is.
    head, tail = characters * 3 // 2, characters // 2
    end = entry.body[len(entry.body) - tail :] if tail else ""
    return message(replace(entry, body=f"{entry.body[:head]}\n{MARK_CUT}\n{end}"))


def _entry(hit: Hit, tokens: int, short: int | None) -> dict[str, Any]:
    why_not = f"no room left in the context window: {short} token(s) short"
    reason = hit.why if short is None else why_not
    return ledger.entry(hit, reason, included=short is None, tokens=tokens)
