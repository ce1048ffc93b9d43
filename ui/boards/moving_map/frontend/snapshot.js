// A read-only view of what is drawn, for tests and for the curious at the console:
// `__movingMap[key].positions`.

export function snapshotOf(board) {
  const rows = (array, width) =>
    Object.fromEntries(
      board.model.ids.map((id, i) => [id, [...array.subarray(width * i, width * (i + 1))]]),
    );
  const read = {
    positions: () => rows(board.xyz, 3),
    screen: () => rows(board.screen, 2),
    labels: () =>
      board.labels.placed.map(({ i, dx, dy, w, h }) => ({
        id: board.model.ids[i],
        x: board.screen[2 * i] + dx,
        y: board.screen[2 * i + 1] + dy,
        w,
        h,
      })),
    selected: () => [...board.selected],
    steps: () => board.motion.steps,
    zoom: () => board.camera.zoom,
    moving: () => board.motion.moving,
    moves: () => board.moves,
    paints: () => board.paints,
    dark: () => board.theme?.dark,
  };
  const snapshot = {};
  for (const [name, get] of Object.entries(read)) Object.defineProperty(snapshot, name, { get, enumerable: true });
  return Object.freeze(snapshot);
}
