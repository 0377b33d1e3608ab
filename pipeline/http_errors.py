"""Errors as the API tells them: one shape, what was wrong and what to do."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from pipeline.errors import BusyError, ExportError, LoggerError, QueryError


def add(app: FastAPI) -> None:
    """Answer every error of an application in the one shape."""

    @app.exception_handler(LoggerError)
    async def ours(_: Request, error: LoggerError) -> Response:
        return answer(_status(error), error, {"Retry-After": "2"} if isinstance(error, BusyError) else None)

    @app.exception_handler(OSError)
    async def disk(_: Request, error: OSError) -> Response:
        return _told(503, f"{error.strerror or error}", "the disk does not serve now; try again")

    # The server logs it with its traceback.
    @app.exception_handler(Exception)
    async def other(_: Request, error: Exception) -> Response:
        return _told(500, f"unexpected: {type(error).__name__}", "the log has more; please report it")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return _told(error.status_code, f"{error.detail}: {request.url.path}", "/openapi.json lists all addresses")

    @app.exception_handler(RequestValidationError)
    async def form(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return _told(400, f"{first['loc'][-1]}: {first['msg']}", "/openapi.json tells what is expected")


def _status(error: LoggerError) -> int:
    if isinstance(error, QueryError):
        return 400
    # What a client may ask for again in a moment is 503; the same export would end in the same way.
    return 500 if isinstance(error, ExportError) else 503


def answer(status: int, error: LoggerError, headers: dict[str, str] | None = None) -> Response:
    """One of our errors, with its hint beside it."""
    message = str(error).removesuffix(f" ({error.hint})") if error.hint else str(error)
    return _told(status, message, error.hint, headers)


def _told(status: int, message: str, hint: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message, "hint": hint}}, status, headers)
