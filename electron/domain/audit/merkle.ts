/**
 * The Merkle tree of RFC 6962 §2.1 with SHA-256: leaf = H(0x00 ‖ entry), node = H(0x01 ‖ left ‖ right). Pure functions; where
 * the hashes of complete subtrees come from is the caller's business (`HashSource`).
 */
import { hash } from 'node:crypto';

export type Hash = Uint8Array;

/** The hash of the complete subtree of 2^level leaves that starts at leaf `index · 2^level`. */
export type HashSource = (level: number, index: number) => Hash;

export function leafHash(entry: Uint8Array): Hash {
  return hash('sha256', Buffer.concat([Uint8Array.of(0), entry]), 'buffer');
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return hash('sha256', Buffer.concat([Uint8Array.of(1), left, right]), 'buffer');
}

export const emptyRoot: Hash = hash('sha256', new Uint8Array(), 'buffer');

/** Root of the leaves [start, end), where `start` is a multiple of the subtree's size (MTH, §2.1). */
export function rangeHash(start: number, end: number, source: HashSource): Hash {
  const size = end - start;
  if (size === 0) return emptyRoot;
  const level = Math.log2(size);
  if (Number.isInteger(level) && start % size === 0) return source(level, start / size);
  const split = start + largestPowerBelow(size);
  return nodeHash(rangeHash(start, split, source), rangeHash(split, end, source));
}

/** PATH(index, D[size]) of §2.1.1: sibling hashes from the leaf up. */
export function inclusionProof(index: number, size: number, source: HashSource): Hash[] {
  const path = (start: number, end: number): Hash[] => {
    if (end - start === 1) return [];
    const split = start + largestPowerBelow(end - start);
    return index < split
      ? [...path(start, split), rangeHash(split, end, source)]
      : [...path(split, end), rangeHash(start, split, source)];
  };
  return path(0, size);
}

/** The root that the proof leads to (RFC 9162 §2.1.3.2), or undefined when it does not fit index and size. */
export function rootFromInclusionProof(options: {
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Hash[];
}): Hash | undefined {
  const { index, size, proof } = options;
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return undefined;
  let node = index;
  let last = size - 1;
  let root = options.leaf;
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      root = nodeHash(sibling, root);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = nodeHash(root, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? root : undefined;
}

/** PROOF(oldSize, D[size]) of §2.1.2, for 0 < oldSize <= size. */
export function consistencyProof(oldSize: number, size: number, source: HashSource): Hash[] {
  const proof = (old: number, start: number, end: number, whole: boolean): Hash[] => {
    if (old === end - start) return whole ? [] : [rangeHash(start, end, source)];
    const half = largestPowerBelow(end - start);
    return old <= half
      ? [...proof(old, start, start + half, whole), rangeHash(start + half, end, source)]
      : [...proof(old - half, start + half, end, false), rangeHash(start, start + half, source)];
  };
  return oldSize === size ? [] : proof(oldSize, 0, size, true);
}

/** Whether the tree of `oldSize` is a prefix of the tree of `size` (RFC 9162 §2.1.4.2). */
export function isConsistent(options: {
  readonly oldSize: number;
  readonly oldRoot: Hash;
  readonly size: number;
  readonly root: Hash;
  readonly proof: readonly Hash[];
}): boolean {
  const { oldSize, size, oldRoot, root } = options;
  if (oldSize === size) return options.proof.length === 0 && sameHash(oldRoot, root);
  if (oldSize < 1 || oldSize > size) return false;
  const path = Number.isInteger(Math.log2(oldSize))
    ? [oldRoot, ...options.proof]
    : [...options.proof];
  const first = path.shift();
  if (first === undefined) return false;
  let node = oldSize - 1;
  let last = size - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  let older = first;
  let newer = first;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      newer = nodeHash(newer, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && sameHash(older, oldRoot) && sameHash(newer, root);
}

/** Adds leaves one by one and hands out each subtree as it becomes complete: the only writer of tree hashes. */
export function createTreeBuilder(start: { readonly size: number; readonly source: HashSource }): {
  readonly size: () => number;
  add(leaf: Hash): { readonly level: number; readonly index: number; readonly hash: Hash }[];
  root(): Hash;
} {
  let size = start.size;
  /** Roots of the complete subtrees that make up the tree, largest first. */
  const stack: { level: number; hash: Hash }[] = [];
  for (let offset = 0, rest = size; rest > 0;) {
    const level = Math.floor(Math.log2(rest));
    stack.push({ level, hash: start.source(level, offset / 2 ** level) });
    offset += 2 ** level;
    rest -= 2 ** level;
  }
  return {
    size: () => size,
    add(leaf) {
      const completed = [{ level: 0, index: size, hash: leaf }];
      let top = { level: 0, hash: leaf };
      for (
        let below = stack.at(-1);
        below !== undefined && below.level === top.level;
        below = stack.at(-1)
      ) {
        stack.pop();
        top = { level: top.level + 1, hash: nodeHash(below.hash, top.hash) };
        completed.push({
          level: top.level,
          index: Math.floor(size / 2 ** top.level),
          hash: top.hash,
        });
      }
      stack.push(top);
      size += 1;
      return completed;
    },
    root() {
      const right = stack.at(-1);
      if (right === undefined) return emptyRoot;
      return stack
        .slice(0, -1)
        .reduceRight((root, { hash: left }) => nodeHash(left, root), right.hash);
    },
  };
}

export function sameHash(a: Hash, b: Hash): boolean {
  return Buffer.compare(a, b) === 0;
}

function largestPowerBelow(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1);
}
