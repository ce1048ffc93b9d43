// The hardest pairs: both texts in full, their cosine before and now, and the cross-encoder's score, on one line
// from 0 to 1. Press one and its two points light up on the map.

import { el } from "../embedding-lab.moving-map/dom.js";

const share = (value) => `${100 * Math.max(0, Math.min(1, value))}%`;
const number = (value) => (Number.isFinite(value) ? value.toFixed(2).replace("-", "−") : "–");

export class Pairs {
  constructor() {
    this.list = el("ol");
    this.key = el("p", { class: "key" },
      el("span", { class: "was", text: "cosine before" }), el("span", { class: "now", text: "now" }),
      el("span", { class: "cross", text: "cross-encoder" })); // prettier-ignore
    this.why = el("p", { class: "why" });
    this.root = el("section", { class: "pairs", "aria-label": "Pairs, hardest first" }, this.key, this.list, this.why);
    this.rows = [];
  }

  /** What does not change during a run: texts, scores, ids. */
  name({ texts, scores, ids }) {
    Object.assign(this, { texts, scores, ids });
    this.shape = null;
  }

  show({ header, arrays }, step, most) {
    const { pairRows, pairLabels, pairHeldOut, cosinesBefore, cosines, cosinesByStep } = arrays;
    if (!pairLabels?.data.length) {
      this.why.textContent = "";
      return this.list.replaceChildren(el("li", { class: "none", text: "There are no pairs yet." }));
    }
    const count = Math.min(most, pairLabels.data.length);
    const chosen = this.choose(pairHeldOut.data, count);
    const shape = chosen.join();
    if (shape !== this.shape) this.build(chosen, pairRows.data, pairLabels.data, pairHeldOut.data);
    this.shape = shape;
    let now = cosines.data;
    const at = header.seriesSteps?.indexOf(step) ?? -1;
    if (cosinesByStep && at >= 0) now = cosinesByStep.data.subarray(at * now.length, (at + 1) * now.length);
    chosen.forEach((i, place) => this.place(this.rows[place], cosinesBefore.data[i], now[i]));
  }

  /** The hardest, but two at least that were never trained on, where there are such. */
  choose(heldOut, count) {
    const all = [...heldOut.keys()];
    const unseen = all.filter((i) => heldOut[i]).slice(0, Math.min(2, count - 1));
    const rest = all.filter((i) => !unseen.includes(i)).slice(0, count - unseen.length);
    return [...unseen, ...rest].sort((a, b) => a - b);
  }

  build(chosen, rows, labels, heldOut) {
    this.rows = chosen.map((i) => {
      const similar = labels[i] >= 0.5;
      const label = labels[i] === 0 || labels[i] === 1 ? (similar ? "similar" : "dissimilar") : `label ${labels[i].toFixed(2)}`;
      const [left, right] = [0, 1].map((side) => this.texts[rows[2 * i + side]] ?? "");
      const score = this.scores[i];
      const was = el("i", { class: "was" });
      const now = el("i", { class: "now" });
      const cross = el("i", { class: "cross", hidden: score === null });
      if (score !== null) cross.style.left = share(score);
      const numbers = el("span", { class: "numbers" });
      const item = el("button", { type: "button", title: "Show both on the map", onclick: () => this.light(i) },
        el("span", { class: "texts" }, el("span", { dir: "auto", text: left }), el("b", { text: similar ? " ~ " : " ≠ " }), el("span", { dir: "auto", text: right })),
        el("span", { class: "meta" }, el("span", { class: "label", text: heldOut[i] ? `${label}, unseen` : label }), el("span", { class: "track" }, was, now, cross), numbers)); // prettier-ignore
      this.list.append(item);
      return { item: el("li", {}, item), was, now, numbers, score };
    });
    this.list.replaceChildren(...this.rows.map((row) => row.item));
    const apart = chosen.filter((i) => this.scores[i] !== null && this.scores[i] >= 0.5 !== labels[i] >= 0.5).length;
    this.why.textContent = apart
      ? `The cross-encoder goes against the label in ${apart}: it asks for the same meaning.`
      : "";
  }

  place({ was, now, numbers, score }, before, after) {
    was.style.left = share(before);
    now.style.left = share(after);
    const cross = score === null ? "…" : number(score);
    numbers.textContent = `${number(before)} → ${number(after)} · ${cross}`;
  }

  light(i) {
    window.dispatchEvent(new CustomEvent("moving-map:light", { detail: { ids: this.ids[i] } }));
  }
}
