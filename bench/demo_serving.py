"""How long `make demo` takes from the installation to its sign-in links: building the school and all."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.lines import report

LIMIT_SECONDS = 60.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
        probe.close()
        command = [sys.executable, "-m", "socialgov", "demo", "--port", port, "--folder", str(Path(folder) / "demo")]
        begun = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            served = any("Ctrl-C ends it" in line for line in process.stdout)
            seconds = time.perf_counter() - begun
            process.terminate()
    if not served:
        sys.exit("the demonstration did not start")
    report("demo_serving", seconds, "s", LIMIT_SECONDS)


if __name__ == "__main__":
    main()
