// Thumbnails: each is an element that shows its part of a sheet as background, which browsers draw faster than as many
// canvases. A sheet becomes an address (of this page's own memory) when one of its pictures is first seen.

const sheets = new Map(); // id of a sheet → its address
const firsts = []; // number of the first picture of each sprites
data.sprites.reduce((sum, sprites) => (firsts.push(sum), sum + sprites.count), 0);

function sheet(id) {
  if (!sheets.has(id)) sheets.set(id, `url("${URL.createObjectURL(new Blob([bytesOf(id)]))}")`);
  return sheets.get(id);
}

// Where an item's picture lies; null when it has none.
function placeOf(item) {
  if (cells === null || item < 0 || item >= known) return null;
  const cell = cells[item];
  const group = firsts.findLastIndex((first) => cell >= first);
  const { width, height, across, each, count } = data.sprites[group];
  const [number, within] = [Math.floor((cell - firsts[group]) / each), (cell - firsts[group]) % each];
  const on = Math.min(each, count - number * each); // pictures on this sheet
  return {
    id: `sheet-${group}-${number}`,
    x: within % across, y: Math.floor(within / across), width, height,
    across: Math.min(across, on), down: Math.ceil(on / across),
  };
}

// The room that pictures need, as shares of their longer side: all have about the same shape.
const [wide, tall] = ["width", "height"].map((way) =>
  Math.max(...data.sprites.map((sprites) => sprites[way] / Math.max(sprites.width, sprites.height)), 0) || 1);

// Shows an item's picture in an element, its longer side `side` pixels; small pictures keep their pixels.
function paint(element, item, side) {
  const place = placeOf(item);
  element.classList.toggle("none", !place);
  const longest = place ? Math.max(place.width, place.height) : 1;
  const [width, height] = place ? [(place.width * side) / longest, (place.height * side) / longest] : [side * wide, side * tall];
  const style = element.style;
  style.width = `${width}px`;
  style.height = `${height}px`;
  style.margin = `${(side * tall - height) / 2}px ${(side * wide - width) / 2}px`;
  style.backgroundImage = place ? sheet(place.id) : "";
  if (!place) return;
  style.backgroundSize = `${width * place.across}px ${height * place.down}px`;
  style.backgroundPosition = `${-place.x * width}px ${-place.y * height}px`;
  style.imageRendering = side > longest && longest <= 64 ? "pixelated" : "";
}

// Sides at which small pictures have whole pixels, from about 36 to 200.
function sidesOf() {
  const longest = data.sprites.map((sprites) => Math.max(sprites.width, sprites.height));
  const [smallest, largest] = longest.length ? [longest.at(-1), Math.max(...longest)] : [64, 64];
  if (smallest > 40) return [48, 64, 96, 128, 192].filter((side) => side <= 2 * largest);
  const times = [1, 2, 3, 4, 6, 8, 12, 16, 24].map((k) => k * smallest).filter((side) => side >= 36 && side <= 200);
  return times.length ? times : [64];
}
