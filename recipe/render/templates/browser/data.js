// The data of the page: items with their columns, and how values are told. Nothing here touches the page's elements,
// apart from reading the script elements that hold the data.

const data = JSON.parse(document.getElementById("data").textContent);
const known = data.names.length; // items with columns; those beyond could not be read, and are known by name only
const names = [...data.names, ...data.others.map((other) => other.name)];
const texts = data.texts.length ? data.texts : null;

// base64 → bytes; the element goes, so that the text is not kept twice.
function bytesOf(id) {
  const element = document.getElementById(id);
  const text = atob(element.textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  element.remove();
  return bytes;
}

const numbers = bytesOf("numbers").buffer;
const kinds = { float32: Float32Array, float64: Float64Array, uint32: Uint32Array };

// A column: title, about, given, words (or null), values; discrete: few different values or words.
function column(told) {
  return { ...told, values: new kinds[told.number](numbers, told.start, known) };
}

const columns = data.columns.map(column);
const [splitColumn, labelColumn] = columns;
const cells = data.cells ? column(data.cells).values : null;
const isNumber = (one) => one.words === null;

// Control, bidi and invisible characters as escapes: nothing may move or hide other text.
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const harmless = new Set(["\u200c", "\u200d"]);
function visible(text, lines = false) {
  return String(text).replace(hidden, (c) =>
    harmless.has(c) || (lines && (c === "\n" || c === "\t"))
      ? c
      : c.codePointAt(0) < 256
        ? `\\x${c.codePointAt(0).toString(16).padStart(2, "0")}`
        : `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`,
  );
}

// Four significant digits, thousands apart: 1,797 · 0.0213 · 3.2e-5.
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0, useGrouping: true });
function tell(value) {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 1e4 ? String(value) : whole.format(value);
  const size = Math.abs(value);
  if (size >= 1e4) return whole.format(value);
  return size < 1e-3 ? value.toExponential(2).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(4)));
}

// The text of one attribute of one item; empty where there is none.
function cellText(one, item) {
  if (item >= known) return "";
  const value = one.values[item];
  if (one.words) return value < one.words.length ? one.words[value] : "";
  return Number.isNaN(value) ? "" : tell(value);
}

const other = (item) => data.others[item - known];
const splitOf = (item) => (item < known ? cellText(splitColumn, item) : other(item).split);
const labelOf = (item) => (item < known ? cellText(labelColumn, item) : other(item).label || "unreadable");

// Who names an item: item → [{finding: number in data.suspects, note}].
const named = new Map();
data.suspects.forEach((suspects, finding) =>
  suspects.sets.forEach((set) =>
    set.forEach(([item, note]) => {
      if (!named.has(item)) named.set(item, []);
      named.get(item).push({ finding, note });
    }),
  ),
);

// An element with attributes, its text and its children; text is only ever set as text.
function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-")) element.setAttribute(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

function drawn(tag, given = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
  return element;
}

const at = (id) => document.getElementById(id);
const counted = (count, noun) => `${whole.format(count)} ${noun}${count === 1 ? "" : "s"}`;
const glyphs = { pass: "✓", warn: "!", fail: "✗", skipped: "–" };
const spoken = { pass: "holds", warn: "look", fail: "fails", skipped: "not checked" };

// What is said to those who listen, and shown for a moment.
let silence = 0;
function say(text) {
  const status = at("status");
  status.textContent = text;
  status.classList.add("shown");
  clearTimeout(silence);
  silence = setTimeout(() => status.classList.remove("shown"), 4000);
}
