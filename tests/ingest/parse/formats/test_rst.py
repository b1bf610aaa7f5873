from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import EmptyDocumentError, PoisonDocumentError
from ingest.parse import registry
from ingest.parse.formats import rst
from ingest.parse.parsed import ParsedDocument

GUIDE = """
.. _top:

=====
Guide
=====

.. |product| replace:: Acme *Desk*

Refunds of |product| take
**5 days**, see `the terms <https://example.com>`_ [#]_ and |nothing|.

.. [#] Without weekends.

Steps
=====

3. Open it

   More of it.

   a) Sub
4. Close ``it``

- one

  - deep

Plan : class
   What you pay for.

-v, --verbose  Say more.
:author: Ada

+-------+-----+
| Plan  | Fee |
+=======+=====+
| Pro   | 9   |
|       |     |
|       | a   |
+-------+-----+
| None        |
+-------------+

For example::

   $ refund
       --all

| Line
| by line

   Quoted.

   -- Ada

.. image:: a.png
   :alt: The picture

Deep
----

.. comment

End.
"""


def text_of(source: str) -> str:
    return rst.parse(source.encode(), "a.rst").text


def test_structure_becomes_blocks_without_markup(
    blocks_of: Callable[[ParsedDocument], list[tuple[str, str]]],
) -> None:
    document = rst.parse(GUIDE.encode(), "a.rst")

    assert document.title == "Guide"
    assert blocks_of(document) == [
        ("heading1", "Guide"),
        (
            "paragraph",
            "Refunds of Acme Desk take 5 days, see the terms [1] and |nothing|.",
        ),
        ("paragraph", "[1] Without weekends."),
        ("heading2", "Steps"),
        ("list_item", "3. Open it"),
        ("list_item", "More of it."),
        ("list_item", "a) Sub"),
        ("list_item", "4. Close it"),
        ("list_item", "one"),
        ("list_item", "deep"),
        ("paragraph", "Plan : class"),
        ("paragraph", "What you pay for."),
        ("list_item", "-v, --verbose: Say more."),
        ("paragraph", "author: Ada"),
        ("table_row", "Plan | Fee"),
        ("table_row", "Pro | 9 a"),
        ("table_row", "None"),
        ("paragraph", "For example:"),
        ("code", "$ refund\n    --all"),
        ("paragraph", "Line\nby line"),
        ("paragraph", "Quoted."),
        ("paragraph", "— Ada"),
        ("paragraph", "The picture"),
        ("heading3", "Deep"),
        ("paragraph", "End."),
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (".. note:: Careful.\n\n   Really.", "Note: Careful.\n\nReally."),
        (".. warning::\n   :collapsible:\n\n   - hot", "Warning: hot"),
        (".. admonition:: By the way\n\n   ::\n\n     x", "By the way:\n\nx"),
        (".. versionadded:: 3.5\n   The ``x`` option.", "New in version 3.5 The x option."),
        (".. deprecated:: 4.0", "Deprecated since version 4.0"),
        (".. seealso:: The *manual*.", "See also: The manual."),
        (".. toctree::\n   :maxdepth: 2\n\n   install\n   usage", "install usage"),
        (".. code-block:: python\n   :linenos:\n\n   if x:\n       y", "if x:\n    y"),
        (".. tabs::\n\n   .. tab:: Linux\n\n      Run *it*.", "Linux\n\nRun it."),
        (".. grid:: 2\n\n   .. card:: One\n\n      Text", "One\n\nText"),
        (".. py:function:: pay(*sums)\n\n   :param sums: All.", "pay(*sums)\n\nparam sums: All."),
        (".. only:: html\n\n   Text", "Text"),
        (".. figure:: a.png\n   :odd: 1\n   :alt: A\n\n   Caption", "A\n\nCaption"),
        (".. list-table:: Fees\n   :odd: 1\n\n   * - a\n     - b", "Fees\n\na | b"),
        (".. math::\n   :label: x\n\n   a^2", "a^2"),
        ("See :ref:`the start <top>`, :doc:`/a`, :class:`~x.Y`.", "See the start, /a, Y."),
        ("Press :kbd:`Enter`, `2`:sup:, :pep:`8`.", "Press Enter, 2, PEP 8."),
    ],
)
def test_what_only_sphinx_knows_is_read_as_its_text(source: str, expected: str) -> None:
    assert text_of(source) == expected


def test_what_cannot_be_parsed_is_kept_as_it_is() -> None:
    assert text_of("+---+\n| a |\n+-\n\nText *open.") == "+---+\n| a |\n+-\n\nText *open."
    assert text_of("a\n\n   Title\n   =====\n\n   b").startswith("a\n\nTitle\n=====")


def test_nothing_outside_of_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    path = tmp_path / "secret"
    source = (
        f".. include:: {path}\n\n.. literalinclude:: {path}\n\n.. csv-table:: t\n   :file: {path}"
        f"\n\n.. raw:: html\n   :file: {path}\n\n.. code::\n   :include: {path}\n\n"
        ".. role:: page(raw)\n   :format: html\n\n:page:`<b>`\n\nEnd."
    )

    text = text_of(source)

    assert "secret" not in text.replace(str(path), "")
    assert text.endswith("End.")


def test_markdown_with_underlined_titles_is_not_taken() -> None:
    data = b"Fees\n====\n\n* see [terms](x)\n\n```\nGET ::\n```\n\nUse ``code``::\n"

    assert not rst.recognises(data, "a.txt")
    assert rst.recognises(b"Fees\n====\n\nSee :ref:`terms`.", "a.txt")
    assert not rst.recognises(b"Fees\n====\n\nSee :ref:`terms`.", "readme.md")


def test_substitutions_in_circles_and_without_end_are_cut() -> None:
    circle = ".. |a| replace:: x |b|\n.. |b| replace:: y |a|\n\n|a|"
    doubling = "".join(f".. |a{n}| replace:: |a{n + 1}| |a{n + 1}|\n" for n in range(40))

    assert text_of(circle) == "x y |a|"
    assert len(text_of(f"{doubling}.. |a40| replace:: x\n\n|a0|")) < 1_001
    with pytest.raises(PoisonDocumentError, match="substitutions grow too long"):
        text_of(f".. |a| replace:: {'x' * 2_000}\n\n" + "|a|\n\n" * 1_001)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("- " * 500 + "x", "nested too deeply"),
        (".. note:: " * 300 + "x", "nested too deeply"),
        ("\n".join(" " * depth + "a\n" for depth in range(300)), "nested too deeply"),
        ("*a " * 20_000, "too much markup"),
        (("*" * 70 + "\n") * 14_000, "too much markup"),
        ("x\n\n" * 2_000_001, "longer than 6 million characters"),
    ],
)
def test_what_would_take_too_long_is_refused(source: str, reason: str) -> None:
    with pytest.raises(PoisonDocumentError, match=reason):
        text_of(source)


@pytest.mark.timeout(20)
def test_a_megabyte_of_stars_is_a_line_without_text() -> None:
    with pytest.raises(EmptyDocumentError):
        registry.parse(b"*" * 1_000_000, "a.rst")
