import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from ingest.errors import (
    CorruptDocumentError,
    EmptyDocumentError,
    PoisonDocumentError,
    SourceNotFoundError,
)
from ingest.parse import registry, sandbox
from ingest.parse.limits import Limits

ROOT = Path(__file__).parents[3]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(data: bytes, name: str = "a.md") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def endless(file: Callable[..., Path]) -> Path:
    """A file small enough to send and so deep that reading it takes about a minute."""
    return file(b"<div>" * 150_000 + b"x", "endless.html")


def servers() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children()
        if "ingest.parse.fork_server" in process.cmdline()
    ]


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_a_child_gives_what_the_parser_gives(file: Callable[..., Path]) -> None:
    path = file(b"# Title\n\n- one\n- two\n")

    assert sandbox.parse_file(path, "b.md") == registry.parse(path.read_bytes(), "b.md")


def test_errors_cross_the_process_border(file: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(EmptyDocumentError, match=r"mine\.md: the file is empty"):
        sandbox.parse_file(file(b""), "mine.md")
    with pytest.raises(SourceNotFoundError):
        sandbox.parse_file(tmp_path / "absent.md", "absent.md")


def test_a_document_that_takes_too_long_is_stopped(endless: Path) -> None:
    started = time.monotonic()

    with pytest.raises(PoisonDocumentError, match=r"it took longer than 0\.3 seconds"):
        sandbox.parse_file(endless, "endless.html", Limits(wall_seconds=0.3))

    assert time.monotonic() - started < 3


def test_a_document_that_computes_too_much_is_stopped(endless: Path) -> None:
    with pytest.raises(PoisonDocumentError, match="it took more than 1 second of computing"):
        sandbox.parse_file(endless, "endless.html", Limits(cpu_seconds=1))


def test_a_document_that_needs_too_much_memory_is_stopped(file: Callable[..., Path]) -> None:
    path = file(b"word " * 4_000_000, "big.txt")

    with pytest.raises(PoisonDocumentError, match=r"it needed more than 16 MB of memory"):
        sandbox.parse_file(path, "big.txt", Limits(memory_bytes=16 << 20))


def test_a_crash_of_the_reader_is_survived(file: Callable[..., Path], endless: Path) -> None:
    with ThreadPoolExecutor() as pool:
        doomed = pool.submit(sandbox.parse_file, endless, "endless.html")
        wait_until(lambda: servers() and servers()[0].children())
        os.kill(servers()[0].children()[0].pid, signal.SIGSEGV)
        error = doomed.exception()

    assert isinstance(error, PoisonDocumentError)
    assert error.fields["reason"] == "the reader crashed"
    assert sandbox.parse_file(file(b"fine"), "a.md").text == "fine"


def test_a_server_that_was_killed_is_started_again(file: Callable[..., Path]) -> None:
    path = file(b"fine")
    sandbox.parse_file(path, "a.md")

    servers()[0].kill()

    assert sandbox.parse_file(path, "a.md").text == "fine"


def test_a_broken_installation_is_not_blamed_on_the_document(
    file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.stop()
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(ChildProcessError, match="cannot be started"):
        sandbox.parse_file(file(b"fine"), "a.md")


def test_many_threads_get_their_own_documents(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(40)]
    for path in paths:
        path.write_text(path.name)

    with ThreadPoolExecutor(8) as pool:
        documents = list(pool.map(lambda path: sandbox.parse_file(path, path.name), paths))

    assert [document.text for document in documents] == [path.name for path in paths]
    assert len(servers()) == 1


def test_descriptors_and_processes_are_not_left_behind(file: Callable[..., Path]) -> None:
    path = file(b"fine")
    sandbox.parse_file(path, "a.md")
    before = psutil.Process().num_fds()

    for _ in range(20):
        sandbox.parse_file(path, "a.md")

    assert psutil.Process().num_fds() == before
    wait_until(lambda: not servers()[0].children())


def test_the_server_gets_no_secrets_and_loads_nothing_heavy(
    file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.stop()
    monkeypatch.setenv("PROVIDER_API_KEY", "sk-secret")

    sandbox.parse_file(file(b"fine"), "a.md")

    assert "PROVIDER_API_KEY" not in servers()[0].environ()
    assert servers()[0].memory_info().rss < 100_000_000


def test_the_callers_main_program_is_not_run_again(file: Callable[..., Path]) -> None:
    path = file(b"fine")
    script = path.with_name("program.py")
    script.write_text(
        "from pathlib import Path\nfrom ingest.parse.sandbox import parse_file\n"
        f"print('started', parse_file(Path({str(path)!r}), 'a.md').text)\n"
    )

    run = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert (run.stdout, run.stderr) == ("started fine\n", "")


def test_children_do_not_outlive_a_caller_that_was_killed(endless: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ingest.parse.sandbox import parse_file; "
        "parse_file(Path(sys.argv[1]), 'a.html')"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", program, endless], env={"PYTHONPATH": str(ROOT)}
    )
    wait_until(lambda: len(psutil.Process(caller.pid).children(recursive=True)) == 2)
    descendants = psutil.Process(caller.pid).children(recursive=True)

    caller.kill()
    caller.wait()

    _, alive = psutil.wait_procs(descendants, timeout=5)
    assert alive == []


def test_a_parser_that_stumbles_shows_no_traceback(file: Callable[..., Path]) -> None:
    path = file(b"%PDF-1.7\nnothing else", "a.pdf")

    with pytest.raises(CorruptDocumentError) as caught:
        sandbox.parse_file(path, "a.pdf")

    assert "Traceback" not in str(caught.value)
    assert str(path) not in str(caught.value)


def test_whoever_watches_hears_of_the_work_at_least_every_half_second(endless: Path) -> None:
    heard: list[tuple[float, int, int]] = []

    with pytest.raises(PoisonDocumentError):
        sandbox.parse_file(
            endless,
            "endless.html",
            Limits(wall_seconds=1.5),
            watch=lambda done, in_all: heard.append((time.monotonic(), done, in_all)),
        )

    times = [when for when, _, _ in heard]
    assert len(times) >= 4
    assert all(after - before < 0.5 for before, after in pairwise(times))
    assert {(done, in_all) for _, done, in_all in heard} == {(0, 0)}


@pytest.mark.parametrize("kind", [OSError, TimeoutError, ValueError])
def test_a_document_is_given_up_within_a_second(
    endless: Path, file: Callable[..., Path], kind: type[Exception]
) -> None:
    sandbox.parse_file(file(b"fine"), "a.md")
    started = time.monotonic()

    def watch(done: int, in_all: int) -> None:
        if time.monotonic() - started > 0.3:
            raise kind

    with pytest.raises(kind):
        sandbox.parse_file(endless, "endless.html", watch=watch)

    wait_until(lambda: not servers()[0].children())
    assert time.monotonic() - started < 1.3
    assert sandbox.parse_file(file(b"fine"), "a.md").text == "fine"


def test_giving_up_one_document_leaves_the_others_alone(
    endless: Path, file: Callable[..., Path]
) -> None:
    slow = file(b"<div>" * 9_000 + b"x", "slow.html")
    with ThreadPoolExecutor() as pool:
        other = pool.submit(sandbox.parse_file, slow, "slow.html")
        with pytest.raises(ValueError, match="negative"):
            sandbox.parse_file(endless, "endless.html", watch=lambda *_: time.sleep(-1))

        assert other.result().text == "x"
