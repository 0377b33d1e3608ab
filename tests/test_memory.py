"""Tests of `pipeline.memory`: limits of control groups as the kernel lays them out, and the real machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline import memory

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
ROOM = 250_000_000


def limit(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("cgroups", "file"),
    [
        ("0::/", "memory.max"),
        ("0::/system.slice/logger.service", "system.slice/logger.service/memory.max"),
        ("0::/system.slice/logger.service", "system.slice/memory.max"),
        ("9:name=systemd:/docker/f3\n4:memory:/docker/f3\n0::/docker/f3", "memory/memory.limit_in_bytes"),
        ("4:cpu,memory:/a", "memory/a/memory.limit_in_bytes"),
    ],
)
def test_limit_of_a_control_group_counts(tmp_path: Path, cgroups: str, file: str) -> None:
    limit(tmp_path / file, "550000000")
    assert memory.spare(cgroups, tmp_path) == (550_000_000 - ROOM) // 3


def test_smallest_limit_counts_and_none_is_below_nothing(tmp_path: Path) -> None:
    limit(tmp_path / "memory.max", "900000000")
    limit(tmp_path / "a" / "memory.max", "400000000")
    limit(tmp_path / "a" / "b" / "memory.max", "max")
    assert memory.spare("0::/a/b", tmp_path) == 50_000_000
    limit(tmp_path / "a" / "memory.max", "100000000")
    assert memory.spare("0::/a/b", tmp_path) == 0


@pytest.mark.parametrize("cgroups", ["", "0::/a", "7:blkio:/\n0::/"])
def test_without_a_limit_the_machine_counts(tmp_path: Path, cgroups: str) -> None:
    limit(tmp_path / "memory.max", "max")
    assert memory.spare(cgroups, tmp_path) == (MACHINE - ROOM) // 3


def test_limit_of_another_controller_or_outside_is_none(tmp_path: Path) -> None:
    limit(tmp_path / "blkio" / "memory.limit_in_bytes", "1")
    limit(tmp_path / "memory.limit_in_bytes", "1")
    assert memory.spare("7:blkio:/\n4:memory:/a", tmp_path) == (MACHINE - ROOM) // 3


def test_this_process_has_a_share_of_the_machine() -> None:
    assert 0 < memory.spare() <= MACHINE // 3
