"""Every page in a real browser against axe: WCAG 2.2 AA, on a phone in light and dark, and on a desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from stage import pages_of, set_stage

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

AXE = AXE_FILE_PATH.read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LOOKS = [(390, "light"), (390, "dark"), (1280, "light")]
# the markup is the same in every look: only these depend on colours and widths, and are asked again for each
OF_LOOKS = ["color-contrast", "link-in-text-block", "target-size"]


RUN = "(only) => axe.run({runOnly: only, resultTypes: ['violations']}).then(found => found.violations)"


def faults(page: Page, only: Sequence[str] = TAGS) -> list[str]:
    """What axe, which the page must have loaded, finds: one line each."""
    found: list[dict[str, Any]] = page.evaluate(RUN, list(only))
    return [
        f"{fault['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for fault in found
        for node in fault["nodes"]
    ]


def test_no_page_has_a_fault_that_axe_knows(site: Any) -> None:
    stage, tabs, wrong = set_stage(site.home), {}, []
    for name, person, path in pages_of(stage):
        key = person.id if person else None
        tab = tabs.get(key) or tabs.setdefault(key, site.open(person))
        tab.goto(path)
        tab.evaluate(AXE)
        tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for number, (width, scheme) in enumerate(LOOKS):
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=scheme)
            wrong += [f"{name} at {width} {scheme}: {fault}" for fault in faults(tab, OF_LOOKS if number else TAGS)]
            wide = tab.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                wrong.append(f"{name} at {width}: it is {wide} px wide and must be scrolled sideways")
    assert wrong == []
