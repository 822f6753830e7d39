import { z } from 'zod';
import { fileToken, timestamp } from '../ids.ts';
import { method, none } from '../rpc.ts';

export const place = z.strictObject({
  token: fileToken,
  label: z.string(),
  kind: z.enum(['removable', 'inbox', 'folder']),
  /** For display only; never sent back. */
  path: z.string(),
  /** Of a removable drive, as the system calls it. */
  fileSystem: z.string().nullable(),
  totalBytes: z.number().nullable(),
  freeBytes: z.number().nullable(),
  readOnly: z.boolean(),
});
export type Place = z.infer<typeof place>;

export const folderEntry = z.strictObject({
  token: fileToken,
  name: z.string(),
  kind: z.enum(['folder', 'file']),
  sizeBytes: z.number().nullable(),
  modifiedAt: timestamp.nullable(),
});
export type FolderEntry = z.infer<typeof folderEntry>;

export const foundBundle = z.strictObject({
  token: fileToken,
  name: z.string(),
  format: z.string(),
  /** Below the place that was searched, for display. */
  path: z.string(),
  sizeBytes: z.number().nullable(),
  signed: z.enum(['yes', 'no', 'unknown']),
});
export type FoundBundle = z.infer<typeof foundBundle>;

export const media = {
  places: method({
    input: none,
    output: z.array(place),
    access: 'anyone',
    about: 'Removable drives, the inbox folder and the folders this host offers.',
  }),
  list: method({
    input: z.strictObject({ folder: fileToken }),
    output: z.strictObject({
      path: z.string(),
      parent: fileToken.nullable(),
      entries: z.array(folderEntry),
    }),
    access: 'anyone',
    about: 'Lists one folder.',
  }),
  bundles: method({
    input: z.strictObject({ folder: fileToken }),
    output: z.array(foundBundle),
    access: 'anyone',
    about: 'Finds model bundles on a medium without reading them whole.',
  }),
};
