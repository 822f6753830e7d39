import { expect, test } from 'vitest';
import {
  consistencyProof,
  createTreeBuilder,
  emptyRoot,
  inclusionProof,
  isConsistent,
  leafHash,
  nodeHash,
  rangeHash,
  rootFromInclusionProof,
  sameHash,
  type Hash,
} from '../../../../electron/domain/audit/merkle.ts';

const base64 = (hash: Hash): string => Buffer.from(hash).toString('base64');

function treeOf(size: number): {
  leaves: Hash[];
  source: (level: number, index: number) => Hash;
  root: Hash;
} {
  const leaves = Array.from({ length: size }, (_, index) =>
    leafHash(Buffer.from(`entry-${index}`)),
  );
  const source = (level: number, index: number): Hash =>
    level === 0
      ? (leaves[index] ?? emptyRoot)
      : nodeHash(source(level - 1, 2 * index), source(level - 1, 2 * index + 1));
  return { leaves, source, root: rangeHash(0, size, source) };
}

test('gives the roots that other implementations give', () => {
  expect(Buffer.from(leafHash(new Uint8Array())).toString('hex')).toBe(
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  );
  const golden = new Map([
    [0, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
    [1, 'QHZrIDNCkCb1PVRQJnmoOXBrR0H43K86i7pfQbX/4HU='],
    [2, 'LyelCCwdQq+kiKw1Cp/EOQwIT1T3Hs3/hZ6Y24QptHk='],
    [3, 'pkvybgkSj2/i/m+LLYyAHhZrV8BHp82bK4Ceepai8cs='],
    [5, 'GqaNMHSQWlgfhMu9D3U3lJBP2ARRvEwT5p2aU7xZUCw='],
  ]);
  for (const [size, root] of golden) expect(base64(treeOf(size).root), `size ${size}`).toBe(root);
});

test('the builder hands out each complete subtree once and has the same root, from any start', () => {
  for (let size = 0; size <= 40; size += 1) {
    const { leaves, source, root } = treeOf(size);
    for (const start of [0, Math.floor(size / 3), size]) {
      const tree = createTreeBuilder({ size: start, source });
      for (const leaf of leaves.slice(start)) {
        for (const node of tree.add(leaf))
          expect(base64(node.hash)).toBe(base64(source(node.level, node.index)));
      }
      expect(base64(tree.root())).toBe(base64(root));
    }
  }
});

test('every inclusion proof holds for its own leaf, index and size, and for no other', () => {
  for (let size = 1; size <= 33; size += 1) {
    const { leaves, source, root } = treeOf(size);
    for (const [index, leaf] of leaves.entries()) {
      const proof = inclusionProof(index, size, source);
      const holds = (change: Partial<Parameters<typeof rootFromInclusionProof>[0]>): boolean => {
        const found = rootFromInclusionProof({ leaf, index, size, proof, ...change });
        return found !== undefined && sameHash(found, root);
      };
      expect(holds({})).toBe(true);
      expect(holds({ leaf: leafHash(Buffer.from('other')) })).toBe(false);
      expect(holds({ proof: [...proof, leaf] })).toBe(false);
      if (proof.length > 0) expect(holds({ proof: proof.slice(1) })).toBe(false);
      for (let other = 0; other < size; other += 1)
        if (other !== index) expect(holds({ index: other })).toBe(false);
    }
  }
});

test('every consistency proof holds for its own trees and for no others', () => {
  for (let size = 1; size <= 33; size += 1) {
    const { source, root } = treeOf(size);
    for (let oldSize = 1; oldSize <= size; oldSize += 1) {
      const oldRoot = treeOf(oldSize).root;
      const proof = consistencyProof(oldSize, size, source);
      expect(isConsistent({ oldSize, oldRoot, size, root, proof })).toBe(true);
      expect(isConsistent({ oldSize, oldRoot: emptyRoot, size, root, proof })).toBe(false);
      expect(isConsistent({ oldSize, oldRoot, size, root: emptyRoot, proof })).toBe(false);
      expect(isConsistent({ oldSize, oldRoot, size, root, proof: [...proof, root] })).toBe(false);
      if (oldSize > 1 && oldSize < size)
        expect(isConsistent({ oldSize: oldSize - 1, oldRoot, size, root, proof })).toBe(false);
    }
  }
});
