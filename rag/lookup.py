"""The one tool that a model is offered: to search the documents again while it writes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ingest.db import storable
from rag import ledger
from rag.budget import Prompt
from rag.prompt import passage
from rag.provider import ToolCall
from rag.retrieve import Hit
from rag.tokens import TokenCounter

# Kept free in the window for the tool's description, what is asked and what is found.
RESERVED_TOKENS = 1_500
DESCRIPTION_TOKENS = 300
MAX_CALLS = 2
FOUND = 4
MAX_QUERY_CHARACTERS = 300
NAME = "search_documents"
FOUND_BY_MODEL = "the model looked for it"
NOTHING = "Nothing more was found."
TOOL: Mapping[str, Any] = {
    "type": "function",
    "function": {
        "name": NAME,
        "description": "Find more passages, where the numbered ones do not answer the question.",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string", "description": "What to look for."}},
            "required": ["query"],
        },
    },
}


class Lookup:
    """Answers a model's calls: read `messages` and `prompt`, which has what was found."""

    def __init__(
        self,
        calls: Sequence[ToolCall],
        prompt: Prompt,
        search: Callable[[str], Sequence[Hit]],
        counter: TokenCounter,
    ) -> None:
        """Search for all that is asked; what is no search is answered with nothing."""
        self._room = RESERVED_TOKENS - DESCRIPTION_TOKENS
        self._hits, self._ledger = list(prompt.hits), list(prompt.ledger)
        self._counter = counter
        answered = calls[:MAX_CALLS]
        told = [_told(call) for call in answered]
        self.messages: list[dict[str, Any]] = [
            {"role": "assistant", "content": "", "tool_calls": told}
        ]
        for call in answered:
            query = _query(call)
            found = self._added(search(query)) if query else []
            content = "\n\n".join(found) or NOTHING
            self.messages.append(
                {"role": "tool", "tool_call_id": call.id, "name": NAME, "content": content}
            )
        self.prompt = replace(
            prompt,
            hits=self._hits,
            ledger=self._ledger,
            tokens=prompt.tokens + RESERVED_TOKENS - self._room,
            exact=False,
        )

    def _added(self, found: Sequence[Hit]) -> list[str]:
        """Return the passages that are new and fit, and count them among the prompt's."""
        known = {hit.passage.id for hit in self._hits}
        texts = []
        for hit in [hit for hit in found if hit.passage.id not in known][:FOUND]:
            text = passage(len(self._hits) + 1, hit)
            cost = self._counter.count_text(text)
            if cost > self._room:
                continue
            self._room -= cost
            self._hits.append(hit)
            texts.append(text)
            # It may have been left out for want of room: markers count in the ledger's order.
            left = [entry for entry in self._ledger if entry["passage_id"] != hit.passage.id]
            self._ledger = [*left, ledger.entry(hit, FOUND_BY_MODEL, included=True, tokens=cost)]
        return texts


def _query(call: ToolCall) -> str | None:
    try:
        query = json.loads(call.arguments or "{}").get("query")
    except (ValueError, AttributeError):
        return None
    is_asked = call.name == NAME and isinstance(query, str) and query.strip()
    return storable(query).strip()[:MAX_QUERY_CHARACTERS] if is_asked else None


def _told(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}
