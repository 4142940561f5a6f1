"""The closing lines of `make test`: what did not run, and why. Nothing is left out silently.

With SOCIALGOV_ALL_MUST_RUN set (continuous integration) a browser or peer test that did not run fails the run: there,
everything that it needs can be installed.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

# mark → the fixture that needs what continuous integration has to install
NEEDS_THE_MACHINE = {"browser": "browser", "peer": "bluesky", "standin": "mastodon"}
WHOLE_PROCESSES = ("cli", "project")  # folders
EXIT_SOMETHING_DID_NOT_RUN = 1


class NotRun:
    """Counts the tests that skipped themselves, and names the choice (`-m`, `-k`) that left others out."""

    def __init__(self, config: pytest.Config) -> None:
        self.choice = " and ".join(filter(None, (config.getoption("markexpr"), config.getoption("keyword"))))
        self.reasons: Counter[str] = Counter()
        self.must_run: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = _reason(report)
            self.reasons[reason] += 1
            # what the machine lacks, a fixture says; within the test, a platform does not do what was asked of it
            if report.when == "setup" and any(mark in report.keywords for mark in NEEDS_THE_MACHINE):
                self.must_run[reason] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.reasons[f"{report.nodeid}: {_reason(report)}"] += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.must_run and exitstatus == 0 and os.environ.get("SOCIALGOV_ALL_MUST_RUN"):
            session.exitstatus = EXIT_SOMETHING_DID_NOT_RUN

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("what did not run")
        for reason, count in self.reasons.most_common():
            terminalreporter.write_line(f"{count} not run: {reason}")
        if self.choice:  # workers choose for themselves and do not report how many they left out
            terminalreporter.write_line(f"Only what matches {self.choice!r} was chosen; the rest did not run.")
        elif not self.reasons:
            terminalreporter.write_line("Everything ran.")
        if self.must_run and os.environ.get("SOCIALGOV_ALL_MUST_RUN"):
            terminalreporter.write_line("SOCIALGOV_ALL_MUST_RUN is set, so that fails this run.")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses the fixture has the mark, so that `-m "not browser"` and the count of what must run miss nobody."""
    for item in items:
        for mark, fixture in NEEDS_THE_MACHINE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
    _long_files_first(items)


def _long_files_first(items: list[pytest.Item]) -> None:
    """Files that drive a browser, a peer or whole processes begin, so that no worker is left with one at the end."""
    long = {item.path for item in items if any(item.get_closest_marker(mark) for mark in NEEDS_THE_MACHINE)}
    long |= {item.path for item in items if item.path.parent.name in WHOLE_PROCESSES or "killed" in item.path.name}
    items.sort(key=lambda item: item.path not in long)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # under xdist the controller sees every worker's reports
        config.pluginmanager.register(NotRun(config), "not-run")
