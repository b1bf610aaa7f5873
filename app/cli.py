"""The command line; each command imports what it needs when it runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from app import console

app = typer.Typer(
    name="support-copilot",
    help="Drafts support replies whose every sentence cites the knowledge base.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="--home DIR (state of the desk) and --json fit before or after any command.",
)
users_app = typer.Typer(no_args_is_help=True, help="Manage accounts.")
tickets_app = typer.Typer(no_args_is_help=True, help="Bring tickets in.")
audit_app = typer.Typer(no_args_is_help=True, help="Check the audit trail.")
evaluate_app = typer.Typer(no_args_is_help=True, help="Measure quality.")
app.add_typer(users_app, name="users")
app.add_typer(tickets_app, name="tickets")
app.add_typer(audit_app, name="audit")
app.add_typer(evaluate_app, name="evaluate")


def main() -> None:
    """Run the command line and exit."""
    sys.exit(console.run(app, sys.argv[1:]))


Owner = Annotated[str | None, typer.Option(help="Who keeps these documents up to date.")]
VisibilityOption = Annotated[
    str | None, typer.Option("--visibility", help="public, internal (default) or restricted.")
]
Labels = Annotated[list[str] | None, typer.Option("--label", help="Opens restricted documents.")]


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8501, *, demo: bool = False) -> None:
    """Serve the web app and its worker."""
    from app.serve import serve as run_server

    run_server(console.services(), host, port, demo=demo)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or .jsonl exports.")],
    owner: Owner = None,
    visibility: VisibilityOption = None,
    label: Labels = None,
) -> None:
    """Take documents into the knowledge base."""
    from app.commands.documents import ingest as command

    given = {"owner": owner, "visibility": visibility, "labels": label}
    command(console.services(), paths, given)


@app.command()
def sync(
    folder: Path,
    owner: Owner = None,
    visibility: VisibilityOption = None,
    label: Labels = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
) -> None:
    """Keep documents in step with a folder: add, change, move, and remove what has gone."""
    from app.commands.documents import synchronise as command

    given = {"owner": owner, "visibility": visibility, "labels": label}
    command(console.services(), folder, given, dry_run=dry_run)


documents_app = typer.Typer(
    invoke_without_command=True, help="List documents, or show one of them."
)
app.add_typer(documents_app, name="documents")


@documents_app.callback()
def documents(
    context: typer.Context,
    *,
    stale: Annotated[
        bool, typer.Option("--stale", help="Only those past their review date.")
    ] = False,
) -> None:
    """List the documents of the knowledge base."""
    if context.invoked_subcommand is None:
        from app.commands.documents import list_documents as command

        command(console.services(), stale=stale)


@documents_app.command()
def show(
    document_id: str,
    *,
    text: Annotated[bool, typer.Option("--text", help="Print the text.")] = False,
    version: Annotated[int | None, typer.Option(help="An earlier version.")] = None,
) -> None:
    """Show one document."""
    from app.commands.documents import show as command

    command(console.services(), document_id, version, text=text)


@documents_app.command()
def restore(
    document_id: str,
    version: Annotated[int, typer.Option(help="The version whose text is to be current again.")],
) -> None:
    """Make an earlier version current again; withdrawn documents come back like this."""
    from app.commands.documents import restore as command

    command(console.services(), document_id, version)


@app.command()
def withdraw(document_id: str) -> None:
    """Take a document out of search."""
    from app.commands.documents import withdraw as command

    command(console.services(), document_id)


@app.command()
def reindex() -> None:
    """Build the vector index anew from the record."""
    from app.commands.index import reindex as command

    command(console.services())


@app.command()
def worker(
    *, with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False
) -> None:
    """Take documents in until stopped; `serve` runs one of its own."""
    from app.commands.index import worker as command

    command(console.services(), with_parent=with_parent)


@app.command()
def doctor() -> None:
    """Show the state of record, index, queue and model."""
    from app.commands.index import doctor as command

    command(console.services())


@app.command()
def search(
    query: str,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many passages.")] = 10,
    as_user: Annotated[
        str | None, typer.Option("--as", help="See what this account may see.")
    ] = None,
) -> None:
    """Find passages."""
    from app.commands.search import search as command

    command(console.services(), query, k, as_user)


@users_app.command("add")
def add_user(
    email: str,
    role: Annotated[str, typer.Option(help="agent, owner, reviewer or admin.")],
    label: Annotated[list[str] | None, typer.Option(help="Opens restricted documents.")] = None,
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Add an account."""
    from app.commands.users import add as command

    command(console.services(), email, role, label or [], password_stdin=password_stdin)


