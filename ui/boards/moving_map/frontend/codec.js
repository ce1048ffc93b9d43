// Reads the bytes that core/runs/encoding.py writes: one JSON header, then raw arrays.

const KINDS = { f4: Float32Array, u2: Uint16Array };

/** @returns {{header: object, arrays: Object<string, {data: TypedArray, shape: number[]}>}} */
export function unpack(bytes) {
  // slice() copies to a buffer of its own: a Float32Array must start at a multiple of 4 bytes,
  // and the bytes Streamlit hands over are a view into the middle of a message. A socket's are a buffer already.
  const buffer = bytes instanceof ArrayBuffer ? bytes : bytes.slice().buffer;
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  let offset = 4 + length;
  for (const [name, kind, shape] of header.arrays) {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = new KINDS[kind](buffer, offset, count);
    arrays[name] = { data, shape };
    offset += Math.ceil(data.byteLength / 4) * 4;
  }
  return { header, arrays };
}

/** Positions (n, 2) or (n, 3) as (n, 3), so that the rest of the code knows one form only. */
export function positions({ data, shape }) {
  const [n, dims] = shape.slice(-2);
  if (dims === 3) return data;
  const out = new Float32Array(n * 3);
  for (let i = 0; i < n; i++) {
    out[3 * i] = data[2 * i];
    out[3 * i + 1] = data[2 * i + 1];
  }
  return out;
}

/** Replay frames (T, n, 2|3) as T arrays of (n, 3). */
export function frameList({ data, shape }) {
  const [count, n, dims] = shape;
  const size = n * dims;
  return Array.from({ length: count }, (_, t) =>
    positions({ data: data.subarray(t * size, (t + 1) * size), shape: [n, dims] }),
  );
}
