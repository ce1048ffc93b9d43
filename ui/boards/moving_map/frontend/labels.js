// Labels that never overlap: placed greedily, those shown a moment ago first so that they do not flicker,
// more of them (and longer) as one zooms in. Each is painted once and copied.

const SIZE = 12; // pixels
export const GAP = 3;
const ROOM = 9000; // square pixels a label has at least, on average
const CACHE = 400;
const COVERED = 1; // points a label may cover, unless it was asked for
const RTL = /^[^\p{L}]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

export const isRightToLeft = (text) => RTL.test(text);

/** Cut by what a reader sees as characters, so that no emoji or accent is split. */
export function shorten(text, length) {
  if (text.length <= length) return text;
  const parts = globalThis.Intl?.Segmenter
    ? [...new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)].map((s) => s.segment)
    : [...text];
  if (parts.length <= length) return text;
  return parts.slice(0, length - 1).join("").trimEnd() + "…";
}

export class Labels {
  constructor() {
    this.cache = new Map();
    this.shown = new Map(); // row -> which of the sides it stood on
    this.placed = []; // {i, dx, dy, image, w, h}: offsets from the point; of few points also the line to it
    this.when = -Infinity;
    this.short = 0; // of few points: how far their labels had to be shortened
  }

  reset(ratio, theme) {
    this.cache.clear();
    this.ratio = ratio;
    this.theme = theme;
    this.forget();
  }

  forget() {
    this.shown.clear();
    this.placed = [];
    this.when = -Infinity;
    this.short = 0;
  }

  picture(text, length) {
    const key = `${length}|${text}`;
    const known = this.cache.get(key);
    if (known) return known;
    if (this.cache.size > CACHE) this.cache.clear();
    const image = document.createElement("canvas");
    const context = image.getContext("2d");
    const font = `${SIZE}px ${this.theme.font}`;
    const line = shorten(text.replace(/\s+/g, " "), length);
    context.font = font;
    const w = Math.ceil(context.measureText(line).width) + 6;
    const h = SIZE + 6;
    image.width = Math.ceil(w * this.ratio);
    image.height = Math.ceil(h * this.ratio);
    context.scale(this.ratio, this.ratio);
    context.font = font;
    context.textBaseline = "middle";
    context.textAlign = "center";
    context.direction = isRightToLeft(line) ? "rtl" : "ltr";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = this.theme.halo;
    context.strokeText(line, w / 2, h / 2);
    context.fillStyle = this.theme.text;
    context.fillText(line, w / 2, h / 2);
    const picture = { image, w, h };
    this.cache.set(key, picture);
    return picture;
  }

  /**
   * Choose labels and sides. `wanted` are rows that go first (hovered, selected, matching).
   * `visible(i)` says whether row i is drawn at full strength; `keepOut` are boxes of the controls.
   */
  place(texts, screen, width, height, zoom, radius, wanted, visible, keepOut) {
    const length = longest(zoom);
    const most = Math.max(4, Math.floor((width * height) / ROOM));
    const taken = new Grid(width, height);
    keepOut.forEach((box) => taken.add(box));
    const points = new Grid(width, height);
    for (let i = 0; i < texts.length; i++) {
      const [x, y] = [screen[2 * i], screen[2 * i + 1]];
      if (Number.isFinite(x)) points.add({ x: x - radius, y: y - radius, w: 2 * radius, h: 2 * radius });
    }
    const order = [...wanted, ...this.shown.keys()];
    for (let i = 0; i < texts.length; i++) order.push(i);
    const done = new Set();
    const shown = new Map();
    this.placed = [];
    let misses = 0;
    for (const i of order) {
      // Give up when the page is full: with 2,000 points nearly every further try would fail.
      if (this.placed.length >= most || misses > 250) break;
      if (done.has(i) || i >= texts.length) continue;
      done.add(i);
      const [x, y] = [screen[2 * i], screen[2 * i + 1]];
      if (!(x > 0 && y > 0 && x < width && y < height) || !visible(i)) continue;
      const picture = this.picture(texts[i], length);
      const side = this.side(i, x, y, picture, radius, taken, points, width, height, wanted.has(i));
      if (!side) {
        misses += 1;
        continue;
      }
      taken.add(side.box);
      shown.set(i, side.number);
      this.placed.push({ i, dx: side.box.x - x, dy: side.box.y - y, ...picture });
    }
    this.shown = shown;
  }

  /** The side where the label covers no other label and the fewest points; null when there is none. */
  side(i, x, y, { w, h }, radius, taken, points, width, height, must) {
    const r = radius + GAP;
    const sides = [
      [x + r, y - h / 2],
      [x - r - w, y - h / 2],
      [x - w / 2, y - r - h],
      [x - w / 2, y + r],
    ];
    const first = this.shown.get(i) ?? 0;
    let best = null;
    let least = must ? Infinity : COVERED + 1;
    for (let turn = 0; turn < sides.length && least > 0; turn++) {
      const number = (first + turn) % sides.length;
      const box = { x: sides[number][0], y: sides[number][1], w, h };
      const inside = box.x >= 0 && box.y >= 0 && box.x + w <= width && box.y + h <= height;
      if (!inside || taken.hits(box, 1)) continue;
      const covered = points.hits(box, least);
      if (covered < least) [best, least] = [{ box, number }, covered];
    }
    return best;
  }
}

/** Characters of a label that has room. */
export const longest = (zoom) => Math.round(Math.min(80, 28 + 10 * (zoom - 1)));

export const meet = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Which boxes are taken, by coarse cells, so that a try does not look at every label. */
class Grid {
  constructor(width, height) {
    this.cell = 64;
    this.columns = Math.ceil(width / this.cell) + 1;
    this.cells = new Map();
  }

  *keys({ x, y, w, h }) {
    for (let cy = Math.floor(y / this.cell); cy <= Math.floor((y + h) / this.cell); cy++) {
      for (let cx = Math.floor(x / this.cell); cx <= Math.floor((x + w) / this.cell); cx++) {
        yield cy * this.columns + cx;
      }
    }
  }

  add(box) {
    for (const key of this.keys(box)) {
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(box);
    }
  }

  /** How many boxes it meets, counting no further than `enough`. */
  hits(box, enough) {
    const met = new Set();
    for (const key of this.keys(box)) {
      for (const other of this.cells.get(key) ?? []) {
        if (meet(box, other) && met.add(other).size >= enough) return met.size;
      }
    }
    return met.size;
  }
}
