"""Runs are kept and read back as they were, and compared question by question."""

import json
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import pytest

from rag import runs
from rag.errors import StoredRunError
from rag.intervals import Difference, Interval
from rag.runs import ALL, Run, Scores, compare, digest, ranking_scores

NOON = datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)
GOOD = ["gold", "b", "c", "d", "e", "f"]
WORSE = ["b", "c", "gold", "d", "e", "f"]


def ranked(ranking: list[str], language: str = "en", question: str = "How?") -> Scores:
    return Scores(language, digest(question), ranking_scores(ranking, {"gold": 1}))


def run(questions: dict[str, Scores], **fingerprint: str) -> Run:
    return Run(NOON, fingerprint, questions)


def numbered(rankings: list[list[str]], language: str = "en") -> dict[str, Scores]:
    return {f"{language}-{n}": ranked(ranking, language) for n, ranking in enumerate(rankings)}


def test_a_ranking_is_scored_to_four_digits() -> None:
    scores = ranking_scores(["x", "y", "gold"], {"gold": 1, "silver": 1, "bronze": 1})

    assert scores == {"recall@5": 0.3333, "nDCG@10": 0.2346, "MRR@10": 0.3333}


def test_recall_looks_at_five_and_the_others_at_ten() -> None:
    ranking = [*"abcdefghi", "gold", "silver"]

    scores = ranking_scores(ranking, {"gold": 1})

    assert scores == {"recall@5": 0.0, "nDCG@10": 0.2891, "MRR@10": 0.1}
    assert ranking_scores(ranking, {"silver": 1}) == dict.fromkeys(scores, 0.0)


def test_a_run_is_read_back_as_it_was(tmp_path: Path) -> None:
    questions = numbered([GOOD, WORSE]) | numbered([WORSE], "fr")
    kept = run(questions, model="MiniLM", index="chroma")

    runs.write(tmp_path / "run.json", kept)

    assert runs.read(tmp_path / "run.json") == kept


def test_where_no_run_was_kept_there_is_none(tmp_path: Path) -> None:
    assert runs.read(tmp_path / "run.json") is None


def test_in_the_file_each_question_is_a_line_and_means_stand_above(tmp_path: Path) -> None:
    runs.write(tmp_path / "run.json", run(numbered([GOOD] * 7 + [WORSE]), model="MiniLM"))

    text = (tmp_path / "run.json").read_text(encoding="utf-8")

    assert json.loads(text)["means"]["all MRR@10"] == [0.9167, 0.75, 1.0]
    assert json.loads(text)["at"] == "2026-11-20T12:00:05+00:00"
    assert sum('"digest"' in line for line in text.splitlines()) == 8
    assert text.index("means") < text.index("questions")


def test_bounds_that_nobody_can_tell_are_null_in_the_file(tmp_path: Path) -> None:
    runs.write(tmp_path / "run.json", run(numbered([GOOD])))

    document = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))

    assert document["means"]["en recall@5"] == [1.0, None, None]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"at": "2026-11-20T12:00:00Z", "fingerprint": {}}',
        b'{"at": "2026-11-20T12:00:00", "fingerprint": {}, "questions": {}}',
        b'{"at": "soon", "fingerprint": {}, "questions": {}}',
        b'{"at": "2026-11-20T12:00:00Z", "fingerprint": {}, "questions": {"q": {"language": "en",'
        b' "digest": "d", "values": {"recall@5": NaN}}}}',
        b'{"at": "2026-11-20T12:00:00Z", "fingerprint": {}, "questions": {"q": {"language": "en",'
        b' "digest": "d", "values": {"recall@5": 1e999}}}}',
        b'{"at": "2026-11-20T12:00:00Z", "fingerprint": {}, "questions": {"q": {"language": "en",'
        b' "digest": "d", "values": {"recall@5": 1.5}}}}',
    ],
)
def test_a_file_that_is_no_run_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(content)

    with pytest.raises(StoredRunError) as raised:
        runs.read(file)

    assert str(file) in str(raised.value)


def test_a_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(StoredRunError):
        runs.read(tmp_path)


