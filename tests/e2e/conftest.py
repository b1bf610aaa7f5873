"""A served sample desk and a real Chromium, once for all stories."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e import browser as browsers

PASSWORD = "a password for tests"
READY_SECONDS = 120
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# What is waited for comes in a second; a machine that does other work meanwhile is given longer.
expect.set_options(timeout=20_000)


@dataclass(frozen=True)
class Desk:
    """A desk that is being served."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]


def start(home: Path, port: int, **settings: str) -> subprocess.Popen[bytes]:
    """Start `serve --demo` and return its process."""
    command = [sys.executable, "-c", "from app.cli import main; main()"]
    arguments = ["--home", str(home), "serve", "--demo", "--port", str(port)]
    environment = {**os.environ, "COPILOT_DEMO_PASSWORD": PASSWORD, **settings}
    return subprocess.Popen([*command, *arguments], env=environment)


def wait_until_ready(url: str) -> None:
    """Return when the app answers that it is usable."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the app was not ready within {READY_SECONDS} seconds")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("desk")
    port = free_port()
    process = start(home, port)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}")
        yield Desk(f"http://127.0.0.1:{port}", home, process)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = browsers.find()
    if path is None:
        pytest.fail(browsers.MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def context(chromium: Browser, desk: Desk) -> Iterator[BrowserContext]:
    opened = chromium.new_context(
        base_url=desk.url, viewport={"width": 1440, "height": 780}, accept_downloads=True
    )
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(page: Page, role: str) -> None:
    """Sign in as a demo account through the form."""
    page.context.clear_cookies()
    page.goto("/login")
    page.fill("#email", f"{role}@demo.test")
    page.fill("#password", PASSWORD)
    page.click("button")
    page.wait_for_url(re.compile(r"/$|/tour$"))
    page.get_by_role("heading", name="Welcome to Brunelta support").wait_for()


def shoot(page: Page, name: str, *, whole: bool = False) -> None:
    """Leave a screenshot to be looked at, of what is in sight or of the whole page."""
    folder = Path(os.environ.get("COPILOT_SCREENSHOTS", Path(__file__).with_name("screenshots")))
    folder.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(600)
    with _as_high_as_its_page(page) if whole else nullcontext():
        page.screenshot(path=str(folder / f"{name}.png"))


@contextmanager
def _as_high_as_its_page(page: Page) -> Iterator[None]:
    """Make the window high enough for all of the page, which otherwise scrolls inside of it."""
    size = page.viewport_size
    assert size is not None
    height = page.locator('[data-testid="stMain"]').evaluate("main => main.scrollHeight")
    page.set_viewport_size({**size, "height": max(size["height"], height + 80)})
    page.wait_for_timeout(400)
    yield
    page.set_viewport_size(size)
