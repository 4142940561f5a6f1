"""The logo check: the same picture in many dresses, other pictures, and what is no picture at all."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from socialgov.errors import InvalidInput
from socialgov.logo import compare, pair_mark
from socialgov.models import LogoMatch

Dress = Callable[[Image.Image], Image.Image]


def drawn(ground: str = "navy", field: str = "gold", bird: bool = True) -> Image.Image:
    """A shield with a bird, or a rival's: the same shield with bars."""
    image = Image.new("RGB", (400, 400), "white")
    pen = ImageDraw.Draw(image)
    pen.polygon([(80, 70), (320, 70), (320, 220), (200, 340), (80, 220)], fill=ground)
    if bird:
        pen.ellipse((150, 110, 250, 200), fill=field)
        pen.polygon([(240, 140), (300, 155), (240, 170)], fill=field)
        pen.polygon([(150, 150), (100, 110), (110, 200)], fill=field)
    else:
        for top in (100, 150, 200):
            pen.rectangle((90, top, 310, top + 22), fill=field)
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


LOGO = encoded(drawn())


def clear_ground(image: Image.Image) -> Image.Image:
    seen = image.convert("RGBA")
    white = Image.new("RGBA", seen.size, (0, 0, 0, 0))
    mask = ImageOps.invert(image.convert("L")).point(lambda value: 255 if value else 0)
    white.paste(seen, mask=mask)
    return white


@pytest.mark.parametrize(
    "dress",
    [
        lambda image: image,
        lambda image: image.resize((128, 128)),
        lambda image: image.resize((1000, 1000)),
        lambda image: image.filter(ImageFilter.GaussianBlur(1)),
        clear_ground,
        lambda image: image.convert("P"),
    ],
    ids=["same", "small", "large", "soft", "clear ground", "palette"],
)
def test_the_same_logo_in_another_dress_matches(dress: Dress) -> None:
    assert compare(LOGO, encoded(dress(drawn()))) is LogoMatch.MATCH


@pytest.mark.parametrize("quality", [60, 85])
def test_a_logo_that_the_platform_compressed_matches(quality: int) -> None:
    assert compare(LOGO, encoded(drawn(), "JPEG", quality=quality)) is LogoMatch.MATCH


def test_what_a_round_frame_cuts_off_does_not_count() -> None:
    framed = drawn()
    for corner in ((0, 0), (399, 0), (0, 399), (399, 399)):
        ImageDraw.floodfill(framed, corner, (255, 255, 255))
        framed.putpixel(corner, (255, 0, 0))
    assert compare(LOGO, encoded(framed)) is LogoMatch.MATCH


@pytest.mark.parametrize(
    "other",
    [
        drawn("darkred", "silver", bird=False),
        Image.new("RGB", (400, 400), "navy"),
        Image.effect_noise((400, 400), 80).convert("RGB"),
        ImageOps.flip(drawn()),
    ],
    ids=["a rival's shield", "plain colour", "noise", "upside down"],
)
def test_another_picture_never_matches(other: Image.Image) -> None:
    assert compare(LOGO, encoded(other)) is not LogoMatch.MATCH


def test_the_right_shape_in_the_wrong_colours_is_for_a_person_to_judge() -> None:
    assert compare(LOGO, encoded(drawn("darkgreen", "silver"))) is LogoMatch.UNSURE


@pytest.mark.parametrize(
    "broken",
    [b"", b"hello", LOGO[:80], b"GIF89a" + bytes(40), b"%PDF-1.7", encoded(Image.new("RGB", (4, 4)))],
    ids=["empty", "text", "cut off", "a GIF", "a PDF", "too small"],
)
def test_what_is_no_usable_picture_is_refused_with_words(broken: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        compare(LOGO, broken)
    assert refused.value.fields["avatar"] and refused.value.mend


def test_a_broken_school_logo_is_told_from_a_broken_picture() -> None:
    with pytest.raises(InvalidInput) as refused:
        compare(b"no logo", LOGO)
    assert "logo" in refused.value.fields


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: LOGO[:40] + tail))
def test_no_bytes_at_all_cause_anything_but_an_answer_or_words(content: bytes) -> None:
    try:
        assert compare(LOGO, content) in LogoMatch
    except InvalidInput as refused:
        assert refused.fields


def test_the_mark_stands_for_exactly_two_pictures() -> None:
    assert pair_mark(LOGO, b"a") == pair_mark(LOGO, b"a")
    assert len({pair_mark(LOGO, b"a"), pair_mark(LOGO, b"b"), pair_mark(b"other", b"a")}) == 3
