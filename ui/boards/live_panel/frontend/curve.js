// Loss and the share of unseen pairs told right, by uPlot; above them the one number that counts, as a count.

import { el } from "../embedding-lab.moving-map/dom.js";

const STATIC = new URL("../../../app/static/uplot/", import.meta.url);
let library = null;

function load() {
  library ??= import(new URL("uPlot.esm.js", STATIC).href).then((module) => module.default);
  return library;
}

const percent = (share) => `${Math.round(100 * share)}%`;

export class Curve {
  constructor() {
    this.heading = el("p", { class: "headline", "aria-live": "off" });
    this.plot = el("div", { class: "plot" });
    this.root = el("section", { class: "curve", "aria-label": "Curves" },
      el("link", { rel: "stylesheet", href: new URL("uPlot.min.css", STATIC).href }), this.heading, this.plot,
      el("p", { class: "key" }, el("span", { class: "loss", text: "loss of the batch" }),
        el("span", { class: "unseen", text: "unseen pairs right" }))); // prettier-ignore
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.plot);
    load().then((uPlot) => {
      this.uPlot = uPlot;
      this.redraw();
    });
  }

  wait(line) {
    this.heading.textContent = line;
  }

  show({ header, curve }, step, host, begun) {
    this.host = host;
    const { unseen } = header;
    this.heading.textContent = this.say(unseen, begun, curve, step);
    this.data = [curve.step, curve.loss, curve.held_out_accuracy].map((values) => Array.from(values, orNull));
    this.last = Math.max(header.steps, 1);
    this.at = step;
    this.redraw();
  }

  say(unseen, begun, curve, step) {
    if (!unseen) return "No pairs are held out: nothing shows whether it learns.";
    const { count, before } = unseen;
    const row = curve.step.indexOf(step);
    const share = row >= 0 ? curve.held_out_accuracy[row] : unseen.right / count;
    const right = Math.round(share * count);
    const [low, high] = right === unseen.right ? unseen.range : [null, null];
    const range = low === null ? "" : ` (${percent(low)} to ${percent(high)})`;
    return `Unseen pairs right: ${right} of ${count}${range}${begun ? `, ${before} before` : ""}`;
  }

  redraw() {
    if (!this.uPlot || !this.data || !this.host) return;
    const colours = this.colours();
    const id = JSON.stringify(colours);
    if (!this.chart || id !== this.id) {
      this.chart?.destroy();
      this.id = id;
      this.chart = new this.uPlot(this.options(colours), this.data, this.plot);
    } else {
      this.chart.setData(this.data, false);
      this.chart.setScale("x", { min: 0, max: this.last });
    }
    this.resize();
  }

  colours() {
    const style = getComputedStyle(this.host);
    const text = style.getPropertyValue("--st-text-color").trim() || "#222";
    const dark = this.host.classList.contains("dark") || isDark(style.getPropertyValue("--st-background-color"));
    return { text, loss: dark ? "#F0803C" : "#D55E00", unseen: dark ? "#56B4E9" : "#0072B2", font: style.fontFamily };
  }

  options({ text, loss, unseen, font }) {
    const axis = { stroke: text, font: `11px ${font}`, grid: { stroke: `color-mix(in srgb, ${text} 12%, transparent)` }, ticks: { show: false } };
    const largest = (u, low, high) => [0, Math.max(high ?? 0, 1e-6)];
    return {
      width: Math.max(80, this.plot.clientWidth),
      height: Math.max(60, this.plot.clientHeight),
      legend: { show: false },
      cursor: { show: false },
      padding: [6, 4, 0, 4],
      scales: {
        x: { time: false, range: () => [0, this.last] },
        loss: { range: largest },
        share: { range: () => [0, 1] },
      },
      axes: [
        { ...axis, size: 18, gap: 2, space: 60 },
        { ...axis, scale: "loss", size: 40, gap: 3, space: 24, stroke: loss, values: lossMarks },
        { ...axis, scale: "share", side: 1, size: 40, gap: 3, space: 24, stroke: unseen, grid: { show: false }, values: (u, marks) => marks.map((v) => `${Math.round(100 * v)}%`) },
      ],
      series: [
        {},
        { scale: "loss", stroke: loss, width: 2, spanGaps: true, points: { show: false } },
        { scale: "share", stroke: unseen, width: 2, dash: [6, 3], spanGaps: true, points: { show: false } },
      ],
      hooks: { draw: [(u) => this.marker(u, text)] },
    }; // prettier-ignore
  }

  /** A thin line at the step that is shown. */
  marker(u, colour) {
    if (!(this.at > 0)) return;
    const x = u.valToPos(this.at, "x", true);
    u.ctx.save();
    u.ctx.strokeStyle = colour;
    u.ctx.globalAlpha = 0.35;
    u.ctx.beginPath();
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
    u.ctx.restore();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (this.chart && width && height && (width !== this.chart.width || height !== this.chart.height)) {
      this.chart.setSize({ width, height });
    }
  }

  retheme(host) {
    this.host = host;
    this.redraw();
  }

  destroy() {
    this.observer.disconnect();
    this.chart?.destroy();
  }
}

/** Nothing before the first step: a scale without a curve would be a row of zeros. */
const lossMarks = ({ data }, marks) => marks.map((v) => (data[1].some(Number.isFinite) ? `${+v.toFixed(6)}` : ""));

const orNull = (value) => (Number.isFinite(value) ? value : null);

function isDark(colour) {
  const found = colour.match(/[0-9a-f]{6}/i);
  if (!found) return false;
  const [r, g, b] = [0, 2, 4].map((i) => parseInt(found[0].slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}
