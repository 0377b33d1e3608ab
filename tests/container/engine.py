"""Docker by its command line: containers with the limits of compose.yaml, and what they say of themselves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.running import ROOT

#: Tag of the image under test, and a name in front of all that a run makes.
IMAGE = "luxtronik-logger:under-test"
PREFIX = "luxtronik-logger-under-test"
#: User and group of the image.
OWNER = (1000, 1000)
#: Name by which a container finds this machine, where the simulated pump listens.
PUMP_HOST = "pump"
WAY_TO_PUMP = f"--add-host={PUMP_HOST}:host-gateway"


class EngineError(Exception):
    """Raised when Docker refuses what it was asked, with its words."""


def docker(*words: str, timeout_s: float = 120, client: str = "docker", **environ: str) -> str:
    """What a client of Docker prints.

    Raises:
        EngineError: it ended with another code than 0.
    """
    done = subprocess.run(
        [client, *words], cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, timeout=timeout_s
    )
    if done.returncode:
        raise EngineError(f"docker {' '.join(words)}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def build(tag: str = IMAGE, version: str = "under-test", *, client: str = "docker", **environ: str) -> None:
    """The image, with the network of this machine; by the builder that client and variables choose."""
    words = ("build", "--network", "host", "--build-arg", f"VERSION={version}", "--tag", tag, ".")
    docker(*words, timeout_s=1800, client=client, **environ)


def image(tag: str = IMAGE) -> dict[str, Any]:
    """What Docker knows of an image."""
    found: dict[str, Any] = json.loads(docker("image", "inspect", tag))[0]
    return found


def limits() -> list[str]:
    """What compose.yaml limits, as words for `docker run`."""
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["luxtronik-logger"]
    words = [f"--memory={service['mem_limit']}"]
    words += ["--read-only"] * service["read_only"]
    words += [f"--cap-drop={name}" for name in service["cap_drop"]]
    return words + [f"--security-opt={option}" for option in service["security_opt"]]


def until(condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """What a condition gives as soon as it gives something.

    Raises:
        TimeoutError: it gave nothing in time; says what was waited for.
    """
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise TimeoutError(f"{what}: not within {timeout_s:.0f} s")


@dataclass(frozen=True)
class Container:
    """A container that was started, by its name."""

    name: str

    def exec(self, *words: str) -> str:
        return docker("exec", self.name, *words)

    def inspect(self, form: str) -> str:
        return docker("inspect", "--format", form, self.name)

    def logs(self) -> str:
        done = subprocess.run(["docker", "logs", self.name], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    @property
    def health(self) -> str:
        return self.inspect("{{.State.Health.Status}}")

    @property
    def last_check(self) -> str:
        """What the latest health check printed."""
        checks = json.loads(self.inspect("{{json .State.Health.Log}}")) or [{"Output": ""}]
        return str(checks[-1]["Output"])

    @property
    def exit_code(self) -> int:
        return int(self.inspect("{{.State.ExitCode}}"))

    def client(self) -> httpx.Client:
        """A client for the page, at the port that Docker chose."""
        address = docker("port", self.name, "8000/tcp").splitlines()[0]
        return httpx.Client(base_url=f"http://{address}", timeout=60)


def options(environ: Mapping[str, str], data: Path | str) -> list[str]:
    """The words of `docker run` that each service shares: limits, volume, port, the way to the pump."""
    words = [*limits(), f"--volume={data}:/data", "--publish=127.0.0.1::8000", WAY_TO_PUMP]
    # The image's own half minute is for years, not for a test.
    words += ["--health-interval=1s", "--health-start-period=1s"]
    return words + [f"--env={name}={value}" for name, value in environ.items()]


@contextmanager
def running(name: str, *words: str) -> Iterator[Container]:
    """A container in the background, by the words of `docker run`; gone at the end, its log shown on a failure."""
    container = Container(f"{PREFIX}-{name}")
    # One that a run before left, which was itself cut off, would keep the name.
    docker("rm", "--force", "--volumes", container.name)
    docker("run", "--detach", "--name", container.name, *words)
    try:
        yield container
    except BaseException:
        print(f"--- log of {name}; last check: {container.last_check}\n{container.logs()}---", flush=True)
        raise
    finally:
        docker("rm", "--force", "--volumes", container.name)


@contextmanager
def started(
    name: str, environ: Mapping[str, str], data: Path | str, *words: str, image: str = IMAGE, more: tuple[str, ...] = ()
) -> Iterator[Container]:
    """The same with the options that each service shares."""
    with running(name, *options(environ, data), *more, image, *words) as container:
        yield container


def compose() -> list[str]:
    """Docker's compose, as its plugin or as the older program.

    Raises:
        EngineError: neither is here.
    """
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    if found := shutil.which("docker-compose"):
        return [found]
    raise EngineError("no docker compose here: install docker-compose-plugin, or docker-compose")
