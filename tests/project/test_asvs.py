"""docs/asvs.md is what the tests' marks say: every item has a test, every mark an item, and the page is up to date."""

from __future__ import annotations

from asvs import CHAPTERS, ITEMS, PAGE, holders, page


def test_every_item_has_a_test() -> None:
    marked = {item for holder in holders() for item in holder.items}
    assert [item for item in ITEMS if item not in marked] == []


def test_every_mark_names_an_item_of_the_list() -> None:
    assert [(one.path, one.name, item) for one in holders() for item in one.items if item not in ITEMS] == []


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make asvs`"


def test_items_stand_in_the_standards_order_under_their_chapters() -> None:
    numbers = [tuple(map(int, item.split("."))) for item in ITEMS]
    assert numbers == sorted(numbers)
    assert {chapter for chapter, *_ in numbers} == set(CHAPTERS)


def test_a_sentence_reads_like_one() -> None:
    assert all(len(holder.sentence.split()) >= 4 for holder in holders())
