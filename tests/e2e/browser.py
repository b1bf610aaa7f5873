"""Finds a Chromium for the tests: the system's, Playwright's own, or Debian's when run as root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DOWNLOAD_SECONDS = 300
MISSING = (
    "No Chromium was found, and none could be installed. Install one (for example the package"
    " “chromium” of your system) or run: .venv/bin/playwright install chromium"
)


def find() -> str | None:
    """Return the path of a Chromium, else None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def _install() -> None:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    if _succeeds(command) or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    if _succeeds(["apt-get", "update"]):
        _succeeds(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"])


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, timeout=DOWNLOAD_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main() -> None:
    """Make sure that there is a Chromium."""
    if find() is None:
        _install()
    found = find()
    if found is None:
        sys.exit(MISSING)
    sys.stdout.write(f"Browser: {found}\n")


if __name__ == "__main__":
    main()
