"""Of a long evidence the part is read that a claim can be about."""

from rag.focus import focus

FILLER = "The machine stands on a table. " * 40


def test_a_short_evidence_is_read_whole() -> None:
    assert focus("The tank leaks.", "One. Two.", 10) == "One. Two."


def test_the_sentences_that_share_most_with_the_claim_are_kept_in_their_order() -> None:
    evidence = (
        f"Manual. {FILLER}Descaling takes 30 minutes. {FILLER}Descaler costs 9 euros. {FILLER}"
    )

    kept = focus("Descaling takes 30 minutes and descaler costs 9 euros.", evidence, 30)

    assert kept.startswith("Manual.")
    assert kept.index("takes 30 minutes") < kept.index("costs 9 euros")
    assert len(kept.split()) <= 30


def test_a_sentence_without_end_is_cut() -> None:
    assert len(focus("word", "word " * 500, 50).split()) == 50