def test_means_are_taken_over_all_languages_and_each() -> None:
    means = run(numbered([GOOD] * 3) | numbered([WORSE], "fr")).means()

    assert next(iter(means)) == (ALL, "recall@5")
    assert means["en", "MRR@10"] == Interval(1.0, -inf, inf)
    assert means["fr", "MRR@10"].mean == 0.3333
    assert means[ALL, "MRR@10"].mean == pytest.approx((3 + 0.3333) / 4)


def test_a_measure_is_averaged_over_the_questions_that_have_it() -> None:
    left = Scores("en", "d", {"left undrafted": 0.0})

    means = run({"q1": ranked(GOOD), "q2": left}).means()

    assert means[ALL, "recall@5"].mean == 1.0
    assert means[ALL, "left undrafted"].mean == 0.0


def test_the_same_run_has_no_drop() -> None:
    same = run(numbered([GOOD, WORSE] * 10))

    comparison = compare(same, same)

    assert comparison.drops == {}
    assert comparison.differences[ALL, "nDCG@10"] == Difference(0.0, 0.0, 0.0)
    assert comparison.worse[ALL, "nDCG@10"] == []


def test_a_kept_run_has_no_drop_beside_itself(tmp_path: Path) -> None:
    rankings = [["x"] * place + ["gold"] for place in range(9)]
    before = run(numbered(rankings))
    runs.write(tmp_path / "run.json", before)
    kept = runs.read(tmp_path / "run.json")
    assert kept is not None

    differences = compare(kept, before).differences

    assert set(differences.values()) == {Difference(0.0, 0.0, 0.0)}


def test_a_worsened_ranking_is_a_drop_that_names_the_questions() -> None:
    before = run(numbered([GOOD] * 20))
    after = run(numbered([GOOD] * 12 + [WORSE] * 8))

    comparison = compare(before, after)

    lost = [f"en-{number}" for number in range(12, 20)]
    assert comparison.drops == {"nDCG@10": lost, "MRR@10": lost}
    assert comparison.differences[ALL, "recall@5"].mean == 0.0
    assert compare(after, before).drops == {}
    assert compare(after, before).differences[ALL, "MRR@10"].is_significant_gain


def test_one_question_lost_of_many_is_told_and_is_no_drop() -> None:
    comparison = compare(run(numbered([GOOD] * 20)), run(numbered([GOOD] * 19 + [WORSE])))

    assert comparison.worse[ALL, "MRR@10"] == ["en-19"]
    assert comparison.drops == {}


def test_a_language_that_fell_counts_within_the_whole() -> None:
    english = numbered([GOOD] * 40)

    comparison = compare(
        run(english | numbered([GOOD] * 5, "fr")), run(english | numbered([WORSE] * 5, "fr"))
    )

    assert comparison.drops["MRR@10"] == [f"fr-{number}" for number in range(5)]
    assert comparison.worse["en", "MRR@10"] == []
    assert comparison.differences["fr", "MRR@10"].mean == pytest.approx(-0.6667)


def test_questions_that_are_new_gone_or_changed_are_named_and_left_out() -> None:
    both = numbered([GOOD] * 10)
    before = run(both | {"old": ranked(GOOD), "edited": ranked(GOOD)})
    after = run(both | {"added": ranked(["x"]), "edited": ranked(["x"], question="How else?")})

    comparison = compare(before, after)

    assert (comparison.new, comparison.gone, comparison.changed) == (["added"], ["old"], ["edited"])
    assert comparison.differences[ALL, "recall@5"] == Difference(0.0, 0.0, 0.0)


def test_runs_without_a_question_in_common_are_not_compared() -> None:
    comparison = compare(run({"a": ranked(GOOD)}), run({"b": ranked(["x"])}))

    assert comparison.differences == {}
    assert comparison.drops == {}


def test_a_measure_that_only_one_run_has_is_not_compared() -> None:
    before, after = Scores("en", "d", {"recall@5": 1.0}), Scores("en", "d", {"MRR@10": 0.0})

    comparison = compare(run({"q": before}), run({"q": after}))

    assert comparison.differences == {}


def test_another_fingerprint_is_compared_like_the_same_one() -> None:
    questions = numbered([GOOD] * 6)

    comparison = compare(run(questions, model="a"), run(questions, model="b"))

    assert comparison.drops == {}
    assert comparison.before.fingerprint == {"model": "a"}


def test_the_digest_tells_contents_apart_and_not_their_order() -> None:
    assert digest({"a": 1, "b": "é"}) == digest({"b": "é", "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
