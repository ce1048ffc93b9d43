// Slider, play and speed below the canvas, when all frames of a run were sent.

import { el, icon } from "./dom.js";

const SPEEDS = [0.5, 1, 2, 4];

/** This tab's note of where a run's slider was left: read it, or write `step`. There may be no notes at all. */
export function note(run, step) {
  try {
    const name = `moving-map:step-of:${run}`;
    if (step === undefined) return sessionStorage.getItem(name);
    sessionStorage.setItem(name, step);
  } catch {
    return null; // a browser that keeps nothing for pages
  }
}

export class ReplayBar {
  constructor(board, root) {
    this.board = board;
    this.play = el("button", { type: "button", class: "play", onclick: () => this.toggle() });
    this.slider = el("input", {
      type: "range", min: "0", step: "1", "aria-label": "Frame", oninput: () => this.drag(),
    }); // prettier-ignore
    this.speed = el("select", { "aria-label": "Speed", onchange: () => this.setSpeed() });
    SPEEDS.forEach((s) => this.speed.append(el("option", { value: s, text: `${s}×`, selected: s === 1 })));
    this.goOn = el("button", {
      type: "button", class: "go-on", text: "Go on from here", onclick: () => this.continue(),
    }); // prettier-ignore
    this.box = el("div", { class: "replay", hidden: true }, this.play, this.slider, this.speed, this.goOn);
    root.append(this.box);
    this.state = null;
  }

  show(motion) {
    this.motion = motion;
    this.box.hidden = motion === null;
    if (!motion) return;
    this.goOn.hidden = !this.board.model.canContinue;
    this.slider.max = String(motion.frames.length - 1);
    motion.speed = Number(this.speed.value);
    this.refresh();
  }

  toggle() {
    if (this.motion.playing) this.motion.pause();
    else this.motion.play();
    this.remember();
    this.board.restart();
    this.refresh();
  }

  drag() {
    this.motion.playing = false;
    this.motion.position = Number(this.slider.value);
    this.remember();
    this.board.scene.clearTrails();
    this.board.invalidate();
    this.refresh();
  }

  /** Keep the place for when the page is loaded again; what plays will come to its end. */
  remember() {
    const { run, playing, steps } = this.motion;
    if (run) note(run, playing ? "" : String(steps[1]));
  }

  /** Stand at the step where a person left this run's slider in this tab. */
  comeBack(motion) {
    const step = motion.run && note(motion.run);
    const at = step ? motion.frames.findIndex((frame) => frame.step === Number(step)) : -1;
    if (at >= 0) motion.position = at;
  }

  /** Say which step is shown, to whoever follows the slider. */
  tell() {
    window.dispatchEvent(new CustomEvent("moving-map:step", { detail: { step: this.motion.steps[1] } }));
  }

  continue() {
    this.board.setTrigger("action", { kind: "continue", step: this.motion.steps[1] });
  }

  setSpeed() {
    this.motion.speed = Number(this.speed.value);
  }

  /** Called at every frame; touches the page only when something changed. */
  refresh() {
    if (!this.motion) return;
    const { playing, position, steps } = this.motion;
    const state = `${playing}|${Math.round(position)}|${this.motion.frames.length}`;
    if (state === this.state) return;
    this.state = state;
    this.slider.value = String(Math.round(position));
    this.tell();
    this.slider.setAttribute("aria-valuetext", `step ${steps[1]}`);
    const label = playing ? "Pause" : "Play";
    if (this.play.title !== label) {
      this.play.title = label;
      this.play.setAttribute("aria-label", label);
      this.play.replaceChildren(icon(playing ? "pause" : "play"));
    }
  }
}
