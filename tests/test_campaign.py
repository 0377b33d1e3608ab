"""The campaign itself: it counts, goes on where it was broken off, and fails where a promise broke."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.chaos import __main__ as campaign
from tests.chaos.attacks import ATTACKS
from tests.chaos.tally import Attack, Tally

#: A real attack whose rounds are quick.
NAME = "power-repair"


def run(folder: Path, *arguments: str) -> int:
    return campaign.main([NAME, "--jobs", "1", "--folder", str(folder), *arguments])


def told(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "state.json").read_bytes())
    return found


def test_campaign_prints_its_table_and_a_second_call_does_nothing_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "campaign"
    assert run(folder, "--rounds", "1") == 0
    machine, head, row, closing = capsys.readouterr().out.splitlines()
    assert "commit" in machine
    assert head.split() == [
        "attack",
        "rounds",
        "served",
        "stored",
        "in",
        "flight",
        "reported",
        "lost",
        "doubled",
        "torn",
    ]
    assert row.startswith(f"2 {NAME}")
    assert row.split()[-3:] == ["0", "0", "0"]
    assert closing.startswith("1 of 1 attacks held")
    monkeypatch.setattr(campaign, "_run", lambda _: pytest.fail("what is done was done again"))
    assert run(folder, "--rounds", "1") == 0
    assert capsys.readouterr().out.splitlines()[2] == row


def test_campaign_of_another_size_begins_anew(tmp_path: Path) -> None:
    progress = campaign._resumed(tmp_path / "campaign", 10)
    progress.done["kill"] = 5
    progress.save(tmp_path / "campaign")
    assert campaign._resumed(tmp_path / "campaign", 10).done == {"kill": 5}
    assert campaign._resumed(tmp_path / "campaign", 11).done == {}


def test_broken_batch_is_told_and_makes_the_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Tally(rounds=1, served=3, stored=2, lost=1)
    monkeypatch.setattr(campaign, "_run", lambda command: _ended(command, 0, json.dumps(asdict(lost)), ""))
    assert run(tmp_path / "lost", "--rounds", "1") == 1
    assert f"BROKEN {NAME}" in capsys.readouterr().err
    monkeypatch.setattr(campaign, "_run", lambda command: _ended(command, 1, "", "BrokenError: a leftover"))
    assert run(tmp_path / "broken", "--rounds", "1") == 1
    assert "BrokenError: a leftover" in capsys.readouterr().err
    assert told(tmp_path / "broken")["done"] == {}


def _ended(command: list[str], code: int, out: str, err: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess(command, code, out, err)


@pytest.mark.parametrize(
    "tally",
    [
        Tally(rounds=1, served=3, stored=2, lost=1),
        Tally(rounds=1, served=3, stored=3, doubled=1),
        Tally(rounds=1, served=3, stored=3, torn=1),
        Tally(rounds=1, served=3, stored=2),
    ],
)
def test_tally_with_anything_lost_doubled_torn_or_unaccounted_does_not_hold(tally: Tally) -> None:
    assert not tally.holds
    assert Tally(rounds=1, served=3, stored=1, in_flight=1, reported=1).holds


def test_unknown_attack_is_refused_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        campaign.main(["nothing"])
    assert "no attack nothing; there are kill, " in capsys.readouterr().err


def test_attacks_cover_all_eight_kinds_under_names_of_their_own() -> None:
    assert {attack.number for attack in ATTACKS} == set(range(1, 9))
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_rounds_scale_with_the_campaign_and_never_fall_below_the_short_round(attack: Attack) -> None:
    assert attack.short <= attack.rounds(1) <= attack.rounds(1000) <= 1000
