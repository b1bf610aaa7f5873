"""Sign-in over HTTP: a plain form, a cookie, and a gate in front of everything else."""

from html import escape
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import resources, sign_in
from app.text import t
from ingest.errors import CopilotError

COOKIE = "copilot_session"
OPEN_PATHS = frozenset({"/login", "/readyz", "/_stcore/health"})
MAX_FORM_BYTES = 10_000


def token_of(cookie_header: str) -> str | None:
    """Read the session's token from a Cookie header, whatever other programs put there."""
    return cookie_parser(cookie_header).get(COOKIE)


class Gate:
    """Lets nobody past without a session: no page, no WebSocket, no upload, no media."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        token = token_of(Headers(scope=scope).get("cookie", ""))
        user_id = await run_in_threadpool(sign_in.user_id_of, resources.services(), token)
        if user_id is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _turn_away(scope)(scope, receive, send)


class SecurityHeaders:
    """Tells browsers what this app never does, so that injected text cannot make it do so."""

    def __init__(self, app: ASGIApp, script_hash: str) -> None:
        self._app = app
        policy = (
            "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:;"
            " worker-src 'self' blob:; form-action 'self'; style-src 'self' 'unsafe-inline';"
            f" script-src 'self' blob: 'wasm-unsafe-eval' {script_hash};"
            " connect-src 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'self'"
        )
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"x-frame-options", b"DENY"),
            (b"referrer-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to every answer that does not bring its own."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                extra = [pair for pair in self._headers if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


async def show_form(_request: Request) -> Response:
    """Show the sign-in form."""
    return HTMLResponse(_page(""))


async def submit_form(request: Request) -> Response:
    """Sign in with e-mail address and password."""
    if not _same_origin(request):
        return HTMLResponse(_page(t("login.other_site")), status_code=403)
    form = await _form(request)
    address = request.client.host if request.client else ""
    email = form.get("email", "")
    try:
        token = await run_in_threadpool(
            sign_in.sign_in, resources.services(), email, form.get("password", ""), address
        )
    except CopilotError as error:
        return HTMLResponse(_page(str(error), email), status_code=401)
    return _welcome(token)


async def leave(request: Request) -> Response:
    """Sign out."""
    if not _same_origin(request):
        return HTMLResponse(_page(t("login.other_site")), status_code=403)
    token = request.cookies.get(COOKIE, "")
    await run_in_threadpool(sign_in.sign_out, resources.services(), token)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE)
    return response


async def switch_role(request: Request) -> Response:
    """Change to another demo account with one click."""
    token = request.cookies.get(COOKIE, "")
    if not _same_origin(request):
        return HTMLResponse(_page(t("login.other_site")), status_code=403)
    email = request.query_params.get("to", "")
    try:
        fresh = await run_in_threadpool(
            sign_in.switch_demo_role, resources.services(), token, email
        )
    except CopilotError as error:
        return HTMLResponse(_page(str(error)), status_code=403)
    return _welcome(fresh)


routes = [
    Route("/login", show_form, methods=["GET"]),
    Route("/login", submit_form, methods=["POST"]),
    Route("/logout", leave, methods=["GET"]),
]
demo_routes = [Route("/demo", switch_role, methods=["GET"])]


def _welcome(token: str) -> Response:
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=sign_in.SESSION_HOURS * 3_600,
        httponly=True,
        samesite="lax",
        secure=resources.services().settings.secure_cookies,
    )
    return response


def _turn_away(scope: Scope) -> Response:
    """Send a person to the form and tell a program the truth."""
    if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        return RedirectResponse("/login", status_code=303)
    return Response("Sign in first.", status_code=401, media_type="text/plain")


def _same_origin(request: Request) -> bool:
    """Refuse what another site made the browser send."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin") or request.headers.get("referer")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


def _page(problem: str, email: str = "") -> str:
    alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(t("login.title"))}</title>
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center;
  min-height: 100vh; margin: 0; background: light-dark(#f4f1ec, #16130f);
  color: light-dark(#1f1a14, #f3eee6); }}
main {{ width: min(24rem, 90vw); padding: 2rem; border-radius: .75rem;
  background: light-dark(#fff, #221d17); box-shadow: 0 1px 8px rgb(0 0 0 / .15); }}
h1 {{ font-size: 1.4rem; margin: 0 0 .25rem; }}
label {{ display: block; margin: 1rem 0 .25rem; font-weight: 600; }}
input {{ font: inherit; width: 100%; box-sizing: border-box; padding: .6rem;
  border: 1px solid #8a7f72; border-radius: .4rem; background: transparent; color: inherit; }}
button {{ font: inherit; font-weight: 600; width: 100%; margin-top: 1.5rem; padding: .7rem;
  border: 0; border-radius: .4rem; background: #7a3e12; color: #fff; cursor: pointer; }}
:focus-visible {{ outline: 3px solid #c9772e; outline-offset: 2px; }}
[role=alert] {{ padding: .6rem .8rem; border-radius: .4rem; background: #fde8e6; color: #7d1410; }}
</style></head><body><main>
<h1>{escape(t("login.title"))}</h1><p>{escape(t("login.lead"))}</p>{alert}
<form method="post" action="/login">
<label for="email">{escape(t("login.email"))}</label>
<input id="email" name="email" autocomplete="username" required autofocus
  value="{escape(email)}">
<label for="password">{escape(t("login.password"))}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit">{escape(t("login.button"))}</button>
</form></main></body></html>"""
