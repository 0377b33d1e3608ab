"""The service as `run` builds it, polling faster than settings allow.

`python -m tests.fast_service INTERVAL [hang] [names=FILE]`: settings come from LUX_ variables; with `hang`, every name
look-up hangs for ever, with `names` a file rules them.
"""

from __future__ import annotations

import sys

from pipeline.stop import Stop


def main() -> int:
    stop = Stop()
    stop.listen()
    import socket
    import threading
    from pathlib import Path

    from pipeline import log, service, settings
    from tests import leash, resolver

    leash.obey()
    if "hang" in sys.argv:
        socket.getaddrinfo = lambda *_, **__: threading.Event().wait()  # type: ignore[assignment]
    for argument in sys.argv[2:]:
        if argument.startswith("names="):
            resolver.install(Path(argument.removeprefix("names=")))
    chosen = settings.load(needs_host=True, needs_folders=True)
    log.set_up(chosen.log_level, chosen.log_format)
    unsaved = service.build(chosen, interval_s=float(sys.argv[1])).run(stop)
    return service.UNSAVED if unsaved else 0


if __name__ == "__main__":
    sys.exit(main())
