// Streamlit makes an entry of the browser's history of every change of an address. Then Back would step through
// each setting that a page wrote there by itself. Here an entry is made where a person went somewhere: to another
// page, or, having done something, to another place on it. Everything else changes the entry that is there.
(() => {
  const push = history.pushState.bind(history);
  let acted = false; // since the newest entry
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (acted = true), true);
  addEventListener("popstate", () => (acted = false), true);
  const place = (url) => PLACES.map((name) => url.searchParams.get(name)).join("\n");
  history.pushState = (state, title, to) => {
    const from = new URL(location.href);
    const next = new URL(to ?? "", from);
    const goes = next.pathname !== from.pathname || (acted && place(next) !== place(from));
    if (!goes) return history.replaceState(state, title, to);
    acted = false; // one act, one entry, however many changes of the address follow
    push(state, title, to);
  };
})();
