"""Pictures as Bluesky takes them: small enough, and of a type that it shows."""

from __future__ import annotations

from socialgov.platforms.base import PlatformError

PICTURE_BYTES = 1_000_000  # app.bsky.embed.images and app.bsky.actor.profile: maxSize
FACE_TYPES = frozenset({"image/png", "image/jpeg"})  # app.bsky.actor.profile: accept


def fitted(content: bytes, mime: str, *, only: frozenset[str] | None = None) -> tuple[bytes, str]:
    """The picture and its type, saved again in smaller steps until the platform takes it; `only`: the types it takes.

    Raises PlatformError for what cannot be made to fit.
    """
    if len(content) <= PICTURE_BYTES and (only is None or mime in only):
        return content, mime
    from io import BytesIO

    from PIL import Image

    try:
        with Image.open(BytesIO(content)) as opened:
            image = opened.convert("RGB")
        for side, quality in ((2048, 85), (2048, 75), (1600, 75), (1200, 70), (800, 60)):
            image.thumbnail((side, side))
            out = BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= PICTURE_BYTES:
                return out.getvalue(), "image/jpeg"
    except (OSError, ValueError, Image.DecompressionBombError):
        pass
    raise PlatformError("This picture is too large for the platform.", permanent=True, mend="Use a smaller one.")
