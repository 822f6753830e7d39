import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import type { GraphNode } from '#shared/contract/graph.ts';
import { typeWords } from './words.ts';

const lineHeight = 32;

/** The same graph as lines of text, in the order of the drawing. */
export function NodeTable({
  nodes,
  chosen,
  onChoose,
}: {
  readonly nodes: readonly GraphNode[];
  readonly chosen: GraphNode | undefined;
  readonly onChoose: (node: GraphNode) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: nodes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 12,
  });
  const at = chosen === undefined ? -1 : nodes.findIndex(({ id }) => id === chosen.id);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at);
    // Only when another one is chosen, not while somebody scrolls.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [at]);
  return (
    <div className="graph-table">
      <div className="line-head" aria-hidden>
        <span>Operator</span>
        <span>Name</span>
        <span>Weights</span>
        <span>Gives</span>
      </div>
      <div className="virtual" ref={scroller} role="group" aria-label="Nodes">
        <div style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const node = nodes[index];
            if (node === undefined) return null;
            return (
              <button
                type="button"
                className="line"
                key={node.id}
                aria-pressed={node.id === chosen?.id}
                style={{ transform: `translateY(${start}px)` }}
                onClick={() => onChoose(node)}
              >
                <span>{node.kind === 'operator' ? node.op : node.kind}</span>
                <span className="mono">{node.name}</span>
                <span className="mono">{node.kind === 'operator' ? node.note : ''}</span>
                <span className="quiet">{node.outputs.map(typeWords).join('; ')}</span>
              </button>
            );
          })}
        </div>
      </div>
    </div>
  );
}
