// The panel: one element with three parts, all moved by the same messages. It is as high as the window leaves
// room for, so that nothing has to be scrolled to while a model trains.

import { subscribe } from "../embedding-lab.moving-map/channel.js";
import { unpack } from "../embedding-lab.moving-map/codec.js";
import { el } from "../embedding-lab.moving-map/dom.js";
import { fill } from "../embedding-lab.moving-map/fill.js";
import { Card } from "./card.js";
import { Curve } from "./curve.js";
import { Pairs } from "./pairs.js";

const PARTS = ["Curve", "Pairs", "Card", "Sentences"]; // of the switch on a phone

class Panel {
  constructor(root) {
    this.root = root;
    this.curve = new Curve();
    this.pairs = new Pairs();
    this.card = new Card((key) => this.keep(key));
    this.switch = el("nav", { "aria-label": "What to show" });
    PARTS.forEach((name) =>
      this.switch.append(el("button", { type: "button", text: name, onclick: () => this.choose(name) })),
    );
    root.replaceChildren(this.switch, this.curve.root, this.pairs.root, this.card.root);
    this.phone = matchMedia("(max-width: 640px)");
    this.turned = () => this.arrange();
    this.phone.addEventListener("change", this.turned);
    this.choose(PARTS[1]);
    this.unfill = fill(root, 16);
    this.scrubbed = ({ detail }) => this.rest && this.show(this.rest, detail.step);
    window.addEventListener("moving-map:step", this.scrubbed);
    this.keys = (event) => this.onKey(event);
    window.addEventListener("keydown", this.keys);
  }

  update({ data, setTriggerValue }) {
    this.keep = (key) => setTriggerValue("keep", key);
    if (data === this.data) return this.curve.retheme(this.root);
    this.data = data;
    const message = unpack(data);
    const { header } = message;
    message.curve = Object.fromEntries(
      header.columns.map((name, i) => [name, column(message.arrays.series, i, header.columns.length)]),
    );
    this.root.classList.toggle("present", header.present);
    this.switch.lastChild.hidden = header.present || !header.textBeside;
    this.arrange();
    this.header = header;
    this.pairs.name(header);
    this.card.canKeep = header.canKeep;
    this.rest = header.channel ? null : message;
    if (header.channel?.topic !== this.topic || !header.channel) {
      this.leave?.();
      this.topic = header.channel?.topic;
      this.newest = null;
      this.leave = header.channel ? subscribe(header.channel, { take: (m) => this.take(m) }) : null;
    }
    if (!this.newest) this.show(message);
    if (this.rest) window.dispatchEvent(new CustomEvent("moving-map:where")); // the slider may not be at the end
  }

  take(message) {
    this.newest = message;
    if (message.arrays.cosines) this.show(message);
    else this.curve.wait(message.header.line);
  }

  /** Show a message, or what it holds of an earlier step. */
  show(message, step = message.header.step) {
    this.curve.show(message, step, this.root, message.header.step > 0);
    this.pairs.show(message, step, this.header.present ? 2 : 5);
    this.card.show(message.header.moment ?? this.header.moment);
    this.root.dataset.step = String(step);
  }

  choose(name) {
    this.root.dataset.part = name;
    this.arrange();
    [...this.switch.children].forEach((button) =>
      button.setAttribute("aria-pressed", String(button.textContent === name)),
    );
  }

  /** On a phone the map comes first: the column of the text box goes last and shows where it is chosen. */
  arrange(phone = this.phone.matches) {
    const row = (this.root.getRootNode().host ?? this.root).closest("[data-testid=stHorizontalBlock]");
    if (row?.children.length !== 3) return; // text, map, panel; without the text in Present mode
    const hidden = phone && this.root.dataset.part !== "Sentences";
    Object.assign(row.children[0].style, { order: phone ? "1" : "", display: hidden ? "none" : "" });
  }

  /** Space flips the card while it is shown to a class; typing stays typing. */
  onKey(event) {
    if (!this.header?.present || event.key !== " ") return;
    if (event.composedPath()[0].closest?.("input, textarea, button, select, [contenteditable]")) return;
    event.preventDefault();
    this.card.flip();
  }

  destroy() {
    this.leave?.();
    this.unfill();
    this.arrange(false);
    this.phone.removeEventListener("change", this.turned);
    this.curve.destroy();
    window.removeEventListener("moving-map:step", this.scrubbed);
    window.removeEventListener("keydown", this.keys);
  }
}

function column({ data, shape }, i, width) {
  return Float32Array.from({ length: shape[0] }, (_, row) => data[row * width + i]);
}

const panels = new WeakMap();

export default function livePanel(component) {
  const { parentElement } = component;
  const root = parentElement.querySelector(".live-panel");
  let panel = panels.get(parentElement);
  if (!panel || panel.root !== root) {
    panel?.destroy();
    panels.set(parentElement, (panel = new Panel(root)));
  }
  panel.update(component);
  return () => {
    panels.get(parentElement)?.destroy();
    panels.delete(parentElement);
  };
}
