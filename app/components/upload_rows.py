"""Each upload in words: where it stands, what became of it, what can be done about it."""

from collections.abc import Sequence

from app.components.addresses import of_document, of_upload
from app.components.moments import clock
from app.components.tree import Element, Node, button, link, node
from app.text import t
from ingest import sources
from ingest.jobs import RETRIED
from ingest.messages import catalogue
from ingest.tables import Job, JobState, Outcome

# What a person reads through; of more, the first are shown, and how many there are.
SHOWN = 50
GROUPS = ("working", "failed", "quarantined", "paused", "waiting", "set_aside", "done")
FOLDED = frozenset({"waiting", "done"})
EXPLAINED = frozenset({"quarantined"})
_OUTCOMES = {
    Outcome.FAILED: "failed",
    Outcome.QUARANTINED: "quarantined",
    Outcome.INDEXED: "done",
}


def groups(rows: Sequence[Job]) -> dict[str, list[Job]]:
    """Return uploads by where they stand; groups without any are left out."""
    found: dict[str, list[Job]] = {name: [] for name in GROUPS}
    for job in rows:
        found[_group_of(job)].append(job)
    return {name: some for name, some in found.items() if some}


def group_nodes(name: str, rows: Sequence[Job]) -> Element:
    """Return a group of uploads under its heading."""
    heading = node("h3", t(f"uploads.group_{name}", count=len(rows)))
    more = len(rows) - SHOWN
    content = [
        node("p", t(f"uploads.explained_{name}"), class_="quiet") if name in EXPLAINED else None,
        node("ul", *(_row(job) for job in rows[:SHOWN])),
        node("p", t("uploads.more", count=more), class_="quiet") if more > 0 else None,
    ]
    if name in FOLDED:
        return node("details", node("summary", heading), *content, key=name)
    return node("section", heading, *content, key=name)


def stage(job: Job) -> str:
    """Return in words how far an unfinished upload is."""
    if job.state == JobState.PAUSED:
        return t("uploads.stage_paused")
    if job.not_before is not None and job.error_code is not None and job.state == JobState.QUEUED:
        return t("uploads.stage_postponed", at=clock(job.not_before), reason=_reason(job))
    if not _is_at_work(job):
        return t("uploads.stage_waiting")
    done, total = job.progress_done, job.progress_total
    if not total:
        return t(f"uploads.stage_{job.stage}")
    if job.stage == "reading":
        return t("uploads.stage_reading_page", page=min(done + 1, total), pages=total)
    return t("uploads.stage_embedding_passages", done=done, passages=total)


def _group_of(job: Job) -> str:
    if job.state == JobState.DONE:
        return _OUTCOMES.get(Outcome(str(job.outcome)), "set_aside")
    if job.state == JobState.PAUSED:
        return "paused"
    return "working" if _is_at_work(job) else "waiting"


def _is_at_work(job: Job) -> bool:
    # A worker takes several at once, and then reads one after the other.
    return job.state == JobState.RUNNING and job.stage != "waiting"


def _row(job: Job) -> Node:
    ended = job.state == JobState.DONE
    return node(
        "li",
        node(
            "div",
            node("span", job.file_name, class_="name"),
            node("p", *(_end(job) if ended else [stage(job)])),
            _bar(job) if _is_at_work(job) else None,
            class_="problem" if job.outcome in {Outcome.FAILED, Outcome.QUARANTINED} else None,
        ),
        node("div", *(_after(job) if ended else _meanwhile(job)), class_="acts"),
        key=job.id,
        class_="upload",
    )


def _bar(job: Job) -> Node:
    label = t("uploads.progress_of", name=job.file_name)
    if not job.progress_total:
        # Without a value the browser shows that it goes on, and not how far.
        return node("progress", aria_label=label)
    return node("progress", aria_label=label, value=job.progress_done, max=job.progress_total)


def _end(job: Job) -> list[Node]:
    """Return in words what became of an upload."""
    if job.outcome == Outcome.DUPLICATE and job.document_id:
        title = str(job.error_fields.get("other_title", job.document_id))
        address = of_document(job.document_id)
        return [t("uploads.ended_duplicate"), link(title, address, "open", job.document_id), "."]
    if job.outcome in {Outcome.INDEXED, Outcome.UNCHANGED} and job.document_id:
        words = t(f"uploads.ended_{job.outcome}", passages=job.passages)
        address = of_document(job.document_id)
        return [words, " ", link(t("uploads.open"), address, "open", job.document_id)]
    if job.outcome == Outcome.CANCELLED or job.error_code is None:
        return [t(f"uploads.ended_{job.outcome}", passages=job.passages)]
    return [_reason(job)]


def _reason(job: Job) -> str:
    """Return what went wrong and what to do, without the file's name, which stands above."""
    entry = catalogue("ingest", "en")[str(job.error_code)]
    text = f"{entry['message']} {entry['hint']}".format(**job.error_fields)
    text = text.removeprefix(f"{job.error_fields.get('title')}: ")
    return text[:1].upper() + text[1:]


def _meanwhile(job: Job) -> list[Node]:
    return [button(t("uploads.cancel"), "cancel", job.id, job.file_name)]


def _after(job: Job) -> list[Node | None]:
    again = job.outcome in RETRIED and sources.is_retryable(job)
    file = node(
        "a",
        t("uploads.download"),
        href=of_upload(job.id),
        class_="act",
        download="",
        aria_label=f"{t('uploads.download')}: {job.file_name}",
    )
    return [
        button(t("uploads.retry"), "retry", job.id, job.file_name) if again else None,
        file if job.outcome == Outcome.QUARANTINED else None,
        button(t("uploads.discard"), "discard", job.id, job.file_name),
    ]
