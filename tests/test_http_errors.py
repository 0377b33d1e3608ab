"""Errors as the API tells them: the status says whose matter it is."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from pipeline import http_errors
from pipeline.errors import ArchiveError, BusyError, ExportError, LoggerError, QueryError


@pytest.mark.parametrize(
    ("error", "status"), [(QueryError, 400), (ExportError, 500), (ArchiveError, 503), (BusyError, 503)]
)
def test_error_is_told_with_its_hint_apart(error: type[LoggerError], status: int) -> None:
    app = FastAPI()
    http_errors.add(app)

    @app.get("/")
    async def fail() -> None:
        raise error("it went wrong", hint="mend it")

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://logger") as client:
            return await client.get("/")

    answer = asyncio.run(ask())
    assert (answer.status_code, "retry-after" in answer.headers) == (status, error is BusyError)
    assert answer.json() == {"error": {"message": "it went wrong", "hint": "mend it"}}
