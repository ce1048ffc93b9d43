// From map coordinates to pixels: fit, zoom, pan and, for three dimensions, turn. Pure: no DOM.
// Both axes share one scale, since the map's distances are what it is about.

// Pixels kept free around the points: for labels, the tools above and the step below.
const INSET = { top: 58, bottom: 44, side: 40 };
const GROW = 0.08; // room left when the home box has to grow, so that it does not grow every frame
const MIN_ZOOM = 0.5;
const MAX_ZOOM = 40;
const DEPTH = 3; // distance of the eye, in radii of the cloud

/** The box around all finite points of some frames: {low: [x, y, z], high: [x, y, z]} */
export function boundsOf(frames) {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const xyz of frames) {
    for (let i = 0; i < xyz.length; i++) {
      const value = xyz[i];
      if (!Number.isFinite(value)) continue;
      const axis = i % 3;
      if (value < low[axis]) low[axis] = value;
      if (value > high[axis]) high[axis] = value;
    }
  }
  for (let axis = 0; axis < 3; axis++) {
    if (low[axis] > high[axis]) low[axis] = high[axis] = 0;
  }
  return { low, high };
}

export class Camera {
  constructor() {
    this.width = 300;
    this.height = 300;
    this.flat = true;
    this.home = { low: [-1, -1, 0], high: [1, 1, 0] };
    this.goal = null; // {from, to, start, duration}: the home box on its way to a larger one
    this.reset();
  }

  reset() {
    this.zoom = 1;
    this.panX = 0;
    this.panY = 0;
    this.yaw = 0.5;
    this.pitch = 0.35;
  }

  /** Has a person chosen the view? Then no frame may change it. */
  get touched() {
    return this.zoom !== 1 || this.panX !== 0 || this.panY !== 0;
  }

  fit(box) {
    this.goal = null;
    this.home = box;
  }

  /** Make room for a frame that leaves the home box, in the time the points take to get there. */
  include(box, now, duration) {
    if (this.touched) return;
    const aim = this.goal?.to ?? this.home;
    const outside = [0, 1, 2].some((a) => box.low[a] < aim.low[a] || box.high[a] > aim.high[a]);
    if (!outside) return;
    const grown = (side, sign) =>
      [0, 1, 2].map((a) => {
        const far = sign < 0 ? Math.min(box.low[a], aim.low[a]) : Math.max(box.high[a], aim.high[a]);
        return far === aim[side][a] ? far : far + sign * GROW * (aim.high[a] - aim.low[a]);
      });
    const to = { low: grown("low", -1), high: grown("high", 1) };
    this.goal = { from: this.home, to, start: now, duration: Math.max(1, duration) };
  }

  /** @returns whether the view is still changing. */
  advance(now, jump) {
    if (!this.goal) return false;
    const { from, to, start, duration } = this.goal;
    const share = jump ? 1 : Math.min(1, (now - start) / duration);
    const mix = (side) => from[side].map((v, a) => v + (to[side][a] - v) * share);
    this.home = { low: mix("low"), high: mix("high") };
    if (share >= 1) this.goal = null;
    return true;
  }

  zoomAt(x, y, factor) {
    const next = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, this.zoom * factor));
    const k = next / this.zoom;
    const [mx, my] = this.middle;
    // The point under the pointer stays under it.
    this.panX = (x - mx) * (1 - k) + this.panX * k;
    this.panY = (y - my) * (1 - k) + this.panY * k;
    this.zoom = next;
  }

  pan(dx, dy) {
    this.panX += dx;
    this.panY += dy;
  }

  turn(dx, dy) {
    this.yaw += dx * 0.008;
    this.pitch = Math.max(-1.5, Math.min(1.5, this.pitch + dy * 0.008));
  }

  /** Bring a point, given in screen pixels, to the middle. */
  centre(x, y) {
    const [mx, my] = this.middle;
    this.pan(mx - x, my - y);
  }

  /** Where the middle of the home box lies at pan 0. */
  get middle() {
    return [this.width / 2, (this.height + INSET.top - INSET.bottom) / 2];
  }

  get atLeast() {
    return this.zoom <= MIN_ZOOM;
  }

  /** Pixels a map unit takes at zoom 1. */
  get unit() {
    const { low, high } = this.home;
    const w = Math.max(60, this.width - 2 * INSET.side);
    const h = Math.max(60, this.height - INSET.top - INSET.bottom);
    const span = high.map((v, a) => v - low[a]);
    if (!this.flat) return Math.min(w, h) / (0.85 * Math.hypot(...span) || 1);
    const largest = Math.max(span[0], span[1]);
    if (largest === 0) return 1; // a single point, or all in one place
    return Math.min(w / Math.max(span[0], largest * 1e-3), h / Math.max(span[1], largest * 1e-3));
  }

  /** Fill screen (n, 2) and depth (n,) (about -1 far .. 1 near) from points (n, 3). */
  project(xyz, screen, depth) {
    const { low, high } = this.home;
    const middle = low.map((v, a) => (v + high[a]) / 2);
    const scale = this.unit * this.zoom;
    const x0 = this.middle[0] + this.panX;
    const y0 = this.middle[1] + this.panY;
    const n = screen.length / 2;
    if (this.flat) {
      for (let i = 0; i < n; i++) {
        screen[2 * i] = x0 + scale * (xyz[3 * i] - middle[0]);
        screen[2 * i + 1] = y0 - scale * (xyz[3 * i + 1] - middle[1]);
      }
      depth.fill(0);
      return;
    }
    const [cy, sy, cp, sp] = [this.yaw, this.yaw, this.pitch, this.pitch].map((angle, i) =>
      i % 2 ? Math.sin(angle) : Math.cos(angle),
    );
    const radius = Math.hypot(...high.map((v, a) => v - low[a])) / 2 || 1;
    for (let i = 0; i < n; i++) {
      const x = xyz[3 * i] - middle[0];
      const y = xyz[3 * i + 1] - middle[1];
      const z = xyz[3 * i + 2] - middle[2];
      const side = x * cy + z * sy;
      const back = -x * sy + z * cy;
      const up = y * cp - back * sp;
      const near = (y * sp + back * cp) / radius;
      const lens = DEPTH / (DEPTH - near);
      screen[2 * i] = x0 + scale * side * lens;
      screen[2 * i + 1] = y0 - scale * up * lens;
      depth[i] = near;
    }
  }
}
