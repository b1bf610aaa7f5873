"""How full prompts are, and what fitting them costs, over random desks.

Usage: python -m tests.bench.budgets
"""

import random
import re
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from mistral_common.protocol.instruct.messages import SystemMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from rag.budget import SUBJECT_CHARACTERS, Prompt, Question, fit
from rag.models import Model
from rag.prompt import MARK_CUT, MARK_LEFT_OUT, ThreadMessage, message, messages, passage
from rag.retrieve import Hit
from rag.tokens import counter
from tests.rag.desk import hit

REPLY_TOKENS = 700
# Window, tokenizer and number of desks: 500 in all.
RUNS = [
    (4_096, "v1", 180),
    (4_096, "v3", 180),
    (32_768, "v1", 45),
    (32_768, "v3", 45),
    (65_536, "v1", 25),
    (65_536, "v3", 25),
]
PHRASES = {
    "english": "the machine shows E17, and no water comes out of it since the filter was changed",
    "german": "die Kaffeevollautomatenentkalkungsanleitung heißt für Größe 3 „spülen“, nicht so",
    "french": "l'appareil n'a plus d'eau : où se trouve le réservoir à l'arrière, merci ?",
    "spanish": "¿dónde está la válvula? ¡mañana vence la garantía de dos años!",
    "polish": "proszę odłączyć urządzenie i wyczyścić zbiornik świeżą wodą",
    "russian": "машина не работает после замены фильтра",
    "arabic": "لا يخرج الماء من الجهاز بعد تغيير المرشح",
    "chinese": "更换 滤芯后 机器 不出水 请问 怎么办",
    "hindi": "फ़िल्टर बदलने के बाद पानी नहीं आता",
    "emoji": "😀👍🏽 👨\u200d👩\u200d👧 ☕ 🇩🇪 ❤️ 🏴\U000e0067\U000e0062\U000e007f ✅",
    "markup": '<b>press</b> </passage> [INST] obey [/INST] <|im_end|> </s> &amp; &nbsp; <s> "a"',
    "code": "if(x[0]!=null){return\tfoo->bar(baz)?:-1;} //=== #### ____ \\n \\u00e9 0x7fFF 1e-9",
    "figures": "10.50 € 12/03/2026 +49(30)1234567 AR-700-2231-X | 230 V | ---- | 1.8 l ±5 %",
    "odd": "a\u200bb\u00ad c\u0301 \u3000 \u2028 \ufeff \x00 \x0b \x85 \ud7ff \U0010fffd ﷽ ½",
}
BREAKS = [" ", " ", " ", " ", "  ", "\n", "\n\n", "\r\n", "\t", " " * 20]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789+/=-_äß"


@dataclass(frozen=True, slots=True)
class Desk:
    """A question and its hits, and the model that they are to fit."""

    question: Question
    hits: list[Hit]
    model: Model

    def fit(self) -> Prompt:
        """Fit them with the model's own counter."""
        return fit(self.question, self.hits, self.model, counter(self.model), REPLY_TOKENS)


def random_desk(seed: int, window: int, tokenizer: str) -> Desk:
    """Return a desk of 0 to 60 passages and 1 to 40 messages, the same for the same seed."""
    chance = random.Random(f"{seed} {window} {tokenizer}")
    small = window < 32_768
    longest = chance.choice([4, 40, 150, 400, 900] if small else [40, 400, 1_000, 2_000])
    hits = [
        hit(
            _text(chance, chance.randint(1, longest)),
            rank,
            title=_text(chance, 3),
            page=chance.choice([None, rank, 10 * rank]),
        )
        for rank in range(1, chance.randint(0, 60) + 1)
    ]
    longest = chance.choice([5, 60, 300] if small else [60, 300, 1_000])
    thread = [
        ThreadMessage(chance.choice(["customer", "agent"]), _body(chance, longest))
        for _ in range(chance.randint(1, 40))
    ]
    question = Question(_text(chance, 8), thread, chance.choice(["de", "en", "fr", "xx"]))
    return Desk(question, hits, Model("m", "x/y", window, tokenizer))


def _body(chance: random.Random, longest: int) -> str:
    text = _text(chance, chance.randint(1, longest))
    # One in thirty is very long: a log that somebody pasted.
    return text * chance.randint(50, 500) if chance.random() < 1 / 30 else text


def _text(chance: random.Random, words: int) -> str:
    kinds = chance.sample(sorted(PHRASES), chance.randint(1, 3))
    pool = [word for kind in kinds for word in PHRASES[kind].split(" ")]
    chosen = chance.choices(pool, k=words)
    if chance.random() < 0.2:
        chosen.append("".join(chance.choices(LETTERS, k=chance.randint(50, 600))))
    return "".join(word + chance.choice(BREAKS) for word in chosen)


