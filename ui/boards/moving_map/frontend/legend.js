// What colours, shapes and lines mean, below the canvas. Group names are also buttons: press one and the
// other groups step back.

import { el } from "./dom.js";
import { groupLook, trace } from "./points.js";

const SWATCH = 16; // CSS pixels

function swatch(look, theme, ratio, hollow = false) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  canvas.width = canvas.height = SWATCH * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  trace(context, look.shape, SWATCH / 2, SWATCH / 2, 5);
  context.lineWidth = hollow ? 1.6 : 1;
  context.fillStyle = hollow ? theme.background : look.colour;
  context.strokeStyle = hollow ? look.colour : look.colour === "#F0E442" && !theme.dark ? "#6b6300" : look.colour;
  context.fill();
  context.stroke();
  return canvas;
}

function line(colour, dashed, text) {
  const sample = el("span", { class: `line ${dashed ? "dashed" : ""}` });
  sample.style.setProperty("--line", colour);
  return el("span", { class: "entry" }, sample, el("span", { text }));
}

/** Draw the legend anew into `box`. Cheap enough for every change of data, not for every frame. */
export function drawLegend(box, board) {
  const { model, theme, ratio } = board;
  const parts = [];
  if (model.colorBy === "group" && model.groupNames.length) parts.push(...groups(board));
  if (model.colorBy === "trust" || model.colorBy === "movement") parts.push(...scale(board));
  if (model.forces) {
    const counts = [0, 0];
    const { values, largest } = model.forces;
    values.forEach((v) => Math.abs(v) / largest > 0.01 && (counts[v < 0 ? 0 : 1] += 1));
    parts.push(line(theme.pull, false, `pulls together (${counts[0]})`));
    parts.push(line(theme.push, true, `pushes apart (${counts[1]})`));
  }
  if (model.ghost) {
    const look = { colour: theme.muted, shape: "circle" };
    parts.push(el("span", { class: "entry" }, swatch(look, theme, ratio, true), el("span", { text: model.ghostLabel })));
  }
  box.replaceChildren(...parts);
  box.hidden = parts.length === 0;
}

function groups(board) {
  const { model, theme, ratio } = board;
  const parts = model.groupNames.map((name, g) => {
    const focus = () => {
      board.groupFocus = board.groupFocus === g ? null : g;
      [...board.legend.querySelectorAll("button")].forEach((button, at) =>
        button.setAttribute("aria-pressed", String(board.groupFocus === at)),
      );
      board.invalidate();
    };
    const button = el("button", {
      type: "button", class: "entry", title: "Show this group alone",
      "aria-pressed": String(board.groupFocus === g), onclick: focus,
    }); // prettier-ignore
    button.append(swatch(groupLook(g, theme.groups), theme, ratio), el("span", { dir: "auto", text: name }));
    return button;
  });
  if (model.group.includes(-1)) {
    const look = { colour: theme.neutral, shape: "circle" };
    parts.push(el("span", { class: "entry" }, swatch(look, theme, ratio), el("span", { text: "no group" })));
  }
  if (model.heldOut.size) {
    const look = { colour: theme.neutral, shape: "circle" };
    parts.push(el("span", { class: "entry" }, swatch(look, theme, ratio, true), el("span", { text: "held out" })));
  }
  return parts;
}

function scale(board) {
  const { model, theme, ratio, valueRange } = board;
  const number = (v) => (v === 0 || v === 1 ? String(v) : v.toPrecision(2));
  const ramp = el("span", { class: "ramp" });
  ramp.style.background = `linear-gradient(to right, ${theme.scale.join(",")})`;
  const parts = [
    el("span", { class: "entry" },
      el("span", { text: board.valuesLabel }), el("span", { class: "number", text: number(valueRange.low) }),
      ramp, el("span", { class: "number", text: number(valueRange.high) })),
  ]; // prettier-ignore
  if (model.colorBy === "trust") {
    const look = { colour: theme.scale[4], shape: "circle" };
    parts.push(el("span", { class: "entry" }, swatch(look, theme, ratio, true), el("span", { text: "below one half" })));
  }
  return parts;
}
