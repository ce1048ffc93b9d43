// Paints one picture of the board: trails on the lower canvas, everything else on the upper one.

import { placeAll } from "./few_labels.js";
import { groupLook, pointRadius } from "./points.js";
import { SCALE_STEPS } from "./theme.js";

const DIMMED = 0.28;
const FADE_EVERY_MS = 120;
// 8-bit alpha never fades to nothing in small steps, so the trail fades in few large ones.
const FADE = 0.13;
const LABEL_EVERY_MS = 250; // with many points, labels are placed anew this often
const FEW_EVERY_MS = 100; // with so few that all have theirs: each of many places is tried
const MANY = 400;

function arrow(context, x1, y1, x2, y2, size) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  context.moveTo(x2, y2);
  context.lineTo(x2 - size * Math.cos(angle - 0.45), y2 - size * Math.sin(angle - 0.45));
  context.lineTo(x2 - size * Math.cos(angle + 0.45), y2 - size * Math.sin(angle + 0.45));
  context.closePath();
}

export class Scene {
  constructor(board) {
    this.board = board;
    this.lastFade = 0;
    this.trailFrom = null;
  }

  clearTrails() {
    const { trail, width, height } = this.board;
    trail.clearRect(0, 0, width, height);
    this.trailFrom = null;
  }

  paint(now) {
    const { context, width, height, model } = this.board;
    const n = model.ids.length;
    this.radius = pointRadius(n, this.board.camera.zoom);
    this.bright = this.brightness();
    const colours = this.board.theme.groups;
    this.groupLooks = [-1, ...model.groupNames.keys()].map((g) => groupLook(g, colours));
    this.trails(now);
    context.clearRect(0, 0, width, height);
    if (model.ghost) this.ghosts(context);
    if (model.forces) this.forces(context);
    this.neighbourLines(context);
    this.points(context);
    this.marks(context);
    if (model.labels || this.board.pinned.size) this.labels(context, now);
    this.region(context);
  }

  /** Which points stand out while others are dimmed; null when all are equal. */
  brightness() {
    const { model, active, matches, groupFocus, pinned, selected } = this.board;
    if (matches) return matches;
    if (groupFocus !== null) return new Set(rowsOf(model, groupFocus));
    if (active >= 0 && model.neighbours) {
      const chosen = [...pinned].filter((i) => selected.has(model.ids[i]));
      return new Set([active, ...this.board.neighboursOf(active), ...chosen]);
    }
    return null;
  }

  /** Colour, shape and hollowness of point i under the chosen colouring. */
  look(i) {
    const { model, theme, values } = this.board;
    if (model.colorBy === "group") {
      const { colour, shape } = this.groupLooks[model.group[i] + 1];
      return { colour: colour ?? theme.neutral, shape, hollow: model.heldOut.has(i) };
    }
    if (values) {
      const { low, high } = this.board.valueRange;
      const share = Math.max(0, Math.min(1, (values[i] - low) / (high - low || 1)));
      const colour = theme.scale[Math.round(share * (SCALE_STEPS - 1)) || 0];
      return { colour, shape: "circle", hollow: model.colorBy === "trust" && values[i] < 0.5 };
    }
    return { colour: theme.pull, shape: "circle", hollow: false };
  }

  points(context) {
    const { screen, depth, sprites, theme, model, camera, width, height } = this.board;
    const n = model.ids.length;
    const { ratio } = this.board;
    // Copying to whole pixels is about a third cheaper; in a crowd of small points nobody sees the steps.
    const snap = n > MANY ? (v) => Math.round(v * ratio) / ratio : (v) => v;
    let order = null;
    if (!camera.flat) order = [...model.ids.keys()].sort((a, b) => depth[a] - depth[b]);
    for (let at = 0; at < n; at++) {
      const i = order ? order[at] : at;
      const [x, y] = [screen[2 * i], screen[2 * i + 1]];
      // Also false for a position that is not a number.
      if (!(x > -20 && y > -20 && x < width + 20 && y < height + 20)) continue;
      const { colour, shape, hollow } = this.look(i);
      const near = camera.flat ? 1 : 1 + 0.35 * depth[i];
      const sprite = sprites.get(colour, shape, this.radius * near, hollow);
      let alpha = camera.flat ? 1 : 0.7 + 0.3 * depth[i];
      if (this.bright && !this.bright.has(i)) alpha *= DIMMED;
      context.globalAlpha = Math.max(0.1, Math.min(1, alpha));
      const half = sprite.size / 2;
      context.drawImage(sprite.image, snap(x - half), snap(y - half), sprite.size, sprite.size);
    }
    context.globalAlpha = 1;
  }

