"""Questions about cloud documentation from MTRAG, without any history, beside other stacks.

The collection (12,059 texts, 188 questions) is other people's work and no part of this
repository: it is read from `shared/data/mtrag_cloud` beside it. The other stacks compute in
bfloat16 here, which halves their time and leaves their rankings as they are.

usage: python -m tests.bench.mtrag [--peers PYTHON] [--home DIR]
"""

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import select

from app.services import Services
from app.settings import Settings
from ingest import sources
from ingest.access import Scope
from ingest.tables import Document
from rag import evaluate
from rag.evaluate import Collection
from rag.intervals import mean_interval, paired_difference
from rag.metrics import ndcg, recall
from tests.bench import stacks
from tests.bench.compare import PEERS

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "mtrag_cloud"
FOUND = 50
SCOPE = Scope.everything()


class Bench:
    """The collection in a home of the product."""

    def __init__(self, home: Path) -> None:
        self.services = Services(Settings().model_copy(update={"home": home}))
        with self.services.database.read() as session:
            present = session.scalar(select(Document.id).limit(1))
        if present is None:
            self._take_in(home)
        with self.services.database.read() as session:
            self._names = dict(session.execute(select(Document.id, Document.source)).all())

    def _take_in(self, home: Path) -> None:
        export = home / "corpus.jsonl"
        lines = evaluate.corpus_lines(FOLDER / "corpus.jsonl")
        export.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        services = self.services
        uploads = sources.uploads([export], {})
        ids = sources.submit(services.database, services.files, uploads, "bench")
        services.worker.finish(ids, lambda _: None)

    def ranking(self, text: str) -> list[str]:
        """Return the texts that the product finds."""
        hits = self.services.retriever.search(text, FOUND, SCOPE)
        return list(dict.fromkeys(self._names[hit.document.id] for hit in hits))


def show(name: str, found: dict[str, list[str]], collection: Collection) -> list[float]:
    """Print a row of figures; return nDCG@10 by question."""
    pairs = [(found.get(query, []), judged) for query, judged in collection.judgements.items()]
    gains = [ndcg(ranking, judged, 10) for ranking, judged in pairs]
    cells = []
    for values in (gains, [recall(ranking, judged, 10) for ranking, judged in pairs]):
        sure = mean_interval(values)
        cells.append(f"{sure.mean:.3f} [{sure.low:.3f}-{sure.high:.3f}]")
    sys.stdout.write(f"{name:24s} nDCG@10 {cells[0]}   recall@10 {cells[1]}\n")
    sys.stdout.flush()
    return gains


def main() -> None:
    """Ask every question of every stack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="the interpreter that has the other stacks")
    parser.add_argument("--home", type=Path, help="where to build; a throw-away folder if absent")
    options = parser.parse_args()
    collection = evaluate.read_collection(FOLDER, None)
    with ExitStack() as stack:
        home = options.home or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(home)
        found = {query: bench.ranking(text) for query, text in collection.queries.items()}
        ours = show("ours, without history", found, collection)
        bench.services.database.close()
        for peer in PEERS if options.peers else ():
            found = stacks.rankings_of_peer(options.peers, peer, FOLDER, "bfloat16")
            gains = show(peer, found, collection)
            lead = paired_difference(gains, ours)
            sys.stdout.write(
                f"{'':24s} ours {lead.mean:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]\n"
            )


if __name__ == "__main__":
    main()
