// The findings that name items: a list to choose from, and what the chosen one says.

const findingOrder = [everything, ...(data.suspects.length ? [anything] : []), ...data.suspects.keys()];

function findingTitle(finding) {
  if (finding === everything) return "All items";
  return finding === anything ? "All that findings name" : data.suspects[finding].title;
}

function findingCount(finding) {
  if (finding === everything) return known;
  if (finding === anything) return named.size;
  return data.suspects[finding].sets.length;
}

function buildFindings() {
  for (const finding of findingOrder) {
    const suspects = finding >= 0 ? data.suspects[finding] : null;
    const verdict = suspects ? suspects.verdict : "";
    const button = make("button", { type: "button", class: verdict, onclick: () => showFinding(finding) },
      make("span", { class: "glyph", "aria-hidden": true, text: glyphs[verdict] ?? "" }),
      make("span", { class: "title", text: visible(findingTitle(finding)) }),
      make("span", { class: "number", text: whole.format(findingCount(finding)) }));
    if (suspects) {
      const fine = suspects.fine ? `, ${suspects.fine} marked fine left out` : "";
      button.append(make("span", { class: "field", text: visible(`${spoken[verdict]} · ${suspects.field}${fine}`) }));
    }
    button.dataset.finding = finding;
    at("findings").append(make("li", {}, button));
  }
}

// Looks at a finding's items; the filters stay, the order is the finding's own at first.
function showFinding(finding) {
  lookAt(finding);
  view.sort = "place";
  view.down = false;
  tellFinding();
  refresh(-1);
  say(`${visible(findingTitle(finding))}: ${counted(view.shown, "item")}`);
}

function nextFinding(step) {
  const place = findingOrder.indexOf(view.finding) + step;
  showFinding(findingOrder[(place + findingOrder.length) % findingOrder.length]);
  document.querySelector(`[data-finding="${view.finding}"]`).scrollIntoView({ block: "nearest" });
}

function tellFinding() {
  for (const button of at("findings").querySelectorAll("button")) {
    const chosen = Number(button.dataset.finding) === view.finding;
    button.setAttribute("aria-current", chosen);
  }
  const place = at("finding");
  place.hidden = view.finding < 0;
  if (place.hidden) return;
  const { title, verdict, message, advice, id, fine } = data.suspects[view.finding];
  const lines = [
    make("p", { class: `claim ${verdict}` },
      make("span", { class: "badge", text: `${glyphs[verdict]} ${spoken[verdict]}` }), ` ${visible(title)}`),
    make("p", { text: visible(message) }),
  ];
  if (advice) lines.push(make("p", { class: "advice" }, make("b", { text: "Do" }), ` ${visible(advice)}`));
  if (fine) lines.push(make("p", { class: "soft", text: `${counted(fine, "suspect")} marked fine in the patch left out.` }));
  if (id) lines.push(make("p", { class: "soft" }, make("code", { text: `recipe explain ${id}` })));
  place.replaceChildren(...lines);
}
