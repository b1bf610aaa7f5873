"""Keeps one worker process running beside the web app."""

import logging
import os
import subprocess
import sys
import threading

from app.settings import Settings

logger = logging.getLogger(__name__)

RESTART_SECONDS = 2.0
STOP_SECONDS = 10.0


class Supervisor:
    """Starts the worker, starts it again when it dies, and ends it with the app.

    The worker reads its end of a pipe: when this process goes, however it goes, so does the worker.
    """

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the worker and watch it."""
        self._thread.start()

    def stop(self) -> None:
        """End the worker; what it had not finished goes on at the next start."""
        self._stop.set()
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()

    def _run(self) -> None:
        command = "from app.cli import main; main()"
        arguments = [sys.executable, "-c", command, "worker", "--with-parent"]
        while not self._stop.is_set():
            self._child = subprocess.Popen(  # noqa: S603 (our own interpreter and code)
                [*arguments, "--home", str(self._home)],
                stdin=subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) - 1))},
            )
            status = self._child.wait()
            if not self._stop.wait(RESTART_SECONDS):
                logger.warning("The worker ended (%s) and is started again.", status)
