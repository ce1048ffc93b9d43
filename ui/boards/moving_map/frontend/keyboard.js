// The map without a mouse: arrow keys walk from point to point, Enter selects, + and - zoom.

const DIRECTIONS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOM = 1.3;

/** The nearest point in a direction, counting distance aside double; -1 when there is none. */
export function nextPoint(screen, from, [dx, dy]) {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < screen.length / 2; i++) {
    if (i === from) continue;
    const x = screen[2 * i] - screen[2 * from];
    const y = screen[2 * i + 1] - screen[2 * from + 1];
    const ahead = x * dx + y * dy;
    const aside = Math.abs(x * dy - y * dx);
    if (!(ahead > 0) || aside > 2 * ahead) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [best, least] = [i, cost];
  }
  return best;
}

export function listenToKeys(board, canvas, signal) {
  canvas.addEventListener("keydown", (event) => handle(board, event), { signal });
  canvas.addEventListener("blur", () => board.focusOn(-1, false), { signal });
}

function handle(board, event) {
  const { camera, focus } = board;
  const [mx, my] = camera.middle;
  const actions = {
    Enter: () => focus >= 0 && board.click(focus, event.shiftKey || event.ctrlKey || event.metaKey),
    Escape: () => board.escape(),
    "+": () => camera.zoomAt(mx, my, ZOOM),
    "=": () => camera.zoomAt(mx, my, ZOOM),
    "-": () => camera.zoomAt(mx, my, 1 / ZOOM),
    0: () => board.fit(),
    Home: () => board.fit(),
    "/": () => board.chrome.search.focus(),
  };
  actions[" "] = actions.Enter;
  const direction = DIRECTIONS[event.key];
  if (direction) {
    const near = focus < 0 ? board.pick(mx, my, Infinity) : nextPoint(board.screen, focus, direction);
    if (near >= 0) board.focusOn(near, true);
  } else if (actions[event.key]) actions[event.key]();
  else return;
  event.preventDefault();
  board.viewChanged();
}
