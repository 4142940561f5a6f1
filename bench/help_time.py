"""What `socialgov --help` costs, against a Python that imports click and nothing else."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.lines import median_ratio, report

LIMIT = 3.0


def seconds(*command: str) -> float:
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> None:
    ratio = median_ratio(
        lambda: seconds(sys.executable, "-m", "socialgov", "--help"),
        lambda: seconds(sys.executable, "-c", "import click"),
    )
    report("help_time", ratio, "x", LIMIT)


if __name__ == "__main__":
    main()
