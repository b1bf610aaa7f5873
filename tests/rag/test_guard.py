import pytest

from rag import guard
from rag.errors import ForbiddenContentError
from rag.guard import REMOVED, Known, OffenceKind, offences, sanitise
from rag.voice import Manner, Voice
from tests.rag.desk import hit

PASSAGE = (
    "Download it from https://kb.example/app?v=2 or write to help@kb.example, +49 89 12345678."
)
CITED = Known([PASSAGE], [])
NOTHING = Known([], [])
IBAN = "DE89 3704 0044 0532 0130 00"

FORBIDDEN = {
    "See ![logo](https://evil.test/p?q=1) here": OffenceKind.IMAGE,
    "See ![1](https://evil.test/p) here": OffenceKind.IMAGE,
    "See ![logo][ref] here": OffenceKind.IMAGE,
    "[ref]: https://evil.test/p": OffenceKind.DEFINITION,
    "Click [here](https://evil.test)": OffenceKind.LINK,
    "Click [1](//evil.test)": OffenceKind.LINK,
    "<img src=x onerror=alert(1)>": OffenceKind.MARKUP,
    "<a href='/x'>here": OffenceKind.MARKUP,
    "<!-- nobody reads this -->": OffenceKind.MARKUP,
    "javascript:alert(1)": OffenceKind.SCHEME,
    "data:text/html;base64,PHN2Zz4=": OffenceKind.SCHEME,
    "https://xn--pple-43d.test": OffenceKind.PUNYCODE,
    "https://evil.test/p": OffenceKind.URL,
    "HTTPS://EVIL.TEST": OffenceKind.URL,
    "//evil.test/p": OffenceKind.URL,
    "www.evil.example": OffenceKind.URL,
    "Visit evil.com/now": OffenceKind.URL,
    "Visit EVIL.COM": OffenceKind.URL,
    "Visit ftp://198.51.100.7/x": OffenceKind.URL,
    "Write to thief@evil.test": OffenceKind.CONTACT,
    "Call +49 30 901820 now": OffenceKind.CONTACT,
    f"Pay to {IBAN}": OffenceKind.CONTACT,
    "Zero\u200bwidth": OffenceKind.INVISIBLE,
    "Tag\U000e0041": OffenceKind.INVISIBLE,
    f"Press {REMOVED} twice": OffenceKind.REMOVED,
}
ALLOWED = [
    "Hello,\n\nhold the button for 10 seconds [1][2]. It works![1][2]\n\nKind regards",
    "See page 4 (step 2) of the manual [1] (German).",
    'Costs 1.234,50 EUR incl. VAT, e.g. 2 x 3/4" and/or 5 < 6 > 4.',
    "Open config.json with Node.js.It works.",
    "Serial number 4711-0815-22, order 100245, part BR-2210.",
    "Well done 👍🏽, with love ❤\ufe0f from the family 👨\u200d👩\u200d👧",
    "Write <serial number> on the form; data: none.",
]


@pytest.mark.parametrize(("text", "kind"), FORBIDDEN.items())
def test_what_no_source_holds_may_not_be_sent(text: str, kind: OffenceKind) -> None:
    assert [offence.kind for offence in offences(text, NOTHING)][:1] == [kind]


@pytest.mark.parametrize("text", ALLOWED)
def test_a_usual_reply_may_be_sent(text: str) -> None:
    assert offences(text, NOTHING) == []


@pytest.mark.parametrize(
    "text",
    [
        "Download it from https://kb.example/app?v=2. [1]",
        "Write to help@kb.example or call +49 (89) 1234-5678 [1]",
    ],
)
def test_what_stands_in_a_cited_passage_may_be_sent(text: str) -> None:
    assert offences(text, CITED) == []


@pytest.mark.parametrize(
    "text",
    [
        "https://kb.example/app?v=2&q=secret",
        "https://kb.example/app",
        "https://kb.example.evil.test/app?v=2",
        "https://kb.exampl",
    ],
)
def test_an_address_counts_whole_not_by_its_beginning(text: str) -> None:
    assert [offence.kind for offence in offences(text, CITED)] == [OffenceKind.URL]


def test_markup_and_hidden_links_may_not_be_sent_even_if_a_passage_has_them() -> None:
    text = "<b>Bold</b> [here](https://kb.example/app?v=2) ![x](https://kb.example/app?v=2)"

    found = offences(text, Known([text, PASSAGE], [text]))

    assert {offence.kind for offence in found} == {
        OffenceKind.MARKUP,
        OffenceKind.LINK,
        OffenceKind.IMAGE,
    }


def test_a_ticket_lends_its_telephone_and_account_but_no_link() -> None:
    ticket = f"Call me at +49 30 901820, {IBAN}, see https://evil.test/p"

    found = offences(f"We call +49 30 901820, {IBAN}: https://evil.test/p", Known([], [ticket]))

    assert [offence.found for offence in found] == ["https://evil.test/p"]


def test_only_passages_that_the_reply_cites_count() -> None:
    hits = [hit("Nothing here."), hit(PASSAGE)]
    text = "Download it from https://kb.example/app?v=2"

    guard.check(f"{text} [2]", hits, [], Voice())
    with pytest.raises(ForbiddenContentError) as caught:
        guard.check(f"{text} [1]", hits, [], Voice())

    assert caught.value.fields["found"] == "https://kb.example/app?v=2"


def test_the_desks_own_sign_off_may_hold_its_address() -> None:
    voice = Voice(languages={"en": Manner(sign_off="Your team, www.kb.example")})

    guard.check("Yes.\n\nYour team, www.kb.example", [], [], voice)


def test_a_draft_loses_what_may_not_stand_in_it_and_keeps_the_words() -> None:
    text = (
        "See [our page](https://evil.test) <b>now</b>. ![x](https://evil.test/a) "
        "Or https://evil.test/b [1].\n[r]: https://evil.test/c"
    )

    cleaned, removed = sanitise(text, CITED)

    assert cleaned == f"See our page now. {REMOVED} Or {REMOVED} [1].\n"
    assert removed == [
        "[our page](https://evil.test)",
        "<b>",
        "</b>",
        "![x](https://evil.test/a)",
        "https://evil.test/b",
        "[r]: https://evil.test/c",
    ]
    assert [offence.kind for offence in offences(cleaned, CITED)] == [OffenceKind.REMOVED] * 2


@pytest.mark.parametrize(
    "text",
    [
        "[[a](https://b.test)](https://c.test)",
        "ht<b>tps://evil.test",
        "https://e\u200bvil.test",
        "www.[x](//y.test)",
        "<<b>script>",
        "![a](![b](//c.test))",
    ],
)
def test_what_grows_together_when_something_is_taken_out_is_taken_out_too(text: str) -> None:
    cleaned, _ = sanitise(text, NOTHING)

    assert {offence.kind for offence in offences(cleaned, NOTHING)} <= {OffenceKind.REMOVED}
