/**
 * How fast a file becomes an encrypted object, on the path that an import takes: read, SHA-256, encrypt and authenticate, write,
 * sync. In one run and on the same file: other tools, each followed by a sync of what it wrote, and the limit, which is the
 * slowest single stage alone, or the processor time of all stages divided by the cores if that is more.
 * Then what it costs to open a model of the vault, against the same model as plain files.
 * `npm run bench:vault -- [--size GIB] [--rounds N] [--only import|open] [--dir DIR]`
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { alignedMemory, createBlockFile } from '#platform/block-file.ts';
import { contentOf, fillFrom } from '#platform/content.ts';
import type { OpenVault, StagedObject } from '#domain/vault/index.ts';
import { floeHeaderBytes } from '../../electron/domain/floe/floe.ts';
import { createBlockSealer } from '../../electron/domain/floe/blocks.ts';
import { createFloeWriter, objectShape } from '../../electron/domain/floe/writer.ts';
import {
  hasCommand,
  interleaved,
  openBenchVault,
  perSecond,
  print,
  shell,
  writeNoise,
  type Work,
} from './measure.ts';
import { openingWorks } from './open-model.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    /** Only the part about opening models, or only the one about taking files in. */
    only: { type: 'string' },
    /** Where the files are written; the disk of the vault is what is measured. */
    dir: { type: 'string', default: tmpdir() },
  },
});
const sizeBytes = Math.round(Number(values.size) * 2 ** 30);
const dir = mkdtempSync(join(values.dir, 'strongroom-bench-vault-'));
const path = join(dir, 'noise');
const out = join(dir, 'out');
const syncAll = 'find "$2" -type f -exec sync {} +';
const clear = (): void => rmSync(out, { recursive: true, force: true });

interface Peer {
  readonly name: string;
  readonly command: string;
  readonly before?: string;
  /** `$1` the file, `$2` the folder to write into. */
  readonly script: string;
  readonly after?: string;
}

const peers: readonly Peer[] = [
  {
    name: 'cp, then openssl dgst -sha256 (nothing encrypted)',
    command: 'openssl',
    script: `cp "$1" "$2/copy"; ${syncAll}; openssl dgst -sha256 "$1"`,
  },
  {
    name: 'age -r (no digest of the content)',
    command: 'age',
    before: 'rm -f "$2.key"; age-keygen -o "$2.key"; age-keygen -y "$2.key" > "$2.to"',
    script: `age -R "$2.to" -o "$2/file.age" "$1"; ${syncAll}`,
  },
  {
    name: 'openssl enc -aes-256-ctr (no authentication, no digest)',
    command: 'openssl',
    script: `openssl enc -aes-256-ctr -K "$(printf %064d 1)" -iv "$(printf %032d 1)" -in "$1" -out "$2/file.enc"; ${syncAll}`,
  },
  {
    name: 'gocryptfs, cp into the mount',
    command: 'gocryptfs',
    before:
      'mkdir "$2/cipher" "$2/mnt"; printf "bench\\n" > "$2.pass"; gocryptfs -q -init -scryptn 10 -passfile "$2.pass" "$2/cipher"; gocryptfs -q -passfile "$2.pass" "$2/cipher" "$2/mnt"',
    script: 'cp "$1" "$2/mnt/file"; sync "$2/mnt/file"; find "$2/cipher" -type f -exec sync {} +',
    after: 'fusermount -u "$2/mnt"',
  },
  {
    name: 'rclone copy to a crypt remote',
    command: 'rclone',
    script: `export RCLONE_CONFIG_C_TYPE=crypt RCLONE_CONFIG_C_REMOTE="$2" RCLONE_CONFIG_C_PASSWORD="$(rclone obscure bench)"; rclone --config /dev/null copy "$1" c:; ${syncAll}`,
  },
  {
    name: 'restic backup',
    command: 'restic',
    before: 'RESTIC_PASSWORD=bench restic -q -r "$2/repo" --no-cache init',
    script: `RESTIC_PASSWORD=bench restic -q -r "$2/repo" --no-cache backup "$1"; ${syncAll}`,
  },
];

function peerWork({ before, script, after }: Peer): Work {
  return {
    before() {
      shell('mkdir "$2"', path, out);
      if (before !== undefined) shell(before, path, out);
    },
    run: () => shell(script, path, out),
    after() {
      if (after !== undefined) shell(after, path, out);
      clear();
    },
  };
}

