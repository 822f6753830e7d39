import { z } from 'zod';
import { method, none } from '../rpc.ts';
import { check } from './audit.ts';

export const system = {
  info: method({
    input: none,
    output: z.strictObject({
      version: z.string(),
      node: z.string(),
      platform: z.string(),
      host: z.enum(['electron', 'chromium', 'cli']),
      runtime: z.string(),
    }),
    access: 'anyone',
    about: 'Versions of the program and its parts.',
  }),
  doctor: method({
    input: none,
    output: z.strictObject({ ok: z.boolean(), checks: z.array(check) }),
    access: 'anyone',
    about: 'Checks the installation, the offline promise included.',
  }),
};
