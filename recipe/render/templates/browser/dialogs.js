// The choice of a new label, and the help.

const relabelDialog = at("relabel");
const helpDialog = at("help");
const MOST_CHOICES = 200;

const proposals = columns.find((one) => one.title === "other class" && one.words);

// Asks for a class (or a number), and marks the item with it.
function askLabel(item) {
  const field = make("input", { type: data.relabel === "number" ? "number" : "text", step: "any", "aria-label": "New label", autocomplete: "off" });
  const list = make("ul", { class: "choices", role: "listbox", id: "choices", "aria-label": "Classes" });
  const now = marks.get(item)?.label ?? labelOf(item);
  const proposed = proposals ? cellText(proposals, item) : "";
  let [chosen, fitting] = [0, []];

  function choose(label) {
    relabelDialog.close();
    if (label === undefined || label === "") return;
    setMarks([[item, label === originalLabel(item) ? null : { do: "relabel", label }]]);
    say(`${visible(names[item])}: ${label === originalLabel(item) ? "as it was" : `relabel as ${visible(label)}`}`);
  }

  function tellChoices() {
    const typed = field.value.trim().toLowerCase();
    fitting = data.relabel === "class" ? labelColumn.words.filter((word) => word.toLowerCase().includes(typed)) : [];
    const rank = (word) => (word.toLowerCase() === typed ? 0 : !typed && word === proposed ? 1 : typed && word.toLowerCase().startsWith(typed) ? 2 : 3);
    fitting.sort((a, b) => rank(a) - rank(b));
    fitting = fitting.slice(0, MOST_CHOICES);
    chosen = Math.max(0, Math.min(chosen, fitting.length - 1));
    list.replaceChildren(...fitting.map((word, k) => {
      const option = make("li", { role: "option", id: `choice-${k}`, "aria-selected": k === chosen, text: visible(word), onclick: () => choose(word) });
      if (word === now) option.append(make("span", { class: "soft", text: " now" }));
      else if (word === proposed) option.append(make("span", { class: "soft", text: " what it looks like" }));
      return option;
    }));
    field.setAttribute("aria-activedescendant", `choice-${chosen}`);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  }

  field.addEventListener("input", () => ((chosen = 0), tellChoices()));
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && fitting.length) {
      event.preventDefault();
      chosen = (chosen + step + fitting.length) % fitting.length;
      tellChoices();
    }
    if (event.key === "Enter") {
      event.preventDefault();
      choose(data.relabel === "class" ? fitting[chosen] : field.value && String(Number(field.value)));
    }
  });
  const title = make("h2", { id: "relabel-title", text: `Relabel ${visible(names[item])}, now ${visible(now)}` });
  const hint = data.relabel === "class" ? "Type to narrow, ↑ ↓ to move, Enter to choose, Esc to leave." : "Enter to set, Esc to leave.";
  relabelDialog.replaceChildren(title, field, list, make("p", { class: "soft", text: hint }));
  tellChoices();
  relabelDialog.showModal();
  field.focus();
}

// Asks for all targets of an item: which classes hold, or a number each.
function askTargets(item) {
  const now = marks.get(item)?.label ?? givenLabel(item);
  const classes = data.relabel === "classes";
  const fields = now.map((value) =>
    make("input", classes ? { type: "checkbox", checked: value === 1 } : { type: "number", step: "any", required: true, value: String(value) }));
  const form = make("form", { class: "targets" },
    ...fields.map((field, k) => make("label", {}, field, make("span", { text: visible(data.several[k]) }))),
    make("button", { type: "submit", text: "Set" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const label = fields.map((field) => (classes ? Number(field.checked) : Number(field.value)));
    const asItWas = label.join(" ") === originalLabel(item);
    relabelDialog.close();
    setMarks([[item, asItWas ? null : { do: "relabel", label }]]);
    say(`${visible(names[item])}: ${asItWas ? "as it was" : markText({ do: "relabel", label })}`);
  });
  const title = make("h2", { id: "relabel-title", text: `Relabel ${visible(names[item])}, now ${visible(labelText(now))}` });
  const hint = `${classes ? "Tab to move, space to tick" : "Tab to move"}, Enter to set all, Esc to leave.`;
  relabelDialog.replaceChildren(title, form, make("p", { class: "soft", text: hint }));
  relabelDialog.showModal();
  fields[0].focus();
  fields[0].select();
}

const keyTable = [
  ["← ↑ → ↓, h j k l", "move; Home, End, Page keys too"],
  ["/", "search; Esc leaves it"],
  ["d  r  f", "drop, relabel, fine; the same key again takes it back"],
  ["u", "undo the last mark"],
  ["n  p", "next and previous finding"],
  ["s  o", "choose the order; reverse it"],
  ["x", "clear all filters"],
  ["+  −", "larger, smaller pictures"],
  ["Enter", "show or hide the item"],
  ["e  i", "export the patch; import one"],
  ["?", "this"],
];

let singleKeys = true; // for those whom single keys disturb, such as speakers to their machine

function openHelp() {
  const rows = keyTable.map(([key, what]) => make("tr", {}, make("th", { scope: "row" }, make("kbd", { text: key })), make("td", { text: what })));
  const box = make("input", { type: "checkbox", id: "single-keys", onchange: () => (singleKeys = box.checked) });
  box.checked = singleKeys;
  const search = "Words that all have to be there: shirt train. An attribute by its name: label:shirt, brightness>0.5, outlier-distance>=3; “-” before a word excludes. A number finds whatever attribute has it.";
  helpDialog.replaceChildren(
    make("h2", { id: "help-title", text: "Keys" }), make("table", {}, make("tbody", {}, ...rows)),
    make("p", {}, make("label", {}, box, " single keys work")),
    make("h2", { text: "Search" }), make("p", { text: search }),
    make("h2", { text: "What is here" }), make("p", { text: aboutItems() }),
    make("h2", { text: "Marks" }),
    make("p", { text: "Marks change nothing by themselves. Export them as a patch file, then add data.patch=FILE to your command: recipe drops and relabels as you said, leaves the originals alone, and says so in every report. Items marked fine are not suspected again. This page sends and fetches nothing." }),
    make("p", {}, make("button", { type: "button", text: "Close", onclick: () => helpDialog.close() })),
  );
  helpDialog.showModal();
}

function aboutItems() {
  const parts = Object.entries(data.items).map(([split, all]) => `${data.shown[split] < all ? `${whole.format(data.shown[split])} of ` : ""}${whole.format(all)} ${split}`);
  const all = Object.entries(data.items).every(([split, count]) => split === "test" || count === data.shown[split]);
  const which = all ? "every item of train and val" : "all items that a finding names, and a sample of train and val, stratified by label and drawn with the seed";
  const test = "test" in data.items ? " The test split is sealed: of it only what a finding names is here." : "";
  const more = data.left_out ? ` ${counted(data.left_out, "attribute")} of many are left out.` : "";
  return `${parts.join(", ")} items: ${which}.${test}${more}${data.patched ? ` ${data.patched}` : ""}`;
}
