"""The service as `run` builds it, polling faster than settings allow: `python -m tests.fast_service INTERVAL [...]`.

Settings come from LUX_ variables; with `hang`, every name look-up hangs for ever. `waiting=N` lets so many readings
wait in memory, `reserve=N` is the bytes of the disk that a rollup leaves free.
"""

from __future__ import annotations

import sys

from pipeline.stop import Stop


def main() -> int:
    stop = Stop()
    stop.listen()
    import socket
    import threading

    from pipeline import log, service, settings, store
    from stages import rollup

    if "hang" in sys.argv:
        socket.getaddrinfo = lambda *_, **__: threading.Event().wait()  # type: ignore[assignment]
    chosen = settings.load(needs_host=True, needs_folders=True)
    log.set_up(chosen.log_level, chosen.log_format)
    options = dict(argument.split("=") for argument in sys.argv[2:] if "=" in argument)
    store.MAX_WAITING = int(options.get("waiting", store.MAX_WAITING))
    built = service.build(chosen, interval_s=float(sys.argv[1]))
    built.rollup._reserve = int(options.get("reserve", rollup.RESERVE))
    unsaved = built.run(stop)
    return service.UNSAVED if unsaved else 0


if __name__ == "__main__":
    sys.exit(main())
