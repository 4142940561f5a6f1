"""A server on Node.js that runs while a test needs it, and whether this machine can run one."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_SECONDS = 10
# Debian 12 and Ubuntu 24.04 have Node.js 18: `.ci/install-peers` puts a newer one here for who needs it
NEWER = Path(__file__).parent / "node" / "node_modules" / ".bin" / "node"


def node_of(oldest: tuple[int, ...]) -> str | None:
    """The machine's Node.js, or the newer one beside these tests; None where neither is `oldest` or newer."""
    return next((one for one in (shutil.which("node"), str(NEWER)) if one and _version_of(one) >= oldest), None)


def missing_node(oldest: tuple[int, ...], server: str) -> str:
    """A sentence with what mends it when Node.js is absent or older than `server` takes; empty when it is there."""
    node = shutil.which("node")
    if node is None:
        return "Node.js is not installed: `apt-get install -y nodejs npm`, then `.ci/install-peers`"
    if node_of(oldest) is None:
        has, needs = (".".join(map(str, version)) for version in (_version_of(node), oldest))
        return f"Node.js {has} is too old for {server}, which needs {needs}: `.ci/install-peers` brings a newer one"
    return ""


def _version_of(node: str) -> tuple[int, ...]:
    """Major and minor; () for what is not there or does not run."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    return tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2] if part.isdigit())


@contextmanager
def running_node(
    words: Sequence[str | Path], errors: Path, *, name: str, seconds: float, oldest: tuple[int, ...]
) -> Iterator[None]:
    """`node`, `oldest` or newer, with these words, from its line `{"ready": true}` on until the block ends.

    It sees its standard input close, so it ends with this process too, however that ends. `errors` is the file for
    what it complains of. Raises AssertionError with the end of that when it is not ready within `seconds`.
    """
    with errors.open("w") as complaints:
        process = subprocess.Popen(
            [node_of(oldest) or "node", *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        try:
            _wait_until_ready(process, seconds, name, errors)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(process: subprocess.Popen[str], seconds: float, name: str, errors: Path) -> None:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    line = process.stdout.readline() if ready else ""
    if not line.startswith("{") or not json.loads(line).get("ready"):
        raise AssertionError(f"{name} did not start:\n{errors.read_text()[-2000:]}")