  trails(now) {
    const { trail, width, height, model, screen, motion } = this.board;
    if (!model.trails || !motion.moving) {
      this.trailFrom = null;
      return;
    }
    if (now - this.lastFade > FADE_EVERY_MS) {
      this.lastFade = now;
      trail.globalCompositeOperation = "destination-out";
      trail.fillStyle = `rgba(0,0,0,${FADE})`;
      trail.fillRect(0, 0, width, height);
      trail.globalCompositeOperation = "source-over";
    }
    const n = model.ids.length;
    const byColour = new Map();
    for (let i = 0; i < n; i++) {
      const { colour } = this.look(i);
      if (!byColour.has(colour)) byColour.set(colour, []);
      byColour.get(colour).push(i);
    }
    trail.globalAlpha = 0.55;
    const from = this.trailFrom;
    for (const [colour, rows] of byColour) {
      if (n <= MANY && from) {
        trail.strokeStyle = colour;
        trail.lineWidth = 2;
        trail.beginPath();
        for (const i of rows) {
          trail.moveTo(from[2 * i], from[2 * i + 1]);
          trail.lineTo(screen[2 * i], screen[2 * i + 1]);
        }
        trail.stroke();
      } else {
        trail.fillStyle = colour; // dots: one long path of 2,000 pieces would cost more than all the rest
        for (const i of rows) trail.fillRect(screen[2 * i] - 0.75, screen[2 * i + 1] - 0.75, 1.5, 1.5);
      }
    }
    trail.globalAlpha = 1;
    this.trailFrom = screen.slice();
  }

  ghosts(context) {
    const { ghostScreen, screen, sprites, theme, model } = this.board;
    const n = model.ids.length;
    const moved = [];
    for (let i = 0; i < n; i++) {
      const length = Math.hypot(screen[2 * i] - ghostScreen[2 * i], screen[2 * i + 1] - ghostScreen[2 * i + 1]);
      if (length > this.radius * 2.5) moved.push(i);
    }
    context.globalAlpha = 0.55;
    for (const dim of [true, false]) {
      const rows = moved.filter((i) => Boolean(this.bright && !this.bright.has(i)) === dim);
      context.globalAlpha = dim ? 0.12 : 0.6;
      context.strokeStyle = context.fillStyle = theme.muted;
      context.lineWidth = 1;
      context.beginPath();
      for (const i of rows) {
        const [x1, y1, x2, y2] = this.shortened(ghostScreen, screen, i, i, this.radius + 2);
        context.moveTo(x1, y1);
        context.lineTo(x2, y2);
      }
      context.stroke();
      context.beginPath();
      for (const i of rows) arrow(context, ...this.shortened(ghostScreen, screen, i, i, this.radius + 2), 7);
      context.fill();
    }
    for (let i = 0; i < n; i++) {
      const [x, y] = [ghostScreen[2 * i], ghostScreen[2 * i + 1]];
      const { colour, shape } = this.look(i);
      const sprite = sprites.get(colour, shape, this.radius * 0.8, true);
      context.globalAlpha = this.bright && !this.bright.has(i) ? 0.15 : 0.7;
      if (Number.isFinite(x)) context.drawImage(sprite.image, x - sprite.size / 2, y - sprite.size / 2, sprite.size, sprite.size);
    }
    context.globalAlpha = 1;
  }

  /** The line from point i of one picture to point j of another, without the points themselves. */
  shortened(from, to, i, j, cut) {
    const [x1, y1, x2, y2] = [from[2 * i], from[2 * i + 1], to[2 * j], to[2 * j + 1]];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const share = Math.min(0.45, cut / length);
    const [dx, dy] = [(x2 - x1) * share, (y2 - y1) * share];
    return [x1 + dx, y1 + dy, x2 - dx, y2 - dy];
  }

