/** One frame of a graph on a canvas. The further away it is, the less is drawn: words first go, then lines. */
import { nodeHeight, type GraphEdge, type GraphNode } from '#shared/contract/graph.ts';
import { shapeWords } from './words.ts';
import type { Box, Scene } from './scene.ts';

/** The point of the graph in the upper left corner, and pixels for each of its units. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Frame {
  readonly view: View;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly chosen: number | undefined;
  readonly matches: ReadonlySet<number>;
}

/** Colours and fonts of the window, as they are now. */
export interface Ink {
  readonly surface: string;
  readonly sunken: string;
  readonly border: string;
  readonly text: string;
  readonly quiet: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly watch: string;
  readonly watchSoft: string;
  readonly font: string;
}

export function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    surface: token('surface-raised'),
    sunken: token('surface-sunken'),
    border: token('border-strong'),
    text: token('text'),
    quiet: token('text-quiet'),
    accent: token('accent'),
    accentSoft: token('accent-soft'),
    watch: token('watch'),
    watchSoft: token('watch-soft'),
    font: token('font'),
  };
}

/** Below these zooms: no shapes on edges, no words in boxes, no curves, no lines, boxes of one colour. */
const zooms = { shapes: 0.62, words: 0.4, curves: 0.25, lines: 0.08 } as const;

