import pytest

from ingest.language import UNKNOWN, detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I descale the machine when the water is very hard?", "en"),
        ("Wie entkalke ich die Maschine, wenn das Wasser sehr hart ist?", "de"),
        ("Comment détartrer la machine quand l'eau est très dure ?", "fr"),
        ("Come si decalcifica la macchina quando l'acqua è molto dura?", "it"),
        ("¿Cómo se descalcifica la máquina cuando el agua es muy dura?", "es"),
        ("Hoe ontkalk ik de machine als het water erg hard is?", "nl"),
        ("水がとても硬いとき、機械のスケールをどうやって除去しますか。", "ja"),
        ("\n\nHow do I\ndescale\nthe machine\n" * 200, "en"),
    ],
)
def test_the_main_language_is_named(text: str, language: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", " \n ", "E17", "12345 67890 12:34", "!!! ??? ---", "\u200b"])
def test_too_little_text_has_no_known_language(text: str) -> None:
    assert detect(text) == UNKNOWN
