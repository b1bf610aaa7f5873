"""Serves a GGUF model on this machine through the chat completions API, with llama.cpp inside.

Needs `xllamacpp==2026.10.11549`, in this environment or in one of its own. Run as a script it
serves until it is told to stop; imported, `running` starts that script in a child process, so the
caller needs no llama.cpp itself and gets the memory back afterwards.

Usage: python tests/model/serve.py MODEL.gguf [--port 18082] [--n-ctx 4096] [--alias NAME]
"""

from __future__ import annotations

import argparse
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
ALIAS = "qwen2.5-coder-1.5b"
N_CTX = 4096
THREADS = 2
START_SECONDS = 60.0


def serve(model: Path, port: int, n_ctx: int, alias: str, threads: int) -> None:
    """Serves the model and returns when the process receives SIGTERM or SIGINT.

    One request runs at a time (`n_parallel`), because llama.cpp divides the context among its
    slots: with two of them each prompt could use only half of `n_ctx`.
    """
    import xllamacpp  # type: ignore[import-not-found, unused-ignore]

    stopping = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stopping)  # before llama.cpp starts its threads
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {alias}
    params.hostnames = [HOST]
    params.port = port
    params.n_ctx = n_ctx
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.warmup = False
    params.offline = True
    server = xllamacpp.Server(params)
    sys.stdout.write(f"listening {server.listening_address}\n")
    sys.stdout.flush()
    signal.sigwait(stopping)


@contextmanager
def running(
    model: Path,
    *,
    n_ctx: int = N_CTX,
    alias: str = ALIAS,
    threads: int = THREADS,
    python: str = sys.executable,
    log: Path | None = None,
) -> Iterator[str]:
    """Runs the server in a child process and yields its base URL, without the `/v1`.

    Args:
        model: The GGUF file.
        n_ctx: Tokens that prompt and answer may use together.
        alias: The model name that the server reports.
        threads: Processor threads for prompt and generation.
        python: An interpreter that has xllamacpp installed.
        log: Where the server's messages go; by default they are dropped.
    """
    port = _free_port()
    command = [python, str(Path(__file__).resolve()), str(model), "--port", str(port)]
    command += ["--n-ctx", str(n_ctx), "--alias", alias, "--threads", str(threads)]
    with (log or Path("/dev/null")).open("w") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            url = f"http://{HOST}:{port}"
            _wait_until_healthy(url, child)
            yield url
        finally:
            _stop(child)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"the model server ended with status {child.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):  # 503 while the weights are read
            time.sleep(0.1)
    raise RuntimeError(f"the model server was not ready within {START_SECONDS:.0f} s")


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main() -> int:
    """Serves the model that the command line names."""
    parser = argparse.ArgumentParser(description="serve a GGUF model on this machine")
    parser.add_argument("model", type=Path)
    parser.add_argument("--port", type=int, default=18082)
    parser.add_argument("--n-ctx", type=int, default=N_CTX)
    parser.add_argument("--alias", default=ALIAS)
    parser.add_argument("--threads", type=int, default=THREADS)
    options = parser.parse_args()
    if not options.model.is_file():
        parser.error(f"{options.model} does not exist; tests/model/fetch.py downloads it")
    try:
        serve(options.model, options.port, options.n_ctx, options.alias, options.threads)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error}; install xllamacpp==2026.10.11549 for this interpreter\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
