"""The service as `run` builds it, polling faster than settings allow: `python -m tests.fast_service INTERVAL [...]`.

Settings come from LUX_ variables. With `hang`, every name look-up hangs for ever; with `names=FILE` a file rules them.
`waiting=N` lets so many readings wait in memory, `reserve=N` is the bytes of the disk that a rollup leaves free.
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

    from pipeline import exits, log, service, settings, store
    from stages import rollup
    from tests import leash, resolver

    leash.obey()
    interval_s, *rest = sys.argv[1:]
    options = dict(argument.split("=", 1) for argument in rest if "=" in argument)
    if "hang" in rest:
        socket.getaddrinfo = lambda *_, **__: threading.Event().wait()  # type: ignore[assignment]
    if "names" in options:
        resolver.install(Path(options["names"]))
    chosen = settings.load(needs_host=True, needs_folders=True)
    log.set_up(chosen.log_level, chosen.log_format)
    store.MAX_WAITING = int(options.get("waiting", store.MAX_WAITING))
    built = service.build(chosen, interval_s=float(interval_s))
    built.rollup._reserve = int(options.get("reserve", rollup.RESERVE))
    return exits.of_service(built.run(stop), stop)


if __name__ == "__main__":
    sys.exit(main())
