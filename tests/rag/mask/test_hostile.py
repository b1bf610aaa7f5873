"""Long and strange texts take no longer than their length."""

import time

import pytest

from rag.mask import mask

LENGTH = 100_000
# Fifty times what ordinary machines take: a square of the length would be thousands of times.
SECONDS = 20.0


@pytest.mark.parametrize(
    "seed",
    [
        *(
            "a",
            "A",
            "1",
            "@",
            "<",
            "_",
            "-",
            " ",
            "\n",
            "ß",
            "1 ",
            "1-",
            "A-",
            "A.",
            "a.",
            "a@",
            ":",
        ),
        *("<EMAIL_", "&lt;", "AB12 ", "password: ", "passport ", "123-4567 ", "4111111111111111 "),
        *("1 Am ", "12 Long ", "Rue de ", "Via A ", "Apt. 3\n", "A\n", "Thanks\n", "Mr. ", "Anna "),
        *("eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "born ", "https://", "::1 ", "1.1.1."),
    ],
)
def test_no_text_takes_long(seed: str) -> None:
    text = (seed * LENGTH)[:LENGTH]
    begun = time.perf_counter()

    result = mask([text])

    assert time.perf_counter() - begun < SECONDS
    assert result.masking.unmask(result.texts[0]).text == text