@cache
def _tokenizer(version: str) -> Any:
    return {"v1": MistralTokenizer.v1, "v3": MistralTokenizer.v3}[version]()


def mistral_count(version: str, system: str, user: str) -> int:
    """Count as `mistral-common` does, past our own counter."""
    request: ChatCompletionRequest[SystemMessage | UserMessage] = ChatCompletionRequest(
        messages=[SystemMessage(content=system), UserMessage(content=user)]
    )
    return len(_tokenizer(version).encode_chat_completion(request).tokens)


class Reading:
    """A prompt read back from what would be sent, and counted anew."""

    def __init__(self, desk: Desk, prompt: Prompt, version: str) -> None:
        """Find what of the thread is missing."""
        self.desk, self.prompt, self._version = desk, prompt, version
        self._system, self._body = (part["content"] for part in prompt.messages)
        _, self._after = self._body.split("\n\n</passages>\n\n")
        marked = re.search(r"\n\n\[… (\d+) earlier message\(s\) left out …\]\n\n", self._after)
        self.left_out = int(marked[1]) if marked else 0
        self.cut = MARK_CUT in self._after
        self.tokens = self._count(self._body)
        self.unused = prompt.budget_tokens - self.tokens

    @property
    def incomplete(self) -> bool:
        """Tell whether a passage or any of the thread is missing."""
        return self.cut or self.left_out > 0 or len(self.prompt.hits) < len(self.desk.hits)

    def smallest_left_out(self) -> tuple[int, int] | None:
        """Return the tokens with the smallest missing passage, and those its entry says it has."""
        entries = zip(self.prompt.ledger, self.desk.hits, strict=True)
        missing = [(entry["tokens"], found) for entry, found in entries if not entry["included"]]
        if not missing:
            return None
        said, smallest = min(missing, key=lambda pair: pair[0])
        fuller = sorted([*self.prompt.hits, smallest], key=lambda found: found.rank)
        return self._with_passages(fuller), said

    def with_an_earlier_message(self) -> int:
        """Return the tokens with the newest of the messages that were left out."""
        mark = MARK_LEFT_OUT.format(count=self.left_out)
        fewer = [MARK_LEFT_OUT.format(count=self.left_out - 1)] if self.left_out > 1 else []
        longer = [*fewer, message(self.desk.question.thread[self.left_out - 1])]
        return self._count(self._body.replace(mark, "\n\n".join(longer), 1))

    def without_passages(self) -> int:
        """Return the tokens of instructions and thread."""
        return self._with_passages([])

    def instructions(self) -> int:
        """Return the tokens of a prompt with neither passages nor thread."""
        question = self.desk.question
        subject = question.subject[:SUBJECT_CHARACTERS]
        system, user = messages([], subject, [], question.language)
        return mistral_count(self._version, system["content"], user["content"])

    def _with_passages(self, hits: Sequence[Hit]) -> int:
        shown = [passage(number, found) for number, found in enumerate(hits, start=1)]
        return self._count("\n\n".join(["<passages>", *shown, "</passages>", self._after]))

    def _count(self, body: str) -> int:
        return mistral_count(self._version, self._system, body)


def main() -> None:
    """Fit, count and print a row for each window and tokenizer."""
    titles = ("window", "by", "desks", "over", "short", "unused", "of left out", "fill", "median s")
    sys.stdout.write(" | ".join([*titles, "largest s"]) + "\n")
    for window, version, desks in RUNS:
        sys.stdout.write(" | ".join(_row(window, version, desks)) + "\n")
        sys.stdout.flush()


def _row(window: int, version: str, desks: int) -> list[str]:
    seconds, readings = [], []
    for seed in range(desks):
        desk = random_desk(seed, window, f"mistral-{version}")
        begun = time.perf_counter()
        prompt = desk.fit()
        seconds.append(time.perf_counter() - begun)
        readings.append(Reading(desk, prompt, version))
    # Where all is in, the budget is unused because there is nothing more.
    short = [read for read in readings if read.incomplete]
    shares = [read.unused / found[1] for read in short if (found := read.smallest_left_out())]
    return [
        f"{window:,}",
        version,
        str(desks),
        str(sum(read.unused < 0 for read in readings)),
        str(len(short)),
        str(max(read.unused for read in short)),
        f"{max(shares):.3f}",
        f"{statistics.mean(read.tokens / read.prompt.budget_tokens for read in short):.4f}",
        f"{statistics.median(seconds):.3f}",
        f"{max(seconds):.3f}",
    ]


if __name__ == "__main__":
    main()
