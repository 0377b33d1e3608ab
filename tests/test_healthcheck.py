"""Tests of `pipeline.healthcheck`, as Docker runs it: a process of its own beside a real server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.running import ROOT, environment
from tests.serving import free_port, serving


def checked(folder: Path, port: int, host: str = "0.0.0.0") -> tuple[int, str]:
    """Exit code and words of the check."""
    env = environment(folder / "data", ("127.0.0.1", 1), HTTP_PORT=str(port), HTTP_HOST=host)
    command = [sys.executable, "-m", "pipeline.healthcheck"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_check_says_what_health_says_also_behind_a_token(tmp_path: Path) -> None:
    with serving(tmp_path, hours=1, HTTP_TOKEN="a-long-secret-of-ours") as served:
        port = int(served.url.rpartition(":")[2])
        assert checked(tmp_path, port) == (0, "ok\n")
        assert checked(tmp_path, port, "127.0.0.1") == (0, "ok\n")


def test_check_fails_with_the_reasons_of_health(tmp_path: Path) -> None:
    with serving(tmp_path, hours=0) as served:
        (tmp_path / "data" / "state.json").unlink()
        answer = served.get("/health")
        assert answer.status_code == 503
        assert checked(tmp_path, int(served.url.rpartition(":")[2])) == (
            1,
            f"failing; {'; '.join(answer.json()['reasons'])}\n",
        )


def test_without_a_page_the_check_judges_by_what_the_service_wrote(tmp_path: Path) -> None:
    with serving(tmp_path, hours=1):
        code, words = checked(tmp_path, free_port())
        assert (code, "status        ok\n" in words) == (0, True)
        assert "Connection refused; by its files:" in words
    code, words = checked(tmp_path, free_port())
    assert (code, "no service runs on" in words) == (1, True)


def test_switched_off_page_is_judged_by_what_the_service_wrote(tmp_path: Path) -> None:
    with serving(tmp_path, hours=1):
        code, words = checked(tmp_path, 0)
        assert (code, "status        ok\n" in words) == (0, True)
