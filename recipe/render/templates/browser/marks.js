// What a person says of items: drop, relabel or fine. Kept in the browser's own storage where that is allowed.

const marks = new Map(); // item → {do, label}
const undone = []; // how to take back: [[item, mark before], …] for each step
const elsewhere = new Map(); // name → mark of an item that is not on this page, such as one that was dropped
const listeners = []; // functions to call after each change
const storageKey = `recipe-marks-${data.fingerprint}`;
const words = { drop: "drop", relabel: "relabel", fine: "fine" };
const signs = { drop: "✕", relabel: "→", fine: "✓" };

const itemOf = new Map(names.slice(0, known).map((name, item) => [name, item]));
const sameMark = (a, b) => a?.do === b?.do && String(a?.label) === String(b?.label);

// A label in words. Of an item with several targets it is a list of numbers; of classes those that hold are told.
function labelText(label) {
  if (!Array.isArray(label)) return String(label);
  if (data.relabel !== "classes") return label.join(" ");
  return data.several.filter((_, k) => label[k]).join(", ") || "none";
}

// The label that an item has here, as marks have it; and what it is in a patch's `was`.
const givenLabel = (item) => (data.several.length ? data.targets[item].split(" ").map(Number) : labelOf(item));
const givenText = (item) => (data.several.length && item < known ? data.targets[item] : labelOf(item));
const isGiven = (label, item) => String(label) === String(item < known ? givenLabel(item) : labelOf(item));

// The label that the data have without any patch: of a relabelled item the one it had before.
const applied = new Map(data.marks.map((mark) => [mark.name, mark]));
function originalLabel(item) {
  const mark = applied.get(names[item]);
  return mark && mark.do === "relabel" && mark.was ? mark.was : givenText(item);
}

// One step, which undo takes back as a whole. changes: [[item, mark or null], …]
function setMarks(changes) {
  const before = changes.map(([item]) => [item, marks.get(item) ?? null]);
  if (changes.every(([item, mark], k) => sameMark(mark ?? undefined, before[k][1] ?? undefined))) return;
  undone.push(before);
  change(changes);
}

function undo() {
  const before = undone.pop();
  if (!before) return null;
  change(before);
  return before.map(([item]) => item);
}

function change(changes) {
  for (const [item, mark] of changes) {
    if (mark) marks.set(item, mark);
    else marks.delete(item);
  }
  keep();
  for (const listener of listeners) listener(changes.map(([item]) => item));
}

// The storage knows which patch the page came with: of another one its marks come first, then what was marked since.
function keep() {
  try {
    const told = [...marks].map(([item, mark]) => ({ name: names[item], ...mark }));
    const stored = { base: JSON.stringify(data.marks), marks: [...told, ...elsewhere.values()] };
    localStorage.setItem(storageKey, JSON.stringify(stored));
  } catch {
    // Storage is switched off or full: marks live as long as the page, and can be exported.
  }
}

function recall() {
  let stored = null;
  try {
    stored = JSON.parse(localStorage.getItem(storageKey));
  } catch {
    stored = null;
  }
  const given = stored?.base === JSON.stringify(data.marks) ? [] : data.marks;
  for (const mark of [...given, ...(Array.isArray(stored?.marks) ? stored.marks : [])]) {
    const read = readMark(mark);
    if (!read) continue;
    if (itemOf.has(mark.name)) marks.set(itemOf.get(mark.name), read);
    else elsewhere.set(mark.name, mark);
  }
}

// A mark as the page has it, or null for what is none.
function readMark(mark) {
  if (typeof mark?.name !== "string" || !Object.hasOwn(words, mark.do)) return null;
  if (mark.do !== "relabel") return { do: mark.do };
  const label = readLabel(mark.label);
  return label === null ? null : { do: "relabel", label };
}

// Several targets may be given one by one, or by the names of those that hold.
function readLabel(label) {
  if (!data.several.length) return typeof label === "string" || typeof label === "number" ? String(label) : null;
  if (!Array.isArray(label)) return null;
  if (data.relabel === "classes" && label.every((one) => data.several.includes(one))) {
    return data.several.map((name) => Number(label.includes(name)));
  }
  const numbers = label.map(Number);
  return numbers.length === data.several.length && numbers.every(Number.isFinite) ? numbers : null;
}

function markText(mark) {
  return mark.do === "relabel" ? `relabel as ${visible(labelText(mark.label))}` : words[mark.do];
}

function countMarks() {
  const count = { drop: 0, relabel: 0, fine: 0 };
  for (const mark of marks.values()) count[mark.do]++;
  return count;
}

recall();
