"""Photos made safe to publish (MED510).

Decoded, turned upright, brought to sRGB, made smaller and painted onto a fresh picture, so that nothing but the pixels
goes further: no place, device, author, profile, comment, thumbnail or second picture.

The formats are an allow-list and the number of pixels is capped before anything is decoded, because a file of a few
kilobytes can hold a picture of gigabytes.
"""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from socialgov.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}
MAX_PIXELS = 60_000_000  # above a 48 megapixel phone
MAX_PACKED_PIXELS = 30_000_000  # of PNG and WebP, which no camera makes and which pack an empty picture into nothing
MAX_SIDE = 20_000
MIN_SIDE = 16
LONGEST = 2048  # of a published photo: enough for a screen, too little for a poster
MAX_BYTES = 950_000  # the smallest limit among the platforms (Bluesky: 1,000,000 bytes a picture)
_ONE_AT_A_TIME = threading.Lock()  # a decoded picture takes hundreds of megabytes: one in a process, the others wait
QUALITIES = (88, 80, 70, 60, 50)
_MEND = "Choose a photo as JPEG, PNG, HEIC or WebP, straight from the camera or phone."


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """A photo that carries nothing but its pixels; sides in pixels."""

    content: bytes = field(repr=False)
    mime: str
    width: int
    height: int


def clean_photo(content: bytes) -> CleanPhoto:
    """A fresh JPEG of at most LONGEST pixels a side and MAX_BYTES bytes. Raises InvalidInput for the field `photo`."""
    image = decoded(content, "photo")
    image.thumbnail((LONGEST, LONGEST))
    while True:
        for quality in QUALITIES:
            fresh = _encoded(image, quality)
            if len(fresh) <= MAX_BYTES:
                return CleanPhoto(fresh, "image/jpeg", image.width, image.height)
        image.thumbnail((image.width * 3 // 4, image.height * 3 // 4))


def decoded(content: bytes, field_name: str) -> Image:
    """The pixels alone: upright, sRGB, flattened on white. Raises InvalidInput for the field `field_name`."""
    with _ONE_AT_A_TIME, _opened(content, field_name) as opened:
        try:
            return _upright_srgb(opened)
        except Exception as error:  # decoders raise nearly anything for a damaged file
            raise _refused(field_name, _damaged(error)) from None


def image_mime(content: bytes, field_name: str = "screenshot") -> str:
    """The type of a picture that is kept as it is, as evidence, once it has been decoded whole. Raises InvalidInput."""
    with _ONE_AT_A_TIME, _opened(content, field_name) as opened:
        try:
            opened.load()
        except Exception as error:
            raise _refused(field_name, _damaged(error)) from None
        return FORMATS.get(opened.format or "", "image/jpeg")  # a phone's JPEG of several pictures is an MPO


def _opened(content: bytes, field_name: str) -> Image:
    """The picture with its header read and nothing decoded, within the limits."""
    import pillow_heif
    from PIL import Image as images

    if not content:
        raise _refused(field_name, "No photo was chosen, or the file is empty.")
    pillow_heif.register_heif_opener(thumbnails=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", images.DecompressionBombWarning)
            opened = images.open(io.BytesIO(content), formats=list(FORMATS))
    except (images.DecompressionBombWarning, images.DecompressionBombError):
        raise _refused(field_name, _too_large()) from None
    except Exception:  # see decoded
        raise _refused(field_name, "This file is not a photo that can be read.") from None
    most = MAX_PACKED_PIXELS if opened.format in ("PNG", "WEBP") else MAX_PIXELS
    if opened.width * opened.height > most or max(opened.size) > MAX_SIDE:
        raise _refused(field_name, _too_large(most))
    if min(opened.size) < MIN_SIDE:
        raise _refused(field_name, f"This picture is smaller than {MIN_SIDE} pixels.")
    if getattr(opened, "n_frames", 1) > 1 and opened.format in ("PNG", "WEBP"):
        raise _refused(field_name, "This picture moves. Choose a still photo.")
    return opened


def _upright_srgb(opened: Image) -> Image:
    """The first picture's pixels as sRGB, upright, flattened on white, on a picture that knows nothing else."""
    from PIL import Image as images
    from PIL import ImageOps

    if opened.format == "JPEG":
        opened.draft("RGB", (LONGEST, LONGEST))  # decodes large photos at half or a quarter of their size
    if opened.mode in ("RGB", "RGBA", "L", "LA"):
        opened.thumbnail((LONGEST, LONGEST))  # before anything copies it: every copy of a large one costs 100 MB
    image = ImageOps.exif_transpose(opened) or opened
    if image.mode.startswith("I"):  # 16 bits of grey: converting as it is would cut off everything bright
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    image = _in_srgb(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = images.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    fresh = images.new("RGB", image.size)
    fresh.paste(image.convert("RGB"))
    return fresh


def _in_srgb(image: Image) -> Image:
    """Converted by the profile it carries; a profile that cannot be used is left aside, as browsers do."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "L", "CMYK"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


def _encoded(image: Image, quality: int) -> bytes:
    """JPEG bytes of a picture that is fresh once more: the saver copies comment and profile from `info`."""
    from PIL import Image as images

    fresh = images.new("RGB", image.size)
    fresh.paste(image)
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=quality, optimize=True, exif=b"", icc_profile=None)
    return out.getvalue()


def _damaged(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return _too_large()
    return "This photo is damaged or cut off, so it cannot be used."


def _too_large(most: int = MAX_PIXELS) -> str:
    return f"This picture has more than {most // 1_000_000} million pixels."


def _refused(field_name: str, why: str) -> InvalidInput:
    return InvalidInput(why, {field_name: f"{why} {_MEND}"}, _MEND)
