// The keyboard: single keys everywhere but in fields and dialogs.

const inField = (element) => element.closest("input, select, textarea, dialog") !== null;

const steps = {
  ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -shape.across, ArrowDown: () => shape.across,
  h: () => -1, l: () => 1, k: () => -shape.across, j: () => shape.across,
  PageUp: () => -pageOf(), PageDown: () => pageOf(),
};
const pageOf = () => shape.across * Math.max(1, Math.floor(room.height / shape.height) - 1);

const commands = {
  Home: () => moveTo(0), End: () => moveTo(view.entries.length - 1, { step: -1 }),
  d: () => markItem("drop", itemAtCursor()), r: () => markItem("relabel", itemAtCursor()), f: () => markItem("fine", itemAtCursor()),
  u: takeBack,
  n: () => nextFinding(1), p: () => nextFinding(-1),
  "/": () => at("search").focus(),
  s: () => at("sort").focus(), o: reverse,
  x: clearFilters,
  "+": () => resize(1), "=": () => resize(1), "-": () => resize(-1),
  Enter: () => (document.body.classList.contains("looking") ? closeDetail() : openDetail()),
  e: exportPatch, i: () => at("file").click(),
  "?": openHelp,
  Escape: () => (document.body.classList.remove("looking", "filtering"), grid.focus({ preventScroll: true })),
};

function reverse() {
  view.down = !view.down;
  reorder();
}

function resize(step) {
  side = sides[Math.max(0, Math.min(sides.length - 1, sides.indexOf(side) + step))];
  layOut();
  moveTo(cursor, { centre: true });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target instanceof Element ? event.target : document.body;
  if (inField(target)) {
    if (event.key === "Escape" && !target.closest("dialog")) grid.focus({ preventScroll: true });
    return;
  }
  // Space and Enter are the button's own, the arrows the page's where the grid has not the focus.
  const onControl = target.closest("button, a, summary, [tabindex]") && target !== grid;
  if (onControl && ["Enter", " ", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"].includes(event.key)) return;
  if (!singleKeys && event.key.length === 1) return;
  const step = steps[event.key];
  const run = step ? () => moveTo(cursor + step(), { step: Math.sign(step()) || 1 }) : commands[event.key];
  if (!run) return;
  event.preventDefault();
  run();
});
