// Small helpers to build elements. Text only ever goes in as text, never as markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

// Drawn for this map on a grid of 16; strokes take the text colour.
const ICONS = {
  pan: "M8 1.5v13M1.5 8h13M8 1.5l-2 2M8 1.5l2 2M8 14.5l-2-2M8 14.5l2-2M1.5 8l2-2M1.5 8l2 2M14.5 8l-2-2M14.5 8l-2 2",
  turn: "M13.5 8a5.5 5.5 0 1 1-2-4.2M12 1v3H9",
  box: "M2 4V2h2M7 2h2M12 2h2v2M14 7v2M14 12v2h-2M9 14H7M4 14H2v-2M2 9V7",
  lasso: "M5 11.5C2.500 10.600 1.500 9 1.500 7c0-2.800 2.900-5 6.500-5s6.500 2.200 6.500 5-2.900 5-6.500 5c-.700 0-1.400-.1-2-.2M4.700 13.200a1.500 1.500 0 1 0 0-.01M4.500 14.500l-1.500 1",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M8 1.500v3M8 11.500v3M1.500 8h3M11.500 8h3M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  play: "M4.500 2.800v10.400L13 8z",
  pause: "M5 3v10M11 3v10",
  search: "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.300 10.300 14 14",
  close: "M4 4l8 8M12 4l-8 8",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onclick, attributes = {}) {
  return el("button", { type: "button", title: label, "aria-label": label, onclick, ...attributes }, icon(name));
}
