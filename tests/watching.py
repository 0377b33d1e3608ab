"""What reaches the disk in which order: writes, fsyncs, cuts, renames and unlinks as they happen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def watch(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Each step from now on, as what was done and the name of the file or folder: a rename bears the new name."""
    steps: list[tuple[str, str]] = []
    _watch_descriptors(monkeypatch, steps)
    real_replace, real_unlink = Path.replace, Path.unlink

    def replace(self: Path, target: Path) -> Path:
        steps.append(("rename", target.name))
        return real_replace(self, target)

    def unlink(self: Path, missing_ok: bool = False) -> None:
        steps.append(("unlink", self.name))
        real_unlink(self, missing_ok)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "unlink", unlink)
    return steps


def _watch_descriptors(monkeypatch: pytest.MonkeyPatch, steps: list[tuple[str, str]]) -> None:
    real_write, real_sync, real_cut = os.pwrite, os.fsync, os.ftruncate

    def write(descriptor: int, data: bytes, offset: int) -> int:
        steps.append(("write", _name(descriptor)))
        return real_write(descriptor, data, offset)

    def sync(descriptor: int) -> None:
        steps.append(("sync", _name(descriptor)))
        real_sync(descriptor)

    def cut(descriptor: int, length: int) -> None:
        steps.append(("cut", _name(descriptor)))
        real_cut(descriptor, length)

    monkeypatch.setattr(os, "pwrite", write)
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "ftruncate", cut)


def _name(descriptor: int) -> str:
    return Path(f"/proc/self/fd/{descriptor}").readlink().name
