"""What a browser is handed beside the API: the page, and the form that asks for the token."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from pipeline import web_pages
from pipeline.access import COOKIE, COOKIE_S, LOGIN, Access

#: Bytes of a form.
_MOST_FORM = 4096


def add_login(app: FastAPI, access: Access) -> None:
    """The form that takes the token and gives a cookie for it."""

    @app.get(LOGIN, include_in_schema=False)
    async def ask() -> Response:
        return HTMLResponse(web_pages.login())

    @app.post(LOGIN, include_in_schema=False)
    async def take(request: Request) -> Response:
        if not access.accepts(await _token(request)):
            return HTMLResponse(web_pages.login(wrong=True), 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, access.cookie(), max_age=COOKIE_S, httponly=True, samesite="strict")
        return answer


async def _token(request: Request) -> str:
    """The field of a form, of which no more is read than a token can take."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_FORM:
            return ""
    return parse_qs(body.decode(errors="replace")).get("token", [""])[0].strip()


def add_page(app: FastAPI, page: Path) -> None:
    """The built page in a folder; where there is none, a page that says so."""
    if (page / "index.html").is_file():
        app.mount("/", StaticFiles(directory=page, html=True))
        return

    @app.get("/", include_in_schema=False)
    async def missing() -> Response:
        return HTMLResponse(web_pages.missing(), 503)
