// Puts the page together, and keeps its parts in step.

// After the order changed: entries and grid; the cursor goes to the top, or stays on an item that is still there.
function reorder(item = -1) {
  arrange();
  layOut();
  keepAt(item);
  at("sort").value = String(view.sort);
  at("direction").textContent = view.down ? "↓" : "↑";
  head.firstChild.childNodes.forEach((button, k) => (button.dataset.sorted = sortOf(k) === view.sort ? (view.down ? "↓" : "↑") : ""));
}

// After a filter or the finding changed: the counts too.
function refresh(item = itemAtCursor()) {
  reorder(item);
  const all = view.finding === everything ? known : inFinding.reduce((sum, one) => sum + one, 0);
  at("count").textContent = view.shown === all ? counted(all, "item") : `${whole.format(view.shown)} of ${counted(all, "item")}`;
  updateFacets();
}

function tellMarks() {
  const count = countMarks();
  const told = Object.entries(count).filter(([, n]) => n).map(([what, n]) => `${n} ${what}`).join(" · ");
  const all = marks.size + elsewhere.size;
  at("export").textContent = all ? `Export patch (${all})` : "Export patch";
  at("export").title = told || "No marks yet: d, r or f marks the item under the cursor";
  at("export").disabled = all === 0;
}

function tellPage() {
  at("name").textContent = visible(data.name);
  const [shown, all] = [data.shown, data.items].map((of) => Object.values(of).reduce((a, b) => a + b, 0));
  at("about").textContent = shown === all ? counted(all, "item") : `${whole.format(shown)} of ${counted(all, "item")}`;
  at("about").title = aboutItems();
  const options = [["place", "as found"], ["name", "name"], ...columns.map((one, k) => [String(k), visible(one.title)])];
  at("sort").append(...options.map(([value, text]) => make("option", { value, text })));
  const headings = [splitColumn, labelColumn, ...shownColumns];
  const heading = (title, k) => make("button", {
    type: "button", tabindex: -1, text: visible(title), onclick: () => sortBy(k),
    class: k && isNumber(headings[k - 1]) ? "number" : undefined,
  });
  head.append(make("div", { class: "row" }, ...["name", ...headings.map((one) => one.title)].map(heading)));
}

// A column's heading: sorts by it, and turns the order round the second time.
const sortOf = (k) => (k === 0 ? "name" : k < 3 ? k - 1 : columns.indexOf(shownColumns[k - 3]));
function sortBy(k) {
  const sort = sortOf(k);
  view.down = view.sort === sort && !view.down;
  view.sort = sort;
  reorder();
  grid.focus({ preventScroll: true });
}

function listen() {
  let typing = 0;
  at("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      const query = at("search").value.trim();
      setFilter("search", searchFor(query), query);
      refresh();
    }, 60);
  });
  at("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "ArrowDown") grid.focus({ preventScroll: true });
  });
  at("sort").addEventListener("change", () => {
    const value = at("sort").value;
    view.sort = value === "place" || value === "name" ? value : Number(value);
    // Of numbers the large ones are looked for first: distances, suspicions.
    view.down = typeof view.sort === "number" && isNumber(columns[view.sort]) && !columns[view.sort].given;
    reorder();
    grid.focus({ preventScroll: true });
  });
  at("direction").addEventListener("click", reverse);
  at("clear").addEventListener("click", clearFilters);
  at("export").addEventListener("click", exportPatch);
  at("import").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", () => {
    if (at("file").files.length) importPatch(at("file").files[0]).finally(() => (at("file").value = ""));
  });
  at("help-button").addEventListener("click", openHelp);
  at("panel-button").addEventListener("click", () => {
    at("panel-button").setAttribute("aria-expanded", document.body.classList.toggle("filtering"));
  });
  for (const button of document.querySelectorAll("[data-do]")) {
    const what = button.dataset.do;
    button.disabled = what === "relabel" && data.relabel === "nothing";
    button.addEventListener("click", () => (what === "undo" ? takeBack() : markItem(what, itemAtCursor())));
  }
}

// A link may say what to look for: browser.html#search=label:shirt
function searchLinked() {
  const query = new URLSearchParams(location.hash.slice(1)).get("search");
  if (query === null) return;
  at("search").value = query;
  setFilter("search", searchFor(query), query);
  refresh();
}
window.addEventListener("hashchange", searchLinked);

listeners.push((items) => {
  if (filters.has("mark")) {
    facets.get("mark").apply();
    refresh();
  } else {
    refill(items);
    if (facets.get("mark").open()) facets.get("mark").update();
  }
  tellMarks();
  tellDetail();
});
moved.push(tellDetail);

tellPage();
buildFindings();
buildFacets();
listen();
room = { width: grid.clientWidth, height: grid.clientHeight };
tellFinding();
refresh();
searchLinked();
tellMarks();
grid.focus({ preventScroll: true });
