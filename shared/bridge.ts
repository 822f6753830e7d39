/** What a host puts on `window`: the only way from the window to the core. The Electron preload and the Chromium host provide the same. */
export interface Bridge {
  readonly host: 'electron' | 'chromium';
  /** Resolves with the envelope of the reply. */
  invoke(path: string, input: unknown): Promise<unknown>;
  onEvent(listener: (event: unknown) => void): () => void;
}

export const channels = { invoke: 'strongroom:invoke', event: 'strongroom:event' } as const;
