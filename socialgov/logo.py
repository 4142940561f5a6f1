"""Is the account's picture the school's logo? (ACC102)

Both pictures are put into a circle on white, as platforms show them. A perceptual hash tells shapes apart, the mean
difference of colours tells a rival school's shield from ours; other hashes were measured and cannot
(docs/decisions/0006-rules.md). Between "the same" and "another" a person looks.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from socialgov.models import LogoMatch
from socialgov.pictures import decoded

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 256  # pixels
HASH_SIZE = 16  # 16 × 16 = 256 bits
SAME_BITS = 32  # at most so many bits differ where it is the same picture
UNSURE_BITS = 90  # above this it is another picture
SAME_COLOUR = 18.0  # mean absolute difference of a colour channel, 0 to 255, on a picture of COLOUR_SIDE pixels
COLOUR_SIDE = 32


def compare(logo: bytes, avatar: bytes) -> LogoMatch:
    """Does `avatar` show `logo`? Raises InvalidInput, for the field `logo` or `avatar`, when one is no picture."""
    ours, theirs = _in_circle(decoded(logo, "logo")), _in_circle(decoded(avatar, "avatar"))
    bits = _hash_distance(ours, theirs)
    if bits > UNSURE_BITS:
        return LogoMatch.DIFFERENT
    if bits <= SAME_BITS and _colour_distance(ours, theirs) <= SAME_COLOUR:
        return LogoMatch.MATCH
    return LogoMatch.UNSURE


def pair_mark(logo: bytes, avatar: bytes) -> str:
    """A short text that stands for exactly these two pictures: what was said of them holds while it is the same."""
    digests = (hashlib.sha256(content).hexdigest()[:16] for content in (logo, avatar))
    return "pictures {} {}".format(*digests)


def _in_circle(image: Image) -> Image:
    """Centred on a white square, in the circle that platforms cut out of it."""
    from PIL import Image as images
    from PIL import ImageDraw, ImageOps

    square = ImageOps.pad(image, (SIDE, SIDE), color="white")
    mask = images.new("L", (SIDE, SIDE), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, SIDE - 1, SIDE - 1), fill=255)
    return images.composite(square, images.new("RGB", (SIDE, SIDE), "white"), mask)


def _hash_distance(ours: Image, theirs: Image) -> int:
    import imagehash

    return int(imagehash.phash(ours, hash_size=HASH_SIZE) - imagehash.phash(theirs, hash_size=HASH_SIZE))


def _colour_distance(ours: Image, theirs: Image) -> float:
    from PIL import ImageChops, ImageStat

    small: Any = [image.resize((COLOUR_SIDE, COLOUR_SIDE)) for image in (ours, theirs)]
    means = ImageStat.Stat(ImageChops.difference(*small)).mean
    return sum(means) / len(means)
