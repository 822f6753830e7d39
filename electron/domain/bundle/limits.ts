/** The bounds of the gate, in one place. What is over a bound is refused with the code `limit`, never cut. */
export const gateLimits = Object.freeze({
  entries: 10_000,
  totalBytes: 64 * 2 ** 30,
  /** Unpacked to packed, for archives that unpack to more than `ratioFreeBytes`. */
  ratio: 100,
  ratioFreeBytes: 16 * 2 ** 20,
  /** Of a Zstandard archive. */
  frames: 10_000,
  pathLength: 1024,
  pathDepth: 32,
  /** OCI indexes and manifests (registries take 4 MiB), and lists of digests. */
  manifestBytes: 4 * 2 ** 20,
  manifests: 1000,
  manifestDepth: 3,
  /** Of a compressed OCI layout, for layers that are used more than once. */
  readings: 8,
  /** Of a split archive; each is kept open while it is read. */
  parts: 500,
  /** Files that are read as text: signature, card, pipeline, golden vectors. */
  textBytes: 16 * 2 ** 20,
  /** Protocol Buffers cannot hold more in one message, so the runtime cannot load it. */
  modelBytes: 2 ** 31 - 1,
  /** Each has a process of its own while it is scanned. */
  models: 64,
  graphDepth: 32,
  functionDepth: 100,
  functions: 10_000,
  nodes: 500_000,
  /** Inputs and outputs of a model. */
  columns: 10_000,
  /** Values of one tensor that a graph makes from its own constants. */
  constantValues: 2 ** 30,
});