export function drawFrame(
  canvas: CanvasRenderingContext2D,
  scene: Scene,
  { view, width, height, chosen, matches }: Frame,
  ink: Ink,
): void {
  const { x, y, zoom } = view;
  const box: Box = { left: x, top: y, right: x + width / zoom, bottom: y + height / zoom };
  const place = (at: number, from: number): number => (at - from) * zoom;
  canvas.fillStyle = ink.sunken;
  canvas.fillRect(0, 0, width, height);

  if (zoom >= zooms.lines) {
    const edges = scene.edgesIn(box);
    canvas.lineWidth = zoom >= zooms.words ? 1.25 : 1;
    canvas.strokeStyle = ink.border;
    const mine: GraphEdge[] = [];
    const others = edges.filter((edge) => {
      const isMine = edge.from === chosen || edge.to === chosen;
      if (isMine) mine.push(edge);
      return !isMine;
    });
    strokeAll(others);
    canvas.strokeStyle = ink.accent;
    canvas.lineWidth = 2;
    strokeAll(mine);
  }
  const nodes = scene.nodesIn(box);
  if (zoom < zooms.curves) nodes.forEach(drawDot);
  else nodes.forEach(drawBox);
  if (zoom >= zooms.shapes) nodes.forEach(drawShapes);

  function strokeAll(edges: readonly GraphEdge[]): void {
    canvas.beginPath();
    edges.forEach(trace);
    canvas.stroke();
    if (zoom < zooms.words) return;
    canvas.fillStyle = canvas.strokeStyle;
    canvas.beginPath();
    edges.forEach(traceHead);
    canvas.fill();
  }

  /** Lines come into a box from above. */
  function traceHead({ points }: GraphEdge): void {
    const [endX, endY] = [place(points.at(-2) ?? 0, x), place(points.at(-1) ?? 0, y)];
    canvas.moveTo(endX, endY);
    canvas.lineTo(endX - 3.5 * zoom, endY - 7 * zoom);
    canvas.lineTo(endX + 3.5 * zoom, endY - 7 * zoom);
    canvas.closePath();
  }

  function trace({ points }: GraphEdge): void {
    let [lastX, lastY] = [place(points[0] ?? 0, x), place(points[1] ?? 0, y)];
    canvas.moveTo(lastX, lastY);
    for (let at = 2; at + 1 < points.length; at += 2) {
      const [nextX, nextY] = [place(points[at] ?? 0, x), place(points[at + 1] ?? 0, y)];
      if (zoom < zooms.curves || nextX === lastX) canvas.lineTo(nextX, nextY);
      else {
        const middle = (lastY + nextY) / 2;
        canvas.bezierCurveTo(lastX, middle, nextX, middle, nextX, nextY);
      }
      [lastX, lastY] = [nextX, nextY];
    }
  }

  function colours(node: GraphNode): { fill: string; line: string; bold: boolean } {
    if (node.id === chosen) return { fill: ink.accentSoft, line: ink.accent, bold: true };
    if (matches.has(node.id)) return { fill: ink.watchSoft, line: ink.watch, bold: true };
    return {
      fill: node.kind === 'operator' ? ink.surface : ink.sunken,
      line: ink.border,
      bold: false,
    };
  }

  function drawDot(node: GraphNode): void {
    const { fill, line, bold } = colours(node);
    const [w, h] = [Math.max(1, node.width * zoom), Math.max(1, nodeHeight * zoom)];
    canvas.fillStyle = bold || h < 3 ? line : fill;
    const [left, top] = [place(node.x, x) - w / 2, place(node.y, y) - h / 2];
    canvas.fillRect(left, top, w, h);
    if (!bold && h >= 3) {
      canvas.strokeStyle = line;
      canvas.lineWidth = 1;
      canvas.strokeRect(left, top, w, h);
    }
  }

  function drawBox(node: GraphNode): void {
    const { fill, line, bold } = colours(node);
    const [w, h] = [node.width * zoom, nodeHeight * zoom];
    const [left, top] = [place(node.x, x) - w / 2, place(node.y, y) - h / 2];
    const radius = node.kind === 'operator' ? 6 * zoom : h / 2;
    canvas.fillStyle = fill;
    canvas.strokeStyle = line;
    canvas.lineWidth = bold ? 2 : 1;
    canvas.beginPath();
    canvas.roundRect(left, top, w, h, radius);
    canvas.fill();
    canvas.stroke();
    // What has a graph inside looks like a stack.
    if (node.opens.length > 0) {
      canvas.beginPath();
      canvas.roundRect(left + 3 * zoom, top + 3 * zoom, w - 6 * zoom, h - 6 * zoom, radius);
      canvas.stroke();
    }
    if (zoom < zooms.words) return;
    const [centre, middle] = [place(node.x, x), place(node.y, y)];
    canvas.textAlign = 'center';
    canvas.textBaseline = 'middle';
    canvas.fillStyle = ink.text;
    canvas.font = `560 ${13 * zoom}px ${ink.font}`;
    const hasNote = node.note !== '';
    canvas.fillText(node.op, centre, middle - (hasNote ? 8 * zoom : 0), w - 12 * zoom);
    if (!hasNote) return;
    canvas.fillStyle = ink.quiet;
    canvas.font = `${11 * zoom}px ${ink.font}`;
    canvas.fillText(node.note, centre, middle + 9 * zoom, w - 12 * zoom);
  }

  /** Under the box, on the edge that begins there. */
  function drawShapes(node: GraphNode): void {
    // Inputs and outputs of the graph have theirs in the box.
    if (node.kind !== 'operator') return;
    const words = node.outputs.map(shapeWords).filter((word) => word !== '');
    if (words.length === 0) return;
    const text = words.slice(0, 3).join('  ') + (words.length > 3 ? ' …' : '');
    canvas.font = `${10.5 * zoom}px ${ink.font}`;
    const [centre, middle] = [place(node.x, x), place(node.y, y) + (nodeHeight / 2 + 14) * zoom];
    canvas.textAlign = 'center';
    canvas.textBaseline = 'middle';
    // A halo, so that the line behind can be followed and the letters read.
    canvas.strokeStyle = ink.sunken;
    canvas.lineWidth = 5 * zoom;
    canvas.lineJoin = 'round';
    canvas.strokeText(text, centre, middle);
    canvas.fillStyle = ink.quiet;
    canvas.fillText(text, centre, middle);
  }
}
