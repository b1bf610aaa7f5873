"""HTML pages with a known text, written as help centres write theirs."""

from html import escape

from tests.bench.fidelity_text import Sample, prose

NAVIGATION = """
<header><a href="/">Home</a> <a href="/products">Products</a></header>
<nav><ul><li><a href="/a">Browse articles</a></li>
<li><a href="/b">Contact support</a></li></ul></nav>
"""
FOOTER = """
<footer><p>Copyright Brewer Works. All rights reserved.</p><a href="/privacy">Privacy</a></footer>
<script>var tracking = "never shown";</script>
"""
STYLE = "<style>.warning { color: red }</style>"


def samples() -> list[Sample]:
    """Write all pages."""
    return [_article(), _reference()]


def _article() -> Sample:
    """Navigation around lists inside lists, code and entities."""
    intro, step, inner, last = (prose(seed, 4) for seed in (700, 701, 702, 703))
    code = "pump --open 3\n    valve --close 4"
    body = f"""
<main><article><h1>Cleaning the brewer</h1><p>{intro}</p><h2>Steps &amp; tools</h2>
<ol><li>{step}<ul><li>{inner}</li><li>Use 5&nbsp;ml of descaler&mdash;never more.</li></ul></li>
<li>Say &quot;ready&quot; &#8211; caf&eacute; first.</li></ol><pre><code>{escape(code)}</code></pre>
<!-- an editor's remark --><p>{last}</p></article></main>"""
    expected = [
        *("Cleaning the brewer", intro, "Steps & tools", step, inner),
        *("Use 5 ml of descaler—never more.", 'Say "ready" \u2013 café first.', code, last),
    ]
    return _page("article.html", body, expected, optional="1 2")


def _reference() -> Sample:
    """Tables, definitions, words with markup inside, line breaks, and text folded away."""
    intro, folded, quoted = (prose(seed, 4) for seed in (710, 711, 712))
    rows = [[f"E{n}", prose(720 + n, 1), f"{n} min"] for n in range(11, 19)]
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    body = f"""
<div class="content"><h1>Error codes</h1><p>{intro}</p>
<table><thead><tr><th>Code</th><th colspan="2">Meaning and wait</th></tr></thead>{lines}</table>
<dl><dt>Over<b>heat</b>ing</dt><dd>First line<br>second line</dd></dl>
<details><summary>More details</summary><p>{folded}</p></details>
<blockquote>{quoted}</blockquote></div>"""
    expected = ["Error codes", intro, "Code Meaning and wait", *(" ".join(row) for row in rows)]
    expected += ["Overheating", "First line", "second line", "More details", folded, quoted]
    return _page("reference.html", body, expected)


def _page(name: str, body: str, expected: list[str], *, optional: str = "") -> Sample:
    title = f"Help page {name.partition('.')[0]}"
    head = f'<head><meta charset="utf-8"><title>{title}</title>{STYLE}</head>'
    page = f"<!doctype html><html>{head}<body>{NAVIGATION}{body}{FOOTER}</body></html>"
    return Sample(name, page.encode(), "\n".join(expected), optional=f"{title} {optional}")
