import { z } from 'zod';

/** `sha256:` and 64 lower-case hex digits. */
export const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits');
/** A name the vault accepts for a model, key or user: starts with a letter or digit. */
export const modelName = z
  .string()
  .min(1)
  .max(90)
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u,
    'must start with a letter or digit and use only letters, digits, space, . _ -',
  );
export const userName = z
  .string()
  .min(1)
  .max(64)
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._@-]*$/u,
    'must start with a letter or digit and use only letters, digits, . _ @ -',
  );
/** `NAME`, `NAME@3`, `NAME@production` or `NAME@sha256:…`. */
export const versionRef = z.string().min(1).max(200);
/** Opaque handle of a file or folder; handed out by the core, never made by a caller. */
export const fileToken = z.string().min(1).max(64);
export const fileName = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (name) => !/[/\\\0]/.test(name) && name !== '.' && name !== '..',
    'must be a plain file name',
  );
export const operationId = z.string().min(1).max(64);
/** How a file names a person; never written down in the clear. */
export const subjectId = z.string().min(1).max(1000);
export const runId = z.string().min(1).max(64);
/** UTC, RFC 3339. */
export const timestamp = z.iso.datetime();
/** The same from outside, brought into the one form that sorts as text. */
export const moment = timestamp.transform((text) => new Date(text).toISOString());
export const reason = z
  .string()
  .max(2000)
  .refine((text) => text.trim() !== '', 'must say something');
export const password = z.string().min(1).max(1024);
