// The grid: of ten thousand places only the rows in sight exist, and they are used again as the page scrolls.

const grid = at("grid");
const space = at("space");
const head = at("head");
const inSight = new Map(); // row → its element
const spare = [];
const over = 3; // rows beyond the edges, so that a fast wheel meets no empty ones
let shape = { kind: "", across: 1, height: 1 };
let room = { width: 0, height: 0 };
let cursor = 0; // place among the entries
const moved = []; // functions to call when the cursor or what it stands on changed

const itemAtCursor = () => view.entries[cursor] ?? -1;
const rowCount = () => Math.ceil(view.entries.length / shape.across);

// Everything anew: after the entries, the size of the window or of the pictures changed.
function layOut() {
  const next = shapeOf(room.width);
  if (next.kind !== shape.kind || next.across !== shape.across) {
    for (const row of [...inSight.values(), ...spare]) row.remove();
    spare.length = 0;
  } else {
    spare.push(...inSight.values());
  }
  inSight.clear();
  shape = next;
  space.style.height = `${rowCount() * shape.height}px`;
  space.style.width = shape.kind === "row" ? `${rowWidth}rem` : "";
  grid.setAttribute("aria-rowcount", rowCount());
  grid.setAttribute("aria-colcount", shape.kind === "row" ? shownColumns.length + 3 : shape.across);
  grid.dataset.kind = shape.kind;
  grid.classList.toggle("pairs", view.across > 0);
  head.hidden = shape.kind !== "row";
  show();
}

const rowWidth = 12 + 8 * (shownColumns.length + 2);

function show() {
  const top = grid.scrollTop;
  const first = Math.max(0, Math.floor(top / shape.height) - over);
  const last = Math.min(rowCount() - 1, Math.floor((top + room.height) / shape.height) + over);
  for (const [row, element] of inSight) {
    if (row < first || row > last) {
      spare.push(element);
      inSight.delete(row);
    }
  }
  for (let row = first; row <= last; row++) {
    if (inSight.has(row)) continue;
    const element = spare.pop() ?? newRow();
    inSight.set(row, element);
    fillRow(element, row);
  }
  for (const element of spare) {
    element.hidden = true;
    for (const cell of element.children) cell.removeAttribute("id");
  }
}

function newRow() {
  // A row of a table is one place; the rows of the others hold several.
  const row = make("div", { role: shape.kind === "row" ? "presentation" : "row", class: "row" });
  for (let k = 0; k < shape.across; k++) row.append(newCell(shape.kind));
  space.append(row);
  return row;
}

function fillRow(element, row) {
  element.hidden = false;
  element.style.transform = `translateY(${row * shape.height}px)`;
  element.style.height = `${shape.height}px`;
  (shape.kind === "row" ? element.firstChild : element).setAttribute("aria-rowindex", row + 1);
  const first = row * shape.across;
  for (let k = 0; k < shape.across; k++) {
    const cell = element.children[k];
    if (shape.each) cell.style.width = `${shape.each}px`;
    if (shape.kind !== "row") cell.setAttribute("aria-colindex", k + 1);
    fillCell(cell, shape.kind, first + k, shape.edge, view.across && k ? view.entries[first] : -1);
  }
}

function refill(items = null) {
  for (const [row, element] of inSight) {
    const from = row * shape.across;
    const has = items === null || view.entries.subarray(from, from + shape.across).some((item) => items.includes(item));
    if (has) fillRow(element, row);
  }
}

// Moves the cursor to a place (of -1 entries to the next that is an item), and into sight.
function moveTo(place, { step = 1, centre = false } = {}) {
  const last = view.entries.length - 1;
  let next = Math.max(0, Math.min(last, place));
  while (view.entries[next] === -1 && next + step >= 0 && next + step <= last) next += step;
  if (view.entries[next] === -1) next = cursor;
  const before = Math.floor(cursor / shape.across);
  cursor = Math.max(0, next);
  const row = Math.floor(cursor / shape.across);
  const [top, bottom] = [row * shape.height, (row + 1) * shape.height];
  if (centre) grid.scrollTop = top - (room.height - shape.height) / 2;
  else if (top < grid.scrollTop) grid.scrollTop = top;
  else if (bottom > grid.scrollTop + room.height) grid.scrollTop = bottom - room.height;
  show();
  for (const changed of new Set([before, row])) {
    const element = inSight.get(changed);
    if (element) for (const cell of element.children) setCurrent(cell);
  }
  grid.setAttribute("aria-activedescendant", view.entries.length ? `place-${cursor}` : "");
  for (const listener of moved) listener();
}

function setCurrent(cell) {
  const current = Number(cell.dataset.position) === cursor;
  cell.classList.toggle("current", current);
  cell.setAttribute("aria-selected", current);
}

// Keeps the cursor on the item it stood on, if that is still to be seen.
function keepAt(item) {
  const place = item >= 0 ? view.entries.indexOf(item) : -1;
  if (place < 0) grid.scrollTop = 0;
  cursor = Math.max(0, place);
  moveTo(cursor, { centre: place >= 0 });
}

let asked = false;
grid.addEventListener("scroll", () => {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    head.scrollLeft = grid.scrollLeft;
    show();
  });
}, { passive: true });

grid.addEventListener("click", (event) => {
  const cell = event.target.closest(".cell");
  if (!cell) return;
  grid.focus({ preventScroll: true });
  moveTo(Number(cell.dataset.position));
  openDetail();
});

new ResizeObserver(() => {
  const next = { width: grid.clientWidth, height: grid.clientHeight };
  const anew = next.width !== room.width || next.height !== room.height;
  room = next;
  if (anew) {
    layOut();
    moveTo(cursor);
  }
}).observe(grid);
