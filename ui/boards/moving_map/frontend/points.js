// How points look: colour, shape and size. The map and the exported replay page (core/export/replay_page.py)
// read this one file; the page, which is no module, leaves out the word "export".

// Okabe and Ito's palette; "TEXT" stands for the text colour of the theme.
export const GROUPS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "TEXT"];

export const SHAPES = ["circle", "square", "triangle", "diamond", "wedge", "cross", "star", "hexagon"];

/** Colour and shape of group number g; after 8 groups the shapes shift, so 64 groups stay different. */
export function groupLook(g, colours) {
  if (g < 0) return { colour: null, shape: "circle" };
  const round = Math.floor(g / colours.length);
  return { colour: colours[g % colours.length], shape: SHAPES[(g + round) % SHAPES.length] };
}

function polygon(context, x, y, radius, corners, turn) {
  for (let i = 0; i < corners; i++) {
    const angle = turn + (i * 2 * Math.PI) / corners;
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  context.closePath();
}

/** Trace a shape of about the same area whichever it is. */
export function trace(context, shape, x, y, r) {
  context.beginPath();
  if (shape === "square") context.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76);
  else if (shape === "triangle") polygon(context, x, y + r * 0.2, r * 1.3, 3, -Math.PI / 2);
  else if (shape === "wedge") polygon(context, x, y - r * 0.2, r * 1.3, 3, Math.PI / 2);
  else if (shape === "diamond") polygon(context, x, y, r * 1.22, 4, 0);
  else if (shape === "hexagon") polygon(context, x, y, r * 1.08, 6, 0);
  else if (shape === "cross") {
    const [a, b] = [r * 1.1, r * 0.42];
    const corners = [
      [-b, -a], [b, -a], [b, -b], [a, -b], [a, b], [b, b],
      [b, a], [-b, a], [-b, b], [-a, b], [-a, -b], [-b, -b],
    ]; // prettier-ignore
    corners.forEach(([dx, dy]) => context.lineTo(x + dx, y + dy));
    context.closePath();
  } else if (shape === "star") {
    for (let i = 0; i < 10; i++) {
      const reach = i % 2 ? r * 0.6 : r * 1.35;
      const angle = -Math.PI / 2 + (i * Math.PI) / 5;
      context.lineTo(x + reach * Math.cos(angle), y + reach * Math.sin(angle));
    }
    context.closePath();
  } else context.arc(x, y, r, 0, 2 * Math.PI);
}

/** In CSS pixels, of n points at this zoom. */
export function pointRadius(n, zoom) {
  const base = n <= 60 ? 6.5 : n <= 300 ? 5 : n <= 1000 ? 3.8 : 3;
  return Math.min(11, base * Math.pow(Math.max(1, zoom), 0.3));
}
