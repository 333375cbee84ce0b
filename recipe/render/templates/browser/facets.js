// The panel's attributes: words with their counts, numbers with their distributions; each a filter.

const facets = new Map(); // key → {element, update, clear, mark}
const MOST_WORDS = 12;
const OPEN = 8; // attributes that are unfolded at first

// Few words are a choice; names and long texts are for the search.
const isChoice = (one) => one.words && one.words.length > 1 && (one.words.length <= 60 || one === labelColumn);
const varies = (one) => isNumber(one) && binsOf(one).totals.filter((n) => n > 0).length > 1;

function buildFacets() {
  const place = at("facets");
  const add = (key, title, about, facet, open) => {
    facets.set(key, facet);
    const heading = make("summary", { title: about || undefined, text: visible(title) });
    const block = make("details", { class: "facet", open }, heading, facet.element);
    block.addEventListener("toggle", () => block.open && facet.update());
    facet.open = () => block.open;
    place.append(block);
  };
  add("mark", "mark", "what you said of an item", wordsFacet("mark", markWords, markCode), false);
  columns.forEach((one, k) => {
    const open = facets.size <= OPEN;
    if (isChoice(one)) add(k, one.title, one.about, wordsFacet(k, one.words, (item) => one.values[item], one.title), open);
    else if (varies(one)) add(k, one.title, one.about, histogram(one, k), open);
  });
}

const markWords = ["drop", "relabel", "fine", "none"];
const markCode = (item) => markWords.indexOf(marks.get(item)?.do ?? "none");

// Words as rows with bars; a click keeps the items of that word, further clicks add and remove others.
function wordsFacet(key, words, codeOf, title = key) {
  const chosen = new Set();
  const list = make("ul", { class: "words" });
  const rows = [];
  let all = words.length <= MOST_WORDS;
  const more = make("button", { type: "button", class: "quiet", text: `all ${words.length}`, onclick: () => ((all = true), update()) });

  function toggle(code) {
    if (chosen.has(code)) chosen.delete(code);
    else chosen.add(code);
    apply();
    refresh();
  }

  function apply() {
    const told = [...chosen].map((code) => words[code]).join(", ");
    setFilter(key, chosen.size ? (item) => item < known && chosen.has(codeOf(item)) : null, `${title}: ${told}`);
  }

  function update() {
    const counts = new Uint32Array(words.length + 1);
    const passes = passesBut(key);
    for (let item = 0; item < known; item++) if (passes(item)) counts[codeOf(item)]++;
    const order = words.map((_, code) => code);
    if (words.length > MOST_WORDS) order.sort((a, b) => chosen.has(b) - chosen.has(a) || counts[b] - counts[a] || a - b);
    const shown = all ? order : order.slice(0, MOST_WORDS);
    while (rows.length < shown.length) rows.push(list.appendChild(wordRow(toggle)));
    rows.forEach((row, k) => (row.hidden = k >= shown.length));
    const most = Math.max(1, ...counts);
    shown.forEach((code, k) => tellRow(rows[k], code, words[code], counts[code], counts[code] / most, chosen.has(code)));
    more.hidden = all;
  }

  const clear = () => (chosen.clear(), apply());
  return { element: make("div", {}, list, more), update, clear, mark() {}, apply };
}

function wordRow(toggle) {
  const button = make("button", { type: "button", "aria-pressed": "false" },
    make("span", { class: "bar" }), make("span", { class: "word" }), make("span", { class: "number" }));
  button.addEventListener("click", () => toggle(Number(button.dataset.code)));
  return make("li", {}, button);
}

function tellRow(row, code, word, count, share, pressed) {
  const button = row.firstChild;
  const [bar, name, number] = button.children;
  button.dataset.code = code;
  button.setAttribute("aria-pressed", pressed);
  bar.style.transform = `scaleX(${share})`;
  name.textContent = visible(word);
  number.textContent = whole.format(count);
}

function updateFacets() {
  for (const facet of facets.values()) if (facet.open()) facet.update();
  at("clear").hidden = filters.size === 0;
  at("panel-button").textContent = filters.size ? `Filters (${filters.size})` : "Filters";
}

function clearFilters() {
  for (const facet of facets.values()) facet.clear();
  at("search").value = "";
  setFilter("search", null);
  refresh();
}
