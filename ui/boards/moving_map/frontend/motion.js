// Where the points are at a moment: always on the straight line between two frames that were really
// computed, never beyond the newer one. Pure: no DOM, and time is an argument.

const FIRST_GLIDE_MS = 250; // before two arrivals are known
const SHORTEST_MS = 30;
const LONGEST_MS = 2000;
const LONGEST_QUEUE = 5; // more means the tab was hidden: skip to the newest two

function lerpInto(out, from, to, share) {
  if (from === to || share <= 0) {
    out.set(from);
    return;
  }
  for (let i = 0; i < out.length; i++) out[i] = from[i] + (to[i] - from[i]) * share;
}

function same(a, b) {
  if (a.length !== b.length) return false;
  // Compared as bit patterns, so that a point without a position (NaN) equals itself.
  const x = new Uint32Array(a.buffer, a.byteOffset, a.length);
  const y = new Uint32Array(b.buffer, b.byteOffset, b.length);
  return x.every((bits, i) => bits === y[i]);
}

/** Frames arrive one by one; each is reached in the time that lay between the last arrivals. */
export class LiveMotion {
  constructor(frame) {
    this.queue = [frame]; // queue[0] has been reached, the others wait in order
    this.share = 0; // how far from queue[0] to queue[1], 0..1
    this.interval = FIRST_GLIDE_MS;
    this.arrived = null;
    this.moves = 0; // frames whose positions differed from the one before
  }

  get newest() {
    return this.queue[this.queue.length - 1];
  }

  get moving() {
    return this.queue.length > 1;
  }

  /** Accept a frame {step, xy}. @returns whether its positions are new. */
  push(frame, now) {
    if (same(frame.xy, this.newest.xy)) {
      this.newest.step = frame.step;
      return false;
    }
    this.moves += 1;
    if (this.arrived !== null) {
      const gap = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, now - this.arrived));
      this.interval += 0.4 * (gap - this.interval); // smoothed: ticks are not even
    }
    this.arrived = now;
    this.queue.push(frame);
    if (this.queue.length > LONGEST_QUEUE) {
      this.queue.splice(0, this.queue.length - 2);
      this.share = 0;
    }
    return true;
  }

  /** Go on by `elapsed` ms. A waiting queue is walked faster, so the picture is at most a tick late. */
  advance(elapsed, jump) {
    if (jump) {
      this.queue = [this.newest];
      this.share = 0;
      return;
    }
    let left = elapsed;
    while (this.moving && left > 0) {
      const duration = this.interval / (this.queue.length - 1);
      const need = (1 - this.share) * duration;
      if (left < need) {
        this.share += left / duration;
        return;
      }
      left -= need;
      this.queue.shift();
      this.share = 0;
    }
  }

  sample(out) {
    lerpInto(out, this.queue[0].xy, (this.queue[1] ?? this.queue[0]).xy, this.share);
  }

  get steps() {
    return [this.queue[0].step, (this.queue[1] ?? this.queue[0]).step];
  }

  /** Another sentence set: `rows[i]` is the old row of new point i, or -1 for one that appears. */
  remap(rows, xy) {
    for (const frame of this.queue) {
      const moved = new Float32Array(rows.length * 3);
      rows.forEach((old, i) => {
        const source = old < 0 ? xy.subarray(3 * i, 3 * i + 3) : frame.xy.subarray(3 * old, 3 * old + 3);
        moved.set(source, 3 * i);
      });
      frame.xy = moved;
    }
  }
}

const FRAMES_A_SECOND = 8; // replay at speed 1

/** All frames are known; a position on them is played or dragged. */
export class ReplayMotion {
  constructor(frames) {
    this.frames = frames;
    this.position = frames.length - 1;
    this.playing = false;
    this.speed = 1;
  }

  get newest() {
    return this.frames[this.frames.length - 1];
  }

  get moving() {
    return this.playing;
  }

  get moves() {
    return this.frames.length - 1;
  }

  play() {
    if (this.position >= this.frames.length - 1) this.position = 0;
    this.playing = true;
  }

  pause() {
    this.playing = false;
    this.position = Math.round(this.position); // rest on a real frame
  }

  advance(elapsed) {
    if (!this.playing) return;
    this.position += (elapsed / 1000) * FRAMES_A_SECOND * this.speed;
    if (this.position >= this.frames.length - 1) {
      this.position = this.frames.length - 1;
      this.playing = false;
    }
  }

  sample(out, jump) {
    const low = Math.floor(this.position);
    const high = Math.min(low + 1, this.frames.length - 1);
    lerpInto(out, this.frames[low].xy, this.frames[high].xy, jump ? 0 : this.position - low);
  }

  get steps() {
    return [this.frames[Math.floor(this.position)].step, this.frames[Math.ceil(this.position)].step];
  }
}
