"""Screenshots that are small, and the same in every run of the same pages."""

from io import BytesIO
from typing import Any

from PIL import Image
from playwright.sync_api import Page

COLOURS = (32, 16)
"""The most frequent colours of a page, as many as fit into MOST_BYTES. Others become the nearest of them."""
MOST_BYTES = 45_000
HIGHEST = {1280: 900, 390: 1500}
"""Pixels of a long page that a screenshot shows, by its width."""

# Times, ids, ages and places become those of one moment on one machine.
_FREEZE = r"""() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    walker.currentNode.data = walker.currentNode.data
      .replace(/\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?/g, (found) => '2026-05-04 09:30:00'.slice(0, found.length))
      .replace(/Since \d\d:00/g, 'Since 09:00')
      .replace(/\b[0-9a-f]{32}\b/g, '019df0a1b2c37d4e8f90123456789abc')
      .replace(/\b[0-9a-f]{8}…[0-9a-f]{4}\b/g, '019df0a1…9abc')
      .replace(/\d+ (ms|s|min|h)( ago| old| so far|$)/gm, '4 $1$2')
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:8090')
      .replace(/\/tmp\/\S+(?=\/)/g, '/srv/console')
      .replace(/\/tmp\/\S+/g, '/var/cache/spatial-data-proxy')
      .replace(/room for [\d,]+ MB/g, 'room for 51,200 MB')
      .replace(/\bjobs[0-9a-f]{16}\b/g, 'jobs');
  }
}"""


def take_screenshot(page: Page) -> bytes:
    """A PNG of a page down to its end, with few colours, so that it has at most MOST_BYTES where that can be."""
    page.locator("[hx-trigger=load]").wait_for(state="detached")
    page.evaluate(_FREEZE)
    width = page.evaluate("innerWidth")
    height = min(HIGHEST[width], page.evaluate("Math.ceil(document.body.getBoundingClientRect().bottom)"))
    taken = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}, caret="hide")
    with Image.open(BytesIO(taken)) as image:
        shot = image.convert("RGB")
    for colours in COLOURS:
        written = BytesIO()
        shot.quantize(palette=_palette(shot, colours), dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
        if written.tell() <= MOST_BYTES:
            break
    return written.getvalue()


def _palette(shot: Image.Image, colours: int) -> Image.Image:
    found: Any = shot.getcolors(shot.width * shot.height)  # each as its number of pixels and its parts
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in sorted(found, reverse=True)[:colours] for part in colour])
    return palette