@tickets_app.command("import")
def import_tickets(file: Path) -> None:
    """Import tickets; those with `documents` are solved ones."""
    from app.commands.tickets import import_file as command

    command(console.services(), file)


@app.command()
def draft(
    source: Annotated[str | None, typer.Argument(help="`-` reads a ticket's JSON.")] = None,
    ticket: Annotated[str | None, typer.Option(help="A ticket of the desk.")] = None,
    file: Annotated[Path | None, typer.Option(help="A ticket's JSON in a file.")] = None,
    model: Annotated[str | None, typer.Option(help="A model instead of the desk's.")] = None,
    *,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Each open ticket that has no draft, oldest first.")
    ] = False,
) -> None:
    """Draft a reply, or one for each ticket that waits."""
    if waiting:
        from app.commands.waiting import draft_waiting

        draft_waiting(console.services(), model)
        return
    from app.commands.tickets import draft as command

    command(console.services(), ticket, file if source != "-" else Path("-"), model)


@app.command()
def models(
    tickets: Annotated[int, typer.Option(min=0, help="Tickets a month.")] = 1_000,
    prompt_tokens: Annotated[
        int | None, typer.Option(min=0, help="Tokens of one ticket's prompt; 4,000 unless given.")
    ] = None,
    reply_tokens: Annotated[
        int | None, typer.Option(min=0, help="Tokens of one reply; 350 unless given.")
    ] = None,
) -> None:
    """List the routes to language models: windows, prices, regions, and what a month costs."""
    from app.commands.models import models as command

    command(console.services(), tickets, prompt_tokens, reply_tokens)


@audit_app.command("verify")
def verify_audit() -> None:
    """Check that no event and no sealed reply was changed, put in between or taken from between."""
    from app.commands.index import verify_audit as command

    command(console.services())


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="JSON lines with `claim` and `evidence`.")],
    out: Annotated[Path | None, typer.Option(help="Where to write instead of here.")] = None,
) -> None:
    """Tell for each line whether its evidence supports its claim, how probably, and why."""
    from app.commands.verify import verify as command

    command(console.services(), file, out)


@app.command()
def learn(
    history: Annotated[
        Path | None, typer.Option(help="Solved tickets to import first, one JSON a line.")
    ] = None,
    *,
    encoder: Annotated[bool, typer.Option("--encoder", help="Train the embedding model.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Let the embedding model before serve again.")
    ] = False,
) -> None:
    """Learn from the desk's solved tickets; what was learnt serves only if it helps."""
    if encoder or rollback:
        from app.commands import tuning

        (tuning.roll_back if rollback else tuning.learn)(console.services())
        return
    from app.commands.learn import learn as command

    command(console.services(), history)


@evaluate_app.command("retrieval")
def evaluate_retrieval(
    folder: Path,
    limit: Annotated[int | None, typer.Option(min=1, help="First judged queries only.")] = None,
    history: Annotated[
        Path | None, typer.Option(help="Solved tickets whose documents are the corpus's ids.")
    ] = None,
    *,
    no_learn: Annotated[bool, typer.Option("--no-learn", help="Let cases only vote.")] = False,
) -> None:
    """Measure search on a BEIR folder, in a throw-away home."""
    from app.commands.evaluate import retrieval as command

    command(folder, limit, history, learn=not no_learn)


@evaluate_app.command("drafts")
def evaluate_drafts(
    file: Path,
    model: Annotated[str | None, typer.Option(help="A model instead of the desk's.")] = None,
) -> None:
    """Measure drafts of tickets with a known verdict on this desk, which stays as it is."""
    from app.commands.evaluate_drafts import drafts as command

    command(console.services(), file, model)
