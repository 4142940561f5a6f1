"""Photos come out clean, checked in the bytes that go out, and no file makes the cleaning fall over."""

from __future__ import annotations

import io
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_school import photo
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from socialgov import pictures
from socialgov.errors import InvalidInput
from socialgov.pictures import clean_photo, image_mime

SECRETS = (
    b"KESTREL",
    b"Exif",
    b"xmp",
    b"XMP",
    b"ICC_PROFILE",
    b"GPS",
    b"Photoshop",
    b"http://ns.adobe.com",
    b"Teacher's phone",
)
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")


@pytest.fixture(autouse=True, scope="module")
def heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()


def loaded(fmt: str, **more: Any) -> bytes:
    """A picture full of what must not go further: place, device, author, profile, comment."""
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "KESTREL Author"
    exif[ExifTags.Base.Model] = "Teacher's phone"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (51.0, 30.0, 0.0)}
    )
    save: dict[str, Any] = {"exif": exif.tobytes(), **more}
    if fmt != "PNG":
        save["xmp"] = b"<x:xmpmeta>KESTREL http://ns.adobe.com/xap/1.0/</x:xmpmeta>"
    save["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if fmt == "JPEG":
        save["comment"] = b"KESTREL comment"
    if fmt == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "KESTREL text")
        info.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>KESTREL</x:xmpmeta>")
        save["pnginfo"] = info
    return photo(fmt=fmt, **save)


def segments(jpeg: bytes) -> set[int]:
    """The markers of a JPEG file up to its picture data."""
    found, at = set(), 2
    while jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        found.add(jpeg[at + 1])
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
    return found


@pytest.mark.parametrize("fmt", FORMATS)
def test_nothing_but_the_pixels_is_in_the_bytes_that_go_out(fmt: str) -> None:
    dirty = loaded(fmt)
    assert b"KESTREL" in dirty and b"Teacher's phone" in dirty
    clean = clean_photo(dirty)
    assert (clean.mime, clean.width, clean.height) == ("image/jpeg", 320, 240)
    for secret in SECRETS:
        assert secret not in clean.content
    # JFIF, tables and frame only: no APP1 to APP15, no comment
    assert not segments(clean.content) & {0xFE, *range(0xE1, 0xF0)}
    with Image.open(io.BytesIO(clean.content)) as image:
        assert not image.getexif() and "icc_profile" not in image.info and "comment" not in image.info


def test_what_stands_behind_the_picture_is_cut_off() -> None:
    assert b"KESTREL" not in clean_photo(photo() + b"KESTREL: a second file hidden behind the first").content


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    clean = clean_photo(photo(320, 200, exif=exif.tobytes()))
    assert (clean.width, clean.height) == (200, 320)


def test_a_large_photo_is_made_smaller_and_light_enough_for_every_platform() -> None:
    noisy = Image.effect_noise((3000, 2600), 90).convert("RGB")
    out = io.BytesIO()
    noisy.save(out, "JPEG", quality=95)
    clean = clean_photo(out.getvalue())
    assert max(clean.width, clean.height) <= pictures.LONGEST
    assert len(clean.content) <= pictures.MAX_BYTES


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
def test_every_kind_of_pixels_comes_out_as_colours(mode: str) -> None:
    image = Image.new(mode, (64, 48), 0 if mode != "P" else 3)
    out = io.BytesIO()
    image.save(out, "JPEG" if mode == "CMYK" else "PNG")
    with Image.open(io.BytesIO(clean_photo(out.getvalue()).content)) as clean:
        assert clean.mode == "RGB"


def test_what_is_transparent_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (64, 48), (255, 0, 0, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(clean_photo(out.getvalue()).content)) as clean:
        assert min(clean.getpixel((10, 10))) > 250


def test_colours_of_a_wide_profile_are_converted_and_a_broken_profile_is_left_aside() -> None:
    assert clean_photo(photo(icc_profile=b"not a profile")).mime == "image/jpeg"


def png(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims this size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"hello", "not a photo"),
        (b"%PDF-1.4", "not a photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a photo"),
        (photo(fmt="GIF"), "not a photo"),
        (photo(fmt="TIFF"), "not a photo"),
        (photo(fmt="BMP"), "not a photo"),
        (photo()[:1500], "damaged"),
        (photo(fmt="PNG")[:300], "damaged"),
        (png(30_000, 30_000), "million pixels"),
        (png(200_000, 100), "million pixels"),
        (png(9_000, 8_000), "million pixels"),
        (png(4, 400), "smaller than"),
        (png(64, 64), "damaged"),
    ],
)
def test_a_file_that_is_no_safe_photo_is_refused_in_words(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        clean_photo(content)
    assert said in refused.value.message
    assert set(refused.value.fields) == {"photo"}
    with pytest.raises(InvalidInput):
        image_mime(content)


def test_a_large_empty_picture_that_packs_into_nothing_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (6_000, 5_100)).save(out, "PNG")
    assert len(out.getvalue()) < 10_000
    for look in (clean_photo, image_mime):
        with pytest.raises(InvalidInput, match="30 million pixels"):
            look(out.getvalue())


def test_pictures_are_decoded_one_at_a_time_so_that_many_do_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside, most, upright = [0], [0], pictures._upright_srgb

    def watched(opened: Image.Image) -> Image.Image:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        inside[0] -= 1
        return upright(opened)

    monkeypatch.setattr(pictures, "_upright_srgb", watched)
    content = photo()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(clean_photo, [content] * 8))
    assert most == [1]


def test_a_moving_picture_is_refused() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidInput, match="moves"):
        clean_photo(out.getvalue())


def test_a_screenshot_is_named_by_what_it_is_not_by_what_it_is_called() -> None:
    assert [image_mime(photo(fmt=fmt)) for fmt in FORMATS] == ["image/jpeg", "image/png", "image/webp", "image/heic"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_no_damage_makes_the_cleaning_fall_over(fmt: str, data: st.DataObject) -> None:
    content = bytearray(photo(48, 32, fmt=fmt))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(content)))
    try:
        clean = clean_photo(bytes(content[:cut]))
    except InvalidInput as error:
        assert error.fields["photo"]
    else:
        assert not segments(clean.content) & {0xFE, *range(0xE1, 0xF0)}


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fall_over(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        clean_photo(content)
