// The patch file: what is exported, and what may be imported to go on with.

const fileName = `${data.name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+/, "") || "data"}-patch.json`;

// Every mark on a line of its own, those of the page in the order of the data.
function patchText() {
  const here = [...marks].sort(([a], [b]) => a - b).map(([item, mark]) => ({
    name: names[item],
    do: mark.do,
    ...(mark.do === "relabel" ? { label: mark.label, was: originalLabel(item) } : {}),
    split: splitOf(item),
    content: data.contents[item],
  }));
  const lines = [...here, ...elsewhere.values()].map((mark) => `    ${safely(mark)}`);
  const head = `"schema": 1,\n  "data": ${safely(data.name)},\n  "fingerprint": ${safely(data.fingerprint)}`;
  return `{\n  ${head},\n  "marks": [${lines.length ? `\n${lines.join(",\n")}\n  ` : ""}]\n}\n`;
}

// JSON that reads the same as YAML: its line separators and other invisible characters as escapes.
const safely = (value) =>
  JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

function exportPatch() {
  const link = make("a", { href: URL.createObjectURL(new Blob([patchText()], { type: "application/json" })), download: fileName });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say(`${counted(marks.size + elsewhere.size, "mark")} in ${fileName}: add data.patch=${fileName} to your command.`);
}

// Takes the marks of a file over, as one step that undo takes back.
async function importPatch(file) {
  let patch = null;
  try {
    patch = JSON.parse(await file.text());
  } catch {
    patch = null;
  }
  if (patch?.schema !== 1 || !Array.isArray(patch.marks)) {
    return say(`${visible(file.name)} is no patch file that this page can read (JSON, schema 1).`);
  }
  const same = patch.fingerprint === data.fingerprint;
  const [changes, beyond] = [[], []];
  let refused = 0;
  for (const mark of patch.marks) {
    const read = readMark(mark);
    const item = itemOf.get(mark?.name);
    const isIt = item !== undefined && (!mark.content || !data.contents[item] || mark.content === data.contents[item]);
    if (read && isIt) changes.push([item, read]);
    else if (read && same && item === undefined) beyond.push(mark);
    else refused++;
  }
  for (const mark of beyond) elsewhere.set(mark.name, mark);
  setMarks(changes);
  const rest = [beyond.length && `${beyond.length} of items that are not on this page`, refused && `${refused} not found`];
  say(`${counted(changes.length, "mark")} taken over${rest.filter(Boolean).map((text) => `, ${text}`).join("")}.`);
}

// d, r and f: the mark, or its end where the item has it already.
function markItem(what, item) {
  if (item < 0) return;
  if (item >= known) return say("It could not be read, so there is nothing to mark.");
  if (what === "relabel") {
    if (data.relabel === "nothing") return say("There is no label that could be changed here: drop the item, or mend the data.");
    return data.several.length ? askTargets(item) : askLabel(item);
  }
  const had = marks.get(item)?.do === what;
  setMarks([[item, had ? null : { do: what }]]);
  say(`${visible(names[item])}: ${had ? "no mark" : words[what]}`);
}

function takeBack() {
  const items = undo();
  if (!items) return say("Nothing to undo.");
  say(`Undone: ${items.length === 1 ? visible(names[items[0]]) : counted(items.length, "item")}`);
  const place = view.entries.indexOf(items[0]);
  if (items.length === 1 && place >= 0) moveTo(place);
}
