"""What a passage is read with when it is held against a claim."""

from rag.retrieve import Hit


def evidence_text(hit: Hit, stretch: str | None = None) -> str:
    """Return a passage, or a stretch of it, with what tells what it is about.

    That are its title, its headings and the header of its table.
    """
    passage = hit.passage
    above = dict.fromkeys([hit.version.title, *passage.heading_path])
    text = passage.text if stretch is None else stretch
    # Rows follow the names of their columns at once, as in a whole table.
    rows = f"{passage.table_header}\n{text}" if passage.table_header else text
    return "\n\n".join([*filter(None, above), rows])
