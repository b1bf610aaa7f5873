"""The web app: Streamlit's pages behind our own routes, gate and headers."""

import base64
import hashlib
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources as package_files
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit import App, config

from app import auth, downloads, resources
from app.health import is_ready
from app.services import Services
from app.supervisor import Supervisor
from app.workflow.models import probe_at_start
from ingest.errors import CopilotError
from ingest.parse.registry import MAX_FILE_BYTES

PAGES = Path(__file__).with_name("pages.py")
OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "viewer",
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": MAX_FILE_BYTES // 1_000_000,
    "theme.light.primaryColor": "#7a3e12",
    "theme.dark.primaryColor": "#b5651d",
    "theme.baseRadius": "0.4rem",
    "theme.headingFontSizes": ["1.5rem", "1.3rem", "1.1rem", "1rem", "1rem", "1rem"],
}
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def build(services: Services, *, demo: bool) -> App:
    """Return the app that serves a desk, its worker started and stopped with it."""
    resources.provide(services)
    for name, value in OPTIONS.items():
        config.set_option(name, value)
    supervisor = Supervisor(services.settings)

    @asynccontextmanager
    async def lifespan(_app: App) -> AsyncIterator[None]:
        supervisor.start()
        threading.Thread(target=probe_at_start, args=(services,), daemon=True).start()
        try:
            yield
        finally:
            supervisor.stop()

    return App(
        PAGES,
        routes=[
            *auth.routes,
            *(auth.demo_routes if demo else []),
            Route("/readyz", ready),
            *downloads.routes,
        ],
        middleware=[
            Middleware(auth.SecurityHeaders, script_hash=_inline_script_hash()),
            Middleware(auth.Gate),
        ],
        lifespan=lifespan,
    )


async def ready(_request: Request) -> Response:
    """Answer 200 once a person could work: the record is there and queries can be encoded."""
    try:
        await run_in_threadpool(is_ready, resources.services())
    except CopilotError as error:
        return JSONResponse({"ready": False, "reason": str(error)}, status_code=503)
    except SQLAlchemyError:
        return JSONResponse({"ready": False, "reason": "the database"}, status_code=503)
    return JSONResponse({"ready": True})


def _inline_script_hash() -> str:
    """Return the CSP source of the one inline script of Streamlit's page; it varies by version."""
    page = package_files.files("streamlit").joinpath("static/index.html").read_bytes()
    found = _INLINE_SCRIPT.search(page)
    digest = hashlib.sha256(found.group(1) if found else b"").digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
