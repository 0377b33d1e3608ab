"""Every mutant, in the order of the flow."""

from __future__ import annotations

from tests.mutants import (
    archiving,
    compressing,
    filling,
    logged,
    polling,
    publishing,
    queueing,
    retaining,
    rolling,
    running,
    serving,
    storing,
    telling,
)

MUTANTS = (
    *polling.MUTANTS,
    *queueing.MUTANTS,
    *storing.MUTANTS,
    *publishing.MUTANTS,
    *rolling.MUTANTS,
    *archiving.MUTANTS,
    *logged.MUTANTS,
    *filling.MUTANTS,
    *compressing.MUTANTS,
    *retaining.MUTANTS,
    *running.MUTANTS,
    *telling.MUTANTS,
    *serving.MUTANTS,
)
