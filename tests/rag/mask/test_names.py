"""Names of persons in tickets of six languages."""

import pytest

from rag.mask import mask


def masked(text: str) -> str:
    return mask([text]).texts[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My name is Xanthe Quill and", "My name is <NAME_1> and"),
        ("my name is xanthe quill and", "my name is <NAME_1> and"),
        ("ich heiße Xaver Quendler.", "ich heiße <NAME_1>."),
        ("Je m'appelle Xandrine Quérel.", "Je m'appelle <NAME_1>."),
        ("Mi chiamo Xeno Quaglia.", "Mi chiamo <NAME_1>."),
        ("Me llamo Xoel Quiroga.", "Me llamo <NAME_1>."),
        ("Mijn naam is Xaan van der Quast.", "Mijn naam is <NAME_1>."),
    ],
)
def test_a_name_that_is_introduced_is_found_though_no_list_has_it(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Mrs Quill,", "Dear Mrs <NAME_1>,"),
        ("Sehr geehrte Frau Dr. Quendler,", "Sehr geehrte Frau Dr. <NAME_1>,"),
        ("Bonjour Madame Quérel,", "Bonjour Madame <NAME_1>,"),
        ("Gentile Sig.ra Quaglia,", "Gentile Sig.ra <NAME_1>,"),
        ("Estimada Sra. Quiroga:", "Estimada Sra. <NAME_1>:"),
    ],
)
def test_a_title_stays_and_the_name_behind_it_goes(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "It fails.\n\nKind regards,\nXanthe Quill",
        "Es geht nicht.\nMit freundlichen Grüßen\nXaver Quendler",
        "Rien ne marche.\nCordialement,\nXandrine Quérel",
        "Non funziona.\nCordiali saluti\nXeno Quaglia",
        "No funciona.\nSaludos,\nXoel Quiroga",
        "It fails. Thanks, Xanthe",
    ],
)
def test_a_name_below_a_sign_off_is_found(text: str) -> None:
    assert masked(text).endswith("<NAME_1>")


def test_a_greeting_gives_a_name_away_but_not_a_product() -> None:
    assert masked("Hi Xanthe,\nit fails") == "Hi <NAME_1>,\nit fails"
    assert masked("Hello Thunderbird, it fails") == "Hello Thunderbird, it fails"


def test_a_common_given_name_takes_the_family_name_along() -> None:
    text = "I asked Giuseppe Quaglia-Ferro about it, then petra."

    assert masked(text) == "I asked <NAME_1> about it, then <NAME_2>."


def test_a_name_said_once_is_masked_wherever_it_stands_in_the_thread() -> None:
    thread = ["Quill cannot log in", "My name is Xanthe Quill. Why can't Xanthe log in?"]

    result = mask(thread)

    assert result.texts == (
        "<NAME_1> cannot log in",
        "My name is <NAME_2>. Why can't <NAME_3> log in?",
    )


def test_a_label_that_calls_a_thing_by_its_name_masks_the_thing_there_only() -> None:
    text = "Name: Archive\nArchive is a folder. I archive my mails."

    assert masked(text) == "Name: <NAME_1>\nArchive is a folder. I archive my mails."


def test_the_name_that_the_desk_knows_is_masked() -> None:
    result = mask(["Xanthe here, QUILL is my surname"], names=["Xanthe Quill"])

    assert result.texts == ("<NAME_1> here, <NAME_2> is my surname",)


def test_a_name_that_is_a_word_as_well_is_masked_only_beside_a_family_name() -> None:
    assert masked("Will Mark Smith call?") == "Will <NAME_1> call?"
    assert masked("Mark it as junk in Paris") == "Mark it as junk in Paris"
