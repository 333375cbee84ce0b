// The search: words that all have to be there, and attributes by name (label:shirt, brightness>0.5, -split:val).

const slug = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
const slugs = columns.map((one) => slug(one.title));
const attributePattern = /^([^:<>=]+)(:|>=|<=|=|>|<)(.+)$/;

// All that can be read of an item, in lower case; made when it is first searched.
const told = new Array(names.length);
function textOf(item) {
  if (told[item] === undefined) {
    const read = [names[item], splitOf(item), labelOf(item)];
    for (const one of columns) if (one.words) read.push(cellText(one, item));
    for (const { note } of named.get(item) ?? []) read.push(note);
    if (texts && item < known) read.push(texts[item]);
    told[item] = read.join("\n").toLowerCase();
  }
  return told[item];
}

// item → whether it fits the query; null when the query is empty.
function searchFor(query) {
  const parts = query.match(/-?(?:[^\s"]*"[^"]*"|\S+)/g) ?? [];
  const tests = parts.map((part) => {
    const without = part.startsWith("-") && part.length > 1;
    const test = testOf((without ? part.slice(1) : part).replaceAll('"', ""));
    return without ? (item) => !test(item) : test;
  });
  return tests.length ? (item) => tests.every((test) => test(item)) : null;
}

function testOf(part) {
  const [, name, sign, value] = attributePattern.exec(part) ?? [];
  const special = name && specials[slug(name)];
  if (special) return special(value.toLowerCase());
  const one = name && columnCalled(name);
  if (one) return one.words ? wordTest(one, sign, value) : rangeTest(one, sign, value);
  const word = part.toLowerCase();
  const near = /^[+-]?\d*\.?\d+(e[+-]?\d+)?$/i.test(word) ? numberTest(word) : () => false;
  return (item) => textOf(item).includes(word) || near(item);
}

const specials = {
  name: (value) => (item) => names[item].toLowerCase().includes(value),
  note: (value) => (item) => (named.get(item) ?? []).some(({ note }) => note.toLowerCase().includes(value)),
  mark: (value) => (item) => (marks.has(item) ? marks.get(item).do : "none").startsWith(value),
};

// By its whole name, or the first that begins so.
function columnCalled(name) {
  const wanted = slug(name);
  const exact = slugs.indexOf(wanted);
  return columns[exact >= 0 ? exact : slugs.findIndex((have) => have.startsWith(wanted))] ?? null;
}

function wordTest(one, sign, value) {
  const wanted = value.toLowerCase();
  const fits = one.words.map((word) => (sign === "=" ? word.toLowerCase() === wanted : word.toLowerCase().includes(wanted)));
  return (item) => item < known && fits[one.values[item]] === true;
}

function rangeTest(one, sign, value) {
  const bound = Number(value);
  const near = (v) => Math.abs(v - bound) <= roundingOf(value);
  const fits = { ">": (v) => v > bound, "<": (v) => v < bound, ">=": (v) => v >= bound, "<=": (v) => v <= bound }[sign] ?? near;
  return (item) => item < known && fits(one.values[item]);
}

// Any attribute that, rounded as the number is written, is that number.
function numberTest(word) {
  const [wanted, within] = [Number(word), roundingOf(word)];
  const of = columns.filter(isNumber);
  return (item) => item < known && of.some((one) => Math.abs(one.values[item] - wanted) <= within);
}

function roundingOf(word) {
  const [digits, power] = word.toLowerCase().split("e");
  const decimals = (digits.split(".")[1] ?? "").length;
  return decimals ? (0.5 * 10 ** ((Number(power) || 0) - decimals)) * (1 + 1e-9) : 1e-9;
}
