"""What drafts at this desk: whether it works, how busy it is, and what it has cost."""

from app.components.memory_card import percent
from app.components.moments import moment
from app.components.tree import Node, node
from app.text import t
from app.workflow.models import Asked, DeskRoute, Month
from rag.routes import Region
from rag.vllm import ServerLoad

DASH = "\N{EN DASH}"
LEAST_USD = 0.01


def drafting(desk: DeskRoute) -> list[Node]:
    """Return which model drafts, whether it works, and how busy its server is."""
    heading = node("h3", t("models.drafting"))
    if desk.is_embedded:
        hint = node("p", t("models.embedded_hint"), class_="quiet")
        return [heading, node("p", node("strong", t("models.embedded"))), hint]
    name = node("p", node("strong", desk.name))
    if desk.problem is not None or desk.region is None:
        return [heading, name, node("p", desk.problem, class_="problem")]
    window = t("models.facts", where=place(desk.region), window=f"{desk.window_tokens:,}")
    return [
        *(heading, name, node("p", window, class_="quiet"), state(desk.asked)),
        *(busy(desk.load) if desk.load else []),
    ]


def state(asked: Asked | None) -> Node:
    """Return what came of asking."""
    if asked is None:
        return node("p", t("models.unasked"))
    when = node("div", t("models.asked_at", when=moment(asked.at)), class_="quiet")
    if asked.probe.error is None:
        seconds = f"{max(asked.probe.seconds, 0.1):.1f}"
        return node("p", t("models.works", seconds=seconds), when)
    reason = " ".join(filter(None, [asked.probe.error, asked.probe.hint]))
    return node("p", t("models.fails", reason=reason), when, class_="problem")


def busy(load: ServerLoad) -> list[Node]:
    """Return how busy a server of one's own is."""
    sentences = [t("models.busy", running=f"{load.running:,}", waiting=f"{load.waiting:,}")]
    if load.cache_use is not None:
        sentences.append(t("models.cache", percent=percent(load.cache_use)))
    if load.gpu_memory_share is not None:
        sentences.append(t("models.set_aside", percent=percent(load.gpu_memory_share)))
    return [node("p", " ".join(sentences))]


def month(spent: Month) -> list[Node]:
    """Return what the month has cost so far, beside its limit."""
    unknown = spent.requests > 0 and spent.unpriced == spent.requests
    amount = DASH if unknown else dollars(spent.spent_usd)
    parts: list[Node] = [node("h3", t("models.month"))]
    if spent.limit_usd:
        words = t("models.spent", spent=amount, limit=dollars(spent.limit_usd))
        bar = node("progress", max=spent.limit_usd, value=spent.spent_usd, aria_label=words)
        parts += [node("p", node("strong", words)), bar]
    else:
        so_far = node("p", node("strong", t("models.spent_so_far", spent=amount)))
        parts += [so_far, node("p", t("models.no_limit"), class_="quiet")]
    if spent.is_spent:
        parts.append(node("p", t("models.limit_reached"), class_="problem"))
    if spent.unpriced:
        counts = {"unpriced": f"{spent.unpriced:,}", "requests": f"{spent.requests:,}"}
        parts.append(node("p", t("models.unpriced", **counts), class_="quiet"))
    return parts


def dollars(amount: float | None) -> str:
    """Return an amount of US dollars; one that nobody knows is a dash."""
    if amount is None:
        return DASH
    if 0 < amount < LEAST_USD:
        return t("models.least", usd=f"{LEAST_USD:.2f}")
    return f"{amount:,.2f}"


def place(region: Region) -> str:
    """Return in words who reads what a route is sent."""
    return t(f"models.region_{region}")
