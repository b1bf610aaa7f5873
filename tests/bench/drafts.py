"""Are drafts made where there is an answer, left where there is none, and are they true and useful?

For each set: the share of answerable tickets drafted and of the others left undrafted, citation
precision and recall in the machine's judgement, and where gold exists whether a draft cites it
(northwind: the page, sumo: the article) or states what it must (desk). Without --url the embedded
drafter writes.

usage: python -m tests.bench.drafts [--sets desk,northwind,sumo] [--limit N] [--desks FOLDER]
                                    [--model openai/NAME --url URL [--window N]] [--show]

    --limit    so many tickets of each set, evenly spread; of sumo 60 pairs unless given
    --desks    keep each set's desk in this folder, and take it from there if it is there
    --show     print each draft
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.services import Services
from app.settings import Settings
from ingest.access import Scope
from rag.draft_figures import figures
from rag.errors import RagError
from rag.evaluate_drafts import Outcome, evaluate
from rag.intervals import mean_interval
from rag.llm import LiteLlmModel, Patience
from rag.models import resolve
from rag.writing import Writer
from tests.bench.draft_sets import SETS, AbsentDataError, Case, drafter_without

SUMO_CASES = 120
PATIENCE = Patience(first=600.0, next=60.0, total=900.0)
REPLY_TOKENS = 256
STAFF = Scope.of_staff(frozenset())
MEASURES = {
    "answerable_drafted": "drafted of the answerable",
    "unanswerable_abstained": "left of the unanswerable",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "must_met": "facts stated of those wanted",
}


def main() -> None:
    """Draft and judge each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--limit", type=int)
    parser.add_argument("--desks", type=Path)
    parser.add_argument("--model", default="openai/model")
    parser.add_argument("--url")
    parser.add_argument("--window", type=int, default=4_096)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    writer = _writer(options.model, options.url, options.window) if options.url else None
    for name in options.sets.split(","):
        try:
            cases = SETS[name].cases()
        except AbsentDataError as error:
            write(f"{name} is skipped: {error}")
            continue
        wanted = options.limit or (SUMO_CASES if name == "sumo" else len(cases))
        measure(name, _spread(cases, wanted), writer, options.desks, show=options.show)


def measure(
    name: str, cases: Sequence[Case], writer: Writer | None, desks: Path | None, *, show: bool
) -> None:
    """Draft every case of a set on a desk of its documents, and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        home = (desks or Path(folder)) / name
        is_new = not home.exists()
        settings = Settings(home=home, database_url="")
        if writer is not None:
            settings = settings.model_copy(update={"reply_tokens": REPLY_TOKENS})
        services = Services(settings)
        if is_new:
            SETS[name].load(services)
        made = []
        for case in cases:
            outcome = _drafted(services, case, writer)
            if outcome is not None:
                made.append((case, outcome))
                if show:
                    _show(outcome)
        services.database.close()
    report(name, made, failed=len(cases) - len(made))


def report(name: str, made: Sequence[tuple[Case, Outcome]], failed: int) -> None:
    """Print the figures of a set."""
    found = figures([outcome for _, outcome in made])
    write(
        f"\n{name}: {found['tickets']} tickets, {found['answerable']} answerable;"
        f" {found['drafted']} drafted, {found['incomplete']} incomplete, {failed} failed;"
        f" {found['claims']} claims, {found['numbers_wrong']} numbers not in their source,"
        f" {found['must_not_violated']} drafts say what they must not;"
        f" {found['seconds'] / max(1, found['tickets']):.2f} s a ticket"
    )
    for measure_name, title in MEASURES.items():
        if found[measure_name] is not None:
            write(_line(title, found[measure_name], found["intervals"][measure_name]))
    cited = [
        float(case.is_cited_by([each.hit for claim in outcome.claims for each in claim.evidence]))
        for case, outcome in made
        if case.gold and outcome.answerable and outcome.is_drafted
    ]
    if cited:
        interval = mean_interval(cited)
        write(_line("gold cited, of those drafted", interval.mean, [interval.low, interval.high]))


def _drafted(services: Services, case: Case, writer: Writer | None) -> Outcome | None:
    drafter = drafter_without(services.drafter, case.withdrawn)
    try:
        return evaluate(drafter, case.ticket, STAFF, writer)
    except RagError as error:
        sys.stderr.write(f"{case.ticket.id}: {error}\n")
        return None


def _writer(name: str, url: str, window_tokens: int) -> Writer:
    route = resolve(name, url=url, key="none", window_tokens=window_tokens)
    return Writer(route, LiteLlmModel(route, PATIENCE))


def _spread(cases: Sequence[Case], count: int) -> list[Case]:
    """Return about so many cases, evenly over the set; those in pairs stay together."""
    pairs = [cases[at : at + 2] for at in range(0, len(cases), 2)]
    wanted = min(len(pairs), -(-count // 2))
    chosen = [pairs[number * len(pairs) // wanted] for number in range(wanted)]
    return [case for pair in chosen for case in pair][:count]


def _show(outcome: Outcome) -> None:
    verdict = "answerable" if outcome.answerable else "not answerable"
    write(f"\n--- {outcome.ticket}, {verdict}: {outcome.status} {outcome.reason or ''}")
    write(outcome.text)
    write(
        f"precision {outcome.citation_precision}, recall {outcome.citation_recall},"
        f" missing {list(outcome.missing)}, forbidden {list(outcome.forbidden)}"
    )


def _line(title: str, mean: float, bounds: Sequence[float] | None) -> str:
    between = f"  [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""
    return f"  {title:34s}{mean:.3f}{between}"


def write(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
