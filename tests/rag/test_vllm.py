"""What a server's page of metrics says of its load, and what is no such page."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag import vllm
from rag.vllm import ServerLoad, parse, read_load

MODEL = 'model_name="mistralai/Mixtral-8x7B-Instruct-v0.1"'
PAGE = f"""\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",{MODEL}}} 3.0
vllm:num_requests_running{{engine="1",{MODEL}}} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{engine="0",{MODEL}}} 7.0
vllm:num_requests_waiting{{engine="1",{MODEL}}} 0.0
vllm:num_requests_waiting_by_reason{{engine="0",{MODEL},reason="capacity"}} 7.0
vllm:kv_cache_usage_perc{{engine="0",{MODEL}}} 0.875
vllm:kv_cache_usage_perc{{engine="1",{MODEL}}} 0.25
vllm:gpu_cache_usage_perc{{engine="0",{MODEL}}} 0.5
vllm:prompt_tokens_total{{engine="0",{MODEL}}} 1.2345e+06
vllm:cache_config_info{{block_size="16",engine="0",gpu_memory_utilization="0.9"}} 1.0
process_resident_memory_bytes 1.5e+09
"""
BARE = "vllm:num_requests_running 1\nvllm:num_requests_waiting 0\n"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    status = 200
    content = b""
    pause_seconds = 0.0
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, headers))
        self.send_response(self.server.status)
        for name, value in self.server.headers:
            self.send_header(name, value)
        self.end_headers()
        try:
            for start in range(0, len(self.server.content), 1 << 16):
                self.wfile.write(self.server.content[start : start + (1 << 16)])
                self.wfile.flush()
                time.sleep(self.server.pause_seconds)
        except OSError:
            pass  # whoever asked has gone

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(content: str | bytes, status: int = 200, **settings: object) -> Iterator[_Listener]:
    server = _Listener()
    server.content = content.encode() if isinstance(content, str) else content
    server.status = status
    for name, value in settings.items():
        setattr(server, name, value)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _url(server: _Listener, path: str = "/v1") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def test_requests_of_all_engines_are_added_up_and_the_fullest_cache_counts() -> None:
    assert parse(PAGE) == ServerLoad(5, 7, 0.875, 0.9)


def test_the_name_that_older_releases_have_for_the_cache_is_read_too() -> None:
    older = BARE + f"vllm:gpu_cache_usage_perc{{{MODEL}}} 0.125\n"

    assert parse(older) == ServerLoad(1, 0, 0.125)


def test_what_a_page_does_not_tell_is_unknown_and_not_nought() -> None:
    assert parse(BARE) == ServerLoad(1, 0, None, None)


@pytest.mark.parametrize(
    "line",
    [
        'vllm:num_requests_running{model_name="a } b { c \\" d"} 4 1700000000000',
        "vllm:num_requests_running 4.0",
        "vllm:num_requests_running\t4.0",
        'vllm:num_requests_running {model_name="m"}  4.0\r',
    ],
)
def test_labels_times_and_blanks_do_not_hide_a_value(line: str) -> None:
    found = parse(f"{line}\nvllm:num_requests_waiting 0\n")

    assert found == ServerLoad(4, 0)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "1e300", "three", "", "9" * 400])
def test_a_value_that_is_no_count_is_left_out(value: str) -> None:
    page = BARE + f'vllm:num_requests_running{{engine="1"}} {value}\n'
    use = BARE + f"vllm:kv_cache_usage_perc {value}\n"

    assert parse(page) == ServerLoad(1, 0)
    assert parse(use) == ServerLoad(1, 0, None)


def test_a_share_is_never_above_the_whole() -> None:
    assert parse(BARE + "vllm:kv_cache_usage_perc 1.5\n") == ServerLoad(1, 0, 1.0)


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html><body>vllm:num_requests_running 1</body></html>",
        "llamacpp:requests_processing 1\n",
        "vllm:num_requests_running 1\n",
        "vllm:\nvllm:{\nvllm:}\nvllm:num_requests_running{\nvllm:num_requests_waiting}\n",
    ],
)
def test_a_page_of_something_else_is_no_load(page: str) -> None:
    assert parse(page) is None


def test_a_hostile_page_of_the_largest_size_is_read_quickly() -> None:
    size = vllm.MAX_BYTES
    pages = (
        "vllm:{" * (size // 6),
        'vllm:cache_config_info{gpu_memory_utilization="' + "9" * size,
        "vllm:num_requests_running " + "9" * size,
        "vllm:a 1\n" * (size // 9),
    )

    begun = time.perf_counter()
    found = [parse(page) for page in pages]

    assert found == [None] * len(pages)
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize("path", ["/v1", "/v1/", "", "/"])
def test_the_metrics_stand_beside_the_models_address_and_no_key_is_sent(path: str) -> None:
    with serving(PAGE) as server:
        found = read_load(_url(server, path))

    [(asked, headers)] = server.asked
    assert found == ServerLoad(5, 7, 0.875, 0.9)
    assert asked == "/metrics"
    assert "authorization" not in headers
    assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 401, 404, 500])
def test_an_answer_that_is_no_page_is_no_load(status: int) -> None:
    with serving(PAGE, status, headers=(("Location", "/elsewhere"),)) as server:
        assert read_load(_url(server)) is None
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "no address", "http://[", "file:///etc"])
def test_an_address_where_nobody_answers_is_no_load(url: str) -> None:
    assert read_load(url) is None


def test_a_page_without_end_is_given_up_at_its_largest_size() -> None:
    with serving(b"vllm:a 1\n" * 4_000_000) as server:
        begun = time.perf_counter()
        assert read_load(_url(server)) is None
        assert time.perf_counter() - begun < vllm.TIMEOUT_SECONDS


def test_a_page_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm, "TIMEOUT_SECONDS", 0.5)
    with serving(b"vllm:a 1\n" * 150_000, pause_seconds=0.3) as server:
        begun = time.perf_counter()
        assert read_load(_url(server)) is None
        assert time.perf_counter() - begun < 1.5


def test_what_is_packed_is_not_unfolded() -> None:
    with serving(b"\x1f\x8b" + b"\0" * 100, headers=(("Content-Encoding", "gzip"),)) as server:
        assert read_load(_url(server)) is None
