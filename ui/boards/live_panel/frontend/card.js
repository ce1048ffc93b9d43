// The card of the moment: a question about what is measured right now; its answer on a press.

import { el } from "../embedding-lab.moving-map/dom.js";

export class Card {
  constructor(keep) {
    this.question = el("p", { class: "question" });
    this.answer = el("div", { class: "answer", hidden: true });
    this.turn = el("button", { type: "button", class: "turn", onclick: () => this.flip() });
    this.kept = el("button", { type: "button", class: "keep", text: "Keep this card", onclick: () => keep(this.moment.key) });
    this.root = el("section", { class: "card", "aria-label": "Card of the moment" },
      this.question, this.answer, el("div", { class: "row" }, this.turn, this.kept)); // prettier-ignore
    this.show(null);
  }

  /** `moment` {key, step, question, answer, advice, ids}; the same key again keeps it as it is turned. */
  show(moment) {
    const same = moment?.key === this.moment?.key && moment?.step === this.moment?.step;
    if (same && this.moment !== undefined) return;
    this.moment = moment ?? null;
    this.question.textContent = moment ? moment.question : "Press Train: what happens is asked about here.";
    // Quoted sentences may run from right to left; what is said about them does not turn round with them.
    const parts = (moment?.answer ?? "").split(/(“[^”]*”)/);
    const when = moment?.step > 0 ? `Measured at step ${moment.step}.` : "Measured before the first step.";
    this.answer.replaceChildren(
      el("p", {}, ...parts.map((text, i) => (i % 2 ? el("bdi", { text }) : text))),
      el("p", { class: "advice", text: moment?.advice ? `Try next: ${moment.advice}` : "" }),
      el("p", { class: "advice", text: moment ? when : "" }),
    );
    this.set(false);
  }

  flip() {
    if (this.moment) this.set(this.answer.hidden);
  }

  set(turned) {
    this.answer.hidden = !turned;
    this.turn.textContent = turned ? "Hide the answer" : "Show the answer";
    this.turn.hidden = !this.moment;
    this.kept.hidden = !this.moment || !turned || !this.canKeep;
    if (turned && this.moment.ids?.length) {
      window.dispatchEvent(new CustomEvent("moving-map:light", { detail: { ids: this.moment.ids } }));
    }
  }
}
