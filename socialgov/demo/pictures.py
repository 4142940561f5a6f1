"""Pictures for the demonstration, drawn here: a logo, a rival's logo, and landscapes without anybody in them."""

from __future__ import annotations

import io
from random import Random

from PIL import Image, ImageDraw

SIZE = 400


def logo() -> bytes:
    """The school's logo: a lantern on a hill."""
    image, draw = _field("#1d4e6b")
    draw.ellipse((-80, 240, 480, 700), fill="#3c7a4a")
    draw.rectangle((150, 130, 250, 270), fill="#f2c14e", outline="#20323c", width=10)
    draw.polygon(((140, 130), (260, 130), (200, 70)), fill="#20323c")
    draw.arc((170, 30, 230, 90), 180, 360, fill="#20323c", width=10)
    return _png(image)


def other_logo() -> bytes:
    """What somebody put there instead: a kettle."""
    image, draw = _field("#f4ead9")
    draw.ellipse((90, 150, 290, 330), fill="#a63d40")
    draw.polygon(((280, 200), (360, 150), (350, 180), (280, 260)), fill="#a63d40")
    draw.arc((110, 60, 270, 220), 180, 360, fill="#5c2224", width=18)
    return _png(image)


def landscape(seed: int) -> bytes:
    """A JPEG of hills, as from a school camera."""
    random = Random(seed)  # noqa: S311
    image = Image.new("RGB", (1600, 1200), random.choice(("#bcd7e6", "#e8d3b0", "#c9c6dd")))
    draw = ImageDraw.Draw(image)
    draw.ellipse((1200, 120, 1400, 320), fill="#f7e08a")
    for depth, colour in enumerate(("#8fae8b", "#6b9467", "#477547")):
        top = 600 + depth * 150
        points = [(x, top + random.randrange(-90, 90)) for x in range(0, 1601, 160)]
        draw.polygon([(0, 1200), *points, (1600, 1200)], fill=colour)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=88)
    return content.getvalue()


def screenshot(title: str, lines: tuple[str, ...]) -> bytes:
    """What a person attests with: a drawn settings page."""
    image = Image.new("RGB", (720, 480), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 720, 60), fill="#20323c")
    draw.text((24, 22), title, fill="white")
    for number, line in enumerate(lines):
        draw.text((24, 90 + number * 30), line, fill="#222222")
    return _png(image)


def _field(colour: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIZE, SIZE), colour)
    return image, ImageDraw.Draw(image)


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
