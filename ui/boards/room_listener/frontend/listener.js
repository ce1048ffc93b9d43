// Hears of a class room's changes and asks Streamlit for a new page: at once when the class moves on, and now and
// then while only answers come in, so that thirty phones do not draw thirty sentences thirty times each.

import { subscribe } from "../embedding-lab.moving-map/channel.js";

const ASK_AGAIN_MS = 2500; // a request may have gone with a connection that was lost
const LOST = "No connection to the server. Trying again.";

class Listener {
  constructor(root) {
    this.root = root;
    this.asked = -Infinity;
  }

  update({ data, setTriggerValue }) {
    this.ask = () => setTriggerValue("changed", Date.now());
    this.data = data;
    if (data.channel.topic !== this.topic) {
      this.leave?.();
      this.topic = data.channel.topic;
      this.newest = null;
      this.leave = subscribe(data.channel, this);
    }
    this.compare();
  }

  take({ header }) {
    const moved = this.newest && header.version !== this.newest.version;
    this.newest = header;
    this.compare(moved);
  }

  silence(lasts) {
    this.root.textContent = lasts ? LOST : "";
  }

  gone() {
    this.askFor();
  }

  compare(moved = false) {
    if (!this.newest || this.newest[this.data.counts] <= this.data.at) return clearTimeout(this.asking);
    const since = performance.now() - this.asked;
    const wait = moved ? 0 : Math.max(0, 1000 * this.data.gap * (0.75 + Math.random() / 2) - since);
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.askFor(), wait);
  }

  askFor() {
    this.asked = performance.now();
    this.ask();
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.compare(true), ASK_AGAIN_MS); // unless the page is drawn anew meanwhile
  }

  destroy() {
    clearTimeout(this.asking);
    this.leave?.();
  }
}

const listeners = new WeakMap();

export default function roomListener(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".room-listener");
  let listener = listeners.get(parentElement);
  if (!listener || listener.root !== root) {
    listener?.destroy();
    listeners.set(parentElement, (listener = new Listener(root)));
  }
  listener.update(component);
  return () => {
    listeners.get(parentElement)?.destroy();
    listeners.delete(parentElement);
  };
}
