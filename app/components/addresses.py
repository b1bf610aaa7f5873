"""Where our pages and files are, for links."""

from urllib.parse import quote, urlencode


def of_document(document_id: str) -> str:
    """Return the address of a document's page."""
    return f"/documents?{urlencode({'document': document_id})}"


def of_original(version_id: str) -> str:
    """Return the address of a version's file."""
    return f"/source/{quote(version_id, safe='')}"


def of_page_image(version_id: str, page: int, span: tuple[int, int]) -> str:
    """Return the address of a page's picture with a span of the text marked."""
    start, end = span
    return f"{of_original(version_id)}/page/{page}.png?{urlencode({'start': start, 'end': end})}"


def of_upload(job_id: str) -> str:
    """Return the address of an upload's bytes."""
    return f"/upload/{quote(job_id, safe='')}"
