// One picture of the sandbox: the surface, a line for every pair, an arrow and a mark for every point.

import { groupLook } from "../embedding-lab.moving-map/points.js";

const LONGEST = 0.42; // an arrow of the reference gradient, in radii
const THICKEST = 4.5; // the line of the strongest pair, in pixels
const WEAKEST = 0.015; // pairs weaker than this share of the strongest are left out
const POINT = 9;

export function paint(board) {
  const { context, view, theme, width, height } = board;
  context.clearRect(0, 0, width, height);
  surface(context, view, theme);
  const pixels = board.rows.map((row) => view.pixel(row));
  pairLines(board, pixels);
  if (board.active >= 0) contributions(board, pixels);
  pixels.forEach((pixel, i) => motion(board, i, pixel));
  const order = pixels.map((_, i) => i).sort((a, b) => pixels[a][2] - pixels[b][2]);
  order.forEach((i) => mark(board, i, pixels[i]));
}

function surface(context, view, theme) {
  context.lineWidth = 1.5;
  context.strokeStyle = theme.faint;
  context.beginPath();
  context.arc(...view.middle, view.radius, 0, 2 * Math.PI);
  context.stroke();
  if (view.flat) return;
  context.lineWidth = 1;
  for (const ring of RINGS) {
    for (const front of [false, true]) {
      context.globalAlpha = front ? 0.75 : 0.25;
      context.beginPath();
      let down = false;
      for (const point of ring) {
        const [x, y, near] = view.pixel(point);
        if (near >= 0 === front) down ? context.lineTo(x, y) : context.moveTo(x, y);
        down = near >= 0 === front;
      }
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

// The equator and two meridians, so that one sees which way the sphere is turned.
const RINGS = [0, 1, 2].map((axis) =>
  Array.from({ length: 73 }, (_, k) => {
    const point = [Math.cos((k * Math.PI) / 36), Math.sin((k * Math.PI) / 36)];
    point.splice(axis, 0, 0);
    return point;
  }),
);

function pairLines(board, pixels) {
  const { context, theme, pairs, forces, active } = board;
  const strongest = forces.reduce((most, f) => Math.max(most, Math.abs(f)), 0);
  if (strongest <= 0) return;
  for (let k = 0; k < forces.length; k++) {
    const [i, j] = [pairs[2 * k], pairs[2 * k + 1]];
    const share = Math.abs(forces[k]) / strongest;
    if (share < WEAKEST) continue;
    const pulls = forces[k] < 0;
    const chosen = active === i || active === j;
    context.globalAlpha = (0.15 + 0.55 * share) * (active < 0 ? 1 : chosen ? 1.3 : 0.15);
    context.strokeStyle = pulls ? theme.pull : theme.push;
    context.lineWidth = 0.6 + THICKEST * share;
    context.setLineDash(pulls ? [] : [7, 5]);
    context.beginPath();
    context.moveTo(pixels[i][0], pixels[i][1]);
    context.lineTo(pixels[j][0], pixels[j][1]);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** What each pair adds to the motion of the point in question, as thin arrows. */
function contributions(board, pixels) {
  const { pairs, forces, parts, active, dims } = board;
  for (let k = 0; k < forces.length; k++) {
    const side = pairs[2 * k] === active ? 0 : pairs[2 * k + 1] === active ? 1 : -1;
    if (side < 0) continue;
    const at = (2 * k + side) * dims;
    const part = [parts[at], parts[at + 1], dims === 3 ? parts[at + 2] : 0];
    arrow(board, pixels[active], board.rows[active], part, forces[k] < 0 ? board.theme.pull : board.theme.push, 1.3);
  }
}

function motion(board, i, pixel) {
  const dim = !board.view.flat && pixel[2] < 0;
  board.context.globalAlpha = dim ? 0.35 : 1;
  arrow(board, pixel, board.rows[i], board.motion[i], board.theme.text, 2.2);
  board.context.globalAlpha = 1;
}

function arrow(board, [x, y], point, vector, colour, thickness) {
  const { context, view, reference } = board;
  const scale = LONGEST / (reference || 1);
  const end = view.pixel(point.map((p, axis) => p + scale * vector[axis]));
  const [dx, dy] = [end[0] - x, end[1] - y];
  const length = Math.hypot(dx, dy);
  if (length < 1.5) return;
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(9, 3 + length / 3) * (thickness > 2 ? 1 : 0.7);
  const [fx, fy] = [x + ux * POINT, y + uy * POINT]; // starts at the edge of the point's mark
  const [tx, ty] = [fx + dx, fy + dy];
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = thickness;
  context.beginPath();
  context.moveTo(fx, fy);
  context.lineTo(tx - ux * head * 0.7, ty - uy * head * 0.7);
  context.stroke();
  context.beginPath();
  context.moveTo(tx, ty);
  context.lineTo(tx - ux * head - uy * head * 0.5, ty - uy * head + ux * head * 0.5);
  context.lineTo(tx - ux * head + uy * head * 0.5, ty - uy * head - ux * head * 0.5);
  context.fill();
}

function mark(board, i, [x, y, near]) {
  const { context, view, theme } = board;
  const look = groupLook(board.groups[i] ?? 0, theme.groups);
  const behind = !view.flat && near < 0;
  const { image, size } = board.sprites.get(look.colour, look.shape, behind ? POINT * 0.75 : POINT, behind);
  context.drawImage(image, x - size / 2, y - size / 2, size, size);
  if (i === board.active) {
    context.strokeStyle = theme.accent;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, POINT + 5, 0, 2 * Math.PI);
    context.stroke();
  }
  // The number stands outside the circle, towards the middle on a sphere's far side.
  const away = view.flat ? 24 : 19;
  const [mx, my] = view.middle;
  const length = Math.hypot(x - mx, y - my) || 1;
  const [lx, ly] = view.flat ? [x + ((x - mx) / length) * away, y + ((y - my) / length) * away] : [x + 15, y - 12];
  context.globalAlpha = behind ? 0.5 : 1;
  context.font = `600 12px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  context.strokeStyle = theme.halo;
  context.strokeText(String(i + 1), lx, ly);
  context.fillStyle = theme.muted;
  context.fillText(String(i + 1), lx, ly);
  context.globalAlpha = 1;
}
