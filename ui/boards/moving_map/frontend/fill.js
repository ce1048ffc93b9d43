// Gives an element the height that the window leaves below its top edge.

const LEAST = 150; // CSS pixels
const NARROW = 640;

/** Keep `element` as high as the window allows, less `below` pixels. In a narrow window, where Streamlit puts
 * columns below each other, less `narrow`, or as high as it likes. @returns the function that ends it. */
export function fill(element, below, narrow = null) {
  const size = () => {
    const scroller = element.getRootNode().host?.closest?.("[data-testid=stMain]") ?? document.querySelector("[data-testid=stMain]");
    const top = element.getBoundingClientRect().top + (scroller?.scrollTop ?? 0);
    const less = innerWidth > NARROW ? below : narrow;
    element.style.height = less === null ? "" : `${Math.max(LEAST, innerHeight - top - less)}px`;
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
