/** The width that an element has been given, so that a drawing in it needs no scaling and its text stays readable. */
import { useCallback, useRef, useState, type RefCallback } from 'react';

export function useWidth(initial: number): readonly [RefCallback<Element>, number] {
  const [width, setWidth] = useState(initial);
  const observer = useRef<ResizeObserver>(undefined);
  const ref = useCallback((element: Element | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) => {
      const given = Math.round(entry?.contentRect.width ?? 0);
      if (given > 0) setWidth(given);
    });
    observer.current.observe(element);
  }, []);
  return [ref, width];
}