  forces(context) {
    const { model, screen, theme } = this.board;
    const { rows, values, largest } = model.forces;
    context.lineCap = "round";
    // Weak pairs first, so that strong ones lie on top.
    const order = [...values.keys()].sort((a, b) => Math.abs(values[a]) - Math.abs(values[b]));
    for (const p of order) {
      const size = Math.abs(values[p]) / largest;
      if (!(size > 0.01)) continue; // a satisfied pair does nothing: no line
      const [i, j] = [rows[2 * p], rows[2 * p + 1]];
      const [x1, y1, x2, y2] = this.shortened(screen, screen, i, j, this.radius + 2);
      const dim = this.bright && !(this.bright.has(i) && this.bright.has(j));
      const width = 1 + 4 * size;
      context.globalAlpha = (dim ? 0.25 : 1) * (0.35 + 0.5 * size);
      context.strokeStyle = context.fillStyle = values[p] < 0 ? theme.pull : theme.push;
      context.lineWidth = width;
      context.setLineDash(values[p] < 0 ? [] : [2 + width, 4 + width]);
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
      context.setLineDash([]);
      this.heads(context, x1, y1, x2, y2, values[p] < 0, 5 + 1.6 * width);
    }
    context.lineCap = "butt";
    context.globalAlpha = 1;
  }

  /** Arrowheads: towards each other near the middle for a pull, outwards at the ends for a push. */
  heads(context, x1, y1, x2, y2, pull, size) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (length < size * 3.5) return;
    context.beginPath();
    if (pull) {
      const gap = size * 0.35 / length;
      const at = (share) => [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
      arrow(context, x1, y1, ...at(0.5 - gap), size);
      arrow(context, x2, y2, ...at(0.5 + gap), size);
    } else {
      arrow(context, x1, y1, x2, y2, size);
      arrow(context, x2, y2, x1, y1, size);
    }
    context.fill();
  }

  neighbourLines(context) {
    const { active, model, screen, theme } = this.board;
    if (active < 0 || !model.neighbours) return;
    context.strokeStyle = theme.edge;
    context.lineWidth = 1.25;
    context.beginPath();
    for (const j of this.board.neighboursOf(active)) {
      const [x1, y1, x2, y2] = this.shortened(screen, screen, active, j, this.radius);
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
    }
    context.stroke();
  }

  /** Rings: selection in the accent colour, the hovered or focused point in the text colour. */
  marks(context) {
    const { model, screen, theme, selected, active } = this.board;
    const ring = (i, colour, width, reach) => {
      const [x, y] = [screen[2 * i], screen[2 * i + 1]];
      if (!Number.isFinite(x)) return;
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.arc(x, y, this.radius + reach, 0, 2 * Math.PI);
      context.stroke();
    };
    if (selected.size) {
      model.ids.forEach((id, i) => {
        if (!selected.has(id)) return;
        ring(i, theme.background, 4, 4);
        ring(i, theme.accent, 2.5, 4);
      });
    }
    if (active >= 0) ring(active, theme.text, 1.5, 7);
  }

  labels(context, now) {
    const { board } = this;
    const { labels, model, screen, width, height } = board;
    const [all, rests] = [model.named.size === model.ids.length, !board.motion.moving];
    const every = all ? FEW_EVERY_MS : model.ids.length <= MANY ? 0 : LABEL_EVERY_MS;
    if (rests || now - labels.when >= every) {
      labels.when = now;
      const visible = (i) =>
        i !== board.active && // its text stands in the tooltip
        (model.labels || board.pinned.has(i)) &&
        (!this.bright || this.bright.has(i));
      const map = [model.texts, screen, width, height, board.camera.zoom, this.radius];
      if (all) placeAll(labels, ...map, visible, board.keepOut(), rests);
      else labels.place(...map, board.pinned, visible, board.keepOut());
    }
    this.leaders(context);
    for (const { i, dx, dy, image, w, h } of labels.placed) {
      context.drawImage(image, screen[2 * i] + dx, screen[2 * i + 1] + dy, w, h);
    }
  }

  /** A line from each point whose label stands farther off. */
  leaders(context) {
    const { labels, screen, theme } = this.board;
    context.strokeStyle = theme.muted;
    context.lineWidth = 1;
    context.beginPath();
    for (const { i, line } of labels.placed) {
      if (!line) continue;
      const [x, y] = [screen[2 * i], screen[2 * i + 1]];
      context.moveTo(x, y);
      context.lineTo(x + line[2], y + line[3]);
    }
    context.stroke();
  }

  /** The lasso or box being drawn. */
  region(context) {
    const { theme, gestures } = this.board;
    const path = gestures?.region;
    if (!path || path.length < 2) return;
    context.beginPath();
    path.forEach(([x, y]) => context.lineTo(x, y));
    context.closePath();
    context.globalAlpha = 0.12;
    context.fillStyle = theme.accent;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  }
}

function rowsOf(model, group) {
  const rows = [];
  model.group.forEach((g, i) => g === group && rows.push(i));
  return rows;
}
