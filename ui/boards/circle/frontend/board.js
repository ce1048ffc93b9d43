// The sandbox board: keeps the points, lets one drag them, glides to where Python says they are. It never
// computes a loss or a gradient: a drag is reported, and the answer brings the arrows of the new place.

import { unpack } from "../embedding-lab.moving-map/codec.js";
import { el } from "../embedding-lab.moving-map/dom.js";
import { Sprites } from "../embedding-lab.moving-map/sprites.js";
import { readTheme } from "../embedding-lab.moving-map/theme.js";
import { paint } from "./paint.js";
import { View, nudged, unit } from "./view.js";

const REACH = { mouse: 18, touch: 28 }; // how near the pointer must come to a point, in pixels
const PATIENCE = 600; // ms to wait for the answer to a drag before the next is sent all the same
const GLIDE = 180; // ms a motion takes
const NUDGE = 0.05; // radians a key press moves a point

class Board {
  constructor(root) {
    this.root = root;
    this.stop = new AbortController();
    this.view = new View();
    this.sprites = new Sprites();
    this.rows = [];
    this.active = this.held = this.mine = -1;
    this.serial = this.answered = 0;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.canvas = el("canvas", { tabindex: "0", role: "application" });
    this.hud = el("div", { class: "hud" });
    this.live = el("div", { class: "unseen", "aria-live": "polite" });
    this.legend = el("div", { class: "legend" });
    this.stage = el("div", { class: "stage" }, this.canvas, this.hud);
    root.replaceChildren(this.stage, this.legend, this.live);
    this.context = this.canvas.getContext("2d");
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
  }

  listen() {
    const on = (name, handler) => this.canvas.addEventListener(name, handler, { signal: this.stop.signal, passive: false });
    on("pointerdown", (e) => this.down(e));
    on("pointermove", (e) => this.move(e));
    on("pointerup", () => this.release());
    on("pointercancel", () => this.release());
    on("pointerleave", () => this.held < 0 && this.activate(-1));
    on("touchstart", (e) => this.held >= 0 && e.preventDefault());
    on("keydown", (e) => this.key(e));
    on("blur", () => this.activate(-1));
    window.addEventListener("moving-map:frame", (e) => this.onFrame(e.detail), { signal: this.stop.signal });
  }

  // ---- data in -------------------------------------------------------------------------------------

  update({ data, setTriggerValue }) {
    this.setTrigger = setTriggerValue;
    if (data && data !== this.lastData) {
      const first = !this.lastData;
      this.lastData = data;
      this.accept(unpack(data));
      if (first) window.dispatchEvent(new CustomEvent("moving-map:hello")); // a feed may have been first
    }
    this.retheme();
    requestAnimationFrame(() => this.retheme());
  }

  onFrame(bytes) {
    const payload = unpack(bytes);
    const fits = payload.header.board === this.name && payload.arrays.z.shape[0] === this.rows.length;
    if (fits && payload.arrays.z.shape[1] === this.dims) this.accept(payload);
  }

  accept({ header, arrays }) {
    const fresh = header.board !== this.name || arrays.z.shape[0] !== this.rows.length || arrays.z.shape[1] !== this.dims;
    if (!fresh && header.born < this.born) return; // board and feed may arrive in either order
    this.born = header.born;
    this.name = header.board;
    this.dims = arrays.z.shape[1];
    this.view.flat = this.dims === 2;
    if (header.groups) this.groups = header.groups;
    this.answered = Math.max(this.answered, header.serial);
    this.serial = Math.max(this.serial, this.answered);
    this.step = header.step;
    this.reference = header.reference;
    const goal = inThree(arrays.z);
    this.motion = inThree(arrays.motion);
    this.pairs = arrays.pairs.data;
    this.forces = arrays.forces.data;
    this.parts = arrays.parts.data;
    // A point on its way to Python stays where the person put it until the answer to that is here.
    if (!fresh && this.mine >= 0 && (this.held >= 0 || this.wanted || this.answered < this.serial)) {
      goal[this.mine] = this.rows[this.mine];
    }
    this.from = fresh ? goal : this.rows;
    this.goal = goal;
    this.began = fresh || this.calm.matches ? -Infinity : performance.now();
    if (fresh) this.active = this.held = this.mine = -1;
    this.describe();
    this.publish();
    this.invalidate();
    if (this.wanted && this.answered >= this.serial) this.send();
  }

  // ---- dragging ------------------------------------------------------------------------------------

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  nearest(x, y, kind) {
    let [best, least] = [-1, REACH[kind === "mouse" ? "mouse" : "touch"]];
    this.rows.forEach((row, i) => {
      const [px, py, near] = this.view.pixel(row);
      const distance = Math.hypot(px - x, py - y) + (near < -0.05 ? 8 : 0); // what is in front goes first
      if (distance < least) [best, least] = [i, distance];
    });
    return best;
  }

  down(event) {
    if (event.button !== 0) return;
    const [x, y] = this.at(event);
    const row = this.nearest(x, y, event.pointerType);
    if (row < 0 && this.view.flat) return this.activate(-1);
    this.canvas.setPointerCapture(event.pointerId);
    this.held = row;
    this.turning = row < 0 ? [x, y] : null;
    this.activate(row);
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
  }

