"""How documents are ranked by what they say and by what the desk remembers."""

import numpy as np
import pytest

from rag.fusion import Candidates, mixture, rank
from rag.head import Learnt


def learnt(logits: list[float], spelt: list[float] | None) -> Learnt:
    said = np.array(logits, np.float32)
    return Learnt(said, said, np.array(spelt or [-np.inf] * len(logits), np.float32))


def candidates(
    dense: list[float],
    votes: list[float] | None = None,
    cases: list[int] | None = None,
    *,
    logits: list[float] | None = None,
    spelt: list[float] | None = None,
    words: list[float] | None = None,
    comparable: bool = True,
) -> Candidates:
    count = len(dense)
    return Candidates(
        np.array(dense, np.float32),
        np.array(words or [0.0] * count, np.float32),
        np.array(votes or [0.0] * count, np.float32),
        None if logits is None else learnt(logits, spelt),
        np.array(cases or [2_500] * count),
        np.full(count, comparable),
    )


def test_without_votes_the_closest_comes_first() -> None:
    assert rank(candidates([0.2, 0.6, 0.4])) == [1, 2, 0]


def test_what_similar_cases_used_overtakes_what_is_only_close() -> None:
    assert rank(candidates([0.6, 0.5], votes=[0.1, 0.9]))[0] == 1


def test_a_document_that_no_case_knows_is_not_buried() -> None:
    dense = [0.7] + [0.3] * 9
    votes = [0.0] + [1 / 9] * 9

    ranking = rank(candidates(dense, votes, cases=[0] + [50] * 9))

    assert ranking.index(0) <= 1


def test_closeness_across_languages_keeps_no_place() -> None:
    dense = [0.23, 0.22, 0.21, *([0.2] * 7)]
    votes = [0.0, 0.0, 0.0, *([1 / 7] * 7)]
    cases = [0, 0, 0, *([50] * 7)]

    own = rank(candidates(dense, votes, cases))
    foreign = rank(candidates(dense, votes, cases, comparable=False))

    assert own.index(2) <= 4
    assert foreign.index(2) > 4


def test_words_have_the_say_that_cases_do_not_have_yet() -> None:
    dense, words = [0.5, 0.45], [0.0, 0.3]

    assert rank(candidates(dense, words=words, cases=[0, 0])) == [1, 0]
    assert rank(candidates(dense, words=words, cases=[25, 25])) == [1, 0]
    assert rank(candidates(dense, words=words, cases=[2_500, 2_500])) == [0, 1]


def test_the_head_has_a_say_beside_closeness_and_votes() -> None:
    without = mixture(candidates([0.5, 0.5]))
    with_head = mixture(candidates([0.5, 0.5], logits=[0.0, 3.0]))

    assert without[0] == pytest.approx(without[1])
    assert with_head[1] - with_head[0] == pytest.approx(0.2 * np.tanh(1.5), abs=1e-3)


def test_spelling_has_a_say_where_the_head_knows_one_of_the_documents() -> None:
    unknown = mixture(candidates([0.5, 0.5], logits=[0.0, 0.0]))
    known = mixture(candidates([0.5, 0.5], logits=[0.0, 0.0], spelt=[-np.inf, 1.0]))

    assert unknown[1] == pytest.approx(unknown[0])
    assert known[1] - known[0] == pytest.approx(0.1)


def test_a_handful_of_cases_has_little_to_say() -> None:
    dense, votes = [0.6, 0.5], [0.0, 1.0]

    assert rank(candidates(dense, votes, cases=[0, 5]))[0] == 0
    assert rank(candidates(dense, votes, cases=[250, 250]))[0] == 1


@pytest.mark.parametrize("seed", range(5))
def test_every_candidate_is_ranked_once(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(0, 30))
    given = candidates(
        random.random(count).tolist(),
        random.random(count).tolist(),
        random.integers(0, 6, count).tolist(),
    )

    assert sorted(rank(given)) == list(range(count))
