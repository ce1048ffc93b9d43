// Points are small pictures, painted once and copied: 2,000 drawImage calls a frame are cheap, 2,000
// paths are not. A group has a shape as well as a colour, so that colour is never the only sign.

import { trace } from "./points.js";

// How far each shape reaches, in radii: a picture no larger than needed, since its pixels are the cost.
const REACH = { circle: 1, square: 0.88, triangle: 1.3, diamond: 1.22, wedge: 1.3, cross: 1.1, star: 1.35, hexagon: 1.08 };

export class Sprites {
  constructor() {
    this.cache = new Map();
    this.ratio = 1;
  }

  /** A new theme or another pixel ratio makes every picture stale. */
  reset(ratio, theme) {
    this.cache.clear();
    this.ratio = ratio;
    this.theme = theme;
  }

  /** @returns {{image: HTMLCanvasElement, size: number}} size in CSS pixels, the point in the middle */
  get(colour, shape, radius, hollow = false) {
    const r = Math.round(radius * 2) / 2; // few sizes, few pictures
    const key = `${colour}|${shape}|${r}|${hollow}`;
    const known = this.cache.get(key);
    if (known) return known;
    const size = Math.ceil(2 * (r * REACH[shape] + (hollow ? r * 0.2 : 0) + 1));
    const image = document.createElement("canvas");
    image.width = image.height = Math.ceil(size * this.ratio);
    const context = image.getContext("2d");
    context.scale(image.width / size, image.height / size);
    trace(context, shape, size / 2, size / 2, r);
    context.lineJoin = "round";
    if (hollow) {
      context.fillStyle = this.theme.background;
      context.fill();
      context.lineWidth = Math.max(1.5, r * 0.4);
      context.strokeStyle = colour;
    } else {
      context.fillStyle = colour;
      context.fill();
      context.lineWidth = 1;
      // Yellow on white needs an edge of its own; the others need parting from their neighbours.
      context.strokeStyle = colour === "#F0E442" && !this.theme.dark ? "#6b6300" : this.theme.outline;
    }
    context.stroke();
    const sprite = { image, size };
    this.cache.set(key, sprite);
    return sprite;
  }
}
