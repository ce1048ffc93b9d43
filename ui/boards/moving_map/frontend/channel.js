// What a run, or a class room, tells the page: one connection a topic for the whole browser tab, however many components of the
// page show it. core/runs/messages.py says what a message holds; `subscribe` is all that a component needs:
//
//   import { subscribe } from "../embedding-lab.moving-map/channel.js";
//   const leave = subscribe(data.channel, {            // data.channel is ui/runs/push.py's address(run)
//     take(message) { message.header.loss; message.arrays.cosines?.data; message.curve.loss },
//     silence(lasts) { … },                            // optional: whether 3 s have passed without a word
//     gone() { … },                                    // optional: the server no longer knows it
//   });
//   …  leave();                                        // when unmounted, or before listening to another run
//
// `take` is called at once with the newest message, if there is one, and then with each that comes. `curve` holds
// an array for each of header.columns (step, loss, …) over all snapshots so far, to draw, not to change.

import { unpack } from "./codec.js";

const SILENCE_MS = 3000; // after which the page says that it hears nothing; the server speaks every 1.5 s
const DEAD_MS = 8000; // after which a connection that says nothing is given up
const FIRST_WAIT_MS = 250; // before connecting again; doubles, with some chance so that a class does not come at once
const LONGEST_WAIT_MS = 8000;
const LINGER_MS = 1500; // a rerun may take a component away and bring it back
const UNKNOWN = 4404; // ui/runs/push.py: the run is no longer in memory

// Each component loads this file by an address of its own; what they share lies here.
const channels = (globalThis.__embeddingLabChannels ??= new Map());

class Channel {
  constructor({ topic, pushed }) {
    this.topic = topic;
    this.pushed = pushed; // else the messages come through Streamlit, by feed.js
    this.listeners = new Set();
    this.newest = null;
    this.rows = []; // of header.columns, one array a snapshot, ordered by step
    this.wait = FIRST_WAIT_MS;
    this.heard = performance.now();
    this.silent = false;
  }

  add(listener) {
    clearTimeout(this.lingering);
    this.listeners.add(listener);
    if (this.newest) listener.take(this.newest);
    if (this.silent) listener.silence?.(true);
    if (this.pushed && !this.watch) {
      this.heard = performance.now();
      this.watch = setInterval(() => this.look(), 500);
      this.woken = () => this.wake();
      document.addEventListener("visibilitychange", this.woken);
      window.addEventListener("online", this.woken);
      this.connect();
    }
    if (!this.pushed && !this.fed) {
      this.fed = ({ detail }) => unpack(detail).header.topic === this.topic && this.hear(detail);
      window.addEventListener("moving-map:frame", this.fed);
      window.dispatchEvent(new CustomEvent("moving-map:hello")); // the feed may have been first
    }
  }

  remove(listener) {
    this.listeners.delete(listener);
    clearTimeout(this.lingering);
    if (!this.listeners.size) this.lingering = setTimeout(() => this.close(), LINGER_MS);
  }

  connect() {
    const url = new URL(`../../../_live/${this.topic}`, import.meta.url); // below the page's own base path
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    this.opened = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.hear(data);
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  lost(code) {
    this.socket = null;
    if (code === UNKNOWN) {
      this.listeners.forEach((listener) => listener.gone?.());
      return this.close();
    }
    this.retry = setTimeout(() => this.connect(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(LONGEST_WAIT_MS, 2 * this.wait);
  }

  /** A phone that was locked, or out of the network, does not wait for its turn. */
  wake() {
    if (this.socket || document.hidden || !this.watch) return;
    clearTimeout(this.retry);
    this.connect();
  }

  look() {
    const quiet = performance.now() - this.heard;
    if (quiet > SILENCE_MS !== this.silent) {
      this.silent = !this.silent;
      this.listeners.forEach((listener) => listener.silence?.(this.silent));
    }
    if (this.socket && quiet > DEAD_MS && performance.now() - this.opened > DEAD_MS) {
      this.socket.onclose = null; // its own farewell may take minutes on a line that is dead
      this.socket.close();
      this.lost();
    }
  }

  hear(bytes) {
    this.heard = performance.now();
    if (this.silent) this.look();
    this.wait = FIRST_WAIT_MS;
    const message = unpack(bytes);
    if (message.header.kind === "alive") return;
    if (message.arrays.series) this.learn(message);
    this.newest = message;
    this.listeners.forEach((listener) => listener.take(message));
  }

  /** Add the message's snapshots to those known. A run that was cut back to an earlier step loses later ones. */
  learn(message) {
    const { header, arrays } = message;
    const [count, width] = arrays.series.shape;
    const rows = Array.from({ length: count }, (_, i) => arrays.series.data.subarray(i * width, (i + 1) * width));
    const first = header.kind === "history" || !count ? -Infinity : rows[0][0];
    this.rows = [...this.rows.filter((row) => row[0] < first), ...rows];
    let curve = null; // made when somebody asks: most frames are not drawn as curves
    Object.defineProperty(message, "curve", {
      get: () =>
        (curve ??= Object.fromEntries(
          header.columns.map((name, i) => [name, Float32Array.from(this.rows, (row) => row[i])]),
        )),
    });
  }

  close() {
    clearTimeout(this.retry);
    clearInterval(this.watch);
    this.watch = null;
    if (this.socket) this.socket.onclose = null;
    this.socket?.close();
    document.removeEventListener("visibilitychange", this.woken);
    window.removeEventListener("online", this.woken);
    window.removeEventListener("moving-map:frame", this.fed);
    if (!this.listeners.size) channels.delete(this.topic);
  }
}

/** Listen to a run. @returns the function that ends it. */
export function subscribe(address, listener) {
  let channel = channels.get(address.topic);
  if (!channel) channels.set(address.topic, (channel = new Channel(address)));
  channel.add(listener);
  return () => channel.remove(listener);
}

/** All frames of the map so far, once: {steps, frames}, frames (T, n, 2 or 3) as codec.js gives them. */
export function allFrames({ topic }) {
  return new Promise((resolve, reject) => {
    const url = new URL(`../../../_live/${topic}?frames`, import.meta.url);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      const { header, arrays } = unpack(data);
      socket.onclose = null;
      socket.close();
      resolve({ steps: header.drawnSteps ?? [], frames: arrays.frames ?? null });
    };
    socket.onclose = () => reject(new Error("The run cannot be reached."));
  });
}
