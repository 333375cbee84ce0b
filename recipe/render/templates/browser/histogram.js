// The distribution of a column of numbers, over which a range can be brushed; or typed, for those who use no pointer.

const BINS = 40;
const [LONG, HIGH] = [240, 46];

// Bins of a column: of few different values one each, else equal ones from the 0.5th to the 99.5th percentile; the
// first and the last hold what lies beyond, so that a few outliers do not press all others together.
const binned = new Map();
function binsOf(one) {
  if (!binned.has(one)) binned.set(one, makeBins(one.values));
  return binned.get(one);
}

function makeBins(values) {
  const ordered = values.filter((v) => !Number.isNaN(v)).sort();
  const different = distinct(ordered, 13);
  const [low, high] = different.length <= 12
    ? [ordered[0], ordered.at(-1)]
    : [ordered[Math.floor(0.005 * (ordered.length - 1))], ordered[Math.ceil(0.995 * (ordered.length - 1))]];
  const count = different.length <= 12 ? Math.max(1, different.length) : BINS;
  const of = new Uint8Array(values.length).fill(255);
  const place = different.length <= 12
    ? (v) => different.indexOf(v)
    : (v) => Math.max(0, Math.min(count - 1, Math.floor(((v - low) / (high - low)) * count)));
  const totals = new Uint32Array(count);
  values.forEach((v, item) => {
    if (Number.isNaN(v)) return;
    of[item] = place(v);
    totals[of[item]]++;
  });
  return { of, totals, low, high, count, different: different.length <= 12 ? different : null, known: ordered.length };
}

// The first `most` different numbers of an ordered list.
function distinct(ordered, most) {
  const found = [];
  for (const v of ordered) {
    if (v !== found.at(-1)) found.push(v);
    if (found.length === most) break;
  }
  return found;
}

// Share of the items that lie below a value, to the accuracy of a bin.
function shareBelow(one, item) {
  const bins = binsOf(one);
  if (item >= known || bins.of[item] === 255) return null;
  let below = 0;
  for (let k = 0; k < bins.of[item]; k++) below += bins.totals[k];
  return (below + bins.totals[bins.of[item]] / 2) / Math.max(1, bins.known);
}

function histogram(one, key) {
  const bins = binsOf(one);
  const svg = drawn("svg", { viewBox: `0 0 ${LONG} ${HIGH}`, preserveAspectRatio: "none", class: "bins", "aria-hidden": "true" });
  const [all, now, brush, here] = [
    drawn("path", { class: "all" }), drawn("path", { class: "now" }), drawn("rect", { class: "brush", y: 0, height: HIGH }),
    drawn("line", { class: "here", y1: 0, y2: HIGH }),
  ];
  svg.append(all, now, brush, here);
  const inputs = ["from", "to"].map((end) =>
    make("input", { type: "text", inputmode: "decimal", "aria-label": `${one.title} ${end}`, placeholder: end, onchange: typed }),
  );
  const ends = make("div", { class: "ends" }, inputs[0], make("span", { class: "range" }), inputs[1]);
  all.setAttribute("d", bars(bins.totals, bins));
  if (bins.known) ends.children[1].textContent = `${tell(bins.low)} … ${tell(bins.high)}`;
  let range = null; // [low, high] as brushed; ±Infinity beyond the first and last bin

  function setRange(next) {
    range = next;
    const test = range && ((item) => item < known && one.values[item] >= range[0] && one.values[item] <= range[1]);
    setFilter(key, test, range ? `${one.title} ${rangeText(range)}` : "");
    inputs.forEach((input, k) => (input.value = range && Number.isFinite(range[k]) ? tell(range[k]).replaceAll(",", "") : ""));
    const [left, right] = range ? edgesOf(range, bins) : [0, 0];
    brush.setAttribute("x", left);
    brush.setAttribute("width", range ? Math.max(1.5, right - left) : 0);
    svg.classList.toggle("brushed", range !== null);
  }

  function typed() {
    const [low, high] = inputs.map((input) => (input.value.trim() === "" ? null : Number(input.value)));
    if (Number.isNaN(low) || Number.isNaN(high)) return say("A range has two numbers.");
    setRange(low === null && high === null ? null : [low ?? -Infinity, high ?? Infinity]);
    refresh();
  }

  dragging(svg, (from, to) => {
    setRange(Math.abs(to - from) < 3 && !bins.different ? null : valuesAt(Math.min(from, to), Math.max(from, to), bins));
    refresh();
  });

  return {
    element: make("div", { class: "histogram" }, svg, ends),
    clear: () => setRange(null),
    update() {
      const counts = new Uint32Array(bins.count);
      const passes = passesBut(key);
      for (let item = 0; item < known; item++) if (bins.of[item] !== 255 && passes(item)) counts[bins.of[item]]++;
      now.setAttribute("d", bars(counts, bins));
    },
    mark(item) {
      const value = item >= 0 && item < known ? one.values[item] : NaN;
      here.classList.toggle("shown", !Number.isNaN(value));
      for (const end of ["x1", "x2"]) if (!Number.isNaN(value)) here.setAttribute(end, middleOf(value, bins));
    },
  };
}

