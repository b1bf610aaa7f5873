"""How busy a vLLM server of one's own is, as it tells Prometheus."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import httpx

TIMEOUT_SECONDS = 3.0
MAX_BYTES = 2_000_000
MAX_COUNT = 1_000_000_000
RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"
# Until vLLM 0.9 the second name; for some releases both are there and say the same.
CACHE_USE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
# A gauge that is always 1: what it tells stands in its labels.
CACHE_CONFIG = "vllm:cache_config_info"
_SHARE = re.compile(r'\bgpu_memory_utilization="([^"]{1,20})"')


@dataclass(frozen=True, slots=True)
class ServerLoad:
    """What a server does at the moment, all of its engines together; shares are from 0 to 1.

    `cache_use` is that of the engine whose cache is fullest, for there requests begin to wait.
    `gpu_memory_share` is how much of each accelerator's memory the server has set aside.
    """

    running: int
    waiting: int
    cache_use: float | None = None
    gpu_memory_share: float | None = None


@dataclass(frozen=True, slots=True)
class _Sample:
    name: str
    labels: str
    value: float


def read_load(url: str) -> ServerLoad | None:
    """Return how busy the server at a model's address is, None where no vLLM answers.

    Neither a key nor a prompt is sent; the address that is read is beside that of the model.
    """
    try:
        text = _metrics(f"{url.rstrip('/').removesuffix('/v1')}/metrics")
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return None if text is None else parse(text)


def parse(text: str) -> ServerLoad | None:
    """Return the load that a page of Prometheus' text format tells; its other lines are skipped."""
    samples = list(_samples(text))
    running, waiting = (_values(samples, name) for name in (RUNNING, WAITING))
    if not running or not waiting:
        return None
    use = next((found for name in CACHE_USE if (found := _values(samples, name))), [])
    return ServerLoad(
        round(sum(running)),
        round(sum(waiting)),
        _share(use),
        _share(_set_aside(samples)),
    )


def _metrics(address: str) -> str | None:
    """Return the page, None where it is too long or too slow to be one."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    content = bytearray()
    # As it comes over the wire: nothing that unfolds to more than was read.
    headers = {"accept-encoding": "identity"}
    with httpx.stream("GET", address, headers=headers, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status_code != httpx.codes.OK:
            return None
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > MAX_BYTES or time.monotonic() > deadline:
                return None
    return content.decode("utf-8", "replace")


def _samples(text: str) -> Iterator[_Sample]:
    """Yield each line of ours: `name{labels} value`, the labels optional, a time may follow."""
    for line in text.split("\n"):
        if not line.startswith("vllm:"):
            continue
        # A label may hold braces and blanks; what follows the last brace is ours alone.
        head, brace, tail = line.rpartition("}")
        name, _, labels = head.partition("{")
        words = tail.split()
        if not brace:
            name, *words = words
        value = _number(words[0]) if words else None
        if value is not None:
            yield _Sample(name.strip(), labels, value)


def _values(samples: Iterable[_Sample], name: str) -> list[float]:
    return [sample.value for sample in samples if sample.name == name]


def _set_aside(samples: Iterable[_Sample]) -> list[float]:
    found = (_SHARE.search(sample.labels) for sample in samples if sample.name == CACHE_CONFIG)
    numbers = (_number(match[1]) for match in found if match)
    return [number for number in numbers if number is not None]


def _share(values: list[float]) -> float | None:
    return min(max(values), 1.0) if values else None


def _number(text: str) -> float | None:
    """Return a count or share; what nobody counts to is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= MAX_COUNT else None