/** Each stage of the pass on its own, with the buffers and calls of the product. */
function stages(): Record<'read' | 'SHA-256' | 'encrypt' | 'write and sync', Work> {
  const { lanes } = createFloeWriter().hasher;
  const lengthBytes = objectShape.segmentBytes * objectShape.segmentsPerBlock;
  const sealed = Array.from({ length: 3 }, () => alignedMemory(lengthBytes + floeHeaderBytes));
  const count = Math.ceil(sizeBytes / (lanes[0]?.length ?? Number.NaN));
  const each = async (
    work: (at: { index: number; lane: Uint8Array; buffer: Uint8Array }) => Promise<unknown> | void,
  ): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const lane = lanes[index % lanes.length];
      const buffer = sealed[index % sealed.length];
      if (lane !== undefined && buffer !== undefined) await work({ index, lane, buffer });
    }
  };
  return {
    read: {
      async run() {
        await using file = await open(path);
        await using filler = fillFrom(contentOf(file));
        await each(({ lane }) => filler.fill(lane));
      },
    },
    'SHA-256': {
      async run() {
        const hash = createHash('sha256');
        await each(({ lane }) => void hash.update(lane));
        hash.digest();
      },
    },
    encrypt: {
      async run() {
        const key = randomBytes(32);
        const sealer = createBlockSealer({ ...objectShape, key, aad: randomBytes(32) });
        await each(
          ({ index, lane, buffer }) => void sealer.seal(lane, index === count - 1, buffer),
        );
      },
    },
    'write and sync': {
      async run() {
        const file = await createBlockFile(out, true);
        const writing = sealed.map(() => Promise.resolve());
        await each(async ({ index, buffer }) => {
          await writing[index % sealed.length];
          writing[index % sealed.length] = file.write({ buffer, lengthBytes });
        });
        await Promise.all(writing);
        await file.finish();
      },
      after: clear,
    },
  };
}

const speed = (seconds: number, bytes = sizeBytes): string =>
  `${seconds.toFixed(2).padStart(6)} s  ${perSecond(bytes / 1e6, seconds).padStart(6)} MB/s`;

async function takingIn(vault: OpenVault): Promise<void> {
  await writeNoise(path, sizeBytes);
  let peakBytes = 0;
  let staged: StagedObject | undefined;
  const ours: Work = {
    async run() {
      await using file = await open(path);
      const base = process.memoryUsage.rss();
      const watch = setInterval(
        () => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss() - base)),
        10,
      );
      staged = await vault.objects.stage({ source: contentOf(file) });
      clearInterval(watch);
    },
    async after() {
      if (staged !== undefined) await vault.objects.discard([staged]);
    },
  };
  const present = peers.filter(({ command }) => hasCommand(command));
  const works: Record<string, Work> = { ours, ...stages() };
  for (const peer of present) works[peer.name] = peerWork(peer);
  const measured = await interleaved(works, Number(values.rounds));

  const at = (name: string): { seconds: number; cpuSeconds: number } =>
    measured[name] ?? { seconds: Number.NaN, cpuSeconds: Number.NaN };
  print(`Taking in a file of ${values.size} GiB, median of ${values.rounds} interleaved rounds`, [
    ['Strongroom: read, SHA-256, AES-256-GCM, write, sync', speed(at('ours').seconds)],
    ...present.map(({ name }) => [name, speed(at(name).seconds)] as const),
    ...peers
      .filter((peer) => !present.includes(peer))
      .map(({ name, command }) => [name, `skipped: ${command} is not installed`] as const),
  ]);
  const names = ['read', 'SHA-256', 'encrypt', 'write and sync'];
  const slowest = Math.max(...names.map((name) => at(name).seconds));
  const cpuSeconds = names.reduce((sum, name) => sum + at(name).cpuSeconds, 0);
  const cores = availableParallelism();
  const limit = Math.max(slowest, cpuSeconds / cores);
  print('The limit', [
    ...names.map(
      (name) =>
        [
          `${name} alone`,
          `${speed(at(name).seconds)}  (processor ${at(name).cpuSeconds.toFixed(2)} s)`,
        ] as const,
    ),
    [`processor time of all stages on ${cores} cores`, speed(cpuSeconds / cores)],
    ['limit: the greater of that and the slowest stage', speed(limit)],
    ['Strongroom against the limit', `${(at('ours').seconds / limit).toFixed(2)} times`],
    ['processor time of Strongroom', `${at('ours').cpuSeconds.toFixed(2)} s`],
    ['peak memory over the baseline', `${Math.round(peakBytes / 2 ** 20)} MiB`],
  ]);
  await rm(path);
}

async function opening(vault: OpenVault): Promise<void> {
  const kinds = {
    'weights inside of the model': { sizeBytes: 5 * 2 ** 26, external: false },
    'weights beside it, as external data': { sizeBytes: 2 ** 30, external: true },
  };
  for (const [name, kind] of Object.entries(kinds)) {
    const folder = join(dir, kind.external ? 'external' : 'inline');
    const works = await openingWorks(folder, vault, kind);
    const { plain, ours } = await interleaved({ ...works }, Number(values.rounds));
    print(`Opening a model of ${kind.sizeBytes / 2 ** 20} MiB into a session, ${name}`, [
      ['plain file, by path, in a child', speed(plain.seconds, kind.sizeBytes)],
      ['from the vault, contained', speed(ours.seconds, kind.sizeBytes)],
      ['from the vault against plain', `${(ours.seconds / plain.seconds).toFixed(2)} times`],
    ]);
    await rm(folder, { recursive: true });
  }
}

try {
  const vault = await openBenchVault(join(dir, 'vault'));
  if (values.only !== 'open') await takingIn(vault);
  if (values.only !== 'import') await opening(vault);
  vault.close();
} finally {
  await rm(dir, { recursive: true, force: true });
}
