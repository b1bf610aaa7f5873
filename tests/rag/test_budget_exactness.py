"""The prompt is counted as the model counts it, never too long, and full."""

import pytest

from rag.budget import CUT_SPARE_TOKENS, LEAST_CUT_TOKENS, THREAD_SHARE, Prompt, fit
from rag.tokens import Messages
from tests.bench.budgets import REPLY_TOKENS, RUNS, Reading, random_desk
from tests.rag.test_budget import WORDS_MODEL, WordTokens, desk_of_prose, text_of

# A step of the cut is two characters; the rarest, and escaped ones, are up to six tokens each.
CUT_STEP_TOKENS = 12


class SuperadditiveTokens(WordTokens):
    """Counts a whole a twentieth higher than its parts."""

    def count(self, messages: Messages) -> int:
        return super().count(messages) * 21 // 20


@pytest.mark.parametrize(("window", "version", "desks"), RUNS)
def test_a_prompt_counts_what_mistral_counts_fits_and_has_no_room_for_what_is_missing(
    window: int, version: str, desks: int
) -> None:
    for seed in range(desks):
        desk = random_desk(seed, window, f"mistral-{version}")

        prompt = desk.fit()

        read = Reading(desk, prompt, version)
        assert prompt.exact
        assert prompt.tokens == read.tokens <= prompt.budget_tokens == window - REPLY_TOKENS
        _assert_no_passage_is_missing_that_fits(read)
        _assert_the_thread_has_its_share_and_what_is_left(read)


@pytest.mark.parametrize("window", [4_096, 32_768])
def test_where_the_tokenizer_is_not_known_the_count_is_an_upper_bound_and_says_so(
    window: int,
) -> None:
    for seed in range(10):
        desk = random_desk(seed, window, "server")

        prompt = desk.fit()

        counts = [Reading(desk, prompt, version).tokens for version in ("v1", "v3")]
        assert not prompt.exact
        assert max(counts) < prompt.tokens <= prompt.budget_tokens
        free = prompt.budget_tokens - prompt.tokens
        assert all(entry["included"] or entry["tokens"] > free for entry in prompt.ledger)


def test_what_few_passages_leave_goes_to_a_long_thread() -> None:
    question, hits = desk_of_prose(passages=3, messages=40)

    prompt = fit(question, hits, WORDS_MODEL, WordTokens(), 200)

    assert len(prompt.hits) == 3
    assert _thread_words(prompt) > 0.6 * prompt.budget_tokens
    assert prompt.budget_tokens - prompt.tokens < LEAST_CUT_TOKENS


def test_what_a_short_thread_leaves_goes_to_passages() -> None:
    question, hits = desk_of_prose(passages=40, messages=1)

    prompt = fit(question, hits, WORDS_MODEL, WordTokens(), 200)

    assert _thread_words(prompt) < 120
    assert len(prompt.hits) < 40
    assert prompt.budget_tokens - prompt.tokens < 250


def test_where_both_are_long_the_thread_has_its_share_and_what_whole_passages_leave() -> None:
    question, hits = desk_of_prose(passages=40, messages=40)

    prompt = fit(question, hits, WORDS_MODEL, WordTokens(), 200)

    assert 0.35 < _thread_words(prompt) / prompt.budget_tokens < 0.5
    assert prompt.budget_tokens - prompt.tokens < LEAST_CUT_TOKENS


def test_a_tokenizer_that_counts_the_whole_higher_than_its_parts_decides() -> None:
    question, hits = desk_of_prose(passages=40, messages=40)

    prompt = fit(question, hits, WORDS_MODEL, SuperadditiveTokens(), 200)

    assert prompt.tokens == SuperadditiveTokens().count(prompt.messages)
    assert 0.9 * prompt.budget_tokens < prompt.tokens <= prompt.budget_tokens


def _assert_no_passage_is_missing_that_fits(read: Reading) -> None:
    ledger = read.prompt.ledger
    included = sum(entry["tokens"] for entry in ledger if entry["included"])
    assert read.without_passages() + included == read.tokens
    smallest = read.smallest_left_out()
    if smallest is not None:
        fuller, said = smallest
        assert fuller == read.tokens + said > read.prompt.budget_tokens
        reasons = {entry["reason"] for entry in ledger if not entry["included"]}
        short = fuller - read.prompt.budget_tokens
        assert f"no room left in the context window: {short} token(s) short" in reasons


def _assert_the_thread_has_its_share_and_what_is_left(read: Reading) -> None:
    if read.cut:
        assert read.unused <= CUT_SPARE_TOKENS + CUT_STEP_TOKENS
    elif read.left_out:
        assert read.with_an_earlier_message() > read.prompt.budget_tokens
        assert read.unused <= LEAST_CUT_TOKENS
    if read.cut or read.left_out:
        instructions = read.instructions()
        share = THREAD_SHARE * (read.prompt.budget_tokens - instructions)
        assert read.without_passages() - instructions >= share - LEAST_CUT_TOKENS


def _thread_words(prompt: Prompt) -> int:
    _, _, after = text_of(prompt).partition("<ticket ")
    return len(after.partition("</ticket>")[0].split())
