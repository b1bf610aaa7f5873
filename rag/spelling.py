"""How a text is spelt, as a vector: what an encoder of another language does not understand.

Names, error texts and cognates (`wachtwoord`, `password`) look alike in many languages. The vector
is TF-IDF of hashed character n-grams within words, reduced by latent semantic analysis (Deerwester
et al., 1990, "Indexing by latent semantic analysis") of the desk's own tickets.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

Floats = NDArray[np.float32]

PREFIX = "spelling:"
LETTERS = (2, 4)
FEATURES, DIMENSIONS = 2**15, 128
# What a ticket is about stands at its beginning; logs at its end would be most of its letters.
CHARACTERS = 1_500
ITERATIONS, SEED = 3, 0


@dataclass(frozen=True)
class Spelling:
    """A space of spellings: `rarity` [FEATURES] and `components` [FEATURES, DIMENSIONS]."""

    rarity: Floats
    components: Floats

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        """Find what the spellings of some texts, more than DIMENSIONS of them, differ in."""
        from sklearn.decomposition import TruncatedSVD

        counts = _hashing().transform([text[:CHARACTERS] for text in texts])
        tfidf = _tfidf().fit(counts)
        space = TruncatedSVD(DIMENSIONS, n_iter=ITERATIONS, random_state=SEED)
        space.fit(tfidf.transform(counts))
        # Kept in half precision: what is tried is what will serve.
        return cls(_halved(tfidf.idf_), _halved(space.components_.T))

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Return [count, DIMENSIONS], unit rows; zeros for a text that has nothing in common."""
        counts = self._hashing.transform([text[:CHARACTERS] for text in texts])
        placed = self._tfidf.transform(counts) @ self.components
        lengths = np.linalg.norm(placed, axis=1, keepdims=True)
        return np.asarray(placed / np.where(lengths, lengths, 1.0), np.float32)

    @cached_property
    def fingerprint(self) -> str:
        """Name the space: vectors of different spaces must not be compared."""
        digest = hashlib.sha256(self.rarity.astype(np.float16).tobytes())
        digest.update(self.components.astype(np.float16).tobytes())
        return PREFIX + digest.hexdigest()[:32]

    @cached_property
    def _hashing(self) -> "HashingVectorizer":
        return _hashing()

    @cached_property
    def _tfidf(self) -> "TfidfTransformer":
        tfidf = _tfidf()
        tfidf.idf_ = self.rarity
        return tfidf


def _hashing() -> "HashingVectorizer":
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=LETTERS,
        n_features=FEATURES,
        strip_accents="unicode",
        norm=None,
        alternate_sign=False,
        dtype=np.float32,
    )


def _tfidf() -> "TfidfTransformer":
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer(sublinear_tf=True)


def _halved(array: Any) -> Floats:
    return np.asarray(array, np.float16).astype(np.float32)
