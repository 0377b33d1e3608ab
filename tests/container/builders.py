"""What the image is made with: each of Docker's two builders, and packages for both platforms."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.container.engine import IMAGE, EngineError, build, docker, image
from tests.running import ROOT

#: The last version of Docker's client that builds with BuildKit without its plugin buildx.
_WITHOUT_PLUGIN = 22
#: Platforms that a release is built for, and the versions of the C library that their packages may ask for.
_MACHINES, _GLIBC = ("x86_64", "aarch64"), range(17, 42)
#: What BuildKit writes beside each image.
_SIGNED = "buildkit.dockerfile.v0"
#: Names, kinds, modes and owners of all files, and what is in them; but for what Docker writes itself and for compiled
#: code, which has the time of its compilation in it.
_FILES = """
find / -xdev \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -printf '%y %m %U:%G %p -> %l\\n' | sort
find /app /opt /usr /etc -xdev -type f ! -name '*.pyc' ! -regex '/etc/\\(hosts\\|hostname\\|resolv.conf\\)' \\
  -exec sha256sum {} + | sort -k 2
"""


def both_builders_make_the_same_image(_: Path) -> str:
    classic, buildkit = (f"{IMAGE}-{name}" for name in ("classic", "buildkit"))
    build(classic, DOCKER_BUILDKIT="0")
    build(buildkit, client=_client_with_buildkit(), DOCKER_BUILDKIT="1")
    try:
        images = image(classic), image(buildkit)
        assert [each["Comment"] == _SIGNED for each in images] == [False, True]
        configs = [_config(each) for each in images]
        assert configs[0] == configs[1], configs
        one, other = _files(classic), _files(buildkit)
        assert one == other, sorted(set(one) ^ set(other))[:20]
    finally:
        docker("rmi", classic, buildkit)
    return f"the same configuration and the same {len(one)} names and contents"


def packages_of_both_platforms_are_there(folder: Path) -> str:
    version = docker("run", "--rm", "--entrypoint", "python", IMAGE, "--version").split()[1]
    for machine in _MACHINES:
        for lock in ("requirements.txt", "web/requirements.txt"):
            _fetch_packages(lock, version, machine, folder)
    return f"Python {version} on {' and '.join(_MACHINES)}"


def _fetch_packages(lock: str, version: str, machine: str, folder: Path) -> None:
    """All that is locked, as pip on another machine gets it; whether a hash is right shows only in the file itself."""
    words = ["download", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    words += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", lock]
    words += ["--python-version", version, "--implementation", "cp"]
    words += [f"--platform=manylinux_2_{glibc}_{machine}" for glibc in _GLIBC]
    done = subprocess.run([sys.executable, "-m", "pip", *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{lock} on {machine}: {done.stderr}"


def _client_with_buildkit() -> str:
    for client in _clients():
        if subprocess.run([client, "buildx", "version"], capture_output=True).returncode == 0:
            return client
        if int(docker("--version", client=client).split()[2].partition(".")[0]) <= _WITHOUT_PLUGIN:
            return client
    raise EngineError("no client of Docker here builds with BuildKit: install its plugin, docker-buildx-plugin")


def _clients() -> Iterator[str]:
    for folder in os.get_exec_path():
        if client := shutil.which("docker", path=folder):
            yield client


def _config(one: dict[str, Any]) -> dict[str, Any]:
    """What an image says of how it runs."""
    # Not of the image itself: what each builder adds, a mark that matters to Windows and what the last step began with.
    return {name: value for name, value in one["Config"].items() if name not in {"ArgsEscaped", "Image"}}


def _files(tag: str) -> list[str]:
    return docker("run", "--rm", "--user", "0", "--entrypoint", "sh", tag, "-c", _FILES).splitlines()
