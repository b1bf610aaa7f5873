"""The README says what the program does: its settings, its commands, its pictures."""

import re
from pathlib import Path

import pytest

from app.cli import app
from app.settings import PROJECT, Settings

README = PROJECT / "README.md"


def settings_table() -> str:
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "`data/var`" if name == "home" else f"`{default}`" if default else ""
        if hasattr(default, "get_secret_value"):
            shown = ""
        rows.append(f"| `COPILOT_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)


def test_the_table_of_settings_is_that_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")

    found = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", text, re.DOTALL)

    assert found is not None
    assert found.group(1) == settings_table()


@pytest.mark.parametrize("link", re.findall(r"\]\((data/[^)]+)\)", README.read_text("utf-8")))
def test_every_picture_and_page_that_is_linked_is_there(link: str) -> None:
    assert (PROJECT / link).is_file()


def test_every_command_shown_exists() -> None:
    text = README.read_text(encoding="utf-8")
    known = {
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback
    }
    known |= {group.name or "" for group in app.registered_groups}

    shown = set(re.findall(r"^\.venv/bin/support-copilot (\w+)", text, re.MULTILINE))

    assert shown
    assert shown <= known


def test_no_path_of_a_machine_is_in_the_readme() -> None:
    assert str(Path.home()) + "/" not in README.read_text(encoding="utf-8")
