from collections.abc import Callable

from ingest.parse.formats import markdown
from ingest.parse.parsed import ParsedDocument

GUIDE = b"""---
title: Refunds
tags: [a]
---
# Refund *policy*

Refunds take **5 days**, see [the terms](https://example.com).
They go to `the card`.

1. Open the order
2. Choose *Refund*
   - full
   - partial

| Plan | Days |
|------|-----:|
| Basic | 14 |
| Pro | 30 |

```
GET /refunds

x = 1
```
"""


def test_structure_becomes_blocks_without_markup(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    document = markdown.parse(GUIDE, "guide.md")

    assert blocks_of(document) == [
        ("heading1", "Refund policy"),
        ("paragraph", "Refunds take 5 days, see the terms. They go to the card."),
        ("list_item", "1. Open the order"),
        ("list_item", "2. Choose Refund"),
        ("list_item", "full"),
        ("list_item", "partial"),
        ("table_row", "Plan | Days"),
        ("table_row", "Basic | 14"),
        ("table_row", "Pro | 30"),
        ("code", "GET /refunds\n\nx = 1"),
    ]
    assert "Basic | 14\nPro | 30\n\nGET" in document.text
    assert document.media_type == "text/markdown"


def test_the_title_is_the_front_matters_then_the_headings_then_the_names() -> None:
    assert markdown.parse(GUIDE, "guide.md").title == "Refunds"
    assert markdown.parse(b"intro\n\n# A\n\n# B\n", "two-parts.md").title == "Two parts"
    assert markdown.parse(b"---\ntitle: 'Fees'\n---\ntext", "a.md").title == "Fees"
    assert markdown.parse(b"## Only a section\n\ntext", "a.md").title == "Only a section"
    assert markdown.parse(b"text", "release-notes.md").title == "Release notes"


def test_hidden_html_stays_hidden_and_placeholders_stay_visible() -> None:
    data = b"Use <your-name> <!-- secret --> <span hidden>secret</span> and <script> tags.\n\nEnd."

    assert markdown.parse(data, "a.md").text == "Use <your-name> and <script> tags.\n\nEnd."


def test_a_rule_at_the_top_is_not_front_matter() -> None:
    assert markdown.parse(b"---\nNot a key\n\n---\n\nBody", "a.md").text.endswith("Body")
    assert "Not a key" in markdown.parse(b"---\nNot a key\n\n---\n\nBody", "a.md").text


def test_deeply_nested_lists_lose_nothing() -> None:
    source = "".join("  " * depth + f"- item {depth}\n" for depth in range(30))

    assert markdown.parse(source.encode(), "a.md").text == "\n".join(
        f"item {depth}" for depth in range(30)
    )
