// What a person does on the board: point at, select, mark, search. The board extends this class; apart so
// that each file can be read at one sitting.

import { search } from "./model.js";

const HOVER_REST_MS = 300; // before a hover is reported to Python

export class Person {
  /** The point nearest to a place on the canvas, within `reach` pixels; -1 for none. */
  pick(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    for (let i = 0; i < this.screen.length / 2; i++) {
      const distance = (this.screen[2 * i] - x) ** 2 + (this.screen[2 * i + 1] - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  neighboursOf(i) {
    const { neighbours, neighbourCount } = this.model;
    if (!neighbours) return [];
    return [...neighbours.subarray(i * neighbourCount, (i + 1) * neighbourCount)].filter((j) => j !== i);
  }

  hoverAt(i) {
    if (i === this.hover) return;
    this.hover = i;
    this.chrome.canvas.style.cursor = i >= 0 ? "pointer" : "";
    this.chrome.setTooltip(i >= 0 ? i : this.focus);
    this.invalidate();
    if (!this.model.reportHover) return;
    clearTimeout(this.hoverTimer);
    this.hoverTimer = setTimeout(() => this.setState("hovered", this.model.ids[i] ?? null), HOVER_REST_MS);
  }

  /** Keyboard focus on point i; brings it into view and says its text. */
  focusOn(i, say) {
    this.focus = i;
    this.chrome.setTooltip(i);
    if (i >= 0) {
      const [x, y] = [this.screen[2 * i], this.screen[2 * i + 1]];
      if (!(x > 20 && y > 60 && x < this.width - 20 && y < this.height - 20)) this.camera.centre(x, y);
      if (say) {
        const { texts, group, groupNames, ids } = this.model;
        const place = `${i + 1} of ${ids.length}`;
        const chosen = this.selected.has(ids[i]) ? ", selected" : "";
        this.chrome.say([texts[i], groupNames[group[i]], place].filter(Boolean).join(". ") + chosen);
      }
    }
    this.invalidate();
  }

  escape() {
    this.hoverAt(-1);
    if (this.focus >= 0) this.focusOn(-1, false);
    if (this.matches) this.chrome.clearSearch();
    this.select([]);
  }

  // ---- selection -----------------------------------------------------------------------------------

  click(row, adds) {
    if (row < 0) {
      if (!adds) this.select([]);
      return;
    }
    const id = this.model.ids[row];
    const others = [...this.selected].filter((other) => other !== id);
    if (adds) this.select(this.selected.has(id) ? others : [...others, id]);
    else this.select(this.selected.has(id) && !others.length ? [] : [id]);
  }

  selectRows(rows, adds) {
    const ids = rows.map((i) => this.model.ids[i]);
    this.select(adds ? [...new Set([...this.selected, ...ids])] : ids);
  }

  select(ids) {
    if (this.sameIds([...this.selected], ids)) return;
    this.selected = new Set(ids);
    this.showSelection();
    this.echoes.add(ids.join());
    this.setState("selected", ids);
  }

  showSelection() {
    this.chrome.setSelection(this.selected.size, this.model.canMark);
    this.root.dataset.selected = String(this.selected.size);
    this.invalidate();
  }

  /** Python's wish. What it says is often our own selection of a moment ago: that is no wish. */
  takeSelection(ids) {
    const known = new Set(this.model.ids);
    const text = ids?.join();
    if (ids && text !== this.lastWish) {
      this.lastWish = text;
      if (!this.echoes.delete(text)) this.selected = new Set(ids);
    }
    this.selected = new Set([...this.selected].filter((id) => known.has(id)));
    this.showSelection();
  }

  mark(kind) {
    const ids = [...this.selected];
    this.setTrigger("action", { kind, ids });
    this.chrome.say(`Marked ${ids.length} as ${kind}`);
  }

  // ---- search --------------------------------------------------------------------------------------

  find(query) {
    const rows = this.model ? search(this.model.texts, query) : null;
    this.matches = rows && new Set(rows);
    this.matchAt = -1;
    this.chrome.setFound(rows ? rows.length : null);
    if (rows?.length) this.centreOn(rows);
    this.invalidate();
  }

  nextMatch() {
    if (!this.matches?.size) return;
    const rows = [...this.matches];
    this.matchAt = (this.matchAt + 1) % rows.length;
    this.focusOn(rows[this.matchAt], true);
    this.centreOn([rows[this.matchAt]]);
  }

  centreOn(rows) {
    const mean = (offset) => rows.reduce((sum, i) => sum + this.screen[2 * i + offset], 0) / rows.length;
    this.camera.centre(mean(0), mean(1));
    this.viewChanged();
  }
}
