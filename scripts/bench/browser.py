"""How fluid the data browser is: frames while scrolling, and what sorting, filtering, searching and opening take.

    scripts/bench/browser [BROWSER_HTML]

Without a page it makes one of 10,000 pictures of 28 by 28. In headless Chromium, which draws without a graphics card:
a desktop is faster. A frame is 16.7 ms where nothing is late.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# The time of each frame while `act` runs once a frame.
FRAMES = """
async ([act, frames]) => {
  const step = new Function("grid", act);
  const times = [];
  await new Promise((done) => {
    let before = performance.now();
    const next = (now) => {
      times.push(now - before);
      before = now;
      step(document.getElementById("grid"));
      if (times.length < frames) requestAnimationFrame(next);
      else done();
    };
    requestAnimationFrame(next);
  });
  return times.slice(1);
}
"""
# The work of one event, and of several one after the other.
EVENTS = """
async ([id, values, kind]) => {
  const element = document.getElementById(id);
  const times = [];
  for (const value of values) {
    element.value = value;
    const began = performance.now();
    element.dispatchEvent(new Event(kind));
    times.push(performance.now() - began);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
  return times;
}
"""
CLICKS = """
async ([selector, count]) => {
  const times = [];
  for (let k = 0; k < count; k++) {
    const began = performance.now();
    document.querySelectorAll(selector)[k].click();
    times.push(performance.now() - began);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
  return times;
}
"""
BRUSH = """
const svg = document.querySelector("svg.bins"), box = svg.getBoundingClientRect();
window.at_ = (window.at_ ?? 0) + 1;
const told = { button: 0, bubbles: true, clientY: box.top + 5, clientX: box.left + 20 + window.at_ % 200 };
svg.setPointerCapture = () => {};
if (window.at_ === 1) svg.dispatchEvent(new PointerEvent("pointerdown", told));
svg.dispatchEvent(new PointerEvent("pointermove", told));
"""
HELD = 'document.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));'


def page_at_hand(folder: Path) -> Path:
    from tests.browser.conftest import page_of

    generator = np.random.default_rng(0)
    y = np.arange(10_000) % 10
    x = (generator.random((10_000, 28, 28)) * 60 + 19 * y[:, None, None]).astype(np.uint8)
    return page_of({"train": (x, y), "kind": "image"}, folder, "data.test_fraction=0")


def told(what: str, times: list[float]) -> None:
    ordered = sorted(times)
    late = ordered[int(0.99 * (len(ordered) - 1))]
    print(f"{what:30} median {statistics.median(ordered):6.1f} ms   99 % {late:6.1f} ms   most {ordered[-1]:6.1f} ms")


def frames(page: Page, what: str, act: str, count: int = 180) -> None:
    told(what, page.evaluate(FRAMES, [act, count]))


def measure(page: Page) -> None:
    columns = page.evaluate("[...document.querySelectorAll('#sort option')].slice(4, -1).map((one) => one.value)")

    def events(what: str, element: str, values: list[Any], kind: str) -> None:
        told(what, page.evaluate(EVENTS, [element, values, kind]))

    frames(page, "frame: over it the first time", "grid.scrollTop += 120")
    page.keyboard.press("Home")
    frames(page, "frame: scrolling slowly", "grid.scrollTop += 12")
    page.keyboard.press("Home")
    frames(page, "frame: a screen a frame", "grid.scrollTop += 800")
    page.keyboard.press("Home")
    frames(page, "frame: an arrow held down", HELD)
    events("sort: a column, the first time", "sort", columns, "change")
    events("sort: a column, again", "sort", columns * 3, "change")
    events("sort: the names", "sort", ["name"], "change")
    told("filter: a class", page.evaluate(CLICKS, ["#facets .words button", 3]))
    page.keyboard.press("x")
    frames(page, "frame: brushing a histogram", BRUSH)
    page.keyboard.press("x")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(sys.argv[1]) if len(sys.argv) > 1 else page_at_hand(Path(folder))
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.goto(file.resolve().as_uri())
        page.wait_for_selector(".cell")
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        size = file.stat().st_size / 1e6
        print(f"{file.name}: {size:.1f} MB, {page.inner_text('#count')}, ready after {ready:.0f} ms")
        page.wait_for_timeout(1000)
        measure(page)
        browser.close()


if __name__ == "__main__":
    main()
