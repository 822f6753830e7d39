/** Where the window was: the only thing that the Electron host remembers. */
import Store from 'electron-store';
import { z } from 'zod';

const bounds = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(600),
  height: z.int().min(400),
});
export type WindowBounds = z.infer<typeof bounds>;

export interface WindowSettings {
  read(): WindowBounds | undefined;
  write(value: WindowBounds): void;
}

export function createWindowSettings(): WindowSettings {
  const store = new Store<{ bounds?: unknown }>({ name: 'window', clearInvalidConfig: true });
  return {
    read: () => bounds.safeParse(store.get('bounds')).data,
    write: (value) => store.set('bounds', value),
  };
}
