/** Handlers of what comes in: media and bundles. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { contract } from '#shared/contract/index.ts';
import { findBundles, generateSigningKey, signFolder } from '#domain/bundle/index.ts';
import { readFolder, readPlaces } from '#domain/media/index.ts';
import { exportFiles } from '../custody.ts';
import type { Handlers } from '../handler.ts';
import { importBundle } from '../import-bundle.ts';
import { inspectBundle } from '../inspect-bundle.ts';
import { requireFiles } from '../model-access.ts';
import { readText, writeNew, writeVerdictFolder } from '../small-files.ts';

import type { HandlerDeps } from './deps.ts';

export function intakeHandlers(
  deps: HandlerDeps,
): Pick<Handlers<typeof contract>, 'media' | 'bundles'> {
  const { clock, tokens, sessions, inference, pathOf, folderOf } = deps;
  return {
    media: {
      places: async () =>
        (await readPlaces(deps.inboxDir)).map(
          ({ path, fileSystem, totalBytes, freeBytes, ...place }) => ({
            ...place,
            path,
            token: tokens.admit(path),
            fileSystem: fileSystem ?? null,
            totalBytes: totalBytes ?? null,
            freeBytes: freeBytes ?? null,
          }),
        ),
      list: async (_context, { folder }) => {
        const path = pathOf(folder);
        const { parent, entries } = await readFolder(path);
        return {
          path,
          parent: parent === undefined ? null : tokens.admit(parent),
          entries: entries.map(({ path: at, name, kind, sizeBytes, modifiedAt }) => ({
            token: tokens.admit(at),
            name,
            kind,
            sizeBytes: sizeBytes ?? null,
            modifiedAt: modifiedAt?.toISOString() ?? null,
          })),
        };
      },
      bundles: async (_context, { folder }) => {
        const root = pathOf(folder);
        return (await findBundles(root)).map(({ path, sizeBytes, ...bundle }) => ({
          ...bundle,
          token: tokens.admit(path),
          path: path.slice(root.length + 1),
          sizeBytes: sizeBytes ?? null,
        }));
      },
    },
    bundles: {
      inspect: async (context, { source, trust, sarif, model }) =>
        inspectBundle(
          context,
          {
            path: pathOf(source),
            model,
            trustPaths: (trust ?? []).map(pathOf),
            sarifPath: sarif === undefined ? undefined : join(folderOf(sarif.folder), sarif.name),
          },
          {
            opened: (await sessions.status()).state === 'open' ? sessions.open() : undefined,
            clock,
            version: deps.version,
          },
        ),
      import: (context, { source, ...input }) =>
        importBundle(
          context,
          { ...input, path: pathOf(source) },
          { clock, inference, sessions, version: deps.version },
        ),
      export: async (context, { version, folder, name, since }) => {
        const { registry } = context.open();
        const resolved = registry.resolve(version);
        const base = since === undefined ? undefined : registry.resolve(since);
        requireFiles(resolved);
        const path = join(folderOf(folder), name);
        context.note({
          objects: [
            {
              type: 'version',
              id: `${resolved.model}@${resolved.version}`,
              digest: resolved.digest,
            },
          ],
        });
        return {
          path,
          ...(await exportFiles(context, resolved, path, base)),
          digest: resolved.digest,
        };
      },
      verdict: async ({ open }, { version, entry, folder, name }) => {
        const verdict = open().registry.verdict(
          version === undefined ? { logIndex: entry ?? -1 } : { reference: version },
        );
        const path = join(folderOf(folder), name);
        await writeVerdictFolder(path, verdict);
        return { decision: verdict.decision, path };
      },
      keygen: async (_context, { folder, name, algorithm }) => {
        const { privatePem, publicPem, keyId } = generateSigningKey(algorithm);
        const base = join(folderOf(folder), name);
        await writeNew(`${base}.key.pem`, privatePem, 0o600);
        await writeNew(`${base}.pub.pem`, publicPem, 0o644).catch(async (error: unknown) => {
          await rm(`${base}.key.pem`);
          throw error;
        });
        return { privateKeyPath: `${base}.key.pem`, publicKeyPath: `${base}.pub.pem`, keyId };
      },
      sign: async ({ signal }, { source, key, certificates, ignorePaths, as }) =>
        signFolder(folderOf(source), {
          privatePem: await readText(pathOf(key)),
          certificates:
            certificates === undefined
              ? undefined
              : { pem: await readText(pathOf(certificates)), now: clock() },
          ignorePaths,
          as,
          signal,
        }),
    },
  };
}
