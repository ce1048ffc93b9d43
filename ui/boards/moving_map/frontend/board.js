// The board: one per mounted element. Holds the state, runs the animation while something moves, and
// answers Streamlit, which calls the default export again at every rerun and theme change.

import { Camera, boundsOf } from "./camera.js";
import { subscribe } from "./channel.js";
import { Chrome } from "./chrome.js";
import { frameList, positions, unpack } from "./codec.js";
import { Gestures } from "./gestures.js";
import { listenToKeys } from "./keyboard.js";
import { Labels } from "./labels.js";
import { drawLegend } from "./legend.js";
import { distances, frameOf, largest, matchRows, readModel, takeFrameParts } from "./model.js";
import { LiveMotion, ReplayMotion } from "./motion.js";
import { el } from "./dom.js";
import { fill } from "./fill.js";
import { Person } from "./person.js";
import { note, ReplayBar } from "./replay_bar.js";
import { Scene } from "./scene.js";
import { snapshotOf } from "./snapshot.js";
import { Sprites } from "./sprites.js";
import { readTheme } from "./theme.js";

const MOVERS = 3; // points that carry their text because they have moved most
const SEARCH_LABELS = 40; // more matches than this would crowd out each other's labels

class Board extends Person {
  constructor(root) {
    super();
    this.root = root;
    this.stop = new AbortController();
    this.camera = new Camera();
    this.sprites = new Sprites();
    this.labels = new Labels();
    this.motion = null;
    this.model = null;
    this.screen = new Float32Array(0);
    this.depth = new Float32Array(0);
    this.xyz = new Float32Array(0);
    this.selected = new Set(); // ids
    this.hover = this.focus = -1; // rows
    this.groupFocus = null;
    this.matches = null; // Set of rows while something is searched
    this.matchAt = -1;
    this.moves = 0;
    this.paints = 0;
    this.movers = []; // rows that have moved most, while a run moves them
    this.echoes = new Set(); // selections sent to Python that will come back
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");

    this.chrome = new Chrome(this, root);
    this.context = this.chrome.canvas.getContext("2d");
    this.trail = this.chrome.trail.getContext("2d");
    this.replay = new ReplayBar(this, root);
    this.legend = el("div", { class: "legend" });
    root.append(this.legend);
    this.scene = new Scene(this);
    this.gestures = new Gestures(this, this.chrome.canvas, this.stop.signal);
    this.chrome.setMode("pan");
    listenToKeys(this, this.chrome.canvas, this.stop.signal);
    window.addEventListener("moving-map:frame", (e) => this.onFrame(e.detail), { signal: this.stop.signal });
    window.addEventListener("moving-map:where", () => this.replaying && this.replay.tell(), { signal: this.stop.signal });
    window.addEventListener("moving-map:light", (e) => this.light(e.detail.ids), { signal: this.stop.signal });
    window.addEventListener("moving-map:view", (e) => this.followView(e.detail), { signal: this.stop.signal });
    // A web font that arrives late makes the painted labels stale.
    document.fonts?.addEventListener("loadingdone", () => this.theme && this.renewPictures(), { signal: this.stop.signal });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.chrome.stage);
  }

  // ---- data in -------------------------------------------------------------------------------------

  /** Streamlit's call. The same data again (a theme change) only renews theme and callbacks. */
  update({ data, setStateValue, setTriggerValue }) {
    this.setState = setStateValue;
    this.setTrigger = setTriggerValue;
    if (data && data !== this.lastData) {
      this.lastData = data;
      this.accept(unpack(data));
    }
    this.retheme();
    requestAnimationFrame(() => this.retheme()); // the variables may follow a moment later
  }

  accept(payload) {
    const { header, arrays } = payload;
    const before = this.model;
    const feedParts = before && this.sameIds(before.ids, header.ids) ? before : null;
    this.model = readModel(payload);
    if (feedParts) {
      this.model.neighbours ??= feedParts.neighbours;
      this.model.neighbourCount ??= feedParts.neighbourCount;
    }
    const n = header.ids.length;
    this.key = header.key;
    this.publish();
    this.camera.flat = this.model.flat;
    this.chrome.stage.style.setProperty("--height", `${header.height}px`);
    if (header.below !== null && !this.unfill) this.unfill = fill(this.chrome.stage, ...header.below);
    this.chrome.setDimensions(this.model.flat);
    const { noun } = header;
    this.chrome.setNoun(noun);
    this.chrome.empty.hidden = n > 0;
    this.chrome.trail.hidden = !this.model.trails; // a layer that is not there need not be composed
    this.chrome.canvas.setAttribute(
      "aria-label",
      `Map of ${n} ${noun}s. Arrow keys walk from point to point, Enter selects, plus and minus zoom.`,
    );
    if (!feedParts) this.forgetRows();
    if (this.screen.length !== 2 * n) {
      this.screen = new Float32Array(2 * n);
      this.ghostScreen = new Float32Array(2 * n);
      this.depth = new Float32Array(n);
      this.xyz = new Float32Array(3 * n);
      this.labels.forget();
    }
    if (arrays.frames) this.acceptReplay(header, arrays);
    else this.acceptLive(header, arrays, before);
    this.replay.show(this.replaying ? this.motion : null);
    this.takeSelection(header.selected);
    this.afterData();
    if (!before) window.dispatchEvent(new CustomEvent("moving-map:hello")); // a feed may have been first
    this.listen(header.channel);
    if (this.replaying) this.early = null; // it has all its frames
    else if (this.early?.arrays.xy.shape[0] === n) this.takeFrame(this.early);
  }

  acceptReplay({ steps, plays, replayOf }, { frames }) {
    const list = frameList(frames).map((xy, t) => ({ xy, step: steps?.[t] ?? t }));
    const old = this.replaying && this.motion.run === replayOf ? this.motion : null;
    this.motion = new ReplayMotion(list);
    this.motion.run = replayOf;
    this.replay.comeBack(this.motion);
    if (old && old.frames.length === list.length) {
      // A rerun for another reason: stay where the person is.
      this.motion.position = old.position;
      this.motion.playing = old.playing;
    } else {
      this.camera.fit(boundsOf(list.map((f) => f.xy)));
      if (plays && !this.calm.matches) {
        this.replay.speed.value = "0.5";
        this.motion.play();
      }
    }
    this.reference = list[0].xy;
    this.moves = list.length;
  }

  acceptLive({ step, space, ids, replayOf }, { xy }, before) {
    if (replayOf) note(replayOf, ""); // it goes on: when it rests its newest step is the one to see
    const frame = { step, xy: positions(xy) };
    const rows = before && !this.replaying ? matchRows(before.ids, ids) : null;
    const goesOn =
      rows && this.motion && before.space === space && before.flat === this.model.flat && rows.some((r) => r >= 0);
    if (!goesOn) {
      this.motion = new LiveMotion(frame);
      this.reference = frame.xy;
      this.moves += 1;
      this.most = 0;
      this.camera.fit(boundsOf([frame.xy, ...this.beside]));
      this.scene.clearTrails();
      return;
    }
    if (!this.sameIds(before.ids, ids)) {
      this.motion.remap(rows, frame.xy);
      const reference = new LiveMotion({ xy: this.reference });
      reference.remap(rows, frame.xy);
      this.reference = reference.newest.xy;
      this.scene.clearTrails();
    }
    // What Python drew may be older than what the run has said meanwhile: nothing goes back.
    if (!this.topic || step >= this.motion.newest.step || !this.sameIds(before.ids, ids)) this.push(frame);
  }

  /** Be moved by a run's messages, or by none. */
  listen(address) {
    if (address?.topic === this.topic) return;
    this.leave?.();
    this.topic = address?.topic;
    this.leave = address ? subscribe(address, { take: (message) => this.onMessage(message) }) : null;
  }

  onMessage(message) {
    if (!message.arrays.xy || this.replaying) return;
    this.movers = largest(message.arrays.moved?.data ?? [], MOVERS);
    this.takeOrKeep(frameOf(message, this.model));
  }

  /** A feed handed over a frame. */
  onFrame(bytes) {
    const payload = unpack(bytes);
    if (payload.header.board === this.key && !this.replaying) this.takeOrKeep(payload);
  }

  takeOrKeep(payload) {
    if (payload.arrays.xy.shape[0] === this.model.ids.length) this.takeFrame(payload);
    else this.early = payload; // of a sentence set that this board is about to get
  }

  takeFrame({ header, arrays }) {
    this.early = null;
    const flat = arrays.xy.shape[1] === 2;
    const frame = { step: header.step, xy: positions(arrays.xy) };
    takeFrameParts(this.model, arrays);
    const space = header.space ?? this.model.space;
    if (space !== this.model.space || flat !== this.model.flat) {
      Object.assign(this.model, { space, flat });
      this.camera.flat = flat;
      this.chrome.setDimensions(flat);
      this.motion = new LiveMotion(frame);
      this.reference = frame.xy;
      this.moves += 1;
      this.most = 0;
      this.camera.fit(boundsOf([frame.xy, ...this.beside]));
      this.scene.clearTrails();
    } else this.push(frame);
    this.afterData();
  }

  push(frame) {
    const now = performance.now();
    if (!this.motion.push(frame, now)) return;
    this.moves += 1;
    this.camera.include(boundsOf([frame.xy]), now, this.motion.interval);
  }

  afterData() {
    this.updateValues();
    if (this.theme) drawLegend(this.legend, this);
    this.root.dataset.moves = String(this.moves);
    if (this.active >= 0) this.chrome.setTooltip(this.hover >= 0 ? this.hover : this.focus);
    this.invalidate();
  }

  sameIds(a, b) {
    return a.length === b.length && a.every((id, i) => id === b[i]);
  }

  forgetRows() {
    this.hover = this.focus = -1;
    this.groupFocus = null;
    this.chrome.setTooltip(-1);
    this.chrome.clearSearch();
  }

  // ---- values by which points are coloured ---------------------------------------------------------

  get valuesLabel() {
    const { colorBy, valuesLabel } = this.model;
    return valuesLabel ?? (colorBy === "trust" ? "trust" : "moved on the map");
  }

  updateValues() {
    const { colorBy, values, ghost } = this.model;
    this.values = null;
    if (colorBy === "trust" && values) this.values = values;
    if (colorBy === "movement") {
      this.values = values ?? (this.motion ? distances(this.xyz, ghost ?? this.reference) : null);
    }
    const high = this.values ? this.values.reduce((most, v) => (v > most ? v : most), 0) : 1;
    this.most = colorBy === "trust" ? 1 : Math.max(this.most ?? 0, high); // a scale that never shrinks
    this.valueRange = { low: 0, high: this.most || 1 };
  }

  // ---- drawing -------------------------------------------------------------------------------------

  resize() {
    const { clientWidth: width, clientHeight: height } = this.chrome.stage;
    const ratio = window.devicePixelRatio || 1;
    if (!width || (width === this.width && height === this.height && ratio === this.ratio)) return;
    const renew = ratio !== this.ratio;
    Object.assign(this, { width, height, ratio });
    Object.assign(this.camera, { width, height });
    for (const canvas of [this.chrome.canvas, this.chrome.trail]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    for (const context of [this.context, this.trail]) context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.scene.clearTrails();
    this.labels.forget();
    if (renew && this.theme) this.renewPictures();
    this.paintNow();
  }

  retheme() {
    const theme = readTheme(this.root);
    if (theme.id === this.theme?.id) return;
    this.theme = theme;
    this.renewPictures();
  }

  renewPictures() {
    this.root.classList.toggle("dark", this.theme.dark);
    this.sprites.reset(this.ratio ?? 1, this.theme);
    this.labels.reset(this.ratio ?? 1, this.theme);
    this.scene.clearTrails();
    if (this.model) drawLegend(this.legend, this);
    this.invalidate();
  }

  /** Ask for a picture. The loop runs only while something moves: an idle map costs nothing. */
  invalidate() {
    this.waiting ??= requestAnimationFrame((now) => this.tick(now));
  }

  /** Forget how long ago the last picture was, so that a pause does not count as elapsed time. */
  restart() {
    this.lastTick = null;
    this.invalidate();
  }

  tick(now) {
    this.waiting = null;
    const elapsed = this.lastTick ? now - this.lastTick : 0;
    if (!this.motion) return;
    this.motion.advance(elapsed, this.calm.matches);
    const viewMoves = this.camera.advance(now, this.calm.matches);
    if (viewMoves) this.scene.trailFrom = null;
    this.paintNow(now);
    const goesOn = this.motion.moving || viewMoves;
    this.lastTick = goesOn ? now : null;
    if (goesOn) this.invalidate();
  }

  paintNow(now = performance.now()) {
    if (!this.motion || !this.theme || !this.width) return;
    this.motion.sample(this.xyz, this.calm.matches);
    this.camera.project(this.xyz, this.screen, this.depth);
    if (this.model.ghost) this.camera.project(this.model.ghost, this.ghostScreen, new Float32Array(this.depth));
    if (this.model.colorBy === "movement" && !this.model.values) this.colourMovement();
    this.active = this.hover >= 0 ? this.hover : this.focus;
    this.pinned = this.pinnedRows();
    this.scene.paint(now);
    this.paints += 1;
    this.chrome.setSteps(this.motion.steps);
    this.root.dataset.step = String(this.motion.steps[0] ?? "");
    this.replay.refresh();
    if (this.active >= 0) this.chrome.moveTooltip(this.screen[2 * this.active], this.screen[2 * this.active + 1]);
  }

  colourMovement() {
    const before = this.valueRange.high;
    this.updateValues();
    if (this.valueRange.high > before * 1.02) drawLegend(this.legend, this);
  }

  /** Rows whose labels go first. */
  pinnedRows() {
    const rows = new Set();
    if (this.active >= 0) this.neighboursOf(this.active).forEach((j) => rows.add(j));
    this.model.named.forEach((i) => rows.add(i));
    if (this.topic && this.model.named.size) this.movers.forEach((i) => rows.add(i));
    if (this.selected.size) this.model.ids.forEach((id, i) => this.selected.has(id) && rows.add(i));
    if (this.matches && this.matches.size <= SEARCH_LABELS) this.matches.forEach((i) => rows.add(i));
    return rows;
  }

  keepOut() {
    return this.chrome.keepOut();
  }

  viewChanged() {
    this.scene.clearTrails();
    this.invalidate();
    if (!this.model?.link) return;
    const { zoom, panX, panY } = this.camera;
    const detail = { from: this, link: this.model.link, view: { zoom, panX, panY } };
    window.dispatchEvent(new CustomEvent("moving-map:view", { detail }));
  }

  /** Select these points, if they are all on this board: something else on the page speaks of them. */
  light(ids) {
    if (ids.every((id) => this.model?.ids.includes(id))) this.select(ids);
  }

  /** A linked board was zoomed or panned: look at the same place. */
  followView({ from, link, view }) {
    if (from === this || link !== this.model?.link) return;
    Object.assign(this.camera, view);
    this.scene.clearTrails();
    this.invalidate();
  }

  /** What has to fit into the view besides the points. */
  get beside() {
    return [this.model.ghost ?? [], this.model.extent ?? []];
  }

  fit() {
    const frames = this.replaying ? this.motion.frames.map((f) => f.xy) : [this.motion.newest.xy];
    this.camera.reset();
    this.camera.fit(boundsOf([...frames, ...this.beside]));
    this.viewChanged();
  }

  get replaying() {
    return this.motion instanceof ReplayMotion;
  }

  // ---- life ----------------------------------------------------------------------------------------

  publish() {
    window.__movingMap ??= {};
    window.__movingMap[this.key] = snapshotOf(this);
  }

  destroy() {
    this.stop.abort();
    this.leave?.();
    this.unfill?.();
    this.observer.disconnect();
    cancelAnimationFrame(this.waiting);
    clearTimeout(this.hoverTimer);
    if (window.__movingMap) delete window.__movingMap[this.key];
    this.root.replaceChildren();
  }
}

const boards = new WeakMap();

export default function movingMap(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".moving-map");
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
