"""The line that sums all uploads up: "12 of 30 done, about 40 seconds left, 1 needs you"."""

from app.components.moments import duration
from app.components.tree import Element, node
from app.text import t
from app.workflow.uploads import Standing

# How often a screen reader is told, however many uploads there are.
SPOKEN_STEPS = 5


def line(standing: Standing, needing: int) -> Element:
    """Return the line as it is seen, as it is read aloud now and then, and as a bar."""
    total = standing.done + standing.pace.unfinished
    step = max(1, total // SPOKEN_STEPS)
    spoken = standing.done - standing.done % step if standing.pace.unfinished else total
    bar = node("progress", value=standing.done, max=total, aria_label=t("uploads.overall"))
    return node(
        "div",
        node("p", ", ".join([_done(standing.done, total), *_rest(standing), *_needs(needing)])),
        node(
            "p", ", ".join([_done(spoken, total), *_needs(needing)]), class_="unseen", role="status"
        ),
        bar if standing.pace.unfinished else None,
        class_="overall",
    )


def _done(done: int, total: int) -> str:
    return t("uploads.line_done", done=done, total=total)


def _rest(standing: Standing) -> list[str]:
    pace, parts = standing.pace, []
    if standing.is_moving and pace.seconds_left is not None:
        parts.append(t("uploads.line_left", duration=duration(pace.seconds_left)))
    if pace.paused:
        parts.append(t("uploads.line_paused", count=pace.paused))
    return parts


def _needs(needing: int) -> list[str]:
    if not needing:
        return []
    return [t("uploads.line_needs_one" if needing == 1 else "uploads.line_needs", count=needing)]
