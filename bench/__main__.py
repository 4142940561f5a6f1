"""Every bench, one after the other, each in a process of its own. Exit code 1 when one is short or breaks."""

from __future__ import annotations

import re
import subprocess
import sys

BENCHES = (
    "help_time",
    "register_page",
    "audit_page",
    "seal_open",
    "key_rotation",
    "web_memory",
    "demo_serving",
    "jobs_pass",
    "plan_day",
    "adapter_overhead",
)
LINE = re.compile(r"^bench (\w+) (\S+) (\S+) limit (\S+) (ok|short)$", re.MULTILINE)


def main() -> int:
    short = []
    for name in BENCHES:
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, end="", flush=True)
        lines = LINE.findall(done.stdout)
        if done.returncode not in (0, 1) or not lines or any(line[-1] == "short" for line in lines):
            short.append(name)
    if short:
        print(f"short: {', '.join(short)}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
