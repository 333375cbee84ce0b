// Which items are seen, and in which order: filters as bits of what an item fails, sorted columns, the finding chosen.

const everything = -1; // instead of a finding: all items, …
const anything = -2; // … or all that any finding names
const view = {
  finding: everything,
  sort: "place", // "place" (the order of the data, or of the finding), "name", or the number of a column
  down: false,
  entries: new Int32Array(0), // items in their places; -1 is an empty place
  across: 0, // places in a row: of pairs; 0: as many as fit
  shown: 0, // items among the entries
  notes: new Map(), // item → what the finding says of it
};

const filters = new Map(); // key → {bit, test, told}; key: "search", "mark" or the number of a column
const failing = new Uint32Array(names.length); // bits of the filters that an item does not pass
const inFinding = new Uint8Array(names.length).fill(1, 0, known); // whether the finding that is looked at names an item

// Sets or removes (test: null) a filter. told: how people read it.
function setFilter(key, test, told = "") {
  const there = filters.get(key);
  if (!test && !there) return false;
  const bit = there ? there.bit : freeBit();
  if (!bit) return false;
  for (let item = 0; item < failing.length; item++) {
    if (test && !test(item)) failing[item] |= bit;
    else failing[item] &= ~bit;
  }
  if (test) filters.set(key, { bit, test, told });
  else filters.delete(key);
  return true;
}

function freeBit() {
  const used = [...filters.values()].reduce((sum, { bit }) => sum | bit, 0);
  for (let k = 0; k < 31; k++) if (!(used & (1 << k))) return 1 << k;
  say("No more than 31 filters at once: clear some.");
  return 0;
}

// Whether an item is seen, apart from what the filter `key` says of it.
function passesBut(key) {
  const own = filters.get(key)?.bit ?? 0;
  return (item) => inFinding[item] === 1 && (failing[item] & ~own) === 0;
}

// Items sorted upwards; those without a value come last, whichever way it goes. Each column is sorted once.
const sorted = new Map();
// Words as they are sorted: without case, and by the size of the numbers in them.
const sortKeys = (words) => words.map((word) => word.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0")));
const byKey = (keys) => (a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b);
function sortedBy(sort) {
  if (!sorted.has(sort)) {
    const items = Int32Array.from(names, (_, item) => item);
    if (sort === "name") items.sort(byKey(sortKeys(names)));
    else if (sort !== "place") {
      const value = valueFor(columns[sort]);
      items.sort((a, b) => value[a] - value[b] || a - b);
    }
    sorted.set(sort, items);
  }
  return sorted.get(sort);
}

// Numbers to sort by: words by the alphabet (classes in their order), what is not there last.
function valueFor(one) {
  const value = new Float64Array(names.length).fill(Infinity);
  if (!one.words || one === labelColumn || one === splitColumn) {
    for (let item = 0; item < known; item++) value[item] = missing(one, item) ? Infinity : one.values[item];
    return value;
  }
  const places = new Float64Array(one.words.length + 1).fill(Infinity);
  const alphabet = one.words.map((_, k) => k).sort(byKey(sortKeys(one.words)));
  alphabet.forEach((word, place) => (places[word] = place));
  for (let item = 0; item < known; item++) value[item] = places[one.values[item]];
  return value;
}

function missing(one, item) {
  return item >= known || (one.words ? one.values[item] >= one.words.length : Number.isNaN(one.values[item]));
}

function inOrder() {
  const up = sortedBy(view.sort);
  if (!view.down) return up;
  const one = typeof view.sort === "number" ? columns[view.sort] : null;
  const there = one ? up.findLastIndex((item) => !missing(one, item)) + 1 : up.length;
  const down = up.slice();
  down.subarray(0, there).reverse();
  return down;
}

// The sets of the finding that is looked at: [[item, note], …] each; null for all items.
function setsOf(finding) {
  if (finding === everything) return null;
  if (finding !== anything) return data.suspects[finding].sets;
  const notesOf = (of) => [...new Set(of.map(({ note }) => note).filter(Boolean))].join("; ");
  return [...named].map(([item, of]) => [[item, notesOf(of)]]);
}

function lookAt(finding) {
  view.finding = finding;
  const sets = setsOf(finding);
  inFinding.fill(0);
  if (!sets) inFinding.fill(1, 0, known);
  view.notes = new Map();
  for (const set of sets ?? []) {
    for (const [item, note] of set) {
      inFinding[item] = 1;
      if (note && !view.notes.has(item)) view.notes.set(item, note);
    }
  }
}

// The entries anew, after a filter, the order or the finding changed.
function arrange() {
  const passes = passesBut(null);
  const sets = setsOf(view.finding);
  const across = sets ? Math.min(6, Math.max(1, ...sets.map((set) => set.length))) : 1;
  view.across = across > 1 ? across : 0;
  if (!sets || (across === 1 && view.sort !== "place")) {
    view.entries = inOrder().filter(passes);
  } else {
    const kept = sets.map((set) => set.map(([item]) => item)).filter((set) => set.some(passes));
    view.entries = Int32Array.from(arranged(kept).flatMap((set) => Array.from({ length: across }, (_, k) => set[k] ?? -1)));
  }
  view.shown = view.entries.reduce((count, item) => count + (item >= 0), 0);
}

// Sets in the order of their first items.
function arranged(sets) {
  if (view.sort === "place") return view.down ? sets.toReversed() : sets;
  const place = new Map();
  inOrder().forEach((item, k) => place.set(item, k));
  return sets.toSorted((a, b) => place.get(a[0]) - place.get(b[0]));
}
