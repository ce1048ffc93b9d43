// Mouse, pen and touch on the canvas: hover, click, drag, lasso, box, wheel and pinch.

const SLOP = 4; // pixels a press may wander and still be a click
const SLOP_TOUCH = 9;
const REACH = 14; // how near the pointer must come to a point
const REACH_TOUCH = 24;

/** Is (x, y) inside the polygon? Even-odd rule. */
export function inside(polygon, x, y) {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

export class Gestures {
  constructor(board, canvas, signal) {
    this.board = board;
    this.canvas = canvas;
    this.pointers = new Map();
    this.region = null; // polygon in pixels while a lasso or box is drawn
    this.mode = "pan"; // "pan" | "box" | "lasso"
    const on = (name, handler, options = {}) => canvas.addEventListener(name, handler, { signal, ...options });
    on("pointerdown", (e) => this.down(e));
    on("pointermove", (e) => this.move(e));
    on("pointerup", (e) => this.up(e));
    on("pointercancel", (e) => this.cancel(e));
    on("pointerleave", (e) => e.pointerType === "mouse" && !this.pointers.size && board.hoverAt(-1));
    on("dblclick", () => board.fit());
    on("wheel", (e) => this.wheel(e), { passive: false });
  }

  setMode(mode) {
    this.mode = mode;
    this.canvas.dataset.mode = mode; // the style sheet sets cursor and touch-action by it
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = this.at(event);
    const adds = event.shiftKey || event.ctrlKey || event.metaKey;
    this.pointers.set(event.pointerId, { x, y, startX: x, startY: y, adds, touch: event.pointerType !== "mouse" });
    this.dragging = this.pointers.size > 1;
    this.region = null;
    this.kind = event.shiftKey && this.mode === "pan" ? "box" : this.mode;
  }

  move(event) {
    const [x, y] = this.at(event);
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) {
      if (event.pointerType === "mouse") this.board.hoverAt(this.board.pick(x, y, REACH));
      return;
    }
    const [dx, dy] = [x - pointer.x, y - pointer.y];
    if (this.pointers.size === 2) {
      this.pinch(event.pointerId, x, y);
      return;
    }
    const slop = pointer.touch ? SLOP_TOUCH : SLOP;
    if (!this.dragging && Math.hypot(x - pointer.startX, y - pointer.startY) < slop) return;
    if (!this.dragging) this.board.hoverAt(-1);
    this.dragging = true;
    if (this.kind === "pan") this.drag(dx, dy, event.altKey || event.ctrlKey || event.metaKey);
    else this.draw(pointer, x, y);
    [pointer.x, pointer.y] = [x, y];
    this.board.viewChanged();
  }

  /** In three dimensions a drag turns the cloud; with a modifier it moves it. */
  drag(dx, dy, modified) {
    const { camera } = this.board;
    if (camera.flat || modified) camera.pan(dx, dy);
    else camera.turn(dx, dy);
  }

  draw({ startX, startY }, x, y) {
    if (this.kind === "box") {
      this.region = [[startX, startY], [x, startY], [x, y], [startX, y]]; // prettier-ignore
    } else {
      this.region ??= [[startX, startY]];
      this.region.push([x, y]);
    }
  }

  pinch(id, x, y) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const pointer = this.pointers.get(id);
    const before = Math.hypot(pointer.x - other.x, pointer.y - other.y) || 1;
    const after = Math.hypot(x - other.x, y - other.y) || 1;
    const { camera } = this.board;
    camera.pan((x - pointer.x) / 2, (y - pointer.y) / 2);
    camera.zoomAt((x + other.x) / 2, (y + other.y) / 2, after / before);
    [pointer.x, pointer.y] = [x, y];
    this.region = null;
    this.board.viewChanged();
  }

  up(event) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    this.pointers.delete(event.pointerId);
    if (this.pointers.size) return; // one finger of a pinch is still down
    const { board, region } = this;
    this.region = null;
    if (region) board.selectRows(this.rowsIn(region), pointer.adds);
    else if (!this.dragging) {
      const row = board.pick(pointer.x, pointer.y, pointer.touch ? REACH_TOUCH : REACH);
      if (pointer.touch) board.hoverAt(row);
      board.click(row, pointer.adds);
    }
    board.invalidate();
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.region = null;
    this.board.invalidate();
  }

  rowsIn(region) {
    const { screen } = this.board;
    const rows = [];
    for (let i = 0; i < screen.length / 2; i++) {
      if (inside(region, screen[2 * i], screen[2 * i + 1])) rows.push(i);
    }
    return rows;
  }

  wheel(event) {
    const { camera } = this.board;
    // Zoomed all the way out, the wheel scrolls the page again, so that the map is no trap.
    if (event.deltaY > 0 && camera.atLeast) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0016; // a pinch on a touchpad comes as ctrl + small deltas
    const [x, y] = this.at(event);
    camera.zoomAt(x, y, Math.exp(-event.deltaY * lines * speed));
    this.board.viewChanged();
  }
}
