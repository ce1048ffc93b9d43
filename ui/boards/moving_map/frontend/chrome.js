// Everything around the points that is ordinary HTML: tools, search, step, tooltip, selection bar.

import { el, icon, iconButton } from "./dom.js";

const ZOOM = 1.4;
const NEIGHBOURS_LISTED = 5;
const NEIGHBOURS_ON_A_PHONE = 3;
const PHONE = 480; // pixels of width

export class Chrome {
  constructor(board, root) {
    this.board = board;
    this.trail = el("canvas", { class: "trail", "aria-hidden": "true" });
    this.canvas = el("canvas", { class: "points", tabindex: "0", role: "application" });
    this.hud = el("output", { class: "hud", "aria-live": "off" });
    this.tooltip = el("div", { class: "tooltip", role: "tooltip", hidden: true });
    this.empty = el("p", { class: "empty", text: "Nothing to show yet.", hidden: true });
    this.live = el("div", { class: "unseen", "aria-live": "polite" });
    this.topBar = el("div", { class: "top" }, this.searchBox(), this.tools());
    this.bar = this.selectionBar();
    this.stage = el(
      "div", { class: "stage" },
      this.trail, this.canvas, this.topBar, this.hud, this.bar, this.empty, this.tooltip,
    ); // prettier-ignore
    root.append(this.stage, this.live);
  }

  tools() {
    const { board } = this;
    const middle = (factor) => () => {
      board.camera.zoomAt(...board.camera.middle, factor);
      board.viewChanged();
    };
    const mode = (name, label) =>
      iconButton(name, label, () => this.setMode(name), { "data-mode": name, "aria-pressed": name === "pan" ? "true" : "false" });
    this.modes = [
      mode("pan", "Move the map"),
      mode("box", "Select with a box"),
      mode("lasso", "Select with a lasso"),
    ];
    return el(
      "div", { class: "tools", role: "toolbar", "aria-label": "Map tools" },
      el("span", { class: "set" }, ...this.modes),
      el("span", { class: "set" },
        iconButton("plus", "Zoom in", middle(ZOOM)),
        iconButton("minus", "Zoom out", middle(1 / ZOOM)),
        iconButton("fit", "Fit all points", () => board.fit()),
        iconButton("full", "Full screen", () => this.fullScreen())),
    ); // prettier-ignore
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.stage.requestFullscreen?.();
  }

  setMode(name) {
    this.board.gestures.setMode(name);
    this.modes.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.mode === name)));
  }

  setDimensions(flat) {
    const [pan] = this.modes;
    const label = flat ? "Move the map" : "Turn the map (with Ctrl: move it)";
    pan.title = label;
    pan.setAttribute("aria-label", label);
    pan.replaceChildren(icon(flat ? "pan" : "turn"));
  }

  searchBox() {
    const { board } = this;
    this.search = el("input", {
      type: "search", placeholder: "Find", "aria-label": "Find on the map",
      dir: "auto", autocomplete: "off", spellcheck: "false",
      oninput: () => board.find(this.search.value),
      onkeydown: (event) => {
        if (event.key === "Enter") board.nextMatch();
        if (event.key === "Escape") this.clearSearch();
        event.stopPropagation(); // Streamlit's shortcuts (r, c) must not fire while one types
      },
    }); // prettier-ignore
    this.found = el("span", { class: "found", "aria-live": "polite" });
    return el("label", { class: "search" }, icon("search"), this.search, this.found);
  }

  /** What a point is: "sentence" or "word". */
  setNoun(noun) {
    this.search.placeholder = `Find a ${noun}`;
    this.search.setAttribute("aria-label", `Find a ${noun} on the map`);
    this.bar.setAttribute("aria-label", `Selected ${noun}s`);
    this.empty.textContent = `No ${noun}s to show yet.`;
  }

  clearSearch() {
    this.search.value = "";
    this.board.find("");
  }

  setFound(count) {
    this.found.textContent = count === null ? "" : count === 0 ? "none" : String(count);
  }

  selectionBar() {
    const { board } = this;
    const mark = (kind) =>
      el("button", { type: "button", class: kind, "aria-label": `Mark as ${kind}`, onclick: () => board.mark(kind) },
        el("span", { class: "wide", text: "Mark as " }), el("span", { text: kind })); // prettier-ignore
    this.count = el("span", { class: "count" });
    this.marks = [mark("similar"), mark("dissimilar")];
    return el(
      "div", { class: "selection", role: "group", "aria-label": "Selected points", hidden: true },
      this.count, ...this.marks,
      iconButton("close", "Clear the selection", () => board.select([])),
    ); // prettier-ignore
  }

  setSelection(count, canMark) {
    this.bar.hidden = count === 0;
    const more = "add more with Shift, a box or the lasso";
    this.count.textContent = canMark && count === 1 ? `1 selected · ${more}` : `${count} selected`;
    this.marks.forEach((button) => (button.hidden = !canMark || count < 2));
  }

  /** Of the frames shown; null on a map that no training moves. */
  setSteps([from, to]) {
    this.hud.hidden = to === null;
    const text = from === to ? `step ${to}` : `step ${from} → ${to}`;
    if (this.hud.textContent !== text) this.hud.textContent = text;
  }

  say(text) {
    this.live.textContent = text;
  }

  /** Fill the tooltip for point i, or hide it. */
  setTooltip(i) {
    const { board, tooltip } = this;
    tooltip.hidden = i < 0;
    if (i < 0) return;
    const { model, values } = board;
    const parts = [el("p", { class: "text", dir: "auto", text: model.texts[i] })];
    const facts = [];
    if (model.group[i] >= 0) facts.push(model.groupNames[model.group[i]]);
    if (values && model.colorBy !== "group") facts.push(`${board.valuesLabel}: ${values[i].toFixed(2)}`);
    if (facts.length) parts.push(el("p", { class: "facts", dir: "auto", text: facts.join(" · ") }));
    const near = board.neighboursOf(i).slice(0, board.width < PHONE ? NEIGHBOURS_ON_A_PHONE : NEIGHBOURS_LISTED);
    if (near.length) {
      parts.push(el("p", { class: "heading", text: "Nearest in the full space" }));
      parts.push(el("ol", {}, ...near.map((j) => el("li", { dir: "auto", text: model.texts[j] }))));
    }
    tooltip.replaceChildren(...parts);
    this.tooltipSize = [tooltip.offsetWidth, tooltip.offsetHeight];
  }

  /** Keep the tooltip beside its point while the point glides, and inside the stage. */
  moveTooltip(x, y) {
    const [w, h] = this.tooltipSize;
    const { width, height } = this.board;
    const left = x + 16 + w < width ? x + 16 : Math.max(4, x - 16 - w);
    const narrow = left < x && left + w > x; // no room on either side: go above or below
    const aim = narrow ? (y + 18 + h < height ? y + 18 : y - 18 - h) : y - h / 2;
    const top = Math.max(4, Math.min(height - h - 4, aim));
    this.tooltip.style.transform = `translate(${Math.round(Math.min(left, width - w - 4))}px, ${Math.round(top)}px)`;
  }

  /** Boxes that labels must not cover, in pixels of the canvas. */
  keepOut() {
    const origin = this.stage.getBoundingClientRect();
    return [...this.topBar.children, this.hud, this.bar]
      .filter((node) => !node.hidden)
      .map((node) => node.getBoundingClientRect())
      .filter((box) => box.width > 0)
      .map((box) => ({ x: box.left - origin.left - 2, y: box.top - origin.top - 2, w: box.width + 4, h: box.height + 4 }));
  }
}