  move(event) {
    const [x, y] = this.at(event);
    if (this.turning) {
      this.view.turn += (x - this.turning[0]) * 0.01;
      this.view.tilt = Math.max(-1.5, Math.min(1.5, this.view.tilt + (y - this.turning[1]) * 0.01));
      this.turning = [x, y];
      this.invalidate();
    } else if (this.held >= 0) {
      const point = this.view.surface(x, y);
      if (point) this.put(this.held, point);
    } else {
      const row = this.nearest(x, y, event.pointerType);
      this.canvas.style.cursor = row >= 0 ? "grab" : this.view.flat ? "default" : "move";
      if (document.activeElement !== this.canvas || row >= 0) this.activate(row);
    }
  }

  release() {
    this.held = -1;
    this.turning = null;
  }

  put(row, point) {
    this.mine = row;
    this.rows[row] = this.goal[row] = this.from[row] = point;
    this.wanted = { row, at: point.slice(0, this.dims) };
    const waiting = this.answered < this.serial && performance.now() - this.sentAt < PATIENCE;
    if (!waiting) this.send();
    else {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.wanted && this.send(), PATIENCE);
    }
    this.invalidate();
  }

  send() {
    clearTimeout(this.timer);
    this.serial += 1;
    this.sentAt = performance.now();
    this.setTrigger("moved", { ...this.wanted, serial: this.serial });
    this.wanted = null;
  }

  key(event) {
    const n = this.rows.length;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key === "n" || event.key === "p") {
      this.activate(this.active < 0 ? 0 : (this.active + (event.key === "n" ? 1 : n - 1)) % n);
      this.say();
    } else if (event.key === "Escape") this.activate(-1);
    else if (ways[event.key]) {
      if (this.active < 0) this.activate(0);
      const [sideways, upwards] = ways[event.key].map((w) => w * NUDGE);
      this.put(this.active, nudged(this.view, this.rows[this.active], sideways, upwards));
      this.say();
    } else return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit's own shortcuts
  }

  activate(row) {
    if (row === this.active) return;
    this.active = row;
    this.invalidate();
  }

  say() {
    const where = this.rows[this.active].slice(0, this.dims).map((v) => v.toFixed(2));
    this.live.textContent = `Point ${this.active + 1}, group ${(this.groups[this.active] ?? 0) + 1}, at ${where.join(", ")}`;
  }

  // ---- drawing -------------------------------------------------------------------------------------

  resize() {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width) return;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this, { width, height, ratio });
    this.view.resize(width, height);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.theme) this.sprites.reset(ratio, this.theme);
    this.paintNow();
  }

  retheme() {
    const theme = readTheme(this.root);
    if (theme.id === this.theme?.id) return;
    this.theme = theme;
    this.sprites.reset(this.ratio ?? 1, theme);
    const line = (kind, colour, text) =>
      el("span", { class: "entry" }, el("span", { class: kind, style: `--line: ${colour}` }), el("span", { text }));
    this.legend.replaceChildren(
      line("line", theme.pull, "pulls together"),
      line("line dashed", theme.push, "pushes apart"),
      el("span", { class: "entry", text: "→ where a point will move" }),
    );
    this.invalidate();
  }

  describe() {
    this.hud.textContent = `step ${this.step}`;
    const what = this.view.flat ? "circle" : "sphere";
    this.canvas.setAttribute(
      "aria-label",
      `A ${what} with ${this.goal.length} points at step ${this.step}. N and P choose a point, arrow keys move it.`,
    );
  }

  invalidate() {
    this.waiting ??= requestAnimationFrame((now) => {
      this.waiting = null;
      this.glide(now);
      this.paintNow();
    });
  }

  glide(now) {
    const share = Math.min(1, Math.max(0, (now - this.began) / GLIDE));
    this.rows = this.goal.map((goal, i) =>
      i === this.held ? this.rows[i] ?? goal : share >= 1 ? goal : unit(this.from[i].map((v, a) => v + share * (goal[a] - v))),
    );
    if (share < 1) this.invalidate();
  }

  paintNow() {
    if (this.theme && this.width && this.goal) {
      if (!this.rows.length) this.rows = this.goal;
      paint(this);
    }
  }

  // ---- life ----------------------------------------------------------------------------------------

  /** A read-only view for tests and for the curious at the console: `__sandbox[key].points`. */
  publish() {
    const board = this;
    window.__sandbox ??= {};
    window.__sandbox[this.name] = Object.freeze({
      get points() {
        return board.goal.map((row) => row.slice(0, board.dims));
      },
      get pixels() {
        const box = board.canvas.getBoundingClientRect();
        return board.goal.map((row) => board.view.pixel(row)).map(([x, y]) => [x + box.left, y + box.top]);
      },
      get step() {
        return board.step;
      },
      get answered() {
        return board.answered;
      },
      get settled() {
        return board.answered >= board.serial && !board.wanted;
      },
    });
  }

  destroy() {
    this.stop.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.waiting);
    clearTimeout(this.timer);
    if (window.__sandbox) delete window.__sandbox[this.name];
    this.root.replaceChildren();
  }
}

function inThree({ data, shape: [n, dims] }) {
  return Array.from({ length: n }, (_, i) => [data[dims * i], data[dims * i + 1], dims === 3 ? data[dims * i + 2] : 0]);
}

const boards = new WeakMap();

export default function sandbox(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".sandbox");
  let board = boards.get(parentElement);
  if (!board || board.root !== root) {
    board?.destroy();
    board = new Board(root);
    boards.set(parentElement, board);
  }
  board.update(component);
  return () => {
    boards.get(parentElement)?.destroy();
    boards.delete(parentElement);
  };
}
