"""Two editions of one text, where a sentence about the same has another first figure.

Of other documents that is too little: they may speak of two things. The editions of one text say
the same of the same, unless they were changed.
"""

from collections.abc import Iterator, Sequence

from ingest.figures import Statement
from ingest.pairs import Stretch, Text
from ingest.quantities import read
from ingest.units import lexicon

# A sentence's first words, those aside that say little, are its subject.
SUBJECT_WORDS = 2


def are_editions(title: str, other: str) -> bool:
    """Tell whether two titles differ in nothing but numbers and dates."""
    return title != other and bool(_words(title)) and _words(title) == _words(other)


def changed_figures(
    ours: Sequence[Text], theirs: Sequence[Text]
) -> Iterator[tuple[Stretch, Stretch]]:
    """Yield sentences of two editions with one subject and another first figure.

    A sentence whose first figure the other edition gives as well, of the same subject, is left out.
    """
    others = [(text, statement) for text in theirs for statement in text.statements]
    for text in ours:
        for statement in text.statements:
            alike = [(each, one) for each, one in others if _are_alike(statement, one)]
            values = [one.figures[0].values for _, one in alike]
            if alike and statement.figures[0].values not in values:
                yield _stretch(text, statement), _stretch(*alike[0])


def _are_alike(one: Statement, other: Statement) -> bool:
    subject = one.words[:SUBJECT_WORDS]
    return (
        len(subject) == SUBJECT_WORDS
        and subject == other.words[:SUBJECT_WORDS]
        and one.figures[0].dimension == other.figures[0].dimension
    )


def _words(title: str) -> list[str]:
    return [word for word in read(title).words if word not in lexicon().months]


def _stretch(text: Text, statement: Statement) -> Stretch:
    return Stretch(text.start + statement.start, text.text[statement.start : statement.end])
