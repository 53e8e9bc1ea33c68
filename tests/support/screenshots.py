"""Screenshots that are small, and the same in every run of the same pages."""

from io import BytesIO

from PIL import Image
from playwright.sync_api import Page

COLOURS = (48, 24, 16)
"""As many colours as fit into MOST_BYTES."""
MOST_BYTES = 45_000
HIGHEST = {1280: 900, 390: 1500}
"""Pixels of a long page that a screenshot shows, by its width."""

# Times, ids and ages become those of one moment.
_FREEZE = r"""() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    walker.currentNode.data = walker.currentNode.data
      .replace(/\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?/g, (found) => '2026-05-04 09:30:00'.slice(0, found.length))
      .replace(/Since \d\d:00/g, 'Since 09:00')
      .replace(/\b[0-9a-f]{32}\b/g, '019df0a1b2c37d4e8f90123456789abc')
      .replace(/\d+ (ms|s|min|h)( ago| old|$)/gm, '4 $1$2')
      .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:8090');
  }
}"""


def take_screenshot(page: Page) -> bytes:
    """A PNG of a page, with few colours, so that it has at most MOST_BYTES where that can be."""
    page.evaluate(_FREEZE)
    width = page.evaluate("innerWidth")
    height = min(HIGHEST[width], page.evaluate("document.documentElement.scrollHeight"))
    taken = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}, caret="hide")
    with Image.open(BytesIO(taken)) as image:
        shot = image.convert("RGB")
    for colours in COLOURS:
        written = BytesIO()
        few = shot.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(written, "PNG", optimize=True)
        if written.tell() <= MOST_BYTES:
            break
    return written.getvalue()
