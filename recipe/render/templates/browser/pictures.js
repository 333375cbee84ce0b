// Thumbnails: sprites are decoded when they are first seen, and drawn on small canvases.

const sheets = new Map(); // "sprites-sheet" → ImageBitmap, or the promise of one
const firsts = []; // number of the first picture of each sprites
data.sprites.reduce((sum, sprites) => (firsts.push(sum), sum + sprites.count), 0);

const hasPictures = cells !== null;
const waiting = new Set(); // functions to call when a sheet is ready

// Where an item's picture lies; null when it has none.
function placeOf(item) {
  if (!hasPictures || item < 0 || item >= known) return null;
  const cell = cells[item];
  const group = firsts.findLastIndex((first) => cell >= first);
  const sprites = data.sprites[group];
  const k = cell - firsts[group];
  const within = k % sprites.each;
  return {
    key: `sheet-${group}-${Math.floor(k / sprites.each)}`,
    x: (within % sprites.across) * sprites.width,
    y: Math.floor(within / sprites.across) * sprites.height,
    width: sprites.width,
    height: sprites.height,
  };
}

// The sheet, if it is decoded; else it will be, and whoever waits is told.
function sheet(key) {
  const there = sheets.get(key);
  if (there === undefined) {
    const decoding = createImageBitmap(new Blob([bytesOf(key)])).then((bitmap) => {
      sheets.set(key, bitmap);
      for (const ready of [...waiting]) ready(key);
    });
    sheets.set(key, decoding);
    decoding.catch(() => sheets.set(key, null));
  }
  return there instanceof ImageBitmap ? there : null;
}

// Draws an item's picture on a canvas of `side` CSS pixels; small pictures keep their pixels.
function paint(canvas, item, side) {
  const place = placeOf(item);
  const dense = Math.min(window.devicePixelRatio || 1, 2);
  const size = Math.round(side * dense);
  if (canvas.width !== size || canvas.height !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, size, size);
  canvas.dataset.item = item;
  canvas.dataset.sheet = place ? place.key : "";
  const bitmap = place && sheet(place.key);
  if (!bitmap) return;
  const scale = size / Math.max(place.width, place.height);
  const [width, height] = [Math.round(place.width * scale), Math.round(place.height * scale)];
  context.imageSmoothingEnabled = scale < 1 || place.width > 64;
  context.imageSmoothingQuality = "high";
  const [left, top] = [(size - width) >> 1, (size - height) >> 1];
  context.drawImage(bitmap, place.x, place.y, place.width, place.height, left, top, width, height);
}

// Sides at which small pictures have whole pixels, from about 48 to 200.
function sidesOf() {
  const longest = data.sprites.length ? Math.max(...data.sprites.map((s) => Math.max(s.width, s.height))) : 64;
  const smallest = data.sprites.length ? Math.max(data.sprites.at(-1).width, data.sprites.at(-1).height) : 64;
  if (smallest > 40) return [48, 64, 96, 128, 192].filter((side) => side <= 2 * longest);
  const times = [1, 2, 3, 4, 6, 8, 12, 16, 24].map((k) => k * smallest).filter((side) => side >= 36 && side <= 200);
  return times.length ? times : [64];
}
