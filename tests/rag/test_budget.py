"""The prompt fits the window, to the token, whatever the ticket."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace
from xml.sax.saxutils import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.budget import Prompt, Question, fit, fit_thread
from rag.errors import ContextOverflowError
from rag.models import Model, resolve
from rag.prompt import MARK_CUT, MARK_LEFT_OUT, ThreadMessage, message, messages
from rag.retrieve import Hit
from rag.tokens import ChatMessageDict, Messages, MistralTokens
from tests.bench.budgets import mistral_count
from tests.rag.desk import hit

REPLY_TOKENS = 700
TEXT = (
    "the machine Maschine water Wasser filtre détartrage E17 pressure 15 bar €18.50 (page 3) of"
    " warranty two years from purchase; tank, pump & boiler <panel> “press” reset"
)
WORDS = TEXT.split()


class WordTokens:
    """Counts words: fast, and like a real tokenizer it counts a whole that it can recompute."""

    exact = True
    longest = 0

    def count(self, messages: Messages) -> int:
        return 10 + sum(self.count_text(part["content"]) for part in messages)

    def count_text(self, text: str) -> int:
        self.longest = max(self.longest, len(text))
        return len(text.split())


WORDS_MODEL = Model("words", "x/words", 3_000, "none")


def _prose(words: int, seed: int) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(WORDS) for _ in range(words))


def desk_of_prose(passages: int, messages: int) -> tuple[Question, list[Hit]]:
    thread = [
        ThreadMessage("agent" if number % 2 else "customer", f"No. {number}: {_prose(80, number)}")
        for number in range(messages)
    ]
    hits = [
        hit(_prose(250, 1_000 + rank), rank, page=rank, score=1 - rank / 100)
        for rank in range(1, passages + 1)
    ]
    return Question("Error E17 & no water", thread, "en"), hits


def _mixtral(window: int) -> Model:
    return resolve("mixtral-8x7b-vllm", window_tokens=window)


def _fresh_count(messages: Sequence[ChatMessageDict]) -> int:
    system, user = messages
    return mistral_count("v1", system["content"], user["content"])


def text_of(prompt: Prompt) -> str:
    return prompt.messages[1]["content"]


@pytest.mark.parametrize("window", [32_768, 4_096])
def test_forty_long_passages_and_thirty_messages_fit_mixtral_to_the_token(window: int) -> None:
    question, hits = desk_of_prose(passages=40, messages=30)

    prompt = fit(question, hits, _mixtral(window), MistralTokens("v1"), REPLY_TOKENS)

    assert prompt.tokens == _fresh_count(prompt.messages)
    assert prompt.tokens <= window - REPLY_TOKENS == prompt.budget_tokens
    assert prompt.exact
    assert question.thread[-1].body in unescape(text_of(prompt))
    assert [entry["passage_id"] for entry in prompt.ledger] == [h.passage.id for h in hits]
    left_out = [entry for entry in prompt.ledger if not entry["included"]]
    assert len(prompt.hits) == 40 - len(left_out)
    unused = prompt.budget_tokens - prompt.tokens
    assert [entry["reason"] for entry in left_out] == [
        f"no room left in the context window: {entry['tokens'] - unused} token(s) short"
        for entry in left_out
    ]
    assert all(entry["tokens"] > unused for entry in left_out)


def test_at_the_large_window_all_passages_are_in_and_at_the_small_one_few() -> None:
    question, hits = desk_of_prose(passages=40, messages=30)
    counter = MistralTokens("v1")

    large = fit(question, hits, _mixtral(32_768), counter, REPLY_TOKENS)
    small = fit(question, hits, _mixtral(4_096), counter, REPLY_TOKENS)

    assert len(large.hits) == 40
    assert 3 <= len(small.hits) <= 8
    assert "earlier message(s) left out" not in text_of(large)
    assert "earlier message(s) left out" in text_of(small)


def test_a_message_of_200_000_characters_is_cut_in_the_middle_with_a_visible_mark() -> None:
    body = f"FIRST WORDS {_prose(36_000, 7)} LAST WORDS"
    assert len(body) > 200_000
    question = Question("Long", [ThreadMessage("customer", body)], "en")
    _, hits = desk_of_prose(passages=40, messages=0)

    begun = time.perf_counter()
    prompt = fit(question, hits, _mixtral(32_768), MistralTokens("v1"), REPLY_TOKENS)
    seconds = time.perf_counter() - begun

    assert prompt.tokens == _fresh_count(prompt.messages) <= 32_768 - REPLY_TOKENS
    assert text_of(prompt).count(MARK_CUT) == 1
    assert "FIRST WORDS" in text_of(prompt)
    assert "LAST WORDS" in text_of(prompt)
    assert len(prompt.hits) >= 20
    assert seconds < 5


def test_older_messages_are_left_out_first_and_their_number_is_said() -> None:
    thread = [ThreadMessage("customer", f"message {number} " + "x " * 50) for number in range(10)]

    parts = fit_thread(thread, WordTokens(), max_tokens=250)

    assert parts[0] == f"[… {10 - len(parts) + 1} earlier message(s) left out …]"
    assert parts[1:] == [message(entry) for entry in thread[-len(parts) + 1 :]]
    assert sum(map(WordTokens().count_text, parts)) <= 250


def test_a_thread_that_fits_has_no_marks() -> None:
    thread = [ThreadMessage("customer", "one"), ThreadMessage("agent", "two")]

    assert fit_thread(thread, WordTokens(), max_tokens=100) == [message(e) for e in thread]


def test_a_thread_that_fits_to_the_token_needs_no_room_for_a_mark() -> None:
    thread = [ThreadMessage("customer", "one two three") for _ in range(5)]
    needed = sum(WordTokens().count_text(message(entry)) for entry in thread)

    whole = fit_thread(thread, WordTokens(), max_tokens=needed)
    shorter = fit_thread(thread, WordTokens(), max_tokens=needed - 1)

    assert whole == [message(entry) for entry in thread]
    assert shorter[0] == MARK_LEFT_OUT.format(count=2)


def test_a_long_message_before_a_short_one_is_cut_and_not_left_out() -> None:
    pasted = ThreadMessage("customer", f"FIRST {_prose(5_000, 1)} LAST")
    thread = [ThreadMessage("agent", "How can I help?"), pasted, ThreadMessage("customer", "So?")]

    parts = fit_thread(thread, WordTokens(), max_tokens=500)

    mark, cut, newest = parts
    assert mark == MARK_LEFT_OUT.format(count=1)
    assert cut.startswith('<message from="customer">\nFIRST ')
    assert cut.endswith(" LAST\n</message>")
    assert cut.count(MARK_CUT) == 1
    assert newest == message(thread[-1])
    assert 490 <= sum(map(WordTokens().count_text, parts)) <= 500


def test_a_message_without_end_is_not_counted_to_its_end() -> None:
    counter = WordTokens()
    thread = [ThreadMessage("customer", "water " * 1_000_000)]

    parts = fit_thread(thread, counter, max_tokens=1_000)

    assert 990 <= counter.count_text(parts[0]) <= 1_000
    assert counter.longest < 100_000


@pytest.mark.parametrize("window", [64, REPLY_TOKENS, REPLY_TOKENS + 200])
def test_a_window_too_small_for_the_instructions_is_refused_with_both_figures(window: int) -> None:
    question, hits = desk_of_prose(passages=3, messages=1)

    with pytest.raises(ContextOverflowError) as raised:
        fit(question, hits, _mixtral(window), MistralTokens("v1"), REPLY_TOKENS)

    assert raised.value.fields["window"] == window
    assert int(str(raised.value.fields["needed"])) > window


def test_a_subject_without_end_does_not_crowd_out_the_rest() -> None:
    question = Question("help " * 50_000, [ThreadMessage("customer", "What is E17?")], "en")
    _, hits = desk_of_prose(passages=3, messages=0)

    prompt = fit(question, hits, _mixtral(4_096), MistralTokens("v1"), REPLY_TOKENS)

    assert len(prompt.hits) == 3
    assert "What is E17?" in text_of(prompt)


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 400), max_size=12),
    thread=st.lists(st.integers(0, 600), min_size=1, max_size=8),
    window=st.integers(300, 3_000),
    reply=st.integers(64, 200),
)
def test_a_prompt_never_exceeds_its_budget_and_keeps_the_order(
    sizes: list[int], thread: list[int], window: int, reply: int
) -> None:
    hits = [hit(_prose(size, size), rank) for rank, size in enumerate(sizes, start=1)]
    entries = [ThreadMessage("customer", _prose(size, size)) for size in thread]
    question, counter = Question("Subject", entries, "de"), WordTokens()
    model = replace(WORDS_MODEL, window_tokens=window)

    try:
        prompt = fit(question, hits, model, counter, reply)
    except ContextOverflowError:
        least = counter.count(messages([], "Subject", [], "de"))
        # Refused only where instructions and the latest message, however cut, take the window.
        assert least + reply + 40 > window
        return

    assert prompt.tokens == counter.count(prompt.messages) <= window - reply
    ranks = [found.rank for found in prompt.hits]
    assert ranks == sorted(ranks)
    assert [entry["rank"] for entry in prompt.ledger] == [found.rank for found in hits]
    assert [entry["rank"] for entry in prompt.ledger if entry["included"]] == ranks
    assert all(entry["reason"] for entry in prompt.ledger)
    numbers = [text_of(prompt).index(f'<passage number="{n}"') for n in range(1, len(ranks) + 1)]
    assert numbers == sorted(numbers)
