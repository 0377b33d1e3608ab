"""`simulate`: a pump with its own log on this machine, until somebody ends it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from pipeline import arguments, exits
from pipeline.house import House
from pipeline.simulator import FAULTS, Dump, Fault, SimulatedPump, Source
from pipeline.simulator_log import LOG_FAULTS, LogFault, SimulatedLog
from pipeline.stop import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"faults:\n{_listed(FAULTS)}\n\nfaults of the log:\n{_listed(LOG_FAULTS)}"
    add = parser.add_argument
    add("--host", type=arguments.host, default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=arguments.port, default=8889, help="port to listen on, 0 for any (default: %(default)s)")
    add(
        "--log-port",
        type=arguments.port,
        default=0,
        metavar="PORT",
        help="port of its own log of 48 hours, 0 for any (default: %(default)s; a controller's is 80)",
    )
    add("--seed", type=int, default=1, help="which house is simulated (default: %(default)s)")
    add("--dump", type=Path, metavar="FILE", help="answer with a controller's recorded integers (JSON)")
    add("--journal", type=Path, metavar="FILE", help="append a line for every answer sent whole")
    add("--fault", choices=FAULTS, metavar="NAME", help="misbehave, see below")
    add("--log-fault", choices=LOG_FAULTS, metavar="NAME", help="misbehave with the log, see below")


def _listed(faults: Mapping[str, str]) -> str:
    return "\n".join(f"  {name:<10} {text}" for name, text in faults.items())


def run(options: argparse.Namespace, stop: Stop) -> int:
    """Simulate until a stop is asked for.

    Raises:
        LoggerError: the dump is none.
        OSError: a port is in use, or the journal cannot be written.
    """
    source, past = _sources(options)
    fault = Fault(options.fault) if options.fault else None
    log_fault = LogFault(options.log_fault) if options.log_fault else None
    pump = SimulatedPump(source, host=options.host, port=options.port, journal=options.journal, fault=fault)
    with pump, SimulatedLog(past, host=options.host, port=options.log_port, fault=log_fault) as log:
        _introduce(pump, log)
        while not stop.wait(3600):
            pass
    print(f"sent {pump.answers} whole answers")
    return exits.of_stop(stop)


def _sources(options: argparse.Namespace) -> tuple[Source, Source]:
    """What the pump answers, and what its log holds: a dump's clock counts its answers, that of its log is right."""
    if options.dump:
        dump = Dump(options.dump)
        return dump, dump.at
    house = House(options.seed)
    return house.answer_at, house.answer_at


def _introduce(pump: SimulatedPump, log: SimulatedLog) -> None:
    """Say where both are, on one line that programs read too."""
    faults = f"fault: {pump.fault.name if pump.fault else 'none'}"
    if log.fault:
        faults += f", fault of the log: {log.fault.name}"
    host, port = pump.address
    print(f"simulated pump on {host}:{port}, its log at {log.url}, {faults}; Ctrl-C ends it", flush=True)
