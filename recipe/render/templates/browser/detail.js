// One item in full: its picture or text, who names it, all its attributes, and its neighbours in the order.

const detail = at("detail");
const NEIGHBOURS = 2;

function openDetail() {
  document.body.classList.add("looking");
}

function closeDetail() {
  document.body.classList.remove("looking");
  grid.focus({ preventScroll: true });
}

// Told at once where the cursor rests; while a key is held down, a few times a second.
let detailTold = 0;
let detailAsked = 0;
function tellDetail() {
  clearTimeout(detailAsked);
  detailAsked = setTimeout(() => {
    detailTold = performance.now();
    const item = itemAtCursor();
    const scrolled = detail.scrollTop;
    detail.replaceChildren(...(item < 0 ? [make("p", { class: "soft", text: "Nothing fits: clear a filter (x)." })] : partsOf(item)));
    detail.scrollTop = scrolled;
    for (const facet of facets.values()) if (facet.open()) facet.mark(item);
  }, performance.now() - detailTold < 150 ? 80 : 0);
}

function partsOf(item) {
  const parts = [
    make("button", { type: "button", class: "close", "aria-label": "Close", text: "×", onclick: closeDetail }),
    ...(placeOf(item) ? [picture(item, 224, "large")] : []),
    ...(texts && item < known ? [make("p", { class: "full", text: visible(texts[item], true) })] : []),
    heading(item),
    markButtons(item),
  ];
  const reasons = (named.get(item) ?? []).map(({ finding, note }) => reason(finding, note));
  if (reasons.length) parts.push(make("h3", { text: "Why it is suspected" }), make("ul", { class: "reasons" }, ...reasons));
  const set = setWith(item);
  if (set.length > 1) parts.push(make("h3", { text: "The same set" }), strip(set, item));
  parts.push(make("h3", { text: "Neighbours in this order" }), strip(neighbours(), item));
  if (item < known) parts.push(make("h3", { text: "Attributes" }), attributeTable(item));
  return parts;
}

function picture(item, side, name = "") {
  const element = make("i", { class: `picture ${name}`, role: "img", "aria-label": visible(names[item]) });
  paint(element, item, side);
  return element;
}

function heading(item) {
  const label = make("span", { class: "label" });
  tellLabel(label, item);
  const nowhere = item >= known ? [make("p", { class: "soft", text: "It could not be read, so it is in no split." })] : [];
  return make("div", { class: "heading" },
    make("h2", { text: visible(names[item]) }), make("p", {}, make("span", { class: "soft", text: `${visible(splitOf(item))} · ` }), label), ...nowhere);
}

function markButtons(item) {
  const mark = marks.get(item);
  const button = (what) => make("button", {
    type: "button", class: what, "aria-pressed": mark?.do === what, onclick: () => markItem(what, item),
    disabled: item >= known || (what === "relabel" && data.relabel === "nothing"),
  }, make("kbd", { text: what[0] }), ` ${what}`);
  return make("div", { class: "marking" }, ...["drop", "relabel", "fine"].map(button));
}

function reason(finding, note) {
  const { title, verdict } = data.suspects[finding];
  return make("li", {},
    make("button", { type: "button", class: `quiet ${verdict}`, onclick: () => showFindingAt(finding, itemAtCursor()) },
      make("span", { class: "glyph", text: `${glyphs[verdict]} ` }), visible(title)),
    make("span", { class: "soft", text: note ? ` ${visible(note)}` : "" }));
}

function showFindingAt(finding, item) {
  showFinding(finding);
  keepAt(item);
}

function setWith(item) {
  const sets = data.suspects.flatMap((suspects) => suspects.sets).filter((set) => set.length > 1);
  return [...new Set(sets.filter((set) => set.some(([one]) => one === item)).flatMap((set) => set.map(([one]) => one)))];
}

function neighbours() {
  const found = [];
  for (let place = cursor - NEIGHBOURS; place <= cursor + NEIGHBOURS; place++) {
    if (view.entries[place] >= 0) found.push(view.entries[place]);
  }
  return found;
}

// Some items in small; a click goes to them.
function strip(items, current) {
  const button = (item) => make("button", {
    type: "button", title: visible(`${names[item]} · ${labelOf(item)}`), "aria-current": item === current, onclick: () => goTo(item),
  }, ...(placeOf(item) ? [picture(item, 44)] : []), make("span", { text: visible(placeOf(item) ? labelOf(item) : names[item]) }));
  return make("div", { class: placeOf(current) ? "strip" : "strip list" }, ...items.map(button));
}

function goTo(item) {
  const place = view.entries.indexOf(item);
  if (place >= 0) return moveTo(place, { centre: true });
  clearFilters();
  showFindingAt(everything, item);
}

// Each attribute with its value, and how far up it lies among all items here.
function attributeTable(item) {
  const rows = columns.slice(2).map((one) => {
    const share = isNumber(one) ? shareBelow(one, item) : null;
    const bar = share === null ? null : make("span", { class: "track", title: `${Math.round(100 * share)} % of the items here lie below` }, make("i"));
    if (bar) bar.firstChild.style.left = `${(100 * share).toFixed(1)}%`;
    return make("tr", { title: one.about || undefined },
      make("th", { scope: "row", text: visible(one.title) }), make("td", { class: isNumber(one) ? "number" : undefined, text: visible(cellText(one, item)) || "–" }), make("td", {}, ...(bar ? [bar] : [])));
  });
  return make("table", {}, make("tbody", {}, ...rows));
}
