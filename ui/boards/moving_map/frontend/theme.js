// Colours: Streamlit's live theme for the surroundings, Okabe and Ito's palette for what carries meaning
// (told apart by people with every common kind of colour blindness), one lightness scale for values.

import { GROUPS } from "./points.js";

export const PULL = "#0072B2"; // as everywhere in the app: blue pulls together
export const PUSH = "#D55E00"; // vermillion pushes apart
const PULL_ON_DARK = "#56B4E9";
const PUSH_ON_DARK = "#F0803C";

// More of the value stands out more from the page, so both ends turn round with the theme.
const SCALE_LIGHT = ["#C3CFDB", "#5AA0CE", "#0072B2", "#00375A"];
const SCALE_DARK = ["#46525F", "#2F79A8", "#56B4E9", "#D9F0FF"];
export const SCALE_STEPS = 16;

function rgb(colour, context) {
  // Any CSS colour to numbers, by way of the canvas, which understands them all.
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = "#888";
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const css = ([r, g, b], alpha = 1) => `rgba(${Math.round(r)},${Math.round(g)},${Math.round(b)},${alpha})`;
const mix = (a, b, share) => a.map((v, i) => v + (b[i] - v) * share);

export function readTheme(element) {
  const style = getComputedStyle(element);
  const probe = document.createElement("canvas");
  probe.width = probe.height = 1;
  const context = probe.getContext("2d", { willReadFrequently: true });
  const value = (name, fallback) => {
    const text = style.getPropertyValue(name).trim();
    return text && text !== "unset" ? text : fallback;
  };
  const background = rgb(value("--st-background-color", "#ffffff"), context);
  const text = rgb(value("--st-text-color", "#222222"), context);
  const dark = 0.299 * background[0] + 0.587 * background[1] + 0.114 * background[2] < 128;
  const stops = (dark ? SCALE_DARK : SCALE_LIGHT).map((c) => rgb(c, context));
  const scale = Array.from({ length: SCALE_STEPS }, (_, i) => {
    const at = (i / (SCALE_STEPS - 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    return css(mix(stops[low], stops[low + 1], at - low));
  });
  return {
    dark,
    font: value("--st-font", "sans-serif"),
    background: css(background),
    halo: css(background, 0.85),
    text: css(text),
    muted: css(mix(background, text, 0.6)),
    faint: css(mix(background, text, 0.22)),
    accent: value("--st-primary-color", PULL),
    neutral: css(mix(background, text, 0.55)),
    outline: css(mix(background, text, dark ? 0.1 : 0.02)),
    edge: css(mix(background, text, 0.75)),
    pull: dark ? PULL_ON_DARK : PULL,
    push: dark ? PUSH_ON_DARK : PUSH,
    groups: GROUPS.map((c) => (c === "TEXT" ? css(mix(background, text, 0.9)) : c)),
    scale,
    id: `${background}|${text}|${value("--st-primary-color", "")}|${value("--st-font", "")}`,
  };
}
