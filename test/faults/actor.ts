/**
 * A child that does one act on a vault, says which named points it passed and how the act ended, and ends itself at a point
 * if it is told to. Argument: an `Order` as JSON. To be started with a thread pool of one, so that `strace` can count.
 */
import { accessSync, writeSync } from 'node:fs';
import { link, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onStep } from '#platform/steps.ts';
import { errorToBody } from '#app/error-envelope.ts';
import { openBareApp } from '../support/bare-app.ts';
import type { Place } from './act.ts';
import { acts, type ActName } from './acts.ts';

export interface Order extends Place {
  readonly act: ActName;
  readonly dir: string;
  /** Kill yourself at the n-th named point, from 1. */
  readonly killAt?: number;
  /** Points show among the system calls, and calls of the pool are counted from 100 on. */
  readonly traced?: true;
}

/** What the actor prints. */
export interface Performed {
  readonly points: readonly string[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** More calls of one kind than the main thread makes in any act. */
const poolOffset = 100;

const order = JSON.parse(process.argv[2] ?? '') as Order;
const points: string[] = [];
onStep((name) => {
  points.push(name);
  if (points.length === order.killAt) process.kill(process.pid, 'SIGKILL');
  if (order.traced === true) showPoint(name);
});
if (order.traced === true) {
  await countFrom(join(order.dir, 'counting'));
  showPoint('begin');
}
const opened = openBareApp(order.dir);
let error: Performed['error'] = null;
try {
  await acts[order.act].perform(opened, order);
} catch (cause) {
  error = errorToBody(cause);
}
await opened.app.close();
answer(JSON.stringify({ points, error } satisfies Performed));

/** The error of the medium may hit this very call, which is no part of the act; it comes once. */
function answer(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    writeSync(1, text);
  }
}

function showPoint(name: string): void {
  try {
    accessSync(`/strongroom-point/${name}`);
  } catch {
    // There is no such file; that it was looked for is enough.
  }
}

/**
 * `strace` counts the calls of each thread apart. The one thread of the pool makes a hundred of each first, so that "the hundred
 * and third" is one of the pool and of no other thread.
 */
async function countFrom(place: string): Promise<void> {
  await mkdir(place);
  const file = await open(join(place, 'file'), 'w');
  for (let call = 0; call < poolOffset; call += 1) {
    await file.sync();
    await file.write('x', 0);
    await link(join(place, 'file'), join(place, 'link'));
    await rename(join(place, 'link'), join(place, 'moved'));
    await rm(join(place, 'moved'));
    await mkdir(join(place, 'folder'));
    await rmdir(join(place, 'folder'));
  }
  await file.close();
  await rm(place, { recursive: true });
}
