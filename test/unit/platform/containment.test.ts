import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { protections, spawnContained } from '#platform/containment.ts';
import { howEnded, killContained, residentBytes } from '#platform/process-tree.ts';
import { descendantsOf } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/vaults.ts';

const script = join(import.meta.dirname, '../../support/contained-child.ts');
const layRoot =
  'mount -t tmpfs own /mnt; cd /mnt; mkdir usr proc; mount --rbind -o ro,nosuid,nodev /usr usr; mount --rbind /proc proc; ln -s usr/lib usr/lib64 .; /usr/sbin/chroot . /usr/bin/true';
const unshare = ['--user', '--map-root-user', '--net', '--mount', '/bin/sh', '-ec', layRoot];
/** Whether this system lets anybody lay a root of his own, asked by other means than the product's. */
const canBeCutOff = spawnSync('unshare', unshare).status === 0;

test.runIf(canBeCutOff).each(["a folder's rows", 'rows'])(
  'a child has no capability, no network, no disk, no file and no process of the user: its folder lies in memory, is bounded, and ends with it; it was shown: %s',
  async (name) => {
    expect(protections()).toEqual(['processes', 'view', 'memory folder', 'network', 'privileges']);
    const cwd = mkdtempSync(join(tmpdir(), 'strongroom-contained-'));
    const ofTheUser = temporaryFolder();
    const shown = join(ofTheUser, name);
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
      args: [join(ofTheUser, 'secret.txt'), shown, String(process.pid)],
      shows: [shown],
    });
    const told = await said(child);
    const { own } = told as { own: number };
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
      besideShown: [name],
      throughLink: 'ENOENT',
      intoShown: 'EROFS',
      intoMount: 'EROFS',
      program: 'EROFS',
      environmentOfParent: 'EACCES',
      // The first one waits for it.
      processes: ['1', String(own)],
      own,
      signalsCore: 'ESRCH',
      commandOfCore: 'ENOENT',
      setting: 'EROFS',
      diesFirst: '1000',
      newNamespace: 1,
      small: 'written',
      large: 'ENOSPC',
    });
    expect(readdirSync(cwd)).toEqual([]);
    // Nor are there mounts out of sight, which would keep a medium busy.
    expect(readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8')).toMatch(
      / \/ \/ \S+ .*- tmpfs strongroom /,
    );
    // A signal to the group of whoever started it does not come from it.
    expect(groupOf(child.pid)).not.toBe(groupOf(process.pid));
    killContained(child);
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

describe.runIf(canBeCutOff)('a child that starts others', () => {
  test('is counted with them, and ends with them', async () => {
    const child = await startFamily();
    const all = [child.pid ?? 0, ...descendantsOf(child.pid ?? 0)];
    // Who waits for the namespace, its first process, the child, and what that started.
    expect(all).toHaveLength(4);
    expect(residentBytes(child.pid)).toBeGreaterThan(2 * 40 * 2 ** 20 + 64 * 2 ** 20);
    const ended = endOf(child);
    killContained(child);
    await ended;
    expect(all.filter(exists)).toEqual([]);
    // Nobody is there any more.
    killContained(child);
  });

  test.each(['SIGSEGV', 'SIGXCPU', 'SIGABRT'])('that ended by %s is told so', async (signal) => {
    const child = await startFamily();
    const all = descendantsOf(child.pid ?? 0);
    const ended = endOf(child);
    child.send(signal === 'SIGABRT' ? 'abort' : signal);
    expect(await ended).toBe(signal);
    expect(all.filter(exists)).toEqual([]);
  });

  test('does not keep a medium busy that is unmounted', async () => {
    const image = join(temporaryFolder(), 'drive.img');
    const drive = temporaryFolder();
    spawnSync('mke2fs', ['-q', '-t', 'ext2', image, '4M']);
    // Only an administrator may mount.
    if (spawnSync('mount', ['-o', 'loop', image, drive]).status !== 0) return;
    const child = await startFamily();
    expect(spawnSync('umount', [drive]).status).toBe(0);
    const uses = (): string => spawnSync('losetup', ['-j', image], { encoding: 'utf8' }).stdout;
    // Children that others start have a look at it for a moment.
    await expect.poll(uses, { timeout: 20_000 }).toBe('');
    killContained(child);
  });

  test('ends with them when the core is killed', async () => {
    const core = fork(join(import.meta.dirname, '../../support/killed-core.ts'), {
      stdio: 'ignore',
    });
    const all = (await said(core)) as number[];
    expect(all).toHaveLength(4);
    core.kill('SIGKILL');
    await expect.poll(() => all.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  });
});

test.runIf(process.platform === 'linux')('what somebody above left open is not handed on', () => {
  const list = (first: string): string[] => {
    const then = `import { spawnSync } from 'node:child_process';
        console.log(spawnSync('/bin/ls', ['/proc/self/fd'], { encoding: 'utf8' }).stdout);`;
    const command = ['-c', 'exec 40< /dev/null; exec "$@"', 'bash', process.execPath];
    const script = ['--input-type=module', '-e', first + then];
    const { stdout } = spawnSync('bash', [...command, ...script], { encoding: 'utf8' });
    return stdout.trim().split('\n');
  };
  const module = new URL('../../../electron/platform/inherited.ts', import.meta.url).href;
  expect(list('')).toContain('40');
  // The last one is its list.
  expect(list(`import { closeInherited } from '${module}'; closeInherited();`)).toEqual([
    '0',
    '1',
    '2',
    '3',
  ]);
});

async function startFamily(): Promise<ChildProcess> {
  const child = spawnContained(join(import.meta.dirname, '../../support/contained-family.ts'), {
    cwd: mkdtempSync(join(tmpdir(), 'strongroom-contained-')),
    limits: { dataBytes: 2 ** 30, processorSeconds: 60 },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  expect(await said(child)).toBe('started');
  return child;
}

function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (...how) => reject(new Error(`It ended with ${howEnded(...how)}.`)));
  });
}

function endOf(child: ChildProcess): Promise<string | number> {
  return new Promise((resolve) => child.once('exit', (...how) => resolve(howEnded(...how))));
}

/** Fields of proc(5) after the name: state, parent, process group. */
function fieldsOf(pid: number | undefined): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
}

const groupOf = (pid: number | undefined): string | undefined => fieldsOf(pid)[2];

function exists(pid: number): boolean {
  try {
    return fieldsOf(pid).length > 0;
  } catch {
    return false;
  }
}

/** Whoever the orphans of a killed process belong to may leave them lie for a while. */
const isAlive = (pid: number): boolean => exists(pid) && fieldsOf(pid)[0] !== 'Z';
