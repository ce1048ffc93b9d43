// What the board shows apart from where the points are: texts, groups, neighbours, forces. Made from
// the bytes Python sent; parts of it are replaced when a feed brings newer ones.

import { positions } from "./codec.js";

export function readModel({ header, arrays }) {
  const model = {
    ids: header.ids,
    texts: header.texts,
    group: header.group,
    groupNames: header.groupNames,
    colorBy: header.colorBy,
    valuesLabel: header.valuesLabel,
    labels: header.labels,
    trails: header.trails,
    ghostLabel: header.ghostLabel,
    canMark: header.canMark,
    reportHover: header.reportHover,
    showsForces: header.showsForces,
    heldOut: new Set(header.heldOut ?? []),
    canContinue: header.canContinue,
    named: new Set(header.named ?? []),
    space: header.space,
    height: header.height,
    flat: (arrays.frames ?? arrays.xy).shape.at(-1) === 2,
    ghost: arrays.ghost ? positions(arrays.ghost) : null,
    extent: arrays.extent ? positions(arrays.extent) : null,
    link: header.link,
    values: null,
    neighbours: null,
    forces: null,
  };
  takeFrameParts(model, arrays);
  return model;
}

/** The parts that may come with every frame; what a frame leaves out stays as it was. */
export function takeFrameParts(model, arrays) {
  if (arrays.values) model.values = arrays.values.data;
  if (arrays.neighbours) {
    model.neighbours = arrays.neighbours.data;
    model.neighbourCount = arrays.neighbours.shape[1];
  }
  if (arrays.forceRows) {
    const values = arrays.forceValues.data;
    const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1;
    model.forces = { rows: arrays.forceRows.data, values, largest };
  }
}

/** A run's message (core/runs/messages.py) as a feed would have brought it. */
export function frameOf({ header, arrays }, { colorBy, showsForces }) {
  const { xy, forceRows, forceValues } = arrays;
  const values = { trust: arrays.trust, movement: arrays.moved }[colorBy];
  const forces = showsForces ? { forceRows, forceValues } : {};
  return { header: { step: header.drawn, space: header.space }, arrays: { xy, values, ...forces } };
}

/** For each id of `ids` its row among `old`, or -1. */
export function matchRows(old, ids) {
  const row = new Map(old.map((id, i) => [id, i]));
  return ids.map((id) => row.get(id) ?? -1);
}

/** Distance of every point from where it was in `reference`, in map units. */
export function distances(xyz, reference) {
  const out = new Float32Array(xyz.length / 3);
  for (let i = 0; i < out.length; i++) {
    const at = 3 * i;
    out[i] = Math.hypot(
      xyz[at] - reference[at],
      xyz[at + 1] - reference[at + 1],
      xyz[at + 2] - reference[at + 2],
    );
  }
  return out;
}

/** The rows of the `count` largest values above zero, largest first. */
export function largest(values, count) {
  return [...values.keys()].filter((i) => values[i] > 0).sort((a, b) => values[b] - values[a]).slice(0, count);
}

/** Rows whose text contains the query, whatever the case or the width of its letters. */
export function search(texts, query) {
  const plain = (text) => text.normalize("NFKC").toLocaleLowerCase();
  const wanted = plain(query.trim());
  if (!wanted) return null;
  return texts.flatMap((text, i) => (plain(text).includes(wanted) ? [i] : []));
}
