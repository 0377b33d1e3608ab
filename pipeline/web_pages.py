"""The few pages that are there without the built one: for the token, and where the page was not built."""

from __future__ import annotations

DESCRIPTION = (
    "What the logger knows of a heat pump, read-only. Times are UTC, ISO 8601 with Z; in series they are milliseconds "
    'since 1970. Errors have one shape: {"error": {"message": ..., "hint": ...}}.'
)

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Luxtronik Logger</title></head>
<body><main>
<h1>Luxtronik Logger</h1>
{content}
</main></body>
</html>
"""

_LOGIN = """<form method="post" action="/login">
<p><label for="token">Token (HTTP_TOKEN in the settings)</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
{wrong}<p><button type="submit">Open</button></p>
</form>"""

_MISSING = """<p>The page was not built: the folder <code>web/dist</code> is missing.</p>
<p>Run <code>make setup</code> where the logger is installed and start it again; it needs Node 20 or newer, or a way to
PyPI to fetch one. Logging goes on, and the API works: <a href="/api/status">status</a>,
<a href="/api/rollups">files</a>, <a href="/openapi.json">all addresses</a>.</p>"""


def login(*, wrong: bool = False) -> str:
    """The form that asks for the token."""
    said = '<p role="alert">This is not the token.</p>\n' if wrong else ""
    return _PAGE.format(content=_LOGIN.format(wrong=said))


def missing() -> str:
    """What to do where there is no page."""
    return _PAGE.format(content=_MISSING)
