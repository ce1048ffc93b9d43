// Of few points all carry their text: shorter, or farther off at the end of a line, until all can be read.

import { GAP, longest, meet } from "./labels.js";

const SHORTER = [20, 14, 10, 7]; // characters of a label, tried in turn
const FARTHER = [0, 12, 26, 42, 60, 80, 104, 130, 160]; // pixels between a label and its point
const AROUND = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]]; // prettier-ignore
const PLACES = AROUND.length * FARTHER.length;
// What is worse than what: a label without room, one that covers a point, a line through a label, shorter
// labels, a longer line.
const COST = { missing: 1000, covers: 40, crosses: 30, shorter: 40, far: 0.15 };

/**
 * Choose the labels of all rows that are `visible`. While they move (`rests` is false) labels that were
 * shortened stay short, since one that grows and shrinks cannot be read.
 */
export function placeAll(labels, texts, screen, width, height, zoom, radius, visible, keepOut, rests) {
  const inside = (i) => screen[2 * i] > 0 && screen[2 * i + 1] > 0 && screen[2 * i] < width && screen[2 * i + 1] < height;
  const points = [...texts.keys()].filter(inside);
  const around = points.map((i) => ({ x: screen[2 * i] - radius, y: screen[2 * i + 1] - radius, w: 2 * radius, h: 2 * radius }));
  const rows = points.filter(visible).sort((a, b) => labels.shown.has(b) - labels.shown.has(a));
  const lengths = [longest(zoom), ...SHORTER];
  let best = null;
  for (let short = rests ? 0 : labels.short; short < lengths.length; short++) {
    const stage = { x: 0, y: 0, w: width, h: height };
    const picture = (i) => labels.picture(texts[i], lengths[short]);
    const found = tryAll(rows, picture, screen, stage, radius, around, keepOut, labels.shown);
    found.cost += COST.shorter * short;
    if (!best || found.cost < best.cost) best = { ...found, short };
    if (best.cost <= COST.shorter * (short + 1)) break; // what is shorter cannot be better
  }
  Object.assign(labels, { placed: best.placed, shown: best.shown, short: best.short });
}

function tryAll(rows, picture, screen, stage, radius, points, keepOut, before) {
  const [taken, lines, placed, shown] = [[...keepOut], [], [], new Map()];
  let cost = 0;
  for (const i of rows) {
    const [x, y] = [screen[2 * i], screen[2 * i + 1]];
    const image = picture(i);
    let best = null;
    // Where it stood a moment ago it stays, unless another place is better.
    for (let turn = -1; turn < PLACES && !(best?.cost === 0); turn++) {
      const number = turn < 0 ? (before.get(i) ?? 0) : turn;
      const box = boxAt(number, x, y, image, radius);
      if (!isIn(box, stage) || taken.some((other) => meet(box, other))) continue;
      const far = FARTHER[Math.floor(number / AROUND.length)];
      const line = far > 0 ? lineTo(box, x, y) : null;
      let worth = COST.far * far + COST.covers * points.filter((point) => meet(box, point)).length;
      worth += COST.crosses * lines.filter((other) => crosses(other, box)).length;
      if (line) worth += COST.crosses * placed.filter((other) => crosses(line, other.box)).length;
      if (!best || worth < best.cost) best = { cost: worth, box, number, line };
    }
    cost += best ? best.cost : COST.missing;
    if (!best) continue;
    taken.push(best.box);
    if (best.line) lines.push(best.line);
    shown.set(i, best.number);
    placed.push({ i, ...image, box: best.box, dx: best.box.x - x, dy: best.box.y - y, line: best.line && lineTo({ ...best.box, x: best.box.x - x, y: best.box.y - y }, 0, 0) });
  }
  return { placed, shown, cost };
}

function boxAt(number, x, y, { w, h }, radius) {
  const [right, down] = AROUND[number % AROUND.length];
  const reach = (radius + GAP + FARTHER[Math.floor(number / AROUND.length)]) * (right && down ? 0.75 : 1);
  return { x: x + right * (reach + w / 2) - w / 2, y: y + down * (reach + h / 2) - h / 2, w, h };
}

const isIn = (box, stage) => box.x >= stage.x && box.y >= stage.y && box.x + box.w <= stage.w && box.y + box.h <= stage.h;

/** [x1, y1, x2, y2] from a point to the nearest place of its label. */
function lineTo({ x: left, y: top, w, h }, x, y) {
  return [x, y, Math.max(left, Math.min(x, left + w)), Math.max(top, Math.min(y, top + h))];
}

/** Whether a line meets a box (Liang and Barsky 1984: the part of the line that is inside is not empty). */
function crosses([x1, y1, x2, y2], { x, y, w, h }) {
  let [from, to] = [0, 1];
  for (const [start, step, low, high] of [[x1, x2 - x1, x, x + w], [y1, y2 - y1, y, y + h]]) {
    if (step === 0 && (start < low || start > high)) return false;
    if (step === 0) continue;
    const [a, b] = [(low - start) / step, (high - start) / step];
    [from, to] = [Math.max(from, Math.min(a, b)), Math.min(to, Math.max(a, b))];
  }
  return from < to;
}
