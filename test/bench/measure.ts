/** What the benchmarks share: material, rounds, tables. Ratios within one run mean more than absolutes. */
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { createVault, type OpenVault } from '#domain/vault/index.ts';
import { adminPassword, bareSchema } from '../support/bare-vault.ts';

export const cheapKdf = { name: 'argon2id', memoryKib: 8, passes: 1, lanes: 1 } as const;

export interface Measured {
  /** Median over the rounds. */
  readonly seconds: number;
  /** Processor time of this process and all its threads, of the same round. */
  readonly cpuSeconds: number;
}

export interface Work {
  /** Not measured. */
  readonly before?: () => Promise<void> | void;
  readonly run: () => Promise<unknown> | void;
  /** Not measured. */
  readonly after?: () => Promise<void> | void;
}

/** All works once per round, one after the other, so that what disturbs the machine disturbs them alike. */
export async function interleaved<Name extends string>(
  works: Readonly<Record<Name, Work>>,
  rounds: number,
): Promise<Record<Name, Measured>> {
  const names = Object.keys(works) as Name[];
  const runs = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    Measured[]
  >;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const { before, run, after } = works[name];
      await before?.();
      const cpu = process.cpuUsage();
      const started = performance.now();
      await run();
      const seconds = (performance.now() - started) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      runs[name].push({ seconds, cpuSeconds: (user + system) / 1e6 });
      await after?.();
    }
  }
  const median = (list: readonly Measured[]): Measured => {
    const sorted = list.toSorted((a, b) => a.seconds - b.seconds);
    return sorted[Math.floor(sorted.length / 2)] ?? { seconds: Number.NaN, cpuSeconds: Number.NaN };
  };
  return Object.fromEntries(names.map((name) => [name, median(runs[name])])) as Record<
    Name,
    Measured
  >;
}

export async function openBenchVault(dir: string): Promise<OpenVault> {
  const { vault } = await createVault({
    dir,
    user: 'ada',
    password: adminPassword,
    profile: 'standard',
    kdf: cheapKdf,
    clock: () => new Date(),
    schema: bareSchema,
  });
  return vault;
}

export async function writeNoise(path: string, sizeBytes: number): Promise<void> {
  const file = createWriteStream(path);
  const block = randomFillSync(Buffer.alloc(2 ** 20));
  for (let at = 0; at < sizeBytes; at += block.length) {
    block.writeUInt32BE(at / block.length);
    if (!file.write(Uint8Array.from(block))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

/** `args` are `$1` and up. */
export function shell(script: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync('/bin/sh', ['-ec', script, 'sh', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`This machine cannot run: ${script}\n${stderr}`);
}

export function hasCommand(name: string): boolean {
  return (
    spawnSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' }).status === 0
  );
}

export function perSecond(amount: number, seconds: number): string {
  return Math.round(amount / seconds).toLocaleString('en');
}

export function print(title: string, rows: readonly (readonly [string, string])[]): void {
  process.stdout.write(`\n${title}\n`);
  for (const [name, value] of rows) process.stdout.write(`  ${name.padEnd(62)} ${value}\n`);
}
