"""A short round of damaged logs for the decoder; the long one is `make fuzz`."""

from __future__ import annotations

import random

import pytest

from tests import fuzz_processlog


def test_damaged_logs_are_refused_or_still_logs(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz_processlog.main(["--mutations", "500"]) == 0
    assert capsys.readouterr().out.startswith("500 mutations: ")


def test_both_happen_and_the_same_seed_is_the_same_damage() -> None:
    figures = fuzz_processlog.run(200)
    assert 20 < figures.refused < 200
    assert figures.slowest_s < fuzz_processlog.MOST_S
    logs = fuzz_processlog.originals()
    assert fuzz_processlog.mutated(random.Random(7), logs) == fuzz_processlog.mutated(random.Random(7), logs)


def test_decoder_that_breaks_or_hangs_is_told_with_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fuzz_processlog, "_look", lambda *_: [][1])
    assert fuzz_processlog.main(["--mutations", "1", "--first", "12"]) == 1
    assert "BROKEN 12: IndexError: " in capsys.readouterr().out

    def hang(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(fuzz_processlog, "_look", hang)
    monkeypatch.setattr(fuzz_processlog, "MOST_S", 0.05)
    assert "TimeoutError" in fuzz_processlog.run(1).broken[0]
