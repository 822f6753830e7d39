/** In the core: the files of one child, opened before it starts and numbered as it will see them. */
import { constants, open, type FileHandle } from 'node:fs/promises';
import { AppError } from '#shared/errors.ts';
import type { ObjectHandOver } from '#domain/vault/index.ts';
import { firstFileDescriptor } from './process.ts';
import type { SealedFile, SealedModel } from './protocol.ts';

/** A model as the vault hands it over. */
export interface ModelFiles {
  readonly model: ObjectHandOver;
  /** Files beside it that it may name as external data. */
  readonly external: readonly { readonly location: string; readonly file: ObjectHandOver }[];
  /** Files that its pipeline reads, by their paths in the bundle. */
  readonly assets: readonly { readonly path: string; readonly file: ObjectHandOver }[];
  /** Rows to compare records with, where a child is to answer questions about records. */
  readonly reference?: ObjectHandOver | undefined;
}

export interface OpenFiles extends AsyncDisposable {
  sealed(object: ObjectHandOver): Promise<SealedFile>;
  assets(files: ModelFiles['assets']): Promise<SealedModel['assets']>;
  model(files: ModelFiles): Promise<SealedModel>;
  descriptors(): number[];
}

/** The files of one child: opened here, numbered as the child will see them, closed here when it is over. */
export function createOpenFiles(): OpenFiles {
  const handles: FileHandle[] = [];
  const files: OpenFiles = {
    async sealed({ path, key, aad, sizeBytes }) {
      // A pipe in the place of a file would keep whoever opens it waiting for ever.
      const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
      const handle = await open(path, flags).catch((cause: unknown) => {
        throw new AppError(
          'corrupt',
          'The file of a stored object is missing from the vault folder. Restore it from a copy of the vault.',
          { cause },
        );
      });
      handles.push(handle);
      return {
        fd: firstFileDescriptor + handles.length - 1,
        key: Buffer.from(key).toString('base64'),
        aad: Buffer.from(aad).toString('base64'),
        sizeBytes,
      };
    },
    async assets(given) {
      const sealed: { path: string; file: SealedFile }[] = [];
      for (const { path, file } of given) sealed.push({ path, file: await files.sealed(file) });
      return sealed;
    },
    async model({ model, external, assets }) {
      const sealedExternal: { location: string; file: SealedFile }[] = [];
      for (const { location, file } of external)
        sealedExternal.push({ location, file: await files.sealed(file) });
      const sealedAssets = await files.assets(assets);
      return {
        model: await files.sealed(model),
        external: sealedExternal,
        assets: sealedAssets,
      };
    },
    descriptors: () => handles.map(({ fd }) => fd),
    async [Symbol.asyncDispose]() {
      for (const handle of handles) await handle.close();
    },
  };
  return files;
}
