"""The tutorial's pictures, from the report of a study: python docs/pictures.py STUDY_FOLDER

Needs the package playwright (`pip install playwright`) and a Chromium on the PATH; writes docs/images/*.webp.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
LARGEST = 120 * 1024  # bytes of a picture
WIDTH = 1000  # of the page, in pixels
PICTURES = {  # name -> what it begins with, and its height in pixels
    "answer": ("#answer", 780),
    "scores": ("#scores", 615),
    "prediction": ("#prediction", 545),
    "triangles": ("#domains h3:has-text('Three domains')", 490),
    "training": ("#training", 900),
    "samples": ("#samples", 670),
    "confirmation": ("#confirmation", 865),
}


def take(report: Path) -> None:
    """Write the pictures of the report, as a reader of the light theme sees it."""
    browser_path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_timeout(3000)  # figures are drawn one after the other
        for name, (start, height) in PICTURES.items():
            box = page.locator(start).bounding_box()
            assert box is not None
            clip = {**box, "height": height}
            save(page.screenshot(clip=clip, full_page=True), IMAGES / f"{name}.webp")
        browser.close()


def save(png: bytes, path: Path) -> None:
    """Write a picture as WebP, in the best quality that keeps it small."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in range(90, 20, -10):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality, method=6)
        if len(buffer.getvalue()) <= LARGEST:
            break
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(buffer.getvalue())
    print(f"{path}: {picture.width} x {picture.height}, {len(buffer.getvalue()) / 1024:.0f} KB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    take(Path(sys.argv[1]) / "report.html")
