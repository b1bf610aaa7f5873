from collections.abc import Callable

import pytest

from ingest.errors import PoisonDocumentError
from ingest.parse.formats import html
from ingest.parse.parsed import ParsedDocument


def test_a_page_is_read_without_its_navigation(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    data = b"""<!doctype html><html><head><title> Help:\n Refunds </title><style>x{}</style></head>
    <body><nav>Home</nav><header>Logo</header><main><h1>Refunds</h1>
    <p>We <b>refund</b> in <a href="https://example.com">5 days</a>.<br>No fees.</p>
    <ol start="3"><li>Open<ul><li>App</li></ul></li><li><p>Choose</p></li></ol>
    <pre>a\n  b</pre><script>evil()</script><noscript>No</noscript></main>
    <aside>Ads</aside><footer>Imprint</footer></body></html>"""

    document = html.parse(data, "refunds.html")

    assert document.title == "Help: Refunds"
    assert blocks_of(document) == [
        ("heading1", "Refunds"),
        ("paragraph", "We refund in 5 days.\nNo fees."),
        ("list_item", "3. Open"),
        ("list_item", "App"),
        ("list_item", "4. Choose"),
        ("code", "a\n  b"),
    ]


def test_table_rows_are_one_block_each(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    data = b"""<table><caption>Fees</caption><tr><th>Plan<th>Fee</tr>
    <tr><td>Basic</td><td></td><td><ul><li>1</li><li>2</li></ul></td></tr><tr><td></td></tr></table>
    <table><tr><td>x<td>y<tr><td>z</table>"""

    document = html.parse(data, "a.html")

    assert blocks_of(document) == [
        ("paragraph", "Fees"),
        ("table_row", "Plan | Fee"),
        ("table_row", "Basic | | 1 2"),
        ("table_row", "x | y"),
        ("table_row", "z"),
    ]
    assert document.text.endswith("Basic | | 1 2\n\nx | y\nz")


def test_a_table_that_only_lays_out_the_page_is_read_as_text(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    data = b"<table><tr><td>Menu<td><h1>Title</h1><p>One<p>Two</table>"

    assert blocks_of(html.parse(data, "a.html")) == [
        ("paragraph", "Menu"),
        ("heading1", "Title"),
        ("paragraph", "One"),
        ("paragraph", "Two"),
    ]


@pytest.mark.parametrize(
    "element",
    [
        "<p hidden>secret</p>",
        '<p style="color: red; DISPLAY : none">secret</p>',
        '<span style="font-size:0">secret</span>',
        '<div style="opacity: 0;">secret</div>',
        "<dialog>secret</dialog>",
        "<template>secret</template>",
        "<textarea>secret</textarea>",
        "<!-- secret -->",
        '<ul role="navigation"><li>secret</ul>',
    ],
)
def test_what_a_reader_cannot_see_is_left_out(element: str) -> None:
    assert html.parse(f"<p>Seen</p>{element}<p>Too".encode(), "a.html").text == "Seen\n\nToo"


def test_a_header_stays_when_it_holds_the_main_heading() -> None:
    data = b"<header><h1>Fees</h1></header><p>None."

    assert html.parse(data, "a.html").text == "Fees\n\nNone."
    assert html.parse(data, "a.html").title == "Fees"


def test_a_page_of_nothing_but_navigation_is_still_read() -> None:
    assert html.parse(b"<nav><a>Refunds</a></nav>", "a.html").text == "Refunds"


def test_the_declared_encoding_is_used_unless_it_is_impossible() -> None:
    page = '<meta charset="{}"><p>цена'

    russian = html.parse(page.format("windows-1251").encode("cp1251"), "a.html")
    lying = html.parse(page.format("utf-16le").encode(), "a.html")

    assert (russian.text, lying.text) == ("цена", "цена")


def test_deep_nesting_does_not_exhaust_the_stack(check: Callable[[ParsedDocument], None]) -> None:
    document = html.parse(b"<div>" * 5_000 + b"deep", "a.html")

    check(document)
    assert document.text == "deep"


def test_a_page_nested_beyond_reason_is_refused_at_once() -> None:
    with pytest.raises(PoisonDocumentError, match="nested too deeply"):
        html.parse(b"<html>" + b"<div>" * 100_000 + b"deep", "a.html")


def test_latin_1_is_read_as_browsers_read_it() -> None:
    page = b"<html><meta charset=iso-8859-1><p>The \x93red\x94 lamp"

    assert html.parse(page, "a.html").text == "The \u201cred\u201d lamp"