// Bars as one path; heights by the square root, so that a tail of few items can be seen, and brushed.
function bars(counts, bins) {
  const most = Math.sqrt(Math.max(1, ...bins.totals));
  const wide = LONG / bins.count;
  const gap = bins.count > 12 ? 0.6 : 3;
  let path = "";
  counts.forEach((count, k) => {
    if (!count) return;
    const high = Math.max(1, (Math.sqrt(count) / most) * (HIGH - 2));
    path += `M${(k * wide).toFixed(2)} ${HIGH}v${(-high).toFixed(2)}h${(wide - gap).toFixed(2)}V${HIGH}z`;
  });
  return path;
}

// Where a range begins and ends in the drawing.
function edgesOf([low, high], bins) {
  const wide = LONG / bins.count;
  if (bins.different) {
    const inside = bins.different.map((v, k) => (v >= low && v <= high ? k : -1)).filter((k) => k >= 0);
    return inside.length ? [inside[0] * wide, (inside.at(-1) + 1) * wide] : [0, 0];
  }
  return [xOf(low, bins), xOf(high, bins)];
}

function xOf(value, bins) {
  return Math.max(0, Math.min(LONG, ((value - bins.low) / (bins.high - bins.low)) * LONG));
}

function middleOf(value, bins) {
  if (bins.different) return ((bins.different.indexOf(value) + 0.5) * LONG) / bins.count;
  return Math.max(0.7, Math.min(LONG - 0.7, xOf(value, bins)));
}

// The range between two places: of few values those whose bars are touched; open where it reaches the first or last.
function valuesAt(left, right, bins) {
  if (bins.different) {
    const [first, last] = [left, right].map((x) => Math.max(0, Math.min(bins.count - 1, Math.floor((x / LONG) * bins.count))));
    return [bins.different[first], bins.different[last]];
  }
  const value = (x) => bins.low + (x / LONG) * (bins.high - bins.low);
  return [left <= 1 ? -Infinity : value(left), right >= LONG - 1 ? Infinity : value(right)];
}

function rangeText([low, high]) {
  if (low === high) return `= ${tell(low)}`;
  if (low === -Infinity) return `≤ ${tell(high)}`;
  return high === Infinity ? `≥ ${tell(low)}` : `${tell(low)} … ${tell(high)}`;
}

// A drag over an element: then(from, to) in the units of the drawing, at each frame and at the end.
function dragging(element, then) {
  let from = null;
  let to = 0;
  let asked = false;
  const xAt = (event) => {
    const box = element.getBoundingClientRect();
    return Math.max(0, Math.min(LONG, ((event.clientX - box.left) / box.width) * LONG));
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = to = xAt(event);
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (from === null) return;
    to = xAt(event);
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      if (from !== null && Math.abs(to - from) >= 3) then(from, to);
    });
  });
  element.addEventListener("pointerup", (event) => {
    if (from === null) return;
    to = xAt(event);
    const start = from;
    from = null;
    then(start, to);
  });
  element.addEventListener("pointercancel", () => (from = null));
}
