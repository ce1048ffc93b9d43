// From the surface to pixels and back. Pure: no DOM. A circle is seen flat; a sphere straight from one
// side, turned by two angles. Coordinates are (n, 3) here; the third is 0 on a circle.

const EDGE = 0.13; // of the canvas, kept free around the circle for arrows and numbers

export class View {
  constructor() {
    this.flat = true;
    this.turn = 0.5; // around the upright axis
    this.tilt = 0.35; // towards the reader
    this.size = 300;
    this.middle = [150, 150];
  }

  resize(width, height) {
    this.size = Math.min(width, height);
    this.middle = [width / 2, height / 2];
  }

  get radius() {
    return this.size * (0.5 - EDGE);
  }

  /** A direction in space as the reader sees it: right, up, towards the reader. */
  seen([x, y, z]) {
    if (this.flat) return [x, y, 0];
    const [ct, st, cl, sl] = [Math.cos(this.turn), Math.sin(this.turn), Math.cos(this.tilt), Math.sin(this.tilt)];
    const [right, away] = [ct * x + st * z, -st * x + ct * z];
    return [right, cl * y - sl * away, sl * y + cl * away];
  }

  /** The inverse of seen(). */
  inSpace([right, up, near]) {
    if (this.flat) return [right, up, 0];
    const [ct, st, cl, sl] = [Math.cos(this.turn), Math.sin(this.turn), Math.cos(this.tilt), Math.sin(this.tilt)];
    const [y, away] = [cl * up + sl * near, -sl * up + cl * near];
    return [ct * right - st * away, y, st * right + ct * away];
  }

  pixel(point) {
    const [right, up, near] = this.seen(point);
    return [this.middle[0] + this.radius * right, this.middle[1] - this.radius * up, near];
  }

  /** The point of the surface under a pixel: on a sphere the one in front, beyond its edge the edge. */
  surface(px, py) {
    const right = (px - this.middle[0]) / this.radius;
    const up = (this.middle[1] - py) / this.radius;
    const far = Math.hypot(right, up);
    if (this.flat) return far > 1e-3 ? [right / far, up / far, 0] : null;
    if (far >= 1) return this.inSpace([right / far, up / far, 0]);
    return this.inSpace([right, up, Math.sqrt(1 - far * far)]);
  }
}

/** Scaled to length 1. */
export function unit(v) {
  const length = Math.hypot(...v) || 1;
  return v.map((x) => x / length);
}

/** One small turn of a point for the keyboard: along the circle, or across the sphere as it is seen. */
export function nudged(view, point, sideways, upwards) {
  if (view.flat) {
    const angle = -(sideways - upwards);
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return [c * point[0] - s * point[1], s * point[0] + c * point[1], 0];
  }
  const [right, up, near] = view.seen(point);
  return unit(view.inSpace([right + sideways * (near < 0 ? -1 : 1), up + upwards, near]));
}
