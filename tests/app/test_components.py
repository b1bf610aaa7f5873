"""What the page is given: parts of a reply, and text in which Markdown finds nothing."""

import pytest
from markdown_it import MarkdownIt

from app.components.plain import plain
from app.components.reply import state
from rag.cite import cite
from tests.rag.desk import hit

PASSAGES = [hit("The tank holds 2 litres."), hit("The pump is loud.", 2)]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("The tank holds 2 litres [1].", "supported"),
        ("The tank holds two litres [1].", "unchecked"),
        ("The tank holds 3 litres [1].", "doubtful"),
        ("The tank holds 2 litres.", "uncited"),
        ("The tank holds 2 litres [1][2].", "doubtful"),
    ],
)
def test_the_worst_of_a_claims_citations_counts(reply: str, expected: str) -> None:
    assert [state(claim) for claim in cite(reply, PASSAGES)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "[Refund here](https://evil.example)",
        "![x](https://evil.example/leak)",
        "# a heading *and* **more** `code` ~~gone~~ $x$ :red[y]",
        "<script>alert(1)</script> <b>bold</b>",
        "- list\n1. numbers",
    ],
)
def test_markdown_finds_nothing_in_untrusted_text(text: str) -> None:
    html = MarkdownIt("commonmark").render(plain(text))

    for mark in ("<a", "<img", "<em", "<strong", "<h1", "<script", "<b>", "<li"):
        assert mark not in html
