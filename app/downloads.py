"""Files and pictures of pages, handed out to those who may see them."""

import asyncio
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from app import auth, resources, sign_in
from app.errors import NotFoundError, PermissionDeniedError
from app.services import Services
from app.workflow import documents, uploads
from ingest.errors import CopilotError

PDF = "application/pdf"
# A page is drawn in a process that may take a gigabyte; more at once would starve the desk.
DRAWN_AT_ONCE = 2
MAX_DIGITS = 9
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "cache-control": "private, no-cache",
}
_drawing = asyncio.Semaphore(DRAWN_AT_ONCE)


async def original(request: Request) -> Response:
    """Hand out the uploaded file of a version."""
    version_id = request.path_params["version_id"]

    def answer(services: Services, user_id: str) -> Response:
        version = documents.source(services, user_id, version_id).version
        is_pdf = version.media_type == PDF
        return FileResponse(
            services.files.path(version.sha256),
            # Only a PDF is shown by the browser itself; an uploaded page must never run as ours.
            media_type=PDF if is_pdf else "application/octet-stream",
            filename=version.file_name,
            content_disposition_type="inline" if is_pdf else "attachment",
            headers=_HEADERS,
        )

    return await _answered(request, answer)


async def upload(request: Request) -> Response:
    """Hand an upload back as it came, whatever it is; nothing of it is opened by the browser."""
    job_id = request.path_params["job_id"]

    def answer(services: Services, user_id: str) -> Response:
        job = uploads.file_of(services, user_id, job_id)
        return FileResponse(
            services.files.path(job.sha256),
            media_type="application/octet-stream",
            filename=job.file_name,
            headers=_HEADERS,
        )

    return await _answered(request, answer)


async def page_image(request: Request) -> Response:
    """Draw a page of a version with a span of its text marked."""
    version_id, page = request.path_params["version_id"], _number(request.path_params["number"])
    span = _number(request.query_params.get("start")), _number(request.query_params.get("end"))

    def answer(services: Services, user_id: str) -> Response:
        picture = documents.page_image(services, user_id, version_id, page, span)
        # A version never changes, and neither does its picture; but who may see it does.
        return Response(picture, media_type="image/png", headers=_HEADERS)

    async with _drawing:
        return await _answered(request, answer)


routes = [
    Route("/source/{version_id}", original),
    Route("/source/{version_id}/page/{number}.png", page_image),
    Route("/upload/{job_id}", upload),
]


async def _answered(request: Request, answer: Callable[[Services, str], Response]) -> Response:
    """Answer as the person of the request, or with what hinders it in words."""
    services = resources.services()
    token = request.cookies.get(auth.COOKIE)
    user_id = await run_in_threadpool(sign_in.user_id_of, services, token) or ""
    try:
        return await run_in_threadpool(answer, services, user_id)
    except (NotFoundError, PermissionDeniedError) as error:
        return Response(str(error), status_code=404, media_type="text/plain")
    except CopilotError as error:
        return Response(str(error), status_code=422, media_type="text/plain")
    except (ChildProcessError, ValueError):
        return Response("The page cannot be shown now.", status_code=503, media_type="text/plain")


def _number(text: str | None) -> int:
    """Read a whole number; 0 for whatever is none, or larger than any document."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < MAX_DIGITS else 0
