import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { protections, spawnContained } from '#platform/containment.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const script = join(import.meta.dirname, '../../support/contained-child.ts');
const layRoot =
  'mount -t tmpfs own /mnt; cd /mnt; mkdir usr proc; mount --rbind -o ro,nosuid,nodev /usr usr; mount --rbind /proc proc; ln -s usr/lib usr/lib64 .; /usr/sbin/chroot . /usr/bin/true';
const unshare = ['--user', '--map-root-user', '--net', '--mount', '/bin/sh', '-ec', layRoot];
/** Whether this system lets anybody lay a root of his own, asked by other means than the product's. */
const canBeCutOff = spawnSync('unshare', unshare).status === 0;

test.runIf(canBeCutOff)(
  'a child has no capability, no network, no disk and no file of the user: its folder lies in memory, is bounded, and ends with it',
  async () => {
    expect(protections()).toEqual(['view', 'memory folder', 'network', 'privileges']);
    const cwd = mkdtempSync(join(tmpdir(), 'strongroom-contained-'));
    const ofTheUser = temporaryFolder();
    const shown = join(ofTheUser, "a folder's rows");
    mkdirSync(shown);
    writeFileSync(join(shown, 'row.txt'), 'a row');
    // Where mounting is allowed, a mount below what is shown; else a folder like others.
    const below = join(shown, 'a mount 100%');
    mkdirSync(below);
    const isMounted = spawnSync('mount', ['-t', 'tmpfs', 'below', below]).status === 0;
    writeFileSync(join(ofTheUser, 'secret.txt'), 'a secret');
    symlinkSync('../secret.txt', join(shown, 'link.txt'));
    const child = spawnContained(script, {
      cwd,
      limits: { dataBytes: 2 ** 30, processorSeconds: 60, folderBytes: 4 * 2 ** 20 },
      stdio: [
        'ignore',
        'ignore',
        'inherit',
        'ipc',
        openSync(join(shown, 'row.txt'), 'r'),
        openSync(join(ofTheUser, 'output.txt'), 'wx'),
      ],
      args: [join(ofTheUser, 'secret.txt'), shown],
      shows: [shown],
    });
    const told = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`It ended with ${code}.`)));
    });
    expect(told).toEqual({
      inMemory: true,
      capabilities: Array.from({ length: 3 }, () => '0'.repeat(16)),
      noNewPrivileges: '1',
      coreBytes: '0',
      networks: ['lo:'],
      seen: expect.not.arrayContaining(['etc', 'home', 'root', 'var']) as string[],
      ofTheUser: false,
      // What may be read cannot be opened again for writing.
      handedOver: ['a row', 'EROFS', 'written'],
      shown: 'read',
      besideShown: ["a folder's rows"],
      throughLink: 'ENOENT',
      intoShown: 'EROFS',
      intoMount: 'EROFS',
      program: 'EROFS',
      environmentOfParent: 'EACCES',
      small: 'written',
      large: 'ENOSPC',
    });
    expect(readdirSync(cwd)).toEqual([]);
    child.kill('SIGKILL');
    if (isMounted) expect(spawnSync('umount', [below]).status).toBe(0);
  },
);

test.runIf(canBeCutOff)(
  'a file that cannot be handed over read-only is not handed over: the child does not start',
  async () => {
    const path = join(temporaryFolder(), 'row.txt');
    writeFileSync(path, 'a row');
    const fd = openSync(path, 'r');
    rmSync(path);
    const child = spawnContained(script, {
      cwd: mkdtempSync(join(tmpdir(), 'strongroom-contained-')),
      limits: { dataBytes: 2 ** 30, processorSeconds: 60, folderBytes: 4 * 2 ** 20 },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', fd],
    });
    const told = new Promise((resolve) => {
      child.once('message', () => resolve('it started'));
      child.once('exit', (code) => resolve(code));
    });
    expect(await told).not.toBe('it started');
    expect(await told).not.toBe(0);
  },
);
