// Gives an element the height that the window leaves below its top edge.

const LEAST = 150; // CSS pixels

/** Keep `element` as high as the window allows, less `below` pixels. @returns the function that ends it. */
export function fill(element, below) {
  const size = () => {
    const scroller = element.getRootNode().host?.closest?.("[data-testid=stMain]") ?? document.querySelector("[data-testid=stMain]");
    const top = element.getBoundingClientRect().top + (scroller?.scrollTop ?? 0);
    const beside = innerWidth > 640; // narrower, Streamlit puts columns below each other
    element.style.height = beside ? `${Math.max(LEAST, innerHeight - top - below)}px` : "";
  };
  const watch = new ResizeObserver(size);
  watch.observe(document.body);
  const parent = element.getRootNode().host?.closest?.("[data-testid=stMainBlockContainer]");
  if (parent) watch.observe(parent);
  window.addEventListener("resize", size);
  size();
  requestAnimationFrame(size);
  return () => {
    watch.disconnect();
    window.removeEventListener("resize", size);
  };
}
