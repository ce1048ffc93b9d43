// The feed: hands the bytes of one frame to the board, which lives outside the ticking fragment.
// Streamlit re-sends this file at every tick, so it only passes on; the board does the reading.
const waiting = new WeakMap();

export default function feed({ data, parentElement }) {
  const hand = () => window.dispatchEvent(new CustomEvent("moving-map:frame", { detail: data }));
  window.removeEventListener("moving-map:hello", waiting.get(parentElement));
  window.addEventListener("moving-map:hello", hand);
  waiting.set(parentElement, hand);
  // An empty element would still take one gap of the page's column.
  const box = parentElement.host?.closest(".stElementContainer");
  if (box) box.style.display = "none";
  if (data) hand();
  return () => window.removeEventListener("moving-map:hello", waiting.get(parentElement));
}
