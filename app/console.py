"""What all commands share: options that fit anywhere, output for people or programs, errors."""

import json
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ingest.errors import CopilotError

if TYPE_CHECKING:
    from app.services import Services


@dataclass
class Options:
    """The options of this run of the command line."""

    home: Path | None = None
    as_json: bool = False


options = Options()


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run a command and return its exit status: 0, 1 (nothing was handled) or 2 (wrong usage)."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # NumPy's threads go on spinning after a product, and the encoder's then wait for the cores: a
    # search took twice as long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The encoder's own threads wait for each other spinning too: while another process has a core,
    # as ingestion often does, each step then took a whole turn of the scheduler, 25 times as long.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s"
    )
    try:
        command = typer.main.get_command(app)
        status = command.main(_take_options(arguments), standalone_mode=False)
        return status if isinstance(status, int) else 0
    except typer.TyperException as error:
        _usage_error(error)
        return 2
    except CopilotError as error:
        message, hint = error.describe()
        _show_error(error.code, message, hint)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:  # noqa: BLE001 (no traceback reaches a person)
        return _unforeseen(error)


def services() -> "Services":
    """Build the services of this run."""
    from app.services import Services
    from app.settings import read_settings

    settings = read_settings(options.home)
    if settings.telemetry_url:
        from app import telemetry

        telemetry.configure(settings.telemetry_url)
    return Services(settings)


def show(document: dict[str, Any], lines: Sequence[str]) -> None:
    """Print a result: the document for programs, the lines for people."""
    if options.as_json:
        text = json.dumps(document, ensure_ascii=False, default=str) + "\n"
    else:
        text = "".join(f"{line}\n" for line in lines)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone, as in `… | head`; nothing is left to tell it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def progress(text: str) -> None:
    """Show on a terminal how far a long command is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def _take_options(arguments: Sequence[str]) -> list[str]:
    """Take --home and --json out of the arguments, wherever they stand before `--`."""
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            return [*rest, argument, *waiting]
        if argument == "--json":
            options.as_json = True
        elif argument == "--home":
            if not waiting:
                message = "Option '--home' requires an argument."
                raise typer.BadParameter(message)
            options.home = Path(waiting.pop(0))
        elif argument.startswith("--home="):
            options.home = Path(argument.removeprefix("--home="))
        else:
            rest.append(argument)
    return rest


def _unforeseen(error: Exception) -> int:
    """Put a fault of ours where it can be looked up, not before the person's eyes."""
    handle, name = tempfile.mkstemp(prefix="support-copilot-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    message = f"Something went wrong that was not foreseen ({type(error).__name__})."
    _show_error("unexpected", message, f"The details are in {name}; please report them.")
    return 1


def _usage_error(error: typer.TyperException) -> None:
    _show_error("usage", error.format_message(), "See --help.")


def _show_error(code: str, message: str, hint: str) -> None:
    if options.as_json:
        document = {"error": {"code": code, "message": message, "hint": hint}}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{message}\n{hint}\n")
