"use strict";
// One question after the other; answers stay in the page until they are saved as a file, and in the browser meanwhile.
const told = JSON.parse(document.getElementById("told").textContent);
const key = `recipe-annotate-${told.data}-${told.annotator}`;
const answers = new Map(restored());
let place = firstOpen();
let shownAt = performance.now();

function restored() {
  try { return JSON.parse(localStorage.getItem(key)) || []; } catch { return []; }
}

function kept() {
  try { localStorage.setItem(key, JSON.stringify([...answers])); } catch { /* a file's page may have no storage */ }
}

function firstOpen() {
  const open = told.questions.findIndex((one) => !answers.has(one.position));
  return open < 0 ? told.questions.length : open;
}

function show() {
  const item = document.getElementById("item");
  const done = place >= told.questions.length;
  document.getElementById("progress").value = answers.size / Math.max(1, told.questions.length);
  document.getElementById("state").textContent = done
    ? `All ${told.questions.length} seen, ${answers.size} answered. Save the answers.`
    : `${place + 1} of ${told.questions.length}`;
  item.replaceChildren();
  if (!done) {
    const one = told.questions[place];
    if (one.picture) {
      const picture = document.createElement("img");
      picture.src = one.picture;
      picture.alt = "the item to be named";
      item.append(picture);
    } else {
      item.textContent = one.text;
    }
  }
  shownAt = performance.now();
}

function answer(said) {
  const one = told.questions[place];
  if (!one) return;
  const seconds = Math.round((performance.now() - shownAt) / 10) / 100;
  answers.set(one.position, { item: one.item, position: one.position, answer: said, seconds });
  kept();
  place += 1;
  show();
}

function move(by) {
  place = Math.max(0, Math.min(told.questions.length, place + by));
  show();
}

function save() {
  const file = { schema: told.schema, annotator: told.annotator, data: told.data, answers: [...answers.values()] };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
  link.download = `${told.annotator}.answers.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const options = document.getElementById("options");
if (told.options) {
  told.options.forEach((name, number) => {
    const button = document.createElement("button");
    button.type = "button";
    const mark = document.createElement("kbd");
    mark.textContent = number < 10 ? String(number) : "";
    button.append(mark, name);
    button.addEventListener("click", () => answer(name));
    options.append(button);
  });
} else {
  const field = document.createElement("input");
  field.type = "number";
  field.step = "any";
  field.setAttribute("aria-label", "your answer");
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && field.value !== "") { answer(String(Number(field.value))); field.value = ""; }
    event.stopPropagation();
  });
  options.append(field);
}
document.getElementById("back").addEventListener("click", () => move(-1));
document.getElementById("skip").addEventListener("click", () => move(1));
document.getElementById("save").addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); save(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Backspace") { event.preventDefault(); move(-1); }
  else if (event.key === " ") { event.preventDefault(); move(1); }
  else if (told.options && /^[0-9]$/.test(event.key) && Number(event.key) < told.options.length) answer(told.options[Number(event.key)]);
});
show();
