/** Runs sandboxed before the page: hands it the bridge and nothing else of Electron. */
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron';
import { channels, type Bridge } from '#shared/bridge.ts';

const bridge: Bridge = {
  host: 'electron',
  invoke: (path, input) => ipcRenderer.invoke(channels.invoke, path, input) as Promise<unknown>,
  onEvent(listener) {
    const relay = (_event: IpcRendererEvent, event: unknown): void => listener(event);
    ipcRenderer.on(channels.event, relay);
    return () => void ipcRenderer.off(channels.event, relay);
  },
};

contextBridge.exposeInMainWorld('strongroom', bridge);
