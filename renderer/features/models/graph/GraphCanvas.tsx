import { useCallback, useEffect, useRef, type KeyboardEvent, type PointerEvent } from 'react';
import { nodeHeight, type GraphNode } from '#shared/contract/graph.ts';
import { Button } from '../../../ui/Button.tsx';
import { drawFrame, readInk, type View } from './draw.ts';
import type { LoadedGraph } from './use-graph.ts';

/** Pixels that the pointer may move in a click. */
const clickPixels = 4;
const mostZoom = 2;
const keyStep = 60;

/**
 * The drawing. Dragging and two fingers move it, pinching or Ctrl with the wheel zooms; the keys are told in its label. What can
 * be read here stands in the table of nodes too, for those who do not see a drawing.
 */
export function GraphCanvas({
  graph,
  chosen,
  matches,
  onChoose,
}: {
  readonly graph: LoadedGraph;
  readonly chosen: GraphNode | undefined;
  readonly matches: ReadonlySet<number>;
  readonly onChoose: (node: GraphNode | undefined) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<View>(undefined);
  const frame = useRef(0);
  const size = useRef<Size>(undefined);
  const drag = useRef<{ x: number; y: number; moved: boolean }>(undefined);
  const { scene } = graph;

  const draw = useCallback((): void => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => {
      const element = canvas.current;
      const context = element?.getContext('2d', { alpha: false });
      if (element === null || context === null || context === undefined) return;
      const { width, height } = sizeOf(element);
      // Large screens enlarge the whole page, beside what the device does.
      const density = (devicePixelRatio * element.getBoundingClientRect().width) / width;
      const [wide, high] = [Math.round(width * density), Math.round(height * density)];
      if (element.width !== wide || element.height !== high) {
        element.width = wide;
        element.height = high;
      }
      view.current ??= startView(scene.bounds, { width, height });
      // What was in the middle stays there when the window changes its size.
      const { width: lastWidth, height: lastHeight } = size.current ?? { width, height };
      const { x, y, zoom } = view.current;
      view.current = {
        x: x + (lastWidth - width) / 2 / zoom,
        y: y + (lastHeight - height) / 2 / zoom,
        zoom,
      };
      size.current = { width, height };
      context.setTransform(density, 0, 0, density, 0, 0);
      drawFrame(
        context,
        scene,
        { view: view.current, width, height, chosen: chosen?.id, matches },
        readInk(),
      );
    });
  }, [scene, chosen, matches]);

  useEffect(draw, [draw]);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const resized = new ResizeObserver(draw);
    resized.observe(element);
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      resized.disconnect();
      theme.disconnect();
    };
  }, [draw]);

  const move = useCallback(
    (right: number, down: number): void => {
      const { x, y, zoom } = view.current ?? { x: 0, y: 0, zoom: 1 };
      view.current = { x: x + right / zoom, y: y + down / zoom, zoom };
      draw();
    },
    [draw],
  );
  const zoomBy = useCallback(
    (factor: number, at?: { readonly x: number; readonly y: number }): void => {
      const element = canvas.current;
      if (element === null || view.current === undefined) return;
      const { width, height } = sizeOf(element);
      const { x: left = width / 2, y: top = height / 2 } = at ?? {};
      const { x, y, zoom } = view.current;
      const least = Math.min(0.5, fitZoom(scene.bounds, { width, height }));
      const next = Math.min(mostZoom, Math.max(least, zoom * factor));
      // What is under the pointer stays there.
      view.current = {
        x: x + left / zoom - left / next,
        y: y + top / zoom - top / next,
        zoom: next,
      };
      draw();
    },
    [draw, scene],
  );
  const fit = (): void => {
    const element = canvas.current;
    if (element === null) return;
    view.current = fitView(scene.bounds, sizeOf(element));
    draw();
  };

  // Chosen from a list or by a search: it comes into view. React's own listener of the wheel may not prevent its default.
  useEffect(() => {
    const element = canvas.current;
    if (element === null || view.current === undefined || chosen === undefined) return;
    view.current = viewWith(view.current, chosen, sizeOf(element));
    draw();
  }, [chosen, draw]);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      if (event.ctrlKey || event.metaKey)
        zoomBy(Math.exp(-event.deltaY * lines * 0.004), pointIn(element, event));
      else if (event.shiftKey && event.deltaX === 0) move(event.deltaY * lines, 0);
      else move(event.deltaX * lines, event.deltaY * lines);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [move, zoomBy]);

  const onPointerDown = (event: PointerEvent<HTMLCanvasElement>): void => {
    if (event.button > 1) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { ...pointIn(event.currentTarget, event), moved: false };
  };
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>): void => {
    const from = drag.current;
    const at = pointIn(event.currentTarget, event);
    if (from === undefined) {
      event.currentTarget.style.cursor = nodeAt(at) === undefined ? 'grab' : 'pointer';
      return;
    }
    const isFar = Math.hypot(at.x - from.x, at.y - from.y) > clickPixels;
    if (!from.moved && !isFar) return;
    event.currentTarget.style.cursor = 'grabbing';
    move(from.x - at.x, from.y - at.y);
    drag.current = { ...at, moved: true };
  };
  const onPointerUp = (event: PointerEvent<HTMLCanvasElement>): void => {
    const from = drag.current;
    drag.current = undefined;
    if (from?.moved === false) onChoose(nodeAt(pointIn(event.currentTarget, event)));
  };
  const nodeAt = (at: { readonly x: number; readonly y: number }): GraphNode | undefined => {
    const { x, y, zoom } = view.current ?? { x: 0, y: 0, zoom: 1 };
    return scene.nodeAt(x + at.x / zoom, y + at.y / zoom);
  };

  const neighbour = (key: string): GraphNode | undefined => {
    if (chosen === undefined) return scene.nodes[0];
    if (key === 'ArrowLeft' || key === 'ArrowRight')
      return scene.beside(chosen, key === 'ArrowLeft' ? 'left' : 'right');
    const [next] = (key === 'ArrowUp' ? graph.above : graph.below).get(chosen.id) ?? [];
    return next === undefined ? undefined : scene.nodes[next];
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === '+' || key === '=') zoomBy(1.25);
    else if (key === '-') zoomBy(0.8);
    else if (key === '0') fit();
    else if (key === 'Escape' && chosen !== undefined) onChoose(undefined);
    else if (key === 'PageDown' || key === 'PageUp') move(0, key === 'PageDown' ? 400 : -400);
    else if (key === 'Home' || key === 'End') onChoose(scene.nodes.at(key === 'Home' ? 0 : -1));
    else if (key.startsWith('Arrow') && event.shiftKey) {
      const sign = key === 'ArrowLeft' || key === 'ArrowUp' ? -1 : 1;
      const isAcross = key === 'ArrowLeft' || key === 'ArrowRight';
      move(isAcross ? sign * keyStep : 0, isAcross ? 0 : sign * keyStep);
    } else if (key.startsWith('Arrow')) {
      const next = neighbour(key);
      if (next !== undefined) onChoose(next);
    } else return;
    event.preventDefault();
  };

  return (
    <div className="graph-drawing">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label="Drawing of the graph. Arrow keys go along the edges, with Shift they move the drawing; plus and minus zoom, 0 shows all."
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => (drag.current = undefined)}
        onKeyDown={onKeyDown}
      />
      <div className="graph-zoom">
        <Button size="small" onClick={() => zoomBy(1.25)} title="Zoom in (+)">
          <span aria-hidden>+</span>
          <span className="visually-hidden">Zoom in</span>
        </Button>
        <Button size="small" onClick={() => zoomBy(0.8)} title="Zoom out (-)">
          <span aria-hidden>−</span>
          <span className="visually-hidden">Zoom out</span>
        </Button>
        <Button size="small" onClick={fit} title="Show all of it (0)">
          Show all
        </Button>
      </div>
    </div>
  );
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function sizeOf(element: HTMLElement): Size {
  return { width: Math.max(1, element.clientWidth), height: Math.max(1, element.clientHeight) };
}

