"""The `serve` command: the web app on a port, with its worker and, if wanted, the sample desk."""

import logging
import sys
import threading
import time
import urllib.error
import urllib.request

import uvicorn

from app import demo as sample
from app.main import build
from app.services import Services

logger = logging.getLogger(__name__)

READY_POLL_SECONDS = 0.2
MAX_MESSAGE_BYTES = 64 << 20
# A line for each request to a model, and whether the desk's own works; no word of a ticket.
TOLD = ("rag.calls", "app.workflow.models")


def serve(services: Services, host: str, port: int, *, demo: bool) -> None:
    """Serve until interrupted."""
    for name in TOLD:
        logging.getLogger(name).setLevel(logging.INFO)
    if demo:
        lines = sample.prepare(services, host)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    else:
        sample.close(services)
    application = build(services, demo=demo)
    url = f"http://{host}:{port}"
    threading.Thread(target=_announce, args=(url,), daemon=True).start()
    uvicorn.run(
        application,
        host=host,
        port=port,
        log_level="warning",
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        # The default trusts a header with which anybody could borrow another's address.
        proxy_headers=False,
    )


def _announce(url: str) -> None:
    """Print the address once the app answers; loading the encoder is part of that."""
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz"):  # noqa: S310 (our own address)
                break
        except (urllib.error.URLError, OSError):
            time.sleep(READY_POLL_SECONDS)
    sys.stdout.write(f"Support Copilot is ready at {url}\n")
    sys.stdout.flush()
