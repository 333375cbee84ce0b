// What one place of the grid looks like: a picture, a text, a row of a table, or a card of a row beside its twin.

const sides = sidesOf();
let side = sides.findLast((one) => one <= 96) ?? sides[0];

// How the entries lie: kind of cell, places in a row, height of a row in pixels. width: of the grid.
function shapeOf(width) {
  const notes = view.notes.size > 0;
  if (data.layout === "tiles") {
    const edge = view.across ? Math.max(side, sides.find((one) => one >= 96) ?? side) : side;
    const least = Math.max(edge * wide, 60) + 10;
    const across = view.across || Math.max(1, Math.floor((width - 14) / least));
    const each = view.across ? least + 40 : (width - 14) / across;
    return { kind: "tile", across, edge, each, height: Math.ceil(edge * tall) + (notes || view.across ? 54 : 25) };
  }
  if (view.across) return { kind: "card", across: view.across, height: data.layout === "rows" ? 190 : 150 };
  return data.layout === "rows" ? { kind: "row", across: 1, height: 30 } : { kind: "text", across: 1, height: 92 };
}

// Of a table's row, its own columns first; the detail has them all.
const shownColumns = [...columns.slice(2)].sort((a, b) => b.given - a.given).slice(0, 40);

function newCell(kind) {
  const cell = make("div", { role: kind === "row" ? "row" : "gridcell", class: `cell ${kind}` });
  if (kind === "tile") cell.append(make("i", { class: "picture" }), make("span", { class: "label" }), make("span", { class: "note" }));
  if (kind === "text") {
    cell.append(make("span", { class: "side" }, make("b"), make("span", { class: "label" }), make("span", { class: "note" })));
    cell.append(make("p", { class: "words" }));
  }
  if (kind === "card") cell.append(make("p", { class: "title" }), make("div", { class: "lines" }));
  if (kind === "row") {
    cell.append(make("span", { role: "gridcell", class: "first" }));
    for (const one of [splitColumn, labelColumn, ...shownColumns]) {
      cell.append(make("span", { role: "gridcell", class: isNumber(one) ? "number" : "" }));
    }
  }
  cell.append(make("i", { class: "sign" }));
  return cell;
}

// position: among the entries. beside: the first item of the set, to see what differs.
function fillCell(cell, kind, position, edge, beside) {
  const item = view.entries[position];
  cell.hidden = item === undefined || item < 0;
  if (cell.hidden) return;
  cell.id = `place-${position}`;
  cell.dataset.position = position;
  cell.dataset.item = item;
  cell.classList.toggle("current", position === cursor);
  cell.setAttribute("aria-selected", position === cursor);
  cell.setAttribute("aria-label", spokenItem(item));
  const mark = marks.get(item);
  cell.dataset.mark = mark ? mark.do : "";
  cell.lastChild.textContent = mark ? signs[mark.do] : "";
  fillers[kind](cell, item, edge, beside);
}

const fillers = {
  tile(cell, item, edge, beside) {
    const [picture, label, note] = cell.children;
    paint(picture, item, edge);
    tellLabel(label, item);
    label.classList.toggle("differs", beside >= 0 && labelOf(item) !== labelOf(beside));
    note.textContent = view.across ? visible(`${splitOf(item)} · ${names[item]}`) : visible(view.notes.get(item) ?? "");
  },
  text(cell, item) {
    const [about, words] = cell.children;
    about.children[0].textContent = visible(names[item]);
    tellLabel(about.children[1], item);
    about.children[2].textContent = visible([splitOf(item), view.notes.get(item)].filter(Boolean).join(" · "));
    words.textContent = texts && item < known ? visible(texts[item], true) : "";
  },
  row(cell, item) {
    const places = cell.children;
    places[0].textContent = visible(names[item]);
    places[1].textContent = visible(splitOf(item));
    tellLabel(places[2], item);
    shownColumns.forEach((one, k) => (places[k + 3].textContent = visible(cellText(one, item))));
  },
  card(cell, item, _, beside) {
    const [title, lines] = cell.children;
    title.replaceChildren(make("b", { text: visible(labelOf(item)) }), visible(` ${splitOf(item)} · ${names[item]}`));
    title.firstChild.classList.toggle("differs", beside >= 0 && labelOf(item) !== labelOf(beside));
    if (texts) lines.textContent = item < known ? visible(texts[item], true) : "";
    else lines.replaceChildren(...linesOf(item, beside));
  },
};

// The cells of a row; where they differ from the first of the set they stand first, and stand out.
function linesOf(item, beside) {
  const of = columns.filter((one) => one.given);
  const differs = (one) => beside >= 0 && cellText(one, item) !== cellText(one, beside);
  const line = (one) => {
    const value = make(differs(one) ? "mark" : "span", { text: visible(cellText(one, item)) || "–" });
    return make("span", { class: "line" }, make("span", { class: "name", text: visible(one.title) }), value);
  };
  return [...of.filter(differs), ...of.filter((one) => !differs(one))].map(line);
}

// The label, and the new one where it was marked so.
function tellLabel(element, item) {
  const mark = marks.get(item);
  const before = visible(labelOf(item));
  if (mark?.do !== "relabel" || isGiven(mark.label, item)) element.textContent = before;
  else element.replaceChildren(make("s", { text: before }), ` ${visible(labelText(mark.label))}`);
}

function spokenItem(item) {
  const mark = marks.get(item);
  const told = [names[item], `label ${labelOf(item)}`, splitOf(item), view.notes.get(item), mark && markText(mark)];
  return visible(told.filter(Boolean).join(", "));
}
