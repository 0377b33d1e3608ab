"""`python -m pipeline.healthcheck`: whether the service beside it does its work, for the container's HEALTHCHECK.

It runs every half minute, so it asks the page and loads nothing of the logger. Only where no page answers at the
address that the environment names does `status` judge, by what the service has written.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Mapping

#: Seconds until an answer counts as none; Docker's own limit stands above it.
_TIMEOUT_S = 8.0
#: As in settings.toml, which is not read here.
_PORT = "8000"
#: Hosts that stand for every address, and where one of them is found.
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here

_OK, _FAILING = 0, 1


def main(environ: Mapping[str, str]) -> int:
    """Print what the service says of itself; gives the exit code.

    Raises:
        OSError, ValueError: no page answers at the address that LUX_HTTP_HOST and LUX_HTTP_PORT name.
    """
    host = environ.get("LUX_HTTP_HOST", "")
    port = int(environ.get("LUX_HTTP_PORT", _PORT))
    connection = http.client.HTTPConnection(_EVERYWHERE.get(host, host), port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        found = json.loads(connection.getresponse().read())
    except http.client.HTTPException as error:
        raise OSError(f"no answer of the page: {error!r}") from error
    finally:
        connection.close()
    print("; ".join([found["status"], *found["reasons"]]))  # noqa: T201 - Docker keeps it
    return _FAILING if found["reasons"] else _OK


if __name__ == "__main__":
    try:
        sys.exit(main(os.environ))
    except (OSError, ValueError) as no_page:
        print(f"{no_page}; by its files:", flush=True)  # noqa: T201
        os.execv(sys.executable, [sys.executable, "-m", "pipeline", "status"])  # noqa: S606 - our own program