/** In CSS pixels of the element, however the page is enlarged. */
function pointIn(
  element: HTMLElement,
  { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
): { readonly x: number; readonly y: number } {
  const { left, top, width } = element.getBoundingClientRect();
  const scale = width / Math.max(1, element.clientWidth);
  return { x: (clientX - left) / scale, y: (clientY - top) / scale };
}

const margin = 24;

interface Bounds {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

function fitZoom({ left, right, bottom }: Bounds, { width, height }: Size): number {
  return Math.min(
    1,
    (width - 2 * margin) / Math.max(1, right - left),
    (height - 2 * margin) / Math.max(1, bottom),
  );
}

function fitView(bounds: Bounds, size: Size): View {
  const zoom = Math.max(1e-6, fitZoom(bounds, size));
  return {
    x: (bounds.left + bounds.right) / 2 - size.width / 2 / zoom,
    y: bounds.bottom / 2 - size.height / 2 / zoom,
    zoom,
  };
}

/** The nearest view in which a node can be read, with some room around it. */
function viewWith({ x, y, zoom: before }: View, node: GraphNode, { width, height }: Size): View {
  const zoom = before < 0.4 ? 0.8 : before;
  const from =
    before < 0.4 ? { x: node.x - width / 2 / zoom, y: node.y - height / 2 / zoom } : { x, y };
  const nearest = (start: number, at: number, half: number, length: number): number => {
    const room = Math.max(0, Math.min(80, length / 2 - half * zoom)) / zoom + half;
    return Math.min(Math.max(start, at + room - length / zoom), at - room);
  };
  return {
    x: nearest(from.x, node.x, node.width / 2, width),
    y: nearest(from.y, node.y, nodeHeight / 2, height),
    zoom,
  };
}

/** All of a small graph; of a large one its beginning, large enough to read. */
function startView(bounds: Bounds, size: Size): View {
  const fitted = fitView(bounds, size);
  if (fitted.zoom >= 0.7) return fitted;
  const zoom = Math.max(
    0.7,
    Math.min(1, (size.width - 2 * margin) / Math.max(1, bounds.right - bounds.left)),
  );
  return {
    x: (bounds.left + bounds.right) / 2 - size.width / 2 / zoom,
    y: -margin / zoom,
    zoom,
  };
}
