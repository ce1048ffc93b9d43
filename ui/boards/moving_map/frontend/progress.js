// The progress line of a run: a bar and a sentence that its messages move. It also asks Streamlit for a new page
// when the run has come to another phase than the page was drawn in, because then its buttons are others.

import { subscribe } from "./channel.js";
import { el } from "./dom.js";

const DRAWING_MS = 1000; // a run that has ended may still draw its last steps: if it is quick, one new page for both
const ASK_AGAIN_MS = 1500;

class Progress {
  constructor(root) {
    this.root = root;
    this.line = el("p", { class: "line" });
    this.bar = el("div", { class: "bar" });
    this.track = el("div", { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, this.bar);
    this.lost = el("p", { class: "lost", role: "status" });
    root.replaceChildren(this.line, this.track, this.lost);
  }

  update({ data, setTriggerValue }) {
    this.ask = () => setTriggerValue("phase", this.newest.phase);
    this.data = data;
    this.show(this.newest && data.channel ? this.newest : data); // what has been heard is newer
    if (data.channel?.topic === this.topic) return this.compare();
    this.leave?.();
    clearTimeout(this.asking); // it would ask about a run that is no longer here
    this.newest = null;
    this.topic = data.channel?.topic;
    this.silence(false);
    this.leave = data.channel ? subscribe(data.channel, this) : null;
  }

  take({ header }) {
    this.newest = header;
    this.show(header);
    this.compare();
  }

  silence(lasts) {
    this.lost.textContent = lasts ? "No connection to the server. Trying again." : "";
  }

  show({ line, step, steps, phase }) {
    const share = Math.round(100 * Math.min(1, step / Math.max(1, steps)));
    this.line.textContent = this.data.prefix + line;
    this.bar.style.width = `${share}%`;
    this.track.setAttribute("aria-valuenow", String(share));
    this.track.setAttribute("aria-label", this.line.textContent);
    this.root.dataset.phase = phase;
  }

  compare() {
    clearTimeout(this.asking);
    if (!this.newest || this.newest.phase === this.data.phase) return;
    const soon = this.newest.phase === "drawing" ? DRAWING_MS : 0;
    this.asking = setTimeout(() => this.askFor(), soon);
  }

  askFor() {
    this.ask();
    this.asking = setTimeout(() => this.askFor(), ASK_AGAIN_MS); // until the page is drawn in that phase
  }

  destroy() {
    clearTimeout(this.asking);
    this.leave?.();
  }
}

const lines = new WeakMap();

export default function runProgress(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".run-progress");
  let line = lines.get(parentElement);
  if (!line || line.root !== root) {
    line?.destroy();
    lines.set(parentElement, (line = new Progress(root)));
  }
  line.update(component);
  return () => {
    lines.get(parentElement)?.destroy();
    lines.delete(parentElement);
  };
}
